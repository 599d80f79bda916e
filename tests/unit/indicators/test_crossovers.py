"""`Crossover` against a plain loop over the rule, and against cases drawn by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cambist.errors import DataError, ParameterError
from cambist.indicators.crossing import Crossover
from cambist.indicators.talib_functions import described

NAN = math.nan


def crossings_by_hand(first, second):
    """The rule, row by row: compare the side with the last side that was not a tie."""
    answer, side, began = [], 0, False
    for a, b in zip(first, second, strict=True):
        if math.isnan(a) or math.isnan(b):
            answer.append(NAN)
            continue
        now = 1 if a > b else -1 if a < b else 0
        crossed = now * side == -1
        answer.append(float(now) if crossed else 0.0 if began else NAN)
        side, began = now or side, True
    return answer


def both_ways(computation, *columns):
    (whole,) = computation.batch(*(np.array(column, dtype=float) for column in columns))
    stream = computation.open()
    rows = [stream.update(*map(float, row))[0] for row in zip(*columns, strict=True)]
    assert np.array_equal(whole, rows, equal_nan=True)
    return whole.tolist()


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([1, 3], [NAN, 1]),
        ([3, 1], [NAN, -1]),
        ([1, 3, 1, 3], [NAN, 1, -1, 1]),
        ([1, 2, 3], [NAN, 0, 1]),  # through a tie: on the row that leaves it
        ([1, 2, 2, 2, 3], [NAN, 0, 0, 0, 1]),
        ([1, 2, 1], [NAN, 0, 0]),  # touched, and turned back
        ([1, 2, 1, 3], [NAN, 0, 0, 1]),
        ([2, 3, 4], [NAN, 0, 0]),  # began at a tie: there is no side to come from
        ([2, 2, 1, 3], [NAN, 0, 0, 1]),
        ([NAN, NAN, 1, 3], [NAN, NAN, NAN, 1]),
        ([1, NAN, 3, 3], [NAN, NAN, 1, 0]),  # a hole is looked through
        ([1, NAN, 1], [NAN, NAN, 0]),
        ([-math.inf, math.inf], [NAN, 1]),
        ([1], [NAN]),
        ([], []),
    ],
)
def test_cases_drawn_by_hand(first, expected):
    level = [2.0] * len(first)
    mirrored = [-each for each in expected]
    assert both_ways(Crossover(), first, level) == pytest.approx(expected, nan_ok=True)
    assert both_ways(Crossover(2.0), first) == pytest.approx(expected, nan_ok=True)
    assert both_ways(Crossover(), level, first) == pytest.approx(mirrored, nan_ok=True)
    assert both_ways(Crossover(2.0, constant_first=True), first) == pytest.approx(mirrored, nan_ok=True)
    assert crossings_by_hand(first, level) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_a_plain_loop_over_the_rule_agrees(seed):
    chance = np.random.default_rng(seed)
    first, second = chance.integers(-2, 3, (2, 300)).astype(float)
    first[chance.random(300) < 0.05] = NAN
    second[: chance.integers(0, 20)] = NAN
    expected = crossings_by_hand(first.tolist(), second.tolist())
    assert {-1.0, 0.0, 1.0} <= set(expected)
    assert both_ways(Crossover(), first, second) == pytest.approx(expected, nan_ok=True)


def test_on_real_bars_a_plain_loop_agrees(outside_data):
    close = pd.read_parquet(outside_data / "crypto" / "binance_spot_BTCUSDT_1m.parquet")["close"].to_numpy()
    (fast,), (slow,) = (described()["SMA"](period=period).batch(close) for period in (10, 30))
    (ours,) = Crossover().batch(fast, slow)
    assert np.array_equal(ours, crossings_by_hand(fast.tolist(), slow.tolist()), equal_nan=True)
    assert np.flatnonzero(np.isfinite(ours))[0] == 30


def test_a_side_is_remembered_from_block_to_block():
    stream = Crossover(2.0).open()
    blocks = ([NAN], [1.0], [2.0, 2.0], [], [2.0, 3.0], [NAN], [3.0, 1.0])
    answers = [value for block in blocks for value in stream.extend(np.array(block))[0].tolist()]
    assert answers == pytest.approx([NAN, NAN, 0, 0, 0, 1, NAN, 0, -1], nan_ok=True)


def test_a_level_is_a_finite_number():
    for level in (NAN, math.inf):
        with pytest.raises(ParameterError, match="it must be a finite number"):
            Crossover(level)


def test_the_number_of_columns_depends_on_the_level():
    with pytest.raises(DataError, match="crossover is computed from 2 columns; got 1"):
        Crossover().batch(np.ones(3))
    with pytest.raises(DataError, match=r"crossover\(line, 2\) is computed from 1 column; got 2"):
        Crossover(2.0).batch(np.ones(3), np.ones(3))
