"""The dispatcher: batches of one moment, and the seal of the kill switch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from cambist.live.dispatch import FLATTEN, Dispatcher
from cambist.live.requests import Submit
from cambist.ports.venue import Answered, Declined, OrderKey


class Batching:
    """Takes orders, several at once."""

    batch = 5

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def submit_all(self, requests):
        self.batches.append(len(requests))
        return [Answered(None)] * len(requests)

    async def cancel_many(self, keys):
        raise AssertionError

    async def submit(self, request):
        self.batches.append(1)
        return Answered(None)


def submit(number: int, tag: str = "") -> Submit:
    terms = SimpleNamespace(order=SimpleNamespace(tag=tag))
    return Submit(order_id=number, key=OrderKey("BTC/USDT", f"c{number}"), terms=terms)


def played(*requests, sealed=False):
    session, outcomes = Batching(), {}

    async def play():
        async with asyncio.TaskGroup() as group:
            answers = SimpleNamespace(submitted=lambda one, outcome, _now: outcomes.update({one.order_id: outcome}))
            dispatcher = Dispatcher(session, answers, lambda: 0, group)
            for request in requests:
                dispatcher.send(request)
            dispatcher.sealed = sealed
            await dispatcher.idle()

    asyncio.run(play())
    return session.batches, outcomes


def test_orders_of_one_moment_go_together():
    batches, outcomes = played(*map(submit, range(1, 4)))
    assert batches == [3]
    assert all(isinstance(one, Answered) for one in outcomes.values())


def test_no_order_of_a_batch_gets_past_the_kill_switch_save_what_closes_positions():
    batches, outcomes = played(submit(1), submit(2, FLATTEN), submit(3), sealed=True)
    assert batches == [1]
    assert isinstance(outcomes[2], Answered)
    assert [outcomes[number].reason for number in (1, 3) if isinstance(outcomes[number], Declined)] == ["killed"] * 2
