"""What a simulated venue does where venues differ."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import attrs

from cambist.simulation.fees import FeeModel, NoFee, OrderFeeModel, fee_model
from cambist.simulation.fillers import VolumeFiller, volume_filler
from cambist.simulation.paths import IntrabarPath, intrabar_path, nearer_first
from cambist.simulation.slippage import BarSlippageModel, NoSlippage, SlippageModel, slippage_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model.orders import Fill

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

    @classmethod
    def read(
        cls,
        *,
        fees: Any,
        slippage: Any = None,
        path: Any = "nearer_first",
        market_fill: str = "next_open",
        volume_limit: Any = None,
        fill_on_touch: bool = True,
        stop_trigger: str = "auto",
    ) -> VenueRules:
        """Return rules of what settings say: models, numbers, names, or tables as in a run file.

        Raises
        ------
        ParameterError
            If one of them is nothing of the kind.
        """
        return cls(
            fees=fee_model(fees),
            slippage=slippage_model(slippage),
            path=intrabar_path(path),
            market_fill=MarketFill(market_fill),
            volume_limit=volume_filler(volume_limit),
            fill_on_touch=fill_on_touch,
            stop_trigger=StopTrigger(stop_trigger),
        ).fresh()

    def remember(self, fills: Iterable[Fill]) -> None:
        """Have models that remember what was traded know of fills that were made before a restart, oldest first."""
        if isinstance(self.fees, OrderFeeModel):
            for fill in fills:
                self.fees.traded(fill)

    def fresh(self) -> VenueRules:
        """Return the same rules for a new run: models that remember what was traded begin anew."""
        fees = self.fees
        return attrs.evolve(self, fees=fees.fresh() if isinstance(fees, OrderFeeModel) else fees)
