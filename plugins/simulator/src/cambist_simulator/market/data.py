"""What is kept of the market in a symbol, for whoever asks later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.model import Side
from cambist_simulator.exchange.events import BookChanged, MarkChanged, Traded
from cambist_simulator.market.candles import Candle, CandleSeries
from cambist_simulator.market.contract import Contract
from cambist_simulator.market.intervals import MINUTE, Interval
from cambist_simulator.market.marks import MarkHistory
from cambist_simulator.market.tape import AggregateTrade, Tape
from cambist_simulator.market.windows import RollingWindow, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.listing import Listing

__all__ = ["CandleClosed", "Keep", "MarketData", "MarketEvent", "TradesJoined"]

_MINUTE_NS = MINUTE.ns
_HOUR_NS = 60 * _MINUTE_NS


class MarketEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that follows from what the exchange told; `at` is ns, market time."""

    at: int
    symbol: str


class CandleClosed(MarketEvent, frozen=True, kw_only=True):
    """A candle is complete; of those intervals only that somebody asked for."""

    interval: Interval
    candle: Candle


class TradesJoined(MarketEvent, frozen=True, kw_only=True):
    """All that one taker traded at one price is known."""

    trade: AggregateTrade


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept of a symbol: what bounds the memory of a simulator that runs for days."""

    trades: int = 5_000
    candles: int = 2_000
    funding: int = 2_000


class MarketData:
    """Candles, trades, sums of the last day, marks and funding of one symbol.

    Parameters
    ----------
    listing
        The symbol.
    inverse
        Whether it is a contract on quote money that is settled in coin: then `Candle.quote_volume` is the coin traded.
    keep
        How much is remembered.

    Attributes
    ----------
    tape
        Trades.
    marks
        Of futures.
    contract
        Values its trades.
    """

    def __init__(self, listing: Listing, *, inverse: bool = False, keep: Keep | None = None) -> None:
        self.symbol = listing.symbol
        self.contract = Contract(listing, inverse=inverse)
        self._keep = keep or Keep()
        self.tape = Tape(self._keep.trades)
        self.marks = MarkHistory(self._keep.funding)
        self._minutes = CandleSeries(MINUTE, max(self._keep.candles, 1_500))
        self._others: dict[Interval, CandleSeries] = {}
        self._asked: set[Interval] = set()
        self._day = RollingWindow(24 * _HOUR_NS)
        self._five_minutes = RollingWindow(5 * _MINUTE_NS)
        self._last: Decimal | None = None
        self._next_close = 0
        self._paused = False
        self._listeners: list[Callable[[MarketEvent], None]] = []

    def listen(self, callback: Callable[[MarketEvent], None]) -> None:
        """Tell `callback` of candles that close and of trades that were joined."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[MarketEvent], None]) -> None:
        """Tell it no more."""
        self._listeners.remove(callback)

    # What comes in.

    def heard(self, event: ExchangeEvent) -> None:
        """Take an event of the exchange about this symbol."""
        if type(event) is Traded:
            self._traded(event)
        elif type(event) is BookChanged:
            self.flush(event.at)
        elif type(event) is MarkChanged:
            self.marks.add(event)

    def _traded(self, trade: Traded) -> None:
        price, size = trade.price, trade.size
        self._last = price
        if self._paused:
            self.roll(trade.at)
            self._paused = False
        joined = self.tape.add(trade)
        if joined is not None:
            self._tell(TradesJoined(at=trade.at, symbol=self.symbol, trade=joined))
        value = self.contract.value(price, size)
        buy = trade.side is Side.BUY
        closed = self._minutes.add(trade.id, price, size, value, buy, trade.at)
        if closed:
            self._minutes_closed(closed)
        for series in self._others.values():
            for candle in series.add(trade.id, price, size, value, buy, trade.at):
                self._closed(series.interval, candle)

    def flush(self, at: int) -> None:
        """Tell of the joined trade that was still open: the request that made it is done."""
        joined = self.tape.flush()
        if joined is not None:
            self._tell(TradesJoined(at=at, symbol=self.symbol, trade=joined))

    def roll(self, now: int) -> None:
        """Close the candles that are over at `now` (ns)."""
        if now < self._next_close:
            return
        self._minutes_closed(self._minutes.roll(now, fill=not self._paused))
        for series in self._others.values():
            for candle in series.roll(now, fill=not self._paused):
                self._closed(series.interval, candle)
        self.marks.roll(now)
        ends = [one.forming.closes for one in (self._minutes, *self._others.values()) if one.forming is not None]
        self._next_close = min(ends, default=0)

    def pause(self) -> None:
        """Let no flat candles follow on those that form: the venue is closed until the next trade."""
        self._paused = True

    def preload(self, interval: str | Interval, candles: Iterable[Candle]) -> None:
        """Put closed candles of one interval, in order, before all that is known; longer ones follow from them."""
        interval = interval if isinstance(interval, Interval) else Interval(interval)
        history = list(candles)
        series = self._minutes if interval == MINUTE else self._others.get(interval)
        if series is None:
            series = self._others[interval] = CandleSeries(interval, self._keep.candles)
        series.preload(history)
        if history and self._last is None:
            self._last = history[-1].close
        self._next_close = 0
        if history and interval.ns and interval.ns <= _HOUR_NS and not self._day.used:
            for candle in history:
                self._day.push(candle)
                self._five_minutes.push(candle)

    # What is asked for.

    def candles(self, interval: str | Interval) -> CandleSeries:
        """Return the candles of an interval; they are kept, and told of as they close, from the first call on.

        Raises
        ------
        InputError
            If it is no interval.
        """
        interval = interval if isinstance(interval, Interval) else Interval(interval)
        self._asked.add(interval)
        if interval == MINUTE:
            return self._minutes
        found = self._others.get(interval)
        if found is None:
            self._next_close = 0
            finer = (self._minutes, *self._others.values())
            found = self._others[interval] = CandleSeries.of(interval, finer, self._keep.candles)
        return found

    def day(self, now: int) -> Statistics:
        """Return the sums of the 24 hours up to `now` (ns), by whole minutes."""
        return self._day.statistics(self._minutes.forming, now)

    def five_minutes(self, now: int) -> Statistics:
        """Return the sums of the last five minutes."""
        return self._five_minutes.statistics(self._minutes.forming, now)

    @property
    def last_price(self) -> Decimal | None:
        """Of the last trade, or of the history; None where there is none."""
        return self._last

    def _minutes_closed(self, closed: list[Candle]) -> None:
        for candle in closed:
            self._day.push(candle)
            self._five_minutes.push(candle)
            self._closed(MINUTE, candle)

    def _closed(self, interval: Interval, candle: Candle) -> None:
        if self._listeners and interval in self._asked:
            self._tell(CandleClosed(at=candle.closes, symbol=self.symbol, interval=interval, candle=candle))

    def _tell(self, event: MarketEvent) -> None:
        for callback in self._listeners:
            callback(event)
