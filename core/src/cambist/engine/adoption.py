"""Orders that no strategy sent."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.model.legs import leg_key
from cambist.model.orders import Instructions, Order, OrderType, TimeInForce

if TYPE_CHECKING:
    from cambist.engine.step import Kernel
    from cambist.model.instrument import Instrument
    from cambist.model.orders import PositionSide, Side

__all__ = ["Adopter"]

_BY_VENUE = Instructions(by_venue=True)


class Adopter:
    """Puts orders into the book that no strategy sent, such as one by which the venue liquidates a position.

    Parameters
    ----------
    kernel
        Whose book it is.
    account
        In which they trade, by name.
    """

    def __init__(self, kernel: Kernel, account: str = "") -> None:
        self._kernel = kernel
        self._account = account

    def __call__(
        self,
        instrument: Instrument,
        side: Side,
        size: float,
        tag: str,
        ts: int,
        owner: str = "",
        *,
        reduce_only: bool = True,
        position_side: PositionSide | None = None,
    ) -> Order:
        """Return the order, which never saw the risk gate.

        It belongs to the strategy that is named; else it is the venue's own, and goes to the one that opened the
        position.
        """
        kernel = self._kernel
        instructions = None if owner else _BY_VENUE
        if position_side is not None:
            instructions = Instructions(by_venue=not owner, position_side=position_side)
        terms = (OrderType.MARKET, size, nan, nan, TimeInForce.GTC, 0, reduce_only)
        whose = owner or self._owner(leg_key(instrument.symbol, position_side))
        order = kernel.book.add(Order(kernel.book.next_id(), instrument, side, *terms, whose, tag, ts, ts))
        order.instructions = instructions
        kernel.book.submit(order, ts)
        kernel.adopted(order, ts)
        return order

    def _owner(self, key: str) -> str:
        """Return who opened the position, or the first that trades in the account."""
        kernel, account = self._kernel, self._account
        trade = kernel.accounts[account].trades.open.get(key)
        return trade.strategy if trade else next(one for one, at in kernel.owners.items() if at == account)
