"""The front of an exchange: requests of users, moves of the market, and what is asked about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.api import InputError, ParameterError, did_you_mean
from cambist_simulator.exchange.desk import user_id
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.events import StatusChanged
from cambist_simulator.exchange.filters import MOST
from cambist_simulator.exchange.floor import Floor, Market
from cambist_simulator.exchange.futures_desk import FuturesDesk
from cambist_simulator.exchange.interference import Interference
from cambist_simulator.exchange.keys import short_name
from cambist_simulator.exchange.market_book import MarketBook
from cambist_simulator.exchange.market_desk import MarketDesk
from cambist_simulator.exchange.order_desk import OrderDesk
from cambist_simulator.exchange.order_store import OrderStore
from cambist_simulator.exchange.rounding import PAYMENT
from cambist_simulator.exchange.saving import dump, load, replace_state
from cambist_simulator.exchange.users import User, Users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.events import ExchangeEvent
    from cambist_simulator.exchange.listing import Listing, Segment, SymbolStatus
    from cambist_simulator.exchange.spot_ledger import Balance

__all__ = ["Exchange"]

_FIXED = frozenset({"symbol", "base", "quote", "settle", "contract_size"})


class Exchange(OrderDesk, MarketDesk, FuturesDesk):
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
    keep
        How many ended orders are kept, and how many executions; older ones are forgotten.
    names
        Makes client ids of what they name and a number: ``"order"``, ``"list"``, ``"cancel"``, and ``"liquidation"``,
        ``"adl"`` and ``"settlement"`` for the venue's own orders; None for letters that follow from the seed.
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
        keep: int = 50_000,
        names: Callable[[str, int], str] | None = None,
    ) -> None:
        self.seed = seed
        self.users = Users(seed) if users is None else users
        floor = Floor(name, segment, clock, self.users, OrderStore(keep))
        super().__init__(floor, names or self._named)
        self.interference = Interference(
            floor, self._matching, self.market_trade, self.flush, self._open, self._conditional.settle
        )
        if not self._is_spot:
            self.interference.liquidate_now = self._liquidation.force
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

    def count_orders_from(self, number: int) -> None:
        """Give the next order a number, as venues that have counted for years do; past 2**53 no double holds it.

        Raises
        ------
        ParameterError
            If it is not above those that were given.
        """
        store = self._floor.store
        if number < store.next_id:
            raise ParameterError(f"the next order cannot be number {number}; give at least {store.next_id}.")
        store.next_id = number

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
        """Change rules of a listing while it trades; orders that are there stay, even where they would be refused now.

        Raises
        ------
        ParameterError
            For what cannot change, and for a tick or step that is no multiple of the one the symbol was listed with,
            which its book counts in.
        """
        market = self._floor.market(symbol)
        fixed = sorted(_FIXED & set(fields))
        unknown = sorted(set(fields) - set(market.listing.__struct_fields__))
        if fixed or unknown:
            raise ParameterError(
                f"{symbol}: a rule change cannot set {(fixed or unknown)[0]!r}."
                + did_you_mean((fixed or unknown)[0], set(market.listing.__struct_fields__) - _FIXED)
            )
        changed = msgspec.structs.replace(market.listing, **fields)
        for name, unit in (("tick_size", market.book.tick), ("step_size", market.book.step)):
            size = getattr(changed, name)
            if size <= 0 or size % unit:
                raise ParameterError(
                    f"{symbol}: the new {name} {size} is no multiple of {unit}, the grid of its book. List the symbol "
                    f"with a {name} that divides both."
                )
        market.listing = changed
        self._open()
        self._floor.emit(StatusChanged(at=self._floor.at, symbol=symbol, status=str(changed.status)))

    # Money.

    def balances(self, user: User | str) -> dict[str, Balance]:
        """Return what a user has on spot, by asset; to be read only."""
        return self._spot.ledger.balances(user_id(user))

    def deposit(self, user: User | str, asset: str, amount: Decimal, reason: str = "deposit") -> None:
        """Give a user money from outside.

        Raises
        ------
        ParameterError
            If the amount is not above zero, or has more than 8 decimals.
        """
        if not _is_payment(amount):
            raise ParameterError(f"the amount is {amount}; give more than 0, at most {MOST:f}, and 8 decimals.")
        self._move(user, asset, amount, reason)

    def withdraw(self, user: User | str, asset: str, amount: Decimal, reason: str = "withdrawal") -> None:
        """Take free money of a user out; refuses more than is free, and what is no amount."""
        if not _is_payment(amount):
            raise RefusedError(Why.BAD_TERMS, f"{amount} is no amount", field="amount")
        self._move(user, asset, -amount, reason)

    def transfer(self, user: User | str, asset: str, amount: Decimal, to: Exchange) -> None:
        """Bring free money of a user to another exchange of the venue."""
        self.withdraw(user, asset, amount, "transfer")
        to.deposit(user, asset, amount, "transfer")

    def _move(self, user: User | str, asset: str, amount: Decimal, reason: str) -> None:
        self._open()
        accounts = self._spot if self._is_spot else self._futures
        accounts.move(user_id(user), asset, amount, reason)
        accounts.report()

    # Time.

    def advance(self, now: int | None = None) -> None:
        """Do what is due by time.

        Parameters
        ----------
        now
            ns, market time; None for that of the clock.
        """
        self._open(now)
        self._timers.advance(self._floor, self._matching, self._floor.at, self.clock.server.now())
        if not self._is_spot:
            self._liquidation.check(self._funding.advance(self._floor.at))
        self._conditional.settle()

    # Restarts.

    def save(self) -> bytes:
        """Return the whole state as bytes: orders, money, positions, books, timers; not the users, nor who listens."""
        floor = self._floor
        return dump(
            {
                "segment": floor.segment,
                "parts": self._parts(),
                "markets": floor.markets,
                "lists": floor.lists,
                "next_list": floor.next_list,
                "market_lots": self._matching.market_lots,
                "hidden": self.interference.hidden,
                "warned": set() if self._is_spot else self._liquidation.warned,
                "collateral": {} if self._is_spot else self._futures.margin.collateral,
            }
        )

    def restore(self, data: bytes) -> None:
        """Go on from a saved state; those who listen are told nothing of it.

        Raises
        ------
        InputError
            If the bytes are no state of an exchange of this segment.
        """
        state, floor = load(data), self._floor
        if state["segment"] != floor.segment:
            raise InputError(f"this is the state of a {state['segment']} exchange, and {self.name} is {self.segment}.")
        for name, part in self._parts().items():
            replace_state(part, state["parts"][name])
        self._restore_markets(state["markets"])
        floor.lists, floor.next_list = state["lists"], state["next_list"]
        self._matching.market_lots = state["market_lots"]
        self.interference.hidden.clear()
        self.interference.hidden.update(state["hidden"])
        if not self._is_spot:
            self._liquidation.warned = state["warned"]
            self._futures.margin.collateral = state["collateral"]

    def _parts(self) -> dict[str, object]:
        """Return the objects that are state, by name."""
        ledger = self._spot.ledger if self._is_spot else self._futures.ledger
        return {
            "store": self._floor.store,
            "triggers": self._floor.triggers,
            "timers": self._timers,
            "ledger": ledger,
        }

    def _restore_markets(self, saved: dict[str, Market]) -> None:
        markets = self._floor.markets
        for symbol, market in saved.items():
            here = markets.get(symbol)
            if here is not None:  # others hold its book
                replace_state(here.book, market.book)
                market.book = here.book
        markets.clear()
        markets.update(saved)

    def _named(self, kind: str, number: int) -> str:
        return short_name(f"{self.seed}/{self.name}/{kind}/{number}")


def _is_payment(amount: Decimal) -> bool:
    return amount.is_finite() and 0 < amount < MOST and not amount % PAYMENT


def _check_grid(listing: Listing) -> None:
    """Refuse grids on which sums would be rounded."""
    unit = (listing.tick_size * listing.step_size * listing.contract_size).normalize()
    exponent = unit.as_tuple().exponent
    if not isinstance(exponent, int) or unit <= 0 or exponent < -12:
        raise ParameterError(
            f"{listing.symbol}: tick {listing.tick_size}, step {listing.step_size} and contract size "
            f"{listing.contract_size} must be above zero, and their product may have 12 decimals at most."
        )
