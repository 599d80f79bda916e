"""When a market trades: its sessions, as arrays of instants."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import InputError, ParameterError
from cambist.model.local_time import first_instant, read_day, read_zone
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Calendar"]

_ONE_DAY = timedelta(days=1)


def _dates(values: Any) -> NDArray[np.datetime64]:
    return np.ascontiguousarray(values, dtype="datetime64[D]")


def _instants(values: Any) -> NDArray[np.int64]:
    values = np.asarray(values)
    return np.ascontiguousarray(values.astype("datetime64[ns]") if values.dtype.kind == "M" else values, dtype=np.int64)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Calendar:
    """The sessions of a market.

    Attributes
    ----------
    name
        Such as ``"XNYS"``.
    tz
        The market's time zone: an IANA name, or a ``ZoneInfo``.
    dates
        The day by which each session is called, ``datetime64[D]``, shape ``(n,)``, ascending. A session may open on
        the evening before.
    opens, closes
        When each session begins and ends, int64 ns since the epoch, UTC, shape ``(n,)``. It trades from the open up to,
        and not at, the close. Sessions do not overlap.
    break_starts, break_ends
        The pause within each session, in the same form; both are the session's close where it has none. Default: none
        anywhere.
    start, end
        First and last instant of which the calendar knows whether the market is open, ns, UTC. Default: the whole of
        the first and the last date.

    Raises
    ------
    ParameterError
        If the sessions are not in order; names the first that is not.

    Notes
    -----
    Every method that answers for one instant has a twin that answers for an array of them. All of them raise
    `InputError` for an instant that the calendar does not know.
    """

    name: str = attrs.field(validator=attrs.validators.min_len(1))
    tz: tzinfo = attrs.field(converter=read_zone)
    dates: NDArray[np.datetime64] = attrs.field(converter=_dates)
    opens: NDArray[np.int64] = attrs.field(converter=_instants)
    closes: NDArray[np.int64] = attrs.field(converter=_instants)
    break_starts: NDArray[np.int64] = attrs.field(converter=_instants)
    break_ends: NDArray[np.int64] = attrs.field(converter=_instants)
    start: int = attrs.field()
    end: int = attrs.field()

    @break_starts.default
    @break_ends.default
    def _no_break(self) -> NDArray[np.int64]:
        return self.closes

    @start.default
    def _start_default(self) -> int:
        return min(int(self.opens[0]), first_instant(self.dates[0].item(), 0, self.tz)) if len(self.dates) else 0

    @end.default
    def _end_default(self) -> int:
        following = self.dates[-1].item() + _ONE_DAY if len(self.dates) else None
        return max(int(self.closes[-1]), first_instant(following, 0, self.tz)) if following else 0

    def __attrs_post_init__(self) -> None:
        columns = [self.opens, self.break_starts, self.break_ends, self.closes]
        if not len(self.dates) or {column.shape for column in columns} != {(len(self.dates),)}:
            raise ParameterError(
                f"calendar {self.name} has {len(self.dates)} dates, {len(self.opens)} opens and {len(self.closes)} "
                "closes; give one of each for every session, and at least one session."
            )
        self._refuse_disorder()

    def _refuse_disorder(self) -> None:
        later = np.arange(len(self.dates)) > 0
        wrong = {
            "its close is not after its open": self.closes <= self.opens,
            "its break does not lie within it": (self.break_starts <= self.opens)
            | (self.break_ends < self.break_starts)
            | (self.closes < self.break_ends),
            "its date is not after that of the session before": later & (self.dates <= np.roll(self.dates, 1)),
            "it opens before the session before has closed": later & (self.opens < np.roll(self.closes, 1)),
        }
        for what, mask in wrong.items():
            if mask.any():
                row = int(mask.argmax())
                times = f"{format_ns(int(self.opens[row]))} .. {format_ns(int(self.closes[row]))}"
                raise ParameterError(
                    f"calendar {self.name}: session {row} of {self.dates[row]} ({times}): {what}. Correct its times."
                )

    def __len__(self) -> int:
        return len(self.dates)

    def __repr__(self) -> str:
        return f"<Calendar {self.name}: {len(self)} sessions, {self.dates[0]} .. {self.dates[-1]}>"

    # What it knows.

    @property
    def known(self) -> str:
        """The range that the calendar knows, for messages."""
        return f"{format_ns(self.start)} .. {format_ns(self.end)}"

    def require(self, first: int, last: int, what: str) -> None:
        """Refuse a range of which the calendar does not know all.

        Parameters
        ----------
        first, last
            Instants, ns, UTC.
        what
            Whose range it is, such as ``"the bars of AAPL"``.

        Raises
        ------
        InputError
            Names both ranges.
        """
        if first < self.start or last > self.end:
            raise InputError(
                f"calendar {self.name} knows {self.known}, and {what} run {format_ns(first)} .. {format_ns(last)}. "
                "Give a calendar that reaches as far (load_calendar takes start= and end=), or less data."
            )

    def _known(self, times: ArrayLike) -> NDArray[np.int64]:
        instants = np.atleast_1d(np.asarray(times, dtype=np.int64))
        outside = (instants < self.start) | (instants > self.end)
        if outside.any():
            raise InputError(
                f"calendar {self.name} knows {self.known}; {format_ns(int(instants[outside.argmax()]))} is outside. "
                "Give a calendar that reaches further: load_calendar takes start= and end=."
            )
        return instants

    # Sessions.

    def is_session(self, day: str | date | np.datetime64) -> bool:
        """Tell whether the market trades on a day; the time of a ``datetime`` does not count.

        Raises
        ------
        InputError
            If the calendar does not know the day.
        """
        return bool(len(self.sessions_between(day, day)))

    def sessions_between(
        self, first: str | date | np.datetime64, last: str | date | np.datetime64
    ) -> NDArray[np.datetime64]:
        """Return the dates of the sessions from the day `first` to the day `last`, both included.

        Raises
        ------
        InputError
            If the calendar does not know all of these days.
        """
        begin, end = read_day(first), read_day(last)
        self._known([first_instant(begin, 0, self.tz), first_instant(end + _ONE_DAY, 0, self.tz)])
        bounds = np.array([begin, end + _ONE_DAY], "datetime64[D]")
        return self.dates[slice(*np.searchsorted(self.dates, bounds))]

    def session_numbers(self, times: ArrayLike) -> NDArray[np.int64]:
        """Return for each instant the row of the session that holds it, -1 where there is none, shape ``(k,)``.

        A break belongs to its session.
        """
        instants = self._known(times)
        rows = np.searchsorted(self.opens, instants, side="right") - 1
        inside = (rows >= 0) & (instants < self.closes[rows])
        return np.where(inside, rows, -1)

    def session_number(self, at: int) -> int:
        """Return the row of the session that holds `at`, -1 where there is none."""
        return int(self.session_numbers(at)[0])

    def bar_sessions(self, opens: ArrayLike, length: int) -> NDArray[np.int64]:
        """Return for each bar the row of the first session that trades while the bar does, -1 where none does.

        Parameters
        ----------
        opens
            Open times, ns, shape ``(k,)``.
        length
            Of a bar, ns: ``bars.timeframe.ns``.
        """
        instants = self._known(opens)
        rows = np.searchsorted(self.closes, instants, side="right")
        some = rows < len(self)
        trades = some & (self.opens[np.where(some, rows, 0)] < instants + length)
        return np.where(trades, rows, -1)

    def bar_session(self, opened: int, length: int) -> int:
        """Return the row of the first session that trades while a bar does, -1 where none does."""
        return int(self.bar_sessions(opened, length)[0])

    # Open or closed.

    def open_at(self, times: ArrayLike) -> NDArray[np.bool_]:
        """Tell for each instant whether the market trades then: not in a break, and not at the close."""
        instants = self._known(times)
        rows = self.session_numbers(instants)
        pausing = (self.break_starts[rows] <= instants) & (instants < self.break_ends[rows])
        return (rows >= 0) & ~pausing

    def is_open(self, at: int) -> bool:
        """Tell whether the market trades at `at`: not in a break, and not at the close."""
        return bool(self.open_at(at)[0])

    def next_opens(self, times: ArrayLike) -> NDArray[np.int64]:
        """Return for each instant the first open after it."""
        return self._later(self.opens, times, "open")

    def next_open(self, at: int) -> int:
        """Return the first open after `at`."""
        return int(self.next_opens(at)[0])

    def next_closes(self, times: ArrayLike) -> NDArray[np.int64]:
        """Return for each instant the first close after it."""
        return self._later(self.closes, times, "close")

    def next_close(self, at: int) -> int:
        """Return the first close after `at`."""
        return int(self.next_closes(at)[0])

    def previous_opens(self, times: ArrayLike) -> NDArray[np.int64]:
        """Return for each instant the last open before it."""
        return self._earlier(self.opens, times, "open")

    def previous_open(self, at: int) -> int:
        """Return the last open before `at`."""
        return int(self.previous_opens(at)[0])

    def previous_closes(self, times: ArrayLike) -> NDArray[np.int64]:
        """Return for each instant the last close before it."""
        return self._earlier(self.closes, times, "close")

    def previous_close(self, at: int) -> int:
        """Return the last close before `at`."""
        return int(self.previous_closes(at)[0])

    def _later(self, edges: NDArray[np.int64], times: ArrayLike, what: str) -> NDArray[np.int64]:
        instants = self._known(times)
        return self._edges(edges, np.searchsorted(edges, instants, side="right"), instants, f"no {what} after")

    def _earlier(self, edges: NDArray[np.int64], times: ArrayLike, what: str) -> NDArray[np.int64]:
        instants = self._known(times)
        return self._edges(edges, np.searchsorted(edges, instants) - 1, instants, f"no {what} before")

    def _edges(
        self, edges: NDArray[np.int64], rows: NDArray[np.intp], instants: NDArray[np.int64], missing: str
    ) -> NDArray[np.int64]:
        outside = (rows < 0) | (rows >= len(edges))
        if outside.any():
            at = format_ns(int(instants[outside.argmax()]))
            raise InputError(
                f"calendar {self.name} knows {missing} {at}: it knows {self.known}. "
                "Give one that reaches further: load_calendar takes start= and end=."
            )
        return edges[rows]
