"""A hedged account against two netting ones and exact fractions: where it is liquidated, and that no money is made."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan

import numpy as np
import pytest
from exact_account import KINDS, Held, Reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cambist import Bars, Deleveraging, Margin, MarginTier, Strategy, Timeframe
from cambist.backtest.driver import StopRequest
from cambist.backtest.run import Run
from cambist.backtest.settings import BacktestSettings
from cambist.data import open_source
from cambist.model import Bar, Fill, Instructions, Liquidity, Order, OrderType, PositionSide, TimeInForce
from cambist.model.events import BarClosed, InstantClosed, RunStarted
from cambist.model.legs import leg_key
from cambist.model.times import MINUTE_NS, to_ns
from cambist.portfolio import HedgePortfolio, MarginPortfolio

NAN = float("nan")
LONG, SHORT = PositionSide
MARGINED = sorted(set(KINDS) - {"spot", "spot lots"})
TIERS = [
    MarginTier(up_to=500.0, maintenance_rate=0.01),
    MarginTier(up_to=2_000.0, maintenance_rate=0.05),
    MarginTier(maintenance_rate=0.25),
]

#: Below initial margin at any size, so that nothing is liquidated by being opened.
BELOW_INITIAL = [
    MarginTier(up_to=300.0, maintenance_rate=0.001),
    MarginTier(up_to=1_000.0, maintenance_rate=0.02),
    MarginTier(maintenance_rate=0.045),
]


def order_of(number, instrument, side, size, position_side=None):
    terms = (side, OrderType.MARKET, size, NAN, NAN, TimeInForce.GTC, 0, False, "s", "", 0)
    order = Order(number, instrument, *terms)
    if position_side is not None:
        order.instructions = Instructions(position_side=position_side)
    return order


@given(
    kind=st.sampled_from(MARGINED),
    steps=st.lists(
        st.tuples(st.sampled_from(PositionSide), st.booleans(), st.integers(1, 9_000), st.integers(500, 2_000)),
        min_size=1,
        max_size=15,
    ),
    mode=st.sampled_from(["cross", "isolated"]),
)
def test_a_hedged_account_is_two_netting_ones(kind, steps, mode):
    """Position by position to the last bit, and in sum: what one makes on its long side and loses on its short."""
    instrument = KINDS[kind]("A")
    cash = 1_000_000.0
    hedged = HedgePortfolio([instrument], cash, margin=Margin(position_mode="hedge", mode=mode, leverage=2))
    netted = {side: MarginPortfolio([instrument], cash, margin=Margin(mode=mode, leverage=2)) for side in PositionSide}
    for number, (side, opens, thousandths, cents) in enumerate(steps, 1):
        held = abs(hedged.legs[leg_key("A", side)].size)
        size = thousandths / 1_000 if opens or not held else min(thousandths / 1_000, held)
        way = side.opens if opens or not held else side.opens.opposite
        fill = Fill(number, number, instrument, way, size, cents / 100, cents / 1_000, Liquidity.TAKER, number)
        closed = hedged.apply(fill, order_of(number, instrument, way, size, side), number)
        alone = netted[side].apply(fill, order_of(number, instrument, way, size), number)
        assert (closed is None) is (alone is None)
        if closed is not None and alone is not None:
            assert (closed.net, closed.size, closed.entry_price) == (alone.net, alone.size, alone.entry_price)
    price = float(steps[-1][3]) / 100
    for account in (hedged, *netted.values()):
        account.set_price_source("A", lambda: price)
    for side, account in netted.items():
        leg, whole = hedged.legs[leg_key("A", side)], account.positions["A"]
        assert (leg.size, leg.realized, leg.fees) == (whole.size, whole.realized, whole.fees)
        assert repr(leg.average_price) == repr(whole.average_price)
        assert hedged.isolated.get(leg_key("A", side)) == account.isolated.get("A")
    for name in ("cash", "equity"):
        total = sum(Fraction(getattr(account, name)) for account in netted.values()) - Fraction(cash)
        assert getattr(hedged, name) == pytest.approx(float(total), rel=1e-12)
    assert hedged.margin == pytest.approx(sum(account.margin for account in netted.values()), rel=1e-12)
    assert hedged.positions["A"].size == pytest.approx(sum(account.positions["A"].size for account in netted.values()))


@given(
    kind=st.sampled_from(MARGINED),
    long=st.tuples(st.integers(0, 9_000), st.integers(500, 2_000)),
    short=st.tuples(st.integers(0, 9_000), st.integers(500, 2_000)),
    basis=st.sampled_from(["mark", "entry"]),
    closing_fee=st.sampled_from([0.0, 0.001]),
    cash=st.integers(1, 3_000),
)
@settings(max_examples=300)
def test_a_pair_is_liquidated_where_its_surplus_ends(kind, long, short, basis, closing_fee, cash):
    instrument = KINDS[kind]("A")
    margin = Margin(position_mode="hedge", maintenance=TIERS, maintenance_on=basis, closing_fee=closing_fee)
    account = HedgePortfolio([instrument], float(cash), margin=margin)
    legs = []
    for number, (side, (thousandths, cents)) in enumerate(zip(PositionSide, (long, short), strict=True), 1):
        if thousandths:
            size, price = thousandths / 1_000, cents / 100
            fill = Fill(number, number, instrument, side.opens, size, price, 0.0, Liquidity.TAKER, number)
            account.apply(fill, order_of(number, instrument, side.opens, size, side), 0)
            legs.append((Fraction(size) * (1 if side is LONG else -1), Fraction(price)))
    many = Fraction(instrument.multiplier)

    def value(size, price):
        return abs(size) * many * (1 / price if instrument.is_inverse else price)

    def maintenance(size, price):
        total, floor, notional = Fraction(0), Fraction(0), value(size, price)
        for tier in TIERS:
            top = notional if tier is TIERS[-1] else min(notional, Fraction(tier.up_to))
            total += max(Fraction(0), top - floor) * Fraction(tier.maintenance_rate)
            floor = Fraction(tier.up_to) if tier.up_to < inf else floor
        return total + notional * Fraction(closing_fee)

    def surplus(price):
        total = Fraction(account.cash)
        for size, entry in legs:
            total += size * many * ((1 / entry - 1 / price) if instrument.is_inverse else (price - entry))
            total -= maintenance(size, price if basis == "mark" else entry)
        return total

    falls, rises = account.levels("A")
    if not legs:
        assert isnan(falls)
        assert isnan(rises)
        return
    scale = cash + sum(float(value(size, entry)) for size, entry in legs)
    for level, worse in ((falls, Fraction(1_000, 1_001)), (rises, Fraction(1_001, 1_000))):
        if not isnan(level) and 0.0 < level < inf:
            at = scale + sum(float(value(size, Fraction(level))) for size, _ in legs)
            assert float(surplus(Fraction(level))) == pytest.approx(0.0, abs=1e-8 * at)
            assert surplus(Fraction(level) * worse) < 0
    low, high = Fraction(1, 10**9), Fraction(10**12)
    if falls == inf or rises == 0.0:
        assert all(surplus(price) <= 0 for price in (low, *(entry for _, entry in legs), high))
        return
    bottom = low if isnan(falls) else Fraction(falls) * Fraction(1_001, 1_000)
    top = high if isnan(rises) else Fraction(rises) * Fraction(1_000, 1_001)
    for share in (Fraction(0), Fraction(1, 7), Fraction(1, 2), Fraction(6, 7), Fraction(1)):
        if bottom < top:
            assert surplus(bottom + (top - bottom) * share) > 0


START = to_ns("2024-03-01")


class Hand(Strategy):
    """Does nothing by itself: the test trades through it."""


class FuturesAccount(RuleBasedStateMachine):
    """A hedged account with funding, liquidation and auto-deleveraging under whatever orders and bars may come."""

    @initialize(
        kind=st.sampled_from(["linear", "inverse"]),
        mode=st.sampled_from(["cross", "isolated"]),
        position_mode=st.sampled_from(["hedge", "hedge", "one-way"]),
        liquidation=st.sampled_from(["full", "by_tier"]),
        liquidate_at=st.sampled_from(["mark", "bankruptcy"]),
        maintenance=st.sampled_from([0.03, BELOW_INITIAL]),
        basis=st.sampled_from(["mark", "mark", "entry"]),
        fee=st.sampled_from([0.0, 0.01]),
        adl=st.sampled_from([0.0, 0.5]),
        cash=st.sampled_from([20.0, 300.0, 900.0]),
        first=st.tuples(st.sampled_from(PositionSide), st.integers(20, 99)),
    )
    def begin(self, kind, position_mode, maintenance, basis, fee, adl, cash, first, **terms):
        self.instrument = KINDS[kind]("A")
        self.cash, self.hedged = cash, position_mode == "hedge"
        margin = Margin(
            position_mode=position_mode,
            maintenance=maintenance,
            maintenance_on=basis,
            liquidation_fee=fee,
            deleveraging=Deleveraging(probability=adl, move=0.02, share=0.5, distance=0.01) if adl else None,
            **terms,
        )
        times = START + np.arange(1, 400) * 3 * MINUTE_NS
        rates = np.sin(np.arange(1, 400)) * 0.01
        options = {"margin": margin, "funding": {"A": (times, rates)}, "fees": 0.001, "events": True}
        ones = np.ones(1)
        bars = Bars(self.instrument, Timeframe.parse("1m"), np.array([START]), ones, ones, ones, ones, ones)
        settings_ = BacktestSettings.of(cash=cash, benchmark=False, **options)
        run = Run([Hand()], [open_source(bars)], settings_, None, StopRequest())
        self.driver, self.kernel, self.account = run.driver, run.kernel, run.portfolio
        self.venue, self.strategy = run.driver.venue, run.kernel.seats[0].strategy
        self.driver.carry_out(self.kernel.step(RunStarted(START, "token", 0)))
        self.opens_at, self.price = START, 100.0
        self.take_bar([0, 0, 0])
        self.open(*first, limit=False)

    def act(self, send):
        send()
        self.driver.carry_out(self.kernel.collect())

    def side(self, side):
        return {"position_side": str(side)} if self.hedged else {}

    @rule(side=st.sampled_from(PositionSide), percent=st.integers(1, 99), limit=st.booleans())
    def open(self, side, percent, limit):
        """Put some of what is free to work."""
        buys = side is LONG
        send = self.strategy.buy if buys else self.strategy.sell
        free = self.account.free_notional(self.instrument) / self.instrument.notional(1.0, self.price)
        size = self.instrument.round_size(free * percent / 100)
        terms = {"limit": round(self.price * (0.99 if buys else 1.01))} if limit else {}
        if size:
            self.act(lambda: send(size, **terms, **self.side(side)))
            self.take_bar([0, 1, -1])

    @rule(side=st.sampled_from(PositionSide), away=st.integers(1, 9), percent=st.integers(1, 120))
    def stop(self, side, away, percent):
        """Close some at a loss; it slips with the open."""
        held = abs(self.account.legs[leg_key("A", side if self.hedged else None)].size)
        size = self.instrument.round_size(held * percent / 100)
        send, sign = (self.strategy.sell, -1) if side is LONG else (self.strategy.buy, 1)
        if size:
            self.act(lambda: send(size, stop=self.price + sign * away, **self.side(side)))

    @rule(side=st.sampled_from(PositionSide))
    def close(self, side):
        self.act(lambda: self.strategy.close(**self.side(side)))

    @rule(side=st.sampled_from(PositionSide), tenths=st.integers(-200, 400).filter(bool))
    def move_margin(self, side, tenths):
        self.act(lambda: self.strategy.add_margin(tenths / 10, **self.side(side)))

    @rule(leverage=st.sampled_from([1.0, 2.0, 4.0, 5.0]))
    def lever(self, leverage):
        self.act(lambda: self.strategy.set_leverage(leverage))

    @rule(moves=st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=4))
    def bars(self, moves):
        for one in moves:
            self.take_bar(one)

    def take_bar(self, moves):
        """Play a minute whose price opens, turns and closes so many units from where it stood."""
        way = [self.price]
        for move in moves:
            way.append(min(400.0, max(20.0, way[-1] + move)))
        _, open_, turn, close = way
        high, low = max(open_, turn, close), min(open_, turn, close)
        opened, closed = self.opens_at, self.opens_at + MINUTE_NS
        self.kernel.instant += 1
        if self.venue.markets["A"].working:
            self.venue.match("A", opened, closed, open_, high, low, close, 1_000.0)
        self.price, self.opens_at = close, closed
        self.kernel.own_clock.now = closed
        bar = Bar(opened, open_, high, low, close, 1_000.0)
        self.driver.carry_out(self.kernel.step(BarClosed(closed, 0, bar)))
        self.what_is_held_is_backed()
        self.driver.carry_out(self.kernel.step(InstantClosed(closed)))
        self.driver.fire_timers(closed)

    def what_is_held_is_backed(self):
        """Whatever would have been below maintenance margin at the close is not held any more."""
        account, price = self.account, self.price
        if self.hedged and not account.terms.is_isolated:
            if any(leg.size for leg in account.legs.values()):
                assert not account.pair_is_deficient("A", price) or self.slack(price)
            return
        for key, position in account.legs.items():
            if position.size:
                left, needed = account.left(key, price), account.maintenance(position, price)
                assert left == near(needed) or left > needed

    def slack(self, price):
        pair = [leg for leg in self.account.legs.values() if leg.size]
        return self.account.pair_left("A", price) == near(sum(self.account.maintenance(leg, price) for leg in pair))

    @invariant()
    def nothing_is_made_and_nothing_is_lost(self):
        exact = Reference([self.instrument])
        exact.cash = Fraction(self.cash)
        exact.held = {key: Held(self.instrument) for key in self.account.legs}
        orders = {order.id: order for order in self.kernel.book.orders}
        for fill in self.kernel.fills:
            key = leg_key("A", orders[fill.order_id].position_side)
            size = Fraction(self.instrument.size_to_decimal(fill.size))
            exact.fill(key, size * fill.side.sign, Fraction(fill.price), Fraction(fill.fee))
        flows = sum((Fraction(flow.amount) for flow in self.account.cash_flows), Fraction(0))
        assert self.account.cash == near(exact.cash + flows)
        assert self.account.fees == near(exact.fees)
        for key, held in exact.held.items():
            assert self.account.legs[key].size == near(held.size)
            assert held.size >= 0 or not key.endswith("long")
            assert held.size <= 0 or not key.endswith("short")
        price = Fraction(self.price)
        worth = exact.cash + flows + sum(held.open_profit(price) for held in exact.held.values())
        assert self.account.equity == near(worth)
        account = self.account.account()
        assert account.equity - self.cash == near(account.realized + account.unrealized - account.fees + account.carry)
        assert sum(self.account.isolated.values()) <= max(0.0, self.account.cash) * (1 + 1e-9) + 1e-6

    @invariant()
    def account_and_fund_have_what_the_market_left(self):
        """Had all that was liquidated been closed at the mark price for nothing, both together would have as much."""
        many = Fraction(self.instrument.multiplier)
        for event in self.account.liquidations:
            size, price, mark = Fraction(event.size), Fraction(event.price), Fraction(event.mark)
            moved = (1 / price - 1 / mark) if self.instrument.is_inverse else (mark - price)
            assert event.fund == near(Fraction(event.fee) + size * many * moved)
            assert event.fee >= 0.0

    @invariant()
    def no_order_is_lost(self):
        assert not self.kernel.book.anomalies
        working = self.venue.markets["A"].working
        assert {number for number in working if number > 0} <= set(self.kernel.book.open)


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-6)


FuturesAccount.TestCase.settings = settings(stateful_step_count=30)
TestFuturesAccount = FuturesAccount.TestCase
