"""What a sizer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["Sizer"]


@runtime_checkable
class Sizer(Protocol):
    """Answers the size of an order that comes without one.

    A sizer is a value: one may serve many runs at once, so that what it must remember is asked of the desk.
    """

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return a size in units of the instrument; 0, less, or NaN sends nothing.

        Parameters
        ----------
        desk
            Account, positions, closed trades and past bars.
        price
            The order's own price; NaN for a market order, which is reckoned at ``desk.price(instrument)``.
        """
        ...
