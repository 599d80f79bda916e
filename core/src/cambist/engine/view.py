"""The account as risk rules see it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.model.orders import LIMITED, TRIGGERED, Liquidity, OrderStatus, OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.accounts import AccountOrders
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Account, Position
    from cambist.orders.book import OrderBook
    from cambist.portfolio import Books

__all__ = ["AccountView", "AmendmentView"]

_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_BUY = Side.BUY
_TAKER = Liquidity.TAKER
_CREATED = OrderStatus.CREATED
#: Far below the gate's tolerance, so that a size worked out to the last step never lives on it.
_NOISE = 1e-12


class AccountView:
    """Reads a portfolio and an order book; implements `cambist.ports.risk.RiskView`.

    Parameters
    ----------
    portfolio, book
        What to read.
    fee
        Answers the fee to expect, as `FeeModel.fee` does.
    now
        Answers the engine's time, ns.

    Attributes
    ----------
    told
        The fill that a strategy is just hearing of, if it is.
    """

    __slots__ = ("_book", "_fee", "_now", "_portfolio", "_positions", "told")

    def __init__(
        self,
        portfolio: Books,
        book: OrderBook | AccountOrders,
        fee: Callable[[Instrument, float, float, Liquidity], float],
        now: Callable[[], int],
    ) -> None:
        self.told: Fill | None = None
        self._now = now
        self._portfolio = portfolio
        self._positions = portfolio.positions
        self._book = book
        self._fee = fee

    def amending(self, order: Order) -> AmendmentView:
        """Return the account as it is to be seen when `order` is about to change."""
        view = AmendmentView(self._portfolio, self._book, self._fee, self._now, order)
        view.told = self.told
        return view

    def narrowed(self, order: Order) -> AccountView:  # noqa: ARG002 - one position is all there is
        """Return the account as orders for the same position see it."""
        return self

    def position(self, instrument: Instrument) -> Position:
        """Return the net position."""
        return self._positions[instrument.symbol]

    def account(self) -> Account:
        """Return a snapshot of the account."""
        return self._portfolio.account()

    def reference_price(self, order: Order) -> float:
        """Return the order's limit, else its stop, else the last close; NaN before the first.

        Of a trailing stop that has not begun, or that its venue moves without a word, nobody knows where it is: there
        it is the last close, too.
        """
        kind = order.type
        price = order.limit_price if kind in LIMITED else order.stop_price if kind in TRIGGERED else nan
        if price == price:  # noqa: PLR0124 - not NaN
            return price
        return self._positions[order.instrument.symbol].price_source()

    def market_price(self, instrument: Instrument) -> float:
        """Return the price of the fill that is being told of, else the last close; NaN before the first of either."""
        told = self.told
        if told is not None and told.instrument.symbol == instrument.symbol:
            return told.price
        return self._positions[instrument.symbol].price_source()

    def now(self) -> int:
        """Return the engine's time, ns, UTC."""
        return self._now()

    def order(self, order_id: int) -> Order | None:
        """Return an order of this run, open or ended; None where there is none of that number."""
        return self._book.find(order_id)

    def missing_funds(self, order: Order) -> float:
        """Return what the account lacks to pay for the order, fee included; 0 where there is no price yet."""
        if order.reduce_only:
            return 0.0
        instrument, size = order.instrument, order.size
        position = self._positions[instrument.symbol]
        buys, held = order.side is _BUY, position.size
        if held != 0.0 and (-held >= size if buys else held >= size):
            return 0.0  # what only shrinks a position is always paid for, whatever its price
        kind = order.type
        price_source, fee_of = position.price_source, self._fee  # held as attributes, which cost less to call by name
        if kind is _MARKET:
            price = price_source()
        else:
            price = order.limit_price if kind is _LIMIT else self.reference_price(order)
        if price != price:  # noqa: PLR0124 - NaN: no bar has closed
            return 0.0
        fee = fee_of(instrument, size, price, _TAKER)
        missing = self._portfolio.missing_funds(instrument, size if buys else -size, price, fee)
        return 0.0 if missing > 0.0 and order.parent else missing

    def expected_fee(self, instrument: Instrument, size: float, price: float) -> float:
        """Return the fee to reckon with for `size` (positive) at `price`, as a taker; negative is a rebate."""
        return self._fee(instrument, size, price, _TAKER)

    def expected_position(self, instrument: Instrument) -> float:
        """Return the signed size that will be held once the market orders under way have traded."""
        size = self._positions[instrument.symbol].size
        for order in self._book.open_for(instrument):
            if order.type is _MARKET:
                size = _after(size, order)
        return instrument.size_grid.nearest(size)

    def missing_to_trade(self, instrument: Instrument, size: float, price: float, cushion: float = 0.0) -> float:
        """Return what the account lacks to trade a signed `size` at `price`, or 0.0.

        It must be there at this very moment, as the gate reviews an order by itself, and once the orders under way
        have traded: market orders of the same instrument at `price`, all others that open a position at their own,
        market orders among them up to the fraction `cushion` away from the last close.
        """
        fee = self._fee(instrument, abs(size), price, _TAKER)
        missing = self._portfolio.missing_funds(instrument, size, price, fee, _NOISE)
        if not self._book.open:
            return missing
        shift, reserved = 0.0, 0.0
        held = self._positions[instrument.symbol].size
        for order in self._book.open.values():
            same = order.instrument.symbol == instrument.symbol
            if same and order.type is _MARKET:
                shift = _after(held + shift, order) - held
                reserved += self._fee(instrument, order.remaining, price, _TAKER)
            elif not order.reduce_only and not (same and (order.side is _BUY) is (size < 0.0)):
                reserved += self._reserve(order, cushion if order.type is _MARKET else 0.0)
        together = self._portfolio.missing_funds(instrument, size + shift, price, fee + reserved, _NOISE)
        return max(missing, together)

    def _reserve(self, order: Order, cushion: float) -> float:
        """Return the money that a working order will tie up: margin of what it opens, its fee, and a worse price.

        A fill the fraction `cushion` off the last close, at which it is valued, loses that much at once.
        """
        instrument, held = order.instrument, self._positions[order.instrument.symbol].size
        price = self.reference_price(order)
        if price != price:  # noqa: PLR0124 - NaN: no bar has closed
            return 0.0
        against = -held if order.side is _BUY else held
        opening = order.remaining - min(order.remaining, max(0.0, against))
        fee = self._fee(instrument, order.remaining, price, _TAKER)
        worse = cushion / (1.0 - cushion)
        value = abs(instrument.notional(opening, price))
        return self._portfolio.margin_of(instrument, opening, price) + value * worse + fee * (1.0 + worse)

    def open_orders(self, instrument: Instrument) -> int:
        """Return how many orders of `instrument` work; the one under review does not count."""
        return sum(1 for order in self._book.open_for(instrument) if order.status is not _CREATED)

    def total_open_orders(self) -> int:
        """Return how many orders work, the one under review left out."""
        return sum(1 for order in self._book.open.values() if order.status is not _CREATED)

    def working_orders(self, instrument: Instrument) -> list[Order]:
        """Return the working orders of `instrument`, the one under review left out."""
        return [order for order in self._book.open_for(instrument) if order.status is not _CREATED]

    def open_size(self, instrument: Instrument, side: Side) -> float:
        """Return the unfilled size of one side's working orders that may open or grow a position."""
        return sum(
            order.remaining
            for order in self._book.open_for(instrument)
            if order.side is side and not order.reduce_only and order.status is not _CREATED
        )

    def reducible_size(self, order: Order) -> float:
        """Return how much an order may trade and only make the position smaller, beside the other working orders."""
        instrument, side = order.instrument, order.side
        held = self.position(instrument).size
        if held == 0.0 or (held > 0.0) == (side is _BUY):
            return 0.0
        own = order.oco or order.id
        closing: dict[int, float] = {}
        for one in self._book.open_for(instrument):
            group = one.oco or one.id
            if one.side is side and one.id != order.id and group != own and not self.waits(one):
                closing[group] = max(closing.get(group, 0.0), one.remaining)
        return max(0.0, instrument.round_size(abs(held) - sum(closing.values())))

    def waits(self, order: Order) -> bool:
        """Tell whether an order has not left yet, or waits for a parent of which nothing has traded."""
        if order.status is _CREATED:
            return True
        parent = self._book.find(order.parent) if order.parent else None
        return parent is not None and parent.filled == 0.0


