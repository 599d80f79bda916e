"""The simulated venue: what an exchange does with orders, against recorded bars."""

from cambist.simulation.backtrader import BacktraderVenue
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
from cambist.simulation.paths import IntrabarPath, intrabar_path
from cambist.simulation.reports import Reports
from cambist.simulation.slippage import FixedSlippage, NoSlippage, PercentSlippage, SlippageModel, slippage_model
from cambist.simulation.venue import MarketFill, SimulatedVenue, VenueRules

__all__ = [
    "BacktraderVenue",
    "FeeModel",
    "FeesBySymbol",
    "FixedFee",
    "FixedSlippage",
    "InstrumentFees",
    "IntrabarPath",
    "MakerTakerFee",
    "MarketFill",
    "NoFee",
    "NoSlippage",
    "OrderFeeModel",
    "PerContractFee",
    "PerOrderFee",
    "PercentFee",
    "PercentSlippage",
    "Reports",
    "SimulatedVenue",
    "SlippageModel",
    "TieredFee",
    "VenueRules",
    "fee_model",
    "intrabar_path",
    "slippage_model",
]
