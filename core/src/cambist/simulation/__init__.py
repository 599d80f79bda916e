"""The simulated venue: what an exchange does with orders, against recorded markets or against each other."""

from cambist.simulation.backtrader import BacktraderVenue
from cambist.simulation.book import (
    BookAmended,
    BookCanceled,
    BookDepth,
    BookEvent,
    BookLevel,
    BookOrder,
    BookReduced,
    BookRefreshed,
    BookRejected,
    BookRested,
    BookTrade,
    BookUnits,
    LimitOrderBook,
    RestingOrder,
    SelfTrade,
)
from cambist.simulation.fees import FeeModel, FixedFee, InstrumentFees, MakerTakerFee, NoFee, PercentFee, fee_model
from cambist.simulation.liquidation import LiquidatingVenue
from cambist.simulation.paths import IntrabarPath, intrabar_path
from cambist.simulation.queue import CancelModel, cancels_behind, cancels_spread
from cambist.simulation.replay import BookReplay, QueuedOrder
from cambist.simulation.reports import Reports
from cambist.simulation.rules import StopTrigger
from cambist.simulation.slippage import FixedSlippage, NoSlippage, PercentSlippage, SlippageModel, slippage_model
from cambist.simulation.ticks import TickVenue
from cambist.simulation.venue import MarketFill, SimulatedVenue, VenueRules

__all__ = [
    "BacktraderVenue",
    "BookAmended",
    "BookCanceled",
    "BookDepth",
    "BookEvent",
    "BookLevel",
    "BookOrder",
    "BookReduced",
    "BookRefreshed",
    "BookRejected",
    "BookReplay",
    "BookRested",
    "BookTrade",
    "BookUnits",
    "CancelModel",
    "FeeModel",
    "FixedFee",
    "FixedSlippage",
    "InstrumentFees",
    "IntrabarPath",
    "LimitOrderBook",
    "LiquidatingVenue",
    "MakerTakerFee",
    "MarketFill",
    "NoFee",
    "NoSlippage",
    "PercentFee",
    "PercentSlippage",
    "QueuedOrder",
    "Reports",
    "RestingOrder",
    "SelfTrade",
    "SimulatedVenue",
    "SlippageModel",
    "StopTrigger",
    "TickVenue",
    "VenueRules",
    "cancels_behind",
    "cancels_spread",
    "fee_model",
    "intrabar_path",
    "slippage_model",
]
