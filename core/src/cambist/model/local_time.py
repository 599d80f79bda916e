"""Local time at the edges: weekdays, times of day, and the instant at which a clock on the wall first shows one."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np

from cambist.errors import InputError, ParameterError, did_you_mean
from cambist.model.times import DAY_NS, SECOND_NS, to_datetime, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WEEKDAYS", "clock_ns", "first_instant", "local_day", "read_day", "read_weekdays", "read_zone"]

#: Short names of the days of the week; Monday is ISO weekday 1.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_ONE_DAY = timedelta(days=1)


def read_weekdays(days: str | int | Iterable[str | int]) -> tuple[int, ...]:
    """Return days of the week as ISO numbers (1 is Monday), ascending, each once.

    Parameters
    ----------
    days
        ``"mon-fri"``, ``"mon,wed"``, a number, or several of these.

    Raises
    ------
    ParameterError
        If one of them is no day of the week.
    """
    parts = [days] if isinstance(days, str | int) else list(days)
    words = [word for part in parts for word in (part.split(",") if isinstance(part, str) else [part])]
    return tuple(sorted({number for word in words for number in _weekday_range(word)}))


def _weekday_range(word: str | int) -> Iterable[int]:
    if isinstance(word, str):
        names = [name.strip().lower()[:3] for name in word.split("-")]
        if len(names) in (1, 2) and all(name in WEEKDAYS for name in names):
            first, last = WEEKDAYS.index(names[0]), WEEKDAYS.index(names[-1])
            return (1 + (first + step) % 7 for step in range((last - first) % 7 + 1))
    elif not isinstance(word, bool) and word in range(1, 8):
        return (int(word),)
    raise ParameterError(f"{word!r} is no day of the week. Write 'mon', 'mon-fri' or a number from 1 (Monday) to 7.")


def read_zone(tz: str | tzinfo) -> tzinfo:
    """Return the time zone of an IANA name, such as ``"America/New_York"``; a zone is returned as it is.

    Raises
    ------
    ParameterError
        If no zone has that name, or `tz` is a zone that cannot tell the two halves of a repeated hour apart.
    """
    import zoneinfo  # here, since reading its tables is nothing that `import cambist` should pay for

    if isinstance(tz, zoneinfo.ZoneInfo | timezone):
        return tz
    if not isinstance(tz, str):
        raise ParameterError(f"tz is {tz!r}; give a name such as 'America/New_York', or a zoneinfo.ZoneInfo.")
    try:
        return UTC if tz == "UTC" else zoneinfo.ZoneInfo(tz)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(tz, zoneinfo.available_timezones())
        hint = near if near.startswith(" Did") else " Give a name such as 'America/New_York'."
        raise ParameterError(f"tz is {tz!r}, and no time zone has that name.{hint}") from None


def read_day(day: str | date | np.datetime64) -> date:
    """Return a day written as ``"2024-03-01"`` or given as a ``date``; the time of a ``datetime`` does not count.

    Raises
    ------
    InputError
        If it is no day.
    """
    if isinstance(day, datetime):
        return day.date()
    try:
        read = date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError:
        read = None
    if isinstance(read, np.datetime64):
        read = read.astype("datetime64[D]").item()
    if not isinstance(read, date):
        raise InputError(f"{day!r} is no day. Write it like 2024-03-01.")
    return read


def clock_ns(text: str | time) -> int:
    """Return a time of day as nanoseconds on the clock since midnight.

    Parameters
    ----------
    text
        ``"9:30"``, ``"15:45:30"`` or a ``datetime.time`` without a zone.

    Raises
    ------
    ParameterError
        If it is no time of day.
    """
    moment = text
    if isinstance(text, str):
        try:
            plain = text.strip()
            moment = time.fromisoformat(f"0{plain}" if plain[1:2] == ":" else plain)
        except ValueError:
            moment = text
    if not isinstance(moment, time) or moment.tzinfo is not None:
        raise ParameterError(f"{text!r} is no time of day. Write it like '9:30' or '15:45:30'; the zone is tz=.")
    seconds = moment.hour * 3_600 + moment.minute * 60 + moment.second
    return seconds * SECOND_NS + moment.microsecond * 1_000


@lru_cache(maxsize=1_024)  # a timer asks for the same few of its day again and again
def first_instant(day: date, clock: int, zone: tzinfo) -> int:
    """Return the first instant at which clocks in `zone` show `clock` of `day`, or later.

    A local time that a clock change leaves out is thus the first instant after the change, and one that comes twice
    is the first of the two. The answer never falls when the local time rises.

    Parameters
    ----------
    clock
        Nanoseconds on the clock since midnight, whole microseconds, from 0 up to a day.

    Returns
    -------
    int
        ns since the epoch, UTC.
    """
    shown = datetime.combine(day, time(0)) + timedelta(microseconds=clock // 1_000)
    as_utc = to_ns(shown)
    before, after = _offset(shown, zone, 0), _offset(shown, zone, 1)
    if before >= after:
        return as_utc - before
    # Left out: the change lies between what the offsets before and after it make of the time; it is at a full second.
    seconds = range((as_utc - after) // SECOND_NS + 1, -(-(as_utc - before) // SECOND_NS) + 1)
    place = bisect_left(seconds, True, key=lambda second: _shown(second * SECOND_NS, zone) >= shown)
    return seconds[place] * SECOND_NS


def local_day(at: int, zone: tzinfo) -> date:
    """Return the day in `zone` that began last, at or before `at` (ns, UTC).

    It is the date that clocks show, save in the hour after midnight has come, and a clock change has put them back
    to the evening before.
    """
    day = _shown(at, zone).date()
    return day + _ONE_DAY if first_instant(day + _ONE_DAY, 0, zone) <= at else day


def _offset(shown: datetime, zone: tzinfo, fold: int) -> int:
    offset = cast("timedelta", shown.replace(tzinfo=zone, fold=fold).utcoffset())
    return offset.days * DAY_NS + offset.seconds * SECOND_NS


def _shown(at: int, zone: tzinfo) -> datetime:
    return to_datetime(at).astimezone(zone).replace(tzinfo=None)
