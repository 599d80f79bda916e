"""Every indicator of backtrader's, by the same name and parameters, gives its numbers."""

from __future__ import annotations

from operator import add
from typing import Any

import numpy as np
import pandas as pd
import pytest
from differential_engines import backtrader
from indicator_pairs import frame, ours, theirs

from cambist.indicators import backtrader as names

BARS = frame(340, 5)

#: What it is made of besides the bars (``d`` is the data, ``i`` the indicators), and its parameters: all cases of each.
CASES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "Envelope": [("d.close", {}), ("d.close", {"perc": 4.0})],
    "Oscillator": [("d.close, i.SMA(d.close, period=9)", {})],
    "SumN": [("d.close", {"period": 7}), ("d.close", {})],
    "Highest": [("d.high", {"period": 9}), ("d.high", {})],
    "Lowest": [("d.low", {"period": 9}), ("d.low", {})],
    "Average": [("d.close", {"period": 7}), ("d.close", {})],
    "WeightedAverage": [("d.close", {"period": 4, "coef": 0.2, "weights": (1.0, 2.0, 0.5, 3.0)})],
    "ExponentialSmoothing": [("d.close", {"period": 5, "alpha": 0.3}), ("d.close", {"period": 12})],
    "ExponentialSmoothingDynamic": [("d.close", {"period": 5, "alpha": "ratio"})],
    "Accum": [("d.close", {}), ("d.close", {"seed": 12.5})],
    "ApplyN": [("d.close", {"period": 6, "func": max}), ("d.close", {"period": 6, "func": lambda w: w[0] - w[-1]})],
    "ReduceN": [("d.close", {"period": 6, "function": "add"})],
    "AnyN": [("d.close > d.open", {"period": 3}), ("d.close - d.close(-1)", {"period": 2})],
    "AllN": [("d.close > d.open", {"period": 3}), ("d.close - d.close(-1)", {"period": 2})],
    "FindFirstIndexHighest": [
        ("d.close", {"period": 12}),
        ("d.close", {"period": 5, "_evalfunc": lambda w: sorted(w)[2]}),
    ],
    "FindFirstIndexLowest": [
        ("d.close", {"period": 12}),
        ("d.close", {"period": 5, "_evalfunc": lambda w: sorted(w)[2]}),
    ],
    "FindLastIndexHighest": [
        ("d.close", {"period": 12}),
        ("d.close", {"period": 5, "_evalfunc": lambda w: sorted(w)[2]}),
    ],
    "FindLastIndexLowest": [
        ("d.close", {"period": 12}),
        ("d.close", {"period": 5, "_evalfunc": lambda w: sorted(w)[2]}),
    ],
    "NonZeroDifference": [("d.close, d.open", {})],
    "CrossUp": [("d.close, d.open", {}), ("d.close, i.SMA(d.close, period=5)", {})],
    "CrossDown": [("d.close, d.open", {}), ("d.close, i.SMA(d.close, period=5)", {})],
    "CrossOver": [("d.close, d.open", {}), ("d.close, i.SMA(d.close, period=5)", {})],
    "StandardDeviation": [("d.close", {}), ("d.close", {"movav": "EMA"}), ("d.close, i.SMA(d.close, period=20)", {})],
    "MeanDeviation": [("d.close", {}), ("d.close", {"movav": "EMA"}), ("d.close, i.SMA(d.close, period=9)", {})],
    "ParabolicSAR": [("d", {}), ("d", {"period": 5, "af": 0.03, "afmax": 0.15})],
    "RelativeStrengthIndex": [("d", {}), ("d", {"period": 3, "safediv": True}), ("d", {"lookback": 3, "movav": "WMA"})],
    "HurstExponent": [("d", {}), ("d", {"period": 60, "lag_start": 3, "lag_end": 20})],
    "LaguerreRSI": [("d", {}), ("d", {"gamma": 0.8, "period": 12})],
    "LaguerreFilter": [("d", {}), ("d", {"gamma": 0.8, "period": 12})],
    "DV2": [("d", {"period": 50}), ("d", {})],
    "PivotPoint": [("d", {}), ("d", {"open": True}), ("d", {"close": True})],
    "FibonacciPivotPoint": [("d", {}), ("d", {"open": True, "level1": 0.25}), ("d", {"close": True})],
    "haDelta": [("d", {}), ("d", {"autoheikin": False, "movav": "EMA"})],
    "DetrendedPriceOscillator": [("d", {}), ("d", {"period": 21})],
    "ZeroLagIndicator": [("d", {}), ("d", {"period": 9, "gainlimit": 5})],
    "KnowSureThing": [("d", {}), ("d", {"rma4": 15, "rfactors": [1.0, 1.0, 2.0, 0.5], "_rmovav": "EMA"})],
    "PercentRank": [("d", {}), ("d", {"period": 10, "func": lambda w: sum(x <= w[-1] for x in w) / len(w)})],
    "MACD": [("d", {}), ("d", {"period_me1": 5, "movav": "SMA"})],
    "Stochastic": [("d", {}), ("d", {"period": 5, "movav": "EMA"})],
}
PAIRS = {"OLS_Slope_InterceptN", "OLS_TransformationN", "OLS_BetaN", "CointN"}

