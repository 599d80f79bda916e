"""Buying and holding against a pandas calculation."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import BuyAndHold, RunFacts, summarize
from cambist.errors import InputError, ResultError
from cambist.model import Instrument
from cambist.model.times import DAY_NS, to_ns

START = to_ns("2024-01-01")
NAN = float("nan")


def instruments(count):
    return [Instrument(symbol=f"S{number}") for number in range(count)]


def days(count):
    return START + DAY_NS * np.arange(1, count + 1, dtype=np.int64)


def test_one_instrument_follows_its_price_from_the_first_open():
    benchmark = BuyAndHold(instruments(1), 1_000.0, START)
    benchmark.first(0, 50.0)
    benchmark.add(days(3), np.array([[55.0], [45.0], [60.0]]))
    curve = benchmark.finish()
    assert curve.equity.tolist() == [1_000.0, 1_100.0, 900.0, 1_200.0]
    assert curve.exposed_bars == 3


def test_money_waits_in_cash_until_an_instrument_starts():
    benchmark = BuyAndHold(instruments(2), 1_000.0, START)
    benchmark.first(0, 10.0)
    benchmark.first(1, 5.0)
    benchmark.add(days(3), np.array([[NAN, NAN], [20.0, NAN], [20.0, 10.0]]))
    curve = benchmark.finish()
    assert curve.equity.tolist() == [1_000.0, 1_000.0, 1_500.0, 2_000.0]
    assert curve.exposed_bars == 2


def test_a_bar_that_is_missing_keeps_the_last_price():
    benchmark = BuyAndHold(instruments(1), 100.0, START)
    benchmark.first(0, 10.0)
    benchmark.add(days(2), np.array([[20.0], [NAN]]))
    benchmark.add(days(4)[2:], np.array([[NAN], [30.0]]))
    curve = benchmark.finish()
    assert curve.equity.tolist() == [100.0, 200.0, 200.0, 200.0, 300.0]
    assert curve.exposed_bars == 4


def test_an_inverse_contract_pays_in_its_base():
    perpetual = Instrument(symbol="BTC-PERP", kind="inverse_perpetual", base="BTC", quote="USD", multiplier=100)
    benchmark = BuyAndHold([perpetual], 2.0, START)
    benchmark.first(0, 100.0)
    benchmark.add(days(2), np.array([[200.0], [80.0]]))
    # Two BTC at 100 USD are two contracts of 100 USD each.
    wanted = [2.0 + perpetual.profit(2.0, 100.0, price) for price in (200.0, 80.0)]
    assert benchmark.finish().equity[1:].tolist() == pytest.approx(wanted)


@given(st.data())
def test_the_cut_into_blocks_makes_no_difference(data):
    rows, columns = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 3))
    chance = np.random.default_rng(data.draw(st.integers(0, 99)))
    closes = chance.uniform(5.0, 15.0, (rows, columns))
    starts = [data.draw(st.integers(0, rows)) for _ in range(columns)]
    closes[chance.random((rows, columns)) < 0.2] = NAN
    for column, begin in enumerate(starts):
        closes[:begin, column] = NAN
        closes[begin : begin + 1, column] = 10.0
    opens = [10.0 if begin < rows else None for begin in starts]
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))

    def run(edges):
        benchmark = BuyAndHold(instruments(columns), 100.0, START)
        for left, right in itertools.pairwise(edges):
            for column, begin in enumerate(starts):
                if left <= begin < right:
                    benchmark.first(column, opens[column])
            benchmark.add(days(rows)[left:right], closes[left:right])
        return benchmark.finish()

    whole, cut = run([0, rows]), run([0, *cuts, rows])
    assert whole.equity.tobytes() == cut.equity.tobytes()
    assert (whole.exposed_bars, whole.drawdown) == (cut.exposed_bars, cut.drawdown)
    prices = pd.DataFrame(closes).ffill()
    shares = sum((prices[column] / 10.0).fillna(1.0) for column in prices) / columns
    np.testing.assert_allclose(whole.equity[1:], 100.0 * shares, rtol=1e-13)
    assert whole.exposed_bars == int(prices.notna().any(axis=1).sum())


def test_spy_held_from_its_first_open(outside_data):
    spy = pd.read_parquet(outside_data / "stocks/us_daily/SPY.parquet")
    opens = pd.DatetimeIndex(spy.timestamp).as_unit("ns").asi8
    benchmark = BuyAndHold(instruments(1), 10_000.0, int(opens[0]))
    benchmark.first(0, spy.open[0])
    for left in range(0, len(spy), 1_000):
        rows = slice(left, left + 1_000)
        benchmark.add(opens[rows] + DAY_NS, spy.close.to_numpy()[rows, None])
    summary = summarize(RunFacts(benchmark.finish()))
    assert summary.total_return == pytest.approx(spy.close.iloc[-1] / spy.open[0] - 1)
    assert summary.max_drawdown == pytest.approx((spy.close / spy.close.cummax() - 1).min())
    assert summary.max_drawdown_trough == "2009-03-10T00:00:00Z"


def test_closes_without_a_first_open_are_refused():
    benchmark = BuyAndHold(instruments(2), 100.0, START)
    benchmark.first(0, 10.0)
    with pytest.raises(ResultError, match=r"S1 has closes and no first open"):
        benchmark.add(days(1), np.array([[10.0, 10.0]]))


def test_an_instrument_is_bought_once_at_a_price():
    benchmark = BuyAndHold(instruments(1), 100.0, START)
    with pytest.raises(ResultError, match="cannot be bought at nan"):
        benchmark.first(0, NAN)
    benchmark.first(0, 10.0)
    with pytest.raises(ResultError, match=r"bought at 10\.0"):
        benchmark.first(0, 11.0)


def test_nothing_to_buy_is_refused():
    with pytest.raises(InputError, match="at least one instrument"):
        BuyAndHold([], 100.0, START)
