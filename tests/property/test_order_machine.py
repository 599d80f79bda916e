"""The order machine under random sequences of legal and illegal inputs."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from math import isclose, isnan, nan
from operator import attrgetter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.errors import OrderStateError
from cambist.model import Fill, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderTriggered,
    OutcomeUnknown,
    StopTrailed,
)
from cambist.orders import TERMINAL, Anomaly, OrderBook, OrderInput

STEPS_PER_SEED = 26_000
SEEDS = (1, 2, 3, 4)

S = OrderStatus
I = OrderInput  # noqa: E741 - beside S, it is clear
COIN = Instrument(symbol="COIN", step_size="0.1")
KINDS = list(OrderInput)
#: Every field. Unchanged ones are the same objects, so that tuples of them compare equal in spite of NaN.
fields_of = attrgetter(*(field.name for field in attrs.fields(Order)))
EVIDENCE = {I.ACCEPT, I.REJECT, I.TRIGGER, I.FILL, I.CANCEL, I.AMEND, I.TRAIL, I.EXPIRE, I.NOT_FOUND}
PLAIN = {
    I.ACCEPT: OrderAccepted,
    I.REJECT: OrderRejected,
    I.TRIGGER: OrderTriggered,
    I.CANCEL: OrderCanceled,
    I.EXPIRE: OrderExpired,
    I.CANCEL_REJECT: CancelRejected,
    I.AMEND_REJECT: AmendRejected,
    I.OUTCOME_UNKNOWN: OutcomeUnknown,
}
#: Ends come seldom, or every order would end before anything happened to it.
WEIGHTS = {I.FILL: 14, I.SUBMIT: 6, I.ACCEPT: 6, I.REJECT: 0.3, I.CANCEL: 0.4, I.EXPIRE: 0.3, I.NOT_FOUND: 0.5}
CHANCES = [WEIGHTS.get(kind, 1.0) for kind in KINDS]


class Walk:
    """A book, what it must agree with, and random steps."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.book = OrderBook()
        self.fills = {}
        self.next_fill = 1
        self.ts = 0
        self.legal, self.illegal, self.moves = Counter(), Counter(), set()

    def new_order(self):
        size = COIN.round_size(self.chance.choice([0.1, 0.3, 1.0, 2.5]))
        side = self.chance.choice([Side.BUY, Side.SELL])
        terms = (COIN, side, OrderType.STOP_LIMIT, size, 100.0, 90.0, TimeInForce.GTC, 0, False, "s", "", self.ts)
        order = self.book.add(Order(self.book.next_id(), *terms))
        self.fills[order.id] = {}
        return order

    def pick(self):
        recent = self.book.orders[-6:]
        if not recent or (all(order.status in TERMINAL for order in recent[-3:])) or self.chance.random() < 0.01:
            return self.new_order()
        return self.chance.choice(recent)

    def fill(self, order):
        """Mostly a new fill, at times one again, at times too much."""
        known = list(self.fills[order.id].values())
        if known and self.chance.random() < 0.2:
            return self.chance.choice(known)
        left = COIN.size_grid.nearest(order.size - order.filled)
        size = self.chance.choice([0.1, 0.2, left, left, left + 0.1]) if left > 0 else 0.1
        size = COIN.size_grid.nearest(size)
        price = round(self.chance.uniform(50.0, 150.0), 2)
        self.next_fill += 1
        return Fill(self.next_fill, order.id, COIN, order.side, size, price, 0.01, Liquidity.TAKER, self.ts)

    def put(self, order, kind):
        """Put one input into the book; returns the fill that was put, if it was one."""
        book, ts = self.book, self.ts
        if kind is I.SUBMIT:
            book.submit(order, ts)
        elif kind is I.CANCEL_REQUEST:
            book.request_cancel(order, ts)
        elif kind is I.AMEND_REQUEST:
            book.request_amend(order, ts)
        elif kind is I.NOT_FOUND:
            book.apply(OrderNotFound(ts, order.id))
        elif kind is I.FILL:
            fill = self.fill(order)
            known = fill.id in self.fills[order.id]
            applied = book.apply(OrderFilled(ts, order.id, fill))
            assert (applied is None) == known
            self.fills[order.id][fill.id] = fill
        elif kind is I.AMEND:
            size = COIN.size_grid.nearest(max(0.1, order.size + self.chance.choice([-0.2, -0.1, 0.0, 0.1, 0.5])))
            book.apply(OrderAmended(ts, order.id, size, 100.0, 90.0))
        elif kind is I.TRAIL:
            book.apply(StopTrailed(ts, order.id, self.chance.choice([88.0, 90.0, 92.0]), 100.0))
        else:
            book.apply(PLAIN[kind](ts, order.id))

    def step(self):
        self.ts += 1
        order = self.pick()
        kind = self.chance.choices(KINDS, CHANCES)[0]
        before = attrs.evolve(order)
        fields, recorded = fields_of(order), len(self.book.anomalies)
        try:
            self.put(order, kind)
        except OrderStateError as error:
            self.illegal[kind] += 1
            assert fields_of(order) == fields
            (anomaly,) = self.book.anomalies[recorded:]
            expected = Anomaly(self.ts, order.id, order.status, kind, str(error))
            assert anomaly == expected
        else:
            self.legal[kind] += 1
            assert len(self.book.anomalies) == recorded
            self.moves.add((before.status, kind, order.status))
            self.check_move(order, kind, before)
        self.check(order)

    def check_move(self, order, kind, before):
        was, now = before.status, order.status
        assert order.filled >= before.filled
        assert order.accepted >= before.accepted
        assert order.triggered >= before.triggered
        assert now is not S.CREATED
        if was in TERMINAL and now is not was:
            assert (was, kind) == (S.FILLED, I.AMEND) or now is (S.FILLED if order.filled == order.size else S.CANCELED)
            assert kind in {I.FILL, I.AMEND}
        if was is S.UNKNOWN and now is not S.UNKNOWN:
            assert kind in EVIDENCE
        if kind is I.FILL and order.filled > before.filled:
            fills = list(self.fills[order.id].values())
            prices = [fill.price for fill in fills]
            assert min(prices) * (1 - 1e-12) <= order.average_price <= max(prices) * (1 + 1e-12)
            assert isclose(order.average_price, exact_average(fills), rel_tol=1e-12)
            assert isclose(order.fees, 0.01 * len(fills), rel_tol=1e-12)

    def check(self, order):
        fills = list(self.fills[order.id].values())
        assert 0.0 <= order.filled <= order.size
        assert order.filled == COIN.size_grid.nearest(sum(fill.size for fill in fills))
        assert (order.status is S.FILLED) == (order.filled == order.size)
        assert order.status is not S.REJECTED or not fills
        if order.status in {S.CREATED, S.SUBMITTED, S.UNKNOWN}:
            assert (order.accepted, order.triggered, fills) == (False, False, [])
        if order.status in {S.ACCEPTED, S.TRIGGERED, S.PARTIALLY_FILLED, S.FILLED}:
            assert order.accepted
            assert (order.status is S.TRIGGERED) <= order.triggered
        assert (order.id in self.book.open) == (order.status not in TERMINAL)
        assert bool(fills) == (not isnan(order.average_price))


