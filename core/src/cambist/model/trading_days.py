"""To which trading day an instant belongs: by the sessions of a calendar, or by days of UTC."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np

from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.model.calendar import Calendar

__all__ = ["TradingDays", "trading_days"]

_EPOCH = date(1970, 1, 1)
_ONE_DAY = timedelta(days=1)


class TradingDays(Protocol):
    """Numbers the days on which an instrument trades; each is one more than the one before."""

    @property
    def calendar(self) -> Calendar | None:
        """By which it counts; None for days of UTC."""

    def number(self, ts: int) -> int:
        """Return the number of the trading day that `ts` (ns, UTC) lies in; between two of them, of the later one."""

    def numbers(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of many instants, shape ``(k,)``."""

    def end(self, ts: int) -> int:
        """Return the last moment of the trading day of `ts`, ns, UTC."""

    def date_of(self, number: int) -> date:
        """Return the date by which a trading day is called."""

    def days_since(self, first: date, number: int) -> int:
        """Return how many trading days lie between the one of `first`, or the next one, and day `number`."""


class UtcDays:
    """Days of UTC, every one of which counts; of days since a date only those from Monday to Friday."""

    calendar = None

    def number(self, ts: int) -> int:
        """Return the days since 1970."""
        return ts // DAY_NS

    def numbers(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the days since 1970."""
        return times // DAY_NS

    def end(self, ts: int) -> int:
        """Return the last nanosecond before midnight."""
        return (ts // DAY_NS + 1) * DAY_NS - 1

    def date_of(self, number: int) -> date:
        """Return the date."""
        return _EPOCH + timedelta(days=number)

    def days_since(self, first: date, number: int) -> int:
        """Count weekdays: who knows no calendar knows no holidays."""
        return int(np.busday_count(first, self.date_of(number)))


class SessionDays:
    """The sessions of a calendar; what lies between two belongs to the later one.

    Parameters
    ----------
    calendar
        Must know every instant that is asked about.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._closes = calendar.closes.data  # bisecting a view of it costs a tenth of a look into the array

    def number(self, ts: int) -> int:
        """Return the row of the session that has not closed by `ts`."""
        return bisect_right(self._closes, ts)

    def numbers(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the sessions that have not closed by then."""
        return np.searchsorted(self.calendar.closes, times, side="right").astype(np.int64)

    def end(self, ts: int) -> int:
        """Return the last moment before the close, which is early on some days.

        Raises
        ------
        InputError
            If the calendar does not reach that far.
        """
        row = bisect_right(self._closes, ts)
        close = self._closes[row] if row < len(self._closes) else self.calendar.next_close(ts)
        return int(close) - 1

    def date_of(self, number: int) -> date:
        """Return the date of a session; the day after the last one for what the calendar does not know yet."""
        dates = self.calendar.dates
        known: date = dates[min(number, len(dates) - 1)].item()
        return known if number < len(dates) else known + _ONE_DAY

    def days_since(self, first: date, number: int) -> int:
        """Count sessions; of those before the calendar begins, weekdays."""
        dates = self.calendar.dates
        row = int(np.searchsorted(dates, np.datetime64(first, "D")))
        unknown = int(np.busday_count(first, dates[0].item())) if row == 0 else 0
        return number - row + max(unknown, 0)


def trading_days(calendar: Calendar | None) -> TradingDays:
    """Return the trading days of an instrument.

    Parameters
    ----------
    calendar
        By which it trades; None for days of UTC.
    """
    return UtcDays() if calendar is None else SessionDays(calendar)
