"""Joins the bars of a stream to those before it: each final bar once, in order, and none left out unseen.

It does no I/O: it says which bars are to be delivered, which have to be fetched, and what a person should know.
"""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Protocol

import attrs

from cambist.model.bars import Bar
from cambist.model.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Deliver", "Fetch", "Found", "Joint", "MissingBars", "Screen", "Tell", "fault_of"]

#: How many bars back one that comes again is compared with what was told.
_KEPT = 128
_SECOND = 1_000_000_000


class MissingBars(StrEnum):
    """What becomes of bars that neither the stream brought nor history has."""

    #: The run goes on without them.
    SKIP = "skip"
    #: A bar without volume at the last close takes the place of each.
    FILL = "fill"
    #: The instrument may only reduce until an operator resumes it.
    HOLD = "hold"


@attrs.frozen
class Deliver:
    """A final bar that comes next.

    Attributes
    ----------
    strategies
        For whom; all where none is named.
    more
        Whether others are to be shown another bar of that time.
    """

    bar: Bar
    strategies: tuple[str, ...] = ()
    more: bool = False


@attrs.frozen
class Fetch:
    """Bars that opened in ``[start, end)`` are to be fetched; see `Joint.fetched`.

    Attributes
    ----------
    proven
        Whether a later bar has come, so that these are over; else the first of them may only be late.
    """

    start: int
    end: int
    proven: bool = True


@attrs.frozen
class Tell:
    """Something that a person should know: a stable word, and what it says.

    Attributes
    ----------
    holds
        Whether nothing new may be risked until an operator says so.
    strategies
        By whom; by all where none is named.
    """

    word: str
    text: str
    holds: bool = False
    strategies: tuple[str, ...] = ()


Found = Deliver | Fetch | Tell


class Screen(Protocol):
    """What is asked of every bar before it is delivered; see `cambist.live.screening.BarScreen`."""

    def warmed(self, bars: Iterable[Bar]) -> None:
        """Take the bars of before the stream."""
        ...

    def judge(self, bar: Bar) -> list[Found]:
        """Return what is to be delivered of a bar, and what is to be told."""
        ...


