"""Money for each contract, by who waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import Liquidity
from cambist.simulation.checks import check_amount

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["PerContractFee"]


@attrs.frozen
class PerContractFee:
    """An amount of money for each contract, or share, as futures and stock exchanges charge.

    Parameters
    ----------
    taker
        For each unit of size that took a resting order.
    maker
        For each that rested; negative is a rebate. As `taker` when left out.
    """

    taker: float
    maker: float = attrs.field(default=attrs.Factory(lambda self: self.taker, takes_self=True))

    def __attrs_post_init__(self) -> None:
        check_amount("PerContractFee", "taker", self.taker, "an amount of money for each contract")
        check_amount("PerContractFee", "maker", self.maker, "an amount of money for each contract, negative a rebate")

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return ``size * maker`` or ``size * taker``."""
        return size * (self.maker if liquidity is Liquidity.MAKER else self.taker)
