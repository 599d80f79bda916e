"""Each rule finds its defect at the row where it is, and nothing in bars that are right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cambist.data import check, load_calendar, read_raw
from cambist.data.checks.rules import CORE_RULES
from cambist.errors import DataError, ParameterError
from cambist.model import Instrument
from cambist.model.times import to_ns
from cambist.plugins.registry import Registry
from cambist.ports.data_rules import DataRule, Severity, Stage


def found(frame, rule, **settings):
    """Return the rows at which a rule finds something, when all are asked."""
    return [one.row for one in check(frame, **settings).of(rule)]


def test_bars_that_are_right_have_no_defect(series):
    report = check(series())
    assert report.defects == ()
    assert report.is_clean
    assert report.describe() == "ASSET 1h: nothing wrong in 300 bars"


def test_what_is_found_is_told_with_row_time_value_rule_and_severity(series):
    frame = series()
    frame.iloc[7, frame.columns.get_loc("close")] = np.nan
    (defect,) = check(frame).of("missing-value")
    assert (defect.row, defect.column, defect.severity) == (7, "close", Severity.ERROR)
    assert defect.ts == to_ns("2024-01-01T07:00")
    assert np.isnan(defect.value)
    assert defect.describe() == "row 7 (2024-01-01 07:00:00 UTC): close is nan"
    fields = check(frame).as_fields()
    assert fields["clean"] is False
    assert fields["defects"][0]["time"] == "2024-01-01 07:00:00 UTC"


def test_the_source_is_left_as_it_was(series):
    frame = series()
    frame.iloc[50, :4] *= 100.0
    before = frame.copy()
    check(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_repeated_and_disordered_rows(series):
    frame = series(50)
    rows = [*range(20), 19, *range(20, 30), 25, *range(30, 40), 41, 40, *range(42, 50)]
    shuffled = frame.iloc[rows]
    assert found(shuffled, "duplicate") == [20, 31]
    assert found(shuffled, "order") == [43]
    changed = shuffled.copy()
    changed.iloc[20, 4] += 1.0
    texts = [one.text for one in check(changed).of("duplicate")]
    assert texts[0].endswith("with another volume")
    assert texts[1].endswith("with the same values")


def test_rows_from_the_newest_to_the_oldest_are_one_defect_and_are_checked_all_the_same(series):
    frame = series(60)
    frame.iloc[30, :4] *= 100.0
    report = check(frame.iloc[::-1])
    assert report.counts() == {"order": 1, "unit": 1, "spike": 1}
    assert [one.row for one in report.of("unit")] == [29]


@pytest.mark.parametrize(("column", "value"), [("open", 0.0), ("low", -1.0), ("volume", -3.0)])
def test_values_that_are_not_positive(series, column, value):
    frame = series(40)
    frame.iloc[11, frame.columns.get_loc(column)] = value
    assert found(frame, "not-positive") == [11]


def test_high_and_low(series):
    frame = series(40)
    frame.iloc[5, 1] = frame.iloc[5, :4].min() * 0.99
    frame.iloc[9, 2] = frame.iloc[9, :4].max() * 1.01
    defects = check(frame).of("high-low")
    # A high below the low breaks both bounds.
    assert [(one.row, one.column) for one in defects if one.row == 9] == [(9, "high"), (9, "low")]
    (high,) = (one for one in defects if one.row == 5 and one.column == "high")
    assert high.expected == frame.iloc[5, [0, 2, 3]].max()


def test_gaps_of_a_market_that_never_closes(series):
    frame = series(400).drop(series(400).index[[100, 200, 201, 202]])
    report = check(frame)
    assert report.always
    assert [(one.row, one.value) for one in report.of("gap")] == [(100, 1.0), (199, 3.0)]


def test_gaps_against_a_calendar(series):
    calendar = load_calendar("XNYS", "2024-01-01", "2024-02-29")
    days = pd.DatetimeIndex(calendar.sessions_between("2024-01-01", "2024-02-13"))
    frame = series(30, "1D").set_axis(pd.DatetimeIndex(days, tz="UTC"))
    assert check(frame, calendar=calendar).counts() == {}
    # 2024-01-15 is a holiday, and no session; the day after is one.
    (gap,) = check(frame.drop(pd.Timestamp("2024-01-16", tz="UTC")), calendar=calendar).of("gap")
    assert gap.value == 1.0
    assert gap.ts == to_ns("2024-01-17")


def test_without_a_calendar_only_long_pauses_of_a_market_that_closes_are_told(series):
    days = pd.bdate_range("2024-01-01", periods=80, tz="UTC")
    frame = series(80, "1D").set_axis(days)
    assert check(frame).defects == ()
    (gap,) = check(frame.drop(days[30:36])).of("gap")
    assert gap.severity is Severity.NOTE
    assert check(frame.drop(days[20:45])).of("gap")[0].severity is Severity.WARNING


def test_bars_off_the_grid(series):
    frame = series(60)
    times = frame.index.to_series().reset_index(drop=True)
    times[20] += pd.Timedelta("13min")
    times[59] += pd.Timedelta("5min")
    assert found(frame.set_axis(pd.DatetimeIndex(times)), "off-grid") == [20, 59]


def test_a_change_of_the_grid_for_good_is_no_defect_of_every_bar(series):
    frame = series(60)
    times = frame.index.to_series().reset_index(drop=True)
    times[30:] += pd.Timedelta("30min")
    assert found(frame.set_axis(pd.DatetimeIndex(times)), "off-grid") == []
    assert found(frame.set_axis(pd.DatetimeIndex(times)), "off-grid", causal=True) == [30]


def test_days_of_a_clock_with_summer_time_are_noted(series):
    index = pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Berlin")
    (change,) = check(series(60, "1D").set_axis(index)).of("dst")
    assert change.severity is Severity.NOTE
    assert change.ts == to_ns("2024-03-31T22:00")


def test_an_hour_that_comes_twice_shows_local_times(series):
    index = pd.date_range("2024-10-26", periods=200, freq="15min", tz="Europe/Berlin").tz_localize(None)
    (change,) = check(series(200, "15min").set_axis(index)).of("dst")
    assert change.ts == to_ns("2024-10-27T02:00")
    assert change.severity is Severity.ERROR


def test_bars_stamped_by_their_end(series):
    sessions = [
        pd.date_range(f"{day:%Y-%m-%d} 14:30", f"{day:%Y-%m-%d} 20:59", freq="min", tz="UTC")
        for day in pd.bdate_range("2024-01-02", periods=8)
    ]
    index = sessions[0].append(sessions[1:])
    frame = series(len(index), "1min").set_axis(index)
    assert found(frame, "end-label") == []
    assert found(frame.set_axis(index + pd.Timedelta("1min")), "end-label") == [0]
    calendar = load_calendar("XNYS", "2024-01-01", "2024-01-31")
    assert found(frame, "end-label", calendar=calendar) == []
    assert found(frame.set_axis(index + pd.Timedelta("1min")), "end-label", calendar=calendar) == [0]


def test_times_of_another_zone_are_told_with_the_shift(series):
    calendar = load_calendar("XNYS", "2024-01-01", "2024-02-29")
    opens = calendar.opens[calendar.opens > calendar.start][:20]
    hours = np.arange(13) * 1_800_000_000_000
    index = pd.DatetimeIndex((opens[:, None] + hours).ravel())
    frame = series(len(index), "30min").set_axis(index.tz_localize("UTC"))
    assert found(frame, "session", calendar=calendar) == []
    (zone,) = check(frame.set_axis(frame.index - pd.Timedelta("5h")), calendar=calendar).of("session")
    assert zone.value == 5.0
    assert "the time zone is wrong" in zone.text


def test_single_bars_outside_of_sessions(series):
    calendar = load_calendar("XNYS", "2024-01-01", "2024-03-31")
    days = (
        pd.DatetimeIndex(calendar.sessions_between("2024-01-02", "2024-02-28")[:40])
        .append(pd.DatetimeIndex(["2024-01-06"]))
        .sort_values()
    )
    frame = series(41, "1D").set_axis(pd.DatetimeIndex(days, tz="UTC"))
    (outside,) = check(frame, calendar=calendar).of("session")
    assert outside.ts == to_ns("2024-01-06")


@pytest.mark.parametrize("factor", [100.0, 0.01, 1_000.0, 10_000.0])
def test_prices_in_another_unit(series, factor):
    frame = series()
    frame.iloc[120:125, :4] *= factor
    defects = check(frame).of("unit")
    assert [one.row for one in defects] == [120, 121, 122, 123, 124]
    assert {one.expected for one in defects} == {1.0 / factor}


def test_the_longer_part_may_be_the_one_in_the_wrong_unit(series):
    frame = series()
    frame.iloc[:, 4] = 0.0
    frame.iloc[200:, 4] = 10.0
    frame.iloc[:200, :4] *= 100.0
    assert found(frame, "unit") == list(range(200))


def test_one_price_of_a_bar_in_another_unit(series):
    frame = series()
    frame.iloc[77, 2] /= 100.0
    ((row, column),) = [(one.row, one.column) for one in check(frame).of("unit")]
    assert (row, column) == (77, "low")


@pytest.mark.parametrize("ratio", [2.0, 3.0, 7.0, 20.0, 1.5, 0.5, 0.1])
def test_splits_that_prices_were_not_adjusted_for(series, ratio):
    frame = series()
    frame.iloc[150:, :4] /= ratio
    (split,) = check(frame).of("split")
    assert split.row == 150
    assert split.expected == pytest.approx(1.0 / ratio)


def test_a_fall_that_comes_back_is_no_split(series):
    frame = series()
    frame.iloc[150:152, :4] /= 2.0
    assert check(frame).of("split") == ()


def test_another_currency_from_some_bar_on(series):
    frame = series()
    frame.iloc[150:, :4] *= 1.37
    assert found(frame, "level-shift") == [150]
    assert found(frame, "split") == []


@pytest.mark.parametrize("factor", [1.2, 0.8])
def test_a_close_that_leaves_its_neighbors_for_one_bar(series, factor):
    frame = series()
    frame.iloc[90, 3] *= factor
    frame.iloc[90, 1], frame.iloc[90, 2] = frame.iloc[90, :4].max(), frame.iloc[90, :4].min()
    frame.iloc[91, 0] = frame.iloc[89, 3]
    frame.iloc[91, 1], frame.iloc[91, 2] = frame.iloc[91, :4].max(), frame.iloc[91, :4].min()
    (spike,) = check(frame).of("spike")
    assert spike.row == 90
    assert spike.expected == pytest.approx(frame.iloc[[89, 91], 3].prod() ** 0.5)


def test_a_move_that_stays_is_no_spike(series):
    frame = series()
    frame.iloc[90:, :4] *= 1.2
    assert found(frame, "spike") == []


def test_a_high_far_beyond_its_bar(series):
    frame = series()
    frame.iloc[90, 1] *= 2.0
    (wick,) = check(frame).of("wick")
    assert (wick.row, wick.column) == (90, "high")
    assert wick.expected == frame.iloc[90, [0, 3]].max()


def test_bars_that_repeat(series):
    frame = series()
    frame.iloc[100:110] = frame.iloc[100].to_numpy()
    (stuck,) = check(frame).of("stuck")
    assert (stuck.row, stuck.severity) == (104, Severity.ERROR)
    frame.iloc[100:110, 4] = 0.0
    assert found(frame, "stuck") == []


def test_traded_bars_that_do_not_move(series):
    frame = series()
    frame.iloc[100:180, :4] = 100.0
    (still,) = check(frame).of("stuck")
    assert (still.row, still.severity) == (159, Severity.WARNING)


def test_volumes_that_do_not_fit(series):
    frame = series()
    frame.iloc[100, 4] = 0.0
    frame.iloc[200, 4] = 5e8
    assert found(frame, "volume") == [100, 200]
    assert check(frame).is_clean  # both are notes
    frame.iloc[:, 4] = 0.0
    assert found(frame, "volume") == []


def test_dividends_that_adjusted_closes_do_not_show(series):
    frame = series(120, "1D")
    frame["Dividends"], frame["Adj Close"] = 0.0, frame["close"]
    frame.iloc[60, 5] = 1.0
    assert found(frame, "adjustment") == [60]
    frame.iloc[:60, 6] *= 1.0 - 1.0 / frame["close"].iloc[59]
    assert found(frame, "adjustment") == []
    frame.iloc[60, 5] = 100.0
    assert found(frame, "adjustment") == [60]


def test_the_present_tells_what_is_open_and_what_is_stale(series):
    frame = series(24)
    now = to_ns("2024-01-01T23:30")
    assert found(frame, "open-bar", now=now) == [23]
    assert found(frame, "open-bar", now=to_ns("2024-01-02")) == []
    later = to_ns("2024-01-05")
    assert found(frame, "stale", now=later) == []
    assert found(frame, "stale", now=later, stale_after=86_400_000_000_000) == [23]
    assert found(frame, "stale", now=later, stale_after=4 * 86_400_000_000_000) == []


def test_a_series_that_ends_with_the_last_session_is_not_stale_while_the_market_is_closed(series):
    calendar = load_calendar("XNYS", "2024-01-01", "2024-01-31")
    index = pd.date_range("2024-01-12 14:30", periods=13, freq="30min", tz="UTC")  # a Friday, to its close
    frame = series(13, "30min").set_axis(index)
    hour = 3_600_000_000_000
    assert found(frame, "stale", calendar=calendar, now=to_ns("2024-01-14"), stale_after=hour) == []
    # Monday 2024-01-15 is a holiday; Tuesday opens at 14:30 UTC.
    assert found(frame, "stale", calendar=calendar, now=to_ns("2024-01-16T15:00"), stale_after=hour) == []
    assert found(frame, "stale", calendar=calendar, now=to_ns("2024-01-16T16:00"), stale_after=hour) == [12]


def test_an_instruments_own_calendar_is_taken(series):
    days = pd.DatetimeIndex(["2024-01-11", "2024-01-12", "2024-01-16", "2024-01-18"], tz="UTC")
    stock = Instrument(symbol="SPY", kind="equity", calendar="XNYS")
    (gap,) = check(series(4, "1D").set_axis(days), instrument=stock, timeframe="1d").of("gap")
    assert gap.ts == to_ns("2024-01-18")


def test_rules_can_be_chosen_and_a_wrong_name_is_told_with_the_nearest(series):
    frame = series(40)
    frame.iloc[11, 3] = np.nan
    assert check(frame, rules=["gap"]).defects == ()
    assert check(frame, rules=["gap"]).rules == ("gap",)
    with pytest.raises(ParameterError, match=r"there is no rule 'spikes'\. Did you mean 'spike'"):
        check(frame, rules=["spikes"])


def test_what_is_no_series_at_all_is_refused(series):
    with pytest.raises(DataError, match="no column for high, low"):
        check(pd.DataFrame({"time": [1], "open": [1.0], "close": [1.0]}))
    with pytest.raises(DataError, match="there are no bars"):
        check(series(5).iloc[:0], timeframe="1h")


def test_files_are_read_as_frames_are(series, tmp_path):
    frame = series(60)
    frame.iloc[30, :4] *= 100.0
    frame.iloc[7, 3] = np.nan
    rows = frame.iloc[[*range(20), 19, *range(20, 60)]].reset_index()
    rows.to_csv(tmp_path / "bars.csv", index=False)
    rows.to_parquet(tmp_path / "bars.parquet", index=False)
    expected = [one.key for one in check(rows).defects]
    assert len(expected) == 4
    for name in ("bars.csv", "bars.parquet"):
        assert [one.key for one in check(tmp_path / name).defects] == expected
        assert read_raw(tmp_path / name).instrument.symbol == "bars"


def test_the_core_offers_its_rules_through_the_hook_in_the_order_of_asking():
    offered = Registry.of([], core=True, strict=True).data_rules()
    assert [spec.load() for spec in offered.values()] == list(CORE_RULES)
    for name, spec in offered.items():
        rule = spec.load()()
        assert isinstance(rule, DataRule)
        assert rule.name == name
        assert rule.stage in Stage
        assert rule.hindsight == hasattr(rule, "find_past")
