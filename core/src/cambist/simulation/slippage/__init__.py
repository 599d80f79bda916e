"""How much worse than the bar's price an order that takes liquidity gets: one file a model."""

from cambist.simulation.slippage.backtrader import BacktraderSlippage
from cambist.simulation.slippage.by_symbol import SlippageBySymbol
from cambist.simulation.slippage.choice import slippage_model
from cambist.simulation.slippage.fixed import FixedSlippage
from cambist.simulation.slippage.half_spread import HalfSpread
from cambist.simulation.slippage.percent import PercentSlippage
from cambist.simulation.slippage.protocol import BarSlippageModel, SlippageModel
from cambist.simulation.slippage.square_root import SquareRootImpact
from cambist.simulation.slippage.within_bar import WithinBar
from cambist.simulation.slippage.zero import NoSlippage

__all__ = [
    "BacktraderSlippage",
    "BarSlippageModel",
    "FixedSlippage",
    "HalfSpread",
    "NoSlippage",
    "PercentSlippage",
    "SlippageBySymbol",
    "SlippageModel",
    "SquareRootImpact",
    "WithinBar",
    "slippage_model",
]
