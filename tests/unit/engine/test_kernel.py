"""The kernel alone: events in, effects out, and nothing else happens."""

from __future__ import annotations

from typing import Any

import pytest

from cambist import Every, Instrument, Strategy, Timeframe
from cambist.engine import Kernel
from cambist.errors import OrderStateError
from cambist.indicators import SMA
from cambist.model import ApprovedOrder, Bar, Fill, Liquidity, OrderStatus
from cambist.model.effects import AmendOrder, CancelOrder, ReportRefusal, SetTimer, StopRun
from cambist.model.events import (
    AmendRejected,
    BarClosed,
    CancelRejected,
    InstantClosed,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OutcomeUnknown,
    RunStarted,
    RunStopped,
    TimerFired,
)
from cambist.model.times import MINUTE_NS, to_ns
from cambist.portfolio import Portfolio
from cambist.risk import RiskGate
from cambist.risk.rules.position import MaxPositionRule

START = to_ns("2024-03-01")
ACME, MINUTE = Instrument(symbol="ACME"), Timeframe.parse("1m")


class Puppet(Strategy):
    """Does at each bar what a test put into `todo`, and writes down what it is told."""

    def on_start(self) -> None:
        self.todo: list[Any] = []
        self.told: list[Any] = []

    def on_bar(self, bar: Any) -> None:
        self.told.append(("bar", bar.close))
        for action in self.todo:
            action(self)
        self.todo = []

    def on_warmup_bar(self, bar: Any) -> None:
        self.told.append(("warm-up", bar.close))

    def on_step(self) -> None:
        self.told.append(("step", self.now - START))

    def on_order(self, order: Any) -> None:
        self.told.append((str(order.status), order.reason))

    def on_fill(self, fill: Any) -> None:
        self.told.append(("fill", fill.size))

    def on_trade(self, trade: Any) -> None:
        self.told.append(("trade", trade.net))

    def on_timer(self, name: str) -> None:
        self.told.append(("timer", name))

    def on_stop(self) -> None:
        self.told.append("stop")


class Play:
    """A kernel and what a driver would know."""

    def __init__(self, *strategies: Strategy, rules: Any = ()) -> None:
        account, gate = Portfolio([ACME], 10_000.0), RiskGate(rules)
        self.kernel = Kernel(list(strategies) or [Puppet()], [(ACME, MINUTE)], account, gate, lambda *terms: 0.0)
        self.strategy: Any = self.kernel.seats[0].strategy
        self.now = START
        assert self.kernel.step(RunStarted(START, "token", 7)) == []

    def bar(self, close: float = 100.0, *todo: Any) -> list[Any]:
        self.strategy.todo = list(todo)
        bar = Bar(self.now, close, close, close, close, 1.0)
        self.now += MINUTE_NS
        return self.kernel.step(BarClosed(self.now, 0, bar))

    def fill(self, number: int, size: float, *, order: Any, price: float = 100.0) -> list[Any]:
        fill = Fill(number, order.id, ACME, order.side, size, price, 0.0, Liquidity.TAKER, self.now)
        return self.kernel.step(OrderFilled(self.now, order.id, fill))

    def told(self) -> list[Any]:
        told, self.strategy.told = self.strategy.told, []
        return told


def test_requests_become_effects_in_the_order_in_which_they_were_made():
    play = Play()
    kept = []
    play.bar(100.0, lambda strategy: kept.append(strategy.buy(1, limit=90.0)))
    play.kernel.step(OrderAccepted(play.now, 1))
    effects = play.bar(
        100.0,
        lambda strategy: strategy.buy(2),
        lambda strategy: strategy.modify(kept[0], limit=91.0),
        lambda strategy: strategy.buy(1e9),
        lambda strategy: strategy.set_timer("t", after=5),
        lambda strategy: strategy.cancel(strategy.sell(1, limit=200.0)),
        lambda strategy: strategy.clear_timer("t"),
        lambda strategy: strategy.stop("done"),
    )
    assert [type(effect) for effect in effects] == [
        ApprovedOrder,
        AmendOrder,
        ReportRefusal,
        SetTimer,
        ApprovedOrder,
        CancelOrder,
        SetTimer,
        StopRun,
    ]
    assert effects[1].limit_price == 91.0
    assert (effects[3].name, effects[3].due) == ("Puppet/t", play.now + 5)
    assert (effects[6].due, effects[7].reason) == (None, "done")
    assert play.kernel.step(InstantClosed(play.now)) == []


