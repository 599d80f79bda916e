"""Halts and reducing: what passes, what is refused and why, who hears of it, and what becomes of orders at work."""

from __future__ import annotations

from typing import Any

import pytest

from cambist import Instrument, Strategy, Timeframe
from cambist.engine import Kernel
from cambist.errors import InputError
from cambist.model import ApprovedOrder, Bar, Fill, Liquidity, TradingState, WorkingOrders
from cambist.model.effects import CancelOrder, ReportTradingState
from cambist.model.events import (
    BarClosed,
    InstantClosed,
    OperatorCommand,
    OrderAccepted,
    OrderFilled,
    RunStarted,
    TradingStateChanged,
    TradingStateRequested,
)
from cambist.model.times import MINUTE_NS, to_ns
from cambist.portfolio import Portfolio
from cambist.risk import RiskGate
from cambist.risk.rules.drawdown import MaxDrawdownRule
from cambist.risk.rules.order_rate import MaxOrderRateRule

START = to_ns("2024-03-01")
ACME, ZINC, MINUTE = Instrument(symbol="ACME"), Instrument(symbol="ZINC"), Timeframe.parse("1m")
HALTED, REDUCING, ACTIVE = TradingState.HALTED, TradingState.REDUCING, TradingState.ACTIVE


class Puppet(Strategy):
    """Sends nothing by itself, and writes down what it hears."""

    def on_start(self) -> None:
        self.told: list[Any] = []

    def on_trading_state(self, change: Any) -> None:
        self.told.append((str(change.state), change.scope, str(self.trading_state)))


class Play:
    """A kernel with two strategies and two instruments, and a driver that fills what it is told to."""

    def __init__(self, *rules: Any) -> None:
        account = Portfolio([ACME, ZINC], 10_000.0)
        one, two = Puppet(), Puppet()
        one.name, two.name = "one", "two"
        series = [(ACME, MINUTE), (ZINC, MINUTE)]
        self.kernel = Kernel([one, two], series, account, RiskGate(rules), lambda *terms: 0.0)
        self.one, self.two = (seat.strategy for seat in self.kernel.seats)
        self.now, self.effects, self.fills = START, [], 0
        self.step(RunStarted(START, "token", 7))
        self.bars()

    def step(self, event: Any) -> list[Any]:
        """Take an event, and whatever word of it goes back to the strategies."""
        taken = self.kernel.step(event)
        for effect in list(taken):
            if isinstance(effect, ReportTradingState):
                taken += self.kernel.step(TradingStateChanged(self.now, effect.change))
        self.effects += taken
        return taken

    def bars(self, close: float = 100.0) -> list[Any]:
        self.now += MINUTE_NS
        taken = []
        for number in (0, 1):
            taken += self.step(BarClosed(self.now, number, Bar(self.now - MINUTE_NS, close, close, close, close, 1.0)))
        return taken + self.step(InstantClosed(self.now))

    def sent(self, order: Any) -> Any:
        """Return an order that left and works."""
        assert [type(one) for one in self.kernel.collect()] == [ApprovedOrder], order.reason
        self.step(OrderAccepted(self.now, order.id))
        return order

    def fill(self, order: Any, size: float | None = None) -> Any:
        self.fills += 1
        size = order.size if size is None else size
        fill = Fill(self.fills, order.id, order.instrument, order.side, size, 100.0, 0.0, Liquidity.TAKER, self.now)
        self.step(OrderFilled(self.now, order.id, fill))
        return order

    def hold(self, size: float, data: str = "ACME") -> None:
        self.fill(self.sent(self.one.buy(size, data=data) if size > 0 else self.one.sell(-size, data=data)))

    def ask(self, state: TradingState, scope: str = "", **more: Any) -> list[Any]:
        return self.step(TradingStateRequested(self.now, state, scope, **({"reason": "test", "by": "anna"} | more)))

    def code(self, order: Any) -> str:
        """Return why an order was refused, ``""`` where it was not."""
        taken = self.kernel.collect()
        assert bool(order.reason) is not any(isinstance(one, ApprovedOrder) for one in taken)
        return order.reason.partition(":")[0]


