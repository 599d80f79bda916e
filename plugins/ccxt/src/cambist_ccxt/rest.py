"""Requests over HTTP: signed and sent by ccxt, paid for out of a budget, answered with bytes or a reason."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from cambist_ccxt.budget import Priority
from cambist_ccxt.errors import BusyError, NoAnswerError, failure_of
from cambist_ccxt.loading import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_ccxt.budget import Budget

__all__ = ["Ask", "RestAnswer", "RestClient"]

_SECOND = 1_000_000_000
#: How long nothing may go where the venue says "too many" without saying how long, seconds.
_PAUSE, _BAN = 5, 120


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request.

    Attributes
    ----------
    part, path, method
        ccxt's name of the part of the API, and what is asked there.
    costs
        What it uses up, by window of the budget.
    within
        Until when there must be an answer, seconds; the wait for its turn is part of it.
    """

    part: str
    path: str
    method: str = "GET"
    params: Mapping[str, Any] = {}
    costs: Mapping[str, int] = {}
    priority: Priority = Priority.DATA
    within: float = 10.0


class RestAnswer(msgspec.Struct, frozen=True):
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RestClient:
    """One client for all requests of an account.

    Parameters
    ----------
    client
        What `raw_client` made.
    budget
        Of the account.
    usage
        Reads from an answer's headers what is used up, by window.
    """

    def __init__(self, client: Any, budget: Budget, usage: Callable[[Mapping[str, str]], Mapping[str, int]]) -> None:
        self._client, self._budget, self._usage = client, budget, usage
        self.requests = 0

    async def send(self, ask: Ask) -> RestAnswer:
        """Send a request.

        Raises
        ------
        BusyError
            There is no room for it, or the venue answered "too many": it did nothing.
        NotSentError
            The venue could not be reached.
        NoAnswerError
            It may have arrived, and there is no usable answer.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + ask.within
        await self._budget.acquire(ask.costs, ask.priority, ask.within)
        told: Mapping[str, int] = {}
        self.requests += 1
        try:
            answer = await self._exchange(ask, max(0.05, end - loop.time()))
            told = self._usage(answer.headers)
        finally:
            self._budget.settle(ask.costs, told)
        if answer.status in {418, 429}:
            raise self._too_many(answer)
        return answer

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()

    async def _exchange(self, ask: Ask, within: float) -> RestAnswer:
        client = self._client
        signed = client.sign(ask.path, [ask.part], ask.method, dict(ask.params))
        try:
            async with asyncio.timeout(within):
                await client.fetch(signed["url"], signed["method"], signed["headers"], signed["body"])
        except Answer as answer:
            return RestAnswer(answer.status, answer.headers, answer.body.encode())
        except TimeoutError as error:
            raise NoAnswerError(f"{ask.method} {ask.path}: no answer within {within:.1f} s") from error
        except Exception as error:
            raise failure_of(f"{ask.method} {ask.path}", error) from error
        raise NoAnswerError(f"{ask.method} {ask.path}: no answer")

    def _too_many(self, answer: RestAnswer) -> BusyError:
        after = answer.headers.get("retry-after", "")
        banned = answer.status == 418
        told = after.replace(".", "", 1).isdigit()
        seconds = float(after) if told else (_BAN if banned else _PAUSE)
        span = round(seconds * _SECOND)
        self._budget.pause(span, renews=told)
        what = "banned this address" if banned else "was asked too much"
        return BusyError(f"the venue {what}; nothing is asked for {seconds:g} s.", span, code=str(answer.status))
