"""What can be done at a venue in the generic protocol, however it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist_simulator.dialects.generic import encode
from cambist_simulator.dialects.generic.errors import FailedError
from cambist_simulator.exchange.listing import Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.dialects.generic.terms import AmendRequest, Lookup, OrderRequest
    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.exchange.users import ApiKey, User
    from cambist_simulator.market.data import MarketData
    from cambist_simulator.market.markets import Markets

__all__ = ["TradingFloor"]

_MS = 1_000_000


class TradingFloor:
    """The exchanges of a venue behind one set of symbols.

    Parameters
    ----------
    exchanges
        By name; a symbol is that of the first that lists it.
    markets
        What is kept of each symbol.
    clock
        Of the venue.
    """

    def __init__(self, exchanges: Mapping[str, Exchange], markets: Markets, clock: VenueClock) -> None:
        self.exchanges, self.markets, self.clock = exchanges, markets, clock

    def exchange(self, symbol: str) -> Exchange:
        """Return the exchange of a symbol; 404 for one that nobody lists."""
        for exchange in self.exchanges.values():
            if symbol in exchange.listings:
                return exchange
        raise FailedError(404, "unknown_symbol", "There is no such symbol.", symbol=symbol[:40])

    def data(self, symbol: str) -> MarketData:
        """Return what is kept of a symbol."""
        return self.markets.data(self.exchange(symbol).name, symbol)

    # --- the market ------------------------------------------------------------------------------------------------

    def time(self) -> dict[str, Any]:
        """Return both clocks."""
        return {"time": self.clock.server.now() // _MS, "market_time": self.clock.market.now() // _MS}

    def instruments(self) -> dict[str, Any]:
        """Return all symbols with their rules."""
        every = [(one, listing) for one in self.exchanges.values() for listing in one.listings.values()]
        return {"instruments": [encode.instrument(exchange, listing) for exchange, listing in every]}

    def depth(self, symbol: str, levels: int) -> dict[str, Any]:
        """Return a book; what changed before is told to its followers first, so that the two agree."""
        exchange = self.exchange(symbol)
        exchange.flush(symbol)
        return {"symbol": symbol, **encode.depth(exchange.book(symbol).depth(levels))}

    def trades(self, symbol: str, limit: int, from_id: int | None) -> dict[str, Any]:
        """Return trades, oldest first."""
        found = self.data(symbol).tape.recent(limit, from_id)
        return {"symbol": symbol, "trades": [encode.trade(one) for one in found]}

    def klines(self, symbol: str, interval: str, limit: int, start: int | None, end: int | None) -> dict[str, Any]:
        """Return candles, oldest first; times in ns."""
        series = self.data(symbol).candles(interval)
        rows = series.rows(start=start, end=end, limit=limit)
        return {
            "symbol": symbol,
            "interval": interval,
            "klines": [encode.candle(one, final=one is not series.forming) for one in rows],
        }

    def ticker(self, symbol: str) -> dict[str, Any]:
        """Return best prices, the last one, and the sums of 24 hours."""
        exchange, data = self.exchange(symbol), self.data(symbol)
        book, day = exchange.book(symbol), data.day(self.clock.market.now())
        return {
            "symbol": symbol,
            "bid": encode.number(book.best_bid),
            "ask": encode.number(book.best_ask),
            "last": encode.number(data.last_price),
            "open": encode.number(day.open),
            "high": encode.number(day.high),
            "low": encode.number(day.low),
            "volume": encode.number(day.volume),
            "quote_volume": encode.number(day.quote_volume),
            "trades": day.trades,
            "time": self.clock.market.now() // _MS,
        }

    # --- the account -----------------------------------------------------------------------------------------------

    def account(self, user: User, key: ApiKey) -> dict[str, Any]:
        """Return what a user has."""
        return {
            "user": user.name,
            "permissions": sorted(key.permissions),
            "accounts": {name: self._account(one, user) for name, one in self.exchanges.items()},
        }

    @staticmethod
    def _account(exchange: Exchange, user: User) -> dict[str, Any]:
        if exchange.segment is Segment.SPOT:
            return {
                asset: {"free": encode.number(one.free), "locked": encode.number(one.locked)}
                for asset, one in sorted(exchange.balances(user).items())
            }
        return {one.asset: encode.wallet(one) for one in exchange.wallets(user)}

    def place(self, user: User, key: ApiKey, request: OrderRequest, *, test: bool = False) -> dict[str, Any]:
        """Place an order, or only check it."""
        exchange = self._tradable(key, request.symbol)
        terms = request.terms()
        if test:
            exchange.check(user, terms)
            return {}
        return encode.order(exchange.place(user, terms))

    def amend(self, user: User, key: ApiKey, request: AmendRequest) -> dict[str, Any]:
        """Change a working order."""
        exchange, symbol = self._owner(user, request)
        self._permit(key, exchange)
        return encode.order(exchange.amend(user, symbol, request.terms(), **request.where()))

    def cancel(self, user: User, key: ApiKey, request: Lookup) -> dict[str, Any]:
        """Cancel an order."""
        exchange, symbol = self._owner(user, request)
        self._permit(key, exchange)
        return encode.order(exchange.cancel(user, symbol, **request.where()))

    def cancel_all(self, user: User, key: ApiKey, symbol: str | None) -> dict[str, Any]:
        """Cancel all open orders, of a symbol or of all."""
        exchanges = list(self.exchanges.values()) if symbol is None else [self.exchange(symbol)]
        for exchange in exchanges:
            self._permit(key, exchange)
        return {"orders": [encode.order(one) for exchange in exchanges for one in exchange.cancel_all(user, symbol)]}

    def order(self, user: User, request: Lookup) -> dict[str, Any]:
        """Return an order."""
        exchange, symbol = self._owner(user, request)
        return encode.order(exchange.order(user, symbol, **request.where()))

    def orders(self, user: User, symbol: str | None, *, open_only: bool, limit: int) -> dict[str, Any]:
        """Return orders, oldest first, the newest `limit` of them."""
        found = []
        for exchange in self.exchanges.values() if symbol is None else (self.exchange(symbol),):
            found += exchange.open_orders(user, symbol) if open_only else exchange.orders(user, symbol, limit=limit)
        return {"orders": [encode.order(one) for one in found[-limit:]]}

    def fills(self, user: User, symbol: str, limit: int, order_id: int | None, from_id: int | None) -> dict[str, Any]:
        """Return fills, oldest first."""
        found = self.exchange(symbol).executions(user, symbol, order_id=order_id, from_id=from_id, limit=limit)
        return {"fills": [encode.execution(one) for one in found]}

    def positions(self, user: User, symbol: str | None) -> dict[str, Any]:
        """Return a user's positions on futures, those of a symbol or all."""
        exchanges = self.exchanges.values() if symbol is None else (self.exchange(symbol),)
        futures = [one for one in exchanges if one.segment is not Segment.SPOT]
        return {"positions": [encode.position(one) for exchange in futures for one in exchange.positions(user, symbol)]}

    def set_leverage(self, user: User, key: ApiKey, symbol: str, leverage: int) -> dict[str, Any]:
        """Set a user's leverage in a symbol of futures."""
        exchange = self._tradable(key, symbol)
        if exchange.segment is Segment.SPOT:
            raise FailedError(400, "no_futures", f"{symbol} is no future.")
        exchange.set_leverage(user, symbol, leverage)
        return {"symbol": symbol, "leverage": leverage}

    def set_margin(self, user: User, key: ApiKey, symbol: str, *, isolated: bool) -> dict[str, Any]:
        """Let a user's position in a symbol of futures have margin of its own, or not."""
        exchange = self._tradable(key, symbol)
        if exchange.segment is Segment.SPOT:
            raise FailedError(400, "no_futures", f"{symbol} is no future.")
        exchange.set_margin_type(user, symbol, isolated=isolated)
        return {"symbol": symbol, "isolated": isolated}

    def set_hedged(self, user: User, key: ApiKey, *, hedged: bool) -> dict[str, Any]:
        """Let a user hold both sides of a future at once, on all exchanges of futures, or not."""
        futures = [one for one in self.exchanges.values() if one.segment is not Segment.SPOT]
        if not futures:
            raise FailedError(400, "no_futures", "The venue lists no futures.")
        for exchange in futures:
            self._permit(key, exchange)
            if exchange.is_hedged(user) is not hedged:
                exchange.set_position_mode(user, hedged=hedged)
        return {"hedged": hedged}

    def dead_man(self, user: User, key: ApiKey, symbol: str, after_ms: int) -> dict[str, Any]:
        """Cancel a user's orders in a symbol when he does not say so again in time; 0 stops that."""
        exchange = self._tradable(key, symbol)
        exchange.count_down(user, symbol, after_ms * _MS)
        return {"symbol": symbol, "after_ms": after_ms}

    def _owner(self, user: User, request: Lookup) -> tuple[Exchange, str]:
        """Return the exchange of the order, and its symbol or ``""``."""
        request.where()
        if request.symbol:
            return self.exchange(request.symbol), request.symbol
        if len(self.exchanges) == 1:
            return next(iter(self.exchanges.values())), ""
        del user
        raise FailedError(400, "bad_request", "Give the symbol: the venue has several exchanges.")

    def _tradable(self, key: ApiKey, symbol: str) -> Exchange:
        exchange = self.exchange(symbol)
        self._permit(key, exchange)
        return exchange

    @staticmethod
    def _permit(key: ApiKey, exchange: Exchange) -> None:
        needed = "spot" if exchange.segment is Segment.SPOT else "futures"
        if needed not in key.permissions:
            raise FailedError(403, "no_permission", f"The key does not permit trading ({needed}).")
