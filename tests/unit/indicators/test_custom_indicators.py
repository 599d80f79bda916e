"""Indicators of one's own: what a function may look like, what it may return, and the check of its lookback."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cambist.errors import InputError, LineError, LookAheadError, ParameterError
from cambist.indicators.custom import check_indicator, indicator

windows = np.lib.stride_tricks.sliding_window_view


def padded(values, rows):
    return np.concatenate((np.full(rows - len(values), np.nan), values))


@indicator(lookback=9)
def midpoint(high, low):
    """Middle of the last ten bars."""
    return padded((windows(high, 10).max(axis=1) + windows(low, 10).min(axis=1)) / 2, len(high))


@indicator(lookback=lambda period: period - 1, outputs=("top", "bottom"))
def channel(high, low, *, period=20):
    return padded(windows(high, period).max(axis=1), len(high)), padded(windows(low, period).min(axis=1), len(low))


@pytest.fixture
def columns():
    close = 100 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.01, 300)))
    return close + 1, close - 1


def test_the_function_sees_the_known_rows_once_and_the_lookback_is_blanked(columns):
    seen = []

    @indicator(lookback=2)
    def change(close):
        seen.append(close.copy())
        return np.concatenate(([7.0, 7.0], close[2:] - close[:-2]))

    column = np.concatenate((np.full(4, np.nan), columns[0]))
    (whole,) = change.computation().batch(column)
    # Once over everything, then over a few beginnings, to see whether it knew what follows them.
    assert [len(each) for each in seen] == [300, 3, 6, 23, 103]
    assert np.isnan(whole[:6]).all()
    assert np.array_equal(whole[6:], columns[0][2:] - columns[0][:-2])


def test_row_by_row_it_is_called_with_the_lookback_and_the_current_row(columns):
    lengths = set()

    @indicator(lookback=2)
    def middle(close):
        lengths.add(len(close))
        return padded(np.median(windows(close, 3), axis=1), len(close))

    stream = middle.computation().open()
    values = [stream.update(value)[0] for value in columns[0].tolist()]
    assert lengths == {3}
    assert np.array_equal(values, middle.computation().batch(columns[0])[0], equal_nan=True)


def test_columns_shorter_than_the_lookback_never_reach_the_function():
    @indicator(lookback=3)
    def refuse(close):
        raise AssertionError

    assert np.isnan(refuse.computation().batch(np.ones(3))[0]).all()
    stream = refuse.computation().open()
    assert [math.isnan(stream.update(1.0)[0]) for _ in range(3)] == [True] * 3
    with pytest.raises(AssertionError):
        stream.update(1.0)


def test_parameters_stand_behind_the_star_and_set_the_lookback(columns):
    short, default = channel.computation(period=5), channel.computation()
    assert (short.lookback, default.lookback) == (4, 19)
    assert (short.name, default.outputs) == ("channel(period=5)", ("top", "bottom"))
    top, bottom = short.batch(*columns)
    assert np.array_equal(top[4:], windows(columns[0], 5).max(axis=1))
    assert np.array_equal(bottom[4:], windows(columns[1], 5).min(axis=1))
    with pytest.raises(ParameterError, match=r"channel has no parameter 'perod'\. Did you mean 'period'\?"):
        channel.computation(perod=5)
    with pytest.raises(ParameterError, match=r"midpoint has no parameter 'period'.*keyword-only"):
        midpoint.computation(period=5)
    with pytest.raises(ParameterError, match="indicator channel: lookback is -1"):
        channel.computation(period=0)


def test_a_parameter_without_a_default_must_be_given():
    @indicator(lookback=lambda bars: bars)
    def momentum(close, *, bars):
        return close

    with pytest.raises(ParameterError, match="momentum needs a value for bars"):
        momentum.computation()


def test_it_works_as_a_plain_call_too_and_keeps_name_and_doc():
    doubled = indicator(lambda close: 2 * close, lookback=0, name="doubled")
    assert doubled.computation().batch(np.arange(3.0))[0].tolist() == [0.0, 2.0, 4.0]
    assert (midpoint.name, midpoint.inputs, midpoint.__doc__) == (
        "midpoint",
        ("high", "low"),
        "Middle of the last ten bars.",
    )
    assert repr(channel) == "<indicator channel(high, low, period)>"


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        (lambda close: close.mean(), r"its 'value' has shape \(\) for inputs of shape \(50,\)"),
        (lambda close: close[1:], r"has shape \(49,\)"),
        (lambda close: np.stack((close, close)), r"has shape \(2, 50\)"),
        (lambda close: (close, close), r"returned 2 arrays, and has 1 outputs \(value\)"),
        (lambda close: close * 1j, "dtype complex128; return real numbers"),
        (lambda close: close.astype(str), "return real numbers"),
        (lambda close: None, r"has shape \(\)"),
    ],
)
def test_a_function_that_returns_something_else_is_told_so(returned, told):
    broken = indicator(returned, lookback=2, name="broken")
    with pytest.raises(InputError, match=f"indicator broken: .*{told}"):
        broken.computation().batch(np.arange(50.0))


@pytest.mark.parametrize("kind", [bool, np.int32, np.float32])
def test_whole_and_truth_values_become_floats(kind):
    positive = indicator(lambda close: (close > 1).astype(kind), lookback=0, name="positive")
    (whole,) = positive.computation().batch(np.arange(3.0))
    assert whole.dtype == np.float64
    assert whole.tolist() == [0.0, 0.0, 1.0]
    assert positive.computation().open().update(5.0) == (1.0,)


def test_a_function_may_not_write_into_the_past():
    @indicator(lookback=1)
    def careless(close):
        close[0] = 0.0
        return close

    column = np.ones(5)
    with pytest.raises(ValueError, match="read-only"):
        careless.computation().batch(column)
    stream = careless.computation().open()
    stream.update(1.0)
    with pytest.raises(ValueError, match="read-only"):
        stream.update(1.0)
    assert column.flags.writeable


def test_after_a_function_failed_its_stream_stands_where_it_stood():
    fails = [False]

    @indicator(lookback=1)
    def change(close):
        if fails[0]:
            raise ZeroDivisionError
        return np.concatenate(([np.nan], np.diff(close)))

    stream = change.computation().open()
    stream.extend(np.array([1.0, 3.0]))
    fails[0] = True
    with pytest.raises(ZeroDivisionError):
        stream.update(100.0)
    with pytest.raises(ZeroDivisionError):
        stream.extend(np.array([100.0, 200.0]))
    fails[0] = False
    assert stream.update(7.0) == (4.0,)


def test_a_hole_after_the_first_value_is_the_functions_to_answer_for():
    held = indicator(lambda close: np.nan_to_num(close, nan=-1.0), lookback=0, name="held")
    column = np.array([np.nan, 1.0, np.nan, 2.0])
    stream = held.computation().open()
    assert held.computation().batch(column)[0].tolist() == pytest.approx([math.nan, 1, -1, 2], nan_ok=True)
    assert [stream.update(each)[0] for each in column.tolist()] == pytest.approx([math.nan, 1, -1, 2], nan_ok=True)


def with_default(close, period=5):
    return close


def with_star(*columns):
    return columns[0]


def with_keywords(close, **parameters):
    return close


def of_nothing():
    return None


@pytest.mark.parametrize("function", [with_default, with_star, with_keywords, of_nothing])
def test_a_signature_must_tell_inputs_from_parameters(function):
    with pytest.raises(ParameterError, match=rf"indicator {function.__name__}: .*behind a '\*'"):
        indicator(function, lookback=0)


@pytest.mark.parametrize("lookback", [-1, 1.5, "9", True, None])
def test_a_lookback_is_a_number_of_rows(lookback):
    with pytest.raises(ParameterError, match="lookback is"):
        indicator(lambda close: close, lookback=lookback)


@pytest.mark.parametrize("outputs", [(), ("a", "a"), ("not a name",), ("_hidden",), ("class",)])
def test_outputs_need_names_of_their_own(outputs):
    with pytest.raises(ParameterError, match=r"indicator <lambda>: .*outputs"):
        indicator(lambda close: close, lookback=0, outputs=outputs)


def test_a_wrong_number_of_lines_is_refused():
    with pytest.raises(LineError, match=r"midpoint is made of 2 lines \(high, low\).*; got 1"):
        midpoint(None)


def test_the_check_passes_what_depends_on_the_lookback_alone(columns):
    check_indicator(midpoint, *columns)
    check_indicator(channel, *columns, period=7)
    check_indicator(channel, *(np.concatenate((np.full(5, np.nan), column)) for column in columns))


def test_the_check_finds_recursion(columns):
    @indicator(lookback=9)
    def recursive(close):
        smoothed = close.copy()
        for row in range(1, len(close)):
            smoothed[row] = smoothed[row - 1] + (close[row] - smoothed[row - 1]) / 10
        return smoothed

    with pytest.raises(InputError, match=r"indicator recursive: at row 10 its 'value' is .* over the last 10 rows"):
        check_indicator(recursive, columns[0])


def test_the_check_finds_a_look_into_the_future(columns):
    def scaled(close):
        return close / close.max()

    def centered(close):
        return np.convolve(close, np.ones(3) / 3, mode="same")

    for function in (scaled, centered):
        with pytest.raises(LookAheadError, match=f"indicator {function.__name__}: its 'value' at row"):
            check_indicator(indicator(function, lookback=2), columns[0])


def test_the_check_lets_last_digits_pass_only_when_told_to(columns):
    @indicator(lookback=4)
    def running_mean(close):
        total = np.cumsum(np.concatenate(([0.0], close)))
        return padded((total[5:] - total[:-5]) / 5, len(close))

    with pytest.raises(InputError, match="allow a tolerance"):
        check_indicator(running_mean, columns[0])
    check_indicator(running_mean, columns[0], tolerance=1e-9)


def test_the_check_wants_data_that_shows_something():
    with pytest.raises(InputError, match="10 rows with a lookback of 9 give fewer"):
        check_indicator(midpoint, np.ones(10), np.ones(10))


@pytest.mark.parametrize(
    "function",
    [
        lambda close: np.roll(close, -1),
        lambda close: close - close.mean(),
        lambda close: np.convolve(close, np.ones(5) / 5, mode="same"),
    ],
    ids=["tomorrow", "the mean of everything", "a centered average"],
)
def test_a_function_that_knows_the_future_is_refused_by_the_run(function):
    seer = indicator(function, lookback=4, name="seer")
    close = 100 + np.random.default_rng(3).normal(size=500).cumsum()
    with pytest.raises(LookAheadError, match=r"seer: its 'value' at row \d+ is .* with the rows that follow it"):
        seer.computation().batch(close)


def test_a_recursive_function_is_no_foresight():
    @indicator(lookback=0)
    def total(close):
        return np.cumsum(close)

    close = np.random.default_rng(3).normal(size=500)
    assert total.computation().batch(close)[0][-1] == np.cumsum(close)[-1]
