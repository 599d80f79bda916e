"""New orders: checked, paid for, registered, and sent to where they work or wait."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from cambist.model import OrderType, TimeInForce
from cambist_simulator.exchange import filters
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.listing import Segment, SymbolStatus
from cambist_simulator.exchange.orders import ExecutionType, Status, VenueOrder
from cambist_simulator.exchange.triggers import is_conditional, is_trailing, rises

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.exchange.floor import Floor, Market
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import OrderTerms

__all__ = ["Intake"]

_ZERO = Decimal(0)
_LIMITED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED, OrderType.TRAILING_STOP_LIMIT})
_NUMBERS = ("size", "quote_size", "price", "stop_price", "trail", "display")


class Intake:
    """Takes new orders.

    Parameters
    ----------
    floor
        Where they go.
    matching
        Who works them.
    names
        Makes a client id of what it names and an order's number, for those that come without.
    """

    def __init__(self, floor: Floor, matching: Matching, names: Callable[[str, int], str]) -> None:
        self._floor, self._matching, self._names = floor, matching, names
        self._is_spot = floor.segment is Segment.SPOT

    def draft(self, user: str, terms: OrderTerms, system: str = "") -> tuple[VenueOrder, Market]:
        """Return an order that passed every check but that of money, with number 0.

        Raises
        ------
        RefusedError
            If the exchange does not take it.
        """
        market = self._floor.market(terms.symbol)
        if market.listing.status is not SymbolStatus.TRADING:
            raise RefusedError(Why.MARKET_CLOSED, symbol=terms.symbol, status=str(market.listing.status))
        _check_form(terms)
        waits = is_conditional(terms)
        order = VenueOrder(
            id=0,
            user=user,
            terms=terms,
            status=Status.NEW,
            size=terms.size or _ZERO,
            price=terms.price if terms.type in _LIMITED else None,
            stop_price=None if is_trailing(terms) else terms.stop_price,
            conditional=waits and not self._is_spot,
            system=system,
            client_id=terms.client_id,
        )
        if terms.client_id:
            twin = self._floor.store.named(user, terms.client_id, conditional=order.conditional)
            if twin is not None and twin.open:
                raise RefusedError(Why.DUPLICATE_CLIENT_ID, client_id=terms.client_id)
        self._floor.accounts.prepare(order, market)
        if not system:
            self._check_filters(order, market)
            self._check_count(order, market)
        if waits:
            _check_stop(order, market)
        elif order.price is not None:
            self._check_crossing(order, market)
        return order, market

    def check(self, user: str, terms: OrderTerms) -> None:
        """Check an order as if it were to come."""
        order, market = self.draft(user, terms)
        self._floor.accounts.check(order, market)

    def place(self, user: str, terms: OrderTerms, *, system: str = "", parent_id: int = 0) -> VenueOrder:
        """Take an order; see `VenueOrder` for `system` and `parent_id`."""
        order, market = self.draft(user, terms, system)
        order.id = self._floor.store.next_id
        order.parent_id = parent_id
        cap = self._floor.accounts.admit(order, market)
        self.register(order)
        self.start(order, market, cap)
        return order

    def trade_privately(
        self, user: str, market: Market, terms: OrderTerms, size: Decimal, price: Decimal, system: str
    ) -> None:
        """Let a user trade with the venue, or with somebody it chose, at a price that the market does not see."""
        order = VenueOrder(id=0, user=user, terms=terms, status=Status.NEW, size=size, price=terms.price, system=system)
        self.register(order)
        market.book.trades += 1
        self._matching.fill(order, market, size, price, market.book.trades, maker=False)
        self._floor.accounts.changed(market)

    def register(self, order: VenueOrder) -> None:
        """Give an order its number and names, and tell that it is there."""
        floor = self._floor
        order.id = floor.store.new_id()
        if not order.client_id:
            order.client_id = self._names(order.system or "order", order.id)
        order.created_at = order.updated_at = floor.at
        if order.status is not Status.PENDING and not is_conditional(order.terms):
            order.working_at = floor.at
        floor.store.add(order)
        if order.terms.expires_at:
            floor.timers.watch(order)
        floor.tell(order, ExecutionType.NEW)

    def start(self, order: VenueOrder, market: Market, cap: int | None) -> None:
        """Let an order wait for its price, or work."""
        if is_conditional(order.terms) and not order.triggered:
            self._floor.triggers.add(order, market.price(order.terms.trigger), market.listing.tick_size)
        else:
            self._matching.work(order, market, cap)

    # Checks.

    def _check_filters(self, order: VenueOrder, market: Market) -> None:
        listing, terms = market.listing, order.terms
        price, size = order.price, order.size
        filters.check_trail(listing, terms)
        if price is not None:
            filters.check_price(listing, price)
        if terms.stop_price is not None:
            filters.check_price(listing, terms.stop_price, "stop_price")
        if not terms.close_position:
            filters.check_lot(listing, size, market=price is None)
            if terms.display is not None:
                filters.check_iceberg(listing, size, terms.display)
        reference = market.reference
        if price is not None and not order.conditional:
            filters.check_band(listing, terms.side, price, reference)
        if not (terms.reduce_only or terms.close_position):
            at = price or order.stop_price or reference
            if at is not None:
                value = at * size * listing.contract_size if self._is_spot or listing.quote == listing.settle else size
                filters.check_notional(listing, value, market=price is None)

    def _check_count(self, order: VenueOrder, market: Market) -> None:
        listing = market.listing
        waits = is_conditional(order.terms)
        most = listing.max_conditional_orders if waits else listing.max_orders
        if most is None:
            return
        already = self._floor.store.open_in(order.user, listing.symbol)
        if len(already) < most and (self._is_spot or not waits):
            return
        if waits:
            count = sum(is_conditional(one.terms) and not one.triggered for one in already)
        else:
            count = len(already) if self._is_spot else sum(not one.conditional for one in already)
        if count >= most:
            filters.refuse("max_conditional_orders" if waits else "max_orders", "max", count + 1)

    def _check_crossing(self, order: VenueOrder, market: Market) -> None:
        """Refuse a post-only order that would take, and on futures a fill-or-kill order that cannot be filled."""
        terms, book = order.terms, market.book
        assert order.price is not None
        ticks = book.ticks(order.price)
        if terms.post_only and book.crosses(terms.side, ticks):
            raise RefusedError(Why.WOULD_TAKE, price=order.price)
        if terms.time_in_force is TimeInForce.FOK and not self._is_spot:
            lots = sum(there for _, there in book.facing(terms.side, order.user, ticks))  # his own never count
            if lots < book.lots(order.size):
                raise RefusedError(Why.FOK_UNFILLABLE, size=order.size)


def _check_form(terms: OrderTerms) -> None:
    """Check that the terms belong together."""
    for name in _NUMBERS:
        value = getattr(terms, name)
        if value is not None and not value.is_finite():
            _bad(name, "is no number")
    kind, tif = terms.type, terms.time_in_force
    if kind is OrderType.MARKET_ON_CLOSE or tif is TimeInForce.DAY:
        raise RefusedError(Why.UNSUPPORTED, "a market that never closes", field="type")
    limited = kind in _LIMITED
    if limited and terms.price is None:
        _bad("price", "is missing")
    waits = is_conditional(terms)
    if waits and terms.stop_price is None and not is_trailing(terms):
        _bad("stop_price", "is missing")
    if waits and is_trailing(terms) and terms.trail is None:
        _bad("trail", "is missing")
    if (terms.size is None) == (terms.quote_size is None and not terms.close_position):
        _bad("size", "is given twice, or not at all")
    rests = limited and tif in {TimeInForce.GTC, TimeInForce.GTD}
    if terms.post_only and not rests:
        _bad("post_only", "means nothing to an order that never rests")
    if terms.display is not None and not rests:
        _bad("display", "means nothing to an order that never rests")
    if tif is TimeInForce.GTD and terms.expires_at <= 0:
        _bad("expires_at", "is missing")


def _bad(field: str, what: str) -> NoReturn:
    raise RefusedError(Why.BAD_TERMS, f"{field} {what}", field=field)


def _check_stop(order: VenueOrder, market: Market) -> None:
    """Refuse a stop that the present price sets off already."""
    terms = order.terms
    now = market.price(terms.trigger)
    if now is None or is_trailing(terms) or terms.stop_price is None:
        return
    if now >= terms.stop_price if rises(terms) else now <= terms.stop_price:
        raise RefusedError(Why.WOULD_TRIGGER, stop_price=terms.stop_price, price=now)
