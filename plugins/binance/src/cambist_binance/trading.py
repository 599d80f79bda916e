"""Orders on their way out: which service they belong to, by which request they go, and what the answers say."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from cambist.api import Answered, Declined, VenueError
from cambist_binance.batches import MOST, Batches
from cambist_binance.order_lists import list_params
from cambist_binance.orders import ALGO_PREFIX, amend_params, is_conditional, key_params, place_params, plain
from cambist_binance.transport import decoded
from cambist_binance.wire import futures, order_lists, spot
from cambist_ccxt.budget import Priority
from cambist_ccxt.errors import NoAnswerError, NotSentError, RefusedError
from cambist_ccxt.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cambist.api import OrderKey, OrderRequest, Outcome
    from cambist.model import OrderReport
    from cambist_binance.account_events import Children
    from cambist_binance.config import BinanceSettings
    from cambist_binance.hosts import Market
    from cambist_binance.safety import Countdown
    from cambist_binance.transport import Prepared, Transport
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.symbols import Symbols

__all__ = ["Trading"]


#: The call that places an order, by whether it is a conditional one.
_PLACES = {False: "place", True: "algo_place"}
#: How many requests may be kept ready.
_MOST_READY = 100


class _Ready(NamedTuple):
    """An order with the venue's parameters, and its request where that was made."""

    request: OrderRequest
    params: dict[str, Any]
    prepared: Prepared | None


