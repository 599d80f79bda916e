"""The simulated venue: what an exchange does with orders, against recorded bars."""

from cambist.simulation.backtrader import BacktraderVenue
from cambist.simulation.bar import MatchedBar
from cambist.simulation.fees import (
    FeeModel,
    FeesBySymbol,
    FixedFee,
    InstrumentFees,
    MakerTakerFee,
    NoFee,
    OrderFeeModel,
    PercentFee,
    PerContractFee,
    PerOrderFee,
    TieredFee,
    fee_model,
)
from cambist.simulation.fillers import (
    BudgetFiller,
    FixedFiller,
    FunctionFiller,
    PercentFiller,
    RangeFiller,
    VolumeFiller,
    volume_filler,
)
from cambist.simulation.paths import IntrabarPath, intrabar_path
from cambist.simulation.reports import Reports
from cambist.simulation.slippage import (
    BacktraderSlippage,
    BarSlippageModel,
    FixedSlippage,
    HalfSpread,
    NoSlippage,
    PercentSlippage,
    SlippageBySymbol,
    SlippageModel,
    SquareRootImpact,
    WithinBar,
    slippage_model,
)
from cambist.simulation.venue import MarketFill, SimulatedVenue, VenueRules

__all__ = [
    "BacktraderSlippage",
    "BacktraderVenue",
    "BarSlippageModel",
    "BudgetFiller",
    "FeeModel",
    "FeesBySymbol",
    "FixedFee",
    "FixedFiller",
    "FixedSlippage",
    "FunctionFiller",
    "HalfSpread",
    "InstrumentFees",
    "IntrabarPath",
    "MakerTakerFee",
    "MarketFill",
    "MatchedBar",
    "NoFee",
    "NoSlippage",
    "OrderFeeModel",
    "PerContractFee",
    "PerOrderFee",
    "PercentFee",
    "PercentFiller",
    "PercentSlippage",
    "RangeFiller",
    "Reports",
    "SimulatedVenue",
    "SlippageBySymbol",
    "SlippageModel",
    "SquareRootImpact",
    "TieredFee",
    "VenueRules",
    "VolumeFiller",
    "WithinBar",
    "fee_model",
    "intrabar_path",
    "slippage_model",
    "volume_filler",
]
