"""Times: ``int`` nanoseconds since 1970-01-01 UTC inside, everything else at the edges only."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from cambist.errors import InputError

__all__ = ["DAY_NS", "HOUR_NS", "MINUTE_NS", "SECOND_NS", "UNITS", "duration_ns", "format_ns", "to_datetime", "to_ns"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

#: The letters in which lengths of time are written.
UNITS = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS, "w": 7 * DAY_NS}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ns(when: int | np.integer | str | date | datetime | np.datetime64) -> int:
    """Convert a point in time to nanoseconds since the epoch, UTC.

    Parameters
    ----------
    when
        Nanoseconds (returned as they are), an ISO 8601 text, a ``date`` (its midnight, UTC) or a
        ``datetime`` (naive means UTC; ``pandas.Timestamp`` is one and keeps its nanoseconds), or a
        ``numpy.datetime64``.

    Raises
    ------
    InputError
        If a text is no ISO 8601 time, or the type is none of the above.
    """
    if isinstance(when, int | np.integer) and not isinstance(when, bool):
        return int(when)
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when.strip())
        except ValueError as error:
            raise InputError(
                f"{when!r} is no ISO 8601 time. Write it like 2024-03-01 or 2024-03-01T09:30:00+00:00."
            ) from error
    if isinstance(when, np.datetime64) and not np.isnat(when):
        return int(when.astype("datetime64[ns]").astype(np.int64))
    if isinstance(when, datetime) and when != when:  # noqa: PLR0124 - pandas' NaT, which is a datetime all the same
        raise InputError("NaT is no point in time. Fill in the time, or leave it out.")
    if isinstance(when, datetime):
        aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
        delta = aware.astimezone(UTC) - _EPOCH
        return (
            (delta.days * 86_400 + delta.seconds) * SECOND_NS
            + delta.microseconds * 1_000
            + getattr(when, "nanosecond", 0)
        )
    if isinstance(when, date):
        return to_ns(datetime.combine(when, time(0), tzinfo=UTC))
    raise InputError(f"{when!r} is no point in time. Give ISO text, a datetime or integer nanoseconds.")


def duration_ns(length: int | str | timedelta) -> int:
    """Convert a length of time to nanoseconds.

    Parameters
    ----------
    length
        A count and one of s, m (minutes), h, d, w, such as ``"15m"`` or ``"-1h"``; a ``timedelta``; or an ``int``,
        which is nanoseconds already.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(length, timedelta):
        return (length.days * 86_400 + length.seconds) * SECOND_NS + length.microseconds * 1_000
    if isinstance(length, str):
        match = _LENGTH.fullmatch(length.strip())
        if match is None:
            raise InputError(
                f"{length!r} is no length of time. Write a count and one of s, m (minutes), h, d, w: '15m', '-1h'."
            )
        return int(match[1]) * UNITS[match[2]]
    if isinstance(length, bool) or not isinstance(length, int | np.integer):
        raise InputError(f"{length!r} is no length of time. Give a text such as '15m', a timedelta or nanoseconds.")
    return int(length)


_LENGTH = re.compile(r"([+-]?[0-9]+)\s*([smhdw])")


def to_datetime(ns: int) -> datetime:
    """Convert nanoseconds since the epoch to an aware UTC ``datetime`` (microsecond resolution)."""
    return _EPOCH + timedelta(microseconds=int(ns) // 1_000)


def format_ns(ns: int) -> str:
    """Write a time for people: ``2024-03-01 09:30:00 UTC``, with a fraction only where there is one."""
    seconds, rest = divmod(int(ns), SECOND_NS)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    if rest:
        text += f".{rest:09d}".rstrip("0")
    return f"{text} UTC"
