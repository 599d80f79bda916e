"""What a fill costs."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np

from cambist.errors import ParameterError
from cambist.model.orders import Liquidity

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["FeeModel", "FixedFee", "InstrumentFees", "MakerTakerFee", "NoFee", "PercentFee", "fee_model"]


class FeeModel(Protocol):
    """Answers the fee of a fill, in the settlement asset; positive is paid, negative a rebate."""

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return the fee of `size` (positive) at `price`."""
        ...


def _rate(model: str, name: str, value: float) -> None:
    if not -1.0 < value < 1.0:
        raise ParameterError(f"{model}: {name} is {value!r}; it is a fraction of the value traded: 0.001 is 0.1 %.")


@attrs.frozen
class NoFee:
    """Trading is free."""

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return 0."""
        return 0.0


@attrs.frozen
class PercentFee:
    """A fraction of the value traded.

    Parameters
    ----------
    rate
        0.001 is 0.1 %.
    """

    rate: float

    def __attrs_post_init__(self) -> None:
        _rate("PercentFee", "rate", self.rate)

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return ``notional * rate``."""
        if instrument.is_inverse:
            return instrument.notional(size, price) * self.rate
        return size * instrument.multiplier * price * self.rate


@attrs.frozen
class FixedFee:
    """Money for each order's fill, for each unit, or both.

    Parameters
    ----------
    per_unit
        For each unit of the instrument traded.
    per_fill
        For each fill, whatever its size.
    """

    per_unit: float = 0.0
    per_fill: float = 0.0

    def __attrs_post_init__(self) -> None:
        for name, value in (("per_unit", self.per_unit), ("per_fill", self.per_fill)):
            if not -inf < value < inf:
                raise ParameterError(f"FixedFee: {name} is {value!r}; it is an amount of money.")

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return ``size * per_unit + per_fill``."""
        return size * self.per_unit + self.per_fill


@attrs.frozen
class MakerTakerFee:
    """A fraction of the value traded that depends on who waited.

    Parameters
    ----------
    maker, taker
        Rates for an order that rested at its price, and for one that took a resting one. 0.001 is 0.1 %; a
        negative maker rate is a rebate.
    """

    maker: float
    taker: float

    def __attrs_post_init__(self) -> None:
        _rate("MakerTakerFee", "maker", self.maker)
        _rate("MakerTakerFee", "taker", self.taker)

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return ``notional * rate`` of the side that the fill was on."""
        rate = self.maker if liquidity is Liquidity.MAKER else self.taker
        return instrument.notional(size, price) * rate


@attrs.frozen
class InstrumentFees:
    """The maker and taker rates that each instrument declares."""

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return ``notional * instrument.maker_fee`` or ``taker_fee``."""
        rate = instrument.maker_fee if liquidity is Liquidity.MAKER else instrument.taker_fee
        return instrument.notional(size, price) * rate


def fee_model(fees: float | FeeModel | None) -> FeeModel:
    """Return the model that `fees` means: a number is a fraction of the value traded, None each instrument's own."""
    if fees is None:
        return InstrumentFees()
    if isinstance(fees, int | float | np.number):
        return PercentFee(float(fees)) if fees else NoFee()
    if not callable(getattr(fees, "fee", None)):
        raise ParameterError(f"fees is {fees!r}; give a fraction such as 0.001, a model with fee(...), or None.")
    return fees
