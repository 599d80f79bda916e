"""The risk gate: the only maker of an `ApprovedOrder`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import GATE_SEAL, ApprovedOrder, OrderType, TimeInForce
from cambist.risk.rules.funds import FundsRule
from cambist.risk.rules.limits import SizeLimitsRule
from cambist.risk.rules.notional import MinNotionalRule
from cambist.risk.rules.position_side import OneWayRule
from cambist.risk.rules.precision import PrecisionRule
from cambist.risk.rules.reduce_only import ReduceOnlyRule
from cambist.risk.rules.terms import TermsRule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.ports.risk import Refusal, RiskRule, RiskView

    Review = Callable[[Order, RiskView], Refusal | None]

__all__ = ["DEFAULT_RULES", "RiskGate"]

#: What every order must pass: it fits the instrument, makes sense, and the money is there.
DEFAULT_RULES: tuple[type[RiskRule], ...] = (
    PrecisionRule,
    OneWayRule,
    TermsRule,
    SizeLimitsRule,
    ReduceOnlyRule,
    MinNotionalRule,
    FundsRule,
)


#: Rules of what a market or limit order does not have that is good till canceled and neither reduces only nor has
#: instructions.
_RULES_OF_SPECIAL_ORDERS = (OneWayRule, TermsRule, ReduceOnlyRule)
_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_GTC = TimeInForce.GTC


class RiskGate:
    """Asks every rule about every order; the first refusal stands.

    Parameters
    ----------
    rules
        Rules beyond `DEFAULT_RULES`, which always come first.
    without
        Those of `DEFAULT_RULES` that the broker alone is to judge by.
    """

    def __init__(self, rules: Iterable[RiskRule] = (), *, without: Collection[type[RiskRule]] = ()) -> None:
        first = [rule() for rule in DEFAULT_RULES if rule not in without]
        self._rules: tuple[RiskRule, ...] = (*first, *rules)
        self._by_symbol: dict[str, tuple[Review, ...]] = {}
        self._of_plain_orders: dict[str, tuple[Review, ...]] = {}

    @property
    def rules(self) -> tuple[RiskRule, ...]:
        """Every rule, in the order in which they are asked."""
        return self._rules

    def review(self, order: Order, view: RiskView) -> ApprovedOrder | Refusal:
        """Return the approved order, or why it may not leave."""
        symbol = order.instrument.symbol
        kind = order.type
        plain = (
            (kind is _LIMIT or kind is _MARKET)
            and not order.reduce_only
            and order.instructions is None
            and order.time_in_force is _GTC
        )
        reviews = (self._of_plain_orders if plain else self._by_symbol).get(symbol)
        if reviews is None:
            reviews = self._reviews(order.instrument, plain=plain)
        for review in reviews:
            refusal = review(order, view)
            if refusal is not None:
                return refusal
        return ApprovedOrder(order, GATE_SEAL)

    def _reviews(self, instrument: Instrument, *, plain: bool) -> tuple[Review, ...]:
        """Return who is asked about an instrument's orders, and remember it for the next one."""
        concerned = [rule for rule in self._rules if rule.concerns(instrument)]
        self._by_symbol[instrument.symbol] = tuple(rule.review for rule in concerned)
        # Most orders are plain, and some rules have nothing to say of them.
        self._of_plain_orders[instrument.symbol] = tuple(
            rule.review for rule in concerned if not isinstance(rule, _RULES_OF_SPECIAL_ORDERS)
        )
        return (self._of_plain_orders if plain else self._by_symbol)[instrument.symbol]
