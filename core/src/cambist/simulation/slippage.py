"""How much worse than the bar's price an order that takes liquidity gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["FixedSlippage", "NoSlippage", "PercentSlippage", "SlippageModel", "slippage_model"]


class SlippageModel(Protocol):
    """Answers the price of a market or stop fill; limit fills inside a bar never slip."""

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:
        """Return the price after slippage, against the trader."""
        ...


def _adverse(instrument: Instrument, price: float, is_buy: bool) -> float:
    """Round a slipped price to the tick, against the trader; one tick is the least there is."""
    grid = instrument.price_grid
    if grid is None:
        return price
    return grid.above(price) if is_buy else max(grid.below(price), grid.numerator / grid.denominator)


@attrs.frozen
class NoSlippage:
    """The bar's price."""

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return `price`."""
        return price


@attrs.frozen
class PercentSlippage:
    """A fraction of the price.

    Parameters
    ----------
    rate
        0.0005 is 0.05 %.
    """

    rate: float

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.rate < 1.0:
            raise ParameterError(f"PercentSlippage: rate is {self.rate!r}; 0.0005 is 0.05 % of the price.")

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return ``price * (1 + rate)`` for buys, ``price * (1 - rate)`` for sells."""
        return _adverse(instrument, price * (1.0 + self.rate if is_buy else 1.0 - self.rate), is_buy)


@attrs.frozen
class FixedSlippage:
    """An amount of money for each unit.

    Parameters
    ----------
    amount
        In quote currency.
    """

    amount: float

    def __attrs_post_init__(self) -> None:
        if not 0.0 <= self.amount < float("inf"):
            raise ParameterError(f"FixedSlippage: amount is {self.amount!r}; it is a price difference, not negative.")

    def slip(self, instrument: Instrument, price: float, size: float, is_buy: bool) -> float:  # noqa: ARG002
        """Return ``price + amount`` for buys, ``price - amount`` for sells, never below zero."""
        slipped = price + self.amount if is_buy else price - self.amount
        return _adverse(instrument, slipped, is_buy) if slipped > 0.0 else price


def slippage_model(slippage: float | SlippageModel | None) -> SlippageModel:
    """Return the model that `slippage` means: a number is a fraction of the price, None or 0 no slippage."""
    if slippage is None:
        return NoSlippage()
    if isinstance(slippage, int | float | np.number):
        return PercentSlippage(float(slippage)) if slippage else NoSlippage()
    if not callable(getattr(slippage, "slip", None)):
        raise ParameterError(
            f"slippage is {slippage!r}; give a fraction such as 0.0005, a model with slip(...), or None."
        )
    return slippage
