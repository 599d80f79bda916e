"""A share of the account's equity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.strategies.sizers.affordable import CUSHION, value_size
from cambist.strategies.sizers.checks import check_buffer, check_number

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["PercentOfEquity"]


@attrs.frozen
class PercentOfEquity:
    """A share of the account's equity, at the order's price; less where the account cannot pay for that.

    Parameters
    ----------
    fraction
        0.2 is a fifth of the equity; above 1 needs leverage.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.
    """

    fraction: float = 0.2
    buffer: float = CUSHION

    def __attrs_post_init__(self) -> None:
        check_number(self, "fraction", "0.2 means a fifth of the equity.")
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the size whose value is the share."""
        return value_size(desk, instrument, side, desk.equity_in(instrument) * self.fraction, price, self.buffer)
