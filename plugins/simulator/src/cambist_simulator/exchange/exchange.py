"""The front of an exchange: requests of users, moves of the market, and what is asked about them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist.api import ParameterError
from cambist_simulator.exchange.amending import Amending
from cambist_simulator.exchange.conditional import Conditional
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import BookChanged, StatusChanged
from cambist_simulator.exchange.floor import Floor, Market
from cambist_simulator.exchange.intake import Intake
from cambist_simulator.exchange.interference import Interference
from cambist_simulator.exchange.keys import text_key
from cambist_simulator.exchange.listing import Segment, SymbolStatus
from cambist_simulator.exchange.lists import Lists
from cambist_simulator.exchange.market_book import MarketBook
from cambist_simulator.exchange.matching import Matching
from cambist_simulator.exchange.order_store import OrderStore
from cambist_simulator.exchange.outside import Outside
from cambist_simulator.exchange.spot_accounts import SpotAccounts
from cambist_simulator.exchange.timers import Timers
from cambist_simulator.exchange.triggers import is_conditional
from cambist_simulator.exchange.users import User, Users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model import Side
    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.orders import AmendTerms, Execution, ListTerms, OrderList, OrderTerms, VenueOrder
    from cambist_simulator.exchange.spot_ledger import Balance

__all__ = ["Exchange"]

_ZERO = Decimal(0)
_MOST = Decimal(10) ** 15


class Exchange:
    """An exchange in one process: matching, money and margin, without a wire.

    Every request is answered at once; what happens is told to those who listen, in order, before it returns. A
    `RefusedError` means that nothing changed.

    Parameters
    ----------
    name
        For people and logs.
    segment
        Spot, or futures settled in quote money or in coin.
    clock
        Time of orders and trades is that of its market.
    listings
        What can be traded.
    users
        Who trades; None for users of its own. Several exchanges of a venue may share them.
    seed
        What ids follow from that the exchange makes.
    first_order_id
        Number of the first order.
    keep
        How many ended orders are kept, and how many executions of a user in a symbol; older ones are forgotten.
    names
        Makes client ids: ``names("order", 7)``, ``names("list", 0)``; None for letters that follow from the seed.
    """

    def __init__(
        self,
        name: str,
        segment: Segment,
        clock: VenueClock,
        *,
        listings: Iterable[Listing] = (),
        users: Users | None = None,
        seed: int = 0,
        first_order_id: int = 1,
        keep: int = 100_000,
        names: Callable[[str, int], str] | None = None,
    ) -> None:
        self.seed = seed
        self.users = Users(seed) if users is None else users
        self._names = names or self._named
        self._floor = floor = Floor(name, segment, clock, self.users, OrderStore(first_order_id, keep))
        self._accounts = floor.accounts = SpotAccounts(floor)
        self._matching = Matching(floor)
        self._intake = Intake(floor, self._matching, lambda number: self._names("order", number))
        self._lists = Lists(floor, self._intake, self._matching, lambda number: self._names("list", number))
        self._conditional = Conditional(floor, self._matching, self._lists)
        self._amending = Amending(floor, self._matching)
        self._outside = Outside(floor, self._matching)
        self._timers = Timers()
        #: What only whoever runs the venue may do.
        self.interference = Interference(
            floor, self._matching, self.market_trade, self.flush, self._open, self._conditional.settle
        )
        for listing in listings:
            self.list_symbol(listing)

    @property
    def name(self) -> str:
        """For people and logs."""
        return self._floor.name

    @property
    def segment(self) -> Segment:
        """Spot, linear or inverse."""
        return self._floor.segment

    @property
    def clock(self) -> VenueClock:
        """Of servers and market."""
        return self._floor.clock

    @property
    def listings(self) -> dict[str, Listing]:
        """What is listed, by symbol."""
        return {symbol: market.listing for symbol, market in self._floor.markets.items()}

    def listing(self, symbol: str) -> Listing:
        """Return a listing; refuses an unknown symbol."""
        return self._floor.market(symbol).listing

    def market(self, symbol: str) -> Market:
        """Return a symbol as it stands: book, mark and index price, funding; to be read only."""
        return self._floor.market(symbol)

    def book(self, symbol: str) -> MarketBook:
        """Return a symbol's book, to be read only."""
        return self._floor.market(symbol).book

    # Who listens.

    def listen(self, callback: Callable[[ExchangeEvent], None]) -> None:
        """Call somebody with every event from now on."""
        self._floor.listeners.append(callback)

    def unlisten(self, callback: Callable[[ExchangeEvent], None]) -> None:
        """Call him no longer."""
        self._floor.listeners.remove(callback)

    # Listings.

    def list_symbol(self, listing: Listing) -> None:
        """List a symbol.

        Raises
        ------
        ParameterError
            If it is listed already, or its grids have too many digits to stay exact.
        """
        if listing.symbol in self._floor.markets:
            raise ParameterError(f"{listing.symbol} is listed already; change_rules changes it.")
        _check_grid(listing)
        book = MarketBook(listing.symbol, listing.tick_size, listing.step_size)
        self._floor.markets[listing.symbol] = Market(listing=listing, book=book)

    def set_status(self, symbol: str, status: SymbolStatus) -> None:
        """Halt a symbol, or let it trade again."""
        self.change_rules(symbol, status=status)

    def change_rules(self, symbol: str, **fields: object) -> None:
        """Change rules of a listing while it trades; orders that are there stay."""
        market = self._floor.market(symbol)
        changed = msgspec.structs.replace(market.listing, **fields)
        _check_grid(changed)
        market.listing = changed
        self._open()
        self._floor.emit(StatusChanged(at=self._floor.at, symbol=symbol, status=str(changed.status)))

    # Requests of users.

    def place(self, user: User | str, terms: OrderTerms) -> VenueOrder:
        """Take an order; return it as it stands after all that followed at once."""
        self._open()
        if not is_conditional(terms):
            self._floor.announce(terms)
        try:
            order = self._intake.place(_id(user), terms)
        finally:
            self._conditional.settle()
        if terms.expires_at and order.open:
            self._timers.watch(order)
        return order

    def check(self, user: User | str, terms: OrderTerms) -> None:
        """Raise what `place` would raise, and do nothing."""
        self._open()
        self._intake.check(_id(user), terms)

    def place_list(self, user: User | str, terms: ListTerms) -> OrderList:
        """Take orders that belong together."""
        self._open()
        made = self._lists.place(_id(user), terms)
        self._conditional.settle()
        return made

    def cancel(
        self,
        user: User | str,
        symbol: str,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        cancel_client_id: str = "",
        conditional: bool | None = None,
    ) -> VenueOrder:
        """Cancel an open order; with those of its list, if it belongs to one.

        Parameters
        ----------
        symbol
            ``""`` for any.
        order_id, client_id
            Which; a client id means the newest order of that name.
        cancel_client_id
            What the request itself goes by; ``""`` makes a name.
        conditional
            Which kind it must be; None for either.
        """
        order = self._find(user, symbol, order_id, client_id, conditional)
        self._check_cancel(order)
        self._open()
        order.cancel_client_id = cancel_client_id or self._names("cancel", order.id)
        self._matching.cancel(order)
        self._conditional.settle()
        return order

    def cancel_all(
        self, user: User | str, symbol: str | None = None, *, conditional: bool | None = None
    ) -> list[VenueOrder]:
        """Cancel all open orders of a user, in one symbol or in all; return them."""
        self._open()
        if symbol is not None:
            self._floor.market(symbol)
        found = [one for one in self._floor.store.open_of(_id(user), symbol, conditional) if not one.system]
        for order in found:
            self._check_cancel(order)
        for order in found:
            if order.open:
                order.cancel_client_id = self._names("cancel", order.id)
                self._matching.cancel(order)
        self._conditional.settle()
        return found

    def cancel_list(
        self, user: User | str, list_id: int | None = None, client_id: str | None = None, cancel_client_id: str = ""
    ) -> OrderList:
        """Cancel all that is open of a list."""
        self._open()
        found = self._lists.find(_id(user), list_id, client_id)
        for order_id in found.order_ids:
            order = self._floor.store.get(order_id)
            if order is not None and order.open:
                self._check_cancel(order)
                order.cancel_client_id = cancel_client_id or self._names("cancel", order.id)
        self._lists.cancel(_id(user), list_id, client_id)
        self._conditional.settle()
        return found

    def amend(
        self,
        user: User | str,
        symbol: str,
        terms: AmendTerms,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
    ) -> VenueOrder:
        """Give a working order new terms."""
        order = self._find(user, symbol, order_id, client_id, None)
        self._open()
        self._amending.amend(order, terms)
        self._conditional.settle()
        return order

    def count_down(self, user: User | str, symbol: str, after: int) -> None:
        """Cancel a user's orders in a symbol after so many ns of server time without another call; 0 stops that."""
        self._floor.market(symbol)
        self._timers.count_down(_id(user), symbol, self.clock.server.now() + after if after else 0)

    def _check_cancel(self, order: VenueOrder) -> None:
        if not order.open or order.system:
            raise RefusedError(Why.UNKNOWN_ORDER, order_id=order.id, client_id=order.client_id)
        status = self._floor.markets[order.terms.symbol].listing.status
        if status is SymbolStatus.HALT:
            raise RefusedError(Why.MARKET_CLOSED, symbol=order.terms.symbol, status=str(status))

    # What users ask.

    def order(
        self,
        user: User | str,
        symbol: str = "",
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        conditional: bool | None = None,
    ) -> VenueOrder:
        """Return an order of a user, open or not; refuses one that is not there."""
        found = self._find(user, symbol, order_id, client_id, conditional)
        if found.id in self.interference.hidden:
            raise RefusedError(Why.UNKNOWN_ORDER, order_id=order_id, client_id=client_id)
        return found

    def _find(
        self, user: User | str, symbol: str, order_id: int | None, client_id: str | None, conditional: bool | None
    ) -> VenueOrder:
        if symbol:
            self._floor.market(symbol)
        return self._floor.store.find(_id(user), symbol, order_id, client_id, conditional)

    def _seen(self, orders: list[VenueOrder]) -> list[VenueOrder]:
        hidden = self.interference.hidden
        return [one for one in orders if one.id not in hidden] if hidden else orders

    def open_orders(
        self, user: User | str, symbol: str | None = None, *, conditional: bool | None = None
    ) -> list[VenueOrder]:
        """Return open orders of a user, oldest first."""
        return self._seen(self._floor.store.open_of(_id(user), symbol, conditional))

    def orders(
        self,
        user: User | str,
        symbol: str | None = None,
        *,
        start: int | None = None,
        end: int | None = None,
        from_id: int | None = None,
        limit: int | None = None,
        conditional: bool | None = None,
    ) -> list[VenueOrder]:
        """Return orders of a user, open or not, oldest first; see `OrderStore.orders`."""
        found = self._floor.store.orders(
            _id(user), symbol, start=start, end=end, from_id=from_id, limit=limit, conditional=conditional
        )
        return self._seen(found)

    def executions(
        self,
        user: User | str,
        symbol: str,
        *,
        order_id: int | None = None,
        start: int | None = None,
        end: int | None = None,
        from_id: int | None = None,
        limit: int | None = None,
    ) -> list[Execution]:
        """Return executions of a user, oldest first; see `OrderStore.executions`."""
        return self._floor.store.executions(
            _id(user), symbol, order_id=order_id, start=start, end=end, from_id=from_id, limit=limit
        )

    def order_list(self, user: User | str, list_id: int | None = None, client_id: str | None = None) -> OrderList:
        """Return a list of a user; refuses one that is not there."""
        return self._lists.find(_id(user), list_id, client_id)

    def order_lists(self, user: User | str, *, open_only: bool = False) -> list[OrderList]:
        """Return the lists of a user, oldest first."""
        found = [one for one in self._floor.lists.values() if one.user == _id(user)]
        return [one for one in found if one.status != "all_done"] if open_only else found

    # Money.

    def balances(self, user: User | str) -> dict[str, Balance]:
        """Return what a user has on spot, by asset; to be read only."""
        return self._accounts.ledger.balances(_id(user))

    def deposit(self, user: User | str, asset: str, amount: Decimal, reason: str = "deposit") -> None:
        """Give a user money from outside.

        Raises
        ------
        ParameterError
            If the amount is none.
        """
        self._move(user, asset, _amount(amount), reason)

    def withdraw(self, user: User | str, asset: str, amount: Decimal, reason: str = "withdrawal") -> None:
        """Take free money of a user out; refuses more than is free."""
        self._move(user, asset, -_amount(amount), reason)

    def transfer(self, user: User | str, asset: str, amount: Decimal, to: Exchange) -> None:
        """Bring free money of a user to another exchange of the venue."""
        self.withdraw(user, asset, amount, "transfer")
        to.deposit(user, asset, amount, "transfer")

    def _move(self, user: User | str, asset: str, amount: Decimal, reason: str) -> None:
        self._open()
        self._accounts.move(_id(user), asset, amount, reason)
        self._accounts.report()

    # The market.

    def set_level(self, symbol: str, side: Side, price: Decimal, size: Decimal) -> None:
        """Let the market itself display `size` at a price, in place of what it displayed there; 0 for nothing.

        Users' orders at the price are not counted in it, and those that it crosses trade.
        """
        market = self._floor.markets[symbol]
        book = market.book
        events = book.set_level(side, int(price / book.tick), int(size / book.step))
        if events:
            self._open()
            self._matching.apply(market, events)
            self._conditional.settle()

    def set_levels(self, symbol: str, changes: Iterable[tuple[Side, int, int]], *, flush: bool = True) -> None:
        """Let the market itself display other sizes, and tell of them as one change.

        Parameters
        ----------
        changes
            (side, ticks, lots): as `set_level`, in whole ticks and lots.
        flush
            Whether to tell now what changed.
        """
        market = self._floor.markets[symbol]
        self._open()
        if self._outside.set_levels(market, changes):
            self._conditional.settle()
        if flush:
            self.flush(symbol)

    def cross_users(self, symbol: str, price: Decimal) -> None:
        """Let users' orders that are better than a price trade at it with the market, as in an opening auction."""
        self._open()
        if self._outside.cross(self._floor.market(symbol), price):
            self._conditional.settle()

    def user_prices(self, symbol: str, side: Side, low: int, high: int) -> list[int]:
        """Return the prices between two (ticks, neither included) at which a trade would matter to users.

        Those at which their orders of `side` rest, and those at which a waiting order is set off.
        """
        return self._outside.user_prices(self._floor.market(symbol), side, low, high)

    def before_orders(self, symbol: str, callback: Callable[[Side, int | None], None]) -> None:
        """Call somebody before an order of a user comes that may take: with its side, and its limit in ticks if any.

        A market that is made up around a price decides then what the order meets.
        """
        self._floor.market(symbol)
        self._floor.before_orders[symbol] = callback

    def clear_book(self, symbol: str) -> None:
        """Take everything that the market itself displays out of a book; users' orders stay."""
        self.book(symbol).clear()

    def market_trade(self, symbol: str, side: Side, size: Decimal, price: Decimal, *, takes: bool = True) -> None:
        """Let somebody from outside trade at a price.

        Parameters
        ----------
        side
            His, the taker's.
        size, price
            Users' orders at better prices trade first, at their own prices, and those at `price` when it is their
            turn; the rest of `size` is one public trade at `price`.
        takes
            Whether that rest comes out of what the market displays there, and whatever it displays at better prices
            is gone; False where levels are set by a recording of their own.
        """
        self._open()
        self._outside.trade(self._floor.market(symbol), side, size, price, takes=takes)
        self._conditional.settle()

    def flush(self, symbol: str | None = None) -> None:
        """Tell what changed in a book, or in all, since the last call: one `BookChanged` for each that did."""
        self._open()
        floor = self._floor
        for market in floor.markets.values() if symbol is None else (floor.market(symbol),):
            found = market.book.flush()
            if found is not None:
                first, last, bids, asks = found
                floor.emit(
                    BookChanged(
                        at=floor.at,
                        symbol=market.listing.symbol,
                        first_id=first,
                        last_id=last,
                        previous_id=first - 1,
                        bids=bids,
                        asks=asks,
                    )
                )

    def advance(self, now: int | None = None) -> None:
        """Do what is due by time.

        Parameters
        ----------
        now
            ns, market time; None for that of the clock.
        """
        self._open(now)
        self._timers.advance(self._floor, self._matching, self._floor.at, self.clock.server.now())
        self._conditional.settle()

    def _open(self, now: int | None = None) -> None:
        """Begin a request or a step."""
        self._floor.at = self._floor.clock.market.now() if now is None else now

    def _named(self, kind: str, number: int) -> str:
        return text_key(f"{self.seed}/{self.name}/{kind}/{number}", 22)


def _id(user: User | str) -> str:
    return user if isinstance(user, str) else user.id


def _amount(amount: Decimal) -> Decimal:
    if not amount.is_finite() or not 0 < amount <= _MOST:
        raise ParameterError(f"the amount is {amount}; give more than 0, and at most {_MOST:f}.")
    return amount


def _check_grid(listing: Listing) -> None:
    """Refuse grids on which sums would be rounded."""
    unit = (listing.tick_size * listing.step_size * listing.contract_size).normalize()
    exponent = unit.as_tuple().exponent
    if not isinstance(exponent, int) or unit <= 0 or exponent < -12:
        raise ParameterError(
            f"{listing.symbol}: tick {listing.tick_size}, step {listing.step_size} and contract size "
            f"{listing.contract_size} must be above zero, and their product may have 12 decimals at most."
        )
