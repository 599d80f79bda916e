"""A scheme for each instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.simulation.by_symbol import models_by_symbol
from cambist.simulation.fees.choice import fee_model
from cambist.simulation.fees.protocol import FeeModel, OrderFeeModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Liquidity, Order

__all__ = ["FeesBySymbol"]


def _by_symbol(said: Any) -> Mapping[str, Any]:
    return models_by_symbol("FeesBySymbol", said, fee_model)


@attrs.frozen
class FeesBySymbol:
    """Another scheme for each instrument, and one for those that are not named.

    Parameters
    ----------
    models
        By symbol, whatever the option ``fees`` takes: a fraction, a model, None for the instrument's own rates.
    default
        For the others.
    """

    models: Mapping[str, Any] = attrs.field(converter=_by_symbol)
    default: Any = attrs.field(default=0.0, converter=fee_model)

    def __attrs_post_init__(self) -> None:
        from cambist.simulation.fees.in_kind import FeeInKind  # which stands around other schemes

        if any(isinstance(one, FeeInKind) for one in (*self.models.values(), self.default)):
            raise ParameterError(
                "FeesBySymbol: fees in kind are a matter of the whole account. Put FeeInKind around FeesBySymbol."
            )

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that are named."""
        return tuple(self.models)

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return what the instrument's scheme says."""
        model: FeeModel = self.models.get(instrument.symbol, self.default)
        return model.fee(instrument, size, price, liquidity)

    def fresh(self) -> FeesBySymbol:
        """Return the scheme with fresh ones in it."""
        return FeesBySymbol({symbol: _fresh(model) for symbol, model in self.models.items()}, _fresh(self.default))

    def charge(self, order: Order, size: float, price: float, liquidity: Liquidity, ts: int) -> float:
        """Return what the instrument's scheme charges."""
        model = self.models.get(order.instrument.symbol, self.default)
        if isinstance(model, OrderFeeModel):
            return model.charge(order, size, price, liquidity, ts)
        fee: float = model.fee(order.instrument, size, price, liquidity)
        return fee

    def traded(self, fill: Fill) -> None:
        """Tell the instrument's scheme of a fill."""
        model = self.models.get(fill.instrument.symbol, self.default)
        if isinstance(model, OrderFeeModel):
            model.traded(fill)


def _fresh(model: FeeModel) -> FeeModel:
    return model.fresh() if isinstance(model, OrderFeeModel) else model
