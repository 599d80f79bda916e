"""When the sessions of a run's instruments end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.timers import NEVER
from cambist.errors import CambistError
from cambist.model.trading_days import trading_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.trading_days import TradingDays

__all__ = ["Sessions"]


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
