"""Latencies that were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.simulation.durations import length_ns
from cambist.simulation.timed import timed

if TYPE_CHECKING:
    from random import Random

    from cambist.simulation.latency.protocol import Request
    from cambist.simulation.timed import Timed

__all__ = ["RecordedLatency"]


@attrs.frozen
class RecordedLatency:
    """What somebody measured: a request takes as long as the last one that was measured before it.

    Parameters
    ----------
    times
        When each was measured, rising: anything `cambist.model.to_ns` takes.
    latencies
        As many lengths of time: texts such as ``"50ms"``, timedeltas, or nanoseconds.
    """

    times: Any = attrs.field(repr=False)
    latencies: Any = attrs.field(repr=False)
    _known: Timed = attrs.field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        for name in ("times", "latencies"):
            if not hasattr(getattr(self, name), "__iter__") or isinstance(getattr(self, name), str):
                raise ParameterError(f"RecordedLatency: {name} is {getattr(self, name)!r}; give a list or an array.")
        lengths = [length_ns("RecordedLatency", "latencies", said) for said in self.latencies]
        known = timed("RecordedLatency", "latencies", (list(self.times), lengths), "a length of time")
        object.__setattr__(self, "_known", known)

    def delay(self, request: Request, ts: int, chance: Random) -> int:  # noqa: ARG002
        """Return the last length measured by `ts`."""
        return int(self._known.at(ts))
