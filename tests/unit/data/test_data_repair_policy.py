"""What a policy does about each defect: each change is told, the source stays, and what was not named is left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cambist.data import Action, check, load, open_source, repair
from cambist.errors import DataError, ParameterError
from cambist.model.times import to_ns


def set_value(frame, row, column, value):
    frame.iloc[row, frame.columns.get_loc(column)] = value


def values_of(done, row):
    return [float(values[row]) for values in done.raw.columns.values()]


def test_clean_bars_are_not_changed(series):
    frame = series()
    done = repair(frame, {"order": "sort", "duplicate": "drop", "gap": "fill", "unit": "rescale", "high-low": "clip"})
    assert done.changes == ()
    assert done.raw is done.original
    assert done.describe() == "ASSET 1h: nothing was changed in 300 bars"


def test_what_no_policy_names_is_left_and_told(series):
    frame = series()
    frame.iloc[120:125, :4] *= 100.0
    set_value(frame, 11, "close", np.nan)
    done = repair(frame, {"missing-value": "drop"})
    assert [(one.rule, one.action, one.row) for one in done.changes] == [("missing-value", Action.DROP, 11)]
    assert done.left.counts()["unit"] == 5
    assert [one.row for one in done.left.of("unit")] == [120, 121, 122, 123, 124]  # rows of the source
    assert len(done.original) == 300
    assert np.isnan(done.original.columns["close"][11])


def test_rows_are_sorted_and_repeats_dropped(series):
    frame = series(50)
    rows = frame.iloc[[*range(20), 19, *range(20, 30), 31, 30, *range(32, 50)]]
    done = repair(rows, {"order": "sort", "duplicate": "drop"})
    assert np.array_equal(done.bars.ts, load(frame).ts)
    assert np.array_equal(done.bars.close, frame["close"])
    assert {(one.rule, one.row) for one in done.changes} == {("order", 31), ("order", 32), ("duplicate", 20)}


def test_the_last_of_repeated_rows_can_be_the_one_that_counts(series):
    frame = series(50)
    rows = frame.iloc[[*range(20), 19, *range(20, 50)]].copy()
    set_value(rows, 20, "volume", 7.0)
    assert repair(rows, {"duplicate": "last"}).bars.volume[19] == 7.0
    assert repair(rows, {"duplicate": "drop"}).bars.volume[19] == frame["volume"].iloc[19]


def test_a_series_the_other_way_round_takes_a_word(series):
    frame = series(50)
    assert np.array_equal(repair(frame.iloc[::-1], {"order": "sort"}).bars.close, frame["close"])
    with pytest.raises(DataError, match=r"newest to the oldest.*order=sort"):
        repair(frame.iloc[::-1], {"duplicate": "drop"})


def test_missing_values_are_filled_interpolated_or_dropped(series):
    frame = series(50)
    for column in ("open", "high", "low", "close", "volume"):
        set_value(frame, 20, column, np.nan)
    before, after = frame["close"].iloc[19], frame["close"].iloc[21]
    assert values_of(repair(frame, {"missing-value": "fill"}), 20) == [before] * 4 + [0.0]
    line = values_of(repair(frame, {"missing-value": "interpolate"}), 20)
    assert line[3] == pytest.approx((before + after) / 2)
    assert line[4] == 0.0
    assert repair(frame, {"missing-value": "interpolate"}).bars is not None
    assert len(repair(frame, {"missing-value": "drop"}).bars) == 49


def test_a_first_row_without_a_price_before_it_cannot_be_filled_and_is_dropped(series):
    frame = series(50)
    set_value(frame, 0, "close", np.nan)
    done = repair(frame, {"missing-value": "fill"})
    assert len(done.bars) == 49
    assert [(one.row, one.column) for one in done.changes] == [(0, "")]


def test_high_and_low_are_clipped_to_the_prices_of_their_bar(series):
    frame = series(50)
    set_value(frame, 20, "high", frame["low"].iloc[20] * 0.9)
    done = repair(frame, {"high-low": "clip"})
    row = frame.iloc[20, :4]
    assert done.bars.high[20] == row.max()
    assert done.bars.low[20] == row.min()
    (high,) = (one for one in done.changes if one.column == "high")
    assert (high.old, high.new) == (row["high"], row.max())
    assert high.describe().startswith("row 20 (2024-01-01 20:00:00 UTC): high ")


def test_units_are_rescaled(series):
    frame = series()
    wrong = frame.copy()
    wrong.iloc[120:125, :4] *= 100.0
    done = repair(wrong, {"unit": "rescale"})
    np.testing.assert_allclose(done.bars.close, frame["close"], rtol=1e-12)
    assert len(done.changes) == 20
    assert done.left.is_clean


def test_prices_before_a_split_are_adjusted_and_volumes_with_them(series):
    frame = series()
    wrong = frame.copy()
    wrong.iloc[:150, :4] *= 4.0
    wrong.iloc[:150, 4] /= 4.0
    done = repair(wrong, {"split": "split-adjust"})
    for name in frame:
        np.testing.assert_allclose(done.raw.columns[name], frame[name], rtol=1e-12)
    assert done.left.is_clean


def test_a_spike_is_put_between_its_neighbors(series):
    frame = series()
    set_value(frame, 90, "close", frame["close"].iloc[90] * 1.3)
    set_value(frame, 90, "high", frame.iloc[90, :4].max())
    done = repair(frame, {"spike": "interpolate"})
    low, high = sorted(frame["close"].iloc[[89, 91]])
    assert low <= done.bars.close[90] <= high
    assert done.bars.high[90] < frame["high"].iloc[90]
    assert done.left.is_clean


def test_gaps_are_filled_flat_or_along_a_line(series):
    frame = series(60)
    gappy = frame.drop(frame.index[[30, 31]])
    done = repair(gappy, {"gap": "fill"})
    assert np.array_equal(done.bars.ts, load(frame).ts)
    close = frame["close"].iloc[29]
    assert [values_of(done, row) for row in (30, 31)] == [[close] * 4 + [0.0]] * 2
    assert [(one.row, one.ts, one.new) for one in done.changes] == [
        (-1, to_ns(frame.index[30]), close),
        (-1, to_ns(frame.index[31]), close),
    ]
    line = repair(gappy, {"gap": "interpolate"}).bars.close
    step = (frame["open"].iloc[32] - close) / 2
    np.testing.assert_allclose(line[30:32], [close + step, close + 2 * step])


def test_times_of_the_end_are_shifted(series):
    sessions = [
        pd.date_range(f"{day:%Y-%m-%d} 14:31", periods=390, freq="min", tz="UTC")
        for day in pd.bdate_range("2024-01-02", periods=8)
    ]
    frame = series(8 * 390, "1min").set_axis(sessions[0].append(sessions[1:]))
    done = repair(frame, {"end-label": "shift"})
    assert done.bars.ts[0] == to_ns("2024-01-02T14:30")
    assert {one.column for one in done.changes} == {"time"}
    assert done.left.of("end-label") == ()


def test_a_refusal_names_the_first_defect(series):
    frame = series(60)
    with pytest.raises(DataError, match=r"row 30 \(2024-01-02 08:00:00 UTC\): 2 bars are missing.*\(gap, 1 in all\)"):
        repair(frame.drop(frame.index[[30, 31]]).set_axis(frame.index.delete([30, 31])), {"gap": "refuse"})


def test_somebody_is_asked_defect_by_defect(series):
    frame = series()
    frame.iloc[120:123, :4] *= 100.0
    asked = []

    def ask(defect):
        asked.append(defect.row)
        return "rescale" if defect.row == 121 else "drop" if defect.row == 120 else "keep"

    done = repair(frame, {"unit": "ask"}, ask=ask)
    assert asked == [120, 121, 122]  # each once
    assert {one.row: one.action for one in done.changes} == {120: Action.DROP, 121: Action.RESCALE}
    with pytest.raises(ParameterError, match="nobody is there to be asked"):
        repair(frame, {"unit": "ask"})


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"gaps": "fill"}, "no rule 'gaps'. Did you mean 'gap'"),
        ({"gap": "drop"}, "gap=drop: gap cannot be answered so. It can: keep, refuse, ask, fill, interpolate"),
        ({"unit": "mend"}, "unit=mend: unit cannot be answered so"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(series, policy, message):
    with pytest.raises(ParameterError, match=message):
        repair(series(20), policy)


def test_load_repairs_and_a_source_says_what_it_did(series, tmp_path):
    frame = series(60)
    frame.iloc[[*range(20), 19, *range(20, 60)]].to_csv(tmp_path / "bars.csv")
    with pytest.raises(DataError, match="repeats the time"):
        load(tmp_path / "bars.csv")
    assert np.array_equal(load(tmp_path / "bars.csv", repair={"duplicate": "drop"}).close, frame["close"])
    source = open_source(tmp_path / "bars.csv", repair={"duplicate": "drop"})
    assert source.notes == ("bars 1h: 1 changes (duplicate: drop 1); 60 bars of 61",)
    assert check(source.load()).is_clean
