"""What a gateway asks of a latency."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from random import Random

__all__ = ["LatencyModel", "Request"]


class Request(StrEnum):
    """What is asked of a venue."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    AMEND = "amend"


@runtime_checkable
class LatencyModel(Protocol):
    """Answers how long a request is on its way."""

    def delay(self, request: Request, ts: int, chance: Random) -> int:
        """Return the time from sending to arrival, ns, not negative.

        Parameters
        ----------
        request
            What is sent.
        ts
            When, ns, UTC.
        chance
            The only source of chance; its seed is the run's.
        """
        ...
