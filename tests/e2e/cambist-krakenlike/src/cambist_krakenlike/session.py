"""One account at the venue."""

from __future__ import annotations

import asyncio

import numpy as np

from cambist.api import (
    Answered,
    BarReport,
    Declined,
    OrderKey,
    ParameterError,
    StreamReport,
    Unanswered,
    VenueError,
    VenueTerms,
)
from cambist.model import AccountReport, Bars, BookUpdate, OrderType, Quote, Side, Tick, TimeInForce
from cambist_krakenlike import words
from cambist_krakenlike.wire import NotSentError, Outlet, RefusedError, Stream, Wire

CHANNELS = {"bars": "klines", "ticks": "trades", "quotes": "depth", "book": "depth"}


class KrakenlikeSession:
    """A `cambist.api.VenueSession`: market and limit orders are the venue's, all others work from here."""

    name = "krakenlike"
    terms = VenueTerms(native=frozenset({OrderType.MARKET, OrderType.LIMIT}), amends="", id_length=32)

    def __init__(self, url, key=None, secret=None, timeout=10.0):
        plain = [one.reveal() if one is not None and not isinstance(one, str) else one or "" for one in (key, secret)]
        self._wire = Wire(url, *plain, timeout)
        self._account, self._private_stream, self._markets, self._closed = Outlet(), None, [], False
        self._theirs, self._ours, self._instruments, self._seen = {}, {}, [], 0

    async def open(self):
        try:
            await self._wire.open()
            rows = (await self._wire.ask("GET", "/v1/instruments", signed=False))["instruments"]
            for row in rows:
                if row["segment"] == "spot" and row["status"] == "trading":
                    made = words.instrument(row)
                    self._instruments.append(made)
                    self._theirs[made.symbol], self._ours[row["symbol"]] = row["symbol"], made.symbol
            if self._wire.key:
                await self.account()
                self._private_stream = Stream(self._wire, self._login, self._heard, self._tell)
        except BaseException:
            await self.close()
            raise

    async def close(self):
        if self._closed:
            return
        self._closed = True
        streams = [stream for stream, _ in self._markets]
        await asyncio.gather(*(one.close() for one in (self._private_stream, *streams) if one is not None))
        for outlet in (self._account, *(outlet for _, outlet in self._markets)):
            outlet.close()
        await self._wire.close()

    def instruments(self):
        return self._instruments

    # Orders.

    async def _ended(self, asked):
        """Only what certainly did nothing is declined."""
        try:
            return Answered(await asked)
        except RefusedError as error:
            return Declined(words.REASONS.get(error.code, error.code), str(error))
        except NotSentError as error:
            return Declined(error.code, str(error), error.retry_after)
        except VenueError as error:
            return Declined(error.code, str(error)) if error.code == "unknown_symbol" else Unanswered(str(error))

    def _symbol(self, symbol):
        if symbol not in self._theirs:
            raise VenueError(f"the venue trades no {symbol!r}.", code="unknown_symbol")
        return self._theirs[symbol]

    def _named(self, key):
        return {"symbol": self._symbol(key.symbol)} | (
            {"id": key.venue_id} if key.venue_id else {"client_id": key.client_id}
        )

    async def submit(self, request):
        return await self._ended(self._submit(request))

    async def _submit(self, request):
        order = request.order
        body = {
            "symbol": self._symbol(order.instrument.symbol),
            "side": str(order.side),
            "type": str(request.type),
            "size": format(request.size, "f"),
            "client_id": request.client_id,
        }
        if request.limit_price is not None:
            body["price"] = format(request.limit_price, "f")
            body["post_only"] = order.instructions is not None and order.instructions.post_only
            if order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
                body["time_in_force"] = order.time_in_force.name.lower()
        return self._report(await self._wire.ask("POST", "/v1/order", body=body))

    def _report(self, row):
        return words.order_report(row, self._ours.get(row["symbol"], row["symbol"]))

    async def _order(self, method, key):
        return self._report(await self._wire.ask(method, "/v1/order", self._named(key)))

    async def cancel(self, key):
        return await self._ended(self._order("DELETE", key))

    async def amend(self, key, request):
        return Declined("amend_unsupported", "orders are canceled and sent anew here")

    async def cancel_all(self, symbol):
        async def cancel():
            await self._wire.ask("DELETE", "/v1/orders", {"symbol": self._symbol(symbol)})

        return await self._ended(cancel())

    # Truth.

    async def find_order(self, key: OrderKey):
        found = await self._ended(self._order("GET", key))
        return Answered(None) if isinstance(found, Declined) and found.reason == "unknown_order" else found

    async def open_orders(self, symbols=(), *, urgent=False):
        told = await self._wire.ask("GET", "/v1/orders", {"open": "true", "limit": 1000})
        reports = map(self._report, told["orders"])
        return [one for one in reports if not symbols or one.symbol in symbols]

    async def fills(self, symbol, since, venue_id=""):
        query = {"symbol": self._symbol(symbol), "from_id": 0} | ({"order_id": venue_id} if venue_id else {})
        found, page = [], None
        while page is None or len(page) == 500:
            page = (await self._wire.ask("GET", "/v1/fills", query))["fills"]
            found += [words.fill_report(row, symbol) for row in page]
            query["from_id"] = page[-1]["trade_id"] + 1 if page else 0
        return [one for one in found if venue_id or one.ts >= since]

    async def account(self):
        told, now = await self._wire.ask("GET", "/v1/account"), self._wire.now()
        rows = {asset: row for one in told["accounts"].values() for asset, row in one.items() if "free" in row}
        return AccountReport(ts=now, balances=words.balances(rows, now))

    async def history(self, instrument, timeframe, start, end):
        query = {"symbol": self._symbol(instrument.symbol), "interval": str(timeframe), "limit": 1000}
        first, rows = start // words.MS, {}
        while first * words.MS < end:
            asked = query | {"start": first, "end": (end - 1) // words.MS}
            page = (await self._wire.ask("GET", "/v1/klines", asked, signed=False))["klines"]
            rows |= {row["open_time"]: row for row in page if row["final"]}
            if len(page) < 1000:
                break
            first = page[-1]["open_time"] + 1
        bars = [words.bar(rows[at]) for at in sorted(rows) if start <= at * words.MS < end]
        if not bars:
            raise VenueError(f"there are no bars of {instrument.symbol} in that time.", code="no_bars")
        columns = [
            np.array([getattr(bar, name) for bar in bars]) for name in ("open", "high", "low", "close", "volume")
        ]
        return Bars(instrument, timeframe, np.array([bar.ts for bar in bars], np.int64), *columns)

    # Streams.

    def private(self):
        return aiter(self._account)

    def _tell(self, state, text):
        self._account.put(StreamReport(stream="private", state=state, text=text))

    def _login(self):
        self._seen = 0
        at, signature = self._wire.signature("GET", "/v1/stream")
        return [
            {"op": "login", "key": self._wire.key, "time": at, "sign": signature},
            {"op": "subscribe", "channels": ["private"]},
        ]

    def _heard(self, message):
        self._seen += 1
        if message["seq"] != self._seen:
            raise VenueError("a message about the account is missing")
        data = message["data"]
        if message["type"] == "order":
            report = self._report(data["order"])
            if "fill" in data:
                self._account.put(words.fill_report(data["fill"], report.symbol, report.client_id))
            self._account.put(report)
        elif message["type"] == "balance":
            ts = data["time"] * words.MS
            self._account.put(AccountReport(ts=ts, balances=words.balances(data["balances"], ts), complete=False))

    def market(self, subscriptions):
        outlet, wanted = Outlet(20_000), {}
        for one in dict.fromkeys(subscriptions):
            if one.kind not in CHANNELS:
                raise ParameterError(f"there is no subscription to {one.kind!r}; choose {', '.join(CHANNELS)}.")
            length = f":{one.timeframe}" if one.kind == "bars" else ""
            channel = f"{CHANNELS[one.kind]}:{self._symbol(one.instrument.symbol)}{length}"
            wanted.setdefault(channel, []).append(one)
        market = Market(wanted, outlet, self._wire)
        self._markets.append((Stream(self._wire, market.first, market.heard, market.tell), outlet))
        return aiter(outlet)


class Market:
    """Makes market data of what one connection says."""

    def __init__(self, wanted, outlet, wire):
        self._wanted, self._outlet, self._wire = wanted, outlet, wire
        self._books, self._trades = {}, {}

    def first(self):
        self._books.clear()
        return [{"op": "subscribe", "channels": list(self._wanted)}]

    def tell(self, state, text):
        for one in (one for several in self._wanted.values() for one in several):
            self._outlet.put(StreamReport(stream=str(one), state=state, text=text, subscription=one), always=True)

    def heard(self, message):
        channel, data = message["channel"], message["data"]
        top = self._fold(channel, message) if channel.startswith("depth:") else None
        for one in self._wanted[channel]:
            if one.kind == "bars":
                report = BarReport(one.instrument, one.timeframe, words.bar(data), data["final"])
                self._outlet.put(report, always=report.final)
            elif one.kind == "ticks":
                self._tick(one, data)
            elif one.kind == "book":
                ts, is_snapshot = self._at(data), message["type"] == "snapshot"
                if not self._outlet.put(BookUpdate(one.instrument, ts, is_snapshot, words.levels(data))):
                    self._gap(one)
                    raise VenueError("whoever reads the book is too slow; it begins anew")
            elif top is not None:
                self._outlet.put(Quote(one.instrument, self._at(data), *top))

    def _at(self, data):
        return data["time"] * words.MS if "time" in data else self._wire.now()

    def _tick(self, one, data):
        symbol = one.instrument.symbol
        follows = data["id"] == self._trades.get(symbol, data["id"] - 1) + 1
        self._trades[symbol] = data["id"]
        values = (float(data["price"]), float(data["size"]), Side(data["side"]))
        if not (self._outlet.put(Tick(one.instrument, self._at(data), *values)) and follows):
            self._gap(one)

    def _gap(self, one):
        self._outlet.put(StreamReport(stream=str(one), state="gap", subscription=one), always=True)

    def _fold(self, channel, message):
        data = message["data"]
        if message["type"] == "snapshot":
            self._books[channel] = (data["id"], {1: {}, -1: {}})
        else:
            last, sides = self._books[channel]
            if data["first"] != last + 1:
                raise VenueError("a change of the book is missing")
            self._books[channel] = (data["last"], sides)
        sides = self._books[channel][1]
        for side, price, size in words.levels(data):
            sides[side].pop(price, None)
            if size:
                sides[side][price] = size
        if not all(sides.values()):
            return None
        bid, ask = max(sides[1]), min(sides[-1])
        return bid, ask, sides[1][bid], sides[-1][ask]
