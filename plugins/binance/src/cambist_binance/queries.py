"""Truth: how orders stand, what was executed, what the account has, what the market did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.api import VenueError
from cambist_binance.calls import CALLS
from cambist_binance.orders import ALGO_PREFIX, key_params
from cambist_binance.transport import decoded
from cambist_binance.wire import futures, money, spot
from cambist_binance.wire.market import bars_of, decode_klines, decode_snapshot, interval_of, intervals
from cambist_ccxt.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.api import OrderKey
    from cambist.model import AccountReport, Bars, CashReport, FillReport, Instrument, OrderReport, Timeframe
    from cambist_binance.account_events import Children
    from cambist_binance.hosts import Market
    from cambist_binance.margining import Margining
    from cambist_binance.transport import Transport
    from cambist_binance.wire.market import DepthSnapshot
    from cambist_ccxt.budget import Priority
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.symbols import Symbols

__all__ = ["Queries"]

_MS = 1_000_000
_DAY = 86_400_000
_UNKNOWN = "unknown_order"


class Queries:
    """Asks a market for what is so.

    Parameters
    ----------
    children
        Shared with the private stream.
    margining
        Of a futures account.
    """

    def __init__(
        self,
        market: Market,
        transport: Transport,
        symbols: Symbols,
        clock: VenueClock,
        *,
        children: Children,
        margining: Margining,
    ) -> None:
        self._market, self._transport, self._symbols = market, transport, symbols
        self._clock, self._children, self._margining = clock, children, margining
        self._wire: Any = futures if market.futures else spot

    # Orders.

    async def find(self, key: OrderKey, *, conditional: bool | None) -> OrderReport | None:
        """Return how an order stands, None where the venue has none.

        Parameters
        ----------
        conditional
            Whether it belongs to the service of conditional orders; None where nobody knows.
        """
        if not conditional:
            params = key_params(key, self._symbols.theirs(key.symbol))
            try:
                one = await decoded(self._transport.call("find", params), self._wire.decode_order)
            except RefusedError as error:
                if error.reason != _UNKNOWN:
                    raise
                if conditional is False:
                    return None
            else:
                report: OrderReport = self._wire.order_of(one, self._symbols)
                return self._children.order(report)
        try:
            return await self._find_conditional(key_params(key, "", conditional=True))
        except RefusedError as error:
            if error.reason != _UNKNOWN:
                raise
            return None

    async def _find_conditional(self, params: dict[str, Any]) -> OrderReport:
        one = await decoded(self._transport.call("algo_find", params), futures.decode_algo)
        child = None
        number = one.actual_order_id
        self._children.note(number, one.client_algo_id, futures.algo_venue_id(one.algo_id))
        if number not in {"", "0"}:
            named = {"symbol": one.symbol, "orderId": int(number)}
            child = await decoded(self._transport.call("find", named), futures.decode_order)
        return futures.algo_of(one, self._symbols, child)

    async def open_orders(self, symbols: Sequence[str], priority: Priority) -> list[OrderReport]:
        """Return open orders, of some instruments or of all where none is named."""
        each = [{"symbol": self._symbols.theirs(one)} for one in symbols]
        call = CALLS[self._market]["open"]
        if sum(map(call.weighs, each)) >= call.weighs({}):
            each = []
        found = []
        for params in each or [{}]:
            found += await self._open_orders(params, priority)
        return [one for one in found if not symbols or one.symbol in symbols]

    async def _open_orders(self, params: dict[str, Any], priority: Priority) -> list[OrderReport]:
        wire, transport = self._wire, self._transport
        plain = await decoded(transport.ask("open", params, priority=priority), wire.decode_orders)
        reports = [self._children.order(wire.order_of(one, self._symbols)) for one in plain]
        if self._market.futures:
            waiting = await decoded(transport.ask("algo_open", params, priority=priority), futures.decode_algos)
            reports += [futures.algo_of(one, self._symbols) for one in waiting]
        return reports

    async def fills(self, symbol: str, since: int, venue_id: str) -> list[FillReport]:
        """Return executions since a time, or those of one order, oldest first."""
        name = self._symbols.theirs(symbol)
        client_id = ""
        if venue_id.startswith(ALGO_PREFIX):
            order = await self._find_conditional({"algoId": int(venue_id.removeprefix(ALGO_PREFIX))})
            child = self._children.child_of(order.client_id)
            if not child:
                return []
            client_id, venue_id = order.client_id, child
        if venue_id:
            rows = await self._pages({"symbol": name, "orderId": int(venue_id)}, 0)
        else:
            rows = await self._since(name, since // _MS)
        fills = [self._wire.fill_of(one, self._symbols, client_id) for one in rows]
        return [self._children.fill(one) for one in fills]

    async def _since(self, name: str, start: int) -> list[Any]:
        """Fetch executions since a time in ms, window by window: the venue looks at a day or a week at a time."""
        span = 7 * _DAY if self._market.futures else _DAY
        now = self._clock.now() // _MS
        rows: dict[int, Any] = {}
        while True:
            end = start + span - 1
            # The last window is open: clocks differ, and what comes now is wanted, too.
            asked = {"symbol": name, "startTime": start} | ({"endTime": end} if end < now else {})
            for one in await self._pages(asked, end if end < now else 0):
                rows[one.id] = one
            start = end + 1
            if start > now:
                break
        return [rows[number] for number in sorted(rows)]

    async def _pages(self, params: dict[str, Any], end: int) -> list[Any]:
        """Fetch page after page, up to a time in ms where it is not 0."""
        rows: list[Any] = []
        asked = {**params, "limit": 1000}
        while True:
            page = await decoded(self._transport.ask("fills", asked), self._wire.decode_trades)
            rows += page
            if len(page) < 1000 or (end and page[-1].time > end):
                return sorted((one for one in rows if not end or one.time <= end), key=lambda one: int(one.id))
            asked = {"symbol": params["symbol"], "fromId": page[-1].id + 1, "limit": 1000}
            if "orderId" in params:
                asked["orderId"] = params["orderId"]

    async def account(self) -> AccountReport:
        """Return balances and positions."""
        transport, now = self._transport, self._clock.now()
        if not self._market.futures:
            whole = await decoded(transport.ask("account", {"omitZeroBalances": "true"}), spot.decode_account)
            return spot.account_of(whole, now)
        balances = await decoded(transport.ask("balances", {}), futures.decode_balances)
        positions = await self._margining.positions()
        settings, hedged = await self._margining.settings(), await self._margining.hedged()
        return futures.account_of(balances, positions, self._symbols, now, settings=settings, hedged=hedged)

    async def cash_flows(self, since: int) -> list[CashReport]:
        """Return what moved money without a trade since a time, oldest first."""
        if not self._market.futures:
            return []
        rows: dict[tuple[str, str], Any] = {}
        start, limit = since // _MS, 1000
        while True:
            asked = {"startTime": start, "limit": limit}
            page = await decoded(self._transport.ask("incomes", asked), money.decode_incomes)
            fresh = {(one.income_type, str(one.tran_id)): one for one in page}
            grown = len(rows | fresh) > len(rows)
            rows |= fresh
            if len(page) < limit or not grown:
                break
            start = max(one.time for one in page)
        told = (money.cash_of(one, self._symbols) for one in sorted(rows.values(), key=lambda one: one.time))
        return [one for one in told if one is not None]

    # The market.

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``.

        Raises
        ------
        VenueError
            The venue has no such candles, or none of that time.
        """
        interval = interval_of(timeframe)
        if interval is None:
            raise VenueError(f"the venue has no candles of {timeframe}; it has {intervals()}.", code="timeframe")
        name, step = self._symbols.theirs(instrument.symbol), timeframe.ns // _MS
        # One bar more than was asked for: that it has begun proves the last one final, whatever the clocks say.
        first, last = start // _MS, end // _MS - 1 + step
        rows: list[Any] = []
        limit = 1000
        while first <= last:
            until = min(last, first + limit * step - 1) if self._market.futures else last
            count = min(limit, (until - first) // step + 2)  # it weighs less, the fewer may come
            asked = {"symbol": name, "interval": interval, "startTime": first, "endTime": until, "limit": count}
            page = await decoded(self._transport.ask("klines", asked), decode_klines)
            rows += page
            if self._market.futures:
                first = until + 1
            elif len(page) < count:
                break
            else:
                first = page[-1].ts + step
        now = self._clock.now() // _MS
        if rows and rows[-1].ts + step > now:
            rows.pop()
        rows = [row for row in rows if row.ts < end // _MS]
        if not rows:
            raise VenueError(f"the venue has no bars of {instrument.symbol} {timeframe} in that time.", code="no_bars")
        return bars_of(rows, instrument, timeframe)

    async def depth(self, symbol: str) -> DepthSnapshot:
        """Return the book of an instrument as it stands."""
        limit = 1000 if self._market.futures else 5000
        asked = {"symbol": self._symbols.theirs(symbol), "limit": limit}
        snapshot: DepthSnapshot = await decoded(self._transport.ask("depth", asked), decode_snapshot)
        return snapshot
