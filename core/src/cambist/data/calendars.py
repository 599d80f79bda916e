"""Where calendars come from: the sessions of an exchange, and hours that repeat by the week."""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import InputError, MissingDependencyError, ParameterError, did_you_mean
from cambist.model.calendar import Calendar
from cambist.model.local_time import clock_ns, first_instant, read_day, read_weekdays, read_zone
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

__all__ = ["ALWAYS", "load_calendar", "weekly_calendar"]

#: The calendar of markets that never close; its sessions are the days of UTC.
ALWAYS = "24/7"

#: What a calendar spans where nobody says; of a year that has not come, an exchange may still change its holidays.
_FIRST, _LAST = date(1970, 1, 1), date(2050, 12, 31)
_ONE_DAY = timedelta(days=1)
#: Sessions reach into neighboring days, so that a calendar knows some more of them than it answers for.
_MARGIN = timedelta(days=14)


def load_calendar(name: str, start: str | date | None = None, end: str | date | None = None) -> Calendar:
    """Return the sessions of an exchange.

    Parameters
    ----------
    name
        ``"24/7"``, or a name that `exchange_calendars <https://github.com/gerrymanoim/exchange_calendars>`_ knows,
        most of them ISO 10383 codes: ``"XNYS"``, ``"XHKG"``, ``"CMES"``.
    start, end
        First and last day. Default: 1970 to 2050, or as much of it as is known.

    Raises
    ------
    InputError
        If nobody knows a calendar of that name, or its sessions on these days.
    MissingDependencyError
        If the calendar is an exchange's and the extra ``calendars`` is not installed.
    """
    return _load(name, None if start is None else read_day(start), None if end is None else read_day(end))


