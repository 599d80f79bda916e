"""The measures that a summary leaves out, each against its published definition, written out here."""

from __future__ import annotations

from fractions import Fraction
from math import exp, isnan, log, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import MEASURES, Analysis, EquityRecorder, RunFacts
from cambist.errors import ParameterError
from cambist.model.times import DAY_NS, to_ns


def value(key, facts, **settings):
    return Analysis(facts).measure(key, **settings)


@pytest.fixture(scope="module")
def steps():
    """Two years of business days with fat tails, and their returns by day."""
    chance = np.random.default_rng(5)
    days = pd.bdate_range("2021-01-04", periods=520)
    returns = pd.Series(chance.standard_t(4, len(days)) * 0.01, index=days)
    recorder = EquityRecorder(1_000.0, to_ns(days[0]))
    recorder.add(
        days.as_unit("ns").asi8 + DAY_NS,
        (1_000.0 * (1 + returns).cumprod()).to_numpy(),
        np.ones(len(days), bool),
    )
    return RunFacts(recorder.finish()), returns


def test_the_distribution_of_daily_returns_against_pandas(steps):
    facts, r = steps
    worst = r.sort_values()[: int(0.05 * (len(r) - 1)) + 1]
    wanted = {
        "log_return": np.log1p(r).sum(),
        "downside_deviation": sqrt((r.clip(upper=0) ** 2).mean() * 252),
        "omega": r[r > 0].sum() / -r[r < 0].sum(),
        "value_at_risk": r.quantile(0.05),
        "conditional_value_at_risk": worst.mean(),
        "tail_ratio": abs(r.quantile(0.95)) / abs(r.quantile(0.05)),
        "skewness": r.skew(),
        "kurtosis": r.kurt(),
    }
    for key, number in wanted.items():
        assert value(key, facts) == pytest.approx(number, rel=1e-9), key


def test_a_target_and_a_share_change_what_they_say(steps):
    facts, r = steps
    target = 1.05 ** (1 / 252) - 1
    over = r - target
    assert value("omega", facts, target=0.05) == pytest.approx(over[over > 0].sum() / -over[over < 0].sum(), rel=1e-9)
    assert value("downside_deviation", facts, target=0.05) == pytest.approx(
        sqrt((over.clip(upper=0) ** 2).mean() * 252), rel=1e-9
    )
    assert value("value_at_risk", facts, share=0.01) == pytest.approx(r.quantile(0.01), rel=1e-9)
    assert value("value_at_risk", facts, share=0.01) < value("value_at_risk", facts)


@pytest.mark.parametrize(("period", "rule", "per_year"), [("week", "W", 52), ("month", "ME", 12), ("quarter", "QE", 4)])
def test_measures_of_longer_periods_against_pandas(steps, period, rule, per_year):
    facts, r = steps
    r = (1 + r).resample(rule).prod() - 1
    free = 1.02 ** (1 / per_year) - 1
    wanted = {
        "sharpe": ((r - free).mean() / r.std() * sqrt(per_year), {"risk_free": 0.02}),
        "sortino": (
            (r - free).mean() / sqrt(((r - free).clip(upper=0) ** 2).mean()) * sqrt(per_year),
            {"target": 0.02},
        ),
        "volatility": (r.std() * sqrt(per_year), {}),
        "omega": (r[r > 0].sum() / -r[r < 0].sum(), {}),
        "value_at_risk": (r.quantile(0.05), {}),
        "skewness": (r.skew(), {}),
    }
    for key, (number, settings) in wanted.items():
        assert value(key, facts, period=period, **settings) == pytest.approx(number, rel=1e-9), key
    assert value("sharpe", facts, period=period, annualized=False, ddof=0) == pytest.approx(r.mean() / r.std(ddof=0))


def test_variability_weighted_return_against_its_definition(steps):
    facts, r = steps
    growth = sum(log(1 + one) for one in r) / len(r)
    path, worth = [], 1.0
    for number, one in enumerate(r, start=1):
        worth *= 1 + one
        path.append(worth / exp(growth * number) - 1)
    sigma = pd.Series(path).std()
    wanted = (exp(growth * 252) - 1) * (1 - (sigma / 0.3) ** 1.5)
    assert value("vwr", facts, sigma_max=0.3, tau=1.5) == pytest.approx(wanted, rel=1e-9)
    assert isnan(value("vwr", facts, sigma_max=sigma * 0.99))


def test_steady_growth_keeps_all_of_its_return(make_facts):
    facts = make_facts(100.0 * 1.001 ** np.arange(400))
    assert value("vwr", facts) == pytest.approx(value("cagr", facts), rel=1e-9)


