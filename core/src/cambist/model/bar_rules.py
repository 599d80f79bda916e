"""Bars that end when enough has happened, or when the price has gone far enough, and not with the clock."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from math import floor, isfinite, isnan, ulp
from typing import TYPE_CHECKING, NoReturn

import attrs
import numpy as np

from cambist.errors import InputError, did_you_mean
from cambist.model.bars import Bar
from cambist.model.periods import NOWHERE
from cambist.model.slower_bars import Complete
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cambist.model.periods import Periods

__all__ = [
    "REACHED",
    "BarRule",
    "RuleTimeframe",
    "RuledBars",
    "brick_edges",
    "read_rule",
    "require_rule",
    "spans",
]

#: What may be counted of bars and of trades, and what takes single trades to know.
_OF_BOTH, _OF_TRADES = ("count", "volume", "value", "renko"), ("imbalance", "range")
_CANDLES = "heikin-ashi"
_KINDS = (*_OF_BOTH, *_OF_TRADES, _CANDLES)
_RULE = re.compile(r"([a-z-]+)(?:\s+(\S+))?(?:\s+each\s+(\S+))?")
#: How many candles it takes until where Heikin-Ashi began is forgotten to the last bit: each halves it.
_SETTLED = 64


#: The share of a size with which it is reached: ten times 0.1 are less than 1.0 by the rounding of sums.
REACHED = 1.0 - 1e-9


def spans(high: float, low: float, size: float) -> bool:
    """Tell whether two prices are `size` apart, their own rounding allowed for: 100.3 less 100.0 is less than 0.3."""
    return high - low >= size - 4.0 * ulp(high)


def brick_edges(base: float, size: float) -> Callable[[int], float]:
    """Return what answers edges of bricks, counted from `base`: the doubles nearest to the decimals that are meant."""
    first, step = Decimal(repr(float(base))), Decimal(repr(float(size)))

    @lru_cache(1_024)
    def edge(number: int) -> float:
        return float(first + number * step)

    return edge


@attrs.frozen
class BarRule:
    """How bars are made, such as ``volume 1000`` or ``renko 0.5 each 1d``.

    Attributes
    ----------
    kind
        ``"count"``, ``"volume"``, ``"value"``, ``"imbalance"``, ``"range"``, ``"renko"`` or ``"heikin-ashi"``.
    size
        How much ends a bar, in bars or trades, units, or quote currency; 0 for Heikin-Ashi.
    each
        The timeframe with whose periods bars begin anew; ``""`` for none.
    """

    kind: str
    size: float = 0.0
    each: str = ""

    def __str__(self) -> str:
        text = self.kind if self.kind == _CANDLES else f"{self.kind} {self.size:.15g}"
        return f"{text} each {self.each}" if self.each else text

    def require_bars(self, made_of: str) -> None:
        """Refuse a rule that takes single trades.

        Raises
        ------
        InputError
            Naming what the bars would be made of.
        """
        if self.kind in _OF_TRADES:
            why = "who took" if self.kind == "imbalance" else "the way of the price"
            raise InputError(
                f"bars by {self} cannot be made of {made_of}: inside a bar nobody knows {why}. Make them of trades."
            )

    def needed(self, lookback: int) -> int | None:
        """Return how many bars surely make one more of these than `lookback`; None where nobody can know."""
        if self.kind == "count":
            return int(self.size) * (lookback + 1)
        return lookback + _SETTLED if self.kind == _CANDLES else None


@attrs.frozen
class RuleTimeframe(Timeframe):
    """What stands for the timeframe of bars that have none.

    Attributes
    ----------
    ns
        Length of the bars that they are made of, which is the least that one may take.
    rule
        How they are made.
    """

    rule: BarRule

    @property
    def shortest(self) -> int:
        """The least that lies between two opens: nothing, since several bars may lie in one instant."""
        return self.ns if self.rule.kind == _CANDLES else 0

    def require_multiple(self, slower: Timeframe) -> NoReturn:
        """Refuse: nobody knows how long they take."""
        raise InputError(f"bars of {slower} cannot be made of bars by {self}. Make them of those that it is made of.")

    def closes(self, opens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when candles close; when another bar ends is not told by when it opens, and refused."""
        if self.rule.kind == _CANDLES:
            return opens + self.ns
        raise InputError(
            f"when a bar by {self} closes cannot be told from when it opens. In a strategy, it is known at self.now "
            f"of the on_bar that shows it; {len(opens)} were asked for."
        )

    def __str__(self) -> str:
        return str(self.rule)


