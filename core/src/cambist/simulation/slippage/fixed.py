"""Money for each unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.slippage.ticks import adverse

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument

__all__ = ["FixedSlippage"]


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
        return adverse(instrument, slipped, is_buy) if slipped > 0.0 else price
