"""The venue as a whole: three exchanges, users, clocks, and what it counts and remembers of clients."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from cambist_simulator.dialects.binance.formats import places
from cambist_simulator.dialects.binance.futures_income import Incomes
from cambist_simulator.dialects.binance.limits import Bans, Limit, OrderCounts, Weights
from cambist_simulator.dialects.binance.listen_keys import ListenKeys
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.listing import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.exchange.events import OrderChanged
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.exchange.orders import VenueOrder
    from cambist_simulator.exchange.users import User, Users
    from cambist_simulator.market.data import MarketData

__all__ = ["FUTURES_LIMITS", "SPOT_LIMITS", "Desk", "Venue"]

#: Per address, per account, per address.
SPOT_LIMITS: Final = (
    Limit(kind="REQUEST_WEIGHT", interval="MINUTE", number=1, most=6_000),
    Limit(kind="ORDERS", interval="SECOND", number=10, most=100),
    Limit(kind="ORDERS", interval="DAY", number=1, most=200_000),
    Limit(kind="RAW_REQUESTS", interval="MINUTE", number=5, most=300_000),
)
#: Of USD-M and COIN-M together, since mid 2026.
FUTURES_LIMITS: Final = (
    Limit(kind="REQUEST_WEIGHT", interval="MINUTE", number=1, most=2_400),
    Limit(kind="ORDERS", interval="MINUTE", number=1, most=1_200),
    Limit(kind="ORDERS", interval="SECOND", number=10, most=300),
)
_SAPI: Final = Limit(kind="REQUEST_WEIGHT", interval="MINUTE", number=1, most=12_000)


class Desk:
    """One of the exchanges, as this venue shows it.

    Parameters
    ----------
    exchange
        Orders, balances, positions.
    data
        What is kept of the market in a symbol.
    """

    def __init__(self, exchange: Exchange, data: Callable[[str], MarketData]) -> None:
        self.exchange = exchange
        self.segment: Segment = exchange.segment
        self.spot = self.segment is Segment.SPOT
        self.inverse = self.segment is Segment.INVERSE
        self.data = data
        self.executions = count(1)
        self.names = count(1)
        #: Self-trade prevention of orders that name none.
        self.mode = "EXPIRE_MAKER"

    def listing(self, symbol: str) -> Listing:
        """Return a symbol that is listed."""
        return self.exchange.listing(symbol)

    def lists(self, symbol: str) -> bool:
        """Whether a symbol is listed."""
        try:
            self.exchange.listing(symbol)
        except RefusedError:
            return False
        return True

    def order(self, user: User | str, order_id: int) -> VenueOrder | None:
        """Return an order of a user; None once the exchange has forgotten it."""
        try:
            return self.exchange.order(user, order_id=order_id)
        except RefusedError:
            return None

    def names_of(self, user: str) -> Callable[[int], str]:
        """Return what gives the client ids of a user's orders."""

        def name(order_id: int) -> str:
            order = self.order(user, order_id)
            return "" if order is None else order.client_id

        return name

    def price_digits(self, symbol: str) -> int:
        """Return the decimals of prices of a symbol, as futures show them."""
        return places(self.exchange.listing(symbol).tick_size)

    def size_digits(self, symbol: str) -> int:
        """Return the decimals of sizes of a symbol, as futures show them."""
        return places(self.exchange.listing(symbol).step_size)


class Venue:
    """All that requests, sessions and timers share.

    Parameters
    ----------
    desks
        At most one for each segment.
    enforced
        Whether anybody who asks too much is refused.
    """

    def __init__(
        self,
        desks: Iterable[Desk],
        users: Users,
        clock: VenueClock,
        *,
        seed: int = 0,
        spot_limits: tuple[Limit, ...] = SPOT_LIMITS,
        futures_limits: tuple[Limit, ...] = FUTURES_LIMITS,
        enforced: bool = True,
    ) -> None:
        self.desks = {desk.segment: desk for desk in desks}
        self.users = users
        self.clock = clock
        self.bans = Bans()
        self.spot_limits, self.futures_limits = spot_limits, futures_limits
        self.enforced = enforced
        self.spot_weights = Weights(_of(spot_limits, "REQUEST_WEIGHT")[0], self.bans, enforced=enforced)
        self.futures_weights = Weights(_of(futures_limits, "REQUEST_WEIGHT")[0], self.bans, enforced=enforced)
        self.sapi_weights = Weights(_SAPI, self.bans, enforced=enforced)
        self.spot_orders = OrderCounts(_of(spot_limits, "ORDERS"), enforced=enforced)
        self.futures_orders = OrderCounts(_of(futures_limits, "ORDERS"), enforced=enforced)
        self.listen_keys = ListenKeys(seed)
        self.transfers = count(1)
        #: Told of new orders that were refused after the order that they were to replace was canceled.
        self.on_rejected: Callable[[OrderChanged], None] = _nobody
        self.incomes = {desk.segment: Incomes(desk) for desk in self.futures()}
        #: Changes of isolated margin that users asked for.
        self.margin_changes: dict[Segment, deque[dict[str, Any]]] = {
            desk.segment: deque(maxlen=10_000) for desk in self.futures()
        }
        #: While set, all but market data is refused.
        self.maintenance = False

    @property
    def spot(self) -> Desk | None:
        """The desk of spot."""
        return self.desks.get(Segment.SPOT)

    def now(self) -> int:
        """Return the server time, ms."""
        return self.clock.server.now() // 1_000_000

    def weights(self, desk: Desk | None) -> Weights:
        """Return what counts the weight of requests to a desk; None stands for wallet and account services."""
        if desk is None:
            return self.sapi_weights
        return self.spot_weights if desk.spot else self.futures_weights

    def orders(self, desk: Desk) -> OrderCounts:
        """Return what counts orders at a desk."""
        return self.spot_orders if desk.spot else self.futures_orders

    def limits(self, desk: Desk) -> tuple[Limit, ...]:
        """Return the limits that ``exchangeInfo`` tells."""
        return self.spot_limits if desk.spot else self.futures_limits

    def futures(self) -> list[Desk]:
        """Return the desks of USD-M and COIN-M."""
        return [desk for desk in self.desks.values() if not desk.spot]

    def alias(self, user: User) -> str:
        """Return what futures balances call a user."""
        return f"Sim{user.number:X}"


def _nobody(event: OrderChanged) -> None:
    """Tell nobody."""


def _of(limits: tuple[Limit, ...], kind: str) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.kind == kind)