def test_a_halt_refuses_everything_and_says_who_wanted_it_and_why():
    play = Play()
    play.hold(5.0)
    play.ask(HALTED, reason="the feed lies", by="anna")
    order = play.one.sell(5.0, data="ACME", reduce_only=True)
    assert order.reason == (
        "halted: all trading is halted by anna: the feed lies. "
        "Nothing but cancellations passes until trading is resumed."
    )
    assert play.one.trading_state == "halted"
    play.ask(ACTIVE)
    assert play.one.trading_state is ACTIVE
    assert play.code(play.one.sell(5.0, data="ACME")) == ""


def test_what_works_may_still_be_canceled_and_is_not_amended():
    play = Play()
    order = play.sent(play.one.buy(1.0, data="ACME", limit=50.0))
    play.ask(HALTED, orders=WorkingOrders.KEEP)
    play.one.modify(order, limit=51.0)
    assert (order.is_open, order.limit_price, order.reason.partition(":")[0]) == (True, 50.0, "halted")
    play.kernel.collect()
    play.one.cancel(order)
    assert [type(one) for one in play.kernel.collect()] == [CancelOrder]


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        ("", {"one ACME", "one ZINC", "two ACME", "two ZINC"}),
        ("strategy:one", {"one ACME", "one ZINC"}),
        ("symbol:ZINC", {"one ZINC", "two ZINC"}),
    ],
)
def test_a_halt_holds_in_its_scope_and_nowhere_else(scope, refused):
    play = Play()
    play.ask(HALTED, scope)
    found = {
        f"{strategy.name} {symbol}"
        for strategy in (play.one, play.two)
        for symbol in ("ACME", "ZINC")
        if play.code(strategy.buy(1.0, data=symbol)) == "halted"
    }
    assert found == refused


def test_the_strictest_of_several_holds_applies():
    play = Play()
    play.hold(5.0)
    play.ask(REDUCING, "")
    play.ask(HALTED, "symbol:ACME")
    assert play.code(play.one.sell(1.0, data="ACME")) == "halted"
    assert play.code(play.one.buy(1.0, data="ZINC")) == "reducing_only"
    play.ask(ACTIVE, "symbol:ACME")
    assert play.code(play.one.sell(1.0, data="ACME")) == ""
    assert play.code(play.one.buy(1.0, data="ACME")) == "reducing_only"


@pytest.mark.parametrize("sign", [1, -1])
def test_reducing_orders_together_do_not_exceed_the_position(sign):
    play = Play()
    play.hold(5.0 * sign)
    play.ask(REDUCING)
    close, add = (play.one.sell, play.one.buy) if sign > 0 else (play.one.buy, play.one.sell)
    assert play.code(add(1.0, data="ACME")) == "reducing_only"
    assert play.code(close(6.0, data="ACME")) == "reducing_only"
    assert play.code(close(6.0, data="ACME", reduce_only=True)) == "reducing_only"
    first = play.sent(close(3.0, data="ACME", limit=100.0 + 20 * sign))
    refused = close(2.5, data="ACME")
    assert play.code(refused) == "reducing_only"
    assert "of the position 2 is left to close beside the orders at work; ask for no more" in refused.reason
    second = play.sent(close(2.0, data="ACME", limit=100.0 + 30 * sign))
    assert play.code(close(1e-8, data="ACME")) == "reducing_only"
    play.one.modify(second, size=2.5)
    assert second.reason.partition(":")[0] == "reducing_only"
    play.kernel.collect()
    play.fill(first)
    assert play.code(close(0.5, data="ACME")) == "reducing_only", "what is left is what the second will close"
    play.fill(second, 1.0)
    play.one.modify(second, size=2.0, limit=100.0 + 40 * sign)
    assert len(play.kernel.collect()) == 1, "what was filled of an order does not count against it"
    play.fill(second, 1.0)
    assert play.kernel.portfolio.positions["ACME"].is_flat
    assert "there is nothing that" in close(1.0, data="ACME").reason


def test_orders_of_which_one_cancels_the_others_count_once():
    play = Play()
    play.hold(5.0)
    play.ask(REDUCING)
    stop = play.sent(play.two.sell(5.0, data="ACME", stop=90.0))
    play.sent(play.two.sell(5.0, data="ACME", limit=110.0, oco=stop))
    assert play.code(play.two.sell(1.0, data="ACME")) == "reducing_only"


