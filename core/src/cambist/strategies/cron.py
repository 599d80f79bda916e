"""Timers by a cron expression."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import attrs

from cambist.errors import MissingDependencyError, ParameterError
from cambist.model.local_time import first_instant
from cambist.model.times import DAY_NS, MINUTE_NS, SECOND_NS, to_datetime, to_ns
from cambist.strategies.days import HORIZON_DAYS
from cambist.strategies.schedules import ByClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, tzinfo

    from cambist.model.calendar import Calendar

__all__ = ["Cron"]

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_ONE_SECOND = timedelta(seconds=1)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NUMBERS = {name: str(number) for names, base in ((_MONTHS, 1), (_DAYS, 0)) for number, name in enumerate(names, base)}
_STEPPED_RANGE = re.compile(r"(\w+)-(\w+)/0*[1-9][0-9]*")
#: How long days of the expression are looked for that the filters choose too; they may exclude each other.
_HORIZON = timedelta(days=HORIZON_DAYS)
#: Zones do not change their clocks twice in so short a time.
_STEP_NS = DAY_NS // 4


def _expression(text: str) -> str:
    """Check an expression, and return it with single spaces."""
    if not isinstance(text, str):
        raise ParameterError(f"a cron expression is a text such as '*/5 9-16 * * 1-5'; got {text!r}.")
    count = len(text.split())
    if count != len(_FIELDS):
        raise ParameterError(
            f"the cron expression {text!r} has {count} fields; it takes 5: {', '.join(_FIELDS)}, as in "
            "'*/5 9-16 * * 1-5'."
        )
    if next(_matches(text, to_datetime(0).replace(tzinfo=None)), None) is None:
        raise ParameterError(f"the cron expression {text!r} names a day that no year has.")
    return " ".join(text.split())


def _matches(text: str, after: datetime) -> Iterator[datetime]:
    """Yield the local times after a local time, both without a zone, that an expression names."""
    try:
        import cronsim
    except ImportError:
        raise MissingDependencyError(
            f"the timer Cron({text!r}) needs the package cronsim: pip install 'cambist[cron]'. At and Every do without."
        ) from None
    try:
        return iter(cronsim.CronSim(_without_ranges_of_one(text), after))
    except cronsim.CronSimError as error:
        raise ParameterError(
            f"the cron expression {text!r} cannot be read: {error}. Its fields are {', '.join(_FIELDS)}, as in "
            "'*/5 9-16 * * 1-5'."
        ) from None


def _without_ranges_of_one(text: str) -> str:
    """Return an expression with ``9`` for ``9-9/2``, which cronsim 2.8 takes for ``9/2``: from 9 to the last one."""

    def shortened(found: re.Match[str]) -> str:
        first, last = (_NUMBERS.get(end.upper(), end.lstrip("0") or "0") for end in found.groups())
        return found[1] if first == last else found[0]

    return _STEPPED_RANGE.sub(shortened, text)


@attrs.frozen
class Cron(ByClock):
    """At the times of a cron expression; needs the extra ``cron``.

    Where there is a calendar, on the days of its sessions. The days of the expression and the filters of the rule must
    agree.

    Attributes
    ----------
    expression
        Minute, hour, day of the month, month and day of the week (0 or 7 is Sunday), as of crontab: ``*``, ``5``,
        ``1,15``, ``9-16``, ``*/5``, ``MON-FRI``, and ``L`` for the last day of the month, ``5L`` for its last Friday,
        ``5#3`` for its third. Days of the month and of the week that are both named, and neither by a ``*``, are days
        that are either.

    Notes
    -----
    Changes of the clock are taken as Debian's cron does. Where the minute or the hour begins with ``*`` the expression
    is compared with what clocks show: times that are left out are not due, those that come twice are due twice. Any
    other names times of day, and is due once: at the first instant after the change if the time is left out, and the
    first time if it comes twice.

    Examples
    --------
    >>> from cambist import Cron
    >>> rule = Cron("*/5 9-16 * * 1-5", tz="America/New_York")
    """

    expression: str = attrs.field(converter=_expression)

    def next_due(self, after: int, calendar: Calendar | None, start: int) -> int | None:  # noqa: ARG002 - any start
        """Return the first due time after `after`, ns, or None where there is no more."""
        zone, calendar = self._place(calendar)
        minute, hour = self.expression.split()[:2]
        if "*" in (minute[0], hour[0]):
            return self._next_shown(after, zone, calendar)
        return self._next_named(after, zone, calendar)

    def _next_named(self, after: int, zone: tzinfo, calendar: Calendar | None) -> int | None:
        """Return the first instant after `after` at which a named time of a chosen day has come."""
        local = _local(after, zone)
        last = local.date() + _HORIZON
        while (found := next(_matches(self.expression, local), None)) is not None:
            day = found.date()
            chosen = next(self.days(day, calendar), None)
            if chosen is None or (chosen != day and chosen > last):
                break
            if chosen == day:
                local, due = found, first_instant(day, (found.hour * 60 + found.minute) * MINUTE_NS, zone)
                if due > after:
                    return due
            else:
                local = datetime.combine(chosen, time(0)) - _ONE_SECOND
        return None

    def _next_shown(self, after: int, zone: tzinfo, calendar: Calendar | None) -> int | None:
        """Return the first instant after `after` at which clocks show a time of the expression on a chosen day."""
        last = _local(after, zone).date() + _HORIZON
        while (found := _first_shown(self.expression, after, zone)) is not None:
            due, day = found
            chosen = next(self.days(day, calendar), None)
            if chosen is None or (chosen != day and chosen > last):
                break
            if chosen == day:
                return due
            # A clock that is put back over midnight shows a day that was left already; so not beyond a change.
            before = first_instant(chosen, 0, zone) - 1
            change = _first_change(due, before, zone)
            after = max(due, before if change is None else change - 1)
        return None


def _first_shown(text: str, after: int, zone: tzinfo) -> tuple[int, date] | None:
    """Return the first instant after `after` at which clocks show a time of an expression, and the day they show."""
    local = _local(after, zone)
    while (found := next(_matches(text, local), None)) is not None:
        due = to_ns(found) - _offset(after, zone)
        change = _first_change(after, due, zone)
        if change is None:
            return due, found.date()
        # From the change on clocks show something else; its own instant counts.
        after, local = change, _local(change, zone) - _ONE_SECOND
    return None


def _first_change(after: int, until: int, zone: tzinfo) -> int | None:
    """Return the first instant after `after`, up to `until`, at which the offset is another; a full second."""
    offset, low = _offset(after, zone), after
    while low < until:
        high = min(low + _STEP_NS, until)
        if _offset(high, zone) != offset:
            first, last = low // SECOND_NS, -(-high // SECOND_NS)
            while last - first > 1:
                middle = (first + last) // 2
                first, last = (middle, last) if _offset(middle * SECOND_NS, zone) == offset else (first, middle)
            return last * SECOND_NS
        low = high
    return None


def _local(at: int, zone: tzinfo) -> datetime:
    """Return what clocks show at an instant, to the second."""
    return to_datetime(at // SECOND_NS * SECOND_NS).astimezone(zone).replace(tzinfo=None)


def _offset(at: int, zone: tzinfo) -> int:
    """Return how far clocks are ahead of UTC at an instant, ns."""
    return to_ns(_local(at, zone)) - at // SECOND_NS * SECOND_NS
