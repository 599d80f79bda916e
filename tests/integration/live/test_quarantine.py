"""K10: a strategy, an indicator or a risk rule that raises stops nobody else, and no order of its own leaves."""

from __future__ import annotations

import asyncio

import attrs
import pytest
from going import running, until
from test_live_run import MINUTE, bars, make_run, venue  # noqa: F401 - a fixture
from venue_in_process import SYMBOL

from cambist import Strategy, param
from cambist.engine.shield import QUARANTINE
from cambist.errors import StrategyError
from cambist.indicators import indicator
from cambist.live.quarantine import OnFailure
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings
from cambist.model import OrderStatus
from cambist.model.events import OperatorCommand
from cambist.risk.rules.order_value import MaxOrderValueRule
from cambist.storage.journal import Journal

HOOKS = ["on_bar", "on_step", "on_order", "on_fill", "on_timer", "on_trading_state"]


class Steady(Strategy):
    """Counts bars, and buys a little on each."""

    def on_start(self):
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        self.buy(0.1)


class Raises(Strategy):
    """Buys and leaves an order behind on its first bar, and raises in one of its hooks from the second on."""

    hook: str = param("on_bar")

    def on_start(self):
        self.bars, self.calls = 0, 0
        self.set_timer("soon", after=1)

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 1:
            self.buy(0.2)
            self.buy(0.1, limit=90.0)
        elif self.bars == 2:
            self.set_timer("soon", after=1)
            self.buy(0.3)
        self.called("on_bar")

    def on_step(self):
        self.called("on_step")

    def on_order(self, order):
        self.called("on_order")

    def on_fill(self, fill):
        self.called("on_fill")

    def on_timer(self, name):
        self.called("on_timer")

    def on_trading_state(self, change):
        self.called("on_trading_state")

    def called(self, name):
        self.calls += 1
        if name == self.hook and self.bars > 1:
            raise ValueError(f"no luck in {name}")


def of(run, name):
    return next(seat.strategy for seat in run.kernel.seats if seat.strategy.name == name)


def words(run):
    """Return what was told; a venue without history has a restarted run begin its lines anew, and says so."""
    return [word for word, _ in run.alarms if word != "reanchored"]


def two(tmp_path, session, first, second, **settings) -> LiveRun:
    journal = Journal(tmp_path / "journal")
    run = LiveRun([first, second], [(SYMBOL, MINUTE)], session, journal, LiveSettings(**settings))
    run.alarms = []
    run._told = lambda word, text: run.alarms.append((word, text))
    return run


async def show(venue, run, number):  # noqa: F811
    """Show a bar and wait until the steady strategy has traded on it."""
    steady = of(run, "Steady")
    venue.bar(bars(1, number)[0], MINUTE)
    await until(lambda: steady.bars == number + 1)
    await until(lambda: not [one for one in run.kernel.book.open.values() if one.strategy == "Steady"])


@pytest.mark.parametrize("hook", HOOKS)
def test_the_others_trade_on_whatever_raises(venue, tmp_path, hook):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, Raises(hook=hook), Steady())
        async with running(run):
            await show(venue, run, 0)
            await until(lambda: len(run.kernel.fills) == 2)
            await show(venue, run, 1)
            if hook == "on_trading_state":
                run.take(OperatorCommand(run.now(), "halt", {"scope": "strategy:Raises", "reason": "a test"}, "me"))
            await until(lambda: "strategy_failed" in words(run))
            calls = of(run, "Raises").calls
            await show(venue, run, 2)
            await show(venue, run, 3)
            assert of(run, "Raises").calls == calls
            assert len([one for one in run.kernel.fills if one.side == "buy"]) >= 5
            text = next(text for word, text in run.alarms if word == "strategy_failed")
            assert f"no luck in {hook}" in text
            assert "test_quarantine.py" in text
            assert "strategy:Raises" in text
            hold = run.kernel.trading.holds.find("strategy:Raises", QUARANTINE)
            assert hold is not None
        run.journal.close()
        return run

    run = asyncio.run(play())
    assert words(run).count("strategy_failed") == 1


def test_what_it_ordered_just_before_does_not_leave(venue, tmp_path):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, Raises(hook="on_bar"), Steady())
        async with running(run):
            await show(venue, run, 0)
            await show(venue, run, 1)
            await until(lambda: "strategy_failed" in words(run))
            await show(venue, run, 2)
            dropped = [one for one in run.kernel.book.orders if one.strategy == "Raises" and one.size == 0.3]
            assert [(one.status, one.reason) for one in dropped] == [
                (OrderStatus.CANCELED, "canceled before it was sent")
            ]
        run.journal.close()

    asyncio.run(play())
    assert len(venue.submits) == 2 + 3


@pytest.mark.parametrize(
    ("policy", "open_orders", "held"),
    [
        (OnFailure.KEEP, 1, 0.2),
        (OnFailure.CANCEL_OPENING, 0, 0.2),
        (OnFailure.CANCEL, 0, 0.2),
        (OnFailure.FLATTEN, 0, 0.0),
    ],
)
def test_its_orders_and_its_position_go_by_policy(venue, tmp_path, policy, open_orders, held):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, Raises(hook="on_bar"), Steady(), on_failure=policy, on_stop="keep")
        async with running(run):
            await show(venue, run, 0)
            await until(lambda: len(run.kernel.fills) == 2)
            await show(venue, run, 1)
            await until(lambda: "strategy_failed" in words(run))

            def share():
                return run.kernel.shares.of("Raises").positions[SYMBOL].size

            await until(lambda: len(venue.exchange.open_orders(venue.user)) == open_orders)
            await until(lambda: share() == pytest.approx(held, abs=0.001))
            await show(venue, run, 2)
            # The account holds what the others have bought, less fees, and this strategy's share.
            position = run.kernel.portfolio.positions[SYMBOL].size
            assert position == pytest.approx(0.3 + held, abs=0.001)
        run.journal.close()
        return run

    run = asyncio.run(play())
    assert words(run) == ["strategy_failed"], run.alarms


