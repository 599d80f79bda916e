"""Truth by ccxt's unified methods: orders by client id, executions, balances, bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cambist.api import VenueError
from cambist.model import Bars
from cambist_ccxt import mapping
from cambist_ccxt.errors import NoAnswerError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.api import FundingRate, OrderKey
    from cambist.model import AccountReport, FillReport, Instrument, OrderReport, Timeframe
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.unified import Unified

__all__ = ["BY_CLIENT_ID", "Questions"]

_MS = 1_000_000
#: Exchanges whose orders ccxt finds and cancels by client id. Elsewhere it leaves the id out without a word.
BY_CLIENT_ID: Final = frozenset({"binance", "binanceus", "binanceusdm", "binancecoinm", "okx", "bitget", "htx"})
_PAGE: Final = 500


class Questions:
    """Asks an exchange for what is so.

    Parameters
    ----------
    exchange
        Client of unified methods.
    """

    def __init__(self, exchange: Unified, clock: VenueClock) -> None:
        self._exchange, self._clock = exchange, clock
        self._by_client_id = exchange.client.id in BY_CLIENT_ID
        #: The exchange's order ids by ours, and the other way round.
        self.ids: dict[str, str] = {}
        self.client_ids: dict[str, str] = {}

    def learn(self, client_id: str, venue_id: str) -> None:
        """Remember what the exchange calls an order."""
        if client_id and venue_id:
            self.ids[client_id], self.client_ids[venue_id] = venue_id, client_id

    async def find(self, key: OrderKey) -> OrderReport | None:
        """Return how an order stands, None where the exchange has none.

        Raises
        ------
        NoAnswerError
            It cannot be told: this exchange lists no orders that have ended.
        """
        exchange = self._exchange
        venue_id = key.venue_id or self.ids.get(key.client_id, "")
        try:
            if venue_id:
                order = await exchange.call("fetch_order", venue_id, key.symbol)
            elif self._by_client_id:
                order = await exchange.call("fetch_order", None, key.symbol, {"clientOrderId": key.client_id})
            else:
                order = await self._listed(key)
        except RefusedError as error:
            if error.reason != "unknown_order":
                raise
            return None
        return None if order is None else self.report(order, key)

    def report(self, order: dict[str, Any], key: OrderKey) -> OrderReport:
        """Say how an order stands, and remember its names."""
        if not order.get("id") and not order.get("clientOrderId"):
            raise NoAnswerError(f"an order without a name: {str(order.get('info'))[:120]}")
        report = mapping.order_of(order, self._clock.now(), symbol=key.symbol, client_id=key.client_id)
        self.learn(report.client_id, report.venue_id)
        return report

    async def _listed(self, key: OrderKey) -> dict[str, Any] | None:
        """Look for a client id among all orders that the exchange lists."""
        exchange = self._exchange
        lists = ["fetch_open_orders"]
        if exchange.has("fetchOrders"):
            lists.append("fetch_orders")
        else:
            lists += [
                f"fetch_{kind}_orders" for kind in ("closed", "canceled") if exchange.has(f"fetch{kind.title()}Orders")
            ]
        for name in lists:
            for order in await exchange.call(name, key.symbol):
                if order.get("clientOrderId") == key.client_id:
                    found: dict[str, Any] = order
                    return found
        if lists[-1] == "fetch_orders" or len(lists) == 3:
            return None
        raise NoAnswerError(
            f"{exchange.client.id} does not list every order that has ended; look {key.client_id} up there"
        )

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return open orders."""
        client = self._exchange.client
        client.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
        orders = await self._exchange.call("fetch_open_orders", symbol)
        reports = [mapping.order_of(one, self._clock.now()) for one in orders]
        for report in reports:
            self.learn(report.client_id, report.venue_id)
        return reports

    async def fills(self, symbol: str, since: int, venue_id: str = "") -> list[FillReport]:
        """Return executions, oldest first."""
        params = {"orderId": venue_id} if venue_id and self._exchange.client.id.startswith("binance") else {}
        start = None if params else since // _MS
        trades: dict[str, Any] = {}
        while True:
            page = await self._exchange.call("fetch_my_trades", symbol, start, _PAGE, params)
            fresh = [one for one in page if str(one["id"]) not in trades]
            trades |= {str(one["id"]): one for one in fresh}
            if len(page) < _PAGE or not fresh:
                break
            start = max(int(one["timestamp"]) for one in page)
        fills = [mapping.fill_of(one, self.client_ids) for one in trades.values()]
        wanted = [one for one in fills if not venue_id or one.venue_id == venue_id]
        return sorted((one for one in wanted if venue_id or one.ts >= since), key=lambda one: one.ts)

    async def account(self) -> AccountReport:
        """Return balances and positions."""
        exchange = self._exchange
        balance = await exchange.call("fetch_balance")
        derivatives = exchange.client.options.get("defaultType", "spot") not in {"spot", "margin"}
        positions = await exchange.call("fetch_positions") if derivatives and exchange.has("fetchPositions") else []
        return mapping.account_of(balance, positions, self._clock.now())

    async def history(
        self, instrument: Instrument, timeframe: Timeframe, start: int, end: int, *, call: str = "fetch_ohlcv"
    ) -> Bars:
        """Return the final bars that opened in ``[start, end)``.

        Parameters
        ----------
        call
            What is asked: ``"fetch_ohlcv"``, or ``"fetch_mark_ohlcv"`` for those of the mark price.
        """
        name = self.interval(timeframe)
        step = timeframe.ns // _MS
        # One bar more than was asked for: that it has begun proves the last one final, whatever the clocks say.
        first, last = start // _MS, min(end, self._clock.now()) // _MS + step
        rows: dict[int, list[float]] = {}
        while first < last:
            limit = min(_PAGE, (last - first + step - 1) // step)
            page = await self._exchange.call(call, instrument.symbol, name, first, limit)
            fresh = [row for row in page if first <= row[0] < last]
            rows |= {int(row[0]): _values(row, self._exchange.client.id) for row in fresh}
            if fresh:
                first = int(fresh[-1][0]) + step
            elif any(row[0] >= last for row in page):
                break
            else:
                # Some answer with a window of time, which a downtime leaves empty: the next one may not be.
                first += limit * step
        latest = max(rows, default=0)
        if latest + step > self._clock.now() // _MS:
            rows.pop(latest, None)
        rows = {ts: row for ts, row in rows.items() if ts < end // _MS}
        if not rows:
            raise VenueError(
                f"{self._exchange.client.id} has no bars of {instrument.symbol} in that time.", code="no_bars"
            )
        times = sorted(rows)
        columns = np.array([rows[ts] for ts in times]).T
        return Bars(instrument, timeframe, np.array(times, np.int64) * _MS, *columns)

    # What futures are marked at, and what perpetuals pay.

    async def marks(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars of the mark price that opened in ``[start, end)``."""
        if not self._exchange.has("fetchMarkOHLCV"):
            raise VenueError(f"{self._exchange.client.id} tells no mark prices of the past.", code="no_bars")
        return await self.history(instrument, timeframe, start, end, call="fetch_mark_ohlcv")

    async def next_funding(self, instrument: Instrument) -> int:
        """Return when funding is exchanged next, ns, UTC; 0 where the exchange does not say."""
        exchange = self._exchange
        if instrument.is_cash or not (exchange.has("fetchFundingRate") and exchange.has("fetchFundingRateHistory")):
            return 0
        told = await exchange.call("fetch_funding_rate", instrument.symbol)
        # Exchanges mean the running period or the one behind it: what has passed is none to come.
        times = [told.get("fundingTimestamp"), told.get("nextFundingTimestamp")]
        return min((int(one) * _MS for one in times if one and int(one) * _MS > self._clock.now()), default=0)

    async def funding(self, instrument: Instrument, start: int, end: int) -> list[FundingRate]:
        """Return the exchanges of funding that took place in ``[start, end]``, oldest first."""
        if instrument.is_cash or not self._exchange.has("fetchFundingRateHistory"):
            return []
        found: dict[int, FundingRate] = {}
        first, last = start // _MS, end // _MS
        while first <= last:
            page = await self._exchange.call("fetch_funding_rate_history", instrument.symbol, first, _PAGE)
            fresh = [one for one in map(mapping.funding_of, page) if first <= one.ts // _MS <= last]
            found |= {one.ts: one for one in fresh}
            if len(page) < _PAGE or not fresh:
                break
            first = max(one.ts for one in fresh) // _MS + 1
        return [found[ts] for ts in sorted(found)]

    def interval(self, timeframe: Timeframe) -> str:
        """Return the exchange's name of a timeframe.

        Raises
        ------
        VenueError
            It has no such candles.
        """
        client = self._exchange.client
        for name in client.timeframes or {}:
            if name.endswith("M"):
                continue
            if client.parse_timeframe(name) * 1_000 * _MS == timeframe.ns:
                return str(name)
        raise VenueError(
            f"{client.id} has no candles of {timeframe}; it has {', '.join(client.timeframes or {}) or 'none'}.",
            code="timeframe",
        )


def _values(row: Sequence[Any], exchange: str) -> list[float]:
    """Return open, high, low, close and volume of a candle.

    Raises
    ------
    VenueError
        One of them is missing.
    """
    if len(row) < 6 or any(value is None for value in row[1:6]):
        raise VenueError(f"{exchange} answers with a candle without all of its values: {row!r}.", code="no_values")
    return [float(value) for value in row[1:6]]
