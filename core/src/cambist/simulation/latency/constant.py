"""The same latency all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.simulation.durations import length_ns
from cambist.simulation.latency.protocol import Request

if TYPE_CHECKING:
    from random import Random

__all__ = ["ConstantLatency"]


@attrs.frozen
class ConstantLatency:
    """A length of time for each kind of request.

    Parameters
    ----------
    submit
        Of a new order: ``"50ms"``, a ``timedelta``, or nanoseconds.
    cancel, amend
        Of what is asked later; None for as long as `submit`.
    """

    submit: Any
    cancel: Any = None
    amend: Any = None

    def __attrs_post_init__(self) -> None:
        for name in ("submit", "cancel", "amend"):
            said = getattr(self, name)
            length = self.submit if said is None and name != "submit" else length_ns("ConstantLatency", name, said)
            object.__setattr__(self, name, length)

    def delay(self, request: Request, ts: int, chance: Random) -> int:  # noqa: ARG002
        """Return the length for the kind of request."""
        if request is Request.SUBMIT:
            return int(self.submit)
        return int(self.cancel if request is Request.CANCEL else self.amend)
