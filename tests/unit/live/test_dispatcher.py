"""The dispatcher: batches of one moment, and the seal of the kill switch."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from cambist.live.dispatch import FLATTEN, Dispatcher
from cambist.live.requests import Cancel, ChangeAccount, Submit
from cambist.model import MarginChange
from cambist.model.effects import ChangeMargin
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


class Prompt:
    """Sends what it made ready at once, but for orders that it cannot."""

    def __init__(self, *waiting: str) -> None:
        self.sent: list[str] = []
        self.asked: list[str] = []
        self.waiting = waiting

    def prepare(self, request):
        pass

    def submit_now(self, request):
        if request.client_id in self.waiting:
            return None
        self.sent.append(request.client_id)

        async def answer():
            return Answered(None)

        return answer

    async def submit(self, request):
        self.asked.append(request.client_id)
        return Answered(None)

    async def cancel(self, key):
        self.asked.append(f"not {key.client_id}")
        return Answered(None)


def submit(number: int, tag: str = "") -> Submit:
    terms = SimpleNamespace(order=SimpleNamespace(tag=tag), client_id=f"c{number}")
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


def sent_at_once(session, *requests, sealed=False):
    """Which orders have left when all that was said is that they may; and what became of all, by number and kind."""
    outcomes = {}

    def note(one, outcome, _now):
        outcomes[one.order_id, type(one).__name__] = outcome

    async def play():
        async with asyncio.TaskGroup() as group:
            dispatcher = Dispatcher(session, SimpleNamespace(submitted=note, canceled=note), lambda: 0, group)
            dispatcher.sealed = sealed
            for request in requests:
                dispatcher.send(request)
            at_once = list(session.sent)
            await dispatcher.idle()
            return at_once

    return asyncio.run(play()), outcomes


def test_what_was_made_ready_leaves_before_anything_else_is_done():
    session = Prompt("c2")
    cancel = Cancel(order_id=1, key=OrderKey("BTC/USDT", "c1"))
    at_once, outcomes = sent_at_once(session, submit(1), cancel, submit(2), submit(3))
    assert at_once == session.sent == ["c1", "c3"]
    assert sorted(session.asked) == ["c2", "not c1"]
    assert sorted(outcomes) == [(1, "Cancel"), (1, "Submit"), (2, "Submit"), (3, "Submit")]
    assert all(isinstance(one, Answered) for one in outcomes.values())


def test_behind_the_kill_switch_nothing_leaves_at_once_either_save_what_closes_positions():
    session = Prompt()
    at_once, outcomes = sent_at_once(session, submit(1), submit(2, FLATTEN), sealed=True)
    assert (at_once, session.asked) == (["c2"], [])
    assert outcomes[1, "Submit"].reason == "killed"


def test_what_is_asked_about_the_same_order_does_not_overtake_what_waits():
    session = Prompt()
    at_once, _ = sent_at_once(session, Cancel(order_id=1, key=OrderKey("BTC/USDT", "c1")), submit(1))
    assert (at_once, session.asked) == ([], ["not c1", "c1"])


def test_an_order_that_could_leave_at_once_does_not_overtake_the_cancel_that_frees_what_it_needs():
    session = Prompt()
    at_once, _ = sent_at_once(session, Cancel(order_id=1, key=OrderKey("BTC/USDT", "c1")), submit(2))
    assert at_once == []
    assert session.asked == ["not c1", "c2"]


class Changing(Prompt):
    """Takes its time to change a leverage."""

    async def change_margin(self, change):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.asked.append(f"leverage {change.leverage:g}")
        return Answered(None)


def test_orders_wait_for_a_change_of_the_account_before_them_and_cancels_do_not():
    session = Changing()
    wish = ChangeMargin(MarginChange(0, "BTC/USDT", leverage=3.0))
    change = ChangeAccount(order_id=0, key=OrderKey("BTC/USDT", "of the account"), wish=wish)
    later = Cancel(order_id=2, key=OrderKey("BTC/USDT", "c2"))
    other = Cancel(order_id=9, key=OrderKey("BTC/USDT", "c9"))
    at_once, outcomes = sent_at_once(session, submit(1), change, submit(2), later, other)
    assert at_once == ["c1"]
    assert session.asked == ["not c9", "leverage 3", "not c2"]
    assert session.sent == ["c1", "c2"]
    assert sorted(outcomes) == [(1, "Submit"), (2, "Cancel"), (2, "Submit"), (9, "Cancel")]
