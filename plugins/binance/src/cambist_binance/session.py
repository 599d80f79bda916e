"""A session: one account at one of Binance's markets."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from cambist.api import Declined, ParameterError
from cambist.model import OrderType
from cambist_binance.account_events import AccountEvents, Children, ListenKeyStream
from cambist_binance.config import BinanceSettings
from cambist_binance.hosts import Market, endpoints
from cambist_binance.margining import LASTING, Margining, change_margin
from cambist_binance.opening import check_key, connect_rest, keep_time, load_symbols, measure_clock, set_margin
from cambist_binance.order_lists import no_list, no_trail
from cambist_binance.queries import Queries
from cambist_binance.quirks import terms_of
from cambist_binance.safety import Countdown
from cambist_binance.signing import Signer
from cambist_binance.streams import MarketStreams
from cambist_binance.trading import Trading
from cambist_binance.transport import Transport
from cambist_binance.ws_api import WsApi
from cambist_ccxt.budget import Priority
from cambist_ccxt.clock import VenueClock, watch_clock
from cambist_ccxt.credentials import Credentials
from cambist_ccxt.link import LinkSettings
from cambist_ccxt.outcomes import outcome_of
from cambist_ccxt.settings import revealed, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from cambist.api import (
        BarReport,
        FundingRate,
        OrderKey,
        OrderRequest,
        Outcome,
        StreamReport,
        Subscription,
        VenueTerms,
    )
    from cambist.model import (
        AccountReport,
        Bars,
        BookUpdate,
        CashReport,
        FillReport,
        Instrument,
        MarginChange,
        MarkReport,
        NoticeReport,
        Order,
        OrderReport,
        Quote,
        Tick,
        Timeframe,
    )
    from cambist_binance.wire.info import BinanceSymbols

__all__ = ["BinanceSession", "open_coinm", "open_spot", "open_usdm"]

_SECOND = 1_000_000_000


def open_spot(**settings: Any) -> BinanceSession:
    """Make a session on spot; `settings` as `BinanceSettings` has them."""
    return BinanceSession(Market.SPOT, settings_of(BinanceSettings, settings))


def open_usdm(**settings: Any) -> BinanceSession:
    """Make a session on USD-M futures; `settings` as `BinanceSettings` has them."""
    return BinanceSession(Market.USDM, settings_of(BinanceSettings, settings))


def open_coinm(**settings: Any) -> BinanceSession:
    """Make a session on COIN-M futures; `settings` as `BinanceSettings` has them."""
    return BinanceSession(Market.COINM, settings_of(BinanceSettings, settings))


class BinanceSession:
    """One account at one market; a `cambist.api.VenueSession`.

    Parameters
    ----------
    market
        Which.
    settings
        Where it is, whose it is, how it behaves.
    """

    #: Seconds for which position mode, leverage and margin types are taken to be what they were.
    margining_lasts = LASTING

    def __init__(self, market: Market, settings: BinanceSettings) -> None:
        self._market, self._settings = market, settings
        self._credentials = Credentials(revealed(settings.key), revealed(settings.secret).strip())
        self._signer = Signer(self._credentials) if self._credentials else None
        self._endpoints = endpoints(market, settings.environment, settings.url)
        self._clock = VenueClock(round(settings.max_clock_skew * _SECOND))
        self._children = Children()
        self._links = LinkSettings(proxy=settings.proxy, ip=settings.ip)
        self._skewed = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._stack = contextlib.AsyncExitStack()
        self._symbols: BinanceSymbols
        self._transport: Transport
        self._queries: Queries
        self._margining: Margining
        self._trading: Trading
        self._events: AccountEvents
        self._streams: MarketStreams
        self._countdown: Countdown | None = None
        self._opened = self._closed = False

    @property
    def name(self) -> str:
        """Of the venue."""
        return self._market.venue

    @property
    def terms(self) -> VenueTerms:
        """What an order manager must know of it."""
        return terms_of(self._market)

    # Opening and closing.

    async def open(self) -> None:
        """Connect: load the instruments, check clock and key.

        Raises
        ------
        VenueError
            The venue cannot be reached, or refuses the key; or the key may withdraw; or the clock is too far off.
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
        market, settings, clock = self._market, self._settings, self._clock
        rest, budget = await connect_rest(market, settings, self._credentials, self._endpoints, clock)
        self._stack.callback(budget.close)
        self._stack.push_async_callback(rest.close)
        transport = self._transport = Transport(
            market,
            rest,
            clock,
            budget,
            signer=self._signer,
            recv_window=settings.recv_window,
            within=settings.timeout,
            tells_rights="sapi" in self._endpoints.rest,
        )
        transport.read_only, transport.patient = settings.read_only, True
        transport.on_skew(self._skewed.set)
        await measure_clock(transport, clock)
        clock.check()
        self._symbols = await load_symbols(market, transport, settings)
        margining = self._margining = Margining(market, transport, self.margining_lasts)
        self._queries = Queries(market, transport, self._symbols, clock, children=self._children, margining=margining)
        self._events = AccountEvents(
            self._symbols,
            self._children,
            leverage=settings.leverage,
            margin=settings.margin,
            resettled=margining.forget,
        )
        self._streams = MarketStreams(
            market, self._endpoints.streams, self._queries, self._symbols, clock, self._links, settings.quiet_after
        )
        self._stack.push_async_callback(self._streams.close)
        if self._credentials:
            await check_key(market, transport, settings, margining if market.futures else None)
            if market.futures and not settings.read_only:
                await set_margin(transport, self._symbols, settings)
            elif not market.futures and (settings.leverage or settings.margin or settings.countdown):
                raise ParameterError("leverage, margin and countdown are settings of futures; spot has none of them.")
            self._connect_account()
        trading = self._trading = Trading(
            market, settings, transport, self._symbols, clock, children=self._children, changed=self._events.changed
        )
        trading.countdown = self._countdown
        trading.hedged = bool(self._credentials) and market.futures and await margining.hedged()
        transport.patient = False
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(keep_time(transport, clock, self._skewed), name="venue clock"))
        self._tasks.append(loop.create_task(watch_clock(clock, self._events.clock), name="clock watch"))

    def _connect_account(self) -> None:
        """Start what brings the account's events, and what orders go out by."""
        market, transport = self._market, self._transport
        spot_events = not market.futures
        if self._endpoints.ws_api and (self._settings.transport == "websocket" or spot_events):
            api = WsApi(
                self._endpoints.ws_api,
                self._links,
                event=self._events.take if spot_events else None,
                state=self._events.state if spot_events else lambda _state, _text: None,
                first_words=self._first_words if spot_events else None,
            )
            self._stack.push_async_callback(api.link.close)
            if self._settings.transport == "websocket":
                transport.ws = api
            self._api = api
            api.link.start()
        if market.futures:
            private = ListenKeyStream(market, self._endpoints.streams, transport, self._events, self._links)
            self._stack.push_async_callback(private.close)
            private.start()
            if self._settings.countdown and not self._settings.read_only:
                self._countdown = Countdown(transport, self._settings.countdown)
                self._stack.push_async_callback(self._countdown.close)

    def _first_words(self) -> tuple[str, dict[str, Any]]:
        return "userDataStream.subscribe.signature", self._transport.sign({})

    async def close(self) -> None:
        """Let go of all connections; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        if hasattr(self, "_events"):
            self._events.channel.close()

    def instruments(self) -> Sequence[Instrument]:
        """Return what can be traded, by today's rules."""
        return self._symbols.instruments

    async def reload(self) -> None:
        """Load what can be traded, and by which rules, anew.

        Raises
        ------
        VenueError
            The venue does not tell.
        """
        self._symbols.become(await load_symbols(self._market, self._transport, self._settings, again=True))

    def metrics(self) -> dict[str, Any]:
        """Return what can be counted: connections, use of the venue's limits, the clock, the dead man's switch."""
        own = [] if self._transport.ws is None else [self._transport.ws.link.metrics()]
        return {
            "links": [*self._streams.metrics(), *own],
            "queues": self._streams.queues(),
            "budget": self._transport.budget.metrics(),
            "clock_skew": self._clock.skew / _SECOND,
            "countdown": None if self._countdown is None else self._countdown.armed(),
        }

    # Orders.

    def prepare(self, request: OrderRequest) -> None:
        """Make an order's request ready while it may not leave yet; see `cambist.api.PreparingSession`."""
        self._trading.prepare(request)

    def practice(self, request: OrderRequest) -> None:
        """Go over what an order takes, and forget it; see `cambist.api.PracticingSession`."""
        self._trading.practice(request)

    async def submit(self, request: OrderRequest) -> Outcome:
        """Send an order."""
        return await _outcome(self._trading.submit(request), self._margining)

    def submit_now(self, request: OrderRequest) -> Callable[[], Awaitable[Outcome]] | None:
        """Send an order that was made ready before this returns; see `cambist.api.PromptSession`."""
        asked = self._trading.submit_now(request)
        return None if asked is None else lambda: _outcome(asked(), self._margining)

    async def cancel(self, key: OrderKey) -> Outcome:
        """Ask to withdraw what remains of an order."""
        return await outcome_of(self._trading.cancel(key))

    async def amend(self, key: OrderKey, request: OrderRequest) -> Outcome:
        """Ask for new terms of a limit order: size and price on futures, a smaller size on spot."""
        if request.type is not OrderType.LIMIT:
            return Declined("amend_unsupported", f"{self.name} amends limit orders alone")
        return await outcome_of(self._trading.amend(key, request))

    async def cancel_all(self, symbol: str) -> Outcome:
        """Ask to withdraw every order of an instrument, also those that this run does not know."""
        return await outcome_of(self._trading.cancel_all(symbol))

    @property
    def batch(self) -> int:
        """How many orders may go together: on futures, while the WebSocket API is not there, which takes no batches."""
        return self._trading.batch

    async def submit_all(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send orders of one instrument in one request, conditional ones beside it; return what became of each."""
        return await self._trading.submit_all(requests)

    async def cancel_many(self, keys: Sequence[OrderKey]) -> Sequence[Outcome]:
        """Cancel orders of one instrument in one request, conditional ones beside it; return what became of each."""
        return await self._trading.cancel_many(keys)

    async def change_margin(self, change: MarginChange) -> Outcome:
        """Move margin of an isolated position, or set a leverage."""
        return await outcome_of(change_margin(self._transport, self._symbols, self._events, change))

    # What the venue works of its own, where a run wants that.

    def no_group(self, orders: Sequence[Order]) -> str:
        """Return why the venue takes no list of these orders, an entry first; ``""`` where it does."""
        if self._market.futures:
            return "futures have no lists of orders"
        return no_list(orders, self._symbols.abilities(orders[0].instrument.symbol))

    def no_trail(self, order: Order) -> str:
        """Return why the venue has no trailing stop like this one; ``""`` where it has."""
        return no_trail(order, self._symbols.abilities(order.instrument.symbol))

    async def submit_group(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send orders that hang together as a list, of which the venue takes all or none."""
        return await self._trading.submit_group(requests)

    # Truth.

    async def find_order(self, key: OrderKey) -> Outcome:
        """Ask how an order stands; ``Answered(None)`` where the venue says that there is none."""
        conditional = self._trading.is_conditional(key) if self._market.futures else False
        return await outcome_of(self._queries.find(key, conditional=conditional))

    async def open_orders(self, symbols: Sequence[str] = (), *, urgent: bool = False) -> Sequence[OrderReport]:
        """Return open orders, of some instruments or of all; where cancels hang on it, before all other data."""
        return await self._queries.open_orders(symbols, Priority.CANCEL if urgent else Priority.DATA)

    async def fills(self, symbol: str, since: int, venue_id: str = "") -> Sequence[FillReport]:
        """Return the executions of an instrument since a time (ns, UTC), or those of one order, oldest first."""
        return await self._queries.fills(symbol, since, venue_id)

    async def account(self) -> AccountReport:
        """Return balances and positions."""
        return await self._queries.account()

    async def cash_flows(self, since: int) -> Sequence[CashReport]:
        """Return what moved money without a trade since a time (ns, UTC), oldest first; spot tells by stream alone."""
        return await self._queries.cash_flows(since)

    # Streams.

    def private(
        self,
    ) -> AsyncIterator[OrderReport | FillReport | CashReport | AccountReport | NoticeReport | StreamReport]:
        """Iterate over what the private stream says, reconnects included; it ends when the session is closed."""
        return self._events.channel

    def market(
        self, subscriptions: Sequence[Subscription]
    ) -> AsyncIterator[BarReport | Tick | Quote | BookUpdate | MarkReport | StreamReport]:
        """Iterate over market data, reconnects included."""
        return self._streams.open(subscriptions)

    async def history(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars that opened in ``[start, end)``, ns, UTC."""
        return await self._queries.history(instrument, timeframe, start, end)

    # What futures are marked at, and what perpetuals pay.

    async def marks(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> Bars:
        """Return the final bars of the mark price that opened in ``[start, end)``, ns, UTC."""
        return await self._queries.history(instrument, timeframe, start, end, call="mark_klines")

    async def next_funding(self, instrument: Instrument) -> int:
        """Return when funding is exchanged next, ns, UTC; 0 for what pays none."""
        return await self._queries.next_funding(instrument)

    async def funding(self, instrument: Instrument, start: int, end: int) -> Sequence[FundingRate]:
        """Return the exchanges of funding that took place in ``[start, end]``, ns, UTC, oldest first."""
        return await self._queries.funding(instrument, start, end)


async def _outcome(asked: Awaitable[OrderReport | None], margining: Margining) -> Outcome:
    """Return what became of an order."""
    outcome = await outcome_of(asked)
    if isinstance(outcome, Declined) and outcome.reason == "position_side":
        margining.forget()  # of another mode the venue tells nobody
    return outcome
