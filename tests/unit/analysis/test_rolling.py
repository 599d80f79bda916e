"""A moving window gives at each place what the measure of that window alone gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cambist.analysis import Analysis
from cambist.analysis.tables import rolling
from cambist.errors import ParameterError

WINDOW = 30


@pytest.fixture(scope="module")
def equity():
    return 100.0 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.0, 0.01, 201)))


@pytest.fixture(scope="module")
def analysis(make_facts, equity):
    other = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 0.02, 201)))
    return Analysis(make_facts(equity, benchmark=make_facts(other).curve))


@pytest.mark.parametrize(
    ("call", "key", "settings"),
    [
        ("rolling_returns", "total_return", {}),
        ("rolling_volatility", "volatility", {}),
        ("rolling_sharpe", "sharpe", {"risk_free": 0.03}),
        ("rolling_sortino", "sortino", {"target": 0.03}),
        ("rolling_calmar", "calmar", {}),
    ],
)
def test_each_window_is_a_run_of_its_own(make_facts, analysis, equity, call, key, settings):
    series = getattr(analysis, call)(WINDOW, period="day", **settings)
    assert series.iloc[: WINDOW - 1].isna().all()
    assert series.index.equals(analysis.returns.index)
    alone = [
        Analysis(make_facts(equity[end - WINDOW : end + 1])).measure(key, **settings)
        for end in range(WINDOW, len(equity))
    ]
    np.testing.assert_allclose(series.iloc[WINDOW - 1 :], alone, rtol=1e-8)


def test_beta_against_pandas(analysis):
    own, other = analysis.returns, analysis.benchmark.returns
    wanted = own.rolling(WINDOW).cov(other) / other.rolling(WINDOW).var()
    np.testing.assert_allclose(analysis.rolling_beta(WINDOW), wanted, rtol=1e-9)


def test_logarithmic_returns_add_up(analysis):
    logs = analysis.period_returns("day", log=True)
    np.testing.assert_allclose(analysis.rolling_returns(5, log=True), logs.rolling(5).sum(), atol=1e-12)
    np.testing.assert_allclose(analysis.rolling_returns(1), analysis.returns, atol=1e-13)


def test_windows_of_months(analysis):
    months = analysis.period_returns("month")
    series = analysis.rolling_sharpe(3, period="month")
    wanted = months.rolling(3).mean() / months.rolling(3).std() * np.sqrt(12)
    pd.testing.assert_series_equal(series, wanted, check_names=False)


def test_windows_are_looked_at_a_few_at_a_time(analysis, monkeypatch):
    whole = analysis.rolling_sharpe(WINDOW)
    monkeypatch.setattr(rolling, "_AT_ONCE", 7 * WINDOW)
    pd.testing.assert_series_equal(analysis.rolling_sharpe(WINDOW), whole)


def test_a_window_longer_than_the_run_is_never_full(analysis):
    assert analysis.rolling_volatility(201).isna().all()
    assert analysis.rolling_volatility(200).notna().sum() == 1


def test_after_ruin_no_window_has_a_value(make_facts):
    series = Analysis(make_facts([100.0, 90.0, 95.0, 0.0, 10.0, 20.0])).rolling_sharpe(2)
    assert series.notna().tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("window", [1, 0, -3, 2.5, True, "20"])
def test_a_window_is_a_number_of_periods(analysis, window):
    with pytest.raises(ParameterError, match=r"it is a number of periods, 2 or more"):
        analysis.rolling_sharpe(window)
    with pytest.raises(ParameterError, match="2 or more"):
        analysis.rolling_beta(window)
