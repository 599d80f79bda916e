"""Kernels that journal: each step's facts, intents and strategy states go into one commit before anything leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.engine import conversions as to
from cambist.engine import records as record
from cambist.engine.account_opening import account_records, rates_of
from cambist.engine.aside import AsideRecords
from cambist.engine.codec import CODEC
from cambist.engine.market import MarketKernel
from cambist.engine.opening import OpeningKernel
from cambist.engine.step import Kernel
from cambist.engine.strategy_state import encode_state
from cambist.engine.trading_control import COMMANDS
from cambist.model import effects as effect
from cambist.model import events as event
from cambist.model.legs import leg_key
from cambist.model.orders import ApprovedOrder
from cambist.portfolio import MarginPortfolio, MultiAssetPortfolio
from cambist.portfolio.exact import exact
from cambist.portfolio.margin import LIQUIDATED
from cambist.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from decimal import Decimal

    from cambist.engine.codec import Codec
    from cambist.model.orders import Order
    from cambist.model.portfolio import CashFlow, MarginChange
    from cambist.ports.journal import Draft

    Append = Callable[[Sequence[Draft]], int]

__all__ = ["JournaledKernel", "JournaledMarketKernel", "JournaledOpeningKernel", "Journaling", "Recorder"]

_NOTES: dict[type[event.Event], str] = {
    event.OrderAccepted: "order_accepted",
    event.OrderRejected: "order_rejected",
    event.OrderTriggered: "order_triggered",
    event.OrderCanceled: "order_canceled",
    event.OrderExpired: "order_expired",
    event.CancelRejected: "cancel_rejected",
    event.AmendRejected: "amend_rejected",
    event.OutcomeUnknown: "outcome_unknown",
    event.OrderNotFound: "order_not_found",
}
_MONEY = frozenset({event.OrderFilled, event.CashMoved, event.DividendPaid, event.SharesSplit})


class Recorder(AsideRecords):
    """Makes records of what a kernel takes in and wants done.

    Parameters
    ----------
    kernel
        Whose.
    append
        Takes the records of a step, which belong together, and returns the number of the last one.

    Attributes
    ----------
    sequence
        Number of the last record: what the effects of the last step wait for.
    keeps_states
        Whether it notes what strategies keep; not as long as those of a run that goes on were not given theirs back.
    """

    def __init__(self, kernel: Journaling, append: Append, codec: Codec = CODEC) -> None:
        self._kernel, self._append, self._codec = kernel, append, codec
        self.sequence, self.keeps_states = 0, True
        self._drafts: list[Draft] = []
        self._known = 0  # id of the newest order that is journalled
        self._signals = len(kernel.signals)  # how many that were noted are journalled
        self._anomalies = len(kernel.book.anomalies)  # how many of the book's have been told
        self._states: dict[str, bytes] = {}
        self._rules: dict[str, bytes] = {}
        self._unanchored = _unanchored(kernel, ())
        pockets = [pocket for books in kernel.accounts.values() for pocket in books.pockets.values()]
        self._changes: list[list[MarginChange]] = [
            changes
            for pocket in pockets
            if isinstance(pocket, MarginPortfolio)
            for changes in (pocket.margin_changes, pocket.refused_changes)
        ]
        first = next(iter(kernel.accounts.values()))  # all accounts know the same rates
        self._in_assets = first if isinstance(first, MultiAssetPortfolio) else None
        self._rates: dict[str, Decimal] = {}
        self._noted = [len(changes) for changes in self._changes]  # those of before a restart are journalled
        self._keepers = [seat.strategy for seat in kernel.seats if _keeps_state(seat.strategy)]
        self._facts: dict[type[event.Event], Callable[[Any], None]] = {
            **dict.fromkeys(_NOTES, self._note),
            event.RunStarted: self._run_started,
            event.RunStopped: lambda one: self.write("run_stopped", one.ts, record.RunEnded(one.reason)),
            event.OrderFilled: self._filled,
            event.OrderAmended: self._amended,
            event.StopTrailed: self._trailed,
            event.TimerFired: lambda one: self.write("timer_fired", one.ts, record.TimerDue(one.name, one.due)),
            event.CashMoved: self._asked_cash,
            event.DividendPaid: self._dividend,
            event.SharesSplit: self._split,
            event.BarClosed: self._anchor,
            event.OperatorCommand: lambda one: self._command(one.ts, one.name, dict(one.arguments), one.by),
            event.TradingStateRequested: self._trading_state_requested,
        }
        self._intents: dict[type[Any], Callable[[int, Any], None]] = {
            ApprovedOrder: self._submitted,
            effect.CancelOrder: lambda ts, one: self.write("cancel_requested", ts, record.OrderNote(one.order_id)),
            effect.AmendOrder: self._amend,
            effect.ReportRefusal: self._refusal,
            effect.ReportTradingState: self._trading_state,
            effect.SetTimer: lambda ts, one: self.write("timer_set", ts, record.TimerSet(one.name, one.due)),
            effect.ChangeMargin: self._margin_request,
            effect.StopRun: lambda ts, one: self.write("stop_requested", ts, record.RunEnded(one.reason)),
            effect.MoveCash: self._cash_request,
        }

    def go_on_from(
        self, sequence: int, newest_order: int, states: Mapping[str, bytes], anchors: Container[str] = ()
    ) -> None:
        """Go on behind what a journal holds: its last record, its newest order, what strategies kept, its anchors."""
        self.sequence, self._known, self._unanchored = sequence, newest_order, _unanchored(self._kernel, anchors)
        self._states.update(states)

    def forgotten(self, signals: int, anomalies: int) -> None:
        """Learn that so many of the oldest signals and anomalies are kept no more, all of which are journalled."""
        self._signals -= signals
        self._anomalies -= anomalies

    def anchored(self, ts: int, series: int, first: int) -> None:
        """Note the bar (its open time, ns) that the lines of a series begin with, or begin with anew."""
        self._note_anchor(ts, series, first)
        self.commit()

    def _note_anchor(self, ts: int, series: int, first: int) -> None:
        self._unanchored.discard(series)
        instrument, timeframe = self._kernel.series[series]
        self.write("series_anchored", ts, record.SeriesAnchored(instrument.symbol, str(timeframe), first))

    def write(self, kind: str, ts: int, fields: Any) -> None:
        """Add a record to the commit of the step."""
        self._drafts.append(self._codec.encode(kind, ts, fields))

    def commit(self) -> None:
        """Append what was added, if anything was."""
        if self._drafts:
            drafts, self._drafts = self._drafts, []
            self.sequence = self._append(drafts)

    # Facts: what happened.

    def fact(self, happened: event.Event) -> None:
        """Note what the kernel is about to take in; what the market does is no part of a journal."""
        make = self._facts.get(type(happened))
        if make is not None:
            make(happened)

    def _run_started(self, started: event.RunStarted) -> None:
        kernel = self._kernel
        for position in kernel.portfolio.positions.values():
            self.write("instrument_defined", started.ts, to.instrument_record(position.instrument))
        for opened in account_records(kernel.portfolio, [seat.strategy.name for seat in kernel.seats]):
            self.write("account_opened", started.ts, opened)
            self._rates = opened.rates
        strategies = [
            record.StrategyRun(
                seat.strategy.name,
                type(seat.strategy).__name__,
                {name: str(value) for name, value in seat.strategy.params.items()},
            )
            for seat in kernel.seats
        ]
        self.write("run_started", started.ts, record.RunBegan(started.token, started.seed, strategies, True))

    def _note(self, happened: Any) -> None:
        note = record.OrderNote(happened.order_id, getattr(happened, "reason", ""))
        self.write(_NOTES[type(happened)], happened.ts, note)

    def _filled(self, filled: event.OrderFilled) -> None:
        kernel, fill = self._kernel, filled.fill
        order = kernel.book.find(filled.order_id)
        if order is None:  # the book will say what is wrong
            self.write("order_filled", filled.ts, to.fill_record(fill, kernel.instant))
            return
        books = kernel.accounts[kernel.owners[order.strategy]]
        payment = fill.fee_payment  # of a venue that says so itself
        if isinstance(books, MultiAssetPortfolio) and books.fee_asset:
            payment = books.fee_payment(fill)
        made = to.fill_record(fill, kernel.instant, payment)
        pocket = books.pocket(order.instrument.settle)
        if isinstance(pocket, MarginPortfolio):
            reason = pocket.closing(leg_key(order.instrument.symbol, order.position_side))
            if reason:
                mark = to.decimal_of(pocket.liquidations[-1].mark) if reason == LIQUIDATED else None
                made = msgspec.structs.replace(made, closed_by=reason, mark=mark)
        self.write("order_filled", filled.ts, made)

    def _amended(self, amended: event.OrderAmended) -> None:
        prices = to.decimal_of(amended.limit_price), to.decimal_of(amended.stop_price)
        self.write("order_amended", amended.ts, record.NewTerms(amended.order_id, exact(amended.size), *prices))

    def _trailed(self, trailed: event.StopTrailed) -> None:
        prices = to.decimal_of(trailed.limit_price), to.decimal_of(trailed.stop_price)
        self.write("stop_trailed", trailed.ts, record.NewTerms(trailed.order_id, None, *prices))

    def _asked_cash(self, moved: event.CashMoved) -> None:
        self._cash(moved.ts, moved.flow, asked=not moved.flow.reference)

    def _cash(self, ts: int, flow: CashFlow, *, asked: bool) -> None:
        self.write("cash_moved", ts, to.cash_record(flow, self._kernel.instant, asked=asked))

    def _cash_request(self, ts: int, asked: effect.MoveCash) -> None:
        flow = asked.flow
        asset = "" if self._in_assets is None else flow.asset
        self.write("cash_requested", ts, record.CashRequest(exact(flow.amount), asset, flow.account))

    def _margin_request(self, ts: int, asked: effect.ChangeMargin) -> None:
        """Note a change that waits for its venue; one that is carried out at once is noted when it is."""
        if self._kernel.seats[0].desk.is_live:
            self.write("margin_requested", ts, to.margin_record(asked.change))

    def _dividend(self, paid: event.DividendPaid) -> None:
        self.write("dividend_paid", paid.ts, record.Dividend(paid.symbol, exact(paid.amount), self._kernel.instant))

    def _split(self, split: event.SharesSplit) -> None:
        kernel = self._kernel
        position = kernel.portfolio.positions[split.symbol]
        # Before the first close each account goes by its own last fill.
        price = position.last_price if len(kernel.accounts) == 1 else position.price_source()
        said = record.Split(split.symbol, exact(split.ratio), to.decimal_of(price), kernel.instant)
        self.write("shares_split", split.ts, said)

    def _anchor(self, closed: event.BarClosed) -> None:
        """Note the first bar of a series; once each has one, no bar is looked at any more."""
        if closed.series in self._unanchored:
            self._note_anchor(closed.ts, closed.series, closed.bar.ts)
        if not self._unanchored:
            del self._facts[event.BarClosed]

    def _command(self, ts: int, name: str, arguments: dict[str, Any], by: str) -> None:
        self.write("operator_command", ts, record.OperatorCommand(name, arguments, by))

    def _trading_state_requested(self, asked: event.TradingStateRequested) -> None:
        """Note a request as the command that does the same."""
        name = next(name for name, state in COMMANDS.items() if state is asked.state)
        arguments = {"scope": asked.scope, "reason": asked.reason, "orders": str(asked.orders), "rule": asked.rule}
        self._command(asked.ts, name, arguments, asked.by)

    def booked(self, ts: int, flows: Sequence[CashFlow]) -> None:
        """Note what the bookkeeper booked."""
        for flow in flows:
            self._cash(ts, flow, asked=False)

    def money_moved(self, ts: int) -> None:
        """Note what assets are worth by now, in an account that holds several."""
        if self._in_assets is None:
            return
        now = rates_of(self._in_assets)
        changed = {asset: rate for asset, rate in now.items() if self._rates.get(asset) != rate}
        if changed:
            self._rates = now
            self.write("rates_noted", ts, record.RatesNoted(changed))

    def margin_changed(self, ts: int) -> None:
        """Note margin that was moved since the last time, leverage that was changed, and what of it was refused."""
        for number, changes in enumerate(self._changes):
            for change in changes[self._noted[number] :]:
                self.write("margin_changed", ts, to.margin_record(change))
            self._noted[number] = len(changes)

    def adopted(self, order: Order, ts: int) -> None:
        """Note an order that the venue sends by itself."""
        self.write("order_adopted", ts, to.terms_record(order))
        self._known = order.id
        self.commit()

    # Intents: what is to be done.

    def intents(self, ts: int, wanted: Sequence[effect.Effect]) -> None:
        """Note what the kernel wants done."""
        for one in wanted:
            self._intents[type(one)](ts, one)

    def _submitted(self, ts: int, approved: ApprovedOrder) -> None:
        self._drafts.append(self.submission(ts, approved.order))
        self._known = approved.order.id

    def submission(self, ts: int, order: Order) -> Draft:
        """Return the record of an order that is to leave; it is added to nothing."""
        book = self._kernel.book
        client_id = book.client_id(order) if book.token.isalnum() else ""
        return self._codec.encode("order_submitted", ts, to.terms_record(order, client_id, decided=self._price(order)))

    def _price(self, order: Order) -> float:
        """Return the last price of an order's instrument to its account, NaN before the first."""
        books = self._kernel.accounts[self._kernel.owners[order.strategy]]
        return books.positions[order.instrument.symbol].price_source()

    def _amend(self, ts: int, asked: effect.AmendOrder) -> None:
        prices = to.decimal_of(asked.limit_price), to.decimal_of(asked.stop_price)
        self.write("amend_requested", ts, record.AmendRequest(asked.order_id, exact(asked.size), *prices))

    def _refusal(self, ts: int, refusal: effect.ReportRefusal) -> None:
        order = self._kernel.book.get(refusal.order_id)
        if order.id > self._known:
            self.write("order_refused", ts, to.terms_record(order, reason=refusal.reason, decided=self._price(order)))
            self._known = order.id
        else:
            self.write("amend_refused", ts, record.OrderNote(order.id, refusal.reason))

    def _trading_state(self, ts: int, told: effect.ReportTradingState) -> None:
        self.write("trading_state", ts, to.trading_record(told.change))

    def signals(self) -> None:
        """Note what strategies wanted remembered since the last time."""
        noted = self._kernel.signals
        if len(noted) > self._signals:
            for ts, strategy, name, symbol, value in noted[self._signals :]:
                number, text = (None, value) if isinstance(value, str) else (value, "")
                self.write("signal_noted", ts, record.SignalNoted(strategy, name, symbol, number, text))
            self._signals = len(noted)

    def anomalies(self, ts: int) -> None:
        """Raise an alert for each order event since the last time that did not fit the state of its order."""
        noted = self._kernel.book.anomalies
        for one in noted[self._anomalies :]:
            alert = record.AlertRaised("critical", "order_anomaly", one.message, f"order {one.order_id}", "order book")
            self.write("alert_raised", ts, alert)
        self._anomalies = len(noted)

    def states(self, ts: int) -> None:
        """Note what risk rules and strategies keep over a restart, where it has changed."""
        for name, kept in self._kernel.monitors.states().items():
            if self._rules.get(name) != kept:
                self._rules[name] = kept
                self.write("risk_state", ts, record.RiskState(name, kept))
        for strategy in self._keepers if self.keeps_states else ():
            state = self._kernel.state_of(strategy)
            if state is not None and self._states.get(strategy.name) != state:
                self._states[strategy.name] = state
                self.write("strategy_state", ts, record.StrategyState(strategy.name, state))


