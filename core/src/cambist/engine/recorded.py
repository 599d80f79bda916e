"""What a kernel takes in and no journal keeps, as the rows of a recording and back.

A journal numbers its records without a gap, and what the market does is none of them. So a recording counts by itself,
and each of its rows says after which record of the journal it was taken in. Since a step's records are appended before
the next event comes, that orders the two wholly: a row that names record 7 came before record 8, and behind whatever
led to record 7; rows that name the same record stand in their own order. Neither stream needs the other to be numbered,
and one that is lost in part leaves no gap in the other.
"""

from __future__ import annotations

from itertools import chain
from math import nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.codec import CODEC
from cambist.engine.journaled import Recorder
from cambist.engine.market import MarketKernel
from cambist.model import effects as effect
from cambist.model import events as event
from cambist.model.bars import Bar
from cambist.model.books import BookUpdate
from cambist.model.market import Quote, Tick
from cambist.model.orders import PositionSide, Side
from cambist.model.portfolio import MarginChange
from cambist.model.trading_state import TradingChange, TradingState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.codec import Codec
    from cambist.engine.journaled import Append, Journaling
    from cambist.engine.step import Kernel
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order

__all__ = [
    "ASKED",
    "BAR_CLOSED",
    "BEGAN",
    "DAY",
    "ENDED",
    "OUTSIDE",
    "HistoryFed",
    "Recorded",
    "RecordingRecorder",
    "read_row",
]

#: What a row is, in its first place; then follow the record after which it came, its time, and its own fields.
BAR_CLOSED, _BAR_OPENED, _INSTANT_CLOSED, _REFUSED, _MARGIN, OUTSIDE, ENDED, _TRADING = range(8)
_TICK, _QUOTE, _BOOK, ASKED, DAY, FED, BEGAN, _LOST = range(8, 16)
_MARKED = 16


class HistoryFed(event.Event, eq=False):
    """The lines of series `series` take a bar of before the run; see `cambist.engine.resume.feed_history`."""

    series: int
    bar: Bar


_FIELDS: dict[type[event.Event], tuple[int, Callable[[Any], tuple[Any, ...]]]] = {
    event.BarClosed: (
        BAR_CLOSED,
        lambda one: (
            one.series,
            (bar := one.bar).ts,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
            *one.strategies,
        ),
    ),
    event.BarOpened: (_BAR_OPENED, lambda one: (one.series, one.price)),
    event.InstantClosed: (_INSTANT_CLOSED, lambda one: one.strategies),
    event.OrderRefused: (_REFUSED, lambda one: (one.order_id, one.reason)),
    event.MarginChanged: (_MARGIN, lambda one: _margin_fields(one.change)),
    event.TickReceived: (_TICK, lambda one: (*_tick_fields(one.stream, one.tick), *_own_time(one.ts, one.tick.ts))),
    event.QuoteReceived: (
        _QUOTE,
        lambda one: (
            one.stream,
            (quote := one.quote).bid,
            quote.ask,
            quote.bid_size,
            quote.ask_size,
            *_own_time(one.ts, quote.ts),
        ),
    ),
    event.BookReceived: (
        _BOOK,
        lambda one: (
            one.stream,
            one.update.is_snapshot,
            *chain.from_iterable(one.update.levels),
            *_own_time(one.ts, one.update.ts),
        ),
    ),
    event.MarkPriced: (_MARKED, lambda one: (one.symbol, one.price)),
    event.BookLost: (_LOST, lambda one: (one.stream, one.reason)),
    event.TradingStateChanged: (_TRADING, lambda one: _trading_fields(one.change)),
}


def _own_time(taken: int, own: int) -> tuple[int, ...]:
    """Return the venue's time of an event, where it is not that at which the run took it in."""
    return () if own == taken else (own,)


def _tick_fields(stream: int, tick: Tick) -> tuple[Any, ...]:
    return stream, tick.price, tick.size, 0 if tick.side is None else tick.side.sign


def _tick(
    ts: int, instrument: Instrument, stream: int, price: float, size: float, sign: int, own: int | None = None
) -> event.TickReceived:
    at = ts if own is None else own
    return event.TickReceived(ts, stream, Tick(instrument, at, price, size, _SIDES[sign]))


def _quote(ts: int, instrument: Instrument, stream: int, *fields: Any) -> event.QuoteReceived:
    *prices, at = fields if len(fields) == 5 else (*fields, ts)
    return event.QuoteReceived(ts, stream, Quote(instrument, at, *prices))


def _book(ts: int, instrument: Instrument, stream: int, is_snapshot: bool, *levels: Any) -> event.BookReceived:
    at = ts
    if len(levels) % 3:
        *levels, at = levels  # type: ignore[assignment]
    sides, prices, sizes = levels[::3], levels[1::3], levels[2::3]
    update = BookUpdate(instrument, at, is_snapshot, tuple(zip(sides, prices, sizes, strict=True)))
    return event.BookReceived(ts, stream, update)


_SIDES = {0: None, 1: Side.BUY, -1: Side.SELL}


def _margin_fields(change: MarginChange) -> tuple[Any, ...]:
    side = None if change.position_side is None else str(change.position_side)
    return change.ts, change.symbol, side, change.amount, change.leverage, change.reason, change.account


def _margin_changed(ts: int, *fields: Any) -> event.MarginChanged:
    asked, symbol, side, *rest = fields
    return event.MarginChanged(ts, MarginChange(asked, symbol, None if side is None else PositionSide(side), *rest))


