"""Indicators from a step: the plain function and its compiled twin, columns, blocks and rows, mistakes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cambist import Strategy, backtest
from cambist.errors import LineError, ParameterError
from cambist.indicators import recursive
from cambist.indicators.steps import RecursiveIndicator

ROOM = "cambist.indicators.steps"


@recursive(state=2, outputs=("level", "spread"), lookback=lambda alpha, scale: 3)
def tracked(state, row, high, low, /, alpha=0.2, scale=1.0):
    middle = (high + low) / 2
    state[0] = middle if row == 0 else state[0] + alpha * (middle - state[0])
    state[1] = max(state[1] * 0.9, abs(middle - state[0]))
    return state[0], scale * math.sqrt(state[1])


@pytest.fixture
def columns():
    chance = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, 5_000)))
    high, low = close + chance.uniform(0, 1, 5_000), close - chance.uniform(0, 1, 5_000)
    high[:7] = np.nan
    return high, low


def test_the_compiled_twin_gives_the_same_bits(columns, monkeypatch):
    pytest.importorskip("numba")
    computation = tracked.computation(alpha=0.13, scale=2.0)
    plain = computation.batch(*columns)
    monkeypatch.setattr(f"{ROOM}.COMPILED_FROM", 100)
    compiled = computation.batch(*columns)
    for ours, twin in zip(plain, compiled, strict=True):
        assert np.array_equal(ours, twin, equal_nan=True)
        assert np.flatnonzero(~np.isnan(ours))[0] == 7 + 3


def test_columns_blocks_and_rows_give_the_same_bits(columns):
    computation = tracked.computation()
    whole = computation.batch(*columns)
    stream, rows = computation.open(), computation.open()
    parts = [stream.extend(*(one[a : a + 97] for one in columns)) for a in range(0, 5_000, 97)]
    steps = [rows.update(*row) for row in zip(*(one.tolist() for one in columns), strict=True)]
    for at, line in enumerate(whole):
        assert np.array_equal(np.concatenate([part[at] for part in parts]), line, equal_nan=True)
        assert np.array_equal(np.array([step[at] for step in steps]), line, equal_nan=True)


def test_without_numba_the_function_itself_is_called(columns, monkeypatch):
    monkeypatch.setattr(f"{ROOM}.COMPILED_FROM", 0)
    monkeypatch.setattr(f"{ROOM}._numba", lambda: None)
    assert np.isfinite(tracked.computation().batch(*columns)[0][-1])


def test_a_strategy_uses_one_like_any_other(bars):
    seen = []

    class Follower(Strategy):
        def on_start(self):
            self.lines = tracked(self.data.high, self.data.low, alpha=0.5)

        def on_bar(self, bar):
            seen.append(self.lines.level[0])

    series = bars(100.0 + np.arange(40.0) % 7)
    backtest(Follower(), series)
    (level, _) = tracked.computation(alpha=0.5).batch(series.high, series.low)
    assert seen == level[3:].tolist()


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match=r"tracked has no parameter 'alhpa'\. Did you mean 'alpha'"):
        tracked.computation(alhpa=1)
    with pytest.raises(ParameterError, match="alpha is '1'; a step takes numbers"):
        tracked.computation(alpha="1")


def test_a_step_without_inputs_is_refused():
    with pytest.raises(ParameterError, match="names the state, the row and one to five inputs before a '/'"):

        @recursive()
        def broken(state, row, price, alpha=0.2):
            return (price,)


def test_the_wrong_number_of_lines_is_refused():
    assert isinstance(tracked, RecursiveIndicator)
    with pytest.raises(LineError, match=r"tracked is made of 2 lines \(high, low\)"):
        tracked(1.0)
