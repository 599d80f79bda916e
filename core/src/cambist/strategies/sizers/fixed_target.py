"""A position of a fixed size, reached in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import Side
from cambist.strategies.sizers.checks import check_number, check_whole

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.strategies.desk import TradingDesk

__all__ = ["FixedSizeTarget"]


@attrs.frozen
class FixedSizeTarget:
    """What lacks to a position of a fixed size, long for a buy and short for a sell; nothing once it is reached.

    Like `FixedSize` it asks for no money; what the account cannot pay for, the risk gate refuses.

    Parameters
    ----------
    units
        Size of the position, in units of the instrument.
    tranches
        In how many equal parts it is built: no order is for more than ``units / tranches``. With 1, a buy or sell
        goes to the target at once, and turns an opposite position.
    """

    units: float = 1.0
    tranches: int = 1

    def __attrs_post_init__(self) -> None:
        check_number(self, "units", "it must be above zero.")
        check_whole(self, "tranches", "it counts orders, at least 1.")

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:  # noqa: ARG002
        """Return what lacks, at most one part; 0 where the position is that large already."""
        held = desk.expected_position(instrument)
        lacking = self.units - (held if side is Side.BUY else -held)
        if self.tranches > 1:
            lacking = min(lacking, instrument.round_size(self.units / self.tranches))
        return lacking
