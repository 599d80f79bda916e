"""A venue put together: exchanges with their symbols, markets that move them, users with their money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.api import ParameterError, did_you_mean
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.users import Users
from cambist_simulator.market.markets import Markets
from cambist_simulator.market.random_market import RandomMarket, RandomShape
from cambist_simulator.venue.feeding import marks_of, opened, prices_of, script_of
from cambist_simulator.venue.kinds import Parts, kind_of
from cambist_simulator.venue.symbols import first_price, made_listing, parse_symbol, worth

if TYPE_CHECKING:
    from cambist_simulator.server.wire import Dialect
    from cambist_simulator.venue.settings import VenueSettings

__all__ = ["Assembly"]


class Assembly:
    """Makes the parts of a venue.

    Parameters
    ----------
    settings
        How it is to be.

    Attributes
    ----------
    exchanges
        By name.
    random
        Random markets by symbol.
    """

    def __init__(self, settings: VenueSettings) -> None:
        self.settings = settings
        self._kinds = [kind_of(name) for name in settings.venues]
        self.clock = _clocks(settings)
        self.users = Users(settings.seed)
        self.exchanges: dict[str, Exchange] = {}
        plays = self._listed()
        self.markets = Markets(self.clock, self.exchanges.values())
        self.random: dict[str, list[RandomMarket]] = {}
        self._play(plays)
        self._fund()

    def dialects(self) -> dict[str, Dialect]:
        """Return what speaks the protocols, by where it is mounted."""
        made: dict[str, Dialect] = {}
        for kind in self._kinds:
            names = kind.segments.values()
            parts = Parts(
                exchanges={name: one for name, one in self.exchanges.items() if name in names},
                users=self.users,
                markets=self.markets,
                clock=self.clock,
                seed=self.settings.seed,
                limits=self.settings.limits,
            )
            made["/" if len(self._kinds) == 1 else f"/{kind.name}"] = kind.dialect(parts)
        return made

    def _listed(self) -> list[tuple[str, str, Any]]:
        """Make the exchanges; returns (exchange, symbol, recorded data) of all that is played."""
        settings = self.settings
        own = {one.symbol: one for one in settings.listings}
        plays, unused = [], dict(settings.data)
        for kind in self._kinds:
            for symbol, segment in map(parse_symbol, settings.symbols or kind.symbols):
                if segment not in kind.segments:
                    raise ParameterError(f"{kind.name} has no segment {segment}, which {symbol!r} is of.")
                known = {one.symbol: one for one in kind.listings(segment)} | own
                name = f"{symbol}:{segment}" if f"{symbol}:{segment}" in settings.data else symbol
                unused.pop(name, None)
                data = opened(settings.data[name], symbol) if name in settings.data else None
                listing = known.get(symbol) or made_listing(symbol, segment, prices_of(data))
                self._exchange(kind.segments[segment], segment).list_symbol(listing)
                plays.append((kind.segments[segment], symbol, data))
        for name in unused:
            played = [symbol for _, symbol, _ in plays]
            raise ParameterError(f"there is data of {name!r}, which is not played.{did_you_mean(name, played)}")
        return plays

    def _exchange(self, name: str, segment: Segment) -> Exchange:
        if name not in self.exchanges:
            self.exchanges[name] = Exchange(
                name, segment, self.clock, users=self.users, seed=self.settings.seed, keep=self.settings.kept_orders
            )
        return self.exchanges[name]

    def _play(self, plays: list[tuple[str, str, Any]]) -> None:
        settings = self.settings
        shape = settings.shape or RandomShape().at_pace(settings.speed)
        if settings.history:
            shape = msgspec.structs.replace(shape, history=settings.history)
        for name, symbol, data in plays:
            exchange = self.exchanges[name]
            price = first_price(exchange.listing(symbol))
            script = script_of(self.markets, exchange, symbol, data, price=price, shape=shape, seed=settings.seed)
            self.markets.add(script)
            if exchange.segment is not Segment.SPOT:
                self.markets.add(marks_of(self.markets, exchange, symbol, data, settings.speed))
            if isinstance(script, RandomMarket):
                self.random.setdefault(symbol, []).append(script)
        self.markets.begin(start=settings.start, loop=settings.loop)

    def _fund(self) -> None:
        settings = self.settings
        for name in settings.users:
            user = self.users.add(name)
            for exchange in self.exchanges.values():
                money = {one.settle: worth(settings.cash, one.settle) for one in exchange.listings.values()}
                money |= settings.balances
                for asset, amount in money.items():
                    if amount > 0:
                        exchange.deposit(user, asset, amount)


def _clocks(settings: VenueSettings) -> VenueClock:
    """Return the two clocks: the server's keeps the pace of clients, unless it is frozen."""
    speed = settings.speed
    server = Clock(speed=0.0 if settings.frozen else 1.0, start=settings.start if settings.frozen else None)
    return VenueClock(server, Clock(start=settings.start, speed=0.0 if speed is None else speed))