def _trading_fields(change: TradingChange) -> tuple[Any, ...]:
    return change.ts, str(change.state), change.scope, change.reason, change.by, change.rule


def _trading_changed(ts: int, since: int, state: str, *fields: str) -> event.TradingStateChanged:
    return event.TradingStateChanged(ts, TradingChange(since, TradingState(state), *fields))


_MAKERS: dict[int, Callable[..., event.Event]] = {
    BAR_CLOSED: lambda ts, series, *fields: event.BarClosed(ts, series, Bar(*fields[:6]), fields[6:]),
    _BAR_OPENED: event.BarOpened,
    _INSTANT_CLOSED: lambda ts, *strategies: event.InstantClosed(ts, strategies),
    _REFUSED: event.OrderRefused,
    _MARGIN: _margin_changed,
    _TRADING: _trading_changed,
    _LOST: event.BookLost,
    _MARKED: event.MarkPriced,
    FED: lambda ts, series, *fields: HistoryFed(ts, series, Bar(*fields)),
}
#: The same of what a stream of trades, quotes or books shows, of its instrument too.
_STREAMS: dict[int, Callable[..., event.Event]] = {_TICK: _tick, _QUOTE: _quote, _BOOK: _book}


@attrs.frozen(slots=True)
class Recorded:
    """A row of a recording.

    Attributes
    ----------
    after
        Number of the last record that was in the journal.
    event
        What the kernel took in; None where the row is a mark.
    mark
        `BEGAN`: a run begins with the next record, or goes on with it after a restart. `OUTSIDE`: record number
        `record` was no wish of the kernel, somebody stopped the run. `ENDED`: the recording is
        whole, and so is the journal with record number `after`. `ASKED`: during event number `record`, counted from 1
        over journal and recording, a strategy asked where `order` stood in its line, and was told `answer`. `DAY`: that
        event belongs to the trading day of the bar that opened at `order`. -1 for an event.
    record, order, answer
        See `mark`.
    """

    after: int
    event: event.Event | None
    mark: int = -1
    record: int = 0
    order: int = 0
    answer: float = nan


def read_row(row: Sequence[Any], streams: Sequence[Instrument] = ()) -> Recorded:
    """Return what a row says; `streams` are the instruments of the trades, quotes and books, in declared order."""
    code, after, ts, *fields = row
    of_stream = _STREAMS.get(code)
    if of_stream is not None:
        return Recorded(after, of_stream(ts, streams[fields[0]], *fields))
    make = _MAKERS.get(code)
    return Recorded(after, None, code, *fields) if make is None else Recorded(after, make(ts, *fields))


class RecordingRecorder(Recorder):
    """A recorder that also records what the journal does not keep.

    Parameters
    ----------
    kernel, append
        See `Recorder`.
    record
        Takes a row.
    asked_outside
        Answers whether a run was asked from outside to stop, for that reason.
    """

    def __init__(
        self,
        kernel: Journaling,
        append: Append,
        record: Callable[[Sequence[Any]], None],
        asked_outside: Callable[[str], bool],
        codec: Codec = CODEC,
    ) -> None:
        super().__init__(kernel, append, codec)
        self._record, self._asked_outside = record, asked_outside
        self._events = 0
        self._markets = kernel.seats[0].desk.markets
        if isinstance(kernel, MarketKernel):
            kernel.queue_ahead = self._answering(kernel, kernel.queue_ahead)

    def _answering(self, kernel: Kernel, answer: Callable[[Order], float]) -> Callable[[Order], float]:
        """Return what answers a strategy as before, and notes that."""

        def ahead(order: Order) -> float:
            told = answer(order)
            self._record((ASKED, self.sequence, kernel.own_clock.now, self._events, order.id, told))
            return told

        return ahead

    def adopted(self, order: Order, ts: int) -> None:
        """Note an order that the venue sends by itself."""
        self._events += 1
        super().adopted(order, ts)

    def fact(self, happened: event.Event) -> None:
        """Note, in journal or recording, what the kernel is about to take in."""
        self._events += 1
        if self._markets is not None and self._markets.at is not None:
            self._record((DAY, self.sequence, happened.ts, self._events, self._markets.at))
        known = _FIELDS.get(type(happened))
        if known is None:
            super().fact(happened)
        else:
            code, fields = known
            self._record((code, self.sequence, happened.ts, *fields(happened)))
            if type(happened) is event.BarClosed:
                super().fact(happened)  # which may be the first of its series

    def intents(self, ts: int, wanted: Sequence[effect.Effect]) -> None:
        """Note what the kernel wants done; and mark what only stands among it because somebody stopped the run."""
        for one in wanted:
            if type(one) is effect.StopRun and self._asked_outside(one.reason):
                self._record((OUTSIDE, self.sequence, ts, self.sequence + len(self._drafts) + 1))
            super().intents(ts, (one,))

    def fed(self, series: int, bar: Bar) -> None:
        """Note a bar of before the run that the lines take."""
        fields = series, bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume
        self._record((FED, self.sequence, self._kernel.own_clock.now, *fields))

    def begin(self, ts: int) -> None:
        """Say that a run begins here, or goes on."""
        self._record((BEGAN, self.sequence, ts))

    def end(self) -> None:
        """Say that nothing is missing."""
        self._record((ENDED, self.sequence, 0))
