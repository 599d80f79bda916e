"""A fixed size, to which the position that an order turns is added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import Side
from cambist.strategies.sizers.checks import check_number

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.strategies.desk import TradingDesk

__all__ = ["FixedReverser"]


@attrs.frozen
class FixedReverser:
    """A fixed size that turns an opposite position into one of that size: twice the size, if it was one.

    Like `FixedSize` it asks for no money; what the account cannot pay for, the risk gate refuses.

    Parameters
    ----------
    units
        Held after the order, in units of the instrument.
    """

    units: float = 1.0

    def __attrs_post_init__(self) -> None:
        check_number(self, "units", "it must be above zero.")

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:  # noqa: ARG002
        """Return `units`, and what is held the other way."""
        held = desk.expected_position(instrument)
        against = -held if side is Side.BUY else held
        return self.units + max(0.0, against)
