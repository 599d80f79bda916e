"""The fold: all that a run knows of its trading, made of the records of its journal and of nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cambist.engine import conversions as to
from cambist.engine.codec import CODEC
from cambist.engine.folded_accounts import FoldedAccounts
from cambist.errors import CambistError, OrderStateError, RecordError
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
    StopTrailed,
)
from cambist.model.portfolio import StockSplit
from cambist.orders.book import OrderBook, split_trails
from cambist.portfolio import StrategyShares
from cambist.risk import Holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.engine import records as record
    from cambist.engine.codec import Codec
    from cambist.engine.records import StrategyRun
    from cambist.model.events import OrderEvent
    from cambist.model.orders import Fill, Order
    from cambist.ports.journal import JournalEntry

__all__ = ["KEEP", "REASONED", "RunState"]

#: How many orders that have ended, closed trades and movements of cash a state keeps at least.
KEEP = 10_000

REASONED: dict[str, Callable[[int, int, str], OrderEvent]] = {
    "order_rejected": OrderRejected,
    "order_canceled": OrderCanceled,
    "order_expired": OrderExpired,
    "cancel_rejected": CancelRejected,
    "amend_rejected": AmendRejected,
    "outcome_unknown": OutcomeUnknown,
    "order_not_found": OrderNotFound,
}


class RunState(FoldedAccounts):
    """What a run knows of its trading after some record of its journal.

    Parameters
    ----------
    codec
        The types of records.
    keep
        How many orders that have ended, closed trades and movements of cash stay at least; up to twice as many do. The
        rest is in the journal, and in what is made of it.

    Attributes
    ----------
    instruments, portfolio, accounts, ledgers, opened, owners, rates, leaving, asked_margin
        See `FoldedAccounts`.
    sequence, ts
        Number and time of the last record.
    token, seed, strategies
        Of the run; see `RunBegan`.
    book, fills, splits
        Every order and execution that is kept, and every split since the last that is not; the book can be given to a
        kernel.
    shares
        What each strategy held when fills were forgotten last; None while all of them are there.
    states
        What each strategy keeps over a restart, encoded.
    timers
        Due times by name, ns, UTC.
    trading, rules, refusals, counts
        Holds on trading, what each risk rule remembers (encoded), refused orders by reason code, records by kind.
    anchors
        The first bar of each series, by symbol and timeframe.
    stopping, stopped
        Why the run is to end, and why it has ended as it should; None where neither is so.
    """

    def __init__(self, codec: Codec = CODEC, keep: int = KEEP) -> None:
        super().__init__()
        self._codec, self.keep = codec, keep
        self.sequence, self.ts = 0, 0
        self.token, self.seed = "", 0
        self.strategies: list[StrategyRun] = []
        self.book = OrderBook()
        self.fills: list[Fill] = []
        self.splits: list[StockSplit] = []
        self.shares: StrategyShares | None = None
        self.states: dict[str, bytes] = {}
        self.timers: dict[str, int] = {}
        self.trading = Holds()
        self.rules: dict[str, bytes] = {}
        self.refusals: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.anchors: dict[str, int] = {}
        self.stopping: str | None = None
        self.stopped: str | None = None
        self._ended = 0
        self._apply = _handlers(self)

    def apply_all(self, entries: Iterable[JournalEntry]) -> RunState:
        """Take records in their order; return this state.

        Raises
        ------
        RecordError
            If one does not follow the last, cannot be read, or does not fit what came before.
        """
        handlers, decode, counts = self._apply, self._codec.decode, self.counts
        for entry in entries:
            sequence = entry.sequence
            if sequence != self.sequence + 1:
                raise RecordError(
                    f"record {sequence} does not follow record {self.sequence}",
                    code="out_of_order",
                    sequence=sequence,
                    remedy="Read the journal from the record behind the state.",
                )
            kind = entry.kind
            fields = decode(entry)
            handler = handlers.get(kind)
            if handler is not None:
                try:
                    handler(entry.ts, fields)
                except OrderStateError:
                    pass  # the run met the same anomaly, and went on; the book has noted it
                except (CambistError, KeyError, ValueError) as error:
                    raise RecordError(
                        f"a {kind!r} does not fit what came before: {error}",
                        code="does_not_fit",
                        sequence=sequence,
                        remedy="Verify the journal; if it is whole, report this as a fault.",
                    ) from error
            counts[kind] += 1
            self.sequence, self.ts = sequence, entry.ts
        return self

    def apply(self, entry: JournalEntry) -> None:
        """Take one record; see `apply_all`."""
        self.apply_all((entry,))

    # Handlers, by kind; `_handlers` has the table.

    def run_started(self, _ts: int, began: record.RunBegan) -> None:
        """A run begins, or goes on."""
        self.token, self.seed, self.strategies = began.token, began.seed, began.strategies
        self.book.token = began.token
        self.stopping = self.stopped = None
        self.asked_margin.clear()

    def stop_requested(self, _ts: int, ended: record.RunEnded) -> None:
        """A run is to end."""
        self.stopping = ended.reason

    def run_stopped(self, _ts: int, ended: record.RunEnded) -> None:
        """A run has ended."""
        self.stopped = ended.reason

    def instrument_defined(self, _ts: int, defined: record.InstrumentDefined) -> None:
        """An instrument is new, or has new terms."""
        instrument = to.instrument_of(defined)
        self.redefine(instrument)
        self.instruments[instrument.symbol] = instrument

    def order_submitted(self, ts: int, terms: record.OrderTerms) -> None:
        """An order leaves for the venue."""
        self.book.submit(self._add(terms), ts)

    def order_refused(self, ts: int, terms: record.OrderTerms) -> None:
        """The risk gate refused an order."""
        self.book.reject(self._add(terms), ts, terms.reason)
        self.refusals[terms.reason.partition(":")[0]] += 1
        self._note_end()

    def _add(self, terms: record.OrderTerms) -> Order:
        order = to.order_of(terms, self.instruments[terms.symbol])
        if self.book.orders and order.id <= self.book.orders[-1].id:
            raise RecordError(f"order {order.id} was made before", code="does_not_fit", remedy="")
        return self.book.add(order)

    def cancel_requested(self, ts: int, note: record.OrderNote) -> None:
        """The venue is asked to withdraw an order."""
        self.book.request_cancel(self.book.get(note.order_id), ts)

    def amend_requested(self, ts: int, asked: record.AmendRequest) -> None:
        """The venue is asked for new terms."""
        self.book.request_amend(self.book.get(asked.order_id), ts)

    def amend_refused(self, ts: int, note: record.OrderNote) -> None:
        """The risk gate refused new terms."""
        self.book.request_amend(self.book.get(note.order_id), ts)
        self.book.apply(AmendRejected(ts, note.order_id, note.reason))
        self.refusals[note.reason.partition(":")[0]] += 1

    def order_event(self, event: OrderEvent) -> None:
        """Something happened to an order that moves no money."""
        order = self.book.apply(event)
        if order is not None and order.id not in self.book.open:
            self._note_end()

    def order_amended(self, ts: int, terms: record.NewTerms) -> None:
        """An order has new terms."""
        prices = to.float_of(terms.limit_price), to.float_of(terms.stop_price)
        self.order_event(OrderAmended(ts, terms.order_id, to.float_of(terms.size), *prices))

    def stop_trailed(self, ts: int, terms: record.NewTerms) -> None:
        """A stop has followed the price."""
        self.order_event(StopTrailed(ts, terms.order_id, to.float_of(terms.stop_price), to.float_of(terms.limit_price)))

    def order_resent(self, _ts: int, again: record.OrderResent) -> None:
        """An order is sent once more."""
        if again.number:
            self.book.resent[self.book.get(again.order_id).id] = again.number, float(again.carried)

    def orders_entrusted(self, _ts: int, entrusted: record.OrdersEntrusted) -> None:
        """The venue works orders, or no longer does."""
        self.book.entrust(entrusted.order_ids, entrusted.group, entrusted.state)

    def order_filled(self, ts: int, entry: record.FillEntry) -> None:
        """Some of an order traded."""
        fill: Any = None
        order = self.book.find(entry.order_id) or self.book.order_of(OrderFilled(ts, entry.order_id, fill))
        fill = to.fill_of(entry, order)
        if not self.book.fill(order, ts, fill):
            return
        self.fills.append(fill)
        self.book_fill(fill, order, entry)
        if order.id not in self.book.open:
            self._note_end()

    def shares_split(self, ts: int, split: record.Split) -> None:
        """Units have become more, or fewer."""
        super().shares_split(ts, split)
        ratio = float(split.ratio)
        self.splits.append(StockSplit(ts, split.symbol, ratio, to.float_of(split.price) / ratio, len(self.fills)))
        split_trails(self.book.open.values(), split.symbol, float(split.ratio))

    def timer_set(self, _ts: int, timer: record.TimerSet) -> None:
        """A timer is set, or forgotten."""
        if timer.due is None:
            self.timers.pop(timer.name, None)
        else:
            self.timers[timer.name] = timer.due

    def timer_fired(self, _ts: int, timer: record.TimerDue) -> None:
        """A timer fired."""
        self.timers.pop(timer.name, None)

    def strategy_state(self, _ts: int, kept: record.StrategyState) -> None:
        """A strategy's state has changed."""
        self.states[kept.strategy] = kept.state

    def trading_state(self, ts: int, state: record.TradingState) -> None:
        """What may be traded has changed."""
        self.trading.take(to.trading_change_of(ts, state))

    def risk_state(self, _ts: int, kept: record.RiskState) -> None:
        """What a risk rule remembers has changed."""
        self.rules[kept.rule] = kept.state

    def series_anchored(self, _ts: int, anchor: record.SeriesAnchored) -> None:
        """A series begins with that bar."""
        self.anchors[f"{anchor.symbol} {anchor.timeframe}"] = anchor.ts

    # What need not be kept.

    def begin_shares(self) -> StrategyShares:
        """Return the shares of the run's strategies before its first fill."""
        names = [one.name for one in self.strategies] or [order.strategy for order in self.book.orders]
        owners = {name: self.owners.get(name, "") for name in names}
        return StrategyShares.of(self.accounts, owners, self.book.get)

    def _note_end(self) -> None:
        book, keep = self.book, self.keep
        if len(book.orders) - len(book.open) <= 2 * keep:
            return
        shares = self.shares = self.shares or self.begin_shares()
        shares.catch_up(self.fills, self.splits)
        gone = book.retire(keep)
        self.fills = [fill for fill in self.fills if fill.order_id not in gone]
        self.splits.clear()
        shares.forget(len(self.fills), 1)
        self.forget(keep)
        del book.anomalies[:-keep]


