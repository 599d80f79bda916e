"""Nothing is made and nothing is lost: a real kernel, gate, book and venue under whatever orders and bars may come.

After each thing that happens the account is reckoned anew, in exact fractions, from the fills alone, and every order
from its own fills. `--hypothesis-profile=soak` plays ten thousand histories.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from exact_account import CASH, KINDS, Reference
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cambist import Bars, Strategy, Timeframe
from cambist.backtest.driver import StopRequest
from cambist.backtest.run import Run
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source
from cambist.model import Bar, OrderStatus
from cambist.model.events import BarClosed, InstantClosed, RunStarted
from cambist.model.times import MINUTE_NS, to_ns

START = to_ns("2024-03-01")
RATE = 0.001
FEES = {"percent": RATE, "none": 0.0, "per order": {"use": "per-order", "minimum": 1.0}}
WORKING = {OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(60, 140),
        "stop": st.integers(60, 140),
        "time_in_force": st.sampled_from(["gtc", "ioc", "fok", "day"]),
        "reduce_only": st.booleans(),
    },
)


class Hand(Strategy):
    """Does nothing by itself: the test trades through it."""


class Conservation(RuleBasedStateMachine):
    @initialize(
        kind=st.sampled_from(sorted(KINDS)),
        fees=st.sampled_from(sorted(FEES)),
        slippage=st.sampled_from([None, 0.002]),
        volume_limit=st.sampled_from([None, 0.25]),
        latency=st.sampled_from([None, "90s"]),
        rejection=st.sampled_from([None, 0.2]),
        path=st.sampled_from(["nearer_first", "pessimistic"]),
        market_fill=st.sampled_from(["next_open", "this_close"]),
        leverage=st.sampled_from([1.0, 5.0]),
    )
    def begin(self, kind, fees, **options):
        self.instrument = KINDS[kind]("A")
        self.fees, self.slips = fees, options["slippage"] is not None
        ones = np.ones(1)
        bars = Bars(self.instrument, Timeframe.parse("1m"), np.array([START]), ones, ones, ones, ones, ones)
        run = Run(
            [Hand()],
            [open_source(bars)],
            BacktestSettings.of(cash=CASH, fees=FEES[fees], events=True, benchmark=False, **options),
            None,
            StopRequest(),
        )
        self.driver, self.kernel, self.portfolio = run.driver, run.kernel, run.portfolio
        self.venue, self.strategy = run.driver.venue, run.kernel.seats[0].strategy
        self.matching = getattr(self.venue, "venue", self.venue)  # behind what delays and refuses requests
        self.driver.carry_out(self.kernel.step(RunStarted(START, "token", 0)))
        self.opens_at = START
        self.price = 100.0
        self.sent = []
        self.take_bar([0, 0, 0], 1_000)

    def act(self, send):
        """Have the strategy send something, and carry it out; return what came of it."""
        answer = send()
        self.driver.carry_out(self.kernel.collect())
        return answer

    @rule(buys=st.booleans(), thousandths=st.integers(1, 9_000), terms=TERMS)
    def order(self, buys, thousandths, terms):
        send = self.strategy.buy if buys else self.strategy.sell
        self.sent.append(self.act(lambda: send(thousandths / 1_000, **terms)))

    @rule(buys=st.booleans(), thousandths=st.integers(1, 9_000), wide=st.integers(1, 30))
    def bracket(self, buys, thousandths, wide):
        send, sign = (self.strategy.buy_bracket, 1) if buys else (self.strategy.sell_bracket, -1)
        terms = {"take_profit": self.price + sign * wide, "stop_loss": self.price - sign * wide}
        orders = self.act(lambda: send(thousandths / 1_000, **terms))
        self.sent += [order for order in orders if order is not None]

    @rule(buys=st.booleans(), trail=st.integers(1, 9))
    def trailing(self, buys, trail):
        send = self.strategy.buy if buys else self.strategy.sell
        self.sent.append(self.act(lambda: send(1.0, trail=float(trail))))

    @precondition(lambda self: any(order.is_open for order in self.sent))
    @rule(data=st.data())
    def cancel(self, data):
        order = data.draw(st.sampled_from([one for one in self.sent if one.is_open]))
        self.act(lambda: self.strategy.cancel(order))

    @precondition(lambda self: any(order.status in WORKING for order in self.sent))
    @rule(data=st.data(), thousandths=st.integers(1, 9_000))
    def amend(self, data, thousandths):
        order = data.draw(st.sampled_from([one for one in self.sent if one.status in WORKING]))
        self.act(lambda: self.strategy.modify(order, size=thousandths / 1_000))

    @rule(
        minutes=st.lists(st.tuples(st.tuples(*[st.integers(-12, 12)] * 3), st.integers(0, 40)), min_size=1, max_size=4)
    )
    def bars(self, minutes):
        for moves, volume in minutes:
            self.take_bar(moves, volume)

    def take_bar(self, moves, volume):
        """Play a minute whose price opens, turns and closes so many units from where it stood."""
        seen, way = len(self.kernel.fills), [self.price]
        for move in moves:
            way.append(min(150.0, max(50.0, way[-1] + move)))
        _, open_, turn, close = way
        high, low = max(open_, turn, close), min(open_, turn, close)
        opened, closed = self.opens_at, self.opens_at + MINUTE_NS
        shown = ("A", opened, closed, open_, high, low, close, float(volume))
        if self.venue.markets["A"].working:
            self.venue.match(*shown)
        if self.venue.matches_together:
            self.venue.match_together()
        if self.venue.trades_at_close:
            self.venue.mark_close(*shown)
        self.price, self.opens_at = close, closed
        bar = Bar(opened, open_, high, low, close, float(volume))
        self.driver.carry_out(self.kernel.step(BarClosed(closed, 0, bar)))
        self.driver.carry_out(self.kernel.step(InstantClosed(closed)))
        if not self.slips:
            assert all(low <= fill.price <= high for fill in self.kernel.fills[seen:])

    @invariant()
    def the_account_is_what_its_fills_make_it(self):
        exact = Reference([self.instrument])
        for fill in self.kernel.fills:
            signed = Fraction(fill.size) * fill.side.sign
            exact.fill("A", signed, Fraction(fill.price), Fraction(fill.fee))
            if self.fees == "percent":
                assert fill.fee == near(self.instrument.notional(fill.size, fill.price) * RATE)
        assert self.portfolio.cash == near(exact.cash)
        assert self.portfolio.fees == near(exact.fees)
        assert self.portfolio.positions["A"].size == near(exact.held["A"].size)
        assert self.portfolio.equity == near(exact.worth({"A": Fraction(self.price)}))

    @invariant()
    def every_order_is_what_its_fills_make_it(self):
        fills = defaultdict(list)
        for fill in self.kernel.fills:
            fills[fill.order_id].append(fill)
        assert set(fills) <= {order.id for order in self.sent}
        for order in self.sent:
            own = fills[order.id]
            assert all(fill.side is order.side and fill.size > 0.0 for fill in own)
            assert order.filled == near(sum(Fraction(fill.size) for fill in own))
            assert order.fees == near(sum(Fraction(fill.fee) for fill in own))
            assert order.filled <= order.size
            assert (order.status is OrderStatus.FILLED) is (order.filled == order.size)

    @invariant()
    def no_order_is_lost(self):
        assert {order.id for order in self.sent if order.is_open} == set(self.kernel.book.open)
        assert set(self.matching.markets["A"].working) <= set(self.kernel.book.open)
        assert not self.kernel.book.anomalies

    def teardown(self):
        """Whatever is open can be withdrawn, and nothing comes after it."""
        if not hasattr(self, "kernel"):
            return
        for _ in range(4):  # with a latency, an order and its cancel are a while on their way
            self.act(self.strategy.cancel_all)
            self.take_bar([0, 0, 0], 0)
        assert not self.kernel.book.open
        assert not self.venue.markets["A"].working
        self.no_order_is_lost()
        self.every_order_is_what_its_fills_make_it()
        self.the_account_is_what_its_fills_make_it()


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-6)


Conservation.TestCase.settings = settings(stateful_step_count=30)
TestConservation = Conservation.TestCase


@pytest.mark.parametrize("thousandths", [6_241, 6_243])
def test_what_a_parent_traded_in_part_is_its_childs_size_on_the_grid(thousandths):
    history = Conservation()
    options = dict.fromkeys(["slippage", "latency", "rejection"])
    options |= {"path": "nearer_first", "market_fill": "this_close", "leverage": 1.0, "volume_limit": 0.25}
    history.begin(kind="future", fees="none", **options)
    history.take_bar([0, 0, 0], 9)
    history.bracket(buys=False, thousandths=thousandths, wide=1)
    entry, stop, _ = history.sent
    assert entry.filled == 2.25
    history.act(lambda: history.strategy.cancel(entry))
    assert stop.size == 2.25
    history.take_bar([0, 0, 1], 9)
    history.every_order_is_what_its_fills_make_it()
    assert (stop.status, stop.filled) == (OrderStatus.FILLED, 2.25)
    history.teardown()
