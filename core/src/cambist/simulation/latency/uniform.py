"""Latency between two bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.simulation.durations import length_ns

if TYPE_CHECKING:
    from random import Random

    from cambist.simulation.latency.protocol import Request

__all__ = ["UniformLatency"]


@attrs.frozen
class UniformLatency:
    """Any length from `least` to `most` is as likely as any other.

    Parameters
    ----------
    least, most
        ``"20ms"``, a ``timedelta``, or nanoseconds.
    """

    least: Any
    most: Any

    def __attrs_post_init__(self) -> None:
        for name in ("least", "most"):
            object.__setattr__(self, name, length_ns("UniformLatency", name, getattr(self, name)))
        if self.least > self.most:
            raise ParameterError(f"UniformLatency: least ({self.least:,} ns) is above most ({self.most:,} ns).")

    def delay(self, request: Request, ts: int, chance: Random) -> int:  # noqa: ARG002
        """Return a length drawn from the range."""
        return chance.randint(self.least, self.most)