def read_rule(text: object) -> BarRule | None:
    """Read ``"volume 1000"``, ``"count 100 each 1d"``, ``"renko 0.5"``, ``"heikin-ashi"``; None for what is no rule.

    Raises
    ------
    InputError
        For a rule whose size makes no sense.
    """
    if isinstance(text, BarRule):
        return text
    match = _RULE.fullmatch(str(text).strip().lower())
    if match is None or (match[1] not in _KINDS and not match[2]):
        return None
    kind, size, each = match.groups()
    if kind not in _KINDS:
        raise InputError(f"{text!r} is no way to make bars.{did_you_mean(kind, _KINDS)}")
    if kind == _CANDLES:
        if size is not None or each is not None:
            raise InputError(f"{text!r}: one candle is made of each bar. Write 'heikin-ashi' alone.")
        return BarRule(kind)
    return BarRule(kind, _size(text, kind, size), "" if each is None else str(Timeframe.parse(each)))


def require_rule(text: object) -> BarRule:
    """Read a rule, refusing what is none.

    Raises
    ------
    InputError
        Naming the kinds there are.
    """
    rule = read_rule(text)
    if rule is None:
        raise InputError(
            f"{text!r} is no rule by which bars are made. Write a kind and a size, such as 'volume 1000' or "
            f"'renko 0.5'. Kinds: {', '.join(_KINDS)}."
        )
    return rule


def _size(text: object, kind: str, said: str | None) -> float:
    try:
        size = float((said or "").replace("_", ""))
    except ValueError:
        size = 0.0
    if not isfinite(size) or size <= 0.0:
        raise InputError(f"{text!r} says no size above zero. Write how much ends a bar: '{kind} 100'.")
    if kind == "count" and size != int(size):
        raise InputError(f"{text!r}: bars and trades are counted in whole numbers. Write 'count {max(1, int(size))}'.")
    return size


