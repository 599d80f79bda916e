"""Candles of the public trades of replayed bars are the recorded bars."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist import Bars, Instrument, load
from cambist.api import DataError
from cambist_simulator.market.bars import BarReplay

MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000


def replayed(venue, bars, interval, **options):
    venue.markets.add(BarReplay(venue.hand(), venue.data(), bars, **options))
    venue.data().candles(interval)
    venue.markets.begin()
    venue.run()
    venue.data().roll(int(bars.ts[-1]) + bars.timeframe.ns)
    return {one.opens: one for one in venue.data().candles(interval).since(0)}


def assert_equal(candles, bars, step):
    digits = len(step) - 2
    for number in range(len(bars)):
        made = candles[int(bars.ts[number])]
        found = [float(one) for one in (made.open, made.high, made.low, made.close)]
        recorded = (bars.open, bars.high, bars.low, bars.close)
        # Some recordings hold 5.6300000000000006e-05.
        assert found == [round(column[number], 10) for column in recorded], number
        assert float(made.volume) == round(bars.volume[number], digits), number


@pytest.mark.parametrize(
    ("name", "interval", "rows", "tick", "step"),
    [
        ("crypto/binance_spot_BTCUSDT_1m.parquet", "1m", slice(0, 600), "0.01", "0.00001"),
        ("crypto/binance_spot_BTCUSDT_1h_2017_2024.parquet", "1h", slice(0, 400), "0.01", "0.000001"),
        ("crypto/multi_15m/binance_spot_XRPUSDT_15m.parquet", "15m", slice(5_000, 5_400), "0.0001", "0.1"),
        ("crypto/bitstamp_BTCUSD_1m_2020-01-01.parquet", "1m", slice(0, 700), "0.01", "0.00000001"),
    ],
)
def test_candles_of_recorded_bars(make_venue, outside_data, name, interval, rows, tick, step):
    bars = load(outside_data / name)[rows]
    venue = make_venue("BTCUSDT", tick=tick, step=step)
    candles = replayed(venue, bars, interval)
    assert_equal(candles, bars, step)


def test_bars_that_are_missing_have_no_candle(make_venue, outside_data):
    bars = load(outside_data / "crypto/gappy/ADA_BTC-5m.parquet")
    gap = int(np.argmax(np.diff(bars.ts)))
    bars = bars[max(0, gap - 200) : gap + 200]
    assert len(np.unique(np.diff(bars.ts))) > 1
    venue = make_venue(tick="0.00000001", step="0.0001")
    candles = replayed(venue, bars, "5m")
    assert_equal(candles, bars, "0.0001")
    assert sorted(candles) == bars.ts.tolist()


@st.composite
def made_up(draw):
    count = draw(st.integers(1, 12))
    rows, at = [], START
    for _ in range(count):
        at += MINUTE * draw(st.sampled_from([1, 1, 1, 3]))
        low, one, other, high = sorted(draw(st.lists(st.integers(1, 3_000), min_size=4, max_size=4)))
        open_, close = draw(st.sampled_from([(one, other), (other, one), (low, high), (high, low), (one, one)]))
        rows.append((at, open_, high, low, close, draw(st.integers(4, 3_000))))
    columns = np.array(rows).T
    prices = [column / 100.0 for column in columns[1:5]]
    return Bars(Instrument(symbol="BTCUSDT"), "1m", columns[0], *prices, columns[5] / 1_000.0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bars=made_up(), points=st.integers(1, 40))
def test_candles_of_any_bars(make_venue, bars, points):
    venue = make_venue(step="0.001")
    candles = replayed(venue, bars, "1m", points=points)
    assert_equal(candles, bars, "0.001")
    assert sorted(candles) == bars.ts.tolist()
    times = [one.at for one in venue.events]
    assert times == sorted(times)


def one_bar(open_, high, low, close, volume):
    row = [np.array([value]) for value in (START, open_, high, low, close, volume)]
    return Bars(Instrument(symbol="BTCUSDT"), "1m", *row)


def test_a_bar_with_too_little_volume_is_refused(make_venue):
    venue = make_venue(step="1")
    with pytest.raises(DataError, match="fill_volume"):
        replayed(venue, one_bar(10.0, 12.0, 9.0, 11.0, 2.0), "1m")


def test_the_first_bars_may_be_history(make_venue, outside_data):
    bars = load(outside_data / "crypto/binance_spot_BTCUSDT_5m.parquet")[:300]
    venue = make_venue()
    candles = replayed(venue, bars, "5m", history=250)
    assert_equal(candles, bars, "0.00001")
    assert venue.trades[0].at == bars.ts[250] + 1_000_000
    hours = venue.data().candles("1h").since(0)
    assert hours[0].opens == bars.ts[0]
    assert float(hours[1].high) == bars.high[12:24].max()
    day = venue.data().day(int(bars.ts[-1]) + bars.timeframe.ns)
    assert (float(day.high), float(day.low)) == (bars.high[12:].max(), bars.low[12:].min())


def test_a_bar_of_an_index_may_be_given_a_volume(make_venue):
    venue = make_venue(step="1")
    candle = next(iter(replayed(venue, one_bar(10.0, 12.0, 9.0, 11.0, 0.0), "1m", fill_volume=Decimal(3)).values()))
    assert [float(one) for one in (candle.open, candle.high, candle.low, candle.close)] == [10.0, 12.0, 9.0, 11.0]
    assert candle.volume == 12
    venue = make_venue(step="1")
    assert not replayed(venue, one_bar(10.0, 10.0, 10.0, 10.0, 0.0), "1m", fill_volume=Decimal(3))
    assert not venue.trades


def test_prices_off_the_grid_are_refused(make_venue):
    venue = make_venue(tick="0.5")
    with pytest.raises(DataError, match=r"tick size 0\.5"):
        replayed(venue, one_bar(10.0, 12.25, 9.0, 11.0, 2.0), "1m")
