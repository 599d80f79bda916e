"""The engine's clock: moved by its driver, read by everybody, never the wall's."""

from __future__ import annotations

__all__ = ["Clock", "ManualClock"]


class Clock:
    """Answers the time, ns since the epoch, UTC.

    A driver may plug in another that works the time out when asked: on the fast path of a backtest most bars
    end without anybody asking.
    """

    __slots__ = ()

    def read(self) -> int:
        """Return the time of what is being handled, ns."""
        raise NotImplementedError


class ManualClock(Clock):
    """Stands where it was put.

    Attributes
    ----------
    now
        Time, ns, UTC.
    """

    __slots__ = ("now",)

    def __init__(self, now: int = 0) -> None:
        self.now = now

    def read(self) -> int:
        """Return `now`."""
        return self.now
