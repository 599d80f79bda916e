"""The equity curve against a plain loop, and its independence of how the bars are cut into blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import Drawdown, EquityRecorder
from cambist.errors import InputError, ResultError
from cambist.model.times import DAY_NS, HOUR_NS, to_ns

START = to_ns("2024-01-01")


def record(times, equity, exposed, cuts=(), *, initial=100.0, start=START, keep_all=True):
    recorder = EquityRecorder(initial, start, keep_all=keep_all)
    edges = [0, *sorted(cuts), len(times)]
    for left, right in itertools.pairwise(edges):
        recorder.add(times[left:right], equity[left:right], exposed[left:right])
    return recorder.finish()


def drawdown_by_loop(initial, start, times, equity):
    """The definition, point by point."""
    points = [(start, initial), *zip(times.tolist(), equity.tolist(), strict=True)]
    deepest, longest, money = Drawdown(), 0, 0.0
    peak_at, peak = points[0]
    for number, (time, value) in enumerate(points):
        if value >= peak:
            if number and points[number - 1][1] < peak:
                longest = max(longest, time - peak_at)
                if deepest.trough_at is not None and deepest.recovered_at is None:
                    deepest = Drawdown(deepest.fraction, deepest.peak_at, deepest.trough_at, time)
            peak_at, peak = time, value
        else:
            longest = max(longest, time - peak_at)
            money = min(money, value - peak)
            if value / peak - 1.0 < deepest.fraction:
                deepest = Drawdown(value / peak - 1.0, peak_at, time)
    return Drawdown(deepest.fraction, deepest.peak_at, deepest.trough_at, deepest.recovered_at, longest, money)


@st.composite
def runs(draw):
    # Few distinct values, so that peaks are met again and falls are equally deep.
    equity = draw(st.lists(st.sampled_from([-5.0, 0.0, 60.0, 80.0, 90.0, 99.9, 100.0, 100.1, 120.0]), max_size=40))
    steps = draw(
        st.lists(
            st.sampled_from([1, HOUR_NS, 7 * HOUR_NS, DAY_NS, 9 * DAY_NS]), min_size=len(equity), max_size=len(equity)
        )
    )
    exposed = draw(st.lists(st.booleans(), min_size=len(equity), max_size=len(equity)))
    cuts = draw(st.lists(st.integers(0, len(equity)), max_size=8))
    times = START + np.cumsum(np.array(steps, np.int64)) if steps else np.empty(0, np.int64)
    return times, np.array(equity), np.array(exposed, bool), cuts


def bits(curve):
    arrays = (curve.times, curve.equity, curve.peaks, curve.rows, curve.all_times, curve.all_equity)
    return (
        [array.tobytes() for array in arrays],
        [curve.drawdown, curve.n_bars, curve.exposed_bars, curve.final, curve.lowest, repr(curve.periods_per_year)],
    )


@given(runs())
def test_the_cut_into_blocks_makes_no_difference(run):
    times, equity, exposed, cuts = run
    whole = bits(record(times, equity, exposed))
    assert bits(record(times, equity, exposed, cuts)) == whole
    assert bits(record(times, equity, exposed, range(1, len(times)))) == whole


@given(runs())
def test_drawdown_is_that_of_the_definition(run):
    times, equity, exposed, cuts = run
    assert record(times, equity, exposed, cuts).drawdown == drawdown_by_loop(100.0, START, times, equity)


@given(runs())
def test_samples_are_the_last_bars_of_the_days(run):
    times, equity, exposed, cuts = run
    curve = record(times, equity, exposed, cuts)
    last = {(time - 1) // DAY_NS: row for row, time in enumerate(times.tolist())}
    rows = list(last.values())
    assert curve.times.tolist() == [START, *times[rows].tolist()]
    assert curve.equity.tolist() == [100.0, *equity[rows].tolist()]
    assert curve.peaks.tolist() == [100.0, *(max(100.0, *equity[: row + 1]) for row in rows)]
    assert curve.rows.tolist() == [-1, *rows]
    assert curve.times.dtype == np.int64
    assert curve.equity.dtype == curve.peaks.dtype == np.float64


def test_many_random_bars_in_uneven_blocks():
    chance = np.random.default_rng(1)
    count = 200_000
    equity = 100.0 * np.exp(np.cumsum(chance.normal(0, 1e-3, count)))
    times = START + np.arange(1, count + 1) * 60_000_000_000
    exposed = chance.random(count) < 0.3
    cuts = np.sort(chance.integers(0, count, 50)).tolist()
    curve = record(times, equity, exposed, cuts)
    assert bits(curve) == bits(record(times, equity, exposed))
    assert curve.drawdown == drawdown_by_loop(100.0, START, times, equity)
    assert curve.exposed_bars == exposed.sum()
    assert curve.lowest == min(100.0, equity.min())
    assert len(curve.times) == 1 + -(-count // 1440)


def test_a_fall_its_recovery_and_a_longer_shallow_one():
    equity = np.array([110.0, 55.0, 110.0, 108.0, 109.0, 109.5, 109.9])
    curve = record(START + DAY_NS * np.arange(1, 8), equity, np.ones(7, bool))
    day = [START + number * DAY_NS for number in range(8)]
    assert curve.drawdown == Drawdown(-0.5, day[1], day[2], day[3], longest=4 * DAY_NS, money=-55.0)


def test_equity_that_never_falls_has_no_drawdown():
    curve = record(START + DAY_NS * np.arange(1, 4), np.array([100.0, 100.0, 101.0]), np.zeros(3, bool))
    assert curve.drawdown == Drawdown(0.0, None, None, None, 0)
    assert not curve.ruined


def test_ruin_is_remembered_when_it_lasted_one_bar():
    times = START + HOUR_NS * np.arange(1, 4)
    curve = record(times, np.array([50.0, -1.0, 200.0]), np.ones(3, bool))
    assert curve.ruined
    assert curve.equity.tolist() == [100.0, 200.0]
    assert curve.drawdown.fraction == pytest.approx(-1.01)


def test_no_bars_leave_the_initial_point():
    curve = record(np.empty(0, np.int64), np.empty(0), np.empty(0, bool))
    assert (curve.times.tolist(), curve.equity.tolist(), curve.n_bars) == ([START], [100.0], 0)
    assert curve.times.dtype == np.int64
    assert curve.final == curve.initial == 100.0
    assert curve.start == curve.end == START


def test_only_a_run_that_asks_keeps_every_bar():
    times = START + HOUR_NS * np.arange(1, 101)
    curve = record(times, np.full(100, 100.0), np.ones(100, bool), keep_all=False)
    assert curve.all_times is None
    assert curve.all_equity is None
    assert len(curve.times) == 1 + 5


def test_what_was_recorded_does_not_follow_the_callers_arrays():
    times, equity = START + HOUR_NS * np.arange(1, 4), np.array([100.0, 101.0, 102.0])
    recorder = EquityRecorder(100.0, START, keep_all=True)
    recorder.add(times, equity, np.ones(3, bool))
    equity[:] = 0.0
    assert recorder.finish().all_equity.tolist() == [100.0, 101.0, 102.0]


def test_a_curve_can_be_asked_for_while_the_run_goes_on():
    recorder = EquityRecorder(100.0, START)
    for day in range(1, 4):
        recorder.add(np.array([START + day * DAY_NS]), np.array([100.0 + day]), np.array([True]))
        assert recorder.finish().equity.tolist() == [100.0 + number for number in range(day + 1)]


@pytest.mark.parametrize("expected", [0, 100, 200])
def test_a_curve_that_was_asked_for_stays_as_it_was(expected):
    recorder = EquityRecorder(100.0, START, keep_all=True, expected=expected)
    times = START + HOUR_NS * np.arange(1, 201)
    recorder.add(times[:99], np.full(99, 101.0), np.ones(99, bool))
    early = recorder.finish()
    recorder.add(times[99:], np.full(101, 102.0), np.ones(101, bool))
    assert early.all_equity.tolist() == [101.0] * 99
    assert recorder.finish().all_equity.tolist() == [101.0] * 99 + [102.0] * 101
    assert recorder.finish().all_times.tolist() == times.tolist()
    with pytest.raises(ValueError, match="read-only"):
        early.all_equity[0] = 0.0


def test_the_deepest_point_is_the_first_when_rounding_makes_falls_equal():
    # Below half of the peak neighboring doubles fall equally far; cut into blocks or not, the earlier one counts.
    low = np.nextafter(30.0, 31.0)
    times, equity = START + HOUR_NS * np.arange(1, 5), np.array([100.0, low, 30.0, 40.0])
    assert low / 100.0 - 1.0 == 30.0 / 100.0 - 1.0
    for cuts in ([], [2], [1, 2, 3]):
        assert record(times, equity, np.ones(4, bool), cuts).drawdown.trough_at == times[1]


@pytest.mark.parametrize("initial", [0.0, -1.0, float("nan"), float("inf")])
def test_a_run_starts_with_money(initial):
    with pytest.raises(InputError, match="positive amount"):
        EquityRecorder(initial, START)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_equity_that_is_no_number_is_refused_with_its_time(value):
    recorder = EquityRecorder(100.0, START)
    times = START + DAY_NS * np.arange(1, 4)
    with pytest.raises(ResultError, match=r"2024-01-03 00:00:00 UTC is (nan|-?inf)"):
        recorder.add(times, np.array([100.0, value, 100.0]), np.ones(3, bool))


def test_blocks_out_of_order_are_refused():
    recorder = EquityRecorder(100.0, START)
    one = np.ones(1, bool)
    recorder.add(np.array([START + DAY_NS]), np.array([100.0]), one)
    with pytest.raises(ResultError, match="order of time"):
        recorder.add(np.array([START + DAY_NS]), np.array([100.0]), one)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ResultError, match="2 times, 1 values"):
        EquityRecorder(100.0, START).add(START + DAY_NS * np.arange(1, 3), np.array([1.0]), np.ones(2, bool))
