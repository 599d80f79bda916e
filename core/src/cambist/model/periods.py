"""Stretches of time into which bars are put: even ones, days and months of a place, the sessions of a market."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np

from cambist.errors import InputError, ParameterError
from cambist.model.local_time import first_instant, read_zone
from cambist.model.timeframe import Timeframe
from cambist.model.times import DAY_NS, SECOND_NS, duration_ns, format_ns

if TYPE_CHECKING:
    from datetime import timedelta, tzinfo

    from numpy.typing import NDArray

    from cambist.model.calendar import Calendar

    #: Begin and end of stretches, and of the period in which each lies.
    Spans = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

__all__ = ["CalendarTimeframe", "Periods", "read_periods"]

_WEEK_NS = 7 * DAY_NS
#: Weeks begin on Monday, and 1970-01-01 was a Thursday.
_FIRST_MONDAY = 4
_MONTHS = re.compile(r"([1-9][0-9]*)(M|y)")
#: Days that a table of local days reaches beyond what it was asked for, so that a stream seldom asks.
_MARGIN = 400
#: As long as no market stays closed, but for wars.
_CLOSED = 12 * DAY_NS
#: The start of what lies in no period.
NOWHERE = np.iinfo(np.int64).min


class Periods(Protocol):
    """Stretches of time, ``[start, end)`` each, that do not overlap.

    Attributes
    ----------
    timeframe
        Of the bars that are made so.
    """

    @property
    def timeframe(self) -> Timeframe:
        """Of the bars that are made so."""
        ...

    def reach(self, count: int) -> int:
        """Return in how much time, ns, so many of them surely lie."""
        ...

    @property
    def is_even(self) -> bool:
        """Whether they follow each other without end, one as long as the other."""
        ...

    @property
    def has_holes(self) -> bool:
        """Whether there are times between start and end of a period that are not in it: nights, breaks."""
        ...

    def starts(self, opens: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Return where the period of each bar begins, ns, shape ``(k,)``.

        Parameters
        ----------
        opens
            Open times of bars, ns, ascending: a bar belongs to the period in which it opens, or, where it opens before
            a session, to the one that begins while it lasts.
        length
            Of these bars, ns.

        Returns
        -------
        ndarray
            `NOWHERE` for what lies in no period.
        """
        ...

    def ends(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the periods end that begin at `starts`, ns, shape ``(k,)``."""
        ...


@attrs.frozen
class CalendarTimeframe(Timeframe):
    """A timeframe whose bars are not all of one length: months, local days, sessions.

    Attributes
    ----------
    ns
        How long one usually is.
    name
        Such as ``"1M"`` or ``"1d America/New_York"``.
    shortest
        The least that lies between two opens, ns.
    """

    name: str
    shortest: int = attrs.field(eq=False, order=False)
    _periods: Periods = attrs.field(eq=False, order=False, repr=False)

    def closes(self, opens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when bars close that open at `opens`: where their periods end."""
        return self._periods.ends(np.asarray(opens, np.int64))

    def __str__(self) -> str:
        return self.name


@attrs.frozen
class EvenPeriods:
    """Periods of one length, one after the other.

    Attributes
    ----------
    timeframe, anchor
        How long they are, and when one of them begins, ns.
    """

    timeframe: Timeframe
    anchor: int
    is_even = True
    has_holes = False

    def reach(self, count: int) -> int:
        """Return how long so many of them are."""
        return count * self.timeframe.ns

    def starts(self, opens: NDArray[np.int64], length: int) -> NDArray[np.int64]:  # noqa: ARG002
        """Return where the period of each bar begins; see `Periods.starts`."""
        return opens - (opens - self.anchor) % self.timeframe.ns

    def ends(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where they end."""
        return starts + self.timeframe.ns


class _Table(Protocol):
    """Stretches of time, listed."""

    def spans(self, first: int, last: int) -> Spans:
        """Return the stretches that have to do with the instants from `first` to `last`."""
        ...


@attrs.define(eq=False)
class ListedPeriods:
    """Periods that a table lists, or even ones inside each of its stretches, the last of which is cut at its end.

    Attributes
    ----------
    timeframe, has_holes
        See `Periods`.
    spacing
        From the start of one to that of the next, at the most and in the long run, ns.
    inner
        Length of the periods inside a stretch; None where each stretch is one.
    """

    _table: _Table
    inner: int | None
    spacing: int
    has_holes: bool
    timeframe: Timeframe = attrs.field(init=False)
    is_even = False
    _spans: Spans = attrs.field(init=False)
    _known: tuple[int, int] = (1, 0)

    def reach(self, count: int) -> int:
        """Return in how much time so many of them surely lie: closed days and changes of the clock allowed for."""
        return count * self.spacing + _CLOSED

    def _cover(self, first: int, last: int) -> Spans:
        if first < self._known[0] or last > self._known[1]:
            low, high = (first, last) if self._known[0] > self._known[1] else self._known
            self._known = min(first, low), max(last, high)
            self._spans = self._table.spans(*self._known)
        return self._spans

    def starts(self, opens: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Return where the period of each bar begins; see `Periods.starts`."""
        begins, finishes, starts, _ = self._cover(int(opens[0]), int(opens[-1]))
        rows = np.searchsorted(finishes, opens, side="right")
        some = rows < len(begins)
        rows = np.where(some, rows, 0)
        inside = some & (begins[rows] < opens + length)
        found = starts[rows]
        if self.inner is not None:
            found = found + np.maximum(opens - found, 0) // self.inner * self.inner
        return np.where(inside, found, NOWHERE)

    def ends(self, starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the periods end that begin at `starts`."""
        if not len(starts):
            return starts
        _, finishes, _, ends = self._cover(int(starts[0]), int(starts[-1]))
        found = ends[np.searchsorted(finishes, starts, side="right")]
        return found if self.inner is None else np.minimum(starts + self.inner, found)


def _group_of_days(days: NDArray[np.int64], unit: str, count: int) -> NDArray[np.int64]:
    """Return the number of the group in which each day lies: so many days, weeks from Monday, or months."""
    if unit == "d":
        return days // count
    if unit == "w":
        return (days - _FIRST_MONDAY) // (7 * count)
    return days.view("datetime64[D]").astype("datetime64[M]").view(np.int64) // count


def _first_day(groups: NDArray[np.int64], unit: str, count: int) -> NDArray[np.int64]:
    """Return the first day of each group."""
    if unit == "d":
        return groups * count
    if unit == "w":
        return groups * (7 * count) + _FIRST_MONDAY
    return (groups * count).view("datetime64[M]").astype("datetime64[D]").view(np.int64)


@attrs.frozen
class _LocalDays:
    """So many days, weeks or months of a place, each of which begins `offset` after midnight."""

    zone: tzinfo
    unit: str
    count: int
    offset: int

    def spans(self, first: int, last: int) -> Spans:
        """Return begins and ends."""
        days = np.array([first // DAY_NS - _MARGIN, last // DAY_NS + _MARGIN])
        low, high = _group_of_days(days, self.unit, self.count).tolist()
        shift, clock = divmod(self.offset, DAY_NS)
        dates = (_first_day(np.arange(low, high + 2), self.unit, self.count) + shift).view("datetime64[D]")
        edges = np.array([first_instant(date, clock, self.zone) for date in dates.tolist()], np.int64)
        return edges[:-1], edges[1:], edges[:-1], edges[1:]


@attrs.frozen
class _Sessions:
    """The sessions of a market, so many days, weeks or months of them together, or each cut at its break."""

    calendar: Calendar
    unit: str
    count: int

    def spans(self, first: int, last: int) -> Spans:
        """Return begins and ends."""
        calendar = self.calendar
        calendar.require(first, last, "the bars to be resampled")
        begins = np.column_stack([calendar.opens, calendar.break_ends]).ravel()
        finishes = np.column_stack([calendar.break_starts, calendar.closes]).ravel()
        some = finishes > begins
        if not self.unit:
            begins, finishes = begins[some], finishes[some]
            return begins, finishes, begins, finishes
        rows = np.arange(len(calendar))
        days = calendar.dates.view(np.int64)
        groups = rows // self.count if self.unit == "d" else _group_of_days(days, self.unit, self.count)
        edges = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
        sizes = 2 * np.diff(np.append(edges, len(rows)))
        starts = np.repeat(calendar.opens[edges], sizes)
        ends = np.repeat(calendar.closes[np.append(edges[1:], len(rows)) - 1], sizes)
        return begins[some], finishes[some], starts[some], ends[some]


def read_periods(
    timeframe: str | Timeframe,
    *,
    tz: str | tzinfo | None = None,
    calendar: Calendar | None = None,
    offset: int | str | timedelta = 0,
) -> Periods:
    """Return the periods of a timeframe.

    Parameters
    ----------
    timeframe
        Such as ``"15m"``, ``"4h"``, ``"1d"``, ``"1w"`` (from Monday), ``"1M"`` or ``"3M"`` (calendar months), ``"1y"``,
        and, with a calendar, ``"session"``.
    tz
        Time zone by whose midnight days, weeks, months, and shorter periods within a day, begin. Default: UTC.
    calendar
        By whose sessions periods go instead: shorter ones begin at the open and after the break, and are cut where the
        market stops; a day is a session; weeks and months are those of the dates of sessions.
    offset
        By how much later periods begin, such as ``"30m"``; earlier where it is negative.

    Raises
    ------
    InputError
        If it is no timeframe.
    ParameterError
        If both `tz` and `calendar` are given, or an offset with a calendar, or an offset as long as the period.
    """
    unit, count, length = _read(timeframe, calendar)
    shift = duration_ns(offset)
    if calendar is not None:
        if tz is not None or shift:
            given = "tz" if tz is not None else "offset"
            raise ParameterError(f"{given} and a calendar do not go together: sessions say when bars begin.")
        parts = "" if unit in ("s", "m", "h") else unit
        inner = None if parts else length
        return _listed(_Sessions(calendar, parts, count), timeframe, calendar.name, inner, length)
    if abs(shift) >= length:
        raise ParameterError(f"offset is {offset!r}, and must be less than the timeframe, {timeframe}.")
    zone = read_zone(tz) if tz is not None else None
    if unit != "M" and (zone is None or str(zone) == "UTC"):
        anchor = _FIRST_MONDAY * DAY_NS if length % _WEEK_NS == 0 else 0
        return EvenPeriods(Timeframe(length), anchor + shift)
    place = read_zone("UTC") if zone is None else zone
    within_day = unit in ("s", "m", "h")
    if within_day and length > DAY_NS:
        raise ParameterError(f"{timeframe} is longer than a day: write it in days, which begin at midnight in {zone}.")
    table = _LocalDays(place, "d", 1, shift) if within_day else _LocalDays(place, unit, count, shift)
    return _listed(table, timeframe, "" if zone is None else str(zone), length if within_day else None, length)


def _read(timeframe: str | Timeframe, calendar: Calendar | None) -> tuple[str, int, int]:
    """Return unit, count and usual length of a timeframe."""
    text = str(timeframe).strip()
    if isinstance(timeframe, CalendarTimeframe):
        raise InputError(f"{text!r} is the timeframe of bars that exist. Write the new one out, such as '1M' or '1d'.")
    months = _MONTHS.fullmatch(text)
    if months is not None:
        count = int(months[1]) * (12 if months[2] == "y" else 1)
        return "M", count, count * 30 * DAY_NS
    if text == "session":
        if calendar is None:
            raise InputError("'session' needs calendar=, which says when sessions are; load_calendar('XNYS') is one.")
        return "d", 1, DAY_NS
    length = Timeframe.parse(timeframe).ns
    for unit, size in (("w", _WEEK_NS), ("d", DAY_NS)):
        if length % size == 0:
            return unit, length // size, length
    return "m" if length % (60 * SECOND_NS) == 0 else "s", 1, length


def _listed(table: _Table, timeframe: str | Timeframe, place: str, inner: int | None, length: int) -> ListedPeriods:
    # What separates two opens at the least: a period that was cut, a day of 22 hours, February.
    shortest = SECOND_NS if inner is not None or isinstance(table, _Sessions) else length * 9 // 10
    spacing = length + length // 20
    if isinstance(table, _Sessions):
        open_for = int(np.median(table.calendar.closes - table.calendar.opens))
        usual = length if inner is None else DAY_NS // max(1, open_for // inner)
        spacing = 2 * usual  # markets are closed on half of all days at the most
    periods = ListedPeriods(table, inner, spacing, isinstance(table, _Sessions) and inner is None)
    name = f"{timeframe} {place}".rstrip()
    periods.timeframe = CalendarTimeframe(length, name, shortest, periods)
    return periods


def describe_straddling(name: str, opened: int, end: int) -> str:
    """Say that a bar goes over the end of its period."""
    return (
        f"{name}: the bar of {format_ns(opened)} goes beyond the end of its period, {format_ns(end)}. Choose a "
        "timeframe whose periods begin where bars do; offset= moves them."
    )
