"""TA-Lib behind `Technical`: parameters, gaps in the input, where an answer begins, and what is imported when."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import talib
from talib import abstract

from cambist.errors import DataError, ParameterError
from cambist.indicators.talib_functions import described
from cambist.indicators.technical import AVERAGES, Technical

FUNCTIONS = described()
PERIODS = [name for name, one in FUNCTIONS.items() if any(given.name == "period" for given in one.parameters)]


@pytest.fixture
def walk():
    return 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 200)))


def columns_for(computation, walk):
    """Return columns that every function can be computed from, as many as it takes."""
    small = walk / 1_000 if computation.function.group == "functions" else walk
    return [small + at for at in range(len(computation.function.inputs))]


def test_every_function_of_talib_is_there():
    assert set(FUNCTIONS) == set(talib.get_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_table_says_what_talib_says_of_itself(name):
    computation = FUNCTIONS[name]()
    function = abstract.Function(name)
    assert computation.keywords() == dict(function.info["parameters"]), "the defaults, each passed explicitly"
    assert computation.lookback == function.lookback
    assert len(computation.outputs) == len(function.output_names)
    inputs = [one for each in function.input_names.values() for one in ([each] if isinstance(each, str) else each)]
    assert len(computation.function.inputs) == len(inputs)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_first_value_comes_where_the_lookback_says(name, walk):
    computation = FUNCTIONS[name]()
    for output in computation.batch(*columns_for(computation, walk)):
        assert np.isnan(output[: computation.lookback]).all()
        assert np.isfinite(output[computation.lookback :]).all()


@pytest.mark.parametrize("name", PERIODS)
@pytest.mark.parametrize("period", [2, 9])
def test_the_lookback_holds_for_other_parameters_too(name, period, walk):
    computation = FUNCTIONS[name](period=period)
    first = [np.flatnonzero(~np.isnan(one))[0] for one in computation.batch(*columns_for(computation, walk))]
    assert first == [computation.lookback] * len(computation.outputs)


@pytest.mark.parametrize("average", [name for name in AVERAGES if name])
def test_a_moving_average_is_named(average, walk):
    (ours,) = FUNCTIONS["MA"](period=10, average=average).batch(walk)
    if average == "mama":
        assert np.array_equal(ours, talib.MAMA(walk)[0], equal_nan=True)
    else:
        (theirs,) = FUNCTIONS[average.upper()](period=10).batch(walk)
        assert np.array_equal(ours, theirs, equal_nan=True)


@pytest.mark.parametrize("average", ["", "smaa", 0, None])
def test_one_that_does_not_exist_is_refused_with_those_that_do(average):
    with pytest.raises(ParameterError, match=r"MA: average is .*; it must be one of sma, ema, wma"):
        FUNCTIONS["MA"](average=average)


@pytest.mark.parametrize(("fast", "slow"), [(26, 12), (12, 12)])
def test_a_fast_average_is_not_the_slower_one(fast, slow):
    with pytest.raises(ParameterError, match=rf"APO: fast is {fast} and slow is {slow}"):
        FUNCTIONS["APO"](fast=fast, slow=slow)


def test_values_that_talib_does_not_take_together_are_refused(walk):
    computation = FUNCTIONS["MAVP"](min_period=9, max_period=5)
    with pytest.raises(ParameterError, match="does not take these values of min_period, max_period, average together"):
        computation.batch(walk, walk)


def test_places_count_bars_back_and_not_from_the_beginning():
    column = np.array([np.nan, 1.0, 5.0, 3.0, 2.0, 9.0, 1.0])
    (ours,) = FUNCTIONS["MAXINDEX"](period=3).batch(column)
    assert ours[3:].tolist() == [1.0, 2.0, 0.0, 1.0]
    lowest, highest = FUNCTIONS["MINMAXINDEX"](period=3).batch(column)
    assert (lowest[3:].tolist(), highest[3:].tolist()) == ([2.0, 0.0, 1.0, 0.0], ours[3:].tolist())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (name, {parameter.name: type(parameter.default)(parameter.minimum)})
        for name, function in FUNCTIONS.items()
        for parameter in function.parameters
        if not isinstance(parameter.default, str) and math.isfinite(parameter.minimum) and parameter.name != "slow"
    ],
)
def test_the_least_value_allowed_is_one_talib_takes(name, values, walk):
    computation = FUNCTIONS[name](**values)
    columns = columns_for(computation, walk)
    assert all(math.isfinite(output[-1]) for output in computation.batch(*columns))


@pytest.mark.parametrize(
    ("name", "parameter", "value", "told"),
    [
        ("SMA", "period", 0, "SMA: period is 0; it must be a whole number from 1 to 100,000"),
        ("SMA", "period", -3, "period is -3"),
        ("SMA", "period", 100_001, "period is 100001"),
        ("SMA", "period", 10.0, "period is 10.0; it must be a whole number"),
        ("SMA", "period", "10", "period is '10'"),
        ("SMA", "period", True, "period is True"),
        ("SMA", "period", None, "period is None"),
        ("RSI", "period", 1, "RSI: period is 1; it must be a whole number from 2 to 100,000"),
        ("BBANDS", "deviations", -0.5, "BBANDS: deviations is -0.5; it must be a number from 0 to 1,000"),
        ("BBANDS", "deviations", math.nan, "deviations is nan"),
        ("BBANDS", "deviations", math.inf, "deviations is inf"),
        ("MACD", "signal", 0, "MACD: signal is 0"),
    ],
)
def test_a_parameter_out_of_range_is_named_with_its_range(name, parameter, value, told):
    with pytest.raises(ParameterError) as caught:
        FUNCTIONS[name](**{parameter: value})
    assert told in str(caught.value)


def test_a_misspelt_parameter_gets_a_hint():
    with pytest.raises(ParameterError, match=r"SMA has no parameter 'perod'\. Did you mean 'period'\?"):
        FUNCTIONS["SMA"](perod=3)


def test_numpy_integers_are_integers():
    computation = FUNCTIONS["SMA"](period=np.int64(3))
    assert computation == FUNCTIONS["SMA"](period=3)
    assert computation.name == "SMA(3)"
    assert type(computation.values[0]) is int


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("way", ["batch", "extend", "extend later", "update", "update later"])
def test_a_gap_after_the_first_value_is_named_with_its_row(way, bad, walk):
    computation = FUNCTIONS["SMA"](period=5)
    column = np.concatenate((np.full(3, np.nan), walk[:40]))
    row = 4 if way in {"extend", "update"} else 25
    column[row] = bad
    stream = computation.open()

    def feed():
        if way == "batch":
            computation.batch(column)
        elif way.startswith("extend"):
            for start in range(0, 43, 6):
                stream.extend(column[start : start + 6])
        else:
            for value in column.tolist():
                stream.update(value)

    with pytest.raises(
        DataError, match=rf"SMA\(5\): row {row} of its input 'price' is {bad}, .*Repair or drop the bar"
    ):
        feed()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gap_would_have_gone_unnoticed_so_every_function_refuses_it(name, walk):
    computation = FUNCTIONS[name]()
    columns = columns_for(computation, walk)
    columns[-1][120] = np.nan
    with pytest.raises(DataError, match=f"row 120 of its input {computation.function.inputs[-1]!r} is nan"):
        computation.batch(*columns)


def test_an_infinity_at_the_start_is_a_gap_and_no_leading_nan(walk):
    column = walk.copy()
    column[:3] = [np.nan, np.inf, 5.0]
    with pytest.raises(DataError, match="row 1 of its input 'price' is inf"):
        FUNCTIONS["EMA"](period=5).batch(column)


@pytest.mark.parametrize("seen", [2, 60])
def test_after_a_refused_row_a_stream_goes_on_as_if_it_had_not_come(seen, walk):
    computation = FUNCTIONS["RSI"](period=14)
    stream = computation.open()
    stream.extend(walk[:seen])
    with pytest.raises(DataError):
        stream.update(math.nan)
    with pytest.raises(DataError):
        stream.extend(np.array([1.0, np.nan, 2.0]))
    (rest,) = stream.extend(walk[seen:])
    assert np.array_equal(computation.batch(walk)[0][seen:], rest, equal_nan=True)


def test_leading_nan_moves_the_start_of_a_recursive_average(walk):
    computation = FUNCTIONS["EMA"](period=10)
    (plain,) = computation.batch(walk)
    (moved,) = computation.batch(np.concatenate((np.full(17, np.nan), walk)))
    assert np.isnan(moved[: 17 + 9]).all()
    assert np.array_equal(moved[17:], plain, equal_nan=True)


def test_inputs_that_start_at_different_rows_start_together_at_the_last(walk):
    computation = FUNCTIONS["ATR"](period=3)
    high, low, close = walk + 1, walk - 1, walk.copy()
    high[:4], low[:9], close[:2] = np.nan, np.nan, np.nan
    (whole,) = computation.batch(high, low, close)
    assert np.flatnonzero(np.isfinite(whole))[0] == 9 + 3
    stream = computation.open()
    parts = [stream.extend(high[a:b], low[a:b], close[a:b])[0] for a, b in ((0, 3), (3, 6), (6, 11), (11, 200))]
    assert np.array_equal(np.concatenate(parts), whole, equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_columns_too_short_or_never_known_give_nan(name):
    computation = FUNCTIONS[name]()
    for rows in {0, min(1, computation.lookback), computation.lookback}:
        for column in (np.linspace(1.0, 2.0, rows), np.full(rows, np.nan)):
            outputs = computation.batch(*[column] * len(computation.function.inputs))
            assert [output.shape for output in outputs] == [(rows,)] * len(computation.outputs)
            assert all(np.isnan(output).all() for output in outputs)


def test_columns_that_do_not_belong_together_are_refused(walk):
    computation = FUNCTIONS["ATR"](period=3)
    with pytest.raises(DataError, match=r"ATR\(3\) is computed from 3 columns; got 1"):
        computation.batch(walk)
    with pytest.raises(DataError, match=r"equal length; got shapes \[\(199,\), \(200,\)\]"):
        computation.open().extend(walk, walk, walk[1:])
    with pytest.raises(DataError, match="flat"):
        FUNCTIONS["SMA"](period=3).batch(walk.reshape(2, 100))


def test_read_only_and_strided_columns_are_taken_and_left_alone(walk):
    computation = FUNCTIONS["SMA"](period=4)
    locked = walk[::2]
    locked.flags.writeable = False
    assert np.array_equal(computation.batch(locked)[0], computation.batch(walk[::2].copy())[0], equal_nan=True)


def test_a_flat_series_has_an_rsi_of_zero_as_documented():
    assert FUNCTIONS["RSI"](period=5).batch(np.full(20, 7.0))[0][-1] == 0.0


def test_a_block_longer_than_one_list_of_floats_is_taken_whole():
    values = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 1e-4, 150_000)))
    computation = FUNCTIONS["MACD"](fast=12, slow=26, signal=9)
    stream = computation.open()
    parts = [stream.extend(values[:1000]), stream.extend(values[1000:])]
    for whole, *pieces in zip(computation.batch(values), *parts, strict=True):
        assert np.array_equal(whole, np.concatenate(pieces), equal_nan=True)


def test_talib_and_pandas_are_imported_by_the_first_number_and_not_before():
    program = (
        "import sys\n"
        "import numpy as np\n"
        "from cambist.indicators import *\n"
        "from cambist.indicators.talib_functions import described\n"
        "sma = described()['SMA'](period=3)\n"
        "print(sma.name, KAMA.__name__, 'talib' in sys.modules, 'pandas' in sys.modules)\n"
        "sma.batch(np.arange(9.0))\n"
        "print('talib' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "SMA(3) KAMA False False\nTrue\n"


def test_the_settings_of_the_whole_process_are_left_alone(walk):
    FUNCTIONS["RSI"](period=14).batch(walk)
    assert talib.get_unstable_period("RSI") == 0
    assert talib.get_compatibility() == 0


def test_two_computations_are_equal_when_formula_and_parameters_are():
    assert FUNCTIONS["SMA"](period=3) == FUNCTIONS["SMA"](period=3)
    assert len({FUNCTIONS["SMA"](period=3), FUNCTIONS["SMA"](period=4), FUNCTIONS["EMA"](period=3)}) == 3
    assert isinstance(FUNCTIONS["SMA"](period=3), Technical)
