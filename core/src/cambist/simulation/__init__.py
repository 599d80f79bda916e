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
from cambist.simulation.finer_bars import FinerBars
from cambist.simulation.gateway import OrderGateway
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
from cambist.simulation.magnifier import Magnifier
from cambist.simulation.paths import IntrabarPath, intrabar_path
from cambist.simulation.rejection import RandomRejection, RejectionModel, rejection_model
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
    "ConstantLatency",
    "FeeModel",
    "FeesBySymbol",
    "FinerBars",
    "FixedFee",
    "FixedFiller",
    "FixedSlippage",
    "FunctionFiller",
    "HalfSpread",
    "InstrumentFees",
    "IntrabarPath",
    "LatencyModel",
    "LognormalLatency",
    "Magnifier",
    "MakerTakerFee",
    "MarketFill",
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
    "RandomRejection",
    "RangeFiller",
    "RecordedLatency",
    "RejectionModel",
    "Reports",
    "Request",
    "SimulatedVenue",
    "SlippageBySymbol",
    "SlippageModel",
    "SquareRootImpact",
    "TieredFee",
    "UniformLatency",
    "VenueRules",
    "VolumeFiller",
    "WithinBar",
    "fee_model",
    "intrabar_path",
    "latency_model",
    "rejection_model",
    "slippage_model",
    "volume_filler",
]