def working(play):
    """Return orders of many kinds at work on a long position of 5 in ACME: by what they are for."""
    play.hold(5.0)
    stop = play.sent(play.one.sell(5.0, data="ACME", stop=90.0))
    profit = play.sent(play.one.sell(5.0, data="ACME", limit=120.0, oco=stop))
    return {
        "stop": stop,
        "profit": profit,
        "more": play.sent(play.one.buy(1.0, data="ACME", limit=80.0)),
        "beyond": play.sent(play.two.sell(1.0, data="ACME", limit=130.0)),
        "zinc": play.sent(play.two.sell(2.0, data="ZINC", limit=130.0)),
    }


@pytest.mark.parametrize(
    ("orders", "scope", "canceled"),
    [
        (WorkingOrders.CANCEL, "", {"stop", "profit", "more", "beyond", "zinc"}),
        (WorkingOrders.CANCEL_OPENING, "", {"more", "beyond", "zinc"}),
        (WorkingOrders.KEEP, "", set()),
        (WorkingOrders.CANCEL, "strategy:two", {"beyond", "zinc"}),
        (WorkingOrders.CANCEL_OPENING, "symbol:ACME", {"more", "beyond"}),
    ],
)
@pytest.mark.parametrize("state", [HALTED, REDUCING])
def test_what_becomes_of_orders_at_work_is_a_choice(state, orders, scope, canceled):
    play = Play()
    names = {order.id: name for name, order in working(play).items()}
    taken = play.ask(state, scope, orders=orders)
    assert {names[one.order_id] for one in taken if isinstance(one, CancelOrder)} == canceled
    assert not [one for one in play.ask(state, scope, orders=orders) if isinstance(one, CancelOrder)], "asked for twice"


def test_a_child_goes_with_its_parent():
    play = Play()
    entry, stop, _ = play.one.buy_bracket(1.0, data="ACME", limit=80.0, stop_loss=70.0, take_profit=90.0)
    play.kernel.collect()
    for order in (entry, stop):
        play.step(OrderAccepted(play.now, order.id))
    assert [one.order_id for one in play.ask(HALTED) if isinstance(one, CancelOrder)] == [entry.id]


def test_strategies_hear_of_what_concerns_them():
    play = Play()
    play.ask(REDUCING, "strategy:two")
    play.ask(HALTED, "symbol:ZINC")
    play.ask(REDUCING)
    play.ask(ACTIVE)
    play.ask(ACTIVE, "symbol:ZINC")
    assert play.one.told == [
        ("halted", "symbol:ZINC", "halted"),
        ("reducing", "", "reducing"),
        ("active", "", "active"),
        ("active", "symbol:ZINC", "active"),
    ]
    assert play.two.told[0] == ("reducing", "strategy:two", "reducing")
    assert play.two.told[-1] == ("active", "symbol:ZINC", "reducing")


def test_what_is_so_already_is_no_change():
    play = Play()
    play.ask(ACTIVE)
    play.ask(HALTED)
    assert play.ask(HALTED) == []
    assert len(play.ask(HALTED, reason="another")) == 1
    assert [(str(change.state), change.reason) for change in play.kernel.trading.changes] == [
        ("halted", "test"),
        ("halted", "another"),
    ]


# Rules.


def test_a_rule_lifts_its_own_hold_and_an_operator_lifts_all():
    play = Play(MaxDrawdownRule(amount=20.0), MaxDrawdownRule(amount=100.0))
    play.hold(10.0)
    play.bars(97.0)
    play.bars(90.0)
    play.ask(HALTED, reason="lunch")
    assert [(hold.rule, hold.by) for hold in play.kernel.trading.holds] == [
        ("max-drawdown", "max-drawdown"),
        ("max-drawdown-2", "max-drawdown-2"),
        ("", "anna"),
    ]
    play.ask(ACTIVE)
    assert not play.kernel.trading.holds
    play.bars(89.0)
    assert not play.kernel.trading.holds, "both count from where trading was resumed"
    play.bars(88.0)
    assert [hold.reason for hold in play.kernel.trading.holds] == ["the drawdown is 20, which reaches the limit of 20"]


def test_a_watch_of_the_driver_lifts_nothing_but_its_own_hold():
    play = Play()
    play.ask(HALTED, reason="lunch")
    play.ask(REDUCING, by="driver", rule="stale-data")
    play.ask(ACTIVE, by="driver", rule="stale-data")
    assert [hold.reason for hold in play.kernel.trading.holds] == ["lunch"]
    play.ask(REDUCING, by="driver", rule="stale-data")
    play.ask(ACTIVE)
    assert not play.kernel.trading.holds


