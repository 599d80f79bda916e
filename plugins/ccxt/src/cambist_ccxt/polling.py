"""Streams made of questions: the account and the market, looked at again and again."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from cambist.api import BarReport, OrderKey, ParameterError, StreamReport, VenueError
from cambist.model import Bar, BookUpdate, Quote, Side, Tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.api import Subscription
    from cambist.model import OrderReport
    from cambist_ccxt.channel import Channel
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.questions import Questions
    from cambist_ccxt.unified import Unified

__all__ = ["AccountPoller", "MarketPoller"]

_log = logging.getLogger("cambist.ccxt")
_MS = 1_000_000
_SECOND = 1_000_000_000
#: How far back the first look at executions goes, and how far each goes behind the last one seen.
_OVERLAP = 60 * _SECOND
_BALANCES_EVERY = 15
#: How many trades one look shows.
_TRADES = 500
_REMEMBERED = 50_000


class AccountPoller:
    """Looks at the open orders and executions of the symbols that were traded here.

    Parameters
    ----------
    every
        Seconds between looks.
    """

    def __init__(self, questions: Questions, out: Channel[Any], clock: VenueClock, every: float) -> None:
        self._questions, self._out, self._clock, self._every = questions, out, clock, every
        self._watched: dict[str, OrderKey] = {}
        self._told: dict[str, OrderReport] = {}
        self._since: dict[str, int] = {}
        self._seen: dict[tuple[str, str], None] = {}
        self._woken = asyncio.Event()
        self._up = False

    def watch(self, key: OrderKey) -> None:
        """Look at an order from now on, until it has ended."""
        self._watched[key.client_id] = key
        self._since.setdefault(key.symbol, self._clock.now() - _OVERLAP)
        self._woken.set()

    async def run(self) -> None:
        """Look again and again."""
        count = 0
        while True:
            try:
                await self._look(with_balances=count % _BALANCES_EVERY == 0)
            except VenueError as error:
                self._state("down", str(error))
            else:
                self._state("up", "")
                count += 1
            self._woken.clear()
            await asyncio.sleep(self._every)
            if not self._watched:
                try:
                    async with asyncio.timeout(self._every * _BALANCES_EVERY):
                        await self._woken.wait()
                except TimeoutError:
                    continue

    def _state(self, state: str, text: str) -> None:
        if (state == "up") != self._up:
            self._up = state == "up"
            self._out.put(StreamReport(stream="private", state=state, text=text))

    async def _look(self, *, with_balances: bool) -> None:
        questions, put = self._questions, self._out.put
        symbols = {key.symbol for key in self._watched.values()}
        for symbol in sorted(symbols):
            standing = {report.client_id: report for report in await questions.open_orders(symbol)}
            ended = [key for key in self._watched.values() if key.symbol == symbol and key.client_id not in standing]
            await self._tell_fills(symbol)
            for report in standing.values():
                self._tell(report)
            for key in ended:
                found = await questions.find(key)
                if found is not None:
                    self._tell(found)
                    if found.status.ended:
                        del self._watched[key.client_id]
                        self._told.pop(key.client_id, None)
            if ended:
                await self._tell_fills(symbol)
        if with_balances or symbols:
            put(await questions.account())

    def _tell(self, report: OrderReport) -> None:
        known = self._told.get(report.client_id)
        if known is None or (known.status, known.filled, known.size, known.limit_price) != (
            report.status,
            report.filled,
            report.size,
            report.limit_price,
        ):
            self._told[report.client_id] = report
            self._out.put(report)

    async def _tell_fills(self, symbol: str) -> None:
        since = self._since[symbol]
        for fill in await self._questions.fills(symbol, since):
            name = symbol, fill.trade_id
            if name not in self._seen:
                self._seen[name] = None
                self._since[symbol] = max(self._since[symbol], fill.ts - _OVERLAP)
                self._out.put(fill)
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]


class MarketPoller:
    """Looks at bars, trades, quotes and books; a book comes as a snapshot each time."""

    def __init__(self, exchange: Unified, questions: Questions, clock: VenueClock, every: float) -> None:
        self._exchange, self._questions, self._clock, self._every = exchange, questions, clock, every

    async def run(self, subscriptions: Sequence[Subscription], out: Channel[Any]) -> None:
        """Look at everything, in turn, again and again."""
        lasts = dict.fromkeys(subscriptions, 0)
        down: set[Subscription] = set(subscriptions)
        while True:
            for one in subscriptions:
                name = str(one)
                try:
                    lasts[one] = await self._look(one, lasts[one], out)
                except VenueError as error:
                    if one not in down:
                        down.add(one)
                        out.put_always(StreamReport(stream=name, state="down", text=str(error), subscription=one))
                    continue
                if one in down:
                    down.discard(one)
                    out.put_always(StreamReport(stream=name, state="up", subscription=one))
            await asyncio.sleep(self._every)

    def check(self, one: Subscription) -> None:
        """Refuse what the exchange has not.

        Raises
        ------
        ParameterError, VenueError
            It has none of that kind, or none of that length.
        """
        if one.kind not in {"bars", "ticks", "quotes", "book"}:
            raise ParameterError(f"there is no subscription to {one.kind!r}; choose bars, ticks, quotes or book.")
        if one.kind == "bars":
            if one.timeframe is None:
                raise ParameterError(f"bars of {one.instrument.symbol} need a timeframe.")
            self._questions.interval(one.timeframe)

    async def _look(self, one: Subscription, last: int, out: Channel[Any]) -> int:
        if one.kind == "bars":
            return await self._bars(one, last, out)
        if one.kind == "ticks":
            return await self._ticks(one, last, out)
        book = await self._exchange.call("fetch_order_book", one.instrument.symbol, 100 if one.kind == "book" else 5)
        ts = (book.get("timestamp") or 0) * _MS or self._clock.now()
        bids, asks = ([(float(level[0]), float(level[1])) for level in book[side]] for side in ("bids", "asks"))
        if one.kind == "book":
            levels = (*[(1, *level) for level in bids], *[(-1, *level) for level in asks])
            out.put_newest(one, BookUpdate(one.instrument, ts, True, levels))  # each is the whole book
        elif bids and asks:
            out.put_newest(one, Quote(one.instrument, ts, bids[0][0], asks[0][0], bids[0][1], asks[0][1]))
        return last

    async def _bars(self, one: Subscription, last: int, out: Channel[Any]) -> int:
        """Tell bars; one is final once the next has begun. `last` is the open time of the latest final one."""
        assert one.timeframe is not None
        name, span = self._questions.interval(one.timeframe), one.timeframe.ns
        since = last + span if last else self._clock.now() // span * span - span
        rows = await self._exchange.call("fetch_ohlcv", one.instrument.symbol, name, since // _MS, 500)
        bars = [Bar(int(row[0]) * _MS, *(float(value) for value in row[1:6])) for row in rows if row[0] * _MS >= since]
        for bar, after in zip(bars, [*bars[1:], None], strict=True):
            final = after is not None
            if not last and final:
                last = bar.ts  # it was over before anybody listened
                continue
            if final:
                last = bar.ts
                out.put_always(BarReport(one.instrument, one.timeframe, bar, True))
            else:
                out.put_newest(one, BarReport(one.instrument, one.timeframe, bar, False))
        return last

    async def _ticks(self, one: Subscription, last: int, out: Channel[Any]) -> int:
        """Tell trades; `last` is the highest number seen where numbers ascend, as they do almost everywhere."""
        trades = await self._exchange.call("fetch_trades", one.instrument.symbol, None, _TRADES)
        numbered = sorted((int(trade["id"]), trade) for trade in trades if str(trade.get("id") or "").isdigit())
        missed = bool(last) and len(numbered) >= _TRADES and numbered[0][0] > last + 1
        for number, trade in numbered:
            if number > last and last:
                ts = int(trade["timestamp"]) * _MS
                side = None if trade.get("side") is None else Side(trade["side"])
                tick = Tick(one.instrument, ts, float(trade["price"]), float(trade["amount"]), side)
                missed = not out.put(tick) or missed
        if missed:
            text = "there were more trades than one look shows, or than the reader takes"
            out.put_always(StreamReport(stream=str(one), state="gap", text=text, subscription=one))
        return max(last, numbered[-1][0]) if numbered else last
