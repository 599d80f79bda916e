"""The core's own components pass the suites that ship for those of others; what breaks a promise does not."""

from __future__ import annotations

import inspect
import math

import pytest

from cambist.api import AnalyzerSpec, Refusal
from cambist.data import open_source
from cambist.indicators import MACD, RSI, SMA
from cambist.model import Fill, Liquidity
from cambist.model.events import AmendRejected, CancelRejected, OrderAccepted, OrderFilled, OrderRejected
from cambist.observe.json_lines import JsonLinesSink
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
    SinkTests,
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


class NextOpen(Instant):
    """Fills at the open of the bar that it is shown."""

    def submit(self, approved):
        if approved.order.id not in self.known:
            self.known.add(approved.order.id)
            self.deliver(OrderAccepted(self.clock(), approved.order.id))
            if math.isnan(approved.order.limit_price):
                self.open.add(approved.order)

    def price(self, bar):
        return bar.open

    def see(self, instrument, bar, closed):
        for order in list(self.open):
            self.open.remove(order)
            terms = (order.id, order.id, instrument, order.side, order.size, self.price(bar), 0.0)
            self.deliver(OrderFilled(self.clock(), order.id, Fill(*terms, Liquidity.TAKER, bar.ts)))


class TestABrokerOfBars(LocalBrokerTests):
    @pytest.fixture
    def factory(self):
        return NextOpen


class TestASink(SinkTests):
    @pytest.fixture
    def sink(self, tmp_path):
        return JsonLinesSink(tmp_path / "run" / "events.jsonl")

    @pytest.fixture
    def received(self, sink):
        return lambda: sink.path.read_text(encoding="utf-8").splitlines() if sink.path.exists() else []

    @pytest.fixture
    def break_sink(self, sink):
        return lambda: sink.path.mkdir(parents=True)


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


class TooCheap(NextOpen):
    def price(self, bar):
        return bar.low - 1.0


class Forgetful:
    """Leaves out every third event, and changes the others."""

    def __init__(self):
        self.taken, self.count = [], 0

    def take(self, event):
        self.count += 1
        if self.count % 3:
            self.taken.append(str(event.sequence))
            event.fields["seen"] = True

    def close(self):
        pass


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


def test_a_broker_that_trades_outside_the_bar_is_found():
    fails(
        LocalBrokerTests(), "test_bars_work_orders", inspect.unwrap(LocalBrokerTests.desk)(LocalBrokerTests(), TooCheap)
    )


def test_a_sink_that_leaves_out_or_changes_events_is_found():
    sink = Forgetful()
    assert "is missing" in fails(SinkTests(), "test_every_event_arrives", sink, lambda: sink.taken * 2)
    fails(SinkTests(), "test_an_event_is_left_as_it_is", Forgetful())


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
