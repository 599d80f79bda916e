"""The risk gate: the only maker of an `ApprovedOrder`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import GATE_SEAL, ApprovedOrder, OrderType, TimeInForce
from cambist.ports.risk import StatefulRule
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

__all__ = ["DEFAULT_RULES", "RiskGate", "fresh_rules"]

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


_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_GTC = TimeInForce.GTC


@attrs.frozen(eq=False, slots=True)
class _Reviews:
    """Who is asked about the orders of one instrument: rules that have nothing to say of an order are left out.

    Attributes
    ----------
    opening, closing
        About market and limit orders that are good till canceled and have no instructions: those that may open a
        position, and those that only reduce one.
    reducing
        About all other orders that only reduce.
    others
        About the rest: everybody.
    """

    opening: tuple[Review, ...]
    closing: tuple[Review, ...]
    reducing: tuple[Review, ...]
    others: tuple[Review, ...]

    @classmethod
    def of(cls, rules: Iterable[RiskRule], instrument: Instrument) -> _Reviews:
        concerned = [rule for rule in rules if rule.concerns(instrument)]

        def without(*left_out: type[RiskRule]) -> tuple[Review, ...]:
            return tuple(rule.review for rule in concerned if type(rule) not in left_out)

        return cls(
            opening=without(OneWayRule, TermsRule, ReduceOnlyRule),
            closing=without(OneWayRule, TermsRule, MinNotionalRule, FundsRule),
            reducing=without(MinNotionalRule, FundsRule),
            others=without(),
        )


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
        self._by_symbol: dict[str, _Reviews] = {}

    @property
    def rules(self) -> tuple[RiskRule, ...]:
        """Every rule, in the order in which they are asked."""
        return self._rules

    def forget_instruments(self) -> None:
        """Ask rules anew which instruments concern them: some have other rules by now."""
        self._by_symbol.clear()

    def review(self, order: Order, view: RiskView) -> ApprovedOrder | Refusal:
        """Return the approved order, or why it may not leave."""
        asked = self._by_symbol.get(order.instrument.symbol)
        if asked is None:
            asked = _Reviews.of(self._rules, order.instrument)
            self._by_symbol[order.instrument.symbol] = asked
        kind = order.type
        if (kind is _LIMIT or kind is _MARKET) and order.instructions is None and order.time_in_force is _GTC:
            reviews = asked.closing if order.reduce_only else asked.opening
        else:
            reviews = asked.reducing if order.reduce_only else asked.others
        for review in reviews:
            refusal = review(order, view)
            if refusal is not None:
                return refusal if refusal.request is None else self._named(refusal, review)
        return ApprovedOrder(order, GATE_SEAL)

    def _named(self, refusal: Refusal, review: Review) -> Refusal:
        """Return a refusal that asks for another state of trading, with the rule that does."""
        return attrs.evolve(refusal, rule=next(rule for rule in self._rules if rule.review == review))


def fresh_rules(rules: Iterable[RiskRule]) -> list[RiskRule]:
    """Return the rules for one run: those that remember as they were made, the others as they are."""
    return [rule.fresh() if isinstance(rule, StatefulRule) else rule for rule in rules]
