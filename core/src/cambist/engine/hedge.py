"""A hedged account as risk rules see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.view import AccountView, AmendmentView
from cambist.model.legs import SIDES
from cambist.model.orders import PositionSide
from cambist.portfolio import HedgePortfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.engine.accounts import AccountOrders
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity, Order
    from cambist.orders.book import OrderBook
    from cambist.portfolio import Books

    Fee = Callable[[Instrument, float, float, Liquidity], float]

__all__ = ["view_of"]


def view_of(portfolio: Books, book: OrderBook | AccountOrders, fee: Fee, now: Callable[[], int]) -> AccountView:
    """Return the view of an account that fits it."""
    kind = HedgeView if isinstance(portfolio, HedgePortfolio) else AccountView
    return kind(portfolio, book, fee, now)


class SideOfBook:
    """The orders of one position side; implements what `AccountView` asks of an order book.

    Parameters
    ----------
    book, side
        The book, and whose orders of it.
    """

    def __init__(self, book: OrderBook | AccountOrders, side: PositionSide) -> None:
        self._book = book
        self._side = side

    @property
    def open(self) -> dict[int, Order]:
        """Every order at work, since all of them need money."""
        return self._book.open

    def open_for(self, instrument: Instrument) -> Iterable[Order]:
        """Return the orders at work for the positions of this side in an instrument."""
        side = self._side
        return [one for one in self._book.open_for(instrument) if one.position_side in (side, None)]

    def find(self, order_id: int) -> Order | None:
        """Return an order by number, of whichever side."""
        return self._book.find(order_id)


class HedgeView(AccountView):
    """`AccountView` of a hedged account: net, save where it is narrowed to what one order is for."""

    __slots__ = ("_sides",)

    def __init__(self, portfolio: Books, book: OrderBook | AccountOrders, fee: Fee, now: Callable[[], int]) -> None:
        assert isinstance(portfolio, HedgePortfolio)
        self._sides = {
            side: AccountView(portfolio.sides[side], SideOfBook(book, side), fee, now)  # type: ignore[arg-type]
            for side in SIDES
        }
        super().__init__(portfolio, book, fee, now)

    def narrowed(self, order: Order) -> AccountView:
        """Return the account as orders of the same position side see it."""
        if order.position_side is None:
            return self
        view = self._sides[order.position_side]
        view.told = self.told
        return view

    def amending(self, order: Order) -> AmendmentView:
        """Return the account as it is to be seen when `order` is about to change."""
        return self.narrowed(order).amending(order) if order.position_side else super().amending(order)

    def expected_position(self, instrument: Instrument) -> float:
        """Return 0.0 for an instrument with two sides: a sizer, which asks for it, sizes an opening of one of them."""
        return super().expected_position(instrument) if instrument.is_cash else 0.0

    def missing_to_trade(self, instrument: Instrument, size: float, price: float, cushion: float = 0.0) -> float:
        """Return what the account lacks to open a signed `size` at `price`: long what is bought, short what is sold."""
        if instrument.is_cash:
            return super().missing_to_trade(instrument, size, price, cushion)
        side = PositionSide.LONG if size > 0.0 else PositionSide.SHORT
        return self._sides[side].missing_to_trade(instrument, size, price, cushion)
