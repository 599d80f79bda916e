"""The core's simulated broker and its risk rules."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import BrokerSpec, RiskRuleSpec

__all__ = ["cambist_brokers", "cambist_risk_rules"]


@hookimpl
def cambist_brokers() -> list[BrokerSpec]:
    """Offer the simulated venue."""
    return [
        BrokerSpec(
            name="simulated",
            factory="cambist.simulation.venue:SimulatedVenue",
            summary="Matches orders against bars; no order leaves the process",
            capabilities=frozenset(
                {"simulated", "amend", "bracket", "oco", "post-only", "short", "stop", "stop-limit", "touch", "trail"}
            ),
        )
    ]


@hookimpl
def cambist_risk_rules() -> list[RiskRuleSpec]:
    """Offer the rules of ``cambist.risk.rules``."""
    return [
        _rule("precision", "precision:PrecisionRule", "Prices and sizes lie on the instrument's grid"),
        _rule(
            "terms", "terms:TermsRule", "An order contradicts neither itself, the market nor the orders it is tied to"
        ),
        _rule("size-limits", "limits:SizeLimitsRule", "Size lies between the instrument's minimum and maximum"),
        _rule("min-notional", "notional:MinNotionalRule", "An order is worth at least the instrument's minimum"),
        _rule("funds", "funds:FundsRule", "The account can pay for the order, fee included"),
        _rule("max-order-value", "order_value:MaxOrderValueRule", "No order is worth more than a limit"),
        _rule("max-position", "position:MaxPositionRule", "No position grows beyond a limit"),
        _rule("max-open-orders", "open_orders:MaxOpenOrdersRule", "No more than so many orders of an instrument work"),
        _rule("max-daily-loss", "daily_loss:MaxDailyLossRule", "An account that lost too much in a day is halted"),
        _rule("max-drawdown", "drawdown:MaxDrawdownRule", "An account that fell too far from its peak is halted"),
        _rule("max-order-rate", "order_rate:MaxOrderRateRule", "No more than so many orders leave within a while"),
        _rule(
            "max-consecutive-losses",
            "consecutive_losses:MaxConsecutiveLossesRule",
            "Trading rests after so many losing trades in a row",
        ),
        _rule("self-cross", "self_cross:SelfCrossRule", "No order could trade with another of the account"),
        _rule("price-band", "price_band:PriceBandRule", "No limit is further from the market than a fraction"),
        _rule("remainder", "remainder:RemainderRule", "No sale leaves something behind that cannot be sold"),
        _rule("duplicate-order", "duplicates:DuplicateOrderRule", "The same order does not leave twice in a moment"),
        _rule("reduce-only", "reduce_only:ReduceOnlyRule", "A reduce-only order has something to reduce"),
        _rule("one-way", "position_side:OneWayRule", "An order names a side of a position only where it has two"),
    ]


def _rule(name: str, where: str, summary: str) -> RiskRuleSpec:
    return RiskRuleSpec(name=name, factory=f"cambist.risk.rules.{where}", summary=summary)