@lru_cache(maxsize=64)
def _load(name: str, start: date | None, end: date | None) -> Calendar:
    if name == ALWAYS:
        first, last = start or _FIRST, end or _LAST
        dates = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
        opens = dates.astype(np.int64) * DAY_NS
        return Calendar(name=name, tz="UTC", dates=dates, opens=opens, closes=opens + DAY_NS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a newer pandas will do to the library
        return _from_exchange(name, start, end)


def _from_exchange(name: str, start: date | None, end: date | None) -> Calendar:
    try:
        import exchange_calendars
    except ImportError as error:
        raise MissingDependencyError(
            f'the calendar {name!r} needs exchange_calendars. Install it with: pip install "cambist[calendars]"'
        ) from error
    import pandas as pd

    names = exchange_calendars.get_calendar_names()
    if name not in names:
        raise InputError(f"no calendar is called {name!r}.{did_you_mean(str(name), names)}")
    known = type(exchange_calendars.get_calendar(name))
    lowest, highest = (None if day is None else day.date() for day in (known.bound_min(), known.bound_max()))
    first = start or max(_FIRST, lowest or _FIRST)
    last = end or min(_LAST, highest or _LAST)
    if (lowest and first < lowest) or (highest and last > highest):
        raise InputError(
            f"the sessions of {name} are known {lowest or ''} .. {highest or ''}, and {first} .. {last} was asked for. "
            "Ask for less, or install an exchange_calendars that knows more."
        )
    since, until = (max(first - _MARGIN, lowest or date.min), min(last + _MARGIN, highest or date.max))
    loaded = exchange_calendars.get_calendar(name, start=pd.Timestamp(since), end=pd.Timestamp(until))
    return _of_schedule(name, loaded, first, last)


def _of_schedule(name: str, loaded: Any, first: date, last: date) -> Calendar:
    """Make a calendar of the sessions that exchange_calendars loaded, for the days from `first` to `last`."""
    schedule = loaded.schedule
    opens, starts, ends, closes = (
        schedule[key].dt.tz_localize(None).to_numpy("datetime64[ns]")
        for key in ("open", "break_start", "break_end", "close")
    )
    return Calendar(
        name=name,
        tz=loaded.tz,
        dates=schedule.index.to_numpy(),
        opens=opens,
        closes=closes,
        break_starts=np.where(np.isnat(starts), closes, starts),
        break_ends=np.where(np.isnat(ends), closes, ends),
        start=first_instant(first, 0, loaded.tz),
        end=first_instant(last + _ONE_DAY, 0, loaded.tz),
    )


def weekly_calendar(
    name: str,
    hours: str | Mapping[str, str],
    *,
    tz: str | tzinfo = "UTC",
    holidays: Iterable[str | date] = (),
    early_closes: Mapping[str | date, str] | None = None,
    start: str | date = _FIRST,
    end: str | date = _LAST,
) -> Calendar:
    """Return a calendar of trading hours that repeat by the week.

    Parameters
    ----------
    name
        What to call it.
    hours
        ``"9:30-16:00"`` from Monday to Friday, ``"9:30-12:00, 13:00-16:00"`` with a break, or hours for each kind of
        day, such as ``{"mon-thu": "8:00-22:00", "fri": "8:00-20:00"}``. Hours that end where they begin, or before,
        end on the day after; such a session is called by the day on which it opens.
    tz
        Zone of the hours.
    holidays
        Days without a session.
    early_closes
        Day -> time at which its session ends; a break that would begin or end later falls away.
    start, end
        First and last day.

    Raises
    ------
    ParameterError
        For hours that cannot be read, or an early close on a day without a session.
    """
    zone, first, last = read_zone(tz), read_day(start), read_day(end)
    if first > last:
        raise ParameterError(f"calendar {name}: start is {first}, after end, which is {last}. Exchange them.")
    early = {read_day(day): clock_ns(text) for day, text in (early_closes or {}).items()}
    days = _days_of_trade(name, dict(_read_hours(hours)), {read_day(day) for day in holidays}, early, (first, last))
    sessions = [(day, *one.instants(day, zone)) for day, one in days]
    if not sessions:
        raise ParameterError(f"calendar {name}: no session from {first} to {last}. Give hours for some weekday.")
    dates, opens, starts, ends, closes = zip(*sessions, strict=True)
    return Calendar(
        name=name,
        tz=zone,
        dates=dates,
        opens=opens,
        closes=closes,
        break_starts=starts,
        break_ends=ends,
        start=first_instant(first, 0, zone),
        end=first_instant(last + _ONE_DAY, 0, zone),
    )


def _days_of_trade(
    name: str, usual: Mapping[int, _Hours], holidays: set[date], early: Mapping[date, int], span: tuple[date, date]
) -> Iterator[tuple[date, _Hours]]:
    """Yield the days of a span, and some around it, on which there are hours, with what these are."""
    day, last = span[0] - _MARGIN, span[1] + _MARGIN
    while day <= last:
        hours = None if day in holidays else usual.get(day.isoweekday())
        if hours is not None:
            yield day, hours.ending(early[day], name, day) if day in early else hours
        elif day in early and span[0] <= day <= span[1]:
            raise ParameterError(
                f"calendar {name}: {day} closes early and has no session. Take it off the early closes."
            )
        day += _ONE_DAY


@attrs.frozen
class _Hours:
    """Open, break and close of a day, as ns on the clock since its midnight; a break of no length is none."""

    opens: int
    break_starts: int
    break_ends: int
    closes: int

    @classmethod
    def read(cls, text: str) -> _Hours:
        spans = [part.split("-") for part in text.split(",")]
        if len(spans) > 2 or any(len(span) != 2 for span in spans):
            raise ParameterError(
                f"{text!r} are no hours. Write '9:30-16:00', or '9:30-12:00, 13:00-16:00' with a break."
            )
        edges = [clock_ns(edge) for span in spans for edge in span]
        for before, after in pairwise(range(len(edges))):
            if edges[after] <= edges[before]:
                edges[after] += DAY_NS
        if edges[-1] > edges[0] + DAY_NS:
            raise ParameterError(f"{text!r} last longer than a day. Write the times in the order in which they come.")
        opens, closes = edges[0], edges[-1]
        starts, ends = edges[1:3] if len(spans) == 2 else (closes, closes)
        return cls(opens, starts, ends, closes)

    def ending(self, clock: int, name: str, day: date) -> _Hours:
        """Return the hours of a day that ends early."""
        closes = clock if clock > self.opens else clock + DAY_NS
        if closes >= self.closes:
            raise ParameterError(f"calendar {name}: the early close of {day} is not before its usual one.")
        pause = (self.break_starts, self.break_ends) if self.break_ends < closes else (closes, closes)
        return _Hours(self.opens, *pause, closes)

    def instants(self, day: date, zone: tzinfo) -> tuple[int, ...]:
        """Return open, start and end of the break, and close of a day, ns, UTC."""
        opens, closes = (_instant(day, edge, zone) for edge in (self.opens, self.closes))
        if self.break_starts == self.break_ends:
            return opens, closes, closes, closes
        return opens, _instant(day, self.break_starts, zone), _instant(day, self.break_ends, zone), closes


def _instant(day: date, edge: int, zone: tzinfo) -> int:
    """Return when clocks show `edge`, which may be past the midnight that ends the day."""
    return first_instant(day + _ONE_DAY if edge >= DAY_NS else day, edge % DAY_NS, zone)


def _read_hours(hours: str | Mapping[str, str]) -> Iterator[tuple[int, _Hours]]:
    for days, text in ({"mon-fri": hours} if isinstance(hours, str) else hours).items():
        for weekday in read_weekdays(days):
            yield weekday, _Hours.read(text)
