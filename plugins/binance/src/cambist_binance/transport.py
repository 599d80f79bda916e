"""How requests get to the venue and answers back: the WebSocket API first, REST beside it, one budget for both."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from cambist_binance.calls import CALLS
from cambist_binance.quirks import BUSY, is_open_outcome, reason_of
from cambist_binance.wire.answers import decode_error, used_up
from cambist_ccxt.budget import Priority
from cambist_ccxt.errors import BusyError, NoAnswerError, NotSentError, RefusedError
from cambist_ccxt.rest import Ask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from cambist.api import VenueError
    from cambist_binance.calls import Call
    from cambist_binance.hosts import Market
    from cambist_binance.signing import Signer
    from cambist_binance.wire.answers import ApiFrame, ErrorBody
    from cambist_binance.ws_api import Composed, WsApi
    from cambist_ccxt.budget import Budget, Turn
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.rest import RestClient

__all__ = ["Prepared", "Transport", "decoded", "usage_of"]

_log = logging.getLogger("cambist.binance")
_SECOND = 1_000_000_000
_MS = 1_000_000
#: How old a request may be that was made before it could leave, ns: its stamp tells the venue its age.
_FRESH = _SECOND // 2
#: How long such a request keeps its turn, seconds; a disk that takes longer lets others go first.
_KEPT = 0.05
#: Longer than two of the minutes that the venue counts nothing is waited for: the address is banned.
_MOST = 120 * _SECOND
_HEADERS = {
    "x-mbx-used-weight-1m": "weight-1m",
    "x-mbx-order-count-10s": "orders-10s",
    "x-mbx-order-count-1m": "orders-1m",
    "x-mbx-order-count-1d": "orders-1d",
}


def usage_of(headers: Mapping[str, str]) -> dict[str, int]:
    """Read from an answer's headers what is used up."""
    return {name: int(headers[key]) for key, name in _HEADERS.items() if headers.get(key, "").isdigit()}


#: What keeps the account's own stream going is no GET, and changes nothing of the account.
_LISTENING = frozenset({"listen", "listen_on"})


class Prepared(msgspec.Struct, frozen=True):
    """A request that was made before it could leave.

    Attributes
    ----------
    at
        The venue's time of its stamp, ns.
    request
        What is sent.
    costs
        What it uses up of the venue's limits.
    turn
        Its turn under them, where that has come already.
    """

    at: int
    request: Composed
    costs: dict[str, int]
    turn: Turn | None = None


