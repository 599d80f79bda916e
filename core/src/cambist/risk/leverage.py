"""No position is larger than the venue allows at its leverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.ports.risk import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.model.orders import Order
    from cambist.ports.risk import RiskView

__all__ = ["AccountLeverageRule", "LeverageRule"]


class LeverageRule:
    """Refuses an order that would bring a position into a tier that allows less than the chosen leverage.

    Code: ``leverage_above_limit``.

    Parameters
    ----------
    margin
        Tiers by instrument.
    leverages
        At which margined instruments are traded now, by symbol.
    """

    name = "leverage"

    def __init__(self, margin: Margin, leverages: Mapping[str, float]) -> None:
        self.margin = margin
        self.leverages = leverages

    def concerns(self, instrument: Instrument) -> bool:
        """Margined instruments whose tiers set a leverage."""
        if instrument.is_cash:
            return False
        return any(tier.max_leverage is not None for tier in self.margin.table_of(instrument).tiers)

    def review(self, order: Order, view: RiskView) -> Refusal | None:
        """Look up the tier of the position that the order would make at the price it is expected to get."""
        instrument = order.instrument
        held, price = view.position(instrument).size, view.reference_price(order)
        after = held + (order.size if order.is_buy else -order.size)
        if order.reduce_only or (abs(after) <= abs(held) and after * held >= 0.0) or not price > 0.0:
            return None
        notional = abs(instrument.notional(after, price))
        allowed = self.margin.table_of(instrument).max_leverage(notional)
        chosen = self._chosen(order)
        if allowed is None or chosen <= allowed * (1.0 + 1e-9):
            return None
        return Refusal(
            "leverage_above_limit",
            f"{order.side} {order.size} {instrument.symbol} would make a position worth {notional:.8g} "
            f"{instrument.settle}, for which the venue allows a leverage of {allowed:g} and not {chosen:g}; "
            "ask for less, or set a lower leverage.",
        )

    def _chosen(self, order: Order) -> float:
        return self.leverages[order.instrument.symbol]


class AccountLeverageRule(LeverageRule):
    """`LeverageRule` where each strategy's account has leverages of its own.

    Parameters
    ----------
    margin
        Tiers by instrument.
    by_strategy
        At which margined instruments are traded now, by symbol; of each strategy's account, by the strategy's name.
    """

    def __init__(self, margin: Margin, by_strategy: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__(margin, {})
        self.by_strategy = by_strategy

    def _chosen(self, order: Order) -> float:
        return self.by_strategy[order.strategy][order.instrument.symbol]
