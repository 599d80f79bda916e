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
from cambist.indicators.studies import FUNCTIONS
from cambist.indicators.technical import Technical

DEFAULTS = {
    "ATR": {"period": 14},
    "BBANDS": {"period": 20, "deviations": 2.0},
    "EMA": {"period": 30},
    "MACD": {"fast": 12, "slow": 26, "signal": 9},
    "MAX": {"period": 30},
    "MIN": {"period": 30},
    "RSI": {"period": 14},
    "SMA": {"period": 30},
}


@pytest.fixture
def walk():
    return 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, 200)))


def test_every_function_of_the_table_is_tested_here():
    assert set(FUNCTIONS) == set(DEFAULTS)


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_table_says_what_talib_says_of_itself(name):
    computation = FUNCTIONS[name](**DEFAULTS[name])
    function = abstract.Function(name)
    function.parameters = computation.keywords()
    assert computation.lookback == function.lookback
    assert set(computation.keywords()) == set(function.info["parameters"]), "every parameter is passed explicitly"
    assert len(computation.outputs) == len(function.output_names)
    (inputs,) = function.input_names.values()
    if isinstance(inputs, list):
        assert list(computation.function.inputs) == inputs


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("extra", [0, 1, 7])
def test_the_lookback_holds_for_other_parameters_too(name, extra):
    values = {key: value + extra for key, value in DEFAULTS[name].items()}
    computation = FUNCTIONS[name](**values)
    function = abstract.Function(name)
    function.parameters = computation.keywords()
    assert computation.lookback == function.lookback


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (name, DEFAULTS[name] | {parameter.name: parameter.minimum})
        for name in DEFAULTS
        for parameter in FUNCTIONS[name].parameters
    ],
)
def test_the_least_value_allowed_is_one_talib_takes(name, values, walk):
    computation = FUNCTIONS[name](**values)
    columns = [walk] * len(computation.function.inputs)
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
        FUNCTIONS[name](**DEFAULTS[name] | {parameter: value})
    assert told in str(caught.value)


def test_a_misspelt_parameter_gets_a_hint_and_a_missing_one_its_name():
    with pytest.raises(ParameterError, match=r"SMA has no parameter 'perod'\. Did you mean 'period'\?"):
        FUNCTIONS["SMA"](perod=3)
    with pytest.raises(ParameterError, match="MACD needs a value for slow, signal"):
        FUNCTIONS["MACD"](fast=3)


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


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_gap_would_have_gone_unnoticed_so_every_function_refuses_it(name, walk):
    computation = FUNCTIONS[name](**DEFAULTS[name])
    columns = [walk.copy() for _ in computation.function.inputs]
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


@pytest.mark.parametrize("name", DEFAULTS)
def test_columns_too_short_or_never_known_give_nan(name):
    computation = FUNCTIONS[name](**DEFAULTS[name])
    for rows in (0, 1, computation.lookback):
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
        "from cambist.indicators.studies import FUNCTIONS\n"
        "sma = FUNCTIONS['SMA'](period=3)\n"
        "print(sma.name, sma.lookback, 'talib' in sys.modules, 'pandas' in sys.modules)\n"
        "sma.batch(np.arange(9.0))\n"
        "print('talib' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "SMA(3) 2 False False\nTrue\n"


def test_the_settings_of_the_whole_process_are_left_alone(walk):
    FUNCTIONS["RSI"](period=14).batch(walk)
    assert talib.get_unstable_period("RSI") == 0
    assert talib.get_compatibility() == 0


def test_two_computations_are_equal_when_formula_and_parameters_are():
    assert FUNCTIONS["SMA"](period=3) == FUNCTIONS["SMA"](period=3)
    assert len({FUNCTIONS["SMA"](period=3), FUNCTIONS["SMA"](period=4), FUNCTIONS["EMA"](period=3)}) == 3
    assert isinstance(FUNCTIONS["SMA"](period=3), Technical)
