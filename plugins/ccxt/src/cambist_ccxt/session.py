"""A session at any exchange that ccxt knows: requests by its unified methods, streams by polling."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from cambist.api import Declined, OrderKey, ParameterError, StreamReport, VenueError, VenueTerms
from cambist.model import OrderType, TimeInForce
from cambist_ccxt.budget import Budget, Priority, Window
from cambist_ccxt.channel import Channel
from cambist_ccxt.clock import VenueClock, watch_clock
from cambist_ccxt.config import CcxtSettings
from cambist_ccxt.credentials import Credentials
from cambist_ccxt.errors import NoAnswerError, NotSentError, RefusedError
from cambist_ccxt.loading import Network, load_exchange
from cambist_ccxt.mapping import symbols_of
from cambist_ccxt.outcomes import outcome_of
from cambist_ccxt.polling import AccountPoller, MarketPoller
from cambist_ccxt.questions import BY_CLIENT_ID, Questions
from cambist_ccxt.settings import revealed, settings_of
from cambist_ccxt.unified import Unified, unified_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cambist.api import BarReport, OrderRequest, Outcome, Subscription
    from cambist.model import (
        AccountReport,
        Bars,
        BookUpdate,
        FillReport,
        Instrument,
        OrderReport,
        Quote,
        Tick,
        Timeframe,
    )
    from cambist_ccxt.symbols import Symbols

__all__ = ["CcxtSession", "open_ccxt"]

_log = logging.getLogger("cambist.ccxt")
_SECOND = 1_000_000_000
_TERMS = VenueTerms(
    native=frozenset({OrderType.MARKET, OrderType.LIMIT}),
    amends="",
    # Some exchanges answer before they have looked at the order; the next look at it says.
    ack_accepts=False,
    id_length=32,
    settling=10 * _SECOND,
    confirm_within=10 * _SECOND,
    fills_within=30 * _SECOND,
)
_TIMES = {TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


def open_ccxt(**settings: Any) -> CcxtSession:
    """Make a session; `settings` as `CcxtSettings` has them."""
    return CcxtSession(settings_of(CcxtSettings, settings))


class CcxtSession:
    """One account at one exchange; a `cambist.api.VenueSession`.

    Market and limit orders are the exchange's, all others work from here. What the exchange says is seen when it is
    looked at: each `poll_every` seconds.
    """

    def __init__(self, settings: CcxtSettings) -> None:
        self._settings = settings
        self._credentials = Credentials(revealed(settings.key), revealed(settings.secret), revealed(settings.password))
        self._clock = VenueClock(round(settings.max_clock_skew * _SECOND))
        self._private: Channel[Any] = Channel()
        self._markets: list[Channel[Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._exchange: Unified | None = None
        self._symbols: Symbols
        self._questions: Questions
        self._poller: AccountPoller
        self._opened = self._closed = False

    @property
    def name(self) -> str:
        """Of the exchange."""
        return self._settings.exchange

    @property
    def terms(self) -> VenueTerms:
        """What an order manager must know of it."""
        return _TERMS

    # Opening and closing.

    async def open(self) -> None:
        """Connect: load the instruments, check clock and key.

        Raises
        ------
        VenueError
            The exchange cannot be reached, or refuses the key; or the clock is too far off.
        """
        if self._opened:
            raise ParameterError("this session was opened before; make another.")
        self._opened = True
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        settings = self._settings
        base = await load_exchange(settings.exchange)
        # ccxt says how many ms it leaves between requests.
        budget = Budget([Window("requests", max(1, round(1000 / base().rateLimit)), _SECOND)], self._clock.now)
        network = Network(timeout=settings.timeout, proxy=settings.proxy, ip=settings.ip)
        client = unified_client(
            base,
            self._credentials,
            network,
            budget,
            options=settings.options,
            urls=settings.urls,
            stamp=self._clock.now_ms,
        )
        if settings.sandbox:
            client.set_sandbox_mode(True)
        exchange = self._exchange = Unified(client)
        if exchange.has("fetchTime"):
            for _ in range(3):
                sent = self._clock.begin()
                self._clock.answered(sent, int(await exchange.call("fetch_time")) * 1_000_000)
            self._clock.check()
        await exchange.call("load_markets")
        self._symbols = symbols_of(client.markets, self.name)
        self._questions = Questions(exchange, self._clock)
        if self._credentials:
            try:
                await self._questions.account()
            except RefusedError as error:
                raise VenueError(
                    f"{self.name} does not take this API key ({error.reason}): check key, secret and permissions.",
                    code=error.reason,
                ) from None
        self._poller = AccountPoller(self._questions, self._private, self._clock, settings.poll_every)
        if self._credentials:
            self._start(self._poller.run(), "account")
            if self._clock.known:
                self._start(watch_clock(self._clock, self._clock_state), "clock watch")

    def _clock_state(self, state: str, text: str) -> None:
        self._private.put(StreamReport(stream="clock", state=state, text=text))

    def _start(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work, name=f"{self.name} {name}"))

    async def close(self) -> None:
        """Let go of all connections; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                _log.error("a look at %s failed", self.name, exc_info=ended)
        if self._exchange is not None:
            with contextlib.suppress(OSError):
                await self._exchange.client.close()
        for channel in (self._private, *self._markets):
            channel.close()

    def instruments(self) -> Sequence[Instrument]:
        """Return what can be traded, by today's rules."""
        return self._symbols.instruments

    # Orders.

    @property
    def _trading(self) -> Unified:
        if not self._credentials:
            raise NotSentError("this session has no API key; give key and secret.", code="no_api_key")
        assert self._exchange is not None
        return self._exchange

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send an order."""
        return await outcome_of(self._submit(request))

    async def _submit(self, request: OrderRequest) -> OrderReport | None:
        exchange, order = self._trading, request.order
        self._clock.check()
        symbol = self._symbols.instrument(order.instrument.symbol).symbol
        if request.type not in _TERMS.native:
            raise RefusedError("order_type", f"{request.type} orders do not go to {self.name}; they work from here")
        params: dict[str, Any] = {"clientOrderId": request.client_id}
        if order.reduce_only and not order.instrument.is_cash:
            params["reduceOnly"] = True
        if request.type is OrderType.LIMIT:
            if order.instructions is not None and order.instructions.post_only:
                params["postOnly"] = True
            elif order.time_in_force in _TIMES:
                params["timeInForce"] = _TIMES[order.time_in_force]
        key = OrderKey(symbol, request.client_id)
        self._poller.watch(key)
        made = await exchange.call(
            "create_order",
            symbol,
            str(request.type),
            str(order.side),
            format(request.size, "f"),
            None if request.limit_price is None else format(request.limit_price, "f"),
            params,
            priority=Priority.REDUCE if order.reduce_only else Priority.ENTRY,
        )
        if not made.get("id"):
            raise NoAnswerError(f"an answer without an order: {str(made.get('info'))[:120]}")
        self._questions.learn(request.client_id, str(made["id"]))
        # An answer of some exchanges names the order and no more.
        return self._questions.report(made, key) if made.get("amount") and made.get("side") else None

    async def cancel(self, key: OrderKey) -> Outcome:
        """Ask to withdraw what remains of an order."""
        return await outcome_of(self._cancel(key))

    async def _cancel(self, key: OrderKey) -> None:
        exchange = self._trading
        venue_id = key.venue_id or self._questions.ids.get(key.client_id, "")
        params: dict[str, Any] = {}
        if not venue_id:
            if exchange.client.id in BY_CLIENT_ID:
                params["clientOrderId"] = key.client_id
            else:
                found = await self._questions.find(key)
                if found is None or not found.venue_id:
                    raise RefusedError("unknown_order", f"{self.name} has no order {key.client_id}")
                venue_id = found.venue_id
        await exchange.call("cancel_order", venue_id or None, key.symbol, params, priority=Priority.CANCEL)

    async def amend(self, key: OrderKey, request: OrderRequest) -> Outcome:  # noqa: ARG002 - no exchange's way is another's
        """Decline: an order is canceled and sent again."""
        return Declined("amend_unsupported", f"orders at {self.name} are not amended through ccxt")

    async def cancel_all(self, symbol: str) -> Outcome:
        """Ask to withdraw every order of an instrument, also those that this run does not know."""
        return await outcome_of(self._cancel_all(symbol))

    async def _cancel_all(self, symbol: str) -> None:
        exchange = self._trading
        if exchange.has("cancelAllOrders"):
            try:
                await exchange.call("cancel_all_orders", symbol, priority=Priority.CANCEL)
            except RefusedError as error:
                if error.reason != "unknown_order":
                    raise
            return
        for report in await self._questions.open_orders(symbol):
            await self._cancel(OrderKey(symbol, report.client_id, report.venue_id))

    # Truth.

    async def find_order(self, key: OrderKey) -> Outcome:
        """Ask how an order stands; ``Answered(None)`` where the exchange says that there is none."""
        return await outcome_of(self._questions.find(key))

    async def open_orders(
        self,
        symbols: Sequence[str] = (),
        *,
        urgent: bool = False,  # noqa: ARG002 - ccxt lets all go in a line
    ) -> Sequence[OrderReport]:
        """Return open orders, of some instruments or of all."""
        if len(symbols) == 1:  # some exchanges tell of one instrument at a time
            return await self._questions.open_orders(symbols[0])
        return [one for one in await self._questions.open_orders() if not symbols or one.symbol in symbols]

    async def fills(self, symbol: str, since: int, venue_id: str = "") -> Sequence[FillReport]:
        """Return the executions of an instrument since a time (ns, UTC), or those of one order, oldest first."""
        return await self._questions.fills(symbol, since, venue_id)

    async def account(self) -> AccountReport:
        """Return balances and positions."""
        return await self._questions.account()

    # Streams.

    def private(self) -> AsyncIterator[OrderReport | FillReport | AccountReport | StreamReport]:
        """Iterate over what is seen of the account; it ends when the session is closed."""
        return self._private

    def market(
        self, subscriptions: Sequence[Subscription]
    ) -> AsyncIterator[BarReport | Tick | Quote | BookUpdate | StreamReport]:
        """Iterate over what is seen of the market."""
        assert self._exchange is not None
        poller = MarketPoller(self._exchange, self._questions, self._clock, self._settings.poll_every)
        for one in subscriptions:
            poller.check(one)
        out: Channel[Any] = Channel(20_000)
        self._markets.append(out)
        self._start(poller.run(list(dict.fromkeys(subscriptions)), out), "market")
        return out

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``, ns, UTC."""
        return await self._questions.history(instrument, timeframe, start, end)
