"""Returns by calendar period against pandas' resampling, and what becomes of gaps and of ruin."""

from __future__ import annotations

from math import isnan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import Analysis, EquityRecorder, Period, RunFacts
from cambist.analysis.periods import period_numbers
from cambist.analysis.tables.labels import period_index
from cambist.errors import ParameterError
from cambist.model.times import DAY_NS, HOUR_NS, to_ns

RULES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}


@st.composite
def curves(draw):
    """Hourly to weekly bars with gaps, some years long, around 1970 and today."""
    start = to_ns(draw(st.sampled_from(["1969-12-30", "2023-12-28", "2024-02-27T07:00:00"])))
    steps = draw(
        st.lists(st.sampled_from([HOUR_NS, DAY_NS, 3 * DAY_NS, 40 * DAY_NS, 500 * DAY_NS]), min_size=1, max_size=40)
    )
    equity = draw(st.lists(st.sampled_from([50.0, 90.0, 100.0, 130.0]), min_size=len(steps), max_size=len(steps)))
    recorder = EquityRecorder(100.0, start, keep_all=True)
    times = start + np.cumsum(np.array(steps, np.int64))
    recorder.add(times, np.array(equity), np.ones(len(steps), bool))
    return RunFacts(recorder.finish()), times, np.array(equity)


@given(curves(), st.sampled_from(list(RULES)))
def test_every_period_against_pandas(made, period):
    facts, times, equity = made
    # A close at midnight belongs to the day that ends there.
    index = pd.DatetimeIndex((times - 1).view("datetime64[ns]")).to_period(RULES[period])
    ends = pd.Series(equity, index=index).groupby(level=0).last()
    before = np.concatenate(([100.0], ends.to_numpy()[:-1]))
    ours = Analysis(facts).period_returns(period)
    pd.testing.assert_series_equal(
        ours, pd.Series(ends.to_numpy() / before - 1, index=ends.index), check_names=False, rtol=1e-13
    )
    assert ours.index.name == period
    log = Analysis(facts).period_returns(period, log=True)
    np.testing.assert_allclose(log, np.log(ends.to_numpy() / before), atol=1e-13)
    assert log.sum() == pytest.approx(np.log(equity[-1] / 100.0), abs=1e-12)


@given(st.lists(st.integers(-40_000, 40_000), min_size=1, max_size=20), st.sampled_from(list(Period)))
def test_numbers_and_labels_are_of_one_mind(days, period):
    times = np.array(sorted(days), np.int64) * DAY_NS + HOUR_NS
    labels = period_index(period_numbers(times, period), period)
    wanted = pd.DatetimeIndex(times.view("datetime64[ns]")).to_period(RULES[period])
    assert labels.tolist() == wanted.tolist()


@given(curves())
def test_the_months_of_a_year_compound_to_it(made):
    analysis = Analysis(made[0])
    table = analysis.monthly_returns
    np.testing.assert_allclose((1 + table.drop(columns="Year").fillna(0.0)).prod(axis=1) - 1, table["Year"], atol=1e-12)
    assert table["Year"].tolist() == analysis.annual_returns.tolist()
    assert table.index.tolist() == sorted({label.year for label in analysis.period_returns("month").index})
    assert table.drop(columns="Year").count().sum() == len(analysis.period_returns("month"))
    assert table.columns.tolist()[:2] == ["Jan", "Feb"]


def test_statistics_of_a_period_against_pandas(make_facts):
    facts = make_facts([100.0, 110.0, 110.0, 99.0, 104.0, 101.0])
    returns = pd.Series([110 / 100, 1.0, 99 / 110, 104 / 99, 101 / 104]) - 1
    found = Analysis(facts).period_statistics("day")
    assert (found.period, found.count) == ("day", 5)
    assert (found.positive, found.negative, found.unchanged) == (2, 2, 1)
    assert [found.average, found.deviation, found.best, found.worst] == pytest.approx(
        [returns.mean(), returns.std(), returns.max(), returns.min()]
    )
    assert Analysis(facts).period_statistics("day", ddof=0).deviation == pytest.approx(returns.std(ddof=0))


def test_without_a_bar_there_is_no_period(make_facts):
    analysis = Analysis(make_facts([100.0]))
    for period in RULES:
        assert analysis.period_returns(period).empty
    assert analysis.monthly_returns.empty
    assert analysis.annual_returns.empty
    found = analysis.period_statistics("month")
    assert found.count == 0
    assert isnan(found.average)
    assert isnan(found.best)


def test_ruin_ends_the_returns_with_the_period_in_which_it_happened(make_facts):
    analysis = Analysis(make_facts([100.0, 50.0, -10.0, 20.0, 30.0]))
    assert analysis.returns.tolist()[:2] == [-0.5, -1.2]
    assert analysis.returns.isna().tolist() == [False, False, True, True]
    assert analysis.period_returns("day", log=True).isna().tolist() == [False, True, True, True]
    assert analysis.annual_returns.tolist() == pytest.approx([-0.7])


def test_an_unknown_period_is_refused(make_facts):
    with pytest.raises(ParameterError, match=r"'monthly' is no period\. Did you mean 'month'"):
        Analysis(make_facts([100.0, 101.0])).period_returns("monthly")
