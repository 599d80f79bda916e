"""Fees that another asset pays, at a discount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import check_amount
from cambist.simulation.fees.choice import fee_model
from cambist.simulation.fees.per_order import PerOrderFee
from cambist.simulation.fees.protocol import OrderFeeModel

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Liquidity, Order

__all__ = ["FeeInAsset", "FeePayer"]


class FeePayer(Protocol):
    """The account that pays fees in another asset; see `cambist.portfolio.multi_asset.MultiAssetPortfolio`."""

    def pays_fee(self, instrument: Instrument, fee: float) -> bool:
        """Tell whether there is enough of the other asset for a fee in the one in which `instrument` settles."""
        ...


@attrs.define(eq=False)
class FeeInAsset:
    """Another asset pays the fees as long as there is enough of it, such as BNB at Binance, and they are cheaper then.

    Where its balance does not cover a fee, that fee is paid in full and in the settlement asset ("Using BNB to pay for
    fees" in Binance's support pages: the rate of the moment is applied, and without enough BNB the fee is taken from
    what was traded). An instrument that settles in the asset itself pays the discounted fee. Rebates come in the
    settlement asset.

    Parameters
    ----------
    asset
        That pays; the account must hold some: ``cash={"USDT": 10_000, "BNB": 2}``.
    fees
        What is to be paid without it: whatever the option ``fees`` takes, save a scheme by the order.
    discount
        Off the fee where it pays: 0.25 is a quarter.
    """

    asset: str
    fees: Any = attrs.field(default=0.0, converter=fee_model)
    discount: float = 0.0
    _payer: FeePayer | None = attrs.field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.asset, str) or not self.asset:  # type: ignore[redundant-expr]
            raise ParameterError(f"FeeInAsset: asset is {self.asset!r}; give the name of an asset, such as 'BNB'.")
        check_amount("FeeInAsset", "discount", self.discount, "a fraction of the fee, from 0 to 1", least=0.0, most=1.0)
        if isinstance(self.fees, PerOrderFee):
            raise ParameterError("FeeInAsset: a fee by the order cannot be paid in another asset; give fees a rate.")

    def paid_by(self, payer: FeePayer) -> None:
        """Say whose balance pays; until then nothing does."""
        self._payer = payer

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return the fee to expect."""
        fee: float = self.fees.fee(instrument, size, price, liquidity)
        return self._discounted(instrument, fee)

    def fresh(self) -> FeeInAsset:
        """Return the scheme as a run begins with it, with nobody who pays."""
        fees = self.fees
        return FeeInAsset(self.asset, fees.fresh() if isinstance(fees, OrderFeeModel) else fees, self.discount)

    def charge(self, order: Order, size: float, price: float, liquidity: Liquidity, ts: int) -> float:
        """Return what a fill pays, in the settlement asset."""
        if isinstance(self.fees, OrderFeeModel):
            fee = self.fees.charge(order, size, price, liquidity, ts)
        else:
            fee = self.fees.fee(order.instrument, size, price, liquidity)
        return self._discounted(order.instrument, fee)

    def traded(self, fill: Fill) -> None:
        """Tell the scheme without it of a fill."""
        if isinstance(self.fees, OrderFeeModel):
            self.fees.traded(fill)

    def _discounted(self, instrument: Instrument, fee: float) -> float:
        if not fee > 0.0 or self._payer is None:
            return fee
        less = fee * (1.0 - self.discount)
        return less if instrument.settle == self.asset or self._payer.pays_fee(instrument, less) else fee