def test_ulcer_index_looks_from_the_peaks_of_every_bar():
    recorder = EquityRecorder(100.0, 0)
    half = DAY_NS // 2
    recorder.add(half * np.arange(1, 5), np.array([120.0, 90.0, 110.0, 108.0]), np.ones(4, bool))
    # Samples 90 and 108 under a peak of 120.
    assert value("ulcer_index", RunFacts(recorder.finish())) == pytest.approx(sqrt((0.25**2 + 0.1**2) / 2))


@given(st.lists(st.integers(-8, 8), min_size=2, max_size=40), st.sampled_from([0.05, 0.2, 0.5, 0.9]))
def test_tails_against_exact_arithmetic(make_facts, percents, share):
    """Returns of whole 64ths, so that equity stays exact for a while and sums are compared with fractions."""
    equity = [Fraction(2) ** 30]
    for percent in percents:
        equity.append(equity[-1] * (64 + percent) / 64)
    facts = make_facts([float(one) for one in equity])
    returns = sorted(Fraction(percent, 64) for percent in percents)
    place = Fraction(share).limit_denominator(100) * (len(returns) - 1)
    low, rest = int(place), place - int(place)
    quantile = returns[low] + (returns[min(low + 1, len(returns) - 1)] - returns[low]) * rest
    assert value("value_at_risk", facts, share=share) == pytest.approx(float(quantile), abs=1e-12)
    shortfall = sum(returns[: low + 1], Fraction(0)) / (low + 1)
    assert value("conditional_value_at_risk", facts, share=share) == pytest.approx(float(shortfall), abs=1e-12)
    gained, lost = (sum((max(sign * one, Fraction(0)) for one in returns), Fraction(0)) for sign in (1, -1))
    omega = value("omega", facts)
    if lost:
        assert omega == pytest.approx(float(gained / lost), rel=1e-9)
    else:
        assert isnan(omega) or omega > 1e12  # what rounding leaves of no loss at all


def test_the_deepest_fall_in_money_is_not_always_the_deepest_share(make_facts):
    facts = make_facts([100.0, 50.0, 1_000.0, 800.0, 900.0])
    assert value("max_drawdown", facts) == -0.5
    assert value("max_drawdown_money", facts) == -200.0
    assert value("recovery_factor", facts) == 4.0


@given(st.lists(st.integers(-2, 2), max_size=30))
def test_streaks_and_payoff_against_a_loop(make_trade, make_facts, nets):
    trades = [make_trade(float(net), closed_at=(2 + number) * DAY_NS, number=number) for number, net in enumerate(nets)]
    facts = make_facts([100.0, 101.0], trades[::-1])
    longest = {1: 0, -1: 0}
    running, last = 0, 0
    for net in nets:
        sign = (net > 0) - (net < 0)
        running = running + 1 if sign == last else 1
        last = sign
        if sign:
            longest[sign] = max(longest[sign], running)
    assert value("longest_winning_streak", facts) == longest[1]
    assert value("longest_losing_streak", facts) == longest[-1]
    won, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    payoff, kelly = value("payoff_ratio", facts), value("kelly", facts)
    if won and lost:
        odds = (sum(won) / len(won)) / (-sum(lost) / len(lost))
        assert payoff == pytest.approx(odds)
        assert kelly == pytest.approx(len(won) / len(nets) - len(lost) / len(nets) / odds)
    else:
        assert isnan(payoff)
        assert isnan(kelly)


@pytest.mark.parametrize(
    ("key", "settings", "message"),
    [
        ("sharpe", {"risk_free": -1.0}, r"risk_free is -1\.0; it is a yearly rate"),
        ("sortino", {"target": float("nan")}, "target is nan"),
        ("value_at_risk", {"share": 5.0}, r"share is 5\.0; it is a share between 0 and 1"),
        ("conditional_value_at_risk", {"share": 0.0}, r"share is 0\.0"),
        ("tail_ratio", {"share": 1.0}, r"share is 1\.0"),
        ("omega", {"period": "moth"}, "'moth' is no period. Did you mean 'month'"),
        ("vwr", {"tau": 0.0}, r"tau 0\.0; both must be above 0"),
        ("sharpe", {"riskfree": 0.1}, "no setting 'riskfree'. Did you mean 'risk_free'"),
        ("trades", {"period": "day"}, "no setting 'period'. It has none"),
        ("sharp", {}, "no measure 'sharp'. Did you mean 'sharpe'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(make_facts, key, settings, message):
    with pytest.raises(ParameterError, match=message):
        value(key, make_facts([100.0, 110.0, 99.0]), **settings)


def test_all_measures_at_once_are_those_one_by_one(make_facts, make_trade):
    facts = make_facts([100.0, 110.0, 99.0, 105.0], [make_trade(5.0), make_trade(-3.0)], benchmark=None)
    together = Analysis(facts).measures()
    assert list(together) == list(MEASURES)
    assert together == pytest.approx({key: value(key, facts) for key in MEASURES}, nan_ok=True)