def test_a_rule_that_refuses_an_order_halts_at_once_and_strategies_hear_of_it_later():
    play = Play(MaxOrderRateRule(1, then="halt", orders="cancel"))
    first = play.sent(play.one.buy(1.0, data="ACME", limit=50.0))
    second = play.one.buy(1.0, data="ACME")
    third = play.two.buy(1.0, data="ZINC")
    assert second.reason.startswith("order_rate_above_limit: 1 orders of the run left")
    assert third.reason.startswith("halted: all trading is halted by max-order-rate: 1 orders")
    assert play.one.told == []
    kinds = [type(one).__name__ for one in play.kernel.collect()]
    assert kinds == ["ReportRefusal", "ReportTradingState", "CancelOrder", "ReportRefusal"]
    assert str(first.status) == "pending_cancel"


def test_rules_see_the_account_before_on_step():
    seen = []

    class Stepping(Puppet):
        def on_step(self):
            seen.append(str(self.trading_state))

    account = Portfolio([ACME], 10_000.0)
    kernel = Kernel([Stepping()], [(ACME, MINUTE)], account, RiskGate([MaxDrawdownRule(amount=1.0)]), lambda *_: 0.0)
    kernel.step(RunStarted(START, "token", 7))
    account.cash -= 5.0  # a loss from nowhere
    kernel.step(BarClosed(START + 1, 0, Bar(START, 1.0, 1.0, 1.0, 1.0, 1.0)))
    kernel.step(InstantClosed(START + 1))
    assert seen == ["halted"]


# Commands.


def test_an_operator_commands_by_words():
    play = Play()
    names = {order.id: name for name, order in working(play).items()}

    def command(name, **arguments):
        return play.step(OperatorCommand(play.now, name, arguments, "anna"))

    taken = command("halt", scope="strategy:two", reason="looks odd")
    assert {names[one.order_id] for one in taken if isinstance(one, CancelOrder)} == {"beyond", "zinc"}
    (hold,) = play.kernel.trading.holds
    assert (hold.state, hold.scope, hold.reason, hold.by) == (HALTED, "strategy:two", "looks odd", "anna")
    command("resume", scope="strategy:two")
    command("reduce", orders="keep")
    assert play.one.trading_state is REDUCING
    taken = command("cancel_orders")
    assert {names[one.order_id] for one in taken} == {"stop", "profit", "more"}
    assert play.one.trading_state is REDUCING


def test_an_operator_cancels_one_order_by_its_number():
    play = Play()
    one, other = working(play)["more"], working(play)["more"]
    taken = play.step(OperatorCommand(play.now, "cancel_orders", {"order": str(one.id)}, "anna"))
    assert [(type(effect), effect.order_id) for effect in taken] == [(CancelOrder, one.id)]
    assert (str(one.status), str(other.status)) == ("pending_cancel", "accepted")
    again = play.step(OperatorCommand(play.now, "cancel_orders", {"order": str(one.id)}, "anna"))
    assert again == []  # it is being canceled


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("cancel_orders", {"order": "99"}, "the run has no open order 99"),
        ("cancel_orders", {"order": "by-hand"}, "order is 'by-hand'; cancel_orders takes the number"),
        ("halt", {"order": "1"}, "order is '1'; cancel_orders takes the number"),
        ("hlat", {}, "there is no command 'hlat'. Did you mean 'halt'"),
        ("halt", {"scop": ""}, "halt has no argument 'scop'. Did you mean 'scope'"),
        ("halt", {"orders": "drop"}, "halt: orders is 'drop'"),
        ("halt", {"scope": "ACME"}, "the run has nothing in the scope 'ACME'"),
        ("halt", {"scope": "symbol:ACMEE"}, "nothing in the scope 'symbol:ACMEE'. Did you mean 'symbol:ACME'"),
        ("cancel_orders", {"scope": "strategy:three"}, "nothing in the scope 'strategy:three'"),
        ("resume", {"scope": "account:"}, "nothing in the scope 'account:'"),
    ],
)
def test_a_command_that_cannot_be_is_an_error_and_changes_nothing(name, arguments, message):
    play = Play()
    with pytest.raises(InputError) as caught:
        play.step(OperatorCommand(play.now, name, arguments, "anna"))
    assert message in str(caught.value)
    assert not play.kernel.trading.holds
