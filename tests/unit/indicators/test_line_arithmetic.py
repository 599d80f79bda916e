"""`Elementwise` and `Delay`: IEEE arithmetic without warnings, unknown rows that stay unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cambist.errors import DataError, LookAheadError, ParameterError
from cambist.indicators.arithmetic import Delay, Elementwise

NAN, INF = math.nan, math.inf


def both_ways(computation, *columns):
    """Return the column of `batch`, after checking that row by row gives the same."""
    (whole,) = computation.batch(*(np.array(column, dtype=float) for column in columns))
    stream = computation.open()
    rows = [stream.update(*map(float, row))[0] for row in zip(*columns, strict=True)]
    assert np.array_equal(whole, rows, equal_nan=True)
    return whole.tolist()


@pytest.mark.parametrize(
    ("ufunc", "expected"),
    [
        (np.add, [7.0, NAN, 0.0]),
        (np.subtract, [-1.0, NAN, -4.0]),
        (np.multiply, [12.0, NAN, -4.0]),
        (np.divide, [0.75, NAN, -1.0]),
        (np.power, [81.0, NAN, 4.0]),
        (np.minimum, [3.0, NAN, -2.0]),
        (np.maximum, [4.0, NAN, 2.0]),
        (np.less, [1.0, NAN, 1.0]),
        (np.greater_equal, [0.0, NAN, 0.0]),
        (np.not_equal, [1.0, NAN, 1.0]),
    ],
)
def test_two_columns(ufunc, expected):
    assert both_ways(Elementwise(ufunc), [3.0, NAN, -2.0], [4.0, 1.0, 2.0]) == pytest.approx(expected, nan_ok=True)


def test_the_constant_stands_on_the_side_it_was_written_on():
    assert both_ways(Elementwise(np.subtract, 10.0), [3.0]) == [-7.0]
    assert both_ways(Elementwise(np.subtract, 10.0, constant_first=True), [3.0]) == [7.0]
    assert both_ways(Elementwise(np.greater, 10.0), [3.0, 11.0]) == [0.0, 1.0]
    assert both_ways(Elementwise(np.greater, 10.0, constant_first=True), [3.0, 11.0]) == [1.0, 0.0]


def test_division_by_zero_is_infinity_or_nan_and_no_warning():
    quotients = both_ways(Elementwise(np.divide), [1.0, -1.0, 1.0, 0.0, NAN, INF], [0.0, 0.0, -0.0, 0.0, 0.0, 0.0])
    assert quotients == pytest.approx([INF, -INF, -INF, NAN, NAN, INF], nan_ok=True)
    assert both_ways(Elementwise(np.power, -1.0), [0.0]) == [INF]
    assert both_ways(Elementwise(np.mod, 0.0), [5.0]) == pytest.approx([NAN], nan_ok=True)
    assert both_ways(Elementwise(np.multiply, 1e300), [1e300]) == [INF]


@pytest.mark.parametrize(
    "computation",
    [
        Elementwise(np.power, 0.0),
        Elementwise(np.power, 1.0, constant_first=True),
        Elementwise(np.less, 0.0),
        Elementwise(np.not_equal, 0.0),
        Elementwise(np.isfinite),
        Elementwise(np.logical_not),
        Elementwise(np.fmax, 3.0),
    ],
    ids=lambda computation: computation.name,
)
def test_what_is_unknown_stays_unknown_even_where_numpy_would_answer(computation):
    assert math.isnan(both_ways(computation, [NAN, 1.0])[0])


def test_powers_have_the_same_bits_by_column_and_by_row_also_when_an_exponent_happens_to_be_two():
    chance = np.random.default_rng(3)
    base = chance.uniform(0.1, 200, 5_000)
    exponent = np.where(np.arange(5_000) % 2, 2.0, chance.normal(1, 2, 5_000))
    both_ways(Elementwise(np.power), base, exponent)
    both_ways(Elementwise(np.power, 2.0), base)
    both_ways(Elementwise(np.log), base)


def test_a_ufunc_that_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="divmod cannot be computed row by row"):
        Elementwise(np.divmod)
    with pytest.raises(ParameterError, match="absolute cannot be computed row by row"):
        Elementwise(np.absolute, 3.0)
    with pytest.raises(ParameterError, match="its constant is NaN"):
        Elementwise(np.add, NAN)


def test_two_columns_are_two():
    with pytest.raises(DataError, match="add is computed from 2 columns; got 1"):
        Elementwise(np.add).batch(np.ones(3))
    with pytest.raises(DataError, match="equal length"):
        Elementwise(np.add).open().extend(np.ones(3), np.ones(2))


def test_names_show_the_constant_on_its_side():
    assert Elementwise(np.add).name == "add"
    assert Elementwise(np.subtract, 30.0).name == "subtract(line, 30)"
    assert Elementwise(np.subtract, 0.5, constant_first=True).name == "subtract(0.5, line)"


@pytest.mark.parametrize("bars", [0, 1, 3, 9])
def test_a_delay_is_the_value_so_many_rows_ago(bars):
    column = [NAN, 2.0, INF, NAN, 5.0, 6.0]
    expected = ([NAN] * bars + column)[: len(column)]
    assert both_ways(Delay(bars), column) == pytest.approx(expected, nan_ok=True)
    assert Delay(bars).lookback == bars


def test_rows_and_blocks_of_a_delay_may_take_turns():
    column = np.arange(20.0)
    stream = Delay(3).open()
    values = stream.extend(column[:2])[0].tolist() + [stream.update(value)[0] for value in (2.0, 3.0)]
    values += stream.extend(column[4:11])[0].tolist() + [stream.update(value)[0] for value in column[11:].tolist()]
    assert values == pytest.approx([NAN] * 3 + column[:-3].tolist(), nan_ok=True)


def test_a_delay_into_the_future_is_refused():
    with pytest.raises(LookAheadError, match="bars is -1"):
        Delay(-1)
    for value in (1.5, "1", True):
        with pytest.raises(ParameterError, match="must be a whole number"):
            Delay(value)
