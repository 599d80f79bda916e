"""The core's indicators."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import IndicatorSpec

__all__ = ["cambist_indicators"]


@hookimpl
def cambist_indicators() -> list[IndicatorSpec]:
    """Offer what ``cambist.indicators`` holds."""
    return [
        _indicator("sma", "SMA", "Simple moving average"),
        _indicator("ema", "EMA", "Exponential moving average"),
        _indicator("rsi", "RSI", "Relative strength index"),
        _indicator("macd", "MACD", "Moving average convergence and divergence"),
        _indicator("atr", "ATR", "Average true range"),
        _indicator("bbands", "BBANDS", "Bollinger bands"),
        _indicator("crossover", "crossover", "1 where one line crosses above another, -1 below, else 0"),
    ]


def _indicator(name: str, attribute: str, summary: str) -> IndicatorSpec:
    return IndicatorSpec(
        name=name,
        factory=f"cambist.indicators:{attribute}",
        summary=summary,
        capabilities=frozenset({"stream"}),
    )
