"""The core's own components pass the suites that ship for those of others; what breaks a promise does not."""

from __future__ import annotations

import inspect
import math

import pytest

from cambist.api import AnalyzerSpec, Refusal
from cambist.data import open_source
from cambist.indicators import MACD, RSI, SMA
from cambist.model.events import AmendRejected, CancelRejected, OrderAccepted, OrderRejected
from cambist.plugins.registry import Registry
from cambist.risk.rules.order_value import MaxOrderValueRule
from cambist.strategies import Strategy
from cambist.strategies.examples.sma_cross import SmaCross
from cambist.testing import (
    AnalyzerTests,
    HistoryTests,
    IndicatorTests,
    LocalBrokerTests,
    NotifierTests,
    PluginTests,
    RiskRuleTests,
    StillView,
    StrategyTests,
    cards_of,
    order_to,
    overrides,
)
from cambist.testing.markets import walking_bars


class TestAMeasure(AnalyzerTests):
    @pytest.fixture(params=["sharpe", "max-drawdown", "win-rate"])
    def spec(self, request):
        return Registry.of((), core=True).get("analyzer", request.param)


class TestAFile(HistoryTests):
    @pytest.fixture
    def open_feed(self, tmp_path):
        walking_bars(200).to_frame().to_csv(tmp_path / "bars.csv")
        return lambda: open_source(tmp_path / "bars.csv")

    @pytest.fixture
    def open_nothing(self, tmp_path):
        return lambda: open_source(tmp_path / "nothing.csv")


class TestARule(RiskRuleTests):
    name = "max-order-value"

    @pytest.fixture
    def rule(self):
        return MaxOrderValueRule(1_000)

    @pytest.fixture
    def allowed(self):
        return [(order_to("buy", 10), StillView()), (order_to("sell", 9, limit=100.0), StillView())]

    @pytest.fixture
    def refused(self):
        return [(order_to("buy", 11), StillView()), (order_to("sell", 10), StillView(price=101.0))]


class TestAStrategy(StrategyTests):
    @pytest.fixture
    def make(self):
        return lambda: SmaCross(fast=5, slow=20)


class TestAnAverage(IndicatorTests):
    warmup = 9

    @pytest.fixture
    def attach(self):
        return lambda data: SMA(data.close, 10)


class TestSeveralLines(IndicatorTests):
    warmup = 33

    @pytest.fixture
    def attach(self):
        return lambda data: MACD(data.close)


class Instant:
    """Accepts limits, and refuses the rest."""

    def __init__(self, instruments, account, deliver, clock):
        self.deliver, self.clock, self.known, self.open = deliver, clock, set(), set()

    def submit(self, approved):
        order = approved.order
        if order.id in self.known:
            return
        self.known.add(order.id)
        if math.isnan(order.limit_price):
            self.deliver(OrderRejected(self.clock(), order.id, "no market orders"))
        else:
            self.open.add(order.id)
            self.deliver(OrderAccepted(self.clock(), order.id))

    def cancel(self, order_id):
        self.deliver(CancelRejected(self.clock(), order_id, "nothing is canceled here"))

    def amend(self, order_id, size, limit_price, stop_price):
        self.deliver(AmendRejected(self.clock(), order_id, "nothing is amended here"))


class TestABroker(LocalBrokerTests):
    @pytest.fixture
    def factory(self):
        return Instant


class TestAModule(PluginTests):
    module = "cambist_samples.plugin"


# What breaks a promise.


class Silent(Instant):
    def submit(self, approved):
        pass


class Twice(Instant):
    def submit(self, approved):
        self.deliver(OrderAccepted(self.clock(), approved.order.id))


class Raising(MaxOrderValueRule):
    def review(self, order, view):
        return Refusal("Too much!", "no") if order.size > 10 else super().review(order, view)


class Tomorrow(Strategy):
    """Knows the bar that follows."""

    bars = walking_bars(600)

    def on_bar(self, bar):
        row = self.bars.ts.searchsorted(bar.ts) + 1
        self.order_target_size(int(row < len(self.bars) and self.bars.close[row] > bar.close))


def fails(suite, test, *arguments, **fixtures):
    with pytest.raises(BaseException) as caught:
        getattr(suite, test)(*arguments, **fixtures)
    assert not isinstance(caught.value, TypeError), caught.value
    return str(caught.value)


def test_a_broker_that_is_silent_or_places_twice_is_found():
    tests = LocalBrokerTests()
    desk = inspect.unwrap(LocalBrokerTests.desk)
    fails(tests, "test_an_order_is_answered", desk(tests, Silent), "buy", math.nan)
    fails(tests, "test_the_same_order_twice_is_one_order", desk(tests, Twice))


def test_a_code_that_is_no_word_is_found():
    tests = TestARule()
    told = fails(tests, "test_it_refuses_what_it_should", Raising(1_000), [(order_to("buy", 11), StillView())])
    assert "Too much!" in told


def test_a_strategy_that_knows_the_future_is_found():
    fails(StrategyTests(), "test_it_does_not_know_the_future", Tomorrow)


def test_an_indicator_whose_warmup_is_wrong_is_found():
    fails(IndicatorTests(), "test_it_has_values_after_its_warmup", lambda data: RSI(data.close, 14))


def test_a_measure_of_a_share_beyond_one_is_found():
    spec = AnalyzerSpec(name="much", factory=lambda facts: 2.0, unit="share")
    fails(AnalyzerTests(), "test_it_is_one_number", spec, "traded")


def test_a_test_of_a_suite_is_not_replaced_without_a_reason():
    class Quiet(NotifierTests):
        def test_order_is_kept(self):
            pass

        test_every_line_arrives = None

    class Reasoned(NotifierTests):
        @overrides("two lines at once arrive in any order here")
        def test_order_is_kept(self):
            pass

    told = fails(Quiet(), "test_the_suite_is_whole")
    assert "Quiet.test_every_line_arrives" in told
    assert "Quiet.test_order_is_kept" in told
    Reasoned().test_the_suite_is_whole()
    with pytest.raises(ValueError, match="reason"):
        overrides(" ")


def test_requirements_are_numbered_in_their_order_and_say_what_must_be():
    cards = cards_of(NotifierTests)
    assert [card.id for card in cards] == ["ALL-01", *(f"NTF-{number:02}" for number in range(1, len(cards)))]
    assert all(card.requirement for card in cards)