#: The first candle is known here on the first bar: backtrader shows it one later.
EARLIER = {"HeikinAshi.ha_high": 1, "HeikinAshi.ha_low": 1, "haDelta.haDelta": 1, "haDelta.smoothed": 1}

#: backtrader's envelope of this average has no bands, and its oscillator is the average itself.
BROKEN = {"ZeroLagIndicatorEnvelope", "ZeroLagIndicatorOscillator"}


def both(name: str, what: str, parameters: dict[str, Any], bars: pd.DataFrame) -> tuple[Any, Any]:
    """Return the columns of both, by backtrader's names of the lines."""

    def make(room: Any, data: Any) -> Any:
        given = {
            key: (data.close - data.low) / (data.high - data.low + 1.0) * 0.5
            if value == "ratio"
            else getattr(room, value)
            if key in {"movav", "_movav", "_rmovav"}
            else add
            if value == "add"
            else value
            for key, value in parameters.items()
        }
        inputs = eval(f"({what},)", {"d": data, "i": room})
        if name == "ReduceN" and room is backtrader.ind:
            return room.ReduceN(*inputs, given.pop("function"), **given)
        return getattr(room, name)(*inputs, **given)

    found = theirs(bars, make)
    made = ours(bars, lambda data: make(names, data))
    return found, ({next(iter(found)): made[""]} if "" in made else made)


#: What they look like where the bar is that confirms them, or where nothing is known of the future.
ELSEWHERE = {"Fractal", "Ichimoku"}


INDICATORS = [
    (name, what, parameters)
    for name in names.INDICATORS
    if name not in PAIRS | BROKEN | ELSEWHERE
    for what, parameters in CASES.get(name, [("d", {})])
]


@pytest.mark.parametrize(("name", "what", "parameters"), INDICATORS)
def test_an_indicator_gives_the_numbers_of_backtrader(name, what, parameters):
    found, made = both(name, what, parameters, BARS)
    assert list(made) == list(found)
    for line, column in found.items():
        first = int(np.isfinite(column).argmax())
        begins = int(np.isfinite(made[line]).argmax())
        assert begins == first - (EARLIER.get(f"{name}.{line}", 0) if not parameters else 0), line
        assert len(column) - first > 40
        np.testing.assert_allclose(made[line][first:], column[first:], rtol=1e-8, atol=1e-8, err_msg=line)


def test_every_name_and_alias_of_backtrader_is_there():
    kinds = [getattr(backtrader.ind, name) for name in dir(backtrader.ind)]
    theirs_named = {name for name, kind in zip(dir(backtrader.ind), kinds, strict=True) if _computes(kind)}
    bases = {"BaseApplyN", "FindFirstIndex", "FindLastIndex", "Indicator", "MovingAverageBase", "OperationN", "PeriodN"}
    assert theirs_named - bases - {"movav", "newcls", "OscillatorMixIn"} <= set(names.__all__)
    assert set(names.__all__) - theirs_named == {"Fractal"}  # a study there


def _computes(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, backtrader.Indicator)


@pytest.mark.parametrize("name", sorted(set(names.INDICATORS) - {"Fractal"}))
def test_every_parameter_of_backtrader_is_accepted_with_its_default(name):
    their = dict(getattr(backtrader.ind, name).params._getitems())
    our = names.INDICATORS[name]
    known = our._parameters
    for parameter, value in their.items():
        assert parameter in known or parameter in our.drawn or name.endswith(("Envelope", "Oscillator")), parameter
        if parameter in known and isinstance(value, int | float | bool):
            assert known[parameter].default in {value, known[parameter].empty}, parameter


