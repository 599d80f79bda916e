"""Indicators of this room against their formulas, written again the slow and plain way."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from cambist import indicators as room
from cambist.errors import LineError, ParameterError
from cambist.indicators.series import Series
from cambist.model.bars import Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe

INSTRUMENT = Instrument(symbol="TEST")
HOUR = 3_600_000_000_000


def make_bars(rows=400, seed=3, start="2024-03-05T07:30"):
    chance = np.random.default_rng(seed)
    close = 300.0 + np.cumsum(chance.normal(0, 2.0, rows))
    opened = close + chance.normal(0, 1.0, rows)
    high = np.maximum(opened, close) + chance.uniform(0.1, 2, rows)
    low = np.minimum(opened, close) - chance.uniform(0.1, 2, rows)
    times = np.datetime64(start, "ns").astype(np.int64) + np.arange(rows) * HOUR
    volume = chance.integers(0, 9, rows) * 100.0
    return Bars(INSTRUMENT, Timeframe.parse("1h"), times, opened, high, low, close, volume)


BARS = make_bars()


def columns(make, bars=BARS):
    series = Series(INSTRUMENT, bars.timeframe)
    made = make(series)
    series._cursor.load(bars, whole=True)
    return [line._array for line in made] if isinstance(made, tuple) else made._array


def series():
    return Series(INSTRUMENT, Timeframe.parse("1h"))


# Volume.


@pytest.mark.parametrize(
    ("zone", "begins"), [("UTC", "00:00"), ("America/New_York", "09:30"), ("Asia/Kolkata", "17:00")]
)
def test_session_vwap_is_that_of_pandas_by_day_also_where_the_clock_changes(zone, begins):
    made = columns(lambda data: room.session_vwap(data, zone, begins))
    local = pd.DatetimeIndex(BARS.ts, tz="UTC").tz_convert(zone).tz_localize(None) - pd.Timedelta(f"{begins}:00")
    typical = (BARS.high + BARS.low + BARS.close) / 3
    frame = pd.DataFrame({"pv": typical * BARS.volume, "v": BARS.volume, "day": local.date})
    sums = frame.groupby("day")[["pv", "v"]].cumsum()
    assert frame["day"].nunique() > 15
    np.testing.assert_allclose(made, np.where(sums["v"] > 0, sums["pv"] / sums["v"].where(sums["v"] > 0), typical))


def test_anchored_vwap_begins_at_a_time_or_wherever_a_line_says():
    typical = (BARS.high + BARS.low + BARS.close) / 3
    at = 100
    when = pd.Timestamp(BARS.ts[at], tz="UTC")
    made = columns(lambda data: room.anchored_vwap(data, when))
    assert np.isnan(made[:at]).all()
    traded = np.cumsum(BARS.volume[at:])
    expected = np.where(
        traded > 0, np.cumsum((typical * BARS.volume)[at:]) / np.where(traded > 0, traded, 1), typical[at:]
    )
    np.testing.assert_allclose(made[at:], expected)
    anew = columns(lambda data: room.anchored_vwap(data, room.since_highest(data.high, 50) <= 0))
    last = 49 + int(
        np.flatnonzero([BARS.high[row] == BARS.high[row - 49 : row + 1].max() for row in range(49, 400)])[-1]
    )
    weights = BARS.volume[last:]
    assert anew[-1] == pytest.approx((typical[last:] * weights).sum() / weights.sum())


def profile(high, low, volume, bins, share):
    """The volume profile of a window in exact fractions."""
    high, low, volume = ([Fraction(float(one)) for one in column] for column in (high, low, volume))
    top, bottom = max(high), min(low)
    width = (top - bottom) / bins
    sizes = [Fraction(0)] * bins
    for above, below, size in zip(high, low, volume, strict=True):
        for place in range(bins):
            edge = bottom + place * width
            part = min(above, edge + width) - max(below, edge)
            if part > 0:
                sizes[place] += size * part / (above - below)
    most = sizes.index(max(sizes))
    first, last, held = most, most, sizes[most]
    while held < Fraction(share) * sum(sizes):
        over = sizes[last + 1] if last + 1 < bins else Fraction(-1)
        under = sizes[first - 1] if first else Fraction(-1)
        if over >= under:
            last, held = last + 1, held + over
        else:
            first, held = first - 1, held + under
    return bottom + (most + Fraction(1, 2)) * width, bottom + (last + 1) * width, bottom + first * width


def test_the_volume_profile_is_that_of_exact_fractions():
    made = columns(lambda data: room.volume_profile(data, 12, 8, 0.7))
    for row in range(11, 120):
        window = slice(row - 11, row + 1)
        expected = profile(BARS.high[window], BARS.low[window], BARS.volume[window], 8, 0.7)
        assert [one[row] for one in made] == pytest.approx([float(one) for one in expected])


def test_order_flow_follows_the_formula_of_cont_kukanov_and_stoikov():
    chance = np.random.default_rng(9)
    bid = 100 + np.cumsum(chance.integers(-1, 2, 300)) / 4
    ask = bid + chance.integers(1, 3, 300) / 4
    bid_size, ask_size = chance.integers(1, 50, (2, 300)) * 1.0
    events = []
    for row in range(1, 300):
        event = 0.0
        if bid[row] >= bid[row - 1]:
            event += bid_size[row]
        if bid[row] <= bid[row - 1]:
            event -= bid_size[row - 1]
        if ask[row] <= ask[row - 1]:
            event -= ask_size[row]
        if ask[row] >= ask[row - 1]:
            event += ask_size[row - 1]
        events.append(event)
    (made,) = room.flow_imbalance(10).batch(bid, bid_size, ask, ask_size)
    assert np.isnan(made[:10]).all()
    np.testing.assert_array_equal(made[10:], [sum(events[row : row + 10]) for row in range(290)])


# Trend.


def swings(high, low, share):
    """Turning points with the rows that confirm them, from the whole history each time: nothing is remembered."""
    found, direction = [], 0
    top = bottom = 0
    for row in range(1, len(high)):
        if direction >= 0 and high[row] > high[top]:
            top = row
        if direction <= 0 and low[row] < low[bottom]:
            bottom = row
        fell = direction >= 0 and top < row and low[row] <= high[top] * (1 - share)
        rose = direction <= 0 and bottom < row and high[row] >= low[bottom] * (1 + share)
        if fell and not (rose and bottom > top):
            found.append((row, high[top], -1, top))
            direction, bottom = -1, row
        elif rose:
            found.append((row, low[bottom], 1, bottom))
            direction, top = 1, row
    return found


@pytest.mark.parametrize("percent", [1.0, 2.0, 5.0])
def test_zigzag_finds_the_turning_points_and_never_redraws_them(percent):
    pivot, direction, age = columns(lambda data: room.zigzag(data, percent))
    expected = swings(BARS.high, BARS.low, percent / 100)
    assert len(expected) > 3
    changes = [row for row in range(400) if direction[row] != (direction[row - 1] if row else 0)]
    assert [(row, pivot[row], direction[row], row - age[row]) for row in changes] == expected
    for rows in (60, 133, 250):
        prefix = Bars(INSTRUMENT, BARS.timeframe, *(getattr(BARS, one)[:rows] for one in COLUMNS))
        for early, late in zip(
            columns(lambda data: room.zigzag(data, percent), prefix), (pivot, direction, age), strict=True
        ):
            np.testing.assert_array_equal(early, late[:rows])


COLUMNS = ("ts", "open", "high", "low", "close", "volume")


def test_ichimoku_reads_no_bar_that_is_yet_to_come():
    made = columns(room.ichimoku)
    row = 200

    def middle(end, period):
        return (BARS.high[end + 1 - period : end + 1].max() + BARS.low[end + 1 - period : end + 1].min()) / 2

    before = row - 26
    expected = [
        middle(row, 9),
        middle(row, 26),
        (middle(before, 9) + middle(before, 26)) / 2,
        middle(before, 52),
        BARS.close[row] - BARS.close[before],
    ]
    assert [one[row] for one in made] == pytest.approx(expected)
    assert [int(np.isfinite(one).argmax()) for one in made] == [8, 25, 51, 77, 26]


def test_directions_and_talib_converge():
    plus, minus, adx, _ = columns(lambda data: room.directions(data, 5))
    theirs = [
        columns(make)
        for make in (lambda d: room.PLUS_DI(d, 5), lambda d: room.MINUS_DI(d, 5), lambda d: room.ADX(d, 5))
    ]
    for ours, one in zip((plus, minus, adx), theirs, strict=True):
        assert abs(ours[12] - one[12]) > 1e-3
        np.testing.assert_allclose(ours[200:], one[200:], rtol=1e-9)


def test_the_parabolic_stop_and_talib_are_one_after_the_first_turns():
    stop, trend = columns(room.parabolic_stop)
    theirs = columns(room.SAR)
    np.testing.assert_allclose(stop[100:], theirs[100:], rtol=1e-12)
    assert ((trend[1:] == 1) == (stop[1:] <= BARS.low[1:])).mean() > 0.9
    assert set(trend[1:]) == {1.0, -1.0}


# Momentum and averages.


def test_relative_strength_by_wilders_average_is_the_rsi():
    made = columns(lambda data: room.relative_strength(data.close, 9))
    np.testing.assert_allclose(made[9:], columns(lambda data: RSI_of(data, 9))[9:], rtol=1e-10)


def RSI_of(data, period):  # noqa: N802
    return room.RSI(data.close, period)


def test_relative_strength_by_simple_averages_is_cutlers():
    change = np.diff(BARS.close)
    rises, falls = (pd.Series(np.maximum(sign * change, 0)).rolling(7).mean().to_numpy() for sign in (1, -1))
    made = columns(lambda data: room.relative_strength(data.close, 7, "sma"))
    np.testing.assert_allclose(made[7:], (100 * rises / (rises + falls))[6:])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.8])
def test_laguerres_filter_keeps_a_constant_and_follows_its_difference_equations(gamma):
    flat = Bars(INSTRUMENT, BARS.timeframe, BARS.ts, *[np.full(400, 7.0)] * 4, BARS.volume)
    np.testing.assert_allclose(columns(lambda data: room.laguerre_filter(data.close, gamma), flat), 7.0)
    stages = [np.full(401, BARS.close[0])]
    stages[0][1:] = np.nan
    stages = [[BARS.close[0]] for _ in range(4)]
    for price in BARS.close:
        stages[0].append((1 - gamma) * price + gamma * stages[0][-1])
        for at in range(1, 4):
            above, own = stages[at - 1], stages[at]
            own.append(-gamma * above[-1] + above[-2] + gamma * own[-1])
    expected = (np.array([1, 2, 2, 1]) @ np.array(stages)[:, 1:]) / 6
    np.testing.assert_allclose(columns(lambda data: room.laguerre_filter(data.close, gamma)), expected)


@pytest.mark.parametrize("average", ["sma", "hma", "kaufman", "error_correcting", "dickson", room.EMA])
def test_every_average_has_an_envelope_and_an_oscillator(average):
    line = columns(lambda data: room.moving_average(data, 12, average))
    middle, upper, lower = columns(lambda data: room.average_envelope(data, 12, 3.0, average))
    np.testing.assert_array_equal(middle, line)
    np.testing.assert_allclose(upper, line * 1.03)
    np.testing.assert_allclose(lower, line * 0.97)
    apart = columns(lambda data: room.average_oscillator(data, 12, average))
    np.testing.assert_allclose(apart, BARS.close - line, atol=1e-9)


def test_the_gain_of_the_error_correcting_average_is_the_best_of_all():
    made = columns(lambda data: room.error_correcting(data.close, 10, 30))
    ema = columns(lambda data: room.EMA(data.close, 10))
    alpha = 2 / 11
    for row in range(10, 400):
        before, price = made[row - 1], BARS.close[row]
        tried = [alpha * (ema[row] + gain / 10 * (price - before)) + (1 - alpha) * before for gain in range(-30, 31)]
        assert abs(price - made[row]) == pytest.approx(min(abs(price - one) for one in tried), abs=1e-9)


# Levels.


def test_levels_follow_their_formulas():
    o, h, low, c = BARS.open, BARS.high, BARS.low, BARS.close
    p = (h + low + c) / 3
    made = columns(room.pivots)
    expected = [p, 2 * p - h, p - (h - low), low - 2 * (h - p), 2 * p - low, p + (h - low), h + 2 * (p - low)]
    np.testing.assert_allclose(made, expected)
    x = np.where(c < o, h + 2 * low + c, np.where(c > o, 2 * h + low + c, h + low + 2 * c))
    np.testing.assert_allclose(columns(room.demark_pivots), [x / 4, x / 2 - h, x / 2 - low])
    reach = 1.1 * (h - low)
    made = columns(room.camarilla_pivots)
    np.testing.assert_allclose(made[:4], [c - reach / d for d in (12, 6, 4, 2)])
    np.testing.assert_allclose(made[4:], [c + reach / d for d in (12, 6, 4, 2)])
    np.testing.assert_allclose(columns(room.woodie_pivots)[0], (h + low + 2 * c) / 4)


# Windows and statistics.


def test_windows_are_those_of_pandas():
    close = pd.Series(BARS.close)
    np.testing.assert_allclose(columns(lambda d: room.deviation(d.close, 20)), close.rolling(20).std(ddof=0))
    np.testing.assert_allclose(
        columns(lambda d: room.percent_rank(d.close, 20)),
        close.rolling(20).apply(lambda window: (window < window.iloc[-1]).mean()),
    )
    np.testing.assert_allclose(
        columns(lambda d: room.mean_deviation(d.close, 20)),
        close.rolling(20).apply(lambda window: (window - window.mean()).abs().mean()),
    )
    np.testing.assert_allclose(columns(lambda d: room.applied(d.close, np.median, 9)), close.rolling(9).median())
    weights = np.array([1.0, 2.0, 4.0])
    expected = close.rolling(3).apply(lambda window: (window * weights).sum() / 7)
    np.testing.assert_allclose(columns(lambda d: room.weighted(d.close, weights)), expected)


def test_a_deviation_stays_exact_where_values_are_large():
    prices = 1e9 + np.tile([0.0, 0.5, 1.0], 134)[:400]
    large = Bars(INSTRUMENT, BARS.timeframe, BARS.ts, *[prices] * 4, BARS.volume)
    np.testing.assert_allclose(columns(lambda d: room.deviation(d.close, 3), large)[2:], math.sqrt(1 / 6), rtol=1e-9)


def test_bars_since_the_extreme_tell_the_newest_from_the_oldest():
    steps = np.array([3.0, 5.0, 5.0, 1.0, 1.0, 4.0])
    few = Bars(INSTRUMENT, BARS.timeframe, BARS.ts[:6], *[steps] * 4, BARS.volume[:6])
    assert columns(lambda d: room.since_highest(d.close, 5), few)[4:].tolist() == [2.0, 3.0]
    assert columns(lambda d: room.since_highest(d.close, 5, oldest=True), few)[4:].tolist() == [3.0, 4.0]
    assert columns(lambda d: room.since_lowest(d.close, 5), few)[4:].tolist() == [0.0, 1.0]
    assert columns(lambda d: room.since_lowest(d.close, 5, oldest=True), few)[4:].tolist() == [1.0, 2.0]


def test_a_regression_is_that_of_least_squares():
    slope, intercept = columns(lambda d: room.pair_regression(d.close, d.open, 15))
    for row in (14, 100, 399):
        window = slice(row - 14, row + 1)
        assert [slope[row], intercept[row]] == pytest.approx(np.polyfit(BARS.open[window], BARS.close[window], 1))


def test_hursts_exponent_tells_a_walk_from_a_return_to_the_mean():
    chance = np.random.default_rng(1)
    noise = chance.normal(0, 1, 2_000)
    back = 100 + noise
    walk = 100 + np.cumsum(noise) * 0.1
    trend = 100 + np.cumsum(np.cumsum(noise) * 0.001)

    def mean(prices):
        times = BARS.ts[0] + np.arange(2_000) * HOUR
        bars = Bars(INSTRUMENT, BARS.timeframe, times, *[prices + 0.0] * 4, np.ones(2_000))
        return np.nanmean(columns(lambda d: room.hurst(d.close, 200, 2, 20), bars))

    assert mean(back) < 0.1
    assert 0.35 < mean(walk) < 0.6
    assert mean(trend) > 0.6


def test_cointegration_tells_pairs_that_belong_together():
    pytest.importorskip("statsmodels", reason="computed by statsmodels")
    together, apart = [], []
    for seed in range(9):
        chance = np.random.default_rng(seed)
        walk, other = 300 + np.cumsum(chance.normal(0, 1, (2, 102)), axis=1)
        for y, found in ((0.5 * walk + chance.normal(0, 0.5, 102) + 200, together), (other, apart)):
            top, bottom = np.maximum(walk, y), np.minimum(walk, y)
            bars = Bars(INSTRUMENT, BARS.timeframe, BARS.ts[:102], walk, top, bottom, y, np.ones(102))
            found.append(columns(lambda d: room.cointegration(d.close, d.open, 100), bars)[1][-1])
    assert max(together) < 0.05
    assert np.median(apart) > 0.2


def test_percent_b_is_where_the_price_stands():
    middle, upper, lower, percent = columns(lambda d: room.bands_percent(d.close, 20, 2.0))
    np.testing.assert_allclose(lower + percent * (upper - lower), BARS.close * (middle / middle))


# Mistakes.


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda d: room.moving_average(d, 10, "smaa"), "average is 'smaa'. Did you mean 'sma'"),
        (lambda d: room.moving_average(d, 0), "period is 0"),
        (lambda d: room.zigzag(d, 0), "percent is 0"),
        (lambda d: room.laguerre_rsi(d, 1.0), "gamma is 1"),
        (lambda d: room.hurst(d, 10, 4, 4), "lags are 4 to 4"),
        (lambda d: room.session_vwap(d, "Mars/Base"), "zone is 'Mars/Base'"),
        (lambda d: room.pivots(d, "opening"), "price is 'opening'. Did you mean 'open'"),
        (lambda d: room.weighted(d, [1.0, -1.0]), "weights add up to zero"),
        (lambda d: room.percentage_oscillator(d, 26, 12), "fast is 26 and slow is 12"),
        (lambda d: room.know_sure_thing(d, (1, 2)), "2 spans, 4 periods and 4 weights"),
        (lambda d: room.fractals(d, 5, 5), "place is 5 in a window of 5"),
        (lambda d: room.cointegration(d.close, d.open, trend="x"), "trend is 'x'"),
    ],
)
def test_a_mistake_is_told_with_its_value_and_its_remedy(make, told):
    with pytest.raises(ParameterError) as caught:
        make(series())
    assert told in str(caught.value)


def test_what_is_no_line_is_refused():
    with pytest.raises(LineError, match=r"made of lines, such as self\.data\.close; got list"):
        room.moving_average([1.0, 2.0])
    with pytest.raises(LineError, match="times are those of a series"):
        room.time_of(series().close)


# Three ways.


def test_a_function_a_formula_and_a_step_give_the_same_indicator():
    @room.indicator(lookback=lambda period: period - 1)
    def function(high, low, *, period=5):
        middle = (high + low) / 2
        total = middle[period - 1 :].copy()
        for ago in range(1, period):
            total += middle[period - 1 - ago : len(middle) - ago]
        return np.concatenate((np.full(period - 1, np.nan), total / period))

    def formula(high, low, period=5):
        middle = (high + low) / 2
        total = middle
        for ago in range(1, period):
            total = total + middle(-ago)
        return total / period

    @room.recursive(state=10, lookback=lambda period: int(period) - 1)
    def step(state, row, high, low, /, period=5):
        middle = (high + low) / 2
        total = middle
        for ago in range(1, period):
            total = total + state[int((row - ago) % period)]
        state[int(row % period)] = middle
        return (total / period,)

    made = [columns(lambda data, one=one: one(data.high, data.low, period=7)) for one in (function, formula, step)]
    assert np.isfinite(made[0]).sum() == 394
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[2])