def _handlers(state: RunState) -> dict[str, Callable[[int, Any], None]]:
    """Return who takes each kind of record."""

    def reasoned(make: Callable[[int, int, str], OrderEvent]) -> Callable[[int, Any], None]:
        return lambda ts, note: state.order_event(make(ts, note.order_id, note.reason))

    return {
        **{kind: reasoned(make) for kind, make in REASONED.items()},
        "order_accepted": lambda ts, note: state.order_event(OrderAccepted(ts, note.order_id)),
        "order_triggered": lambda ts, note: state.order_event(OrderTriggered(ts, note.order_id)),
        "order_adopted": state.order_submitted,
        **{
            kind: getattr(state, kind)
            for kind in (
                "run_started",
                "stop_requested",
                "run_stopped",
                "instrument_defined",
                "account_opened",
                "rates_noted",
                "order_submitted",
                "order_refused",
                "cancel_requested",
                "amend_requested",
                "amend_refused",
                "order_amended",
                "stop_trailed",
                "order_resent",
                "orders_entrusted",
                "order_filled",
                "cash_moved",
                "cash_requested",
                "margin_changed",
                "margin_requested",
                "dividend_paid",
                "shares_split",
                "timer_set",
                "timer_fired",
                "strategy_state",
                "trading_state",
                "risk_state",
                "series_anchored",
            )
        },
    }
