"""The base class of strategies, their parameters and their sizers."""

from cambist.strategies.parameters import Parameter, param
from cambist.strategies.sizers import (
    AllIn,
    AtrRisk,
    FixedReverser,
    FixedSize,
    FixedSizeTarget,
    Kelly,
    PercentOfCash,
    PercentOfEquity,
    RiskPerTrade,
    Sizer,
    Target,
    VolatilityTarget,
)
from cambist.strategies.strategy import Strategy

__all__ = [
    "AllIn",
    "AtrRisk",
    "FixedReverser",
    "FixedSize",
    "FixedSizeTarget",
    "Kelly",
    "Parameter",
    "PercentOfCash",
    "PercentOfEquity",
    "RiskPerTrade",
    "Sizer",
    "Strategy",
    "Target",
    "VolatilityTarget",
    "param",
]
