"""On which days a timer may fire."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import ParameterError
from cambist.model.local_time import read_weekdays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cambist.model.calendar import Calendar

__all__ = ["HORIZON_DAYS", "DayRule"]

_ONE_DAY = timedelta(days=1)
#: How far ahead a day is looked for where no calendar ends the search; the 31st is a Monday within every two years.
HORIZON_DAYS = 3_660


def _monthdays(days: int | Iterable[int]) -> tuple[int, ...]:
    numbers = (days,) if isinstance(days, int) else tuple(days)
    for number in numbers:
        if isinstance(number, bool) or number not in range(1, 32):
            raise ParameterError(f"monthdays has {number!r}; a day of the month is a number from 1 to 31.")
    return tuple(sorted(set(numbers)))


def _allow(_instance: Any, _attribute: Any, value: Any) -> None:
    if value is not None and not callable(value):
        raise ParameterError(f"allow is {value!r}; give a function that takes a date and answers whether it will do.")


@attrs.frozen(kw_only=True)
class DayRule:
    """The days of a timer: those that every filter lets through.

    Where there is a calendar only its sessions' days are looked at.

    Attributes
    ----------
    weekdays
        Days of the week, such as ``"mon-fri"``, ``"mon,wed"`` or ISO numbers (1 is Monday). Default: all.
    weekcarry
        A chosen weekday that has no session gives its turn to the next session's day. Needs a calendar.
    monthdays
        Days of the month. Default: all.
    monthcarry
        The same for a chosen day of the month.
    allow
        Takes a ``date`` and answers whether the timer may fire on it; it must answer alike whenever it is asked.
    """

    weekdays: tuple[int, ...] = attrs.field(default=(), converter=read_weekdays)
    weekcarry: bool = False
    monthdays: tuple[int, ...] = attrs.field(default=(), converter=_monthdays)
    monthcarry: bool = False
    allow: Callable[[date], bool] | None = attrs.field(default=None, validator=_allow)

    def __attrs_post_init__(self) -> None:
        for carry, days in (("weekcarry", "weekdays"), ("monthcarry", "monthdays")):
            if getattr(self, carry) and not getattr(self, days):
                raise ParameterError(f"{carry} says where chosen days go that have no session; choose some: {days}=...")

    @property
    def carries(self) -> bool:
        """Whether a day without a session gives its turn to the next."""
        return self.weekcarry or self.monthcarry

    def days(self, first: date, calendar: Calendar | None) -> Iterator[date]:
        """Yield the days from `first` on that the rule chooses, ascending.

        Without a calendar the search ends after ten years, with one at its last session.
        """
        if calendar is None:
            coming = (first + timedelta(days=number) for number in range(HORIZON_DAYS))
            yield from (day for day in coming if self._chooses(day, ()))
        else:
            row = int(np.searchsorted(calendar.dates, np.datetime64(first, "D")))
            yield from (day for _, day in self.sessions(row, calendar))

    def sessions(self, row: int, calendar: Calendar) -> Iterator[tuple[int, date]]:
        """Yield the sessions from `row` on whose days the rule chooses, as rows and days."""
        dates = calendar.dates
        before: date = dates[row - 1].item() if row else date.min
        for number in range(row, len(dates)):
            day: date = dates[number].item()
            if self._chooses(day, _between(before, day) if number and self.carries else ()):
                yield number, day
            before = day

    def _chooses(self, day: date, skipped: Iterable[date]) -> bool:
        """Tell whether a day is chosen, by itself or in the place of days without a session before it."""
        days = (day, *skipped)
        return (
            (not self.weekdays or _hits(self.weekdays, [one.isoweekday() for one in days], carry=self.weekcarry))
            and (not self.monthdays or _hits(self.monthdays, [one.day for one in days], carry=self.monthcarry))
            and (self.allow is None or bool(self.allow(day)))
        )


def _hits(chosen: tuple[int, ...], numbers: list[int], *, carry: bool) -> bool:
    """Tell whether the first number is chosen, or with `carry` any of them."""
    return any(number in chosen for number in (numbers if carry else numbers[:1]))


def _between(before: date, day: date) -> list[date]:
    return [before + timedelta(days=number) for number in range(1, (day - before).days)]
