"""What a simulated venue does where venues differ."""

from __future__ import annotations

from enum import StrEnum

import attrs

from cambist.errors import ParameterError
from cambist.simulation.fees import FeeModel, NoFee, OrderFeeModel
from cambist.simulation.paths import IntrabarPath, nearer_first
from cambist.simulation.slippage import NoSlippage, SlippageModel

__all__ = ["MarketFill", "VenueRules"]


class MarketFill(StrEnum):
    """When a market order sent at the close of a bar trades."""

    #: At the open of the next bar.
    NEXT_OPEN = "next_open"
    #: At the very close at which it was sent: kinder than any market.
    THIS_CLOSE = "this_close"


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
        Largest fraction of a bar's volume that all our fills in it may take together, or None for no limit.
    fill_on_touch
        Whether a limit order trades when the price only touches it, or must be passed.
    """

    fees: FeeModel = attrs.field(factory=NoFee)
    slippage: SlippageModel = attrs.field(factory=NoSlippage)
    path: IntrabarPath = nearer_first
    market_fill: MarketFill = attrs.field(default=MarketFill.NEXT_OPEN)
    volume_limit: float | None = None
    fill_on_touch: bool = True

    def __attrs_post_init__(self) -> None:
        if self.volume_limit is not None and not 0.0 < self.volume_limit <= 1.0:
            raise ParameterError(
                f"volume_limit is {self.volume_limit!r}; it is a fraction of each bar's volume: 0.1 is a tenth."
            )

    def fresh(self) -> VenueRules:
        """Return the same rules for a new run: models that remember what was traded begin anew."""
        fees = self.fees
        return attrs.evolve(self, fees=fees.fresh() if isinstance(fees, OrderFeeModel) else fees)
