"""The simulated venue: what an exchange does with orders, against recorded markets or against each other."""

from cambist.simulation.accounts import AccountVenues
from cambist.simulation.backtrader import BacktraderVenue
from cambist.simulation.bar import MatchedBar
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
from cambist.simulation.book_venue import BookVenue
from cambist.simulation.fees import (
    FeeInAsset,
    FeeInKind,
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
from cambist.simulation.finer_bars import FinerBars
from cambist.simulation.forming import FormingHedgingVenue, FormingLiquidatingVenue, FormingVenue
from cambist.simulation.gateway import OrderGateway
from cambist.simulation.hedging import HedgingVenue
from cambist.simulation.latency import (
    ConstantLatency,
    LatencyModel,
    LognormalLatency,
    NormalLatency,
    RecordedLatency,
    Request,
    UniformLatency,
    latency_model,
)
from cambist.simulation.liquidation import LiquidatingVenue
from cambist.simulation.magnifier import Magnifier
from cambist.simulation.market_gateway import MarketGateway
from cambist.simulation.market_rules import MarketRulesBySymbol, RuledVenue, a_shares, us_cash, us_equities
from cambist.simulation.market_venue import Shown
from cambist.simulation.paths import IntrabarPath, intrabar_path
from cambist.simulation.queue import CancelModel, cancel_model, cancels_behind, cancels_spread
from cambist.simulation.recorded import FillBooker
from cambist.simulation.rejection import RandomRejection, RejectionModel, rejection_model
from cambist.simulation.replay import BookReplay, QueuedOrder
from cambist.simulation.reports import Reports
from cambist.simulation.rules import StopTrigger
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
from cambist.simulation.tick_liquidation import LiquidatingBookVenue, LiquidatingTickVenue
from cambist.simulation.ticks import TickVenue
from cambist.simulation.venue import MarketFill, SimulatedVenue, VenueRules

__all__ = [
    "AccountVenues",
    "BacktraderSlippage",
    "BacktraderVenue",
    "BarSlippageModel",
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
    "BookVenue",
    "BudgetFiller",
    "CancelModel",
    "ConstantLatency",
    "FeeInAsset",
    "FeeInKind",
    "FeeModel",
    "FeesBySymbol",
    "FillBooker",
    "FinerBars",
    "FixedFee",
    "FixedFiller",
    "FixedSlippage",
    "FormingHedgingVenue",
    "FormingLiquidatingVenue",
    "FormingVenue",
    "FunctionFiller",
    "HalfSpread",
    "HedgingVenue",
    "InstrumentFees",
    "IntrabarPath",
    "LatencyModel",
    "LimitOrderBook",
    "LiquidatingBookVenue",
    "LiquidatingTickVenue",
    "LiquidatingVenue",
    "LognormalLatency",
    "Magnifier",
    "MakerTakerFee",
    "MarketFill",
    "MarketGateway",
    "MarketRulesBySymbol",
    "MatchedBar",
    "NoFee",
    "NoSlippage",
    "NormalLatency",
    "OrderFeeModel",
    "OrderGateway",
    "PerContractFee",
    "PerOrderFee",
    "PercentFee",
    "PercentFiller",
    "PercentSlippage",
    "QueuedOrder",
    "RandomRejection",
    "RangeFiller",
    "RecordedLatency",
    "RejectionModel",
    "Reports",
    "Request",
    "RestingOrder",
    "RuledVenue",
    "SelfTrade",
    "Shown",
    "SimulatedVenue",
    "SlippageBySymbol",
    "SlippageModel",
    "SquareRootImpact",
    "StopTrigger",
    "TickVenue",
    "TieredFee",
    "UniformLatency",
    "VenueRules",
    "VolumeFiller",
    "WithinBar",
    "a_shares",
    "cancel_model",
    "cancels_behind",
    "cancels_spread",
    "fee_model",
    "intrabar_path",
    "latency_model",
    "rejection_model",
    "slippage_model",
    "us_cash",
    "us_equities",
    "volume_filler",
]
