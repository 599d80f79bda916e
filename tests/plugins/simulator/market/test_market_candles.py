"""Candles of trades are what pandas makes of the same trades."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.api import InputError
from cambist_simulator.market.candles import CandleSeries
from cambist_simulator.market.intervals import Interval

SECOND = 1_000_000_000
START = 1_704_067_200 * SECOND  # 2024-01-01, a Monday

trades = st.lists(
    st.tuples(
        st.integers(0, 400),  # seconds since the trade before
        st.integers(1, 5_000),
        st.integers(1, 900),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def played(series, rows):
    at = START
    taken = []
    for number, (wait, ticks, lots, buy) in enumerate(rows, 1):
        at += wait * SECOND
        price, size = Decimal(ticks) / 100, Decimal(lots) / 1_000
        series.add(number, price, size, price * size, buy, at)
        taken.append((at, price, size, buy))
    return taken


@given(rows=trades, name=st.sampled_from(["1s", "1m", "5m", "1h"]))
def test_candles_are_those_of_pandas(rows, name):
    series = CandleSeries(Interval(name), keep=100_000)
    taken = played(series, rows)
    index = pd.to_datetime([at for at, *_ in taken], utc=True)
    rule = {"1s": "1s", "1m": "1min", "5m": "5min", "1h": "1h"}[name]
    prices = pd.Series([float(price) for _, price, *_ in taken], index).resample(rule)
    expected = prices.ohlc()
    counts = prices.count()
    made = {one.opens: one for one in series.since(0)}
    assert len(made) == len(expected)
    last = None
    for opens, row in expected.iterrows():
        candle = made[opens.value]
        inside = [one for one in taken if candle.opens <= one[0] < candle.closes]
        assert candle.trades == counts[opens] == len(inside)
        if inside:
            assert [float(one) for one in (candle.open, candle.high, candle.low, candle.close)] == list(row)
        else:
            assert candle.open == candle.high == candle.low == candle.close == last
        assert Fraction(candle.volume) == sum(Fraction(one[2]) for one in inside)
        assert Fraction(candle.quote_volume) == sum(Fraction(one[1]) * Fraction(one[2]) for one in inside)
        assert Fraction(candle.buy_volume) == sum(Fraction(one[2]) for one in inside if one[3])
        last = candle.close


@given(rows=trades, split=st.integers(0, 60))
def test_a_series_asked_for_late_is_the_one_that_was_always_there(rows, split):
    minutes, hours = CandleSeries(Interval("1m"), keep=100_000), CandleSeries(Interval("1h"), keep=100_000)
    played(hours, rows)
    played(minutes, rows[:split])
    late = CandleSeries.of(Interval("1h"), [minutes], keep=100_000)
    at = START + sum(row[0] for row in rows[:split]) * SECOND
    for number, (wait, ticks, lots, buy) in enumerate(rows[split:], split + 1):
        at += wait * SECOND
        price, size = Decimal(ticks) / 100, Decimal(lots) / 1_000
        late.add(number, price, size, price * size, buy, at)
    assert late.since(0) == hours.since(0)


def test_weeks_begin_on_mondays_and_months_on_the_first():
    at = int(datetime(2024, 2, 29, 13, 5, tzinfo=UTC).timestamp()) * SECOND
    week, month = Interval("1w"), Interval("1M")
    assert datetime.fromtimestamp(week.floor(at) // SECOND, UTC) == datetime(2024, 2, 26, tzinfo=UTC)
    assert datetime.fromtimestamp(month.floor(at) // SECOND, UTC) == datetime(2024, 2, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(month.after(month.floor(at)) // SECOND, UTC) == datetime(2024, 3, 1, tzinfo=UTC)


def test_a_year_of_months_follow_on_each_other():
    month = Interval("1M")
    opens = month.floor(START)
    firsts = []
    for _ in range(12):
        firsts.append(datetime.fromtimestamp(opens // SECOND, UTC).strftime("%Y-%m-%d"))
        opens = month.after(opens)
    assert firsts == [f"2024-{number:02}-01" for number in range(1, 13)]


def test_what_divides_what():
    assert Interval("1m").divides(Interval("1h"))
    assert Interval("1d").divides(Interval("1w"))
    assert Interval("1d").divides(Interval("1M"))
    assert not Interval("1w").divides(Interval("1M"))
    assert not Interval("3d").divides(Interval("1w"))
    assert not Interval("1h").divides(Interval("1m"))


def test_an_interval_that_is_none():
    with pytest.raises(InputError, match="7x"):
        Interval("7x")


def test_rows_by_time_and_by_number():
    series = CandleSeries(Interval("1m"), keep=10)
    for number in range(5):
        series.add(number, Decimal(10 + number), Decimal(1), Decimal(10), True, START + number * 60 * SECOND)
    opens = [one.opens for one in series.since(0)]
    assert [one.opens for one in series.rows(limit=2)] == opens[-2:]
    assert [one.opens for one in series.rows(start=opens[1], limit=2)] == opens[1:3]
    assert [one.opens for one in series.rows(start=opens[1], end=opens[3])] == opens[1:4]
    assert [one.opens for one in series.rows(end=opens[2], limit=2)] == opens[1:3]


def test_memory_is_bounded_through_a_long_silence():
    series = CandleSeries(Interval("1m"), keep=10)
    series.add(1, Decimal(5), Decimal(1), Decimal(5), True, START)
    closed = series.roll(START + 1_000_000 * 60 * SECOND)
    assert len(series.closed) == 10
    assert len(closed) <= 11
    assert series.forming.opens == START + 1_000_000 * 60 * SECOND
    assert [one.opens for one in series.closed] == sorted(one.opens for one in series.closed)
