"""Candles, built from trades as they are printed."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist_simulator.market.intervals import Interval

__all__ = ["Candle", "CandleSeries", "merged"]

_ZERO = Decimal(0)


class Candle(msgspec.Struct, kw_only=True):
    """What was traded in an interval.

    Attributes
    ----------
    opens, closes
        ns; `closes` is where the next one opens.
    volume, quote_volume
        Base units or contracts; sum of price x size.
    buy_volume, buy_quote_volume
        The part of it in which the taker bought.
    trades
        How many.
    first_id, last_id
        Of its trades; -1 where there are none.
    """

    opens: int
    closes: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = _ZERO
    quote_volume: Decimal = _ZERO
    buy_volume: Decimal = _ZERO
    buy_quote_volume: Decimal = _ZERO
    trades: int = 0
    first_id: int = -1
    last_id: int = -1


def merged(parts: Iterable[Candle], opens: int, closes: int) -> Candle | None:
    """Return the candle of an interval that is made of `parts`, in their order; None where there are none.

    Open, high, low and close are those of the parts in which something was traded, if there are any.
    """
    whole: Candle | None = None
    for part in parts:
        if whole is None:
            whole = msgspec.structs.replace(part, opens=opens, closes=closes)
        elif part.trades:
            _join(whole, part)
    return whole


def _join(whole: Candle, part: Candle) -> None:
    if whole.trades:
        whole.high, whole.low = max(whole.high, part.high), min(whole.low, part.low)
    else:
        whole.open, whole.high, whole.low, whole.first_id = part.open, part.high, part.low, part.first_id
    whole.close, whole.last_id = part.close, part.last_id
    whole.volume += part.volume
    whole.quote_volume += part.quote_volume
    whole.buy_volume += part.buy_volume
    whole.buy_quote_volume += part.buy_quote_volume
    whole.trades += part.trades


class CandleSeries:
    """The candles of one interval: those that are closed, the newest `keep` of them, and the one that forms.

    Parameters
    ----------
    interval
        Of each.
    keep
        Closed candles that are remembered.

    Notes
    -----
    An interval in which nothing is traded has a flat candle at the last price, without volume. A trade that comes late
    counts for the candle that forms when it comes.
    """

    def __init__(self, interval: Interval, keep: int = 2_000) -> None:
        self.interval = interval
        self.closed: deque[Candle] = deque(maxlen=keep)
        self.forming: Candle | None = None

    @classmethod
    def of(cls, interval: Interval, finer: Iterable[CandleSeries], keep: int = 2_000) -> CandleSeries:
        """Return a series joined of that one of `finer` series which reaches back farthest; empty where none fits."""
        series = cls(interval, keep)
        fitting = [(one.first, one) for one in finer if one.first is not None and one.interval.divides(interval)]
        if not fitting:
            return series
        _, source = min(fitting, key=lambda pair: pair[0])
        for opens, parts in groupby(source.since(source.first or 0), key=lambda one: interval.floor(one.opens)):
            whole = merged(parts, opens, interval.after(opens))
            if series.forming is not None:
                series.closed.append(series.forming)
            series.forming = whole
        return series

    @property
    def first(self) -> int | None:
        """When the oldest candle opens, ns; None where there is none."""
        oldest = self.closed[0] if self.closed else self.forming
        return None if oldest is None else oldest.opens

    def add(
        self, trade_id: int, price: Decimal, size: Decimal, quote_volume: Decimal, buy: bool, at: int
    ) -> list[Candle]:
        """Take a trade; return the candles that it shows to be closed."""
        candle = self.forming
        closed: list[Candle] = []
        if candle is not None and at >= candle.closes:
            closed = self.roll(at)
            candle = self.forming
        if candle is None:
            opens = self.interval.floor(at)
            candle = self.forming = self._flat(opens, price)
        if not candle.trades:
            candle.open = candle.high = candle.low = price
            candle.first_id = trade_id
        elif price > candle.high:
            candle.high = price
        elif price < candle.low:
            candle.low = price
        candle.close, candle.last_id = price, trade_id
        candle.volume += size
        candle.quote_volume += quote_volume
        candle.trades += 1
        if buy:
            candle.buy_volume += size
            candle.buy_quote_volume += quote_volume
        return closed

    def roll(self, now: int, *, fill: bool = True) -> list[Candle]:
        """Close what is over at `now` (ns); return it, oldest first, at most as much as is kept.

        Without `fill` no flat candle follows on one that closes: the next one begins with a trade.
        """
        closed: list[Candle] = []
        while self.forming is not None and now >= self.forming.closes:
            done = self.forming
            closed.append(done)
            self.closed.append(done)
            if not fill:
                self.forming = None
                break
            opens = done.closes
            if self.interval.ns and self.closed.maxlen:
                opens = max(opens, self.interval.floor(now) - self.closed.maxlen * self.interval.ns)
            self.forming = self._flat(opens, done.close)
        return closed

    def preload(self, candles: Iterable[Candle]) -> None:
        """Put candles before all that are here; they are closed, of this interval, and in order."""
        before = list(candles)
        first = self.first
        kept = [one for one in before if first is None or one.closes <= first]
        self.closed = deque([*kept, *self.closed], maxlen=self.closed.maxlen)
        if self.forming is None and kept:
            self.forming = self._flat(kept[-1].closes, kept[-1].close)

    def rows(self, *, start: int | None = None, end: int | None = None, limit: int = 500) -> list[Candle]:
        """Return candles that open from `start` to `end` (ns, both inclusive), the one that forms among them.

        With a `start` the first `limit` of them, without one the last.
        """
        rows: list[Candle] = []
        for candle in self._newest_first():
            if end is not None and candle.opens > end:
                continue
            if start is not None and candle.opens < start:
                break
            rows.append(candle)
            if start is None and len(rows) == limit:
                break
        rows.reverse()
        return rows[:limit]

    def since(self, opens: int) -> list[Candle]:
        """Return what opens at `opens` (ns) or later, closed or not."""
        return self.rows(start=opens, limit=len(self.closed) + 1)

    def _newest_first(self) -> Iterable[Candle]:
        if self.forming is not None:
            yield self.forming
        yield from reversed(self.closed)

    def _flat(self, opens: int, price: Decimal) -> Candle:
        return Candle(opens=opens, closes=self.interval.after(opens), open=price, high=price, low=price, close=price)
