"""A value that changes on dates, as rules do."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from cambist.errors import InputError, ParameterError
from cambist.model.local_time import read_day

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Dated", "dated", "read_date"]

T = TypeVar("T")


def read_date(day: Any) -> date:
    """Return a date of a text such as ``"2024-07-01"``, a ``date`` or a ``datetime``.

    Raises
    ------
    ParameterError
        If it is none.
    """
    try:
        return read_day(day)
    except InputError:
        raise ParameterError(f"{day!r} is no date. Write it like '2024-07-01'.") from None


@attrs.frozen(repr=False)
class Dated(Generic[T]):
    """A value by the date from which it counts.

    Attributes
    ----------
    dates, values
        Rising dates and the value from each on; the first value holds before its date too.
    """

    dates: tuple[date, ...]
    values: tuple[T, ...]

    def on(self, day: date) -> T:
        """Return the value on a day."""
        return self.values[max(bisect_right(self.dates, day) - 1, 0)]

    def __repr__(self) -> str:
        if len(self.values) == 1:
            return repr(self.values[0])
        return repr({day.isoformat(): value for day, value in zip(self.dates, self.values, strict=True)})


def dated(what: str, said: Any, read: Callable[[Any], T]) -> Dated[T]:
    """Return the value, or the mapping of dates to values, that somebody gave.

    Parameters
    ----------
    what
        Whose value it is, for messages.
    said
        The value, which then counts always, or values by date.
    read
        Checks and converts one value.

    Raises
    ------
    ParameterError
        For a mapping without entries, or a key that is no date.
    """
    if isinstance(said, Dated):
        return said
    table = said if isinstance(said, Mapping) else {date.min: said}
    if not table:
        raise ParameterError(f"{what} is empty; give a value, or values by the date from which they count.")
    rows = sorted(((read_date(day), value) for day, value in table.items()), key=lambda row: row[0])
    return Dated(tuple(day for day, _ in rows), tuple(read(value) for _, value in rows))
