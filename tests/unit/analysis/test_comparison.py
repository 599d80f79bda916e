"""A run beside a benchmark, against NumPy's regression, and what happens where one of the two has a gap."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pandas as pd
import pytest

from cambist.analysis import Analysis, EquityRecorder, RunFacts
from cambist.errors import InputError, ParameterError
from cambist.model.times import DAY_NS, to_ns

DAYS = pd.bdate_range("2022-01-03", periods=300)


def curve_of(returns, days=DAYS):
    recorder = EquityRecorder(1_000.0, to_ns(days[0]))
    recorder.add(
        days.as_unit("ns").asi8 + DAY_NS, 1_000.0 * np.cumprod(1.0 + np.asarray(returns)), np.ones(len(days), bool)
    )
    return recorder.finish()


@pytest.fixture(scope="module")
def returns():
    chance = np.random.default_rng(9)
    market = chance.normal(0.0005, 0.012, len(DAYS))
    return 0.0002 + 0.7 * market + chance.normal(0.0, 0.004, len(DAYS)), market


def by_regression(own, market, free=0.0):
    slope, _ = np.polyfit(market, own, 1)
    mean = np.mean(own - free - slope * (market - free))
    apart = own - market
    return {
        "alpha": (1 + mean) ** 252 - 1,
        "beta": slope,
        "correlation": np.corrcoef(own, market)[0, 1],
        "tracking_error": np.std(apart, ddof=1) * sqrt(252),
        "information_ratio": np.mean(apart) / np.std(apart, ddof=1) * sqrt(252),
    }


def test_the_runs_own_benchmark_is_the_one_by_default(returns):
    own, market = returns
    facts = RunFacts(curve_of(own), benchmark=curve_of(market))
    found = Analysis(facts).compare()
    assert found.count == len(DAYS)
    for key, number in by_regression(own, market).items():
        assert getattr(found, key) == pytest.approx(number, rel=1e-8), key
        assert Analysis(facts).measure(key) == pytest.approx(number, rel=1e-8), key
    free = 1.03 ** (1 / 252) - 1
    wanted = by_regression(own, market, free)["alpha"]
    assert Analysis(facts).compare(risk_free=0.03).alpha == pytest.approx(wanted, rel=1e-8)
    assert Analysis(facts).measure("alpha", risk_free=0.03) == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize(
    "index",
    [
        DAYS,
        DAYS.to_period("D"),
        DAYS + pd.Timedelta(hours=16),
        DAYS.tz_localize("Asia/Tokyo"),
        DAYS.tz_localize("America/New_York") + pd.Timedelta(hours=16),
    ],
    ids=["dates", "periods", "times", "Tokyo", "New York"],
)
def test_returns_of_your_choice_by_date(returns, index):
    own, market = returns
    analysis = Analysis(RunFacts(curve_of(own)))
    found = analysis.compare(pd.Series(market, index=index))
    assert found.count == len(DAYS)
    assert found.beta == pytest.approx(by_regression(own, market)["beta"], rel=1e-8)


def test_the_returns_and_the_curve_of_another_run(returns):
    own, market = returns
    analysis, other = Analysis(RunFacts(curve_of(own))), Analysis(RunFacts(curve_of(market)))
    assert analysis.compare(other.returns).beta == pytest.approx(analysis.compare(other.facts.curve).beta, rel=1e-12)


def test_only_the_days_of_both_count(returns):
    own, market = returns
    late = pd.Series(market, index=DAYS).iloc[40:]
    found = Analysis(RunFacts(curve_of(own))).compare(late)
    assert found.count == len(DAYS) - 40
    assert found.correlation == pytest.approx(by_regression(own[40:], market[40:])["correlation"], rel=1e-8)


def test_a_gap_in_the_benchmark_is_bridged_by_both(returns):
    own, market = returns
    # The benchmark's market is closed on day 10: its return of day 11 is that of both days.
    index = pd.Series((1.0 + market).cumprod(), index=DAYS).drop(DAYS[10]).pct_change()
    index.iloc[0] = market[0]
    found = Analysis(RunFacts(curve_of(own))).compare(index)
    together = [np.concatenate((one[:10], [(1 + one[10]) * (1 + one[11]) - 1], one[12:])) for one in (own, market)]
    assert found.count == len(DAYS) - 1
    assert found.beta == pytest.approx(by_regression(*together)["beta"], rel=1e-8)
    assert found.tracking_error == pytest.approx(by_regression(*together)["tracking_error"], rel=1e-8)


def test_a_run_is_its_own_benchmark(returns):
    own, _ = returns
    found = Analysis(RunFacts(curve_of(own))).compare(curve_of(own))
    assert (found.beta, found.correlation) == (pytest.approx(1.0), pytest.approx(1.0))
    assert (found.tracking_error, found.alpha) == (0.0, pytest.approx(0.0, abs=1e-12))
    assert isnan(found.information_ratio)


@pytest.mark.parametrize(
    "benchmark", [None, pd.Series([0.01], index=DAYS[:1]), pd.Series([], index=DAYS[:0], dtype=float)]
)
def test_too_little_to_compare_with_gives_no_number(returns, benchmark):
    found = Analysis(RunFacts(curve_of(returns[0]))).compare(benchmark)
    assert found.count < 2
    assert all(isnan(getattr(found, key)) for key in ("alpha", "beta", "correlation", "tracking_error"))
    assert isnan(found.information_ratio)


def test_ruin_of_either_gives_no_number(returns):
    ruined = curve_of([*returns[0][:-1], -1.5])
    assert isnan(Analysis(RunFacts(ruined)).compare(curve_of(returns[1])).beta)
    assert isnan(Analysis(RunFacts(curve_of(returns[1]))).compare(ruined).beta)


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [
        (pd.Series([0.1, 0.2]), "Series of RangeIndex. Set its dates as index"),
        ([0.1, 0.2], "a list of NoneType"),
        (pd.Series([0.1, 0.2], index=[DAYS[1], DAYS[0]]), r"of 2022-01-03 is 0\.2, after that of 2022-01-04"),
        (pd.Series([0.1, 0.2], index=[DAYS[0], DAYS[0]]), r"of 2022-01-03 is 0\.2, after that of 2022-01-03"),
        (pd.Series([0.1, -1.2], index=DAYS[:2]), r"of 2022-01-04 is -1\.2"),
        (pd.Series([float("inf")], index=DAYS[:1]), "of 2022-01-03 is inf"),
    ],
)
def test_what_is_no_series_of_daily_returns_is_refused(returns, benchmark, message):
    with pytest.raises(InputError, match=message):
        Analysis(RunFacts(curve_of(returns[0]))).compare(benchmark)


def test_a_rate_that_is_none_is_refused(returns):
    with pytest.raises(ParameterError, match="risk_free is -2"):
        Analysis(RunFacts(curve_of(returns[0]))).compare(curve_of(returns[1]), risk_free=-2)