def test_nothing_is_traded_before_an_event_says_so():
    play = Play()
    (approved,) = play.bar(100.0, lambda strategy: strategy.buy(5))
    order = approved.order
    assert (order.status, order.created_at) == (OrderStatus.SUBMITTED, play.now)
    assert play.kernel.portfolio.positions["ACME"].is_flat
    play.kernel.step(OrderAccepted(play.now, order.id))
    play.fill(1, 2.0, order=order)
    assert (order.status, play.kernel.portfolio.positions["ACME"].size) == (OrderStatus.PARTIALLY_FILLED, 2.0)
    play.fill(2, 3.0, order=order)
    assert (order.status, play.kernel.portfolio.cash) == (OrderStatus.FILLED, 9_500.0)
    assert play.told() == [
        ("bar", 100.0),
        ("accepted", ""),
        ("partially_filled", ""),
        ("fill", 2.0),
        ("filled", ""),
        ("fill", 3.0),
    ]


def test_a_fill_that_comes_twice_counts_once():
    play = Play()
    (approved,) = play.bar(100.0, lambda strategy: strategy.buy(5))
    for _ in range(3):
        play.fill(1, 2.0, order=approved.order)
    assert play.kernel.portfolio.positions["ACME"].size == 2.0
    assert len(play.kernel.fills) == 1
    assert play.told()[1:] == [("partially_filled", ""), ("fill", 2.0)]


def test_what_does_not_fit_an_orders_state_is_recorded_and_changes_nothing():
    play = Play()
    (approved,) = play.bar(100.0, lambda strategy: strategy.buy(5))
    order = approved.order
    play.kernel.step(OrderRejected(play.now, order.id, "no"))
    with pytest.raises(OrderStateError):
        play.kernel.step(OrderAccepted(play.now, order.id))
    with pytest.raises(OrderStateError, match="this run has no order 99"):
        play.kernel.step(OrderCanceled(play.now, 99))
    assert order.status is OrderStatus.REJECTED
    assert [(anomaly.order_id, anomaly.ts) for anomaly in play.kernel.book.anomalies] == [(1, play.now), (99, play.now)]


def test_the_outcome_of_a_submit_may_be_unknown():
    play = Play()
    (approved,) = play.bar(100.0, lambda strategy: strategy.buy(5))
    play.kernel.step(OutcomeUnknown(play.now, approved.order.id, "timed out"))
    assert play.told()[-1] == ("unknown", "timed out")
    assert play.strategy.open_orders == [approved.order]
    play.fill(1, 5.0, order=approved.order)
    assert approved.order.status is OrderStatus.FILLED


def test_answers_to_requests_reach_the_strategy():
    play = Play()
    (approved,) = play.bar(100.0, lambda strategy: strategy.buy(5, limit=50.0))
    order = approved.order
    play.kernel.step(OrderAccepted(play.now, 1))
    play.bar(100.0, lambda strategy: strategy.modify(order, size=6))
    play.kernel.step(AmendRejected(play.now, 1, "too late"))
    play.bar(100.0, lambda strategy: strategy.modify(order, size=7))
    play.kernel.step(OrderAmended(play.now, 1, 7.0, 50.0, order.stop_price))
    play.bar(100.0, lambda strategy: strategy.cancel(order))
    play.kernel.step(CancelRejected(play.now, 1, "not now"))
    assert (order.status, order.size) == (OrderStatus.ACCEPTED, 7.0)
    told = [entry for entry in play.told() if entry[0] != "bar"]
    assert told == [("accepted", ""), ("accepted", "too late"), ("accepted", ""), ("accepted", "not now")]


def test_a_refusal_is_told_when_its_event_comes():
    play = Play()
    (refusal,) = play.bar(100.0, lambda strategy: strategy.buy(1e9))
    assert play.told() == [("bar", 100.0)]
    play.kernel.step(OrderRefused(play.now, refusal.order_id, refusal.reason))
    ((status, reason),) = play.told()
    assert (status, reason.partition(":")[0]) == ("rejected", "insufficient_funds")


def test_working_orders_count_where_a_rule_counts_them():
    play = Play(rules=[MaxPositionRule(10.0)])
    kernel = play.kernel
    effects = play.bar(100.0, *[lambda strategy: strategy.buy(4, limit=50.0)] * 3)
    assert [type(effect) for effect in effects] == [ApprovedOrder, ApprovedOrder, ReportRefusal]
    kernel.step(OrderAccepted(play.now, 1))
    kernel.step(OrderCanceled(play.now, 1))
    assert [type(effect) for effect in play.bar(100.0, lambda strategy: strategy.buy(6))] == [ApprovedOrder]


