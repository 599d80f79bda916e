"""How much of a bar our fills may take: one file a model."""

from cambist.simulation.fillers.choice import volume_filler
from cambist.simulation.fillers.fixed import FixedFiller
from cambist.simulation.fillers.function import FunctionFiller
from cambist.simulation.fillers.percent import PercentFiller
from cambist.simulation.fillers.price_range import RangeFiller
from cambist.simulation.fillers.protocol import BudgetFiller, VolumeFiller

__all__ = [
    "BudgetFiller",
    "FixedFiller",
    "FunctionFiller",
    "PercentFiller",
    "RangeFiller",
    "VolumeFiller",
    "volume_filler",
]
