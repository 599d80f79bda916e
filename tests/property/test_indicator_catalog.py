"""The law for every indicator that is composed: columns, blocks and bars give the same bits, from the same bar on."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist import indicators as room
from cambist.indicators import backtrader, catalog, steps
from cambist.indicators.lines import Line
from cambist.indicators.series import Series
from cambist.indicators.steps import RecursiveComputation
from cambist.indicators.windowed import Windowed, sum_of
from cambist.model.bars import Bar, Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe

ROWS = 150
HOUR = 3_600_000_000_000
INSTRUMENT = Instrument(symbol="TEST")


def bars(seed: int, rows: int = ROWS) -> Bars:
    """Hours over two changes of the clock, on a coarse grid: ties, flat bars, volumes of zero."""
    chance = np.random.default_rng(seed)
    close = 300.0 + np.cumsum(chance.integers(-6, 7, rows)) / 4.0 + np.cumsum(chance.normal(0, 0.3, rows))
    opened = np.concatenate(([300.0], close[:-1])) + chance.integers(-2, 3, rows) / 4.0
    reach = chance.integers(0, 5, (2, rows)) / 4.0
    times = np.datetime64("2024-03-05T07:30", "ns").astype(np.int64) + np.cumsum(chance.integers(1, 4, rows)) * HOUR
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    volume = chance.integers(0, 9, rows) * 100.0
    return Bars(INSTRUMENT, Timeframe.parse("1h"), times, opened, high, low, close, volume)


#: What must be given to those that have no default for it.
EXTRA: dict[str, dict[str, Any]] = {
    "all_of": {"line": lambda data: data.close > data.open, "period": 3},
    "any_of": {"line": lambda data: data.close > data.open, "period": 3},
    "applied": {"function": np.ptp, "period": 7},
    "reduced": {"function": max, "period": 7},
    "since_highest": {"period": 9},
    "since_lowest": {"period": 9, "oldest": True},
    "weighted": {"weights": (0.5, 1.0, 2.0)},
    "anchored_vwap": {"since": "2024-03-08T11:00"},
    "smoothed_by": {"alpha": lambda data: data.low / data.high * 0.5, "period": 5},
    "cointegration": {"period": 25},
    "backtrader.ApplyN": {"func": np.mean, "period": 7},
    "backtrader.ReduceN": {"function": min, "period": 7},
    "backtrader.ExponentialSmoothingDynamic": {"alpha": lambda data: data.low / data.high * 0.5, "period": 5},
    "backtrader.WeightedAverage": {"weights": (0.5, 1.0, 2.0), "period": 3},
    "backtrader.Oscillator": {"indicator": lambda data: room.SMA(data.close, 7)},
    "backtrader.CointN": {"period": 25},
    "dv2": {"period": 40},
    "backtrader.DV2": {"period": 40},
    "volume_profile": {"period": 15, "bins": 10},
}
#: NaN is an answer of these: nothing turns on most bars, or nothing has begun.
SPARSE = {"fractals", "zigzag", "anchored_vwap", "backtrader.Fractal"}
NAMES = [one.name for one in catalog.entries() if one.source != "talib" and one.name != "flow_imbalance"]
BY_NAME = {one.name: one for one in catalog.entries()}


def make(name: str, data: Series) -> dict[str, Line]:
    """Make the lines of an indicator of a series."""
    entry = BY_NAME[name]
    given = {key: value(data) if _of_data(value) else value for key, value in EXTRA.get(name, {}).items()}
    positional = []
    for key, parameter in inspect.signature(entry.factory).parameters.items():
        if key in given:
            continue
        if key == "data":
            positional.append(data)
        elif parameter.default is parameter.empty and key in catalog._LINES:
            positional.append(getattr(data, catalog._LINES[key]))
    made = entry.factory(*positional, **given)
    return {"value": made} if isinstance(made, Line) else dict(made._asdict())


def _of_data(value: Any) -> bool:
    return getattr(value, "__name__", "") == "<lambda>"


def part(whole: Bars, start: int, stop: int) -> Bars:
    columns = (whole.ts, whole.open, whole.high, whole.low, whole.close, whole.volume)
    return Bars(INSTRUMENT, whole.timeframe, *(column[start:stop].copy() for column in columns))


def computed(name: str, whole: Bars, cuts: list[int] | None) -> dict[str, np.ndarray]:
    """Return the columns of an indicator: at once, or block by block."""
    series = Series(INSTRUMENT, whole.timeframe)
    lines = make(name, series)
    if cuts is None:
        series._cursor.load(whole, whole=True)
        return {key: line._array for key, line in lines.items()}
    parts: dict[str, list[np.ndarray]] = {key: [] for key in lines}
    for start, stop in zip([0, *cuts], [*cuts, len(whole.ts)], strict=True):
        if start < stop:
            series._cursor.load(part(whole, start, stop), whole=False)
            for key, line in lines.items():
                parts[key].append(line._array.copy())
    return {key: np.concatenate(each) for key, each in parts.items()}


def stepped(name: str, whole: Bars) -> dict[str, np.ndarray]:
    """Return the columns of an indicator, bar by bar."""
    series = Series(INSTRUMENT, whole.timeframe)
    lines = make(name, series)
    rows: dict[str, list[float]] = {key: [] for key in lines}
    columns = (whole.ts, whole.open, whole.high, whole.low, whole.close, whole.volume)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        series._cursor.push(Bar(*row))
        for key, line in lines.items():
            rows[key].append(line[0])
    return {key: np.array(each) for key, each in rows.items()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [5, 6])
def test_columns_blocks_and_bars_give_the_same_bits(name, seed):
    if name in {"cointegration", "backtrader.CointN"}:
        pytest.importorskip("statsmodels", reason="computed by statsmodels")
    whole = bars(seed, 30 if "oint" in name else ROWS)
    # Blocks of a bar, of a few, and of many.
    cuts = sorted({1, 2, *np.random.default_rng(seed).integers(0, len(whole.ts), 4).tolist()})
    at_once, blocks, steps_ = computed(name, whole, None), computed(name, whole, cuts), stepped(name, whole)
    series = Series(INSTRUMENT, whole.timeframe)
    for key, line in make(name, series).items():
        column = at_once[key]
        assert np.array_equal(column, blocks[key], equal_nan=True), f"{key}: blocks"
        assert np.array_equal(column, steps_[key], equal_nan=True), f"{key}: bars"
        assert np.isnan(column[: line.lookback]).all(), f"{key}: known before its lookback"
        if name not in SPARSE and "oint" not in name:
            assert not np.isnan(column[line.lookback :]).any(), f"{key}: unknown after its lookback"


def recursions() -> list[tuple[str, RecursiveComputation]]:
    """Return every computation by a step that the indicators are made of."""
    found = {}
    for name in NAMES:
        if "oint" in name:  # it may not be installed, and holds no step
            continue
        series = Series(INSTRUMENT, Timeframe.parse("1h"))
        make(name, series)
        for node in series._cursor._nodes:
            if isinstance(node.computation, RecursiveComputation):
                found[node.computation.name] = node.computation
    return sorted(found.items())


RECURSIONS = recursions()


@pytest.mark.parametrize(("name", "computation"), RECURSIONS, ids=[name for name, _ in RECURSIONS])
def test_the_compiled_twin_of_every_step_gives_the_same_bits(name, computation, monkeypatch):
    pytest.importorskip("numba", reason="steps are compiled by numba")
    whole = bars(11, 900)
    columns = [whole.high, whole.low, whole.close][: computation.count]
    if "vwap" in name:
        columns = [whole.close, whole.volume, np.floor(np.arange(900) / 17) % 2]
    if "profile" in name:
        columns = [whole.high, whole.low, whole.volume]
    if "smoothed_by" in name or "weighted" in name:
        columns = [whole.close, whole.low / whole.high * 0.5, whole.open][: computation.count]
    plain = computation.batch(*columns)
    monkeypatch.setattr(steps, "COMPILED_FROM", 1)
    compiled = computation.batch(*columns)
    for ours, twin in zip(plain, compiled, strict=True):
        assert np.isfinite(ours).sum() > 100
        np.testing.assert_array_equal(ours, twin)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), period=st.integers(1, 12), cut=st.integers(0, 200))
def test_order_flow_is_the_same_over_columns_blocks_and_quotes(seed, period, cut):
    chance = np.random.default_rng(seed)
    bid = 100 + np.cumsum(chance.integers(-1, 2, 200)) / 4
    columns = [
        bid,
        chance.integers(1, 50, 200) * 1.0,
        bid + chance.integers(1, 3, 200) / 4,
        chance.integers(1, 50, 200) * 1.0,
    ]
    computation = room.flow_imbalance(period)
    (whole,) = computation.batch(*columns)
    blocks, rows = computation.open(), computation.open()
    parts = [blocks.extend(*(one[:cut] for one in columns))[0], blocks.extend(*(one[cut:] for one in columns))[0]]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    np.testing.assert_array_equal(
        whole, [rows.update(*row)[0] for row in zip(*(one.tolist() for one in columns), strict=True)]
    )
    assert int(np.isfinite(whole).argmax()) == computation.lookback == period


def test_all_of_backtrader_is_in_the_catalog():
    assert {f"backtrader.{name}" for name in backtrader.INDICATORS} <= set(NAMES)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_window_that_holds_a_gap_is_not_known_whichever_way_it_is_fed(data):
    rows, period = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 8))
    values = st.one_of(st.just(np.nan), st.integers(-3, 3).map(float))
    columns = [np.array(data.draw(st.lists(values, min_size=rows, max_size=rows))) for _ in range(2)]
    formula = Windowed("quotient", lambda _, a, b: (sum_of(a) / b[-1], b[0] - a[-1]), period, 2, outputs=("x", "y"))
    whole = formula.batch(*columns)
    for row in range(rows):
        window = [column[max(0, row + 1 - period) : row + 1] for column in columns]
        known = row + 1 >= period and not np.isnan(window).any()
        assert known == np.isfinite(whole[1][row])
    cut = data.draw(st.integers(0, rows))
    stream = formula.open()
    parts = [stream.extend(*(column[:cut] for column in columns))]
    steps_ = [stream.update(*row) for row in zip(*(column[cut:].tolist() for column in columns), strict=True)]
    for at in range(2):
        np.testing.assert_array_equal(whole[at], np.concatenate((parts[0][at], [row[at] for row in steps_])))
    blocks = formula.open()
    pieces = [
        blocks.extend(*(column[:cut] for column in columns)),
        blocks.extend(*(column[cut:] for column in columns)),
    ]
    for at in range(2):
        np.testing.assert_array_equal(whole[at], np.concatenate([piece[at] for piece in pieces]))
