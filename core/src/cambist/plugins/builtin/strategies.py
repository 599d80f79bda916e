"""The core's example strategies."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import StrategySpec

__all__ = ["cambist_strategies"]


@hookimpl
def cambist_strategies() -> list[StrategySpec]:
    """Offer the examples of ``cambist.strategies.examples``."""
    return [
        _example("sma-cross", "sma_cross:SmaCross", "Long while a fast moving average is above a slow one"),
        _example("rsi-reversal", "rsi_reversal:RsiReversal", "Buys weakness by the RSI, sells strength"),
        _example("donchian-breakout", "donchian_breakout:DonchianBreakout", "Buys a new high, leaves at a new low"),
    ]


def _example(name: str, where: str, summary: str) -> StrategySpec:
    return StrategySpec(name=name, factory=f"cambist.strategies.examples.{where}", summary=summary)
