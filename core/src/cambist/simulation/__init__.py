"""The simulated venue: what an exchange does with orders, against recorded bars."""

from cambist.simulation.backtrader import BacktraderVenue
from cambist.simulation.fees import FeeModel, FixedFee, InstrumentFees, MakerTakerFee, NoFee, PercentFee, fee_model
from cambist.simulation.liquidation import LiquidatingVenue
from cambist.simulation.paths import IntrabarPath, intrabar_path
from cambist.simulation.reports import Reports
from cambist.simulation.slippage import FixedSlippage, NoSlippage, PercentSlippage, SlippageModel, slippage_model
from cambist.simulation.venue import MarketFill, SimulatedVenue, VenueRules

__all__ = [
    "BacktraderVenue",
    "FeeModel",
    "FixedFee",
    "FixedSlippage",
    "InstrumentFees",
    "IntrabarPath",
    "LiquidatingVenue",
    "MakerTakerFee",
    "MarketFill",
    "NoFee",
    "NoSlippage",
    "PercentFee",
    "PercentSlippage",
    "Reports",
    "SimulatedVenue",
    "SlippageModel",
    "VenueRules",
    "fee_model",
    "intrabar_path",
    "slippage_model",
]
