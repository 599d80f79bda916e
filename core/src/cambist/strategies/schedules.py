"""Timers by rule: when each is due, as a function of time alone.

``rule.next_due(after, calendar, start)`` is all that the engine asks, so that a backtest, a replay and a live run give
a strategy the same times.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import ParameterError, did_you_mean
from cambist.model.local_time import clock_ns, first_instant, local_day, read_zone
from cambist.model.times import DAY_NS, SECOND_NS, duration_ns
from cambist.strategies.days import HORIZON_DAYS, DayRule

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from cambist.model.calendar import Calendar

__all__ = ["At", "ByClock", "Every", "OnSession", "Schedule"]

_ONE_DAY = timedelta(days=1)
#: Days that are counted in groups are counted from this Monday, so that "1w" begins with the week.
_FIRST_MONDAY = date(1970, 1, 5)
_ANCHORS = ("midnight", "session", "start")
_EDGES = ("open", "close")


def _zone(tz: str | tzinfo | None) -> tzinfo | None:
    return None if tz is None else read_zone(tz)


def _interval(length: int | str | timedelta) -> int:
    ns = duration_ns(length)
    if ns < SECOND_NS:
        raise ParameterError(f"a timer cannot fire every {length!r}; give at least a second, such as '1s' or '15m'.")
    return ns


def _repeat(length: int | str | timedelta | None) -> int | None:
    return None if length is None else _interval(length)


def _one_of(known: tuple[str, ...]) -> Any:
    def check(_instance: Any, attribute: attrs.Attribute[str], value: str) -> None:
        if value not in known:
            raise ParameterError(f"{attribute.name} is {value!r}.{did_you_mean(str(value), known)}")

    return check


@attrs.frozen(kw_only=True)
class Schedule(DayRule):
    """A rule by which a timer fires; see `At`, `Every`, `OnSession` and `Cron`."""

    @property
    def needs_calendar(self) -> bool:
        """Whether the rule means nothing without sessions."""
        return self.carries

    @property
    def takes_calendar(self) -> bool:
        """Whether the rule goes by sessions where there are any."""
        return True

    def next_due(self, after: int, calendar: Calendar | None, start: int) -> int | None:
        """Return the first due time after `after`, or None where there is no more.

        Parameters
        ----------
        after
            ns since the epoch, UTC.
        calendar
            Sessions to go by, or None.
        start
            When the run began, ns.
        """
        raise NotImplementedError


@attrs.frozen(kw_only=True)
class ByClock(Schedule):
    """What rules that go by a clock on the wall share.

    Attributes
    ----------
    tz
        Zone of the clock. Default: the calendar's, or UTC.
    every_day
        On all days, whatever the sessions are.
    """

    tz: tzinfo | None = attrs.field(default=None, converter=_zone)
    every_day: bool = False

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.every_day and self.carries:
            raise ParameterError(
                "every_day leaves no day without a timer that carry could move. Leave one of them out."
            )

    @property
    def takes_calendar(self) -> bool:
        """Whether anything of the rule hangs on sessions or on their zone."""
        return not self.every_day or self.tz is None

    def _place(self, calendar: Calendar | None) -> tuple[tzinfo, Calendar | None]:
        """Return the zone, and the calendar whose days are looked at."""
        zone = self.tz or (UTC if calendar is None else calendar.tz)
        return zone, None if self.every_day else calendar


@attrs.frozen
class At(ByClock):
    """At a time of day.

    Where there is a calendar, on the days of its sessions.

    Attributes
    ----------
    time
        On the clock of `tz`: ``"15:45"``, or a ``datetime.time``. One that a clock change leaves out is due at the
        first instant after the change, one that comes twice the first time.
    repeat
        Again after each such length of clock time, such as ``"30m"``: up to the close of the day's session (the close
        itself included, breaks left out) where there is a calendar, else up to midnight.

    Examples
    --------
    >>> from cambist import At
    >>> rule = At("15:45", tz="America/New_York", weekdays="mon-fri")
    """

    time: int = attrs.field(converter=clock_ns)
    repeat: int | None = attrs.field(default=None, converter=_repeat)

    def next_due(self, after: int, calendar: Calendar | None, start: int) -> int | None:  # noqa: ARG002 - any start
        """Return the first due time after `after`, ns, or None where there is no more."""
        zone, calendar = self._place(calendar)
        for day in self.days(local_day(after, zone), calendar):
            times = range(self.time, DAY_NS, self.repeat or DAY_NS)
            place = bisect_right(times, after, key=lambda clock: first_instant(day, clock, zone))
            row = -1 if calendar is None else int(np.searchsorted(calendar.dates, np.datetime64(day, "D")))
            for clock in times[place:]:
                due = first_instant(day, clock, zone)
                if calendar is None or clock == self.time:
                    return due
                if due > calendar.closes[row]:
                    break
                if not calendar.break_starts[row] < due < calendar.break_ends[row]:
                    return due
        return None


@attrs.frozen
class Every(ByClock):
    """At an interval.

    Where there is a calendar, on the days of its sessions.

    Attributes
    ----------
    interval
        Such as ``"15m"``, ``"4h"`` or ``"5d"``.
    anchor
        From when it counts. ``"midnight"`` of `tz`: anew with each day; in whole days from Monday, 1970-01-05, on.
        ``"session"``: anew with each open, up to the close (both included, breaks left out); in days, at the open of
        each n-th session from the run's start on. ``"start"``: from the run's start on, which does not count itself.

    Notes
    -----
    An interval is a length of real time: on a day with a clock change it does not follow the clock, which
    ``At("0:00", repeat="4h")`` does.

    Examples
    --------
    >>> from cambist import Every
    >>> quarters = Every("15m")
    >>> weekly = Every("5d", anchor="session")
    """

    interval: int = attrs.field(converter=_interval)
    anchor: str = attrs.field(default="midnight", validator=_one_of(_ANCHORS))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.interval > DAY_NS and self.interval % DAY_NS and self.anchor != "start":
            raise ParameterError(
                f"an interval of {timedelta(microseconds=self.interval // 1_000)} does not begin with a day. "
                'Give whole days, or anchor="start".'
            )
        if self.anchor == "session" and self.every_day:
            raise ParameterError('anchor="session" needs sessions, which every_day leaves out. Leave one of them out.')

    @property
    def needs_calendar(self) -> bool:
        """Whether the rule means nothing without sessions."""
        return self.anchor == "session" or self.carries

    def next_due(self, after: int, calendar: Calendar | None, start: int) -> int | None:
        """Return the first due time after `after`, ns, or None where there is no more."""
        if self.anchor == "start":
            return self._from_start(after, calendar, start)
        if self.anchor == "session":
            assert calendar is not None  # the engine asks for one
            if self.interval >= DAY_NS:
                return self._nth_session(after, calendar, start)
            return _next_in_session(self, after, calendar, calendar.opens, 0, self.interval)
        return self._from_midnight(after, calendar)

    def _from_start(self, after: int, calendar: Calendar | None, start: int) -> int | None:
        (zone, calendar), interval = self._place(calendar), self.interval
        due = start + max(1, (after - start) // interval + 1) * interval
        while due <= after + HORIZON_DAYS * DAY_NS:
            day = local_day(due, zone)
            chosen = next(self.days(day, calendar), None)
            if chosen == day:
                return due
            if chosen is None:
                break
            due = start - (start - first_instant(chosen, 0, zone)) // interval * interval
        return None

    def _from_midnight(self, after: int, calendar: Calendar | None) -> int | None:
        (zone, calendar), interval = self._place(calendar), self.interval
        for day in self.days(local_day(after, zone), calendar):
            if interval > DAY_NS and (day - _FIRST_MONDAY).days % (interval // DAY_NS):
                continue
            begins, ends = (first_instant(one, 0, zone) for one in (day, day + _ONE_DAY))
            if after < begins:
                return begins
            due = begins + ((after - begins) // interval + 1) * interval
            if interval < DAY_NS and due < ends:
                return due
        return None

    def _nth_session(self, after: int, calendar: Calendar, start: int) -> int | None:
        opens = calendar.opens
        begin = int(np.searchsorted(opens, start))
        row = max(begin, int(np.searchsorted(opens, after, side="right")))
        for number, _ in self.sessions(row, calendar):
            if (number - begin) % (self.interval // DAY_NS) == 0:
                return int(opens[number])
        return None


@attrs.frozen
class OnSession(Schedule):
    """At the edge of each session of the calendar.

    Attributes
    ----------
    edge
        ``"open"`` or ``"close"``; an early close counts as what it is.
    offset
        So much later, or earlier: ``"-15m"`` of the close is a quarter of an hour before it.
    repeat
        Again after each such length of time, such as ``"30m"``, up to the close of the session (the close itself
        included, breaks left out).

    Examples
    --------
    >>> from cambist import OnSession
    >>> flatten = OnSession("close", offset="-15m")
    """

    edge: str = attrs.field(validator=_one_of(_EDGES))
    offset: int = attrs.field(default=0, converter=duration_ns)
    repeat: int | None = attrs.field(default=None, converter=_repeat)

    @property
    def needs_calendar(self) -> bool:
        """Always."""
        return True

    def next_due(self, after: int, calendar: Calendar | None, start: int) -> int | None:  # noqa: ARG002 - any start
        """Return the first due time after `after`, ns, or None where there is no more."""
        assert calendar is not None  # the engine asks for one
        edges = calendar.opens if self.edge == "open" else calendar.closes
        return _next_in_session(self, after, calendar, edges, self.offset, self.repeat)


def _next_in_session(
    rule: Schedule, after: int, calendar: Calendar, edges: NDArray[np.int64], offset: int, repeat: int | None
) -> int | None:
    """Return the first time after `after` that is `offset` from an edge, or whole lengths of `repeat` later.

    What repeats does so up to the close, or to where the next session takes over.
    """
    row = max(0, int(np.searchsorted(edges, after - offset, side="right")) - 1)
    for number, _ in rule.sessions(row, calendar):
        first = int(edges[number]) + offset
        if after < first:
            return first
        if repeat is None:
            continue
        due = first + ((after - first) // repeat + 1) * repeat
        if calendar.break_starts[number] < due < calendar.break_ends[number]:
            due = first - (first - int(calendar.break_ends[number])) // repeat * repeat
        over = number + 1 < len(edges) and due >= edges[number + 1] + offset
        if due <= calendar.closes[number] and not over:
            return due
    return None
