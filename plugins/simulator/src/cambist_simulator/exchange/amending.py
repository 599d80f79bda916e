"""New terms for orders that work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.exchange import filters
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.orders import ExecutionType, Status

if TYPE_CHECKING:
    from decimal import Decimal

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import AmendTerms, VenueOrder

__all__ = ["Amending"]


class Amending:
    """Amends orders.

    Parameters
    ----------
    floor, matching
        Where orders are, and who works them.
    """

    def __init__(self, floor: Floor, matching: Matching) -> None:
        self._floor, self._matching = floor, matching

    def amend(self, order: VenueOrder, terms: AmendTerms) -> None:
        """Give an order new terms; one that is to be no larger than what is filled ends.

        Raises
        ------
        RefusedError
            If the order cannot have them; nothing changed then.
        """
        market = self._floor.markets[order.terms.symbol]
        size = order.size if terms.size is None else terms.size
        price = order.price if terms.price is None else terms.price
        self._check(order, market, terms, size, price)
        if size <= order.filled + order.prevented:
            if terms.keep_place:
                raise RefusedError(Why.CANNOT_AMEND, "no more than what is filled", size=size)
            self._matching.cancel(order)
            return
        self._floor.accounts.readmit(order, market, size, price)
        was = order.price
        order.size, order.price = size, price
        if terms.client_id:
            self._floor.store.rename(order, terms.client_id)
        order.amends += 1
        order.updated_at = self._floor.at
        self._floor.accounts.admit(order, market)
        self._floor.accounts.relock(order)
        self._floor.tell(order, ExecutionType.REPLACED)
        if order.working_at >= 0:
            assert price is not None
            assert was is not None
            book = market.book
            resting = book.matcher.get(order.id)
            assert resting is not None
            # The book counts from when the order came to it.
            done = resting.order.size - resting.remaining
            events = book.amend(
                order.id,
                order.terms.side,
                size=book.lots(order.left) + done,
                price=book.ticks(price),
                was=book.ticks(was),
            )
            self._matching.apply(market, events)

    def _check(
        self, order: VenueOrder, market: Market, terms: AmendTerms, size: Decimal, price: Decimal | None
    ) -> None:
        listing = market.listing
        if listing.status is not SymbolStatus.TRADING:
            raise RefusedError(Why.MARKET_CLOSED, symbol=listing.symbol, status=str(listing.status))
        if not order.open or order.system:
            raise RefusedError(Why.UNKNOWN_ORDER, order_id=order.id)
        if order.price is None or price is None or order.conditional or order.status is Status.PENDING:
            raise RefusedError(Why.CANNOT_AMEND, "only a limit order that works can be amended")
        if not (size.is_finite() and price.is_finite()):
            raise RefusedError(Why.BAD_TERMS, "no number", field="size")
        if terms.keep_place and price != order.price:
            raise RefusedError(Why.CANNOT_AMEND, "another price loses its place", price=price)
        if terms.keep_place and size > order.size:
            raise RefusedError(Why.CANNOT_AMEND, "more size loses its place", size=size)
        if order.working_at < 0 and price != order.price:
            raise RefusedError(Why.CANNOT_AMEND, "only a limit order that works can be amended")
        if size == order.size and price == order.price:
            raise RefusedError(Why.NOTHING_TO_CHANGE, order_id=order.id)
        self._check_rules(order, market, terms, size, price)

    def _check_rules(self, order: VenueOrder, market: Market, terms: AmendTerms, size: Decimal, price: Decimal) -> None:
        listing = market.listing
        if listing.max_amends is not None and order.amends >= listing.max_amends:
            filters.refuse("max_amends", "max", order.amends + 1)
        filters.check_price(listing, price)
        filters.check_lot(listing, size, market=False)
        filters.check_notional(listing, price * size * listing.contract_size, market=False)
        if price != order.price:
            filters.check_band(listing, order.terms.side, price, market.reference)
            if order.terms.post_only and market.book.crosses(order.terms.side, market.book.ticks(price)):
                raise RefusedError(Why.WOULD_TAKE, price=price)
        if terms.client_id:
            twin = self._floor.store.named(order.user, terms.client_id, conditional=order.conditional)
            if twin is not None and twin.open and twin is not order:
                raise RefusedError(Why.DUPLICATE_CLIENT_ID, client_id=terms.client_id)
