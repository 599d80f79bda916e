"""Fee schemes that know the order, the time, or what was traded before, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cambist
from cambist import FixedFee, Instrument, MakerTakerFee, ParameterError, PercentFee
from cambist.model import Fill, Liquidity, Side
from cambist.model.times import DAY_NS, HOUR_NS
from cambist.simulation import FeesBySymbol, OrderFeeModel, PerContractFee, PerOrderFee, TieredFee, fee_model

STOCK = Instrument(symbol="ACME", kind="equity", tick_size="0.25", step_size="1")
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER
IB = PerOrderFee(per_unit=0.005, minimum=1.0, maximum_rate=0.01)


def order_of(instrument=STOCK, **facts):
    """As much of an order as a scheme looks at."""
    return SimpleNamespace(
        instrument=instrument, **({"filled": 0.0, "average_price": float("nan"), "fees": 0.0} | facts)
    )


def fill(order, size, price, fee, ts=0):
    """Take a fill into an order as the order machine does, and return it."""
    before = order.filled
    order.average_price = price if not before else (order.average_price * before + price * size) / (before + size)
    order.filled += size
    order.fees += fee
    return Fill(1, 1, order.instrument, Side.BUY, size, price, fee, TAKER, ts)


def owed(scheme, size, value):
    """Return what an order owes, exactly."""
    fee = Fraction(scheme.per_order) + Fraction(scheme.per_unit) * size + Fraction(scheme.rate) * value
    if scheme.minimum is not None:
        fee = max(fee, Fraction(scheme.minimum))
    if scheme.maximum is not None:
        fee = min(fee, Fraction(scheme.maximum))
    if scheme.maximum_rate is not None:
        fee = min(fee, Fraction(scheme.maximum_rate) * value)
    return fee


# A fee for an order.


@pytest.mark.parametrize(
    ("size", "price", "fee"),
    [
        (100, 25.0, 1.00),  # 0.50 by the share, which is below the minimum
        (1_000, 25.0, 5.00),
        (1_000, 0.25, 2.50),  # 5.00 by the share, but at most 1 % of 250.00
        (10, 0.25, 0.025),  # the cap is below the minimum, and wins
    ],
)
def test_the_published_examples_of_a_fee_by_the_share(exchange, size, price, fee):
    """Interactive Brokers, fixed pricing for US stocks: 0.005 a share, at least 1.00, at most 1 % of the value."""
    ex = exchange(STOCK, fees=IB)
    order = ex.buy(float(size))
    ex.bar(price, price, price, price)
    assert ex.records[0].fee == pytest.approx(fee)
    assert order.fees == pytest.approx(fee)


MONEY = st.integers(0, 400).map(lambda cents: cents / 100)
SCHEMES = st.builds(
    PerOrderFee,
    per_order=MONEY,
    per_unit=st.integers(0, 100).map(lambda mills: mills / 1_000),
    rate=st.sampled_from([0.0, 0.0005, 0.01]),
    minimum=st.none() | st.integers(0, 200).map(lambda cents: cents / 100),
    maximum=st.none() | st.integers(200, 900).map(lambda cents: cents / 100),
    maximum_rate=st.none() | st.sampled_from([0.001, 0.01, 0.1]),
)
PARTS = st.lists(
    st.tuples(st.integers(1, 500), st.integers(1, 400).map(lambda ticks: ticks / 4)), min_size=1, max_size=6
)


@given(scheme=SCHEMES, parts=PARTS)
def test_an_order_pays_what_it_owes_in_however_many_fills(scheme, parts):
    order = order_of()
    size = value = Fraction(0)
    for part, price in parts:
        fee = scheme.charge(order, float(part), price, TAKER, 0)
        assert fee >= 0.0
        fill(order, float(part), price, fee)
        size, value = size + part, value + part * Fraction(price)
        assert order.fees == pytest.approx(float(owed(scheme, size, value)), rel=1e-9, abs=1e-9)
    if len(parts) == 1:
        part, price = parts[0]
        assert scheme.fee(STOCK, float(part), price, TAKER) == order.fees


def test_an_order_that_trades_in_parts_pays_its_minimum_once(exchange):
    ex = exchange(STOCK, fees=PerOrderFee(per_order=2.0, per_unit=0.01, minimum=5.0), volume_limit=0.1)
    order = ex.buy(900.0)
    for _ in range(3):
        ex.bar(100.0, 101.0, 99.0, 100.0, volume=4_000.0)
    assert [one.size for one in ex.records] == [400.0, 400.0, 100.0]
    assert [one.fee for one in ex.records] == pytest.approx([6.0, 4.0, 1.0])
    assert (order.fees, ex.account.fees) == (pytest.approx(11.0), pytest.approx(11.0))


def test_the_gate_expects_the_fee_of_the_whole_order(bars, run):
    """100 at 10.0 with a fee of 25: 1,020 do not pay for it, and the order never leaves."""
    for cash, filled in ((1_020.0, 0.0), (1_030.0, 100.0)):
        result = run(
            bars([10.0] * 4),
            on_bar=lambda strategy, bar: strategy.buy(100.0) if strategy.bar == 0 else None,
            fees=PerOrderFee(minimum=25.0),
            cash=cash,
        )
        order = result.order_records[0]
        assert order.filled == filled
        assert filled or order.reason.startswith("insufficient_funds: ")


# Money for a contract.


def test_a_fee_by_the_contract_with_a_rebate_for_who_waited(exchange):
    ex = exchange(STOCK, fees=PerContractFee(taker=0.003, maker=-0.002))
    ex.buy(200.0)
    ex.buy(100.0, limit=99.5)
    ex.bar(100.0, 101.0, 99.0, 100.0)
    assert [(one.liquidity, one.fee) for one in ex.records] == [
        (TAKER, pytest.approx(0.6)),
        (MAKER, pytest.approx(-0.2)),
    ]
    assert PerContractFee(1.5).maker == 1.5


# Tiers.

TIERS = [(0, 0.002, 0.004), (1_000, 0.001, 0.003), (5_000, -0.0005, 0.002)]


@given(
    trades=st.lists(
        st.tuples(st.integers(0, 12 * 24), st.integers(1, 40), st.integers(1, 400), st.sampled_from([MAKER, TAKER])),
        min_size=1,
        max_size=25,
    ),
    days=st.sampled_from([0.25, 1, 7, 30]),
)
def test_tiers_by_a_rolling_window_are_those_of_a_plain_sum(trades, days):
    scheme = TieredFee(TIERS, window_days=days).fresh()
    ts, done = 0, []
    for wait, size, ticks, who in trades:
        ts += wait * HOUR_NS
        price = ticks / 4
        volume = sum(value for when, value in done if when > ts - days * DAY_NS)
        column = 1 if who is MAKER else 2
        rate = [tier for tier in TIERS if tier[0] <= volume][-1][column]
        order = order_of()
        fee = scheme.charge(order, float(size), price, who, ts)
        assert fee == pytest.approx(size * price * rate, rel=1e-12)
        assert scheme.charge(order, float(size), price, who, ts) == fee  # asking is not trading
        scheme.traded(fill(order, float(size), price, fee, ts))
        done.append((ts, Fraction(size) * Fraction(price)))
        volume = sum(value for when, value in done if when > ts - days * DAY_NS)
        expected = [tier for tier in TIERS if tier[0] <= volume][-1][2]
        assert scheme.fee(STOCK, 1.0, 100.0, TAKER) == pytest.approx(100.0 * expected)


def buy_each_bar(strategy, bar):
    strategy.buy(5.0)


def test_every_run_begins_with_nothing_traded(bars, run):
    scheme = TieredFee(TIERS)
    runs = [run(bars([100.0] * 12), on_bar=buy_each_bar, fees=scheme, events=events) for events in (False, False, True)]
    paid = [[one.fee for one in result.fill_records] for result in runs]
    assert paid[0] == paid[1] == paid[2]
    # 500 each; the tier after 1,000 counts from the third fill, that after 5,000 from the eleventh.
    assert paid[0] == pytest.approx([2.0] * 2 + [1.5] * 8 + [1.0])


def test_a_fill_that_the_account_cannot_pay_counts_for_no_tier(exchange):
    ex = exchange(STOCK, fees=TieredFee([(0, 0.0, 0.0), (1, 0.1, 0.1)]), cash=1_000.0)
    refused, bought = ex.buy(50.0), ex.buy(1.0)
    ex.bar(100.0, 100.0, 100.0, 100.0)
    assert str(refused.status) == "rejected"
    assert bought.fees == 0.0


# A scheme for each instrument.


def test_each_instrument_by_its_own_scheme(exchange):
    other, third = attrs.evolve(STOCK, symbol="B"), attrs.evolve(STOCK, symbol="C", taker_fee=0.5)
    scheme = FeesBySymbol({"ACME": PerOrderFee(minimum=7.0), "B": TieredFee([(0, 0.0, 0.01), (1, 0.0, 0.0)])}, None)
    ex = exchange(STOCK, other, third, fees=scheme)
    for instrument in (STOCK, other, other, third):
        ex.buy(1.0, on=instrument)
    for instrument in (STOCK, other, third):
        ex.bar(100.0, 100.0, 100.0, 100.0, on=instrument, opened=ex.now if instrument is STOCK else ex.now - ex.length)
    assert [one.fee for one in ex.records] == pytest.approx([7.0, 1.0, 0.0, 50.0])
    assert isinstance(scheme.fresh(), OrderFeeModel)


# What a user says.


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("none", 0.0),
        ({"maker": 0.001, "taker": 0.002}, MakerTakerFee(0.001, 0.002)),
        ({"per_unit": 0.5}, FixedFee(0.5)),
        ({"use": "percent", "rate": 0.001}, PercentFee(0.001)),
        ({"use": "per-order", "minimum": 2.0}, PerOrderFee(minimum=2.0)),
        ({"use": "per_contract", "taker": 2.0}, PerContractFee(2.0)),
        ({"use": "tiered", "tiers": [{"volume": 0, "maker": 0.1, "taker": 0.2}]}, TieredFee([(0, 0.1, 0.2)])),
        ({"use": "by-symbol", "models": {"A": 0.001}}, FeesBySymbol({"A": PercentFee(0.001)})),
    ],
)
def test_schemes_by_name(said, meant):
    assert fee_model(said) == fee_model(meant)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PerOrderFee(minimum=5.0, maximum=1.0), "minimum 5.0 is above maximum 1.0"),
        (lambda: PerOrderFee(per_unit=-1.0), "PerOrderFee: per_unit is -1.0; it is an amount of money, not negative"),
        (lambda: PerOrderFee(rate="1%"), "PerOrderFee: rate is '1%'; it is a fraction"),
        (lambda: PerOrderFee(maximum_rate=float("nan")), "maximum_rate is nan"),
        (lambda: PerContractFee(float("inf")), "PerContractFee: taker is inf"),
        (lambda: TieredFee([]), "give (volume, maker, taker) of each tier, the first from volume 0"),
        (lambda: TieredFee([(5, 0.1, 0.1)]), "the first from volume 0"),
        (lambda: TieredFee([(0, 0.1, 0.1), (0, 0.1, 0.1)]), "the others from rising ones"),
        (lambda: TieredFee([(0, 0.1)]), "TieredFee: a tier is (0, 0.1); it is (volume from which it counts"),
        (lambda: TieredFee([(0, 2.0, 0.1)]), "TieredFee: maker is 2.0"),
        (lambda: TieredFee([(0, 0.1, 0.1)], window_days=0), "window_days is 0; it is a positive number of days"),
        (lambda: FeesBySymbol(5), "models is 5; give a mapping"),
        (lambda: FeesBySymbol({"BTC": "free"}), "FeesBySymbol, BTC: fees is 'free'; there is no such fee model"),
        (lambda: fee_model({"taker": 0.1}), "fees is {'taker': 0.1}; write {'maker': ..., 'taker': ...}"),
        (lambda: fee_model({"use": "percent"}), "fees = 'percent' needs rate"),
        (lambda: fee_model({"use": 5}), "fees is {'use': 5}; name the model"),
        (lambda: fee_model(PercentFee), "fees is <class"),
    ],
)
def test_settings_that_make_no_scheme(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


@given(scheme=SCHEMES, size=st.integers(1, 1_000), ticks=st.integers(1, 400))
def test_no_order_pays_more_than_it_may(scheme, size, ticks):
    assume(scheme.maximum is not None or scheme.maximum_rate is not None)
    fee, value = scheme.fee(STOCK, float(size), ticks / 4, TAKER), size * ticks / 4
    assert fee <= (scheme.maximum if scheme.maximum is not None else fee)
    assert fee <= (scheme.maximum_rate * value if scheme.maximum_rate is not None else fee)


def test_compatible_rules_charge_by_order_too():
    """What backtrader has no word for works with its matching: one fee for an order that trades in two bars."""
    frame = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 50.0}
    import pandas as pd

    bars = pd.DataFrame([frame] * 5, index=pd.date_range("2024-01-01", periods=5, freq="D"))

    class Once(cambist.Strategy):
        def on_bar(self, bar):
            if not self.position and not self.open_orders:
                self.buy(8.0)

    result = cambist.backtest(Once, bars, rules="backtrader", volume_limit=0.1, fees=PerOrderFee(minimum=3.0))
    assert [(one.size, one.fee) for one in result.fill_records] == [(5.0, 3.0), (3.0, 0.0)]
