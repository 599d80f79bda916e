"""What stands before a risk gate while a hold on trading lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from cambist.model.trading_state import TradingState
from cambist.ports.risk import Refusal, RiskView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.orders import ApprovedOrder, Order
    from cambist.model.trading_state import TradingChange
    from cambist.risk.gate import RiskGate
    from cambist.risk.hedge import LegView
    from cambist.risk.holds import Holds

__all__ = ["GuardedGate", "Reviewer"]


class Reviewer(Protocol):
    """What answers for an order: a risk gate, or what stands before one."""

    def review(self, order: Order, view: RiskView) -> ApprovedOrder | Refusal:
        """Return the approved order, or why it may not leave."""


class GuardedGate:
    """Refuses what the holds on trading forbid, and has the gate review the rest.

    An order only makes a position smaller if all of it does, beside the other orders at work that will: two orders that
    close a position each do not pass. New terms of an order are held to the same.

    Codes: ``halted``, ``reducing_only``; the message names the scope, who holds it, and why.

    Parameters
    ----------
    gate
        What reviews an order that no hold forbids.
    holds
        In force now.
    owners
        The name of each strategy's account, by the name of the strategy.
    """

    def __init__(self, gate: RiskGate, holds: Holds, owners: Mapping[str, str]) -> None:
        self._gate, self._holds, self._owners = gate, holds, owners

    def review(self, order: Order, view: RiskView) -> ApprovedOrder | Refusal:
        """Return the approved order, or why it may not leave."""
        strategy = order.strategy
        hold = self._holds.strictest(self._owners[strategy], strategy, order.instrument.symbol)
        if hold is not None:
            if hold.state is TradingState.HALTED:
                return Refusal("halted", f"{hold.told}. Nothing but cancellations passes until trading is resumed.")
            left = cast("LegView", view).narrowed(order).reducible_size(order)
            if order.size > left:
                return _not_reducing(order, hold, left)
        return self._gate.review(order, view)


def _not_reducing(order: Order, hold: TradingChange, left: float) -> Refusal:
    if left:
        what = f"of the position {left:.8g} is left to close beside the orders at work; ask for no more"
    else:
        what = f"there is nothing that {order.side} orders could close; wait until trading is resumed"
    return Refusal("reducing_only", f"{hold.told}. {order.side} {order.size} {order.instrument.symbol}: {what}.")