def _unanchored(kernel: Kernel, anchors: Container[str]) -> set[int]:
    """Return the numbers of the series whose first bar is not journalled."""
    names = (f"{instrument.symbol} {timeframe}" for instrument, timeframe in kernel.series)
    return {number for number, name in enumerate(names) if name not in anchors}


def _keeps_state(strategy: Strategy) -> bool:
    return bool(strategy.persistent) or type(strategy).save_state is not Strategy.save_state


class Journaling(Kernel):
    """What the kernels that journal have in common. Set `recorder` before the first step."""

    recorder: Recorder

    def step(self, event_: event.Event) -> list[effect.Effect]:
        """Take one event, journal it with what it leads to, and return what is to be done.

        None of it may be done before the journal says that ``recorder.sequence`` is safe.
        """
        recorder = self.recorder
        recorder.fact(event_)
        known = len(self.portfolio.cash_flows)
        try:
            wanted = super().step(event_)
        except BaseException:
            recorder.signals()
            recorder.anomalies(event_.ts)
            recorder.commit()  # what happened has happened; what was wanted is not going to be done
            raise
        flows = self.portfolio.cash_flows[known:] if type(event_) is event.TimerFired else []
        recorder.booked(event_.ts, flows)
        if flows or type(event_) in _MONEY:
            recorder.money_moved(event_.ts)
        recorder.margin_changed(event_.ts)
        recorder.intents(event_.ts, wanted)
        recorder.signals()
        if self.book.anomalies:
            recorder.anomalies(event_.ts)
        recorder.states(event_.ts)
        recorder.commit()
        return wanted

    def state_of(self, strategy: Strategy) -> bytes | None:
        """Return what a strategy keeps over a restart; None where what it kept last stands."""
        return encode_state(strategy.name, strategy.save_state())

    def adopted(self, order: Order, ts: int) -> None:
        """See `Kernel.adopted`; the order is journalled."""
        self.recorder.adopted(order, ts)


class JournaledKernel(Journaling):
    """`Kernel`, journalled."""


class JournaledOpeningKernel(Journaling, OpeningKernel):
    """`OpeningKernel`, journalled."""


class JournaledMarketKernel(Journaling, MarketKernel):
    """`MarketKernel`, journalled."""
