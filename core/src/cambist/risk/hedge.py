"""The risk gate of a hedged account, in which every order names the position it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from cambist.ports.risk import Refusal, RiskView
from cambist.risk.gate import RiskGate
from cambist.risk.rules.position_side import OneWayRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model.orders import ApprovedOrder, Order
    from cambist.ports.risk import RiskRule

__all__ = ["HedgeGate", "LegView"]


class LegView(RiskView, Protocol):
    """A view that can be narrowed to what one order is for."""

    def narrowed(self, order: Order) -> RiskView:
        """Return the account as orders of the same position side see it."""


class HedgeGate(RiskGate):
    """Asks every rule about the position that an order names, and refuses one that names none.

    A margined order needs a ``position_side``: it opens that position or adds to it, or closes some of it, and cannot
    turn it. An order that closes more than is held is refused, one that waits for a parent finds its position later.
    Codes: ``position_side_missing``, ``position_side_unknown``, ``closes_more_than_held``.

    Parameters
    ----------
    rules
        See `RiskGate`.
    """

    def __init__(self, rules: Iterable[RiskRule] = ()) -> None:
        super().__init__(rules, without=(OneWayRule,))

    def review(self, order: Order, view: RiskView) -> ApprovedOrder | Refusal:
        """Return the approved order, or why it may not leave."""
        side, instrument = order.position_side, order.instrument
        if instrument.is_cash:
            return super().review(order, view) if side is None else _paid_in_full(order)
        if side is None:
            return Refusal(
                "position_side_missing",
                f"this account holds a long and a short position in {instrument.symbol}, and the {order.side} order "
                "names neither; give position_side='long' or 'short'.",
            )
        narrowed = cast("LegView", view).narrowed(order)
        if order.side is not side.opens and not order.parent:
            held = abs(narrowed.position(instrument).size)
            if order.size > held:
                return Refusal(
                    "closes_more_than_held",
                    f"{order.side} {order.size} of the {side} position in {instrument.symbol} closes more than the "
                    f"{held} that are held; ask for less. The other position is opened by orders of its own.",
                )
        return super().review(order, narrowed)


def _paid_in_full(order: Order) -> Refusal:
    return Refusal(
        "position_side_unknown",
        f"{order.instrument.symbol} is paid in full and has one position, not a {order.position_side} one; leave "
        "position_side out.",
    )