class Joint:
    """The bars of one series.

    Parameters
    ----------
    name
        For messages.
    length
        Of a bar, ns.
    missing
        What becomes of bars that nobody has.
    patience
        How long after its close a bar may come before it is asked for, ns.
    screen
        What is asked of every bar before it is delivered; None to deliver each that is one.
    """

    def __init__(
        self,
        name: str,
        length: int,
        missing: MissingBars = MissingBars.SKIP,
        patience: int = 10 * _SECOND,
        screen: Screen | None = None,
    ) -> None:
        self._name, self._length, self._missing, self._patience = name, length, missing, patience
        #: Open time of the bar that must come next; 0 before the first.
        self.next = 0
        self._screen = screen
        self._fetching: Fetch | None = None
        self._held: list[Bar] = []
        self._told: dict[int, Bar] = {}
        self._close = 0.0
        #: How much later than its close the venue's bars come, by the engine's clock, at the least; None before the
        #: first. It has the difference of the clocks in it.
        self._late: int | None = None
        self._asked_at = 0
        #: Bars that came again unchanged.
        self.repeats = 0

    @property
    def waits(self) -> bool:
        """Whether bars are being fetched."""
        return self._fetching is not None

    def warmed(self, bars: Iterable[Bar]) -> None:
        """Take the bars of before the stream, which were shown to the lines already."""
        bars = list(bars)
        for bar in bars:
            self._note(bar)
        if self._screen is not None:
            self._screen.warmed(bars)

    def take(self, bar: Bar, now: int) -> list[Found]:
        """Take a final bar of the stream; `now` is the engine's time, ns."""
        wrong = fault_of(bar)
        if wrong and self._screen is None:
            return [Tell("bar_invalid", f"{self._at(bar.ts)} {wrong}; it is left out.")]
        late = now - bar.ts - self._length
        self._late = late if self._late is None else min(self._late, late)
        if self._fetching is not None:
            self._held.append(bar)
            return []
        if self.next and bar.ts < self.next:
            return self._again(bar)
        if not self.next or bar.ts == self.next:
            return self._delivered(bar)
        self._held.append(bar)
        return [self._fetch(self.next, bar.ts, now, proven=True)]

    def overdue(self, now: int) -> list[Found]:
        """Ask for bars that should be here by now, whether the stream is silent or not."""
        if not self.next or self._fetching is not None:
            return []
        due = self.next + self._length + (self._late or 0) + self._patience
        if now < max(due, self._asked_at + self._patience):
            return []
        closed = (now - (self._late or 0) - self._patience) // self._length * self._length
        return [self._fetch(self.next, max(self.next + self._length, closed), now, proven=False)]

    def answered(self, asked: Fetch, bars: Iterable[Bar] | None, now: int) -> list[Found]:
        """Take what was fetched if it is what this asked for."""
        return self.fetched(bars, now) if asked == self._fetching else []

    def fetched(self, bars: Iterable[Bar] | None, now: int) -> list[Found]:
        """Take what was fetched; None where the venue could not be asked.

        Whoever drives it asks again a few times before it says so.
        """
        asked, self._fetching = self._fetching, None
        if asked is None:
            return []
        found: list[Found] = []
        for bar in bars or ():
            if bar.ts >= self.next and (self._screen is not None or not fault_of(bar)):
                if bar.ts > self.next:
                    found += self._miss(self.next, bar.ts, asked_for=True)
                found += self._delivered(bar)
        if asked.proven and self.next < asked.end:
            found += self._miss(self.next, asked.end, asked_for=bars is not None)
        held, self._held = self._held, []
        for number, bar in enumerate(held):
            found += self.take(bar, now)
            if self.waits:
                self._held += held[number + 1 :]
                break
        return found

    # Within.

    def _delivered(self, bar: Bar) -> list[Found]:
        """Return what is to be done about the bar that comes next."""
        if self._screen is None:
            self._note(bar)
            return [Deliver(bar)]
        found = self._screen.judge(bar)
        self._note(bar, next((one.bar.close for one in found if isinstance(one, Deliver)), self._close))
        return found

    def _fetch(self, start: int, end: int, now: int, *, proven: bool) -> Fetch:
        self._fetching, self._asked_at = Fetch(start, end, proven), now
        return self._fetching

    def _again(self, bar: Bar) -> list[Found]:
        """See what a bar is that is not newer than the last."""
        known = self._told.get(bar.ts)
        if known == bar:
            self.repeats += 1
            return []
        if known is None:
            return [Tell("bar_out_of_order", f"{self._at(bar.ts)} came behind later ones; it is left out.")]
        self._told[bar.ts] = bar  # told once for each change
        return [
            Tell(
                "bar_revised",
                f"{self._at(bar.ts)} was final, and came again with other numbers: {_numbers(known)}, and now "
                f"{_numbers(bar)}. What was decided on the first stands.",
            )
        ]

    def _miss(self, start: int, end: int, *, asked_for: bool) -> Sequence[Found]:
        """Go on without the bars from `start` up to `end`."""
        count = (end - start) // self._length
        why = "the venue has none of that time" if asked_for else "they could not be fetched"
        text = f"{self._name}: {count} bars from {to_datetime(start):%Y-%m-%d %H:%M:%S} are missing: {why}."
        found: list[Found] = []
        if self._missing is MissingBars.FILL and self._close:
            for ts in range(start, end, self._length):
                bar = Bar(ts, self._close, self._close, self._close, self._close, 0.0)
                self._note(bar)
                found.append(Deliver(bar))
        self.next = end
        return [Tell("bars_missing", text, self._missing is MissingBars.HOLD), *found]

    def _note(self, bar: Bar, close: float | None = None) -> None:
        """Note that a bar came, and the close that was shown of it, where that is not its own."""
        told = self._told
        told[bar.ts] = bar
        if len(told) > _KEPT:
            del told[next(iter(told))]
        self.next, self._close = bar.ts + self._length, bar.close if close is None else close

    def _at(self, ts: int) -> str:
        return f"{self._name}: the bar of {to_datetime(ts):%Y-%m-%d %H:%M:%S}"


def fault_of(bar: Bar) -> str:
    """Return what is wrong with a bar's numbers; ``""`` for nothing."""
    numbers = bar.open, bar.high, bar.low, bar.close, bar.volume
    if not all(isfinite(one) for one in numbers):
        return f"has numbers that are none ({_numbers(bar)})"
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        return f"is not between its low and its high ({_numbers(bar)})"
    return f"has a volume below zero ({bar.volume})" if bar.volume < 0.0 else ""


def _numbers(bar: Bar) -> str:
    return f"open {bar.open:g}, high {bar.high:g}, low {bar.low:g}, close {bar.close:g}, volume {bar.volume:g}"
