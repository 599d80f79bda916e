"""What a simulated venue does where venues differ."""

from __future__ import annotations

from enum import StrEnum

import attrs

from cambist.simulation.fees import FeeModel, NoFee, OrderFeeModel
from cambist.simulation.fillers import VolumeFiller, volume_filler
from cambist.simulation.paths import IntrabarPath, nearer_first
from cambist.simulation.slippage import BarSlippageModel, NoSlippage, SlippageModel

__all__ = ["MarketFill", "StopTrigger", "VenueRules"]


class MarketFill(StrEnum):
    """When a market order sent at the close of a bar trades."""

    #: At the open of the next bar.
    NEXT_OPEN = "next_open"
    #: At the very close at which it was sent: kinder than any market.
    THIS_CLOSE = "this_close"


class StopTrigger(StrEnum):
    """Which price sets off a stop in a run on trades or quotes."""

    #: The last trade's where there are trades of the instrument, else the quote.
    AUTO = "auto"
    #: The last trade's.
    LAST = "last"
    #: The price the order would trade at: the ask for a buy, the bid for a sale.
    QUOTE = "quote"


@attrs.frozen(kw_only=True)
class VenueRules:
    """The rules of a simulated venue. Models that remember what was traded belong to one venue: see `fresh`.

    Attributes
    ----------
    fees, slippage
        Models; see `cambist.simulation.fees` and `cambist.simulation.slippage`.
    path
        The way the price goes inside a bar; see `cambist.simulation.paths`.
    market_fill
        When a market order trades.
    volume_limit
        How much of a bar our fills may take, see `cambist.simulation.fillers`: a number is a fraction of its volume;
        None is no limit. In a run on trades or quotes: of a trade's size, or of the size that a quote
        displays.
    fill_on_touch
        Whether a limit order trades when the price only touches it, or must be passed.
    stop_trigger
        What sets off a stop; on bars it is the price.
    """

    fees: FeeModel = attrs.field(factory=NoFee)
    slippage: SlippageModel | BarSlippageModel = attrs.field(factory=NoSlippage)
    path: IntrabarPath = nearer_first
    market_fill: MarketFill = attrs.field(default=MarketFill.NEXT_OPEN)
    volume_limit: VolumeFiller | None = attrs.field(default=None, converter=volume_filler)
    fill_on_touch: bool = True
    stop_trigger: StopTrigger = StopTrigger.AUTO

    def fresh(self) -> VenueRules:
        """Return the same rules for a new run: models that remember what was traded begin anew."""
        fees = self.fees
        return attrs.evolve(self, fees=fees.fresh() if isinstance(fees, OrderFeeModel) else fees)