@attrs.define(eq=False, slots=True)
class RuledBars:
    """Makes bars by a rule as bars or trades come; whole columns are taken one row after the other.

    Attributes
    ----------
    rule
        How.
    length
        Of the bars that come, ns; 0 for trades.
    periods
        With which they begin anew; None where they never do.
    keep_first
        Whether bars count that began before the first of these periods did.
    """

    rule: BarRule
    length: int = 0
    periods: Periods | None = None
    keep_first: bool = True
    #: The bar that is not complete: its start, open, high, low, close and volume.
    _start: int = attrs.field(default=0, init=False)
    _open: float = attrs.field(default=0.0, init=False)
    _high: float = attrs.field(default=-np.inf, init=False)
    _low: float = attrs.field(default=np.inf, init=False)
    _close: float = attrs.field(default=0.0, init=False)
    _volume: float = attrs.field(default=0.0, init=False)
    _rows: int = attrs.field(default=0, init=False)
    #: What has been counted of it; of the last brick its edges, in bricks from 0.
    _amount: float = attrs.field(default=0.0, init=False)
    _bottom: int | None = attrs.field(default=None, init=False)
    _top: int = attrs.field(default=0, init=False)
    #: The last trade: its price, and who took it by the tick rule; the last candle's open and close.
    _before: float = attrs.field(default=np.nan, init=False)
    _side: int = attrs.field(default=1, init=False)
    _candle: float = attrs.field(default=np.nan, init=False)
    #: End of the period that bars are in, ns, and whether they count.
    _end: int = attrs.field(default=0, init=False)
    _counts: bool = attrs.field(default=True, init=False)
    _done: list[Bar] = attrs.field(factory=list, init=False)
    _take: Callable[[Bar, int], None] = attrs.field(init=False)
    _edge: Callable[[int], float] = attrs.field(init=False)
    _enough: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        takers = {"renko": self._brick, "range": self._spread, _CANDLES: self._candles, "imbalance": self._imbalance}
        self._take = takers.get(self.rule.kind, self._counted)
        self._counts = self.periods is None or self.keep_first
        self._edge, self._enough = brick_edges(0.0, self.rule.size or 1.0), self.rule.size * REACHED

    def push(self, bar: Bar, side: int = 0) -> list[Bar]:
        """Take one bar, or one trade as a bar; return the bars that are complete with it, oldest first.

        Parameters
        ----------
        side
            Of a trade: 1 where the taker bought, -1 where he sold, 0 where nobody told.
        """
        done: list[Bar] = []
        self._done = done
        if self.periods is not None and not self._in_period(bar):
            return done
        self._take(bar, side)
        if self.periods is not None and self.length and bar.ts + self.length >= self._end:
            self._finish()
        return done if self._counts else []

    def take_columns(self, ts: NDArray[np.int64], columns: list[NDArray[np.float64]]) -> Complete:
        """Take open times, ns, and open, high, low, close and volume of the next bars."""
        made: list[Bar] = []
        known_at: list[int] = []
        for row, values in enumerate(zip(ts.tolist(), *(column.tolist() for column in columns), strict=True)):
            done = self.push(Bar(*values))
            if done:
                made += done
                known_at += [row] * len(done)
        table = np.array([(one.open, one.high, one.low, one.close, one.volume) for one in made]).reshape(-1, 5)
        starts = np.array([one.ts for one in made], np.int64)
        return Complete(starts, [np.ascontiguousarray(column) for column in table.T], np.array(known_at, np.int64))

    def _in_period(self, bar: Bar) -> bool:
        """Begin anew where a period does; tell whether the bar lies in one."""
        assert self.periods is not None
        if bar.ts < self._end:
            return True
        self._finish()
        if not self._counts:
            self._done.clear()
        start = int(self.periods.starts(np.array([bar.ts]), self.length)[0])
        if start == NOWHERE:
            return False
        first = self._end == 0
        self._end = int(self.periods.ends(np.array([start]))[0])
        self._counts = self.keep_first or not first or bar.ts == start
        self._bottom, self._before = None, np.nan
        return True

    # One row, by kind.

    def _add(self, bar: Bar) -> None:
        if not self._rows:
            self._start, self._open = bar.ts, bar.open
        self._high, self._low = max(self._high, bar.high), min(self._low, bar.low)
        self._close = bar.close
        self._volume += bar.volume
        self._rows += 1

    def _finish(self) -> None:
        """Have the bar done that is being made, which for bricks is none: what began none adds to nothing."""
        if self._rows and self.rule.kind != "renko":
            self._done.append(Bar(self._start, self._open, self._high, self._low, self._close, self._volume))
        self._high, self._low, self._volume, self._amount, self._rows = -np.inf, np.inf, 0.0, 0.0, 0

    def _counted(self, bar: Bar, _side: int) -> None:
        self._add(bar)
        kind = self.rule.kind
        if kind == "count":
            self._amount += 1.0
        elif kind == "volume":
            self._amount += bar.volume
        else:
            # What a bar was worth is known of its trades alone; the price that stands for them is the typical one.
            self._amount += bar.volume * (bar.high + bar.low + bar.close) / 3.0
        if self._amount >= self._enough:
            self._finish()

    def _imbalance(self, bar: Bar, side: int) -> None:
        if bar.close != self._before:
            self._side = -1 if bar.close < self._before else 1
        self._before = bar.close
        self._add(bar)
        self._amount += bar.volume * (side or self._side)
        if abs(self._amount) >= self._enough:
            self._finish()

    def _spread(self, bar: Bar, _side: int) -> None:
        self._add(bar)
        if spans(self._high, self._low, self.rule.size):
            self._finish()

    def _candles(self, bar: Bar, _side: int) -> None:
        close = (bar.open + bar.high + bar.low + bar.close) / 4.0
        open_ = (bar.open + bar.close if isnan(self._candle) else self._candle + self._before) / 2.0
        self._candle, self._before = open_, close
        high, low = max(bar.high, open_, close), min(bar.low, open_, close)
        self._done.append(Bar(bar.ts, open_, high, low, close, bar.volume))

    def _brick(self, bar: Bar, _side: int) -> None:
        price = bar.close
        if self._bottom is None:
            # On whole multiples: where the edges lie does not depend on where the series began.
            self._bottom = floor(price / self.rule.size)
            self._bottom += self._edge(self._bottom + 1) <= price  # a quotient may be rounded down
            self._top = self._bottom
        self._add(bar)
        while price >= self._edge(self._top + 1):
            self._lay(self._top, self._top + 1, bar.ts)
            self._bottom, self._top = self._top, self._top + 1
        while price <= self._edge(self._bottom - 1):
            self._lay(self._bottom, self._bottom - 1, bar.ts)
            self._bottom, self._top = self._bottom - 1, self._bottom

    def _lay(self, begin: int, end: int, ts: int) -> None:
        """Add a brick from one edge to another; of several at `ts` the first has the volume, and began before."""
        open_, close = self._edge(begin), self._edge(end)
        self._done.append(Bar(self._start, open_, max(open_, close), min(open_, close), close, self._volume))
        self._finish()
        self._start = ts
