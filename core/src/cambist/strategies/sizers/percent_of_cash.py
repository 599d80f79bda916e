"""A share of the account's cash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.strategies.sizers.affordable import CUSHION, reference_price, tradable, value_size
from cambist.strategies.sizers.checks import check_buffer, check_number
from cambist.strategies.sizers.closing import held_against

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["PercentOfCash"]


@attrs.frozen
class PercentOfCash:
    """A share of the account's cash, at the order's price; an order against a position closes it.

    Less where the account cannot pay for the share and the fee.

    Parameters
    ----------
    fraction
        0.2 is a fifth of the cash.
    whole
        Round down to whole units, whatever the instrument's step is.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.
    """

    fraction: float = 0.2
    whole: bool = False
    buffer: float = CUSHION

    def __attrs_post_init__(self) -> None:
        check_number(self, "fraction", "0.2 means a fifth of the cash, and 1 is all of it.", at_most=1.0)
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the size held the other way, else the size whose value is the share."""
        against = held_against(desk, instrument, side)
        if against > 0.0:
            return against
        size = value_size(desk, instrument, side, desk.cash_in(instrument) * self.fraction, price, self.buffer)
        return tradable(instrument, size, reference_price(desk, instrument, price), whole=self.whole)
