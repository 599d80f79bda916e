"""What takes effect between two events of a run on trades and quotes: entries of the account, and ends of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.step import BOOKKEEPING
from cambist.model.events import TimerFired

if TYPE_CHECKING:
    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketWindow
    from cambist.engine.sessions import Sessions

__all__ = ["Between"]


class Between:
    """Has entries of the account booked, and sessions ended, at their own time.

    No window reaches over such a time, so that no event looks for them. What is due at a time is booked after every
    event of it and before any later one; an event at the end of a session is not part of it.

    Parameters
    ----------
    driver
        Of the run.
    sessions
        When they end.
    """

    def __init__(self, driver: MarketDriver, sessions: Sessions) -> None:
        self._driver = driver
        self._sessions = sessions

    def start(self, ts: int) -> None:
        """Begin a run at `ts`."""
        self._sessions.start(ts)

    @property
    def _last(self) -> int:
        """Time of the last events that may be played before something takes effect."""
        return min(self._driver.booking_due, self._sessions.next_end - 1)

    def horizon(self, horizon: int) -> int:
        """Return how far the next window may go, at most to `horizon`."""
        driver = self._driver
        first = min(int(one.closes[one.at]) for one in driver.series if one.rows_left)
        # Where something takes effect before the window, nobody knows yet what comes after.
        return first if self._last < first else min(horizon, self._last)

    def take_effect(self, driver: MarketDriver, window: MarketWindow, instant: int) -> None:
        """Have take effect what is due before a window that begins with `instant`."""
        now, kernel = int(window.instants[0]), driver.kernel
        while self._last < now and not driver.stop.requested:
            kernel.instant = instant
            if self._sessions.next_end - 1 < driver.booking_due:
                end, symbols = self._sessions.take()
                driver.venue.arrive(end - 1)
                for symbol in symbols:
                    driver.venue.end_session(symbol, end)
            else:
                due = driver.booking_due
                driver.venue.arrive(due)
                driver.carry_out(kernel.step(TimerFired(due, BOOKKEEPING, due)))
