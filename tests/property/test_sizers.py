"""An order sized by money is paid for: accepted and filled wherever the next open lies within the cushion, and no
larger one would be."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import cambist
from cambist import AllIn, Bars, FixedFee, Instrument, MakerTakerFee, PercentFee, PercentOfEquity, Strategy, param
from cambist.model.times import MINUTE_NS, to_ns
from cambist.strategies import PercentOfCash, RiskPerTrade, Target
from cambist.strategies.sizers.affordable import largest

START = to_ns("2024-03-01")

rates = st.sampled_from([0.0, 0.0001, 0.001, 0.0123, 0.2, -0.0005])
fees = st.one_of(
    rates.map(PercentFee),
    rates.map(lambda rate: MakerTakerFee(0.0, rate)),
    st.builds(FixedFee, st.sampled_from([0.0, 0.005, 0.3]), st.sampled_from([0.0, 1.0, 7.5])),
)
prices = st.one_of(st.floats(0.0001, 1e6), st.integers(1, 100_000).map(lambda cents: cents / 100))
money = st.one_of(st.floats(1.0, 1e8), st.integers(1, 1_000_000).map(float))
steps = st.sampled_from(["1e-8", "0.001", "0.1", "0.3", "1", "25"])
buffers = st.sampled_from([0.0, 0.0005, 0.01, 0.05, 0.4])
#: Where the open lies within the cushion: at one end, at the other, or between.
places = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1.0, 1.0))


class Asks(Strategy):
    """Sends at each bar the orders that are listed for it, without a size; `sized` gives the first ones one."""

    script: Any = param()

    def on_start(self) -> None:
        self.bar, self.sent = -1, []

    def on_step(self) -> None:
        self.bar += 1
        for which, side, size in self.script.get(self.bar, ()):
            self.sent.append(getattr(self, side)(size, data=which))


def bars(instrument: Instrument, path: list[tuple[float, float]]) -> Bars:
    """Bars of (open, close) each."""
    opens, closes = (np.array(column, float) for column in zip(*path, strict=True))
    ts = START + np.arange(len(path)) * MINUTE_NS
    high, low = np.maximum(opens, closes), np.minimum(opens, closes)
    return Bars(instrument, "1m", ts, opens, high, low, closes, np.full(len(path), 1e12))


def play(script: dict[int, Any], data: list[Bars], **options: Any) -> list[Any]:
    """Return the orders of a run."""
    return cambist.backtest(Asks(script=script), data, benchmark=False, **options).order_records


def exact_fee(model: Any, size: Fraction, price: Fraction) -> Fraction:
    if isinstance(model, FixedFee):
        return size * Fraction(model.per_unit) + Fraction(model.per_fill)
    return size * price * Fraction(model.rate if isinstance(model, PercentFee) else model.taker)


@given(cash=money, price=prices, fee=fees, step=steps, buffer=buffers, place=places, whole=st.booleans())
@settings(max_examples=100, deadline=None)
def test_an_all_in_buy_fills_within_its_cushion_and_takes_everything(cash, price, fee, step, buffer, place, whole):
    instrument = Instrument(symbol="X", step_size=step)
    opened = price * (1.0 + buffer * place)
    data = [bars(instrument, [(price, price), (opened, opened)])]
    orders = play({0: [("X", "buy", AllIn(buffer, whole=whole))]}, data, cash=cash, fees=fee)
    wholes = (Fraction(step) * number for number in range(1, 10**8 + 1))
    unit = {"1e-8": Fraction(1), "0.3": Fraction(3)}.get(step) if whole else Fraction(step)
    unit = unit or next(one for one in wholes if one.denominator == 1)
    worst, have = Fraction(price) * (1 + Fraction(buffer)), Fraction(cash)

    def cost(size: Fraction) -> Fraction:
        return size * worst + exact_fee(fee, size, worst)

    bought = Fraction(0)
    if orders:
        (order,) = orders
        assert str(order.status) == "filled", order.reason
        bought = Fraction(instrument.size_to_decimal(order.size))
        at = Fraction(order.average_price)
        assert bought * at + exact_fee(fee, bought, at) <= have * (1 + Fraction(1, 10**9))
        assert not whole or bought.denominator == 1
    # One more could not be paid for, save for what a float of that many steps cannot tell.
    noise = max(Fraction(1, 10**6) * unit, bought * Fraction(1, 10**11))
    assert cost(bought + unit + noise) > have * (1 - Fraction(1, 10**11))


@given(
    kind=st.sampled_from(["spot", "future", "linear_perpetual", "inverse_perpetual"]),
    leverage=st.sampled_from([0.5, 1.0, 3.0]),
    rate=st.sampled_from([1.0, 0.2, 0.03]),
    side=st.sampled_from(["buy", "sell"]),
    first=st.sampled_from([0.0, 0.1, 0.5]),
    price=st.floats(0.5, 5_000.0),
    drift=st.floats(-0.05, 0.05),
    fee=fees,
    step=steps,
    buffer=buffers.filter(bool),
    place=places,
    sizer=st.sampled_from([AllIn, lambda b: PercentOfEquity(5.0, b), lambda b: PercentOfCash(1.0, buffer=b)]),
)
@settings(max_examples=100, deadline=None)
def test_nothing_sized_by_money_is_refused(
    kind, leverage, rate, side, first, price, drift, fee, step, buffer, place, sizer
):
    """With credit, margin, a short side, and a position held already that wins or loses meanwhile."""
    terms = {"margin_rate": rate} if kind != "spot" else {}
    if kind == "inverse_perpetual":
        terms["multiplier"] = 10.0
    instrument = Instrument(symbol="X", kind=kind, settle="USD", step_size=step, **terms)
    cash = 50_000.0
    later = price * (1.0 + drift)
    opened = later * (1.0 + buffer * place)
    data = [bars(instrument, [(price, price), (price, later), (opened, opened)])]
    script = {0: [("X", side, PercentOfEquity(first))] if first else [], 1: [("X", side, sizer(buffer))]}
    orders = play(script, data, cash=cash, fees=fee, leverage=leverage)
    assert [order.reason for order in orders if str(order.status) != "filled"] == []


@given(
    data=st.data(),
    fee=fees,
    buffer=buffers,
    leverage=st.sampled_from([1.0, 2.0]),
    shares=st.lists(st.sampled_from([0.3, 0.6, 1.0, 2.0]), min_size=2, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_orders_of_one_moment_do_not_spend_the_same_money(data, fee, buffer, leverage, shares):
    series, asks = [], []
    for number, share in enumerate(shares):
        price, place = data.draw(st.floats(1.0, 1_000.0)), data.draw(places)
        opened = price * (1.0 + buffer * place)
        instrument = Instrument(symbol="ABCD"[number], step_size="0.001")
        series.append(bars(instrument, [(price, price), (opened, opened)]))
        sizer = AllIn(buffer) if share == 1.0 else PercentOfEquity(share, buffer)
        asks.append((instrument.symbol, data.draw(st.sampled_from(["buy", "buy", "sell"])), sizer))
    orders = play({0: asks}, series, cash=10_000.0, fees=fee, leverage=leverage)
    # Two at the very prices that were reckoned with may differ from them by a float's last digits.
    assert [order.reason for order in orders if str(order.status) != "filled"] == []


@given(price=prices, cash=money, low=st.integers(0, 50), high=st.integers(1, 60), least=st.integers(0, 5_000), fee=fees)
@settings(max_examples=100, deadline=None)
def test_the_bounds_of_an_instrument_are_kept(price, cash, low, high, least, fee):
    assume(low <= high)
    terms = {"min_size": low or None, "max_size": high, "min_notional": least or None, "step_size": "0.5"}
    data = [bars(Instrument(symbol="X", **terms), [(price, price)] * 2)]
    for sizer in (AllIn(), PercentOfEquity(0.4), PercentOfCash(0.3), Target(percent=0.7), RiskPerTrade(percent=0.1)):
        orders = play({0: [("X", "buy", sizer)]}, data, cash=cash, fees=fee)
        assert [order.reason for order in orders if str(order.status) != "filled"] == [], sizer


@given(
    price=prices,
    cash=st.floats(100.0, 1e7),
    fraction=st.floats(0.0005, 0.2),
    away=st.floats(0.001, 0.9),
    side=st.sampled_from(["buy", "sell"]),
    fee=fees,
    step=steps,
)
@settings(max_examples=100, deadline=None)
def test_a_stop_loses_the_fraction_and_no_more(price, cash, fraction, away, side, fee, step):
    """Out at the stop costs at most the fraction, fees of both ways included; one step more would cost more."""
    stop = price * (1.0 - away) if side == "buy" else price * (1.0 + away)
    data = [bars(Instrument(symbol="X", step_size=step), [(price, price)] * 2)]
    orders = play({0: [("X", side, RiskPerTrade(fraction, stop=stop))]}, data, cash=cash, fees=fee, leverage=1_000.0)
    risk = Fraction(cash) * Fraction(fraction)
    size = Fraction(orders[0].size) if orders else Fraction(0)

    def loss(units: Fraction) -> Fraction:
        at, out = Fraction(price), Fraction(stop)
        return units * abs(at - out) + exact_fee(fee, units, at) + exact_fee(fee, units, out)

    assert not orders or loss(size) <= risk * (1 + Fraction(1, 10**6))
    more = size + Fraction(step) * (1 + Fraction(1, 10**6))
    assume(more * Fraction(price) < Fraction(cash) * 100)  # the account can pay for it
    assert loss(more) > risk * (1 - Fraction(1, 10**6))


@given(
    step=steps,
    scale=st.floats(1e-2, 1e6),
    limit=st.floats(0.0, 1e6),
    bend=st.sampled_from([1.0, 1.5, 0.7, 3.0]),
    most=st.one_of(st.just(float("inf")), st.floats(0.0, 1e9)),
    start=st.floats(1e-3, 1e12),
)
@settings(max_examples=100, deadline=None)
def test_the_largest_size_is_found_wherever_the_search_starts_and_however_fees_bend(
    step, scale, limit, bend, most, start
):
    instrument = Instrument(symbol="X", step_size=step)
    asked = 0

    def excess(size: float) -> float:
        nonlocal asked
        asked += 1
        return scale * size**bend - limit

    found = largest(instrument, excess, start, most)
    unit = float(step)
    assert asked < 250
    assert found == instrument.round_size(found)
    assert found <= max(0.0, most) * (1 + 1e-9)
    assert found == 0.0 or excess(found) <= 0.0
    nothing_more = found + 1.001 * unit > most or excess(found + 1.001 * unit + 1e-9 * found) > 0.0
    assert nothing_more


def test_an_all_in_order_is_refused_beyond_its_cushion():
    """The cushion is no more than what is asked for: what the tests above find is not that anything fills."""
    instrument = Instrument(symbol="X", step_size="0.001")
    for opened, status in ((102.0, "filled"), (102.1, "rejected")):
        data = [bars(instrument, [(100.0, 100.0), (opened, opened)])]
        (order,) = play({0: [("X", "buy", AllIn(0.02))]}, data, cash=10_000.0, fees=0.001)
        assert str(order.status) == status
        assert order.size == pytest.approx(10_000.0 / (102.0 * 1.001), abs=0.001)