def test_it_lasts_over_a_restart_until_an_operator_lifts_it(venue, tmp_path):  # noqa: F811
    async def first():
        run = two(tmp_path, venue, Raises(hook="on_bar"), Steady())
        async with running(run):
            await show(venue, run, 0)
            await show(venue, run, 1)
            await until(lambda: "strategy_failed" in words(run))
        run.journal.close()

    async def second():
        run = two(tmp_path, venue, Raises(hook="on_stop"), Steady())
        async with running(run):
            raised = of(run, "Raises")
            assert run.kernel.trading.state_for("Raises", None) == "halted"
            assert run.kernel.trading.state_for("Steady", None) == "active"
            await show(venue, run, 0)
            assert raised.bars == 0
            run.take(OperatorCommand(run.now(), "resume", {"scope": "strategy:Raises"}, "me"))
            await until(lambda: raised.calls)  # it is told
            assert run.kernel.trading.state_for("Raises", None) == "active"
            await show(venue, run, 1)
            await until(lambda: raised.bars == 1)
            await until(lambda: [one for one in run.kernel.book.orders if one.strategy == "Raises" and one.size == 0.2])
        run.journal.close()
        return run

    asyncio.run(first())
    assert words(asyncio.run(second())) == []


@indicator(lookback=0)
def fragile(values):
    """Fail at a price."""
    if 101.0 in values:
        raise ZeroDivisionError("a price it does not like")
    return values


class Blind(Strategy):
    """Has an indicator of its own."""

    def on_start(self):
        self.seen = 0
        self.line = fragile(self.data.close)

    def on_bar(self, bar):
        self.seen += 1


def test_an_indicator_that_raises_stops_its_strategy_alone(venue, tmp_path):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, Blind(), Steady())
        async with running(run):
            await show(venue, run, 0)
            venue.bar(attrs.evolve(bars(1, 1)[0], close=101.0), MINUTE)
            await until(lambda: of(run, "Steady").bars == 2)
            await show(venue, run, 2)
            assert of(run, "Blind").seen == 1
            assert words(run) == ["strategy_failed"]
            assert "an indicator of Blind raised ZeroDivisionError" in run.alarms[0][1]
            assert run.kernel.portfolio.positions[SYMBOL].price_source() == 100.0, "prices are still taken"
        run.journal.close()

    asyncio.run(play())


class NoState(Strategy):
    """Keeps what a journal cannot keep, from its second bar on."""

    persistent = ("kept",)

    def on_start(self):
        self.kept, self.bars = 0, 0

    def on_bar(self, bar):
        self.bars += 1
        self.kept = self.bars if self.bars < 2 else object()


def test_a_state_that_cannot_be_kept_stops_its_strategy_alone(venue, tmp_path):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, NoState(), Steady())
        async with running(run):
            for number in range(3):
                await show(venue, run, number)
            assert words(run) == ["strategy_failed"]
            assert "which a journal cannot keep" in run.alarms[0][1]
            assert of(run, "NoState").bars == 2
        run.journal.close()

    asyncio.run(play())


class BadStart(Strategy):
    """Does not get going."""

    def on_start(self):
        raise RuntimeError("no such file")


def test_a_strategy_that_does_not_start_keeps_the_run_from_starting(venue, tmp_path):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, BadStart(), Steady())
        try:
            await run.run()
        finally:
            run.journal.close()

    with pytest.raises(StrategyError, match=r"BadStart raised RuntimeError .*test_quarantine\.py.*no such file"):
        asyncio.run(play())
    assert venue.submits == []


class BadStop(Steady):
    """Cannot end."""

    def on_stop(self):
        raise RuntimeError("no more")


def test_one_that_raises_at_the_end_is_told_of_and_not_held(venue, tmp_path):  # noqa: F811
    async def play():
        run = make_run(tmp_path, venue, BadStop())
        async with running(run):
            pass
        run.journal.close()
        return run

    run = asyncio.run(play())
    assert words(run) == ["strategy_failed"]
    assert run.kernel.trading.holds.find("strategy:BadStop", QUARANTINE) is None


class BrokenRule(MaxOrderValueRule):
    """Raises where it should decide."""

    def review(self, order, view):
        if order.size > 0.15:
            raise KeyError("limits")
        return super().review(order, view)


def test_a_risk_rule_that_raises_refuses_and_stops_nobody(venue, tmp_path):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, Raises(hook="none"), Steady(), risk=[BrokenRule(10_000)])
        async with running(run):
            for number in range(3):
                await show(venue, run, number)
            refused = [one for one in run.kernel.book.orders if one.reason.startswith("rule_failed: ")]
            assert {one.size for one in refused} == {0.2, 0.3}
            assert set(words(run)) == {"rule_failed"}
            assert of(run, "Steady").bars == of(run, "Raises").bars == 3
        run.journal.close()

    asyncio.run(play())


def test_somebody_who_cannot_be_told_stops_nobody(venue, tmp_path):  # noqa: F811
    async def play():
        run = two(tmp_path, venue, Raises(hook="on_bar"), Steady())

        def refuse(word, text):
            run.alarms.append((word, text))
            raise ConnectionError("no pager there")

        run._told = refuse
        async with running(run):
            for number in range(4):
                await show(venue, run, number)
            assert words(run) == ["strategy_failed"]
        run.journal.close()

    asyncio.run(play())
