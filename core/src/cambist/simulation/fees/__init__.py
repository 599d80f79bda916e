"""What a fill costs: one file a scheme."""

from cambist.simulation.fees.by_symbol import FeesBySymbol
from cambist.simulation.fees.choice import fee_model
from cambist.simulation.fees.declared import InstrumentFees
from cambist.simulation.fees.fixed import FixedFee
from cambist.simulation.fees.free import NoFee
from cambist.simulation.fees.in_asset import FeeInAsset
from cambist.simulation.fees.in_kind import FeeInKind
from cambist.simulation.fees.maker_taker import MakerTakerFee
from cambist.simulation.fees.per_contract import PerContractFee
from cambist.simulation.fees.per_order import PerOrderFee
from cambist.simulation.fees.percent import PercentFee
from cambist.simulation.fees.protocol import FeeModel, OrderFeeModel
from cambist.simulation.fees.tiered import TieredFee

__all__ = [
    "FeeInAsset",
    "FeeInKind",
    "FeeModel",
    "FeesBySymbol",
    "FixedFee",
    "InstrumentFees",
    "MakerTakerFee",
    "NoFee",
    "OrderFeeModel",
    "PerContractFee",
    "PerOrderFee",
    "PercentFee",
    "TieredFee",
    "fee_model",
]
