"""How large an order is where the strategy does not say: one file a sizer."""

from cambist.strategies.sizers.all_in import AllIn
from cambist.strategies.sizers.atr_risk import AtrRisk
from cambist.strategies.sizers.fixed import FixedSize
from cambist.strategies.sizers.fixed_reverser import FixedReverser
from cambist.strategies.sizers.fixed_target import FixedSizeTarget
from cambist.strategies.sizers.kelly import Kelly
from cambist.strategies.sizers.percent_of_cash import PercentOfCash
from cambist.strategies.sizers.percent_of_equity import PercentOfEquity
from cambist.strategies.sizers.protocol import Sizer
from cambist.strategies.sizers.risk_per_trade import RiskPerTrade
from cambist.strategies.sizers.target import Target
from cambist.strategies.sizers.volatility_target import VolatilityTarget

__all__ = [
    "AllIn",
    "AtrRisk",
    "FixedReverser",
    "FixedSize",
    "FixedSizeTarget",
    "Kelly",
    "PercentOfCash",
    "PercentOfEquity",
    "RiskPerTrade",
    "Sizer",
    "Target",
    "VolatilityTarget",
]
