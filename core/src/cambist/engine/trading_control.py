"""Who may trade now: takes requests to halt, reduce or resume, and holds the orders of a run to what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import InputError, ParameterError, did_you_mean
from cambist.model.effects import CancelOrder, ReportTradingState
from cambist.model.events import OperatorCommand, TradingStateChanged, TradingStateRequested
from cambist.model.orders import OrderStatus
from cambist.model.trading_state import SCOPES, TradingChange, TradingState, WorkingOrders, scopes_of
from cambist.orders.machine import request_cancel
from cambist.risk.guard import GuardedGate
from cambist.risk.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.engine.step import Kernel
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import Refusal, TradingRequest

__all__ = ["COMMANDS", "TradingControl"]

_ACTIVE = TradingState.ACTIVE
_CREATED, _PENDING_CANCEL = OrderStatus.CREATED, OrderStatus.PENDING_CANCEL

#: What operators may command, and the state of trading that it is for; None for one that changes none.
COMMANDS: dict[str, TradingState | None] = {
    "halt": TradingState.HALTED,
    "reduce": TradingState.REDUCING,
    "resume": TradingState.ACTIVE,
    "cancel_orders": None,
}
_ARGUMENTS = ("scope", "reason", "orders", "rule", "order")


class TradingControl:
    """The state of trading of a run, by scope.

    While no hold is in force the gate of the run is its own, so that a run that never has one pays nothing for it.

    Parameters
    ----------
    kernel
        Of the run.

    Attributes
    ----------
    holds
        In force now.
    changes
        Every change so far, oldest first.
    on_lift
        Told the rule and the scope of each hold of a rule that an operator lifts.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.holds = Holds()
        self.changes: list[TradingChange] = []
        self.on_lift: Callable[[str, str], None] = lambda _rule, _scope: None
        self._sole = kernel.seats[0].desk.instrument
        self._guard = GuardedGate(kernel.gate, self.holds, kernel.owners)

    @property
    def handlers(self) -> dict[type[Event], Callable[[Any], None]]:
        """Who takes each kind of event that has to do with it."""
        return {TradingStateRequested: self._take, OperatorCommand: self._command, TradingStateChanged: self._tell}

    def state_for(self, strategy: str, instrument: Instrument | None) -> TradingState:
        """Return what a strategy may do in an instrument; None asks for what holds in all of them."""
        symbol = "" if instrument is None else instrument.symbol
        hold = self.holds.strictest(self._kernel.owners[strategy], strategy, symbol)
        return _ACTIVE if hold is None else hold.state

    def _tell(self, event: TradingStateChanged) -> None:
        """Tell the strategies that a change concerns; one of a symbol concerns all, and is told as of that."""
        scope = event.change.scope
        kind, _, symbol = scope.partition(":")
        of_symbol = kind == "symbol"
        instrument = self._kernel.portfolio.positions[symbol].instrument if of_symbol else self._sole
        for seat in self._kernel.seats:
            name = seat.strategy.name
            if of_symbol or scope in scopes_of(self._kernel.owners[name], name, ""):
                seat.tell(seat.strategy.on_trading_state, event.change, instrument)

    def restore(self, holds: Iterable[TradingChange]) -> None:
        """Go on with the holds of before a restart; nobody is told, and no order is canceled.

        Raises
        ------
        InputError
            If one is of something that the run does not have.
        """
        for hold in holds:
            self._check(hold.scope)
            self.holds.take(hold)
        self._guard_or_not()

    # Requests.

    def _command(self, command: OperatorCommand) -> None:
        """Do what an operator wants, or raise `InputError`."""
        arguments = _read(command)
        if arguments["state"] is None:
            if arguments["order"] is not None:
                self._cancel_one(arguments["order"])
                return
            self._check(arguments["scope"])
            self._cancel(arguments["scope"], arguments["orders"] or WorkingOrders.CANCEL)
            return
        self._request(
            arguments["state"],
            arguments["scope"],
            arguments["reason"],
            command.by,
            arguments["orders"] or WorkingOrders.CANCEL_OPENING,
            arguments["rule"],
        )

    def _take(self, asked: TradingStateRequested) -> None:
        self._request(asked.state, asked.scope, asked.reason, asked.by, asked.orders, asked.rule)

    def request_by_rule(self, rule: str, asked: TradingRequest) -> None:
        """Do what a risk rule wants, which lifts no hold but its own."""
        self._request(asked.state, asked.scope, asked.reason, rule, asked.orders, rule)

    def refused(self, refusal: Refusal) -> None:
        """Halt or restrict trading, where the rule that refused an order asks for it."""
        if refusal.request is not None and refusal.rule is not None:
            self.request_by_rule(self._kernel.monitors.name_of(refusal.rule), refusal.request)

    def _request(
        self, state: TradingState, scope: str, reason: str, by: str, orders: WorkingOrders, rule: str = ""
    ) -> None:
        self._check(scope)
        now = self._kernel.clock.read()
        if state is _ACTIVE:
            known = self.holds.find(scope, rule)
            lifted = self.holds.of_scope(scope) if not rule else [] if known is None else [known]
            for hold in lifted:
                self._change(TradingChange(now, state, scope, reason, by, hold.rule))
                if hold.rule and not rule:
                    self.on_lift(hold.rule, scope)
            return
        change = TradingChange(now, state, scope, reason, by, rule)
        known = self.holds.find(scope, rule)
        if known is None or (known.state, known.reason, known.by) != (state, reason, by):
            self._change(change)
        self._cancel(scope, orders)

    def _change(self, change: TradingChange) -> None:
        self.holds.take(change)
        self.changes.append(change)
        self._guard_or_not()
        self._kernel.effects.append(ReportTradingState(change))

    def _guard_or_not(self) -> None:
        gate = self._guard if self.holds else self._kernel.gate
        for seat in self._kernel.seats:
            seat.desk.reviewed_by(gate)

    def _check(self, scope: str) -> None:
        """Refuse a scope that nothing in the run is in: to halt it would halt nothing."""
        if not scope:
            return
        kernel = self._kernel
        kind, _, name = scope.partition(":")
        known: Mapping[str, Any] = {
            "account": kernel.accounts,
            "strategy": kernel.owners,
            "symbol": kernel.portfolio.positions,
        }.get(kind, {})
        if kind not in SCOPES or name not in known or not name:
            near = [f"{kind}:{one}" for one in known if one] or [f"{one}:NAME" for one in SCOPES]
            raise InputError(
                f"the run has nothing in the scope {scope!r}.{did_you_mean(scope, near)} '' is everything."
            )

    # Orders at work.

    def _cancel(self, scope: str, orders: WorkingOrders) -> None:
        """Withdraw the orders of a scope; all of them, or those that could open a position or make one larger."""
        if orders is WorkingOrders.KEEP:
            return
        kernel = self._kernel
        # What has not left yet is under review; what the venue sends by itself is no order of ours.
        working = [one for one in kernel.book.open.values() if one.status is not _CREATED and not one.by_venue]
        kept = self._closing(working) if orders is WorkingOrders.CANCEL_OPENING else ()
        now = kernel.clock.read()
        for order in working:
            scopes = scopes_of(kernel.owners[order.strategy], order.strategy, order.instrument.symbol)
            if scope in scopes and order.id not in kept and order.status is not _PENDING_CANCEL:
                request_cancel(order, now)
                kernel.effects.append(CancelOrder(order.id))

    def _cancel_one(self, number: int) -> None:
        """Withdraw one order; one that is being withdrawn already is left alone."""
        kernel = self._kernel
        order = kernel.book.open.get(number)
        if order is None or order.by_venue:
            raise InputError(f"the run has no open order {number}; cambist orders lists those it has.")
        if order.status is not _PENDING_CANCEL:
            request_cancel(order, kernel.clock.read())
            kernel.effects.append(CancelOrder(order.id))

    def _closing(self, working: Iterable[Order]) -> set[int]:
        """Return the orders that only make a position smaller, the oldest where they are too many together.

        One that waits for its parent goes with that.
        """
        kept: set[int] = set()
        used: dict[tuple[str, str, str], dict[int, float]] = {}
        for order in working:
            view = self._kernel.view_of(order.strategy).narrowed(order)
            if view.waits(order):
                kept.add(order.id)
                continue
            held = view.position(order.instrument).size
            if held == 0.0 or (held > 0.0) == order.is_buy:
                continue
            key = self._kernel.owners[order.strategy], order.instrument.symbol, str(order.position_side)
            groups = used.setdefault(key, {})
            group = order.oco or order.id
            others = sum(size for one, size in groups.items() if one != group)
            if order.instrument.size_grid.nearest(abs(held) - others) >= order.remaining:
                groups[group] = max(groups.get(group, 0.0), order.remaining)
                kept.add(order.id)
        return kept


def _read(command: OperatorCommand) -> dict[str, Any]:
    """Return what a command says, checked."""
    if command.name not in COMMANDS:
        raise InputError(f"there is no command {command.name!r}.{did_you_mean(command.name, COMMANDS)}")
    for name in command.arguments:
        if name not in _ARGUMENTS:
            raise InputError(f"{command.name} has no argument {name!r}.{did_you_mean(name, _ARGUMENTS)}")
    asked = command.arguments.get("orders")
    try:
        orders = None if asked is None else WorkingOrders(asked)
    except ValueError:
        raise ParameterError(
            f"{command.name}: orders is {asked!r}.{did_you_mean(str(asked), list(WorkingOrders))}"
        ) from None
    number = command.arguments.get("order")
    if number is not None and not (command.name == "cancel_orders" and str(number).isdecimal()):
        raise ParameterError(f"{command.name}: order is {number!r}; cancel_orders takes the number of an order.")
    return {
        "state": COMMANDS[command.name],
        "scope": command.arguments.get("scope", ""),
        "reason": command.arguments.get("reason", ""),
        "orders": orders,
        "rule": command.arguments.get("rule", ""),
        "order": None if number is None else int(number),
    }