def exact_average(fills):
    sizes = [Fraction(str(fill.size)) for fill in fills]
    return sum(size * Fraction(str(fill.price)) for size, fill in zip(sizes, fills, strict=True)) / sum(sizes)


@pytest.fixture(scope="module")
def walks():
    done = []
    for seed in SEEDS:
        walk = Walk(seed)
        for _ in range(STEPS_PER_SEED):
            walk.step()
        assert list(walk.book.open) == sorted(walk.book.open)
        assert list(walk.book.open.values()) == [one for one in walk.book.orders if one.status not in TERMINAL]
        done.append(walk)
    return done


def test_random_sequences_never_break_an_invariant(walks):
    steps = sum(walk.legal.total() + walk.illegal.total() for walk in walks)
    assert steps >= 100_000


def test_the_walks_go_everywhere(walks):
    moves = set().union(*(walk.moves for walk in walks))
    legal, illegal = sum((walk.legal for walk in walks), Counter()), sum((walk.illegal for walk in walks), Counter())
    assert set(legal) == set(OrderInput)
    assert set(illegal) == set(OrderInput)
    assert legal.total() > 20_000
    assert illegal.total() > 20_000
    assert {now for _, _, now in moves} == set(OrderStatus) - {S.CREATED}
    rare = {
        (S.CANCELED, I.FILL, S.CANCELED),
        (S.EXPIRED, I.FILL, S.FILLED),
        (S.REJECTED, I.FILL, S.CANCELED),
        (S.FILLED, I.AMEND, S.PARTIALLY_FILLED),
        (S.PENDING_CANCEL, I.OUTCOME_UNKNOWN, S.UNKNOWN),
        (S.PENDING_REPLACE, I.REJECT, S.CANCELED),
        (S.UNKNOWN, I.NOT_FOUND, S.REJECTED),
    }
    assert moves >= rare


@given(
    st.lists(st.tuples(st.integers(1, 50), st.decimals(1, 1000, places=2)), min_size=1, max_size=12),
    st.sampled_from(["1", "0.1", "0.001", "0.00000001", "0.25", "5"]),
)
def test_fills_add_up_exactly_on_any_grid(parts, step):
    coin = Instrument(symbol="COIN", step_size=step)
    sizes = [coin.size_grid.nearest(count * float(step)) for count, _ in parts]
    total = sum((coin.size_to_decimal(size) for size in sizes), start=coin.step_size * 0)
    book = OrderBook()
    terms = (coin, Side.BUY, OrderType.LIMIT, float(total), 1.0, nan, TimeInForce.GTC, 0, False, "", "", 0)
    order = book.add(Order(book.next_id(), *terms))
    book.submit(order, 0)
    spent = 0
    for number, (size, (_, price)) in enumerate(zip(sizes, parts, strict=True), start=1):
        assert order.status is not S.FILLED
        fill = Fill(number, 1, coin, Side.BUY, size, float(price), 0.0, Liquidity.MAKER, 0)
        book.apply(OrderFilled(0, 1, fill))
        spent += coin.size_to_decimal(size) * price
    assert coin.size_to_decimal(order.filled) == total
    assert order.status is S.FILLED
    assert order.average_price == pytest.approx(float(spent / total), rel=1e-12)
