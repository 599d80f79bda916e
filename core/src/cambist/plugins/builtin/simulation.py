"""The core's simulation models."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import SimulationModelSpec

__all__ = ["cambist_simulation_models"]

#: What it decides, name without that as its ending, where in ``cambist.simulation`` it is made, summary. The same as in
#: ``cambist.simulation.catalog``, which backtests without plugins use; a test holds them together.
_MODELS = (
    ("fee", "none", "fees:NoFee", "Trading is free"),
    ("fee", "percent", "fees:PercentFee", "A fraction of the value traded"),
    ("fee", "fixed", "fees:FixedFee", "Money for each unit and each fill"),
    ("fee", "maker-taker", "fees:MakerTakerFee", "A fraction by who waited; a negative rate is a rebate"),
    ("fee", "per-contract", "fees:PerContractFee", "Money for each contract, by who waited"),
    ("fee", "per-order", "fees:PerOrderFee", "One fee for an order, with a least and a most"),
    ("fee", "tiered", "fees:TieredFee", "Rates by the value traded in the last days"),
    ("fee", "instrument", "fees:InstrumentFees", "The rates that each instrument declares"),
    ("fee", "by-symbol", "fees:FeesBySymbol", "A scheme for each instrument, and one for the rest"),
    ("fee", "in-asset", "fees:FeeInAsset", "Another asset pays the fees of a scheme, at a discount"),
    ("fee", "in-kind", "fees:FeeInKind", "What is bought pays the fees of a scheme, as at spot exchanges"),
    ("slippage", "none", "slippage:NoSlippage", "The bar's price"),
    ("slippage", "percent", "slippage:PercentSlippage", "A fraction of the price"),
    ("slippage", "fixed", "slippage:FixedSlippage", "Money for each unit"),
    ("slippage", "half-spread", "slippage:HalfSpread", "Half of the spread between bid and ask"),
    ("slippage", "square-root", "slippage:SquareRootImpact", "Impact by the square root of size over volume"),
    ("slippage", "within-bar", "slippage:WithinBar", "Another model's price, but none beyond the bar"),
    ("slippage", "backtrader", "slippage:BacktraderSlippage", "With the switches of backtrader's broker"),
    ("slippage", "by-symbol", "slippage:SlippageBySymbol", "A model for each instrument, and one for the rest"),
    ("filler", "percent", "fillers:PercentFiller", "All fills in a bar take at most a share of its volume"),
    ("filler", "fixed", "fillers:FixedFiller", "All fills in a bar take at most a size"),
    ("filler", "range", "fillers:RangeFiller", "A bar's volume, spread evenly over its prices"),
    ("path", "nearer-first", "paths:nearer_first_path", "To the extreme nearer to the open first"),
    ("path", "pessimistic", "paths:pessimistic_path", "First to the extreme that hurts the position"),
    ("latency", "constant", "latency:ConstantLatency", "The same all the time, for each kind of request"),
    ("latency", "uniform", "latency:UniformLatency", "Any length between two bounds"),
    ("latency", "normal", "latency:NormalLatency", "Around a mean, cut off on both sides"),
    ("latency", "lognormal", "latency:LognormalLatency", "Around a median, with a long tail"),
    ("latency", "recorded", "latency:RecordedLatency", "What was measured, by time"),
    ("rejection", "random", "rejection:RandomRejection", "Refuses a fraction of the requests"),
    ("market-rules", "none", "market_rules:no_rules", "A market that demands nothing"),
    (
        "market-rules",
        "custom",
        "market_rules:MarketRules",
        "Lots, settlement, price limits and sessions as they are given",
    ),
    ("market-rules", "a-shares", "market_rules:a_shares", "Stocks of mainland China, by board"),
    ("market-rules", "us-equities", "market_rules:us_equities", "Stocks of the United States in a margin account"),
    ("market-rules", "us-cash", "market_rules:us_cash", "The same in a cash account that spends settled money"),
    (
        "market-rules",
        "by-symbol",
        "market_rules:MarketRulesBySymbol",
        "Rules for each instrument, and some for the rest",
    ),
)


@hookimpl
def cambist_simulation_models() -> list[SimulationModelSpec]:
    """Offer what ``cambist.simulation`` holds."""
    return [
        SimulationModelSpec(name=f"{name}-{model}", model=model, factory=f"cambist.simulation.{where}", summary=summary)
        for model, name, where, summary in _MODELS
    ]
