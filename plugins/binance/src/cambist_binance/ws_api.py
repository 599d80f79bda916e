"""The WebSocket API: requests and their answers, and on spot the account's events, over one connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from websockets.exceptions import ConnectionClosed

from cambist_binance.wire.answers import decode_frame
from cambist_ccxt.errors import NoAnswerError, NotSentError, RefusedError
from cambist_ccxt.link import Link, framed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from cambist_binance.wire.answers import ApiFrame
    from cambist_ccxt.link import Connection, LinkSettings

__all__ = ["Composed", "WsApi"]

_encode = msgspec.json.Encoder().encode


class Composed(msgspec.Struct, frozen=True):
    """A request as it is sent.

    Attributes
    ----------
    number
        By which its answer is known.
    text
        JSON.
    frame
        The same as it goes over a connection that has nothing else to write.
    """

    number: int
    method: str
    text: bytes
    frame: bytes


class WsApi:
    """A connection to the WebSocket API.

    Parameters
    ----------
    address
        Where it is.
    event
        Takes an event of the account; None where the market has none here.
    state
        Takes ``"up"`` or ``"down"``, and why.
    first_words
        Gives method and signed parameters of what is said first on each connection; None for nothing.
    """

    def __init__(
        self,
        address: str,
        settings: LinkSettings,
        *,
        event: Callable[[msgspec.Raw], None] | None = None,
        state: Callable[[str, str], None] = lambda _state, _text: None,
        first_words: Callable[[], tuple[str, Mapping[str, Any]]] | None = None,
    ) -> None:
        self._address, self._event, self._state, self._first_words = address, event, state, first_words
        self._pending: dict[int, tuple[Connection, asyncio.Future[ApiFrame]]] = {}
        self._number = 0
        self.link = Link("ws-api", self, settings)

    @property
    def up(self) -> bool:
        """Whether a request can be sent."""
        return self.link.current is not None

    def compose(self, method: str, params: Mapping[str, Any]) -> Composed:
        """Return a request that can be sent once."""
        self._number += 1
        text = _encode({"id": self._number, "method": method, "params": params})
        return Composed(self._number, method, text, framed(text))

    async def request(self, request: Composed, within: float) -> ApiFrame:
        """Ask, and return the answer, also one that refuses.

        Raises
        ------
        NotSentError
            There is no connection.
        NoAnswerError
            It was sent, and no answer came in time.
        """
        connection = self.link.current
        if connection is None:
            raise NotSentError("the WebSocket API is not connected", code="unreachable")
        return await self._ask(connection, request, within)

    def request_now(self, request: Composed, within: float) -> Callable[[], Awaitable[ApiFrame]] | None:
        """Ask before this returns; return what waits for the answer, or None where the request has to wait itself."""
        connection = self.link.current
        if connection is None or not connection.write(request.frame):
            return None
        answered = self._expect(connection, request)
        return lambda: self._answer(connection, request, answered, within)

    async def _ask(self, connection: Connection, request: Composed, within: float) -> ApiFrame:
        answered = self._expect(connection, request)
        is_written = connection.write(request.frame)  # before anything else is seen to: an order waits
        return await self._answer(connection, request, answered, within, is_written=is_written)

    def _expect(self, connection: Connection, request: Composed) -> asyncio.Future[ApiFrame]:
        """Be ready for the answer to a request; `_answer` is to be waited for."""
        answered: asyncio.Future[ApiFrame] = asyncio.get_running_loop().create_future()
        self._pending[request.number] = connection, answered
        connection.pending += 1
        return answered

    async def _answer(
        self,
        connection: Connection,
        request: Composed,
        answered: asyncio.Future[ApiFrame],
        within: float,
        *,
        is_written: bool = True,
    ) -> ApiFrame:
        method = request.method
        expiry = asyncio.get_running_loop().call_later(within, _expire, answered)
        try:
            if not is_written:
                async with asyncio.timeout(within):
                    await connection.send(request.text)
            return await answered
        except TimeoutError as error:
            raise NoAnswerError(f"{method}: no answer within {within:.1f} s") from error
        except ConnectionClosed as error:
            # What was written before the end may have arrived.
            raise NoAnswerError(f"{method}: the connection was cut") from error
        finally:
            expiry.cancel()
            self._pending.pop(request.number, None)
            connection.pending -= 1
            if not answered.cancel() and not answered.cancelled():
                answered.exception()  # where the request could not even be written, nobody has looked at it

    # Hooks of the link.

    async def address(self) -> str:
        """Return where to connect."""
        return self._address

    async def opened(self, connection: Connection) -> None:
        """Subscribe to the account's events."""
        if self._first_words is None:
            return
        method, params = self._first_words()
        answer = await self._ask(connection, self.compose(method, params), 10.0)
        if answer.error is not None:
            raise RefusedError("subscription", answer.error.msg, code=str(answer.error.code))

    def frame(self, _connection: Connection, data: bytes) -> None:
        """Take an answer or an event."""
        frame = decode_frame(data)
        if frame.id is not None:
            waiting = self._pending.get(frame.id) if isinstance(frame.id, int) else None
            if waiting is not None and not waiting[1].done():
                waiting[1].set_result(frame)
        elif frame.event and self._event is not None:
            self._event(frame.event)
        elif frame.e == "serverShutdown":
            self.link.renew()
        elif frame.error is not None:
            # An answer without the number of its request: one of those that wait was garbled on its way.
            raise msgspec.ValidationError(f"an error without a request: {frame.error.msg}")

    def lost(self, connection: Connection) -> None:
        """Leave no request of a connection that is gone waiting."""
        for _, (over, answered) in list(self._pending.items()):
            if over is connection and not answered.done():
                answered.set_exception(NoAnswerError("the connection was cut before the answer"))

    def state(self, state: str, text: str) -> None:
        """Pass on how the link does."""
        self._state(state, text)


def _expire(answered: asyncio.Future[ApiFrame]) -> None:
    if not answered.done():
        answered.set_exception(TimeoutError())
