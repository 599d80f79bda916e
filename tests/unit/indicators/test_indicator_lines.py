"""The public constructors on the lines of a series: columns, blocks and single bars give a strategy the same values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cambist.errors import DataError, LineError, LookAheadError, ParameterError
from cambist.indicators import (
    ATR,
    BBANDS,
    EMA,
    MACD,
    RSI,
    SMA,
    Line,
    absolute,
    crossed_above,
    crossed_below,
    crossover,
    delay,
    highest,
    indicator,
    lowest,
    maximum,
    minimum,
)
from cambist.indicators.series import Series
from cambist.model import Bars, Instrument, Timeframe

DAY = 86_400 * 10**9
ROWS = 150


@indicator(lookback=lambda period: period - 1, outputs=("upper", "lower"))
def donchian(high, low, *, period=20):
    pad = np.full(period - 1, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view
    return (
        np.concatenate((pad, windows(high, period).max(axis=1))),
        np.concatenate((pad, windows(low, period).min(axis=1))),
    )


def make_bars() -> Bars:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.02, ROWS)))
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99
    return Bars(Instrument(symbol="ABC"), "1d", np.arange(ROWS) * DAY, open_, high, low, close, np.full(ROWS, 5.0))


@pytest.fixture(scope="module")
def bars():
    return make_bars()


@pytest.fixture
def data():
    return Series(Instrument(symbol="ABC"), Timeframe.parse("1d"))


def build(data) -> dict[str, Line]:
    close = data.close
    macd, bands = MACD(close, 3, 6, 4), BBANDS(close, 10, 1.5)
    return {
        "sma": SMA(close, 5),
        "ema of sma": EMA(SMA(close, 5), 7),
        "rsi": RSI(close, 9),
        "macd": macd.macd,
        "signal": macd.signal,
        "histogram": macd.histogram,
        "atr": ATR(data, 6),
        "upper": bands.upper,
        "middle": bands.middle,
        "lower": bands.lower,
        "highest": highest(data.high, 8),
        "lowest": lowest(data.low, 8),
        "spread": (data.high - data.low) / close * 100 - 1,
        "reflected": 1 / (2 - 3 * close),
        "compared": close > SMA(close, 5),
        "delayed": close - delay(close, 3) + close(-1),
        "absolute": absolute(close - 100) + abs(100 - close),
        "power": close**2 % 7 // 3,
        "extremes": maximum(close, 100) - minimum(120.0, close) + maximum(close, data.open),
        "cross": crossover(SMA(close, 5), SMA(close, 12)),
        "above level": crossed_above(RSI(close, 9), 50),
        "below level": crossed_below(50, RSI(close, 9)),
        "donchian": donchian(data.high, data.low, period=11).upper,
        "middle of donchian": sum(donchian(data.high, data.low)) / 2,
    }


def columns_of(data, bars, sizes) -> dict[str, list[float]]:
    """Read every line with ``[0]``, loading the bars in blocks of these sizes."""
    lines = build(data)
    values = {name: [] for name in lines}
    start = 0
    for size in sizes:
        data._cursor.load(bars[start : start + size], whole=len(sizes) == 1)
        data._cursor.open_window(0, size)
        for row in range(1, size + 1):
            data._cursor.row = row
            for name, line in lines.items():
                values[name].append(line[0])
        start += size
    return values


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name in left:
        assert np.array_equal(left[name], right[name], equal_nan=True), name


def test_blocks_and_single_bars_show_what_whole_columns_show(bars):
    def series():
        return Series(Instrument(symbol="ABC"), Timeframe.parse("1d"))

    whole = columns_of(series(), bars, [ROWS])
    assert_same(whole, columns_of(series(), bars, [1, 4, 20, 3, 60, 62]))
    data = series()
    lines = build(data)
    values = {name: [] for name in lines}
    for bar in bars:
        data._cursor.push(bar)
        for name, line in lines.items():
            values[name].append(line[0])
    assert_same(whole, values)


def test_a_line_is_known_exactly_when_its_lookback_has_passed(data, bars):
    lines = build(data)
    lookbacks = {name: line.lookback for name, line in lines.items()}
    values = columns_of(Series(Instrument(symbol="ABC"), Timeframe.parse("1d")), bars, [ROWS])
    assert {name: int(np.isnan(column).sum()) for name, column in values.items()} == lookbacks
    assert lookbacks["ema of sma"] == 4 + 6
    assert lookbacks["cross"] == 11 + 1
    assert lookbacks["above level"] == 9 + 1
    assert (lookbacks["macd"], lookbacks["delayed"], lookbacks["donchian"]) == (8, 3, 10)


def test_the_values_are_those_of_the_formulas(bars, data):
    values = {name: np.array(column) for name, column in columns_of(data, bars, [ROWS]).items()}
    close, high, low, open_ = bars.close, bars.high, bars.low, bars.open
    assert np.allclose(values["sma"][4:], np.convolve(close, np.ones(5) / 5, "valid"), rtol=1e-12)
    assert np.array_equal(values["spread"], (high - low) / close * 100 - 1)
    assert np.array_equal(values["reflected"], 1 / (2 - 3 * close))
    assert np.array_equal(values["compared"][4:], close[4:] > values["sma"][4:])
    assert np.array_equal(values["delayed"][3:], close[3:] - close[:-3] + close[2:-1])
    assert np.array_equal(values["absolute"], 2 * np.abs(close - 100))
    assert np.array_equal(values["power"], close**2 % 7 // 3)
    extremes = np.maximum(close, 100) - np.minimum(close, 120) + np.maximum(close, open_)
    assert np.array_equal(values["extremes"], extremes)
    assert set(values["cross"][12:]) == {-1.0, 0.0, 1.0}
    assert set(values["above level"][10:]) == {0.0, 1.0}
    assert np.array_equal(values["above level"], values["below level"], equal_nan=True)
    assert (values["upper"][9:] > values["middle"][9:]).all()
    assert (values["middle"][9:] > values["lower"][9:]).all()
    assert np.allclose(values["histogram"][8:], (values["macd"] - values["signal"])[8:], rtol=1e-12, atol=1e-12)


def test_outputs_have_names_and_can_be_unpacked(data):
    macd, signal, histogram = MACD(data.close)
    assert [line.name for line in (macd, signal, histogram)] == [
        "MACD(12, 26, 9).macd",
        "MACD(12, 26, 9).signal",
        "MACD(12, 26, 9).histogram",
    ]
    assert SMA(data.close, 10).name == "SMA(10)"
    assert BBANDS(data.close)._fields == ("upper", "middle", "lower")
    assert donchian(data.high, data.low)._fields == ("upper", "lower")
    assert donchian(data.high, data.low, period=5).upper.name == "donchian(period=5).upper"


def test_the_defaults_are_the_documented_ones(data):
    names = [SMA(data.close), EMA(data.close), RSI(data.close), ATR(data), BBANDS(data.close).upper, delay(data.close)]
    assert [line.name for line in names] == [
        "SMA(30)",
        "EMA(30)",
        "RSI(14)",
        "ATR(14)",
        "BBANDS(20, 2, sma).upper",
        "delay(1)",
    ]


@pytest.mark.parametrize(
    "make",
    [SMA, EMA, RSI, MACD, BBANDS, highest, lowest, delay, absolute],
)
@pytest.mark.parametrize("thing", [np.ones(50), [1.0, 2.0], 3.0, None])
def test_what_is_no_line_is_refused_with_the_way_to_get_one(make, thing):
    with pytest.raises(LineError, match=rf"self\.data\.close, in on_start; got {type(thing).__name__}"):
        make(thing)


@pytest.mark.parametrize("thing", [np.ones(50), None, "close"])
def test_two_operands_need_a_line_and_a_line_or_number(data, thing):
    for make in (crossover, crossed_above, crossed_below, maximum, minimum):
        for operands in ((data.close, thing), (thing, data.close)):
            with pytest.raises(
                LineError, match=rf"self\.data\.close, and numbers, in on_start; got {type(thing).__name__}"
            ):
                make(*operands)
        with pytest.raises(LineError, match=r"got two numbers, 1 and 2\.5; one must be a line"):
            make(1, 2.5)
    with pytest.raises(LineError, match=f"got {type(thing).__name__}"):
        data.close + thing


def test_atr_wants_the_series_and_not_one_of_its_lines(data):
    with pytest.raises(LineError, match=r"ATR is made of high, low and close: .*self\.data; got Line"):
        ATR(data.close)
    with pytest.raises(LineError, match="got ndarray"):
        ATR(np.ones((50, 3)))


def test_parameters_are_checked_where_they_are_given(data):
    with pytest.raises(ParameterError, match="SMA: period is 0"):
        SMA(data.close, 0)
    for slow in (12, 26):
        with pytest.raises(
            ParameterError, match=f"fast is 26 and slow is {slow}; the fast average must span fewer bars"
        ):
            MACD(data.close, fast=26, slow=slow)
    with pytest.raises(ParameterError, match="its constant is NaN"):
        data.close + math.nan
    with pytest.raises(ParameterError, match="the level is nan"):
        crossover(data.close, math.nan)
    with pytest.raises(LookAheadError):
        delay(data.close, -1)


def test_a_quotient_that_leaves_the_numbers_stops_an_average_and_not_the_arithmetic(data, bars):
    ratio = data.close / (data.volume - 5)
    data._cursor.load(bars, whole=True)
    data._cursor.open_window(0, ROWS)
    data._cursor.row = 1
    assert ratio[0] == math.inf

    broken = Series(Instrument(symbol="ABC"), Timeframe.parse("1d"))
    SMA(broken.close / (broken.volume - 5), 3)
    with pytest.raises(DataError, match=r"SMA\(3\): row 0 .* is inf.*keep its divisor from zero"):
        broken._cursor.load(bars, whole=True)


def test_after_the_first_bar_no_more_lines_are_made(data, bars):
    data._cursor.push(next(iter(bars)))
    for make in (
        lambda: SMA(data.close, 3),
        lambda: crossover(data.close, 3),
        lambda: data.close > 3,
        lambda: ATR(data),
    ):
        with pytest.raises(LineError, match="on_start"):
            make()
