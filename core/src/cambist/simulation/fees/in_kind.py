"""Fees that a spot market takes out of what was bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.model.orders import Side
from cambist.simulation.fees.choice import fee_model
from cambist.simulation.fees.in_asset import FeeInAsset
from cambist.simulation.fees.protocol import OrderFeeModel

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Liquidity, Order

__all__ = ["FeeInKind"]


@attrs.frozen
class FeeInKind:
    """What is bought pays its own fee, and what is sold pays in the settlement asset, as at most spot exchanges.

    Of 0.5 bought at 0.1 % there are 0.4995, and no more than that can be sold: the account of such a run is that of a
    spot exchange, which lends nothing ("Trading fees are charged in the asset you receive" in Binance's support pages).
    A rebate comes in the settlement asset, and so does a fee of what has no base asset or is traded on margin.

    Parameters
    ----------
    fees
        What is to be paid: whatever the option ``fees`` takes, save `FeeInAsset`.
    """

    fees: Any = attrs.field(default=None, converter=fee_model)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.fees, FeeInAsset | FeeInKind):
            raise ParameterError(f"FeeInKind: fees is {self.fees!r}, which says itself what pays. Name one of them.")

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that the scheme inside names."""
        return tuple(getattr(self.fees, "symbols", ()))

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return what the fee to expect is worth, in the settlement asset."""
        worth: float = self.fees.fee(instrument, size, price, liquidity)
        return worth

    def fresh(self) -> FeeInKind:
        """Return the scheme as a run begins with it."""
        fees = self.fees
        return FeeInKind(fees.fresh()) if isinstance(fees, OrderFeeModel) else self

    def charge(self, order: Order, size: float, price: float, liquidity: Liquidity, ts: int) -> float:
        """Return what the fee of a fill is worth, in the settlement asset."""
        if isinstance(self.fees, OrderFeeModel):
            return self.fees.charge(order, size, price, liquidity, ts)
        return self.fee(order.instrument, size, price, liquidity)

    def traded(self, fill: Fill) -> None:
        """Have a fill pay in kind where it bought something."""
        if isinstance(self.fees, OrderFeeModel):
            self.fees.traded(fill)
        instrument = fill.instrument
        if fill.side is Side.BUY and fill.fee > 0.0 and instrument.is_cash and instrument.base:
            fill.pay_fee_in(instrument.base, fill.fee / instrument.notional(1.0, fill.price))
