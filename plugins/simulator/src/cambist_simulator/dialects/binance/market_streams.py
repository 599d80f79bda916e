"""From what happens at an exchange to market streams.

Streams with a speed gather what happens in an interval of market time and send it at the interval's end: at the first
event of a later one, or when the clock says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.model import Side
from cambist_simulator.dialects.binance.channels import Channel, Listener
from cambist_simulator.dialects.binance.futures_encode import force_order
from cambist_simulator.dialects.binance.futures_market import latest_mark
from cambist_simulator.dialects.binance.market_encode import SymbolEncoder
from cambist_simulator.exchange.events import BookChanged, OrderChanged, StatusChanged, Traded
from cambist_simulator.exchange.orders import ExecutionType
from cambist_simulator.market.data import CandleClosed, TradesJoined

if TYPE_CHECKING:
    from cambist_simulator.dialects.binance.stream_names import StreamName
    from cambist_simulator.dialects.binance.venue import Desk
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.market.data import MarketEvent

__all__ = ["MarketStreams"]

_encode = msgspec.json.Encoder().encode
_ZERO = Decimal(0)
_NOTHING = _ZERO, _ZERO


class MarketStreams:
    """The market streams of one desk.

    Parameters
    ----------
    desk
        Its exchange is listened to from the first subscription on.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._symbols: dict[str, _SymbolStreams] = {}
        self._of_all: dict[str, Channel] = {}
        #: By stream of all symbols: those that changed since its last message.
        self._changed: dict[str, set[str]] = {}
        desk.exchange.listen(self._heard)

    def subscribe(self, name: StreamName, listener: Listener) -> None:
        """Send a stream to a connection from now on."""
        if not name.symbol:
            self._of_all.setdefault(name.name, Channel(name)).join(listener)
            self._changed.setdefault(name.name, set())
            return
        streams = self._symbols.get(name.symbol)
        if streams is None:
            if not self._desk.lists(name.symbol):
                return
            streams = self._symbols[name.symbol] = _SymbolStreams(self._desk, name.symbol)
        streams.channel(name).join(listener)

    def unsubscribe(self, name: StreamName, listener: Listener) -> None:
        """Send it no more."""
        if not name.symbol:
            channel = self._of_all.get(name.name)
        else:
            streams = self._symbols.get(name.symbol)
            channel = None if streams is None else streams.channels.get(name.name)
        if channel is not None:
            channel.leave(listener)

    def _heard(self, event: ExchangeEvent) -> None:
        kind = type(event)
        if kind is OrderChanged:
            self._order_changed(event)  # type: ignore[arg-type]
            return
        symbol: str | None = getattr(event, "symbol", None)
        if symbol is None:
            return
        if kind is StatusChanged and symbol in self._symbols:
            self._symbols[symbol].encoder = SymbolEncoder(self._desk, symbol)
            return
        streams = self._symbols.get(symbol)
        if streams is not None:
            if kind is Traded:
                streams.traded(event)  # type: ignore[arg-type]
            elif kind is BookChanged:
                streams.book_changed(event)  # type: ignore[arg-type]
        if self._of_all and kind in {Traded, BookChanged}:
            for changed in self._changed.values():
                changed.add(symbol)
            if kind is BookChanged and (channel := self._of_all.get("!bookTicker")):
                channel.publish(self._streams(symbol).best(event.at))

    def _streams(self, symbol: str) -> _SymbolStreams:
        streams = self._symbols.get(symbol)
        if streams is None:
            streams = self._symbols[symbol] = _SymbolStreams(self._desk, symbol)
        return streams

    def _order_changed(self, event: OrderChanged) -> None:
        if event.what is not ExecutionType.CALCULATED or event.order.system != "liquidation":
            return
        data = None
        symbol = event.order.terms.symbol
        streams = self._symbols.get(symbol)
        for channel in (
            None if streams is None else streams.channels.get(f"{symbol.lower()}@forceOrder"),
            self._of_all.get("!forceOrder@arr"),
        ):
            if channel:
                data = data or _encode(force_order(event, now=event.at // 1_000_000))
                channel.publish(data)

    def on_timer(self, now: int) -> None:
        """Send what is due at `now`, ns of market time."""
        for streams in self._symbols.values():
            streams.on_timer(now)
        for name, channel in self._of_all.items():
            if channel and channel.every and channel.over(now):
                rows = self._rows(name, now)
                if rows:
                    channel.publish(_encode(rows))

    def _rows(self, name: str, now: int) -> list[dict[str, Any]]:
        if name.startswith("!markPrice"):
            return [self._streams(one).mark(now) for one in self._desk.exchange.listings]
        changed = sorted(self._changed[name])
        self._changed[name].clear()
        if name.startswith("!miniTicker"):
            return [self._streams(one).mini_ticker(now) for one in changed]
        return [self._streams(one).ticker(now) for one in changed]


class _Depth:
    """What is pending of a stream of book changes."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.pending: list[BookChanged] = []


class _SymbolStreams:
    """The streams of one symbol."""

    def __init__(self, desk: Desk, symbol: str) -> None:
        self._desk, self.symbol = desk, symbol
        self.encoder = SymbolEncoder(desk, symbol)
        self.channels: dict[str, Channel] = {}
        self._trades: Channel | None = None
        self._aggregates: Channel | None = None
        self._book: Channel | None = None
        self._depths: list[_Depth] = []
        self._partials: list[Channel] = []
        self._klines: list[Channel] = []
        self._regular: list[Channel] = []
        self._moved: set[str] = set()
        self._shown: tuple[Any, Any] = None, None
        self._last_book: BookChanged | None = None
        desk.data(symbol).listen(self._market_heard)

    def channel(self, name: StreamName) -> Channel:
        """Return a stream of the symbol."""
        found = self.channels.get(name.name)
        if found is not None:
            return found
        found = self.channels[name.name] = Channel(name)
        if name.kind == "trade":
            self._trades = found
        elif name.kind == "aggTrade":
            self._aggregates = found
        elif name.kind == "bookTicker":
            self._book = found
        elif name.kind == "depth":
            self._depths.append(_Depth(found))
        elif name.kind == "partial":
            self._partials.append(found)
        elif name.kind == "kline":
            self._desk.data(self.symbol).candles(name.argument)
            self._klines.append(found)
        elif name.every:
            self._regular.append(found)
        return found

    # What happens.

    def traded(self, event: Traded) -> None:
        """A trade was printed."""
        if self._trades:
            self._trades.publish(self.encoder.trade(event))
        if self._klines:
            for channel in self._klines:
                if channel and channel.name.name in self._moved and channel.over(event.at):
                    self._kline(channel, event.at)
                self._moved.add(channel.name.name)
        for channel in self._regular:
            self._moved.add(channel.name.name)

    def book_changed(self, event: BookChanged) -> None:
        """Levels of the book changed."""
        self._last_book = event
        for depth in self._depths:
            channel = depth.channel
            if not channel:
                depth.pending.clear()
            elif not channel.every:
                channel.publish(self._changes([event], event.at))
            else:
                if channel.over(event.at) and depth.pending:
                    self._flush(depth)
                depth.pending.append(event)
        if self._book:
            self._best_changed(self._book, event.at)
        for channel in self._partials:
            if channel and channel.name.name in self._moved and channel.over(event.at):
                self._partial(channel, event.at)
            self._moved.add(channel.name.name)

    def _market_heard(self, event: MarketEvent) -> None:
        if type(event) is TradesJoined:
            if self._aggregates:
                self._aggregates.publish(self.encoder.aggregate(event.trade))
        elif type(event) is CandleClosed:
            for channel in self._klines:
                if channel and channel.name.argument == event.interval.name:
                    self._moved.discard(channel.name.name)
                    channel.publish(self.encoder.kline(event.candle, channel.name.argument, at=event.at, closed=True))

    def on_timer(self, now: int) -> None:
        """Send what is due."""
        for depth in self._depths:
            if depth.pending and depth.channel.over(now):
                self._flush(depth)
        for channel in self._partials:
            if channel and channel.name.name in self._moved and channel.over(now):
                self._partial(channel, now)
        for channel in self._klines:
            if channel and channel.name.name in self._moved and channel.over(now):
                self._kline(channel, now)
        for channel in self._regular:
            if channel and (channel.name.kind == "markPrice" or channel.name.name in self._moved) and channel.over(now):
                self._moved.discard(channel.name.name)
                channel.publish(self._regular_message(channel, now))

    # Messages.

    def _flush(self, depth: _Depth) -> None:
        depth.channel.publish(self._changes(depth.pending, depth.pending[-1].at))
        depth.pending.clear()

    def _changes(self, events: list[BookChanged], at: int) -> bytes:
        first, last = events[0], events[-1]
        if len(events) == 1:
            return self.encoder.depth(first.first_id, last.last_id, first.previous_id, first.bids, first.asks, at)
        bids: dict[Decimal, Decimal] = {}
        asks: dict[Decimal, Decimal] = {}
        for event in events:
            bids.update(event.bids)
            asks.update(event.asks)
        return self.encoder.depth(
            first.first_id,
            last.last_id,
            first.previous_id,
            sorted(bids.items(), reverse=True),
            sorted(asks.items()),
            at,
        )

    def _best_changed(self, channel: Channel, at: int) -> None:
        book = self._desk.exchange.book(self.symbol)
        bid, ask = book.top(Side.BUY) or _NOTHING, book.top(Side.SELL) or _NOTHING
        if (bid, ask) != self._shown:
            self._shown = bid, ask
            channel.publish(self.encoder.book_ticker(book.update_id, bid, ask, at))

    def best(self, at: int) -> bytes:
        """Return best prices and sizes as they stand."""
        book = self._desk.exchange.book(self.symbol)
        bid, ask = book.top(Side.BUY) or _NOTHING, book.top(Side.SELL) or _NOTHING
        return self.encoder.book_ticker(book.update_id, bid, ask, at)

    def _partial(self, channel: Channel, at: int) -> None:
        self._moved.discard(channel.name.name)
        book = self._desk.exchange.book(self.symbol).depth(int(channel.name.argument))
        event = self._last_book
        last = book.update_id
        first, previous = (event.first_id, event.previous_id) if event is not None else (last, last)
        channel.publish(self.encoder.partial(first, last, previous, book.bids, book.asks, at))

    def _kline(self, channel: Channel, at: int) -> None:
        self._moved.discard(channel.name.name)
        candle = self._desk.data(self.symbol).candles(channel.name.argument).forming
        if candle is not None:
            channel.publish(self.encoder.kline(candle, channel.name.argument, at=at, closed=False))

    def _regular_message(self, channel: Channel, now: int) -> bytes:
        kind = channel.name.kind
        if kind == "markPrice":
            return _encode(self.mark(now))
        if kind == "miniTicker":
            return _encode(self.mini_ticker(now))
        if kind == "avgPrice":
            found = self._desk.data(self.symbol).five_minutes(now)
            return self.encoder.average(found, now, found.closes)
        return _encode(self.ticker(now))

    def mark(self, now: int) -> dict[str, Any]:
        """Return mark price and funding as they stand."""
        return self.encoder.mark(latest_mark(self._desk, self.symbol, now), now)

    def mini_ticker(self, now: int) -> dict[str, Any]:
        """Return the short form of the last day."""
        return self.encoder.mini_ticker(self._desk.data(self.symbol).day(now), now)

    def ticker(self, now: int) -> dict[str, Any]:
        """Return the last day."""
        data = self._desk.data(self.symbol)
        book = self._desk.exchange.book(self.symbol)
        last = data.tape.trades[-1].size if data.tape.trades else None
        bid, ask = book.top(Side.BUY) or _NOTHING, book.top(Side.SELL) or _NOTHING
        return self.encoder.ticker(data.day(now), now, last, bid, ask)
