"""Repairs settle, leave clean bars alone, and decide on a stream as they do over the same bars at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.data import BarStream, RawBars, check, repair
from cambist.model import COLUMNS, Bar, Instrument, Timeframe

MINUTE = 60_000_000_000
PRICES = COLUMNS[:4]

#: What can be done with no bar but those before.
CAUSAL = {
    "order": "drop",
    "duplicate": "drop",
    "missing-value": "fill",
    "not-positive": "fill",
    "high-low": "clip",
    "off-grid": "drop",
    "unit": "rescale",
    "wick": "clip",
    "stuck": "drop",
    "gap": "fill",
}
#: What knows all bars.
FULL = {
    **CAUSAL,
    "order": "sort",
    "missing-value": "interpolate",
    "split": "split-adjust",
    "spike": "interpolate",
}
DAMAGE = (
    "nan",
    "negative",
    "unit",
    "half",
    "high",
    "wick",
    "late",
    "repeat",
    "gap",
    "close",
    "copies",
    "back",
    "split",
)


@st.composite
def clean(draw):
    """Return a random walk, as columns."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(30, 260))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 3e-3, count)))
    open_ = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
    volume = rng.integers(1, 100, count).astype(float)
    ts = 1_600_000_020_000_000_000 + np.arange(count) * MINUTE
    columns = dict(zip(COLUMNS, (open_, high, low, close, volume), strict=True))
    return RawBars(instrument=Instrument(symbol="X"), timeframe=Timeframe.parse("1m"), ts=ts, columns=columns)


def damage(raw, kind, at, size):
    """Return the bars with one more thing wrong around a row."""
    row = at % len(raw)
    ts, columns = raw.ts.copy(), {name: values.copy() for name, values in raw.columns.items()}
    column = COLUMNS[size % 5]
    some = slice(row, row + 1 + size % 4)
    if kind == "gap" and len(raw) > 10:
        kept = np.ones(len(raw), bool)
        kept[some] = False
        return raw.rows(kept)
    if kind in {"nan", "negative"}:
        columns[column][row] = np.nan if kind == "nan" else -1.0
    elif kind in {"unit", "half", "split"}:
        for name in PRICES:
            columns[name][slice(0, row) if kind == "split" else some] *= {"unit": 100.0, "half": 0.5, "split": 3.0}[
                kind
            ]
    elif kind in {"high", "wick", "close"}:
        columns["high" if kind != "close" else "close"][row] *= {"high": 0.99, "wick": 2.0, "close": 0.2}[kind]
    elif kind == "late":
        ts[row] += (size % 140 - 70) * 1_000_000_000
    elif kind == "repeat" and row:
        ts[row] = ts[row - 1]
    elif kind == "copies":
        for name in COLUMNS:
            columns[name][row : row + 8] = columns[name][row]
    elif kind == "back":
        ts[row] -= 10 * MINUTE
    return RawBars(instrument=raw.instrument, timeframe=raw.timeframe, ts=ts, columns=columns)


@st.composite
def damaged(draw):
    raw = draw(clean())
    for kind in draw(st.lists(st.sampled_from(DAMAGE), min_size=1, max_size=12)):
        raw = damage(raw, kind, draw(st.integers(0, 1_000)), draw(st.integers(0, 1_000)))
    return RawBars(instrument=raw.instrument, timeframe=raw.timeframe, ts=raw.ts, columns=raw.columns)


def rows_of(raw):
    return np.column_stack([raw.ts, *(raw.columns[name] for name in COLUMNS)])


def streamed(raw, policy):
    stream = BarStream(raw.timeframe, policy, always=True)
    out = []
    for row in range(len(raw)):
        out += stream.push(Bar(int(raw.ts[row]), *(float(raw.columns[name][row]) for name in COLUMNS)))
    return out, stream


def change_key(change):
    return change.rule, change.row, change.ts, change.column, change.action


@given(clean())
@settings(max_examples=60)
def test_clean_bars_have_no_defect_and_a_repair_changes_nothing(raw):
    assert check(raw, always=True).is_clean
    for policy, causal in ((FULL, False), (CAUSAL, True)):
        done = repair(raw, policy, always=True, causal=causal)
        assert done.changes == ()
        assert np.array_equal(rows_of(done.raw), rows_of(raw))


@given(damaged())
@settings(max_examples=80)
def test_a_repair_of_what_was_repaired_changes_nothing(raw):
    before = rows_of(raw).copy()
    done = repair(raw, FULL, always=True)
    assert np.array_equal(rows_of(raw), before, equal_nan=True)
    again = repair(done.raw, FULL, always=True)
    assert again.changes == ()
    assert np.array_equal(rows_of(again.raw), rows_of(done.raw), equal_nan=True)


@given(damaged())
@settings(max_examples=80)
def test_a_repair_leaves_bars(raw):
    bars = repair(raw, FULL, always=True).bars
    assert check(bars, rules=["missing-value", "not-positive", "high-low", "order", "duplicate"]).defects == ()


@given(damaged())
@settings(max_examples=40)
def test_a_stream_finds_what_a_causal_check_finds(raw):
    out, stream = streamed(raw, {})
    report = check(raw, always=True, causal=True)
    assert len(out) == len(raw)
    assert sorted(one.key for one in stream.defects) == sorted(one.key for one in report.defects)


@given(damaged())
@settings(max_examples=40)
def test_a_stream_delivers_what_a_causal_repair_makes(raw):
    out, stream = streamed(raw, CAUSAL)
    done = repair(raw, CAUSAL, always=True, causal=True)
    delivered = np.array([[bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in out])
    assert np.array_equal(delivered.reshape(-1, 6), rows_of(done.raw), equal_nan=True)
    assert sorted(map(change_key, stream.changes)) == sorted(map(change_key, done.changes))
