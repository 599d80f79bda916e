"""Everything the account can pay for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.strategies.sizers.affordable import CUSHION, affordable, reference_price, tradable
from cambist.strategies.sizers.checks import check_buffer
from cambist.strategies.sizers.closing import held_against

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["AllIn"]


@attrs.frozen
class AllIn:
    """Everything the account can pay for, fees included; an order against a position closes it.

    Parameters
    ----------
    buffer
        How far the price may move before the fill, as a fraction, with the order still paid for: a market order
        is sized at the close and fills at the next open, slippage included. With 0.01 it trades as long as that
        lies within one percent of the close; with 0 any move against it has it refused.
    whole
        Round down to whole units, whatever the instrument's step is.

    Notes
    -----
    Leverage, margin, other positions and the orders under way are reckoned with.
    """

    buffer: float = CUSHION
    whole: bool = False

    def __attrs_post_init__(self) -> None:
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the size held the other way, else the largest size on the step that is paid for."""
        against = held_against(desk, instrument, side)
        if against > 0.0:
            return against
        price = reference_price(desk, instrument, price)
        if not price > 0.0:
            return 0.0
        return tradable(instrument, affordable(desk, instrument, side, price, self.buffer), price, whole=self.whole)