def test_an_envelope_and_an_oscillator_that_backtrader_leaves_broken_are_whole_here():
    band = ours(BARS, lambda data: names.ZeroLagIndicatorEnvelope(data, perc=4.0, period=12))
    apart = ours(BARS, lambda data: names.ZeroLagIndicatorOscillator(data, period=12))[""]
    average = theirs(BARS, lambda room, data: room.ZeroLagIndicator(data, period=12))["ec"]
    np.testing.assert_allclose(band["ec"], average, rtol=1e-9)
    np.testing.assert_allclose(band["top"], average * 1.04, rtol=1e-9)
    np.testing.assert_allclose(apart, BARS["close"] - average, rtol=1e-6, atol=1e-9)


def test_ichimoku_is_that_of_backtrader_but_for_the_span_that_holds_the_future():
    found, made = both("Ichimoku", "d", {"tenkan": 5, "kijun": 13, "senkou": 26, "senkou_lead": 13, "chikou": 13}, BARS)
    for line in ("tenkan_sen", "kijun_sen", "senkou_span_a", "senkou_span_b"):
        np.testing.assert_allclose(made[line], found[line], rtol=1e-12)
    drawn = found["chikou_span"][: len(BARS) - 13]
    assert np.isfinite(drawn).all()
    np.testing.assert_array_equal(made["chikou_span"][13:], drawn)  # known thirteen bars after where it is drawn


def test_fractals_come_on_the_bar_that_confirms_them():
    from backtrader.studies.contrib.fractal import Fractal

    found = theirs(BARS, lambda room, data: Fractal(data, bardist=0.01))
    made = ours(BARS, lambda data: names.Fractal(data, bardist=0.01))
    for line, column in found.items():
        assert 20 < np.isfinite(column).sum() < len(column) / 2
        np.testing.assert_allclose(made[line][2:], column[:-2], rtol=1e-12)


PAIR = {"d.high, d.close": {}, "d.close, d.volume": {"period": 25}}


@pytest.mark.parametrize("what", PAIR)
@pytest.mark.parametrize("name", ["OLS_Slope_InterceptN", "OLS_TransformationN", "CointN"])
def test_pairs_give_the_numbers_of_backtrader_and_statsmodels(name, what):
    pytest.importorskip("statsmodels", reason="backtrader computes pairs by statsmodels")
    found, made = both(name, what, PAIR[what], BARS[:90])
    for line, column in found.items():
        first = int(np.isfinite(column).argmax())
        assert first == np.isfinite(made[line]).argmax()
        np.testing.assert_allclose(made[line][first:], column[first:], rtol=1e-6, atol=1e-7, err_msg=line)


def test_beta_is_the_slope_of_a_fitted_line():
    made = ours(BARS, lambda data: names.OLS_BetaN(data.close, data.open, period=10))[""]
    close, opened = BARS["close"].to_numpy(), BARS["open"].to_numpy()
    fitted = [np.polyfit(opened[row - 9 : row + 1], close[row - 9 : row + 1], 1)[0] for row in range(9, len(BARS))]
    np.testing.assert_allclose(made[9:], fitted, rtol=1e-7)


def test_real_bars_give_the_same_numbers(outside_data):
    bars = pd.read_parquet(outside_data / "stocks" / "us_daily" / "SPY.parquet").tail(500)
    bars = bars.set_index(pd.DatetimeIndex(bars["timestamp"]).tz_localize(None))
    bars = bars[["open", "high", "low", "close", "volume"]].astype(float)
    stopped = set()
    for name, what, parameters in INDICATORS:
        try:
            found, made = both(name, what, parameters, bars)
        except ZeroDivisionError:  # of theirs
            stopped.add(name)
            continue
        for line, column in found.items():
            first = int(np.isfinite(column).argmax())
            close = np.isclose(made[line][first:], column[first:], rtol=1e-6, atol=1e-6)
            assert close.all(), f"{name}.{line}: {np.flatnonzero(~close)[:5] + first}"
    assert stopped <= {"RelativeStrengthIndex"}
