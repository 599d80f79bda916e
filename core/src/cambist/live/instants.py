"""Which bars belong to one instant, and when all of them are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.timeframe import Timeframe

__all__ = ["Instants"]


class Instants:
    """Waits for the bars of an instant, of as many series as are due at it, or until its time is up.

    A series of a slower timeframe is due where its bar closes too: at a multiple of its length since the epoch, which
    is how venues count. Halted symbols send nothing, hence the time limit.

    Parameters
    ----------
    timeframes
        Of each series, in declared order.
    timeout
        How long the other bars of an instant are waited for after its first, ns.
    """

    def __init__(self, timeframes: Sequence[Timeframe], timeout: int) -> None:
        self._lengths = [timeframe.ns for timeframe in timeframes]
        self._timeout = timeout
        self._missing: dict[int, set[int]] = {}
        self._due: dict[int, int] = {}
        self._closed = -(2**63)

    def arrived(self, number: int, closes_at: int, now: int) -> bool:
        """Take note of a bar; return whether it was the last one of its instant."""
        missing = self._missing.get(closes_at)
        if missing is None:
            if closes_at <= self._closed:
                return False  # its instant has passed without it
            missing = self._missing[closes_at] = {
                one for one, length in enumerate(self._lengths) if closes_at % length == 0 or one == number
            }
            self._due[closes_at] = now + self._timeout
        missing.discard(number)
        return not missing

    def close(self, closes_at: int) -> None:
        """Be done with an instant, and with all before it."""
        self._closed = max(self._closed, closes_at)
        for one in [one for one in self._missing if one <= closes_at]:
            del self._missing[one], self._due[one]

    def overdue(self, now: int) -> list[int]:
        """Return the instants whose time is up, oldest first."""
        return sorted(one for one, due in self._due.items() if due <= now)

    def next_due(self) -> int | None:
        """Return when the next one's time is up, ns; None where nothing is waited for."""
        return min(self._due.values(), default=None)
