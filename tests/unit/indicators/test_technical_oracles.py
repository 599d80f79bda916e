"""The technical indicators against pandas and NumPy, which compute them from their formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cambist.indicators.talib_functions import described

FUNCTIONS = described()


def bars_of_a_walk() -> pd.DataFrame:
    chance = np.random.default_rng(11)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, 3_000)))
    open_ = np.concatenate(([100.0], close[:-1]))
    return pd.DataFrame(
        {
            "high": np.maximum(open_, close) + chance.uniform(0, 1, 3_000),
            "low": np.minimum(open_, close) - chance.uniform(0, 1, 3_000),
            "close": close,
        }
    )


@pytest.fixture(params=["walk", "real bars"])
def bars(request):
    if request.param == "walk":
        return bars_of_a_walk()
    folder = request.getfixturevalue("outside_data")
    return pd.read_parquet(folder / "crypto" / "binance_spot_BTCUSDT_1m.parquet")


def seeded(values: pd.Series, period: int, alpha: float, first: int = 0) -> pd.Series:
    """Smooth exponentially from row ``first + period - 1`` on; the seed is the mean of the ``period`` rows up to it."""
    start = first + period - 1
    smoothed = values.copy()
    smoothed.iloc[:start] = np.nan
    smoothed.iloc[start] = values.iloc[first : start + 1].mean()
    return smoothed.ewm(alpha=alpha, adjust=False).mean()


def ema(values: pd.Series, period: int, first: int = 0) -> pd.Series:
    return seeded(values, period, 2 / (period + 1), first)


def wilder(values: pd.Series, period: int) -> pd.Series:
    return seeded(values, period, 1 / period, first=1)


def assert_agrees(ours, oracle: pd.Series, scale: float = 0.0):
    expected = oracle.to_numpy()
    assert np.array_equal(np.isnan(ours), np.isnan(expected))
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("period", [1, 2, 10, 200])
def test_sma_is_the_rolling_mean(bars, period):
    (ours,) = FUNCTIONS["SMA"](period=period).batch(bars["close"].to_numpy())
    assert_agrees(ours, bars["close"].rolling(period).mean())


@pytest.mark.parametrize("period", [1, 2, 10, 200])
def test_ema_is_the_recursion_from_the_mean_of_the_first_values(bars, period):
    (ours,) = FUNCTIONS["EMA"](period=period).batch(bars["close"].to_numpy())
    assert_agrees(ours, ema(bars["close"], period))


@pytest.mark.parametrize("period", [2, 14, 50])
def test_rsi_is_wilders(bars, period):
    change = bars["close"].diff()
    gain, loss = wilder(change.clip(lower=0), period), wilder((-change).clip(lower=0), period)
    (ours,) = FUNCTIONS["RSI"](period=period).batch(bars["close"].to_numpy())
    # Where a loss is all but nothing beside the gain, the quotient is 100 to the last digit in both: scale 100.
    assert_agrees(ours, 100 * gain / (gain + loss), scale=100)


@pytest.mark.parametrize("period", [2, 14, 50])
def test_atr_is_wilders(bars, period):
    before = bars["close"].shift()
    true_range = np.maximum(bars["high"], before) - np.minimum(bars["low"], before)
    columns = [bars[name].to_numpy() for name in ("high", "low", "close")]
    (ours,) = FUNCTIONS["ATR"](period=period).batch(*columns)
    assert_agrees(ours, wilder(true_range, period))


@pytest.mark.parametrize(("period", "deviations"), [(20, 2.0), (5, 1.5), (100, 3)])
def test_bollinger_bands_are_mean_and_population_deviation(bars, period, deviations):
    close = bars["close"]
    middle = close.rolling(period).mean()
    # Not pandas' rolling std: it is updated from row to row, and after a jump its digits drift (3e-3 on real bars).
    deviation = np.lib.stride_tricks.sliding_window_view(close.to_numpy(), period).std(axis=1)
    width = deviations * pd.Series(np.concatenate((np.full(period - 1, np.nan), deviation)))
    ours = FUNCTIONS["BBANDS"](period=period, deviations=deviations).batch(close.to_numpy())
    for line, expected in zip(ours, (middle + width, middle, middle - width), strict=True):
        assert_agrees(line, expected)


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (3, 10, 16), (5, 6, 1)])
def test_macd_is_the_difference_of_two_emas_that_start_together(bars, fast, slow, signal):
    close = bars["close"]
    macd = ema(close, fast, first=slow - fast) - ema(close, slow)
    trigger = ema(macd, signal, first=slow - 1)
    macd = macd.where(trigger.notna())
    ours = FUNCTIONS["MACD"](fast=fast, slow=slow, signal=signal).batch(close.to_numpy())
    scale = float(close.abs().max())  # a difference of prices is as exact as the prices are
    for line, expected in zip(ours, (macd, trigger, macd - trigger), strict=True):
        assert_agrees(line, expected, scale=scale * 1e-3)


@pytest.mark.parametrize("period", [2, 30])
def test_highest_and_lowest_are_the_rolling_extremes(bars, period):
    for name, expected in (("MAX", bars["high"].rolling(period).max()), ("MIN", bars["high"].rolling(period).min())):
        (ours,) = FUNCTIONS[name](period=period).batch(bars["high"].to_numpy())
        assert np.array_equal(ours, expected.to_numpy(), equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_on_real_bars_blocks_and_rows_give_the_bits_of_whole_columns(name, outside_data):
    frame = pd.read_parquet(outside_data / "crypto" / "binance_spot_BTCUSDT_1m.parquet")
    function = FUNCTIONS[name]
    computation = function()
    fields = {"price": "close", "price0": "high", "price1": "low"}
    columns = [frame[fields.get(one, one)].to_numpy() for one in function.inputs if one != "periods"]
    if name in {"ACOS", "ASIN"}:
        columns = [np.sin(columns[0])]
    elif name in {"EXP", "COSH", "SINH"}:
        columns = [np.log(columns[0])]
    elif name == "MAVP":
        columns.append(2.0 + np.arange(len(frame)) % 29)
    whole = np.array(computation.batch(*columns))
    stream, rows = computation.open(), computation.open()
    parts = [
        np.array(stream.extend(*(column[a : a + 4_096] for column in columns))) for a in range(0, len(frame), 4_096)
    ]
    assert np.array_equal(np.concatenate(parts, axis=1), whole, equal_nan=True)
    steps = [rows.update(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    assert np.array_equal(np.array(steps).T, whole, equal_nan=True)
