"""The side of the kernel that faces one strategy."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import attrs

from cambist.engine.money import MoneyDesk
from cambist.errors import OrderError
from cambist.model.effects import AmendOrder, CancelOrder, ReportRefusal, SetTimer, StopRun
from cambist.model.events import AmendRejected
from cambist.model.orders import ApprovedOrder, Order, OrderStatus, OrderType, Side, TimeInForce, Trail
from cambist.model.signals import Signal
from cambist.orders.machine import request_cancel, submit
from cambist.orders.triggers import first_stop, limit_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from random import Random

    from cambist.engine.step import Kernel
    from cambist.model.bars import Bars
    from cambist.model.instrument import Grid, Instrument
    from cambist.model.orders import Instructions
    from cambist.model.portfolio import Account, Position, Trade
    from cambist.model.trading_state import TradingState
    from cambist.ports.risk import Refusal
    from cambist.risk.guard import Reviewer
    from cambist.simulation.market_rules import RuledMarkets
    from cambist.strategies.schedules import Schedule

__all__ = ["Desk"]

_MARKET = OrderType.MARKET
_BUY = Side.BUY
_PENDING_CANCEL = OrderStatus.PENDING_CANCEL


class Desk(MoneyDesk):
    """Takes one strategy's requests: makes orders, has the gate review them, and leaves effects.

    Parameters
    ----------
    kernel
        Whose clock, account, order book and gate to use.
    name
        Of the strategy.

    Attributes
    ----------
    instrument
        What is meant when a request names no instrument; None when that would be a guess.
    positions
        By symbol.
    equity_in, cash_in
        Answer equity and cash in the asset in which an instrument settles.
    markets
        The rules of the markets, None where there are none.
    refusing
        Why orders cannot be sent now, ``""`` when they can.
    is_live
        Whether the run trades as time goes by, live or on paper.
    """

    __slots__ = (
        *("_account", "_book", "_books", "_gate", "_kernel", "_view", "cash_in", "equity_in"),
        *("instrument", "is_live", "markets", "name", "positions", "refusing"),
    )

    def __init__(self, kernel: Kernel, name: str) -> None:
        self._kernel = kernel
        self._book = kernel.book
        self._gate: Reviewer = kernel.gate
        self._view = kernel.view_of(name)
        self._account = kernel.owners[name]
        self._books = kernel.accounts[self._account]
        self.name = name
        self.positions: Mapping[str, Position] = self._books.positions
        self.equity_in: Callable[[Instrument], float] = self._books.equity_in
        self.cash_in: Callable[[Instrument], float] = self._books.cash_in
        self.instrument: Instrument | None = None
        self.refusing, self.is_live = "", False
        self.markets: RuledMarkets | None = None

    def reviewed_by(self, gate: Reviewer) -> None:
        """Have orders reviewed by another gate from here on."""
        self._gate = gate

    @property
    def trading_state(self) -> TradingState:
        """What the strategy may do, in the instrument that is being delivered where there is one."""
        return self._kernel.trading.state_for(self.name, self.instrument)

    @property
    def now(self) -> int:
        """Engine time, ns, UTC."""
        return self._kernel.clock.read()

    @property
    def current(self) -> Instrument:
        """The instrument of the bar, order or fill being delivered.

        Raises
        ------
        OrderError
            Where there is none, and the run has several.
        """
        if self.instrument is None:
            raise OrderError(
                "this run has several instruments and none of them is being delivered here; "
                "name one: self.buy(data='BTCUSDT')."
            )
        return self.instrument

    @property
    def cash(self) -> float:
        """Cash of the account."""
        return self._books.cash

    @property
    def equity(self) -> float:
        """Equity of the account at last prices."""
        return self._books.equity

    @property
    def chance(self) -> Random:
        """The run's seeded source of chance."""
        return self._kernel.chance

    def account(self) -> Account:
        """Return a snapshot of the account."""
        return self._books.account()

    @property
    def own_positions(self) -> Mapping[str, Position]:
        """What this strategy's own fills come to, by symbol."""
        return self._kernel.shares.of(self.name).positions

    def queue_ahead(self, order: Order) -> float:
        """Return the size of others that stands before an order in a recorded book; NaN elsewhere."""
        return self._kernel.queue_ahead(order)

    def free_funds(self, instrument: Instrument) -> float:
        """Return the notional of `instrument` that the account could still open."""
        return self._books.free_notional(instrument)

    def missing_funds(self, instrument: Instrument, size: float, price: float, cushion: float = 0.0) -> float:
        """Return what the account lacks to trade a signed `size` at `price` beside the orders under way."""
        return self._view.missing_to_trade(instrument, size, price, cushion)

    def expected_fee(self, instrument: Instrument, size: float, price: float) -> float:
        """Return the fee to reckon with for `size` at `price`."""
        return self._view.expected_fee(instrument, size, price)

    def expected_position(self, instrument: Instrument) -> float:
        """Return the signed size that will be held once the market orders under way have traded."""
        return self._view.expected_position(instrument)

    def sellable(self, instrument: Instrument) -> float:
        """Return how much of a long position may be sold now; 0 where there is none."""
        position = self.positions[instrument.symbol]
        return max(0.0, position.size) if self.markets is None else self.markets.sellable(position)

    @property
    def closed_trades(self) -> Sequence[Trade]:
        """Closed trades that this strategy opened, oldest first."""
        return self._books.trades.closed_by(self.name)

    def history(self, instrument: Instrument, count: int) -> Bars | None:
        """Return the last `count` bars that have closed, fewer where there were no more; None before the first."""
        return self._kernel.history(self.name, instrument, count)

    def price(self, instrument: Instrument) -> float:
        """Return the last close; NaN before the first."""
        return self._books.positions[instrument.symbol].price_source()

    def open_orders(self) -> Iterable[Order]:
        """Return this strategy's working orders, oldest first."""
        name = self.name
        return [order for order in self._book.open.values() if order.strategy == name]

    def send(
        self,
        instrument: Instrument,
        side: Side,
        kind: OrderType,
        size: float,
        limit_price: float,
        stop_price: float,
        time_in_force: TimeInForce,
        expires_at: int,
        reduce_only: bool,
        tag: str,
        instructions: Instructions | None = None,
    ) -> Order:
        """Make an order on the instrument's grid and send it through the risk gate.

        A size is rounded down, a limit price in the trader's favor, a stop price to the nearest tick. A trailing order
        without a stop begins to follow the price where the market stands now, or where it stands when its parent
        trades.
        """
        if self.refusing:
            raise OrderError(f"orders cannot be sent {self.refusing}.")
        kernel, book = self._kernel, self._book
        rounded = instrument.size_grid.below(size)
        if instructions is not None:
            if instructions.parent and instructions.parent not in book.open:
                instructions = self._untied(instructions)
            if instructions.position_side is not None and side is not instructions.position_side.opens:
                reduce_only = True  # one side of a hedged position is never turned into the other
            if instructions.trail is not None:
                stop_price, limit_price = self._trailing(instrument, side, stop_price, instructions)
        if kind is not _MARKET and instrument.price_grid is not None:
            limit_price, stop_price = _noted(kernel, instrument, side, limit_price, stop_price)
        now, next_id = kernel.clock.read(), book.next_id
        order = Order(
            next_id(),
            instrument,
            side,
            kind,
            rounded,
            limit_price,
            stop_price,
            time_in_force,
            expires_at,
            reduce_only,
            self.name,
            tag,
            now,
            now,
        )
        if instructions is not None:
            order.instructions = instructions
        book.add(order)
        verdict = self._gate.review(order, self._view)
        if isinstance(verdict, ApprovedOrder):
            submit(order, now)
            kernel.effects.append(verdict)
        else:
            self._refused(order, verdict, size, now)
        return order

    def _refused(self, order: Order, refusal: Refusal, asked: float, now: int) -> None:
        """Tell of a new order that the gate does not let through; `asked` is the size before it was rounded."""
        reason = f"{refusal.code}: {refusal.message}"
        if order.size != asked:
            reason += f" (asked for {asked}, rounded down to the step)"
        self._book.reject(order, now, reason)
        self._kernel.effects.append(ReportRefusal(order.id, reason))
        self._kernel.trading.refused(refusal)

    def _untied(self, instructions: Instructions) -> Instructions:
        """Take off the tie to a parent that has traded in full: there is nothing left to wait for."""
        parent = self._book.find(instructions.parent)
        if parent is not None and parent.status is OrderStatus.FILLED:
            return attrs.evolve(instructions, parent=0)
        return instructions

    def _trailing(
        self, instrument: Instrument, side: Side, stop: float, instructions: Instructions
    ) -> tuple[float, float]:
        """Return the stop and the limit of a trailing order; NaN where they wait for its parent to trade."""
        trail = instructions.trail or Trail()
        parent = self._book.find(instructions.parent) if instructions.parent else None
        if isnan(stop) and (parent is None or parent.filled > 0.0):
            price = self._view.market_price(instrument)
            if isnan(price):
                raise OrderError(f"{instrument.symbol} has no price yet to trail; give the first stop price as stop=.")
            stop = first_stop(side, trail, instrument, price)
        return stop, nan if isnan(stop) else limit_behind(side, trail, instrument, stop)

    def cancel(self, order: Order) -> None:
        """Ask for what remains of an order to be withdrawn; nothing happens to one that has ended."""
        if order.id in self._book.open and order.status is not _PENDING_CANCEL:
            request_cancel(order, self._kernel.clock.read())
            self._kernel.effects.append(CancelOrder(order.id))

    def modify(self, order: Order, size: float, limit_price: float, stop_price: float) -> None:
        """Ask for new terms, rounded to the grid as in `send` and reviewed by the risk gate like a new order.

        What the gate refuses leaves the order as it was, with the refusal as its `reason`.

        Raises
        ------
        OrderError
            If the order has ended, or another change of it is under way.
        """
        if order.status in _PENDING or not order.is_open:
            raise OrderError(f"order {order.id} is {order.status} and cannot be modified; look at order.status first.")
        instrument = order.instrument
        if instrument.price_grid is not None:
            limit_price, stop_price = _on_tick(instrument.price_grid, order.side, limit_price, stop_price)
        kernel, size = self._kernel, instrument.round_size(size)
        proposal = attrs.evolve(
            order, size=size, limit_price=limit_price, stop_price=stop_price, status=OrderStatus.CREATED
        )
        verdict = self._gate.review(proposal, self._view.amending(order))
        now = kernel.clock.read()
        self._book.request_amend(order, now)
        if isinstance(verdict, ApprovedOrder):
            kernel.effects.append(AmendOrder(order.id, size, limit_price, stop_price))
        else:
            reason = f"{verdict.code}: {verdict.message}"
            self._book.apply(AmendRejected(now, order.id, reason))
            kernel.effects.append(ReportRefusal(order.id, reason))
            kernel.trading.refused(verdict)

    def record_signal(self, name: str, value: float | str, symbol: str) -> None:
        """Note a value."""
        kernel = self._kernel
        kernel.signals.append(Signal(kernel.clock.read(), self.name, name, symbol, value))

    def set_timer(self, name: str, due: int | None) -> None:
        """Ask for ``on_timer(name)``."""
        timer = f"{self.name}/{name}"
        self._kernel.agenda.forget(timer)
        self._kernel.effects.append(SetTimer(timer, due))

    def schedule(self, name: str, rule: Schedule, instrument: Instrument | None) -> None:
        """Ask for ``on_timer(name)`` whenever `rule` says so."""
        timer, kernel = f"{self.name}/{name}", self._kernel
        kernel.effects.append(SetTimer(timer, kernel.agenda.add(timer, rule, instrument, kernel.clock.read())))

    @property
    def timer_due(self) -> int:
        """When the timer that fired last was due, ns, UTC."""
        return self._kernel.agenda.due

    def stop(self, reason: str) -> None:
        """End the run after this instant."""
        self._kernel.effects.append(StopRun(reason))


def _on_tick(grid: Grid, side: Side, limit_price: float, stop_price: float) -> tuple[float, float]:
    """Return a limit rounded in the trader's favor and a stop rounded to the nearest tick; NaN is left alone."""
    if not isnan(limit_price):
        limit_price = grid.below(limit_price) if side is _BUY else grid.above(limit_price)
    if not isnan(stop_price):
        stop_price = grid.nearest(stop_price)
    return limit_price, stop_price


def _noted(kernel: Kernel, instrument: Instrument, side: Side, limit: float, stop: float) -> tuple[float, float]:
    """Return prices on the tick, and count the orders whose prices were off it by more than float noise."""
    assert instrument.price_grid is not None
    asked, got = (limit, stop), _on_tick(instrument.price_grid, side, limit, stop)
    tick = float(instrument.tick_size or 0)
    if any(abs(one - other) > tick * _NOISE for one, other in zip(asked, got, strict=True)):
        kernel.roundings[instrument.symbol] += 1
    return got


#: A price this near to the grid, in ticks, was meant to be on it.
_NOISE = 1e-6
_PENDING = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE, OrderStatus.UNKNOWN})