class Trading:
    """Sends, cancels and amends orders of one market.

    Parameters
    ----------
    market, settings, transport, symbols, clock
        Of the session.
    children
        Shared with the private stream.
    changed
        Settings of the account that somebody else has changed, by symbol; see `AccountEvents`.

    Attributes
    ----------
    hedged
        Whether the account has positions on both sides.
    countdown
        The dead man's switch, where there is one.
    """

    def __init__(
        self,
        market: Market,
        settings: BinanceSettings,
        transport: Transport,
        symbols: Symbols,
        clock: VenueClock,
        *,
        children: Children,
        changed: Mapping[str, tuple[str, str]],
    ) -> None:
        self._market, self._settings, self._transport = market, settings, transport
        self._symbols, self._clock, self._children, self._changed = symbols, clock, children, changed
        self.hedged = False
        self.countdown: Countdown | None = None
        self._wire: Any = futures if market.futures else spot
        self._batches = Batches(transport, symbols)
        self._conditional: dict[str, bool] = {}
        self._ready: dict[str, _Ready] = {}

    def prepare(self, request: OrderRequest) -> None:
        """Make an order's request ready, up to the last byte where it goes by the WebSocket API."""
        with contextlib.suppress(VenueError):  # which `submit` runs into as well, and tells
            params = self._params(request)
            name = _PLACES[is_conditional(request, self._market)]
            prepared = self._transport.prepare(name, params, _priority(request))
            self._ready[request.client_id] = _Ready(request, params, prepared)
            if len(self._ready) > _MOST_READY:  # of orders that never left
                del self._ready[next(iter(self._ready))]

    def practice(self, request: OrderRequest) -> None:
        """Do what `prepare` does, and forget it."""
        with contextlib.suppress(VenueError):
            params = self._params(request)
            self._transport.practice(_PLACES[is_conditional(request, self._market)], params, _priority(request))

    async def submit(self, request: OrderRequest) -> OrderReport | None:
        """Send an order."""
        order = request.order
        changed = self._changed.get(order.instrument.symbol)
        if changed and not order.reduce_only:
            raise RefusedError(changed[0], changed[1])
        params, prepared = self._made_ready(request)
        name, conditional = params["symbol"], is_conditional(request, self._market)
        if self._market.futures:
            self.note(request.client_id, conditional=conditional)
        if self.countdown is not None:
            try:
                await self.countdown.arm(name)
            except VenueError as error:
                what = f"the dead man's switch could not be armed, and so nothing was sent: {error}"
                raise NotSentError(what, code="countdown") from error
        asked = self._transport.call(_PLACES[conditional], params, _priority(request), prepared=prepared)
        return await self._report(asked, conditional=conditional)

    def submit_now(self, request: OrderRequest) -> Callable[[], Awaitable[OrderReport | None]] | None:
        """Send an order that was made ready before this returns; see `cambist.api.PromptSession`."""
        ready, order = self._ready.get(request.client_id), request.order
        if ready is None or ready.request is not request or ready.prepared is None:
            return None
        if self.countdown is not None or order.instrument.symbol in self._changed:  # `submit` sees to it
            return None
        conditional = is_conditional(request, self._market)
        asked = self._transport.call_now(_PLACES[conditional], _priority(request), ready.prepared)
        if asked is None:
            return None
        del self._ready[request.client_id]
        if self._market.futures:
            self.note(request.client_id, conditional=conditional)
        return lambda: self._report(asked(), conditional=conditional)

    async def _report(self, asked: Awaitable[bytes], *, conditional: bool) -> OrderReport | None:
        """Return what the venue answers to a new order."""
        if conditional:
            return futures.algo_of(await decoded(asked, futures.decode_algo), self._symbols)
        report: OrderReport = self._wire.order_of(await decoded(asked, self._wire.decode_order), self._symbols)
        return report

    def _made_ready(self, request: OrderRequest) -> tuple[dict[str, Any], Prepared | None]:
        """Return what `prepare` made of an order, or its parameters where that was not asked for."""
        ready = self._ready.pop(request.client_id, None)
        if ready is None or ready.request is not request:
            return self._params(request), None
        return ready.params, ready.prepared

    def _params(self, request: OrderRequest) -> dict[str, Any]:
        """Return the venue's parameters of an order; raises where it does not trade the symbol."""
        instrument = self._symbols.instrument(request.order.instrument.symbol)
        return place_params(
            request,
            self._symbols.theirs(instrument.symbol),
            self._market,
            self._settings,
            hedged=self.hedged,
            now_ms=self._clock.now() // 1_000_000,
        )

    def note(self, client_id: str, *, conditional: bool) -> None:
        """Remember which service an order belongs to; the oldest are forgotten, and looked for in both."""
        self._conditional[client_id] = conditional
        if len(self._conditional) > 20_000:
            del self._conditional[next(iter(self._conditional))]

    async def cancel(self, key: OrderKey) -> OrderReport | None:
        """Withdraw what remains of an order."""
        name = self._symbols.theirs(key.symbol)
        if self._market.futures and self.is_conditional(key):
            child = self._children.child_of(key.client_id)
            if not child:
                await self._transport.call("algo_cancel", key_params(key, name, conditional=True), Priority.CANCEL)
                return None
            params: dict[str, Any] = {"symbol": name, "orderId": int(child)}
        else:
            params = key_params(key, name)
        asked = self._transport.call("cancel", params, Priority.CANCEL)
        if not self._market.futures:
            told = await decoded(asked, order_lists.decode_canceled)
            return order_lists.report_of_canceled(told, self._symbols, key.client_id, key.venue_id)
        report = futures.order_of(await decoded(asked, futures.decode_order), self._symbols)
        return self._children.order(report)

    def is_conditional(self, key: OrderKey) -> bool | None:
        """Tell whether an order is a conditional one; None where nobody knows."""
        if key.venue_id:
            return key.venue_id.startswith(ALGO_PREFIX)
        return self._conditional.get(key.client_id)

    async def amend(self, key: OrderKey, request: OrderRequest) -> OrderReport:
        """Give a limit order new terms."""
        if not self._market.futures:
            return await self._shrink(key, request)
        params = amend_params(request, key, self._symbols.theirs(key.symbol))
        asked = self._transport.call("amend", params, _priority(request))
        one = await decoded(asked, futures.decode_order)
        return futures.order_of(one, self._symbols)

    async def _shrink(self, key: OrderKey, request: OrderRequest) -> OrderReport:
        params = key_params(key, self._symbols.theirs(key.symbol)) | {
            "newQty": plain(request.size),
            "newClientOrderId": key.client_id,  # the venue would make up another
        }
        told = await decoded(self._transport.call("shrink", params, Priority.REDUCE), spot.decode_amended)
        return spot.amended_of(told, self._symbols)

    async def cancel_all(self, symbol: str) -> None:
        """Withdraw every order of an instrument, whosesoever."""
        params = {"symbol": self._symbols.theirs(symbol)}
        try:
            await self._transport.call("cancel_all", params, Priority.CANCEL)
        except VenueError as error:
            # Spot refuses to cancel nothing.
            if getattr(error, "reason", "") != "unknown_order":
                raise
        if self._market.futures:
            await self._transport.call("algo_cancel_all", params, Priority.CANCEL)

    @property
    def batch(self) -> int:
        """How many orders may go together: on futures, while the WebSocket API is not there, which takes no batches.

        One by one over it they are under way at the same time all the same.
        """
        if not self._market.futures or self.countdown is not None:
            return 0
        ws = self._transport.ws
        return 0 if ws is not None and ws.up else MOST

    async def submit_all(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send orders of one instrument in one request, conditional ones beside it; return what became of each."""
        plain_ones = [one for one in requests if not is_conditional(one, self._market)]
        if not self._market.futures or len(plain_ones) < 2:
            return await asyncio.gather(*(outcome_of(self.submit(one)) for one in requests))
        priority = _priority(*plain_ones)
        try:
            rows = [self._made_ready(one)[0] for one in plain_ones]
        except VenueError as error:
            return [Declined(error.code or "not_sent", str(error)) for _ in requests]
        for one in plain_ones:
            self.note(one.client_id, conditional=False)
        others = [one for one in requests if is_conditional(one, self._market)]
        together, alone = await asyncio.gather(
            self._batches.place(rows, priority), asyncio.gather(*(outcome_of(self.submit(one)) for one in others))
        )
        outcomes = dict(zip([one.client_id for one in (*plain_ones, *others)], [*together, *alone], strict=True))
        return [outcomes[one.client_id] for one in requests]

    async def submit_group(self, requests: Sequence[OrderRequest]) -> Sequence[Outcome]:
        """Send orders of one instrument as a list, of which the venue takes all or none; return what became of each."""
        reports: dict[str, OrderReport] = {}

        async def ask() -> None:
            name = self._params(requests[0])["symbol"]
            call, params = list_params(requests, name, self._settings)
            answer = await decoded(self._transport.call(call, params, _priority(*requests)), order_lists.decode_list)
            reports.update(order_lists.reports_of(answer, self._symbols))
            missing = [one.client_id for one in requests if one.client_id not in reports]
            if missing:
                raise NoAnswerError(f"{call}: the answer tells nothing of {', '.join(missing)}")

        whole = await outcome_of(ask())
        if not isinstance(whole, Answered):
            return [whole] * len(requests)
        return [Answered(reports[one.client_id]) for one in requests]

    async def cancel_many(self, keys: Sequence[OrderKey]) -> Sequence[Outcome]:
        """Cancel orders of one instrument in one request, conditional ones beside it; return what became of each."""
        ours = [key for key in keys if key.client_id and self.is_conditional(key) is False]
        if not self._market.futures or len(ours) < 2:
            return await asyncio.gather(*(outcome_of(self.cancel(key)) for key in keys))
        others = [key for key in keys if key not in ours]
        name = self._symbols.theirs(ours[0].symbol)
        together, alone = await asyncio.gather(
            self._batches.cancel(name, [key.client_id for key in ours]),
            asyncio.gather(*(outcome_of(self.cancel(key)) for key in others)),
        )
        outcomes = dict(zip([*ours, *others], [*together, *alone], strict=True))
        return [outcomes[key] for key in keys]


def _priority(*requests: OrderRequest) -> Priority:
    """Return whom requests for orders let go first."""
    return Priority.REDUCE if all(one.order.reduce_only for one in requests) else Priority.ENTRY
