"""What takes effect between two events of a run on trades and quotes: entries of the account, and ends of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.step import BOOKKEEPING
from cambist.engine.timers import NEVER
from cambist.errors import CambistError
from cambist.model.events import TimerFired
from cambist.model.trading_days import trading_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketWindow
    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.trading_days import TradingDays

__all__ = ["Between", "Sessions"]


class Sessions:
    """When the sessions of a run's instruments end.

    A calendar that cannot be had is no fault until an order asks for the end of a session.

    Parameters
    ----------
    instruments
        Of the run.
    calendars
        Answers the calendar of an instrument; who has none trades around the clock, in sessions of one UTC day.
    """

    def __init__(self, instruments: Iterable[Instrument], calendars: Callable[[Instrument], Calendar | None]) -> None:
        self._days: dict[str, TradingDays] = {}
        self._missing: dict[str, CambistError] = {}
        self._next: dict[str, int] = {}
        for one in instruments:
            try:
                calendar = calendars(one)
            except CambistError as error:
                calendar, self._missing[one.symbol] = None, error
            self._days[one.symbol] = trading_days(calendar)

    def end_after(self, symbol: str, ts: int) -> int:
        """Return the end of the session that holds `ts`, or of the next one, ns: its first moment outside.

        Later than any event where the calendar has no further session.

        Raises
        ------
        InputError
            If the calendar that the instrument names cannot be had, or does not cover the data.
        """
        if symbol in self._missing:
            raise self._missing[symbol]
        return self._end_after(symbol, ts)

    def _end_after(self, symbol: str, ts: int) -> int:
        days = self._days[symbol]
        # The data may go on to the end of the last session's day.
        is_last = days.calendar is not None and ts >= int(days.calendar.closes[-1])
        return NEVER if is_last else days.end(ts) + 1

    def start(self, ts: int) -> None:
        """Begin with the first end after `ts`."""
        self._next = {symbol: self._end_after(symbol, ts) for symbol in self._days}

    @property
    def next_end(self) -> int:
        """The earliest end to come, ns."""
        return min(self._next.values(), default=NEVER)

    def take(self) -> tuple[int, list[str]]:
        """Return the next end, and of whose session; go on to the one after."""
        end = self.next_end
        ending = [symbol for symbol, at in self._next.items() if at == end]
        for symbol in ending:
            self._next[symbol] = self._end_after(symbol, end)
        return end, ending


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