def test_new_terms_of_an_order_that_has_filled_in_part_count_what_it_filled_once():
    play = Play(rules=[MaxPositionRule(10.0)])
    (approved,) = play.bar(50.0, lambda strategy: strategy.buy(8, limit=100.0))
    order = approved.order
    play.fill(1, 5.0, order=order)
    (refused,) = play.bar(50.0, lambda strategy: strategy.modify(order, size=10.5))
    assert refused.reason.startswith("position_above_limit: buy 10.5 ACME could bring the position to 10.5")
    assert (order.status, order.size) == (OrderStatus.PARTIALLY_FILLED, 8.0)
    (amended,) = play.bar(50.0, lambda strategy: strategy.modify(order, size=10))
    assert (amended.size, order.status) == (10.0, OrderStatus.PENDING_REPLACE)


def test_new_terms_need_money_for_what_is_still_to_be_filled():
    play = Play()
    (approved,) = play.bar(100.0, lambda strategy: strategy.buy(60, limit=100.0))
    order = approved.order
    play.fill(1, 50.0, order=order)
    (refused,) = play.bar(100.0, lambda strategy: strategy.modify(order, size=100.1))
    assert refused.reason.startswith("insufficient_funds: ")
    (amended,) = play.bar(100.0, lambda strategy: strategy.modify(order, size=100))
    assert amended.size == 100.0


def test_time_is_that_of_the_last_event():
    play = Play()
    play.bar(100.0)
    play.kernel.step(InstantClosed(play.now))
    play.kernel.step(TimerFired(play.now + 5, "Puppet/wake", play.now + 3))
    play.kernel.step(RunStopped(play.now + 9, "over"))
    assert play.told() == [("bar", 100.0), ("step", MINUTE_NS), ("timer", "wake"), "stop"]
    assert play.strategy.now == play.now + 9


def test_a_timer_by_rule_asks_for_its_next_time_before_it_is_delivered():
    """What a driver sees is one timer after the other, each of one shot; a fold over the events gives them again."""
    play, hour = Play(), 60 * MINUTE_NS
    (first,) = play.bar(100.0, lambda strategy: strategy.schedule("hourly", Every("1h")))
    assert (first.name, first.due) == ("Puppet/hourly", START + hour)
    (second,) = play.kernel.step(TimerFired(first.due, first.name, first.due))
    assert (second.name, second.due, play.strategy.timer_due) == (first.name, START + 2 * hour, START + hour)
    # Late by an hour and a half: what was due meanwhile is not made up for.
    (third,) = play.kernel.step(TimerFired(second.due + 90 * MINUTE_NS, second.name, second.due))
    assert (third.due, play.strategy.timer_due) == (START + 4 * hour, START + 2 * hour)
    assert [effect.due for effect in play.bar(100.0, lambda strategy: strategy.clear_timer("hourly"))] == [None]
    assert play.kernel.step(TimerFired(third.due, third.name, third.due)) == []
    assert play.told().count(("timer", "hourly")) == 3


def test_bars_before_the_indicators_are_known_are_warm_up():
    class Averaging(Puppet):
        def on_start(self) -> None:
            super().on_start()
            self.sma = SMA(self.data.close, 3)

    play = Play(Averaging())
    for close in (1.0, 2.0, 3.0, 4.0):
        play.bar(close)
        play.kernel.step(InstantClosed(play.now))
    assert [entry for entry in play.told() if entry[0] != "step"] == [
        ("warm-up", 1.0),
        ("warm-up", 2.0),
        ("bar", 3.0),
        ("bar", 4.0),
    ]
    assert play.strategy.sma[0] == 3.0


def test_strategies_have_names_of_their_own():
    strategies = [Puppet() for _ in range(3)]
    strategies[1].name = "Puppet-1"
    play = Play(*strategies)
    assert [seat.strategy.name for seat in play.kernel.seats] == ["Puppet-2", "Puppet-1", "Puppet-3"]


def test_chance_is_seeded_by_the_run():
    draws = []
    for seed in (7, 7, 8):
        play = Play()
        play.kernel.step(RunStarted(START, "token", seed))
        draws.append(play.strategy.chance.random())
    assert draws[0] == draws[1] != draws[2]
