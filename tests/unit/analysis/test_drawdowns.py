"""Every stretch under water against a plain loop over the points."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import Analysis, EquityRecorder, RunFacts
from cambist.model.times import DAY_NS, HOUR_NS, to_ns

START = to_ns("2024-01-01")


def facts_of(equity, step=HOUR_NS, *, keep_all=True):
    recorder = EquityRecorder(100.0, START, keep_all=keep_all)
    times = START + step * np.arange(1, len(equity) + 1, dtype=np.int64)
    recorder.add(times, np.array(equity, np.float64), np.ones(len(equity), bool))
    return RunFacts(recorder.finish())


def stretches_by_loop(equity, step):
    """Peak, trough, recovery (None: never), depth, money and closes below the peak of each stretch, by definition."""
    points = [100.0, *equity]
    found, peak = [], 0
    current = None
    for number, value in enumerate(points):
        if value >= points[peak]:
            if current is not None:
                found.append({**current, "recovery": number})
                current = None
            peak = number
        else:
            if current is None:
                current = {"peak": peak, "trough": number, "recovery": None, "bars": 0}
            current["bars"] += 1
            if value < points[current["trough"]]:
                current["trough"] = number
    if current is not None:
        found.append(current)
    for one in found:
        one["depth"] = points[one["trough"]] / points[one["peak"]] - 1
        one["money"] = points[one["trough"]] - points[one["peak"]]
        one["end"] = len(points) - 1 if one["recovery"] is None else one["recovery"]
    return sorted(found, key=lambda one: one["depth"])


EQUITY = st.lists(st.sampled_from([-5.0, 0.0, 60.0, 80.0, 90.0, 99.9, 100.0, 100.1, 120.0]), max_size=40)


@given(EQUITY)
def test_the_table_is_that_of_the_definition(equity):
    table = Analysis(facts_of(equity)).drawdowns
    wanted = stretches_by_loop(equity, HOUR_NS)

    def time(number):
        return pd.NaT if number is None else pd.Timestamp(START + number * HOUR_NS, tz="UTC")

    assert table["depth"].tolist() == [one["depth"] for one in wanted]
    assert table["money"].tolist() == [one["money"] for one in wanted]
    assert table["bars"].tolist() == [one["bars"] for one in wanted]
    for column in ("peak", "trough", "recovery"):
        assert list(table[column].fillna(pd.Timestamp(0, tz="UTC"))) == [
            pd.Timestamp(0, tz="UTC") if one[column] is None else time(one[column]) for one in wanted
        ]
    hours = pd.Timedelta(hours=1)
    assert table["fall"].tolist() == [(one["trough"] - one["peak"]) * hours for one in wanted]
    assert table["length"].tolist() == [(one["end"] - one["peak"]) * hours for one in wanted]
    assert table["climb"].isna().tolist() == [one["recovery"] is None for one in wanted]


@given(EQUITY)
def test_the_first_row_is_the_maximum_drawdown(equity):
    facts = facts_of(equity)
    table, deepest = Analysis(facts).drawdowns, facts.curve.drawdown
    if table.empty:
        assert deepest.trough_at is None
        return
    first = table.iloc[0]
    assert first["depth"] == deepest.fraction
    assert [first[name].value for name in ("peak", "trough")] == [deepest.peak_at, deepest.trough_at]
    assert (None if first["recovery"] is pd.NaT else first["recovery"].value) == deepest.recovered_at
    assert table["length"].max().value == deepest.longest
    assert table["money"].min() == deepest.money


@given(EQUITY)
def test_statistics_and_the_underwater_curve_against_pandas(equity):
    analysis = Analysis(facts_of(equity))
    line = pd.Series([100.0, *equity])
    peaks = line.cummax()
    under = line / peaks - 1
    assert analysis.underwater.tolist() == under.tolist()[1:]
    below = line < peaks
    runs = below.groupby((~below).cumsum()).sum()
    found = analysis.drawdown_statistics
    assert (found.fraction, found.money) == (under.iloc[-1], line.iloc[-1] - peaks.iloc[-1])
    assert (found.max_fraction, found.max_money) == (under.min(), (line - peaks).min())
    assert (found.bars, found.max_bars) == (runs.iloc[-1], runs.max())


@given(EQUITY, st.sampled_from(["day", "week", "month"]))
def test_the_largest_fall_between_the_ends_of_periods(equity, period):
    analysis = Analysis(facts_of(equity, step=5 * DAY_NS))
    ends = analysis.facts.period_equity(period).equity
    line = pd.Series(ends)
    below = line < line.cummax()
    found = analysis.period_drawdown(period)
    assert found.fraction == (line / line.cummax() - 1).min()
    assert found.periods == below.groupby((~below).cumsum()).sum().max()
    assert found.period == period


def test_the_columns_have_types_that_can_be_worked_with():
    table = Analysis(facts_of([90.0, 100.0, 80.0])).drawdowns
    assert table.dtypes.astype(str).to_dict() == {
        "peak": "datetime64[ns, UTC]",
        "trough": "datetime64[ns, UTC]",
        "recovery": "datetime64[ns, UTC]",
        "depth": "float64",
        "money": "float64",
        "bars": "int64",
        "fall": "timedelta64[ns]",
        "climb": "timedelta64[ns]",
        "length": "timedelta64[ns]",
    }
    empty = Analysis(facts_of([])).drawdowns
    assert empty.dtypes.astype(str).to_dict() == table.dtypes.astype(str).to_dict()


def test_a_run_that_kept_no_bars_tells_of_the_ends_of_its_days():
    hours = [100.0] * 20 + [90.0] + [95.0] * 30 + [101.0] * 10
    kept, sampled = Analysis(facts_of(hours)), Analysis(facts_of(hours, keep_all=False))
    assert kept.drawdowns["depth"].tolist() == [90 / 100 - 1]
    assert sampled.drawdowns["depth"].tolist() == [95 / 100 - 1]
    assert sampled.drawdown_statistics.max_fraction == 90 / 100 - 1
    assert len(sampled.underwater) == 3


def test_spy_fell_as_everybody_remembers(outside_data):
    spy = pd.read_parquet(outside_data / "stocks/us_daily/SPY.parquet")
    times = pd.DatetimeIndex(spy.timestamp).as_unit("ns").asi8 + DAY_NS
    recorder = EquityRecorder(spy.close[0], int(times[0]), keep_all=True)
    recorder.add(times[1:], spy.close.to_numpy()[1:], np.ones(len(spy) - 1, bool))
    worst = Analysis(RunFacts(recorder.finish())).drawdowns.head(3)
    assert [f"{one:.0%}" for one in worst["depth"]] == ["-56%", "-49%", "-34%"]
    assert worst["trough"].dt.year.tolist() == [2009, 2002, 2020]


@pytest.mark.parametrize("keep_all", [True, False])
def test_nothing_is_counted_when_equity_never_fell(keep_all):
    analysis = Analysis(facts_of([100.0, 100.0, 101.0], keep_all=keep_all))
    assert analysis.drawdowns.empty
    found = analysis.drawdown_statistics
    assert (found.fraction, found.bars, found.max_bars, found.max_money) == (0.0, 0, 0, 0.0)
    assert analysis.period_drawdown("day").fraction == 0.0