def _after(size: float, order: Order) -> float:
    """Return what a position of signed `size` will be when `order` has traded."""
    traded = order.remaining if order.side is _BUY else -order.remaining
    if not order.reduce_only:
        return size + traded
    if size * traded >= 0.0:
        return size
    return size + traded if abs(traded) < abs(size) else 0.0


class AmendmentView(AccountView):
    """The account as if one order had never been sent, so that its new terms are reviewed like a new order.

    Parameters
    ----------
    order
        What is to be amended; what it has filled counts as still to be traded.
    """

    __slots__ = ("_order",)

    def __init__(
        self,
        portfolio: Books,
        book: OrderBook | AccountOrders,
        fee: Callable[[Instrument, float, float, Liquidity], float],
        now: Callable[[], int],
        order: Order,
    ) -> None:
        super().__init__(portfolio, book, fee, now)
        self._order = order

    def position(self, instrument: Instrument) -> Position:
        """Return the net position without what the order has filled."""
        held, order = super().position(instrument), self._order
        if not order.filled or order.instrument.symbol != instrument.symbol:
            return held
        before = held.size - (order.filled if order.side is _BUY else -order.filled)
        return attrs.evolve(held, size=instrument.size_grid.nearest(before))

    def missing_funds(self, order: Order) -> float:
        """Return what the account lacks to pay for what is still to be filled of the order."""
        return super().missing_funds(attrs.evolve(order, size=max(0.0, order.size - self._order.filled)))

    def open_orders(self, instrument: Instrument) -> int:
        """Return how many other orders of `instrument` work."""
        return super().open_orders(instrument) - (self._order.instrument.symbol == instrument.symbol)

    def total_open_orders(self) -> int:
        """Return how many other orders work."""
        return super().total_open_orders() - 1

    def working_orders(self, instrument: Instrument) -> list[Order]:
        """Return the other working orders of `instrument`."""
        return [order for order in super().working_orders(instrument) if order.id != self._order.id]

    def open_size(self, instrument: Instrument, side: Side) -> float:
        """Return the unfilled size of the other working orders of one side."""
        order = self._order
        mine = order.side is side and not order.reduce_only and order.instrument.symbol == instrument.symbol
        return super().open_size(instrument, side) - (order.remaining if mine else 0.0)
