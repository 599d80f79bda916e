"""The law of the indicators: whole columns, blocks of any sizes and single rows give the same bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.indicators.arithmetic import Delay, Elementwise
from cambist.indicators.crossing import Crossover
from cambist.indicators.custom import indicator
from cambist.indicators.talib_functions import described
from cambist.indicators.technical import AVERAGES

FUNCTIONS = described()

_windows = np.lib.stride_tricks.sliding_window_view


@indicator(lookback=lambda period: period - 1, outputs=("middle", "width"))
def channel(high, low, *, period=5):
    if len(high) < period:
        raise AssertionError("called with fewer rows than the lookback promises")
    top, bottom = _windows(high, period).max(axis=1), _windows(low, period).min(axis=1)
    pad = np.full(period - 1, np.nan)
    return np.concatenate((pad, (top + bottom) / 2)), np.concatenate((pad, top - bottom))


PERIODS = st.integers(1, 40)
LONGER = st.integers(2, 40)


def technical(name: str, **parameters):
    return st.builds(FUNCTIONS[name], **parameters)


#: How many inputs, and how to make the computation.
CASES = {
    "SMA": (1, technical("SMA", period=PERIODS)),
    "EMA": (1, technical("EMA", period=PERIODS)),
    "RSI": (1, technical("RSI", period=LONGER)),
    "MACD": (1, technical("MACD", fast=st.integers(2, 12), slow=st.integers(13, 26), signal=st.integers(1, 9))),
    "ATR": (3, technical("ATR", period=PERIODS)),
    "BBANDS": (1, technical("BBANDS", period=LONGER, deviations=st.sampled_from([0, 1.5, 2.0]))),
    "MAX": (1, technical("MAX", period=LONGER)),
    "MIN": (1, technical("MIN", period=LONGER)),
    # Patterns are whole numbers, with 0 where TA-Lib does not yet know a value.
    "CDLDOJI": (4, technical("CDLDOJI")),
    "MAXINDEX": (1, technical("MAXINDEX", period=LONGER)),
    "subtract": (2, st.just(Elementwise(np.subtract))),
    "divide": (2, st.just(Elementwise(np.divide))),
    "power": (2, st.just(Elementwise(np.power))),
    "greater": (2, st.just(Elementwise(np.greater))),
    "maximum": (2, st.just(Elementwise(np.maximum))),
    "times a constant": (1, st.builds(Elementwise, st.just(np.multiply), st.floats(-1e6, 1e6), st.booleans())),
    "power of a constant": (1, st.builds(Elementwise, st.just(np.power), st.floats(0, 3), st.booleans())),
    "less than a constant": (1, st.builds(Elementwise, st.just(np.less_equal), st.just(100.0), st.booleans())),
    "modulo": (1, st.builds(Elementwise, st.just(np.mod), st.just(7.0), st.booleans())),
    "delay": (1, st.builds(Delay, st.integers(0, 40))),
    "crossover": (2, st.just(Crossover())),
    "crossover of a level": (1, st.builds(Crossover, st.just(100.0), st.booleans())),
    "custom": (2, st.builds(channel.computation, period=PERIODS)),
}


@st.composite
def column(draw, rows: int):
    """A random walk, a flat line, or one that moves on a coarse grid and so meets others; NaN before it starts."""
    kind = draw(st.sampled_from(["walk", "flat", "grid"]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    if kind == "walk":
        values = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, rows)))
    elif kind == "flat":
        values = np.full(rows, draw(st.sampled_from([100.0, 0.1, 65_000.01, 1e-8])))
    else:
        values = 100.0 + generator.integers(-1, 2, rows)
    leading = draw(st.integers(0, 12))
    values[:leading] = np.nan
    return values


@st.composite
def blocks(draw, rows: int):
    """Cuts of ``rows`` rows: (start, stop, row by row?)."""
    cuts = sorted(draw(st.lists(st.integers(0, rows), max_size=6)))
    return [(a, b, draw(st.booleans())) for a, b in zip([0, *cuts], [*cuts, rows], strict=True)]


def step_through(stream, columns, width):
    rows = [stream.update(*row) for row in zip(*(each.tolist() for each in columns), strict=True)]
    assert all(len(row) == width and all(type(value) is float for value in row) for row in rows)
    return np.array(rows).reshape(-1, width).T


def same(left, right):
    return len(left) == len(right) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_columns_blocks_and_rows_give_the_same_bits(case, data):
    count, computations = CASES[case]
    computation = data.draw(computations)
    rows = data.draw(st.integers(0, 120))
    columns = [data.draw(column(rows)) for _ in range(count)]
    before = [each.copy() for each in columns]
    width = len(computation.outputs)

    whole = computation.batch(*columns)

    assert len(whole) == width
    assert all(each.shape == (rows,) and each.dtype == np.float64 for each in whole)
    assert same(whole, step_through(computation.open(), columns, width))
    stream, parts = computation.open(), [[np.empty(0)] * width]
    for start, stop, singly in data.draw(blocks(rows)):
        block = [each[start:stop].copy() for each in columns]
        parts.append(list(step_through(stream, block, width)) if singly else list(stream.extend(*block)))
        for each in block:
            each[:] = -1.0  # a stream may not hold on to the arrays it was given
    assert same(whole, [np.concatenate(each) for each in zip(*parts, strict=True)])
    assert same(columns, before)


@st.composite
def any_function(draw):
    """Any function of TA-Lib with any parameters."""
    function = FUNCTIONS[draw(st.sampled_from(sorted(FUNCTIONS)))]
    given = {}
    for one in function.parameters:
        if isinstance(one.default, str):
            given[one.name] = draw(st.sampled_from([name for name in AVERAGES if name]))
        elif isinstance(one.default, int):
            least = int(one.minimum) + (20 if one.name in {"slow", "max_period"} else 0)
            given[one.name] = draw(st.integers(least, min(least + 18, int(one.maximum))))
        else:
            given[one.name] = draw(st.floats(max(one.minimum, 0.0), min(one.maximum, 4.0)))
    return function(**given)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_every_function_of_talib_gives_the_same_bits_whichever_way_it_is_fed(data):
    computation = data.draw(any_function())
    rows = data.draw(st.integers(0, 160))
    columns = [data.draw(column(rows)) for _ in computation.function.inputs]
    whole = computation.batch(*columns)
    width = len(whole)
    assert same(whole, step_through(computation.open(), columns, width))
    stream, parts = computation.open(), [[np.empty(0)] * width]
    for start, stop, singly in data.draw(blocks(rows)):
        block = [each[start:stop].copy() for each in columns]
        parts.append(list(step_through(stream, block, width)) if singly else list(stream.extend(*block)))
    assert same(whole, [np.concatenate(each) for each in zip(*parts, strict=True)])


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_outputs_are_known_once_the_lookback_has_passed(case, data):
    count, computations = CASES[case]
    computation = data.draw(computations)
    columns = [data.draw(column(110)) for _ in range(count)]
    start = max(int((~np.isnan(each)).argmax()) for each in columns)
    for output in computation.batch(*columns):
        assert np.isnan(output[: start + computation.lookback]).all()
        assert not np.isnan(output[start + computation.lookback :]).any()


@pytest.mark.parametrize(
    "ufunc",
    [
        np.add,
        np.subtract,
        np.multiply,
        np.divide,
        np.power,
        np.mod,
        np.floor_divide,
        np.less,
        np.less_equal,
        np.greater,
        np.greater_equal,
        np.minimum,
        np.maximum,
    ],
)
@settings(max_examples=100, deadline=None)
@given(pairs=st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=20))
def test_arithmetic_takes_any_double_and_warns_of_none(ufunc, pairs):
    computation = Elementwise(ufunc)
    first, second = (np.array(each) for each in zip(*pairs, strict=True))
    (whole,) = computation.batch(first, second)
    stream = computation.open()
    for row, pair in enumerate(pairs):
        (value,) = stream.update(*pair)
        assert value == whole[row] or (math.isnan(value) and math.isnan(whole[row]))
        assert math.isnan(value) or math.copysign(1, value) == math.copysign(1, whole[row])
