"""A venue in one process: everything but the loop that it runs in."""

from __future__ import annotations

from copy import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.api import ParameterError, did_you_mean
from cambist_simulator.control.dialect import ControlDialect
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.faults.engine import FaultEngine
from cambist_simulator.market.pacing import Pacer
from cambist_simulator.server.log import RequestLog
from cambist_simulator.server.server import Server
from cambist_simulator.server.timers import Timers
from cambist_simulator.venue.assembly import Assembly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model import Side
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.orders import OrderTerms, VenueOrder
    from cambist_simulator.server.wire import Dialect
    from cambist_simulator.venue.settings import VenueSettings

__all__ = ["SimulatedVenue"]

_SLICE = 100_000_000


class SimulatedVenue:
    """What `cambist_simulator.ExchangeSimulator` runs; see `Ground` for what faults ask of it.

    Parameters
    ----------
    settings
        How it is to be.

    Attributes
    ----------
    clock, users, server, markets, faults
        Its parts.
    restarts
        How often it was started again.
    """

    def __init__(self, settings: VenueSettings) -> None:
        self.settings = settings
        assembly = Assembly(settings)
        self.clock, self.users, self.markets = assembly.clock, assembly.users, assembly.markets
        self._exchanges, self._random = assembly.exchanges, assembly.random
        log = RequestLog(entries=settings.log_entries, path=settings.log_file)
        served: dict[str, Dialect] = {**assembly.dialects(), "/_sim": ControlDialect(self)}
        self.server = Server(served, self.clock, log=log, host=settings.host, port=settings.port)
        self._market_timers = Timers(self.clock.market)
        self.faults = FaultEngine(self, seed=settings.seed)
        self.server.tampering = self.faults
        self.pacer = Pacer(self.markets, crowded=self.crowded, after=self.server.flush)
        self.server.tickers.append(self.on_tick)
        self.restarts = 0
        self.stepping = False
        for fault in settings.faults:
            self.faults.add(fault)
        if settings.speed is not None:
            # The first client shall find a book.
            self.markets.advance(self.clock.market.now())

    # --- time ------------------------------------------------------------------------------------------------------

    def on_tick(self) -> None:
        """Do what is due: the market, faults, what waits for the market's clock."""
        if self.settings.speed is not None and not self.stepping:
            self.pacer.tick()
        self._due()

    def _due(self) -> None:
        self._market_timers.run()
        self.faults.on_timer()

    def crowded(self) -> bool:
        """Whether the market must wait: for the first request of all, or since some client has too much unread."""
        return self.settings.speed is None and (not self.server.number or self.server.backlog() > 1 << 20)

    def step(self, by: int) -> None:
        """Let the market go on by so many ns, and the server's clock with it if it stands still.

        What is due on the way is done when it is due, to a tenth of a second (of a step above a minute: to a
        six-hundredth of it).
        """
        if by < 0:
            raise ParameterError(f"a step of {by} ns goes back; give one from 0 up.")
        market, server = self.clock.market, self.clock.server
        end = market.now() + by
        slice_ = max(_SLICE, by // 600)
        self.stepping = True
        try:
            while True:
                at = min(market.now() + slice_, end)
                passed = at - market.now()
                self.markets.advance(at)
                if market.now() < at:
                    market.step_to(at)
                if server is not market and server.speed == 0.0:
                    server.shift(passed)
                self.server.tick()
                if at >= end:
                    return
        finally:
            self.stepping = False

    # --- what faults ask -------------------------------------------------------------------------------------------

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """By name."""
        return self._exchanges

    def user_id(self, name: str) -> str | None:
        """Return the id of a user by name or id; None for nobody."""
        return next((one.id for one in self.users if name in {one.id, one.name}), None)

    def user_names(self, user_id: str) -> tuple[str, ...]:
        """Return the id and the name of a user."""
        return next(((one.id, one.name) for one in self.users if one.id == user_id), (user_id,))

    def timers(self, clock: str) -> Timers:
        """Return the calls that are due by a clock."""
        return self._market_timers if clock == "market" else self.server.timers

    def restart(self, down: int) -> None:
        """End the venue and start it again with all that it knew."""
        self.restarts += 1
        self.server.go_away(down)

    def jump(self, symbol: str, by: float) -> None:
        """Move the price of a symbol by a share of it, with no trade between.

        Raises
        ------
        ParameterError
            The symbol is played from a recording, or not at all.
        """
        found = self._random.get(symbol.partition(":")[0], ())
        if not found:
            raise ParameterError(f"{symbol!r} has no random market, so its price cannot jump; recorded prices stay.")
        for one in found:
            one.jump(by)

    # --- what tests ask --------------------------------------------------------------------------------------------

    def exchange_of(self, symbol: str) -> Exchange:
        """Return the exchange that lists a symbol, as ``"BTCUSDT"`` or ``"BTCUSDT:linear"``."""
        name, _, segment = symbol.partition(":")
        for exchange in self._exchanges.values():
            if name in exchange.listings and segment in {"", str(exchange.segment)}:
                return exchange
        every = [one for exchange in self._exchanges.values() for one in exchange.listings]
        raise ParameterError(f"no exchange lists {symbol!r}.{did_you_mean(name, every)}")

    def user(self, name: str | None = None) -> str:
        """Return the id of a user; None for the first."""
        if name is None:
            return next(iter(self.users)).id
        found = self.user_id(name)
        if found is None:
            raise ParameterError(f"there is no user {name!r}.{did_you_mean(name, [one.name for one in self.users])}")
        return found

    def orders(
        self,
        user: str | None = None,
        symbol: str | None = None,
        *,
        open_only: bool = False,
        latest: int | None = None,
    ) -> list[Any]:
        """Return copies of orders, hidden ones too, by exchange, then as they came; the `latest` of each, or all."""
        found = []
        who = None if user is None else self.user(user)
        for exchange in self._exchanges.values():
            chosen = (
                order
                for order in exchange.interference.latest()
                if (who is None or order.user == who)
                and (symbol is None or order.terms.symbol == symbol)
                and (order.open or not open_only)
            )
            found += [_copied(order) for order in islice(chosen, latest)][::-1]
        return found

    def fills(self, user: str | None = None, symbol: str | None = None) -> list[Any]:
        """Return executions, in the order of their times."""
        found = [one for order in self.orders(user, symbol) for one in order.executions]
        return sorted(found, key=lambda one: (one.at, one.trade_id))

    def balances(self, user: str | None = None) -> dict[str, dict[str, Any]]:
        """Return what a user has, by exchange and asset; copies: `Balance` on spot, `FuturesWallet` on futures."""
        who = self.user(user)
        found: dict[str, dict[str, Any]] = {}
        for name, exchange in self._exchanges.items():
            if exchange.segment is Segment.SPOT:
                found[name] = {asset: copy(one) for asset, one in exchange.balances(who).items()}
            else:
                found[name] = {one.asset: one for one in exchange.wallets(who)}
        return found

    def positions(self, user: str | None = None) -> dict[str, list[Any]]:
        """Return a user's positions, by exchange of futures."""
        who = self.user(user)
        futures = {name: one for name, one in self._exchanges.items() if one.segment is not Segment.SPOT}
        return {name: list(exchange.positions(who)) for name, exchange in futures.items()}

    def place(self, terms: OrderTerms, user: str | None = None) -> VenueOrder:
        """Place an order as another client of the account would.

        Raises
        ------
        RefusedError
            The exchange refuses it.
        """
        symbol = terms.symbol.partition(":")[0]
        order = self.exchange_of(terms.symbol).place(self.user(user), msgspec.structs.replace(terms, symbol=symbol))
        self.server.flush()
        return order

    def deposit(self, user: str | None, asset: str, amount: Any, exchange: str | None = None) -> None:
        """Give a user money, or take it away with a negative amount; on the first exchange where none is named."""
        name = exchange or next(iter(self._exchanges))
        found = self._exchanges.get(name)
        if found is None:
            raise ParameterError(f"there is no exchange {name!r}.{did_you_mean(name, self._exchanges)}")
        if amount < 0:
            found.withdraw(self.user(user), asset, -amount)
        else:
            found.deposit(self.user(user), asset, amount)
        self.server.flush()

    def set_speed(self, speed: float) -> None:
        """Let the market clock go at another pace; 0 freezes it."""
        if self.settings.speed is None:
            raise ParameterError("the market is played as fast as clients read; its speed is not to be set.")
        self.clock.market.speed = speed

    def top(self, symbol: str) -> dict[str, Any]:
        """Return best prices and the last one."""
        name = symbol.partition(":")[0]
        book = self.exchange_of(symbol).book(name)
        return {"bid": book.best_bid, "ask": book.best_ask, "last": book.last_price}

    def trade(self, symbol: str, side: Side, size: Any, price: Any) -> None:
        """Let somebody from outside trade."""
        self.exchange_of(symbol).market_trade(symbol.partition(":")[0], side, size, price)
        self.server.flush()

    def summary(self) -> dict[str, Any]:
        """Return where everything stands, for JSON."""
        return {
            "venues": list(self.settings.venues),
            "endpoints": self.server.endpoints(),
            "clock": self.times(),
            "requests": dict(self.server.log.counts),
            "connections": len(self.server.connections),
            "counts": dict(self.server.counts),
            "orders": sum(len(one.interference) for one in self._exchanges.values()),
            "open_orders": sum(one.interference.count_open() for one in self._exchanges.values()),
            "faults": len(self.faults.rules()),
            "fired": self.faults.count,
            "restarts": self.restarts,
            "symbols": {
                symbol: {key: None if value is None else str(value) for key, value in self.top(symbol).items()}
                | {"exchange": name, "status": str(listing.status)}
                for name, exchange in self._exchanges.items()
                for symbol, listing in exchange.listings.items()
            },
        }

    def times(self) -> dict[str, Any]:
        """Return both clocks, ns, and how fast they go."""
        return {
            "server": self.clock.server.now(),
            "market": self.clock.market.now(),
            "server_speed": self.clock.server.speed,
            "market_speed": self.clock.market.speed,
        }

    def credentials(self) -> list[dict[str, Any]]:
        """Return the keys of all users, secrets included."""
        return [
            {
                "user": user.name,
                "key": key.key,
                "kind": key.kind,
                "secret": key.private.decode(),
                "permissions": sorted(key.permissions),
                "enabled": key.enabled,
            }
            for user in self.users
            for key in user.keys.values()
        ]


def _copied(order: VenueOrder) -> VenueOrder:
    one = copy(order)
    one.executions = list(order.executions)
    return one
