"""Rules against what goes wrong in live runs: wrong prices, meeting oneself, dust, loops."""

from __future__ import annotations

from math import nan

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.errors import ParameterError
from cambist.model import Instrument, Order, OrderType, Position, Side, TimeInForce
from cambist.risk.rules.duplicates import DuplicateOrderRule
from cambist.risk.rules.price_band import PriceBandRule
from cambist.risk.rules.remainder import RemainderRule
from cambist.risk.rules.self_cross import SelfCrossRule

NOW = 1_700_000_000 * 10**9
ACME = Instrument(symbol="ACME", tick_size="0.05", step_size="0.1")
COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001", min_notional="5")


@attrs.define
class View:
    """What these rules look at of an account."""

    held: float = 0.0
    price: float = 20.0
    at: int = NOW
    orders: dict[int, Order] = attrs.field(factory=dict)

    def position(self, instrument):
        return Position(instrument, size=self.held)

    def reference_price(self, one):
        return self.price if one.type is OrderType.MARKET else one.limit_price

    def market_price(self, _instrument):
        return self.price

    def now(self):
        return self.at

    def working_orders(self, _instrument):
        return list(self.orders.values())


def order(size=1.0, *, side=Side.BUY, limit=nan, stop=nan, instrument=ACME):
    kinds = {"": OrderType.MARKET, "l": OrderType.LIMIT, "s": OrderType.STOP, "ls": OrderType.STOP_LIMIT}
    kind = kinds["l" * (limit == limit) + "s" * (stop == stop)]  # noqa: PLR0124
    return Order(1, instrument, side, kind, size, limit, stop, TimeInForce.GTC, 0, False, "s", "", 0)


def code(rule, one, view):
    refusal = rule.review(one, view)
    return refusal.code if refusal is not None else ""


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(22.0, ""), (18.0, ""), (22.05, "price_outside_band"), (17.95, "price_outside_band"), (nan, "")],
)
def test_a_limit_stays_near_the_market(limit, expected):
    assert code(PriceBandRule(0.1), order(limit=limit), View(price=20.0)) == expected


def test_without_a_market_price_a_limit_passes():
    assert code(PriceBandRule(0.1), order(limit=500.0), View(price=nan)) == ""


def resting(number, side, limit, **more):
    return attrs.evolve(order(side=side, limit=limit), id=number, **more)


@pytest.mark.parametrize(
    ("side", "limit", "expected"),
    [
        (Side.BUY, 20.95, ""),
        (Side.BUY, 21.0, "self_cross"),
        (Side.BUY, nan, "self_cross"),
        (Side.SELL, 19.05, ""),
        (Side.SELL, 19.0, "self_cross"),
        (Side.SELL, nan, "self_cross"),
    ],
)
def test_nobody_trades_with_himself(side, limit, expected):
    view = View(orders={7: resting(7, Side.SELL, 21.0), 8: resting(8, Side.BUY, 19.0)})
    assert code(SelfCrossRule(), order(side=side, limit=limit), view) == expected


def test_stops_that_wait_meet_nobody():
    stop = attrs.evolve(order(side=Side.SELL, stop=18.0), id=7)
    limited = attrs.evolve(order(side=Side.SELL, stop=18.0, limit=17.0), id=8)
    view = View(orders={7: stop, 8: limited})
    assert code(SelfCrossRule(), order(), view) == ""
    limited.triggered = True
    assert code(SelfCrossRule(), order(), view) == "self_cross"
    assert code(SelfCrossRule(), order(stop=25.0), view) == ""  # it waits itself


def test_the_same_order_does_not_leave_twice_in_a_moment():
    rule, view = DuplicateOrderRule("2s"), View()
    assert code(rule, order(limit=20.0), view) == ""
    view.at = NOW + 1_999_999_999
    assert code(rule, order(limit=20.0), view) == "duplicate_order"
    view.at = NOW + 2_000_000_000
    assert code(rule, order(limit=20.0), view) == ""
    view.at += 1
    kept = rule.fresh()
    kept.load_state(rule.save_state())
    assert code(kept, order(limit=20.0), view) == "duplicate_order"
    assert code(kept, order(limit=20.05), view) == ""
    assert code(kept, attrs.evolve(order(limit=20.0), reduce_only=True), view) == ""


@given(lots=st.integers(1, 3_000), sold=st.integers(1, 3_000), price=st.integers(1, 100_000))
def test_what_is_left_can_be_sold_or_is_nothing(lots, sold, price):
    held, size = COIN.round_size(lots / 1000), COIN.round_size(sold / 1000)
    view = View(held=held, price=float(price))
    selling = attrs.evolve(order(side=Side.SELL, instrument=COIN), size=size)
    passed = code(RemainderRule(), selling, view) == ""
    left = lots - sold
    assert passed is (left <= 0 or left * price >= 5_000)


def test_dust_below_a_step_does_not_keep_anybody_from_selling():
    view = View(held=0.00999, price=50_000.0)
    assert code(RemainderRule(), order(0.009, side=Side.SELL, instrument=COIN), view) == ""
    assert not RemainderRule().concerns(Instrument(symbol="X"))


@pytest.mark.parametrize(
    "make", [lambda: PriceBandRule(0.0), lambda: PriceBandRule(nan), lambda: DuplicateOrderRule(0)]
)
def test_settings_that_cannot_be_are_refused(make):
    with pytest.raises(ParameterError, match="must be"):
        make()
