"""Two sources of one series are compared where they overlap, and one goes on from the other only where they agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cambist.data import compare_sources, load, switch_source
from cambist.errors import DataError


def test_equal_sources_agree(series):
    frame = series()
    found = compare_sources(frame.iloc[:200], frame.iloc[100:])
    assert found.agree
    assert (found.common, found.only_first, found.only_second) == (100, 0, 0)
    assert found.defects == ()


def test_single_bars_that_differ_are_listed_with_both_values(series):
    frame = series()
    other = frame.copy()
    other.iloc[7, 3] *= 1.01
    other.iloc[9, 4] *= 2.0
    found = compare_sources(frame, other)
    assert found.agree
    ((row, column, value, expected),) = [(one.row, one.column, one.value, one.expected) for one in found.defects]
    assert (row, column, value, expected) == (7, "close", other.iloc[7, 3], frame.iloc[7, 3])
    with_volumes = compare_sources(frame, other, volume_tolerance=0.5)
    assert {(one.row, one.column) for one in with_volumes.defects} == {(7, "close"), (9, "volume")}


def test_bars_that_one_source_alone_has_are_counted(series):
    frame = series()
    found = compare_sources(frame.drop(frame.index[[5, 6]]), frame.drop(frame.index[[9, 10, 11]]))
    assert (found.common, found.only_first, found.only_second) == (295, 3, 2)


@pytest.mark.parametrize("lag", [-1, 1, 2])
def test_a_source_that_is_some_bars_off_is_explained(series, lag):
    frame = series()
    found = compare_sources(frame, frame.set_axis(frame.index + lag * pd.Timedelta("1h")))
    assert not found.agree
    assert (found.lag, found.factor) == (lag, 1.0)
    assert f"{lag:+d} bars off" in found.describe()


def test_another_currency_is_explained_by_a_factor(series):
    frame = series()
    other = frame.copy()
    other.iloc[:, :4] /= 1.25
    found = compare_sources(frame, other)
    assert not found.agree
    assert found.lag == 0
    assert found.factor == pytest.approx(1.25)


def test_a_missing_value_differs_from_everything(series):
    frame = series()
    other = frame.copy()
    other.iloc[7, 3] = np.nan
    assert [(one.row, one.column) for one in compare_sources(frame, other).defects] == [(7, "close")]


def test_sources_without_a_common_bar_do_not_agree(series):
    frame = series()
    found = compare_sources(frame.iloc[:100], frame.iloc[100:])
    assert not found.agree
    assert "no bar of the same time" in found.describe()


def test_sources_of_two_timeframes_cannot_be_compared(series):
    with pytest.raises(DataError, match="differ in timeframe"):
        compare_sources(series(), series(100, "1D"))


def test_a_series_goes_on_from_another_source_that_agrees(series):
    frame = series()
    before = load(frame.iloc[:200], symbol="ACME")
    joined = switch_source(before, frame.iloc[150:])
    assert np.array_equal(joined.close, frame["close"])
    assert joined.instrument is before.instrument
    assert switch_source(before, frame.iloc[100:200]) is before


def test_what_was_there_stands(series):
    frame = series()
    other = frame.copy()
    other.iloc[160, 3] *= 1.0005
    assert np.array_equal(switch_source(load(frame.iloc[:200]), other.iloc[150:]).close, frame["close"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.iloc[198:], "both have 2 bars of one time, and 5 are asked for"),
        (lambda frame: frame.iloc[150:].set_axis(frame.index[150:] + pd.Timedelta("1h")), r"\+1 bars off"),
        (
            lambda frame: frame.iloc[150:].assign(close=frame.iloc[150:]["close"] * 0.99),
            r"50 of 50 common bars differ.*times 1\.01",
        ),
        (lambda frame: frame.iloc[150:] * 100.0, r"times 0\.01 they would agree\. First: row 0"),
    ],
)
def test_a_source_that_does_not_agree_is_refused_with_the_reason(series, change, message):
    frame = series()
    with pytest.raises(DataError, match=message):
        switch_source(load(frame.iloc[:200]), change(frame))