class Transport:
    """Sends signed requests.

    Parameters
    ----------
    market
        Which of the venue's.
    rest
        Takes all that the WebSocket API has not, or cannot.
    clock
        Of the venue.
    budget
        Of the account.
    recv_window
        How old a request may be when it arrives, ms.
    within
        Until when there must be an answer, seconds.
    """

    def __init__(
        self,
        market: Market,
        rest: RestClient,
        clock: VenueClock,
        budget: Budget,
        *,
        signer: Signer | None,
        recv_window: int = 5_000,
        within: float = 10.0,
        tells_rights: bool = True,
    ) -> None:
        #: Whether this environment has the service that tells what a key may do.
        self.tells_rights = tells_rights
        self._market, self._rest, self._clock, self.budget = market, rest, clock, budget
        self._signer, self._recv_window, self._within = signer, recv_window, within
        self._calls = CALLS[market]
        #: Whether questions wait for as long as the venue's limits leave no room: nothing is in a hurry yet.
        self.patient = False
        #: Whether what would change something at the venue is refused.
        self.read_only = False
        self._resync: Callable[[], None] = clock.forget
        #: The WebSocket API, once it is there.
        self.ws: WsApi | None = None

    def sign(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters with key, time stamp and signature.

        Raises
        ------
        NotSentError
            There is no key, or this machine's clock is too far off.
        """
        if self._signer is None:
            raise NotSentError("this session has no API key; give key and secret.", code="no_api_key")
        self._clock.check()
        return self._signer.sign(params, self._clock.now_ms(), self._recv_window)

    def on_skew(self, resync: Callable[[], None]) -> None:
        """Have `resync` called when the venue says that a stamp is off."""
        self._resync = resync

    def prepare(self, name: str, params: Mapping[str, Any], priority: Priority | None = None) -> Prepared | None:
        """Return a request signed and written out, for a `call` that follows soon; None where it has to be made there.

        Parameters
        ----------
        priority
            By which it takes its turn now, and keeps it for a moment; None for when it is sent.

        Raises
        ------
        NotSentError
            It cannot be signed.
        """
        call, ws = self._calls[name], self.ws
        if not call.ws or ws is None or not ws.up:
            return None
        costs = _costs(call, params)
        turn = None if priority is None else self.budget.reserve(costs, priority, _KEPT)
        return Prepared(self._clock.now(), ws.compose(call.ws, self.sign(params)), costs, turn)

    def practice(self, name: str, params: Mapping[str, Any], priority: Priority) -> None:
        """Do what `prepare` does, and what a turn takes; none of it is kept.

        Raises
        ------
        NotSentError
            It could not be signed.
        """
        prepared = self.prepare(name, params)
        if prepared is not None:
            self.budget.wait(prepared.costs, priority)

    async def call(
        self,
        name: str,
        params: Mapping[str, Any],
        priority: Priority = Priority.DATA,
        *,
        times: int = 1,
        prepared: Prepared | None = None,
    ) -> bytes:
        """Ask once, and return the answer's JSON.

        Parameters
        ----------
        times
            How many orders it counts as, where it is about several.
        prepared
            What `prepare` made of the same; it is made anew where it is too old by the time that it may leave.

        Raises
        ------
        BusyError, NotSentError, RefusedError
            The venue certainly did nothing.
        NoAnswerError
            Nobody knows whether it did.
        """
        call = self._calls[name]
        if self.read_only and call.method != "GET" and name not in _LISTENING:
            raise NotSentError(f"{call.method} {call.path} is not sent: this session only asks.", code="read_only")
        ws = self.ws
        if call.ws and ws is not None and ws.up:
            try:
                return await self._over_websocket(ws, call, params, priority, prepared)
            except BusyError:
                raise
            except NotSentError as error:
                if error.code != "unreachable":
                    raise
        return await self._over_rest(call, params, priority, times)

    def call_now(self, name: str, priority: Priority, prepared: Prepared) -> Callable[[], Awaitable[bytes]] | None:
        """Send what `prepare` made before this returns; return what waits for the answer's JSON, as `call` does.

        None, and nothing was sent, where it has to be done by `call`: what was made is too old, or it is not its turn.
        """
        call, ws = self._calls[name], self.ws
        if ws is None or self.read_only or not self._is_fresh(prepared):
            return None
        costs, turn = prepared.costs, prepared.turn
        if not (turn is not None and turn.take()) and not self.budget.acquire_now(costs, priority):
            return None
        asked = ws.request_now(prepared.request, self._within)
        if asked is None:
            self.budget.release(costs)
            return None
        return lambda: self._answer(call, costs, asked())

    async def ask(
        self, name: str, params: Mapping[str, Any], attempts: int = 3, priority: Priority = Priority.DATA
    ) -> bytes:
        """Ask what changes nothing, again where there was no answer; raises `VenueError` in the end."""
        attempt = 0
        while attempt < attempts:
            attempt += 1
            try:
                return await self.call(name, params, priority)
            except RefusedError as error:
                if attempt == attempts or error.reason != "clock_skew":
                    raise
                await asyncio.sleep(0.2 * attempt)
            except BusyError as error:
                if self.patient and error.retry_after <= _MOST:
                    attempt -= 1
                    _log.warning("%s is waited for: %s", self._market.venue, error)
                elif attempt == attempts or error.retry_after > self._within * _SECOND:
                    raise
                await asyncio.sleep(error.retry_after / _SECOND)
            except (NoAnswerError, NotSentError) as error:
                if attempt == attempts or (isinstance(error, NotSentError) and error.code != "unreachable"):
                    raise
                _log.info("asked again: %s", error)
                await asyncio.sleep(0.2 * attempt)
        raise NoAnswerError(name)

    async def _over_websocket(
        self, ws: WsApi, call: Call, params: Mapping[str, Any], priority: Priority, prepared: Prepared | None
    ) -> bytes:
        costs = _costs(call, params)
        loop = asyncio.get_running_loop()
        end = loop.time() + self._within
        turn = None if prepared is None else prepared.turn
        if turn is None or not turn.take():
            await self.budget.acquire(costs, priority, self._within)
        try:
            if prepared is not None and self._is_fresh(prepared):
                request = prepared.request
            else:
                request = ws.compose(call.ws, self.sign(params) if call.signed else params)
        except BaseException:
            self.budget.settle(costs, {})
            raise
        return await self._answer(call, costs, ws.request(request, max(0.05, end - loop.time())))

    def _is_fresh(self, prepared: Prepared) -> bool:
        return self._clock.now() - prepared.at < _FRESH

    async def _answer(self, call: Call, costs: dict[str, int], asked: Awaitable[ApiFrame]) -> bytes:
        """Return what the WebSocket API answers to a request that was counted."""
        told: dict[str, int] = {}
        try:
            answer = await asked
            told = used_up(answer.rate_limits)
        finally:
            self.budget.settle(costs, told)
        if answer.error is not None:
            raise self.refusal(answer.status, answer.error)
        if not answer.result:
            raise NoAnswerError(f"{call.ws}: an answer without a result")
        return bytes(answer.result)

    async def _over_rest(self, call: Call, params: Mapping[str, Any], priority: Priority, times: int) -> bytes:
        if call.signed:
            self.sign({})  # refuses where nothing can be signed; ccxt makes the signature of REST
        ask = Ask(
            part=call.part,
            path=call.path,
            method=call.method,
            params=params,
            costs=_costs(call, params, times),
            priority=priority,
            within=self._within,
        )
        answer = await self._rest.send(ask)
        if answer.status == 200:
            if answer.body[:1] not in {b"{", b"["}:
                raise NoAnswerError(f"{call.method} {call.path}: an answer that is no JSON: {answer.body[:80]!r}")
            return answer.body
        try:
            error = decode_error(answer.body)
        except msgspec.MsgspecError:
            text = answer.body[:120].decode("utf-8", "replace")
            if 400 <= answer.status < 500 and answer.status != 408:
                raise RefusedError(f"http_{answer.status}", text, code=f"HTTP {answer.status}") from None
            raise NoAnswerError(f"{call.method} {call.path}: HTTP {answer.status} {text}") from None
        raise self.refusal(answer.status, error)

    def refusal(self, status: int, error: ErrorBody) -> VenueError:
        """Return the error that an answer of the venue means."""
        code, text = error.code, error.msg
        if is_open_outcome(status, code):
            return NoAnswerError(f"the venue does not know itself: {text} ({code}, HTTP {status})", code=str(code))
        if status in {418, 429} or code in BUSY:
            span = (120 if status == 418 else 5 if status == 429 else 1) * _SECOND
            until = 0 if error.data is None else error.data.retry_after
            if until:
                span = max(1, until * _MS - self._clock.now())
            if status in {418, 429}:
                self.budget.pause(span, renews=until > 0)
            return BusyError(f"{text} ({code})", span, code=str(code))
        reason = reason_of(code, text, self._market)
        if reason == "clock_skew":
            self._resync()
        return RefusedError(reason, text, code=str(code))


def _costs(call: Call, params: Mapping[str, Any], times: int = 1) -> dict[str, int]:
    """Return what a request about so many orders uses up."""
    costs = {"weight-1m": call.weighs(params)}
    if call.orders:
        orders = call.orders * times
        costs |= {"orders-10s": orders, "orders-1m": orders, "orders-1d": orders}
    return costs


async def decoded(asked: Awaitable[bytes], decode: Callable[[bytes], Any]) -> Any:
    """Read an answer; one that makes no sense is none."""
    data = await asked
    try:
        return decode(data)
    except msgspec.MsgspecError as error:
        raise NoAnswerError(f"an answer that makes no sense: {error}: {data[:120]!r}") from error
