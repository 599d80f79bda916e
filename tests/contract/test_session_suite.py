"""The suite of live venues finds what it is there to find: sessions that are wrong on purpose fail it."""

from __future__ import annotations

import asyncio

import pytest
from wrong_sessions import Wrong

from cambist.api import Answered, Declined, Unanswered
from cambist.testing import SessionTests
from cambist_binance.session import open_spot
from cambist_simulator import ExchangeSimulator


class SaysRefusedWhereNobodyKnows(Wrong):
    async def submit(self, request):
        outcome = await self._right.submit(request)
        return Declined("error", outcome.text) if isinstance(outcome, Unanswered) else outcome


class SendsAgainByItself(Wrong):
    async def submit(self, request):
        outcome = await self._right.submit(request)
        return await self._right.submit(request) if isinstance(outcome, Unanswered) else outcome


class FindsWhatIsNotThere(Wrong):
    async def find_order(self, key):
        outcome = await self._right.find_order(key)
        return Declined("error", "no such order") if outcome == Answered(None) else outcome


class LeavesSomethingRunning(Wrong):
    async def close(self):
        await self._right.close()
        self._left = asyncio.create_task(asyncio.sleep(60))


class ForgetsAFill(Wrong):
    async def fills(self, symbol, since, venue_id=""):
        return (await self._right.fills(symbol, since, venue_id))[1:]


@pytest.mark.parametrize(
    ("wrong", "test", "arguments"),
    [
        (SaysRefusedWhereNobodyKnows, "test_a_submit_without_an_answer", {"how": "timeout", "arrived": True}),
        (SendsAgainByItself, "test_a_submit_without_an_answer", {"how": "cut", "arrived": True}),
        (FindsWhatIsNotThere, "test_what_is_not_there", {}),
        (LeavesSomethingRunning, "test_what_is_not_there", {}),
        (ForgetsAFill, "test_a_market_order_is_filled", {}),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_wrong_session_fails(wrong, test, arguments):
    right = []

    class Suite(SessionTests):
        within = 5.0

        def make_session(self):
            key = simulator.credentials()
            right.append(open_spot(url=simulator.url, key=key.key, secret=key.secret, timeout=3.0))
            return wrong(right[-1])

        def spoil(self, how, *, arrived):
            action = {"timeout": "timeout", "cut": "reset"}[how]
            simulator.add_fault(action, stage="after" if arrived else "before", label="order.place", nth=1)

    made = ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000)
    with made as simulator, pytest.raises((AssertionError, TimeoutError)):
        getattr(Suite(), test)(**arguments)
