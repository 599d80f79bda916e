"""R12, R19, K3: what leaves before a run is ready, how it ends when its venue does not answer, and what outlasts it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from decimal import Decimal

import pytest
from going import running, until
from test_live_run import (  # noqa: F401 - a fixture
    MINUTE,
    Alternate,
    Averaging,
    Resting,
    bars,
    history,
    told,
    truth,
    venue,
)
from venue_in_process import SYMBOL

from cambist import Strategy
from cambist.errors import VenueError
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings, OnStop
from cambist.model.events import OperatorCommand
from cambist.storage.journal import Journal


def make(tmp_path, session, strategy, **settings) -> LiveRun:
    run = LiveRun(
        [strategy],
        [(SYMBOL, MINUTE)],
        session,
        Journal(tmp_path / "journal"),
        LiveSettings(**{"drain_within": 0.6, "close_within": 0.5, **settings}),
    )
    run.alarms = []
    run._told = lambda word, text: run.alarms.append((word, text))
    return run


def words(run):
    """Return what was told; a venue without history has a restarted run begin its lines anew, and says so."""
    return [word for word, _ in run.alarms if word != "reanchored"]


async def never(*_given, **_named):
    """Do not answer."""
    await asyncio.Event().wait()


def kinds(tmp_path):
    with Journal(tmp_path / "journal") as journal:
        return [entry.kind for entry in journal.read()]


# Before it is ready.


class Eager(Strategy):
    """Wants to trade as soon as it can, from wherever it is called."""

    persistent = ("due",)

    def on_start(self):
        self.set_timer("now", after=1)
        self.buy(0.1, limit=90.0, tag="start")

    def load_state(self, state):
        super().load_state(state)
        self.buy(0.1, limit=90.0, tag="state")

    def on_timer(self, name):
        self.due = True
        self.buy(0.1, limit=90.0, tag="timer")


def test_no_order_leaves_before_the_run_is_in_step(venue, tmp_path):  # noqa: F811
    async def play(tags):
        run = make(tmp_path, venue, Eager(), drain_within=10.0)
        asked, answer, account = asyncio.Event(), asyncio.Event(), venue.account
        calls = []

        async def slow_account():
            calls.append(len(venue.submits))
            if len(calls) == 2:  # the second question is that of the reconciliation
                asked.set()
                await answer.wait()
            return await account()

        venue.account = slow_account
        sent = len(venue.submits)
        task = asyncio.create_task(run.run())
        try:
            async with asyncio.timeout(10):
                await asked.wait()
            await asyncio.sleep(0.1)
            assert run.phase == "reconcile"
            assert len(venue.submits) == sent, "an order left before the venue said how it stands"
            answer.set()
            await until(lambda: len(venue.submits) == sent + len(tags))
            newest = run.kernel.book.orders[-len(tags) :]
            assert [order.tag for order in newest] == tags
        finally:
            del venue.account
            run.stop("enough")
            await task
            run.journal.close()

    asyncio.run(play(["start", "timer"]))
    asyncio.run(play(["start", "state", "timer"]))


@pytest.mark.parametrize(
    ("what", "doing"),
    [
        ("open", "connecting"),
        ("account", "asking for the account"),
        ("history", "asking for the bars to warm up with"),
        ("open_orders", "asking for orders, executions and balances"),
    ],
)
def test_a_venue_that_hangs_ends_the_phase_with_one_clear_error(venue, tmp_path, what, doing):  # noqa: F811
    venue.past = history(3)
    setattr(venue, what, never)
    run = make(tmp_path, venue, Averaging(), ready_within=0.3)
    with pytest.raises(VenueError, match=f"in-process did not answer in time: after 0.3 s the run is still {doing}"):
        asyncio.run(run.run())
    run.journal.close()
    assert run.phase == "closed"
    assert venue.submits == []


def test_a_private_stream_that_never_comes_up_is_named(venue, tmp_path):  # noqa: F811
    async def silent():
        await never()
        yield None

    venue.private = silent
    run = make(tmp_path, venue, Alternate(), ready_within=0.3)
    with pytest.raises(VenueError, match="still waiting for the private stream"):
        asyncio.run(run.run())
    run.journal.close()


@pytest.mark.parametrize("what", ["open", "account", "open_orders"])
def test_a_run_that_is_not_ready_stops_at_once(venue, tmp_path, what):  # noqa: F811
    setattr(venue, what, never)
    run = make(tmp_path, venue, Alternate(), ready_within=60.0)

    async def play():
        task = asyncio.create_task(run.run())
        await asyncio.sleep(0.1)
        run.stop("changed my mind")
        async with asyncio.timeout(10):
            await task

    asyncio.run(play())
    run.journal.close()
    assert run.phase == "closed"
    assert (kinds(tmp_path)[-1:] == ["run_stopped"]) is (what == "open_orders")


# The end.


class Both(Strategy):
    """Holds something, and has an order at work."""

    def on_bar(self, bar):
        if not self.open_orders:
            self.buy(0.2)
            self.buy(0.1, limit=90.0)


@pytest.mark.parametrize(
    ("policy", "orders", "held"), [(OnStop.KEEP, 1, "0.1998"), (OnStop.CANCEL, 0, "0.1998"), (OnStop.FLATTEN, 0, "0")]
)
def test_each_policy_leaves_what_it_says(venue, tmp_path, policy, orders, held):  # noqa: F811
    async def play():
        run = make(tmp_path, venue, Both(), on_stop=policy, drain_within=10.0)
        async with running(run):
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(run.kernel.fills) == 1 and len(venue.exchange.open_orders(venue.user)) == 1)
        run.journal.close()
        return run

    run = asyncio.run(play())
    assert words(run) == []
    assert len(venue.exchange.open_orders(venue.user)) == orders
    assert truth(venue)["BTC"] == Decimal(held)
    assert kinds(tmp_path)[-1] == "run_stopped"
    state = told(tmp_path)
    assert state.stopped == "test"
    assert {asset: state.ledger.balance(asset) for asset in ("USDT", "BTC")} == truth(venue)


@pytest.mark.parametrize("policy", [OnStop.KEEP, OnStop.CANCEL, OnStop.FLATTEN])
def test_a_venue_that_does_not_answer_does_not_keep_the_run_from_ending(venue, tmp_path, policy):  # noqa: F811
    async def play():
        run = make(tmp_path, venue, Both(), on_stop=policy)
        async with running(run):
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: len(run.kernel.fills) == 1 and len(venue.exchange.open_orders(venue.user)) == 1)
            venue.cancel = venue.submit = venue.find_order = venue.close = never
            began = time.monotonic()
        run.journal.close()
        return run, time.monotonic() - began

    run, took = asyncio.run(play())
    assert took < 8.0, "0.6 s to drain and 0.5 s to close, on a busy machine"
    assert kinds(tmp_path)[-1] == "run_stopped"
    unfinished = [text for word, text in run.alarms if word == "stop_incomplete"]
    assert "close_failed" in words(run)
    if policy is OnStop.KEEP:
        assert unfinished == []
        return
    assert "order 2 (buy 0.1 BTC/USDT)" in unfinished[0]
    assert ("a position of 0.1998 BTC/USDT" in unfinished[0]) is (policy is OnStop.FLATTEN)
    assert "unfinished: order 2" in str(told(tmp_path).stopped)


def test_a_run_that_ended_unfinished_finds_its_orders_again(venue, tmp_path):  # noqa: F811
    async def first():
        run = make(tmp_path, venue, Resting())
        async with running(run):
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: venue.exchange.open_orders(venue.user))
            venue.cancel = venue.find_order = never
        run.journal.close()

    async def second():
        run = make(tmp_path, venue, Resting(), drain_within=10.0)
        async with running(run):
            await until(lambda: len(run.engine.orders.open) <= 1)
        run.journal.close()
        return run

    asyncio.run(first())
    del venue.cancel, venue.find_order
    assert words(asyncio.run(second())) == []
    assert venue.exchange.open_orders(venue.user) == []


# What outlasts it.


@pytest.mark.parametrize("how", ["stopped", "cut off"])
def test_a_halt_outlasts_a_restart_and_the_hold_of_a_stop_does_not(venue, tmp_path, how):  # noqa: F811
    async def first():
        run = make(tmp_path, venue, Alternate())
        try:
            async with running(run) as task:
                run.take(OperatorCommand(run.now(), "halt", {"reason": "lunch"}, "me"))
                await run.journal.wait_async()
                if how == "cut off":
                    task.cancel()
        finally:
            run.journal.close()

    async def first_over():
        with contextlib.suppress(asyncio.CancelledError):
            await first()

    async def second(command, orders):
        run = make(tmp_path, venue, Alternate())
        async with running(run):
            assert [(hold.rule, str(hold.state), hold.reason) for hold in run.kernel.trading.holds] == [
                ("", "halted", "lunch")
            ]
            strategy = run.kernel.seats[0].strategy
            before = strategy.bars
            if command:
                run.take(OperatorCommand(run.now(), command, {}, "me"))
            venue.bar(bars(1, before)[0], MINUTE)
            await until(lambda: strategy.bars == before + 1)
            await until(lambda: not run.kernel.book.open)
            sent = [order for order in run.kernel.book.orders if order.status == "filled"]
            assert len(sent) == orders
        run.journal.close()

    asyncio.run(first_over())
    asyncio.run(second("", 0))
    asyncio.run(second("", 0))
    assert venue.submits == []
    asyncio.run(second("resume", 1))
    assert len(venue.submits) == 1


def test_what_is_said_of_its_orders_before_it_knows_them_is_taken_when_it_does(venue, tmp_path):  # noqa: F811
    async def first():
        run = make(tmp_path, venue, Resting(), on_stop=OnStop.KEEP)
        async with running(run):
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: venue.exchange.open_orders(venue.user))
        run.journal.close()

    async def second():
        run = make(tmp_path, venue, Resting(), on_stop=OnStop.KEEP)
        opening = venue.open

        async def open_and_tell():
            await opening()
            venue.private_events.put_nowait((await venue.open_orders())[0])

        venue.open = open_and_tell
        async with running(run):
            assert [str(order.status) for order in run.engine.orders.open] == ["accepted"]
        run.journal.close()
        return run

    asyncio.run(first())
    assert words(asyncio.run(second())) == []
    assert len(venue.exchange.open_orders(venue.user)) == 1, "it was not taken for one that should not work any more"
