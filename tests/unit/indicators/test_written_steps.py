"""Bar by bar the indicators of a series become one function: what it does where something is unusual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist import Instrument
from cambist import indicators as room
from cambist.errors import DataError
from cambist.indicators.series import Series
from cambist.indicators.windowed import Windowed, mean_of
from cambist.indicators.written_windows import row_function
from cambist.model import Bar, Timeframe


def series() -> Series:
    return Series(Instrument(symbol="X"), Timeframe.parse("1m"))


def bar(number: int, close: float, volume: float = 1.0) -> Bar:
    return Bar(number * 60_000_000_000, close, close + 1.0, close - 1.0, close, volume)


def test_a_number_that_talib_would_not_take_is_named_with_its_row_and_columns_go_on():
    made = series()
    average = room.SMA(made.close / made.volume, 5)
    for number in range(150):
        made._cursor.push(bar(number, 100.0))
    assert made._cursor._move is not None, "one function by now"
    bad = bar(150, 100.0, volume=0.0)
    with pytest.raises(DataError, match=r"SMA\(5\): row 150 of its input 'price' is inf"):
        made._cursor.push(bad)
    made._cursor.go_on_without_lines(bad)
    made._cursor.push(bar(151, 107.0))
    assert (made.close[0], made.close[-1], made.ts) == (107.0, 100.0, 151 * 60_000_000_000)
    assert average.name == "SMA(5)"


def test_one_that_is_known_much_later_joins_the_function_then():
    made = series()
    lines = room.SMA(made.close, 5), room.SMA(made.close, 400), room.MAXINDEX(made.close, 300)
    closes = 100.0 + np.random.default_rng(3).normal(0, 1, 900).cumsum() / 10.0
    shown = []
    for number, close in enumerate(closes.tolist()):
        made._cursor.push(bar(number, close))
        shown.append([line[0] for line in lines])
    columns = room.SMA, room.SMA, room.MAXINDEX
    for at, (call, period) in enumerate(zip(columns, (5, 400, 300), strict=True)):
        other = series()
        computation = call(other.close, period)._cursor._nodes[0].computation
        np.testing.assert_array_equal([row[at] for row in shown], computation.batch(closes)[0])
    assert made._cursor._loose == 0


def computed(make) -> Windowed:
    """Return the computation of an indicator of one line."""
    made = series()
    make(made.close)
    computation = made._cursor._nodes[0].computation
    assert isinstance(computation, Windowed)
    assert computation.running is not None
    return computation


RUNNING = {
    "percent_rank": room.percent_rank,
    "any_of": room.any_of,
    "all_of": room.all_of,
    "since_highest": room.since_highest,
    "the oldest highest": lambda line, period: room.since_highest(line, period, oldest=True),
    "the oldest lowest": lambda line, period: room.since_lowest(line, period, oldest=True),
}


@pytest.mark.parametrize("name", RUNNING)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_carried_from_row_to_row_is_what_each_window_says(name, data):
    rows, period = data.draw(st.integers(0, 60)), data.draw(st.integers(1, 9))
    values = st.one_of(st.just(0.0), st.just(-0.0), st.just(np.nan), st.integers(-2, 2).map(float))
    column = np.array(data.draw(st.lists(values, min_size=rows, max_size=rows)))
    computation = computed(lambda line: RUNNING[name](line, period))
    (whole,) = computation.batch(column)
    stream, parts, start = computation.open(), [np.empty(0)], 0
    while start < rows:  # rows, blocks and copies, in any order
        stop = start + data.draw(st.integers(1, 12))
        part = column[start:stop]
        if data.draw(st.booleans()):
            stream = stream.fork()
        singly = data.draw(st.booleans())
        parts.append(np.array([stream.update(one)[0] for one in part.tolist()]) if singly else stream.extend(part)[0])
        start = stop
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_a_copy_of_a_stream_leaves_the_stream_where_it_stands():
    for make in (room.percent_rank, room.mean_deviation):
        made = series()
        make(made.close, 4)
        stream, twin = (made._cursor._nodes[0].computation.open() for _ in range(2))
        for value in (1.0, 5.0, 2.0, 4.0, 3.0, 9.0):
            for tried in (7.0, -7.0):
                stream.fork().update(tried)
            assert repr(stream.update(value)) == repr(twin.update(value))


def test_a_window_too_long_to_be_written_out_and_one_that_cannot_be_are_computed_all_the_same():
    column = np.random.default_rng(4).normal(0, 1, 700)
    long = Windowed("mean", lambda _, window: mean_of(window), 320)
    odd = Windowed("rounded", lambda _, window: np.rint(window[0]) * 2.0 - window[1], 2)
    for computation in (long, odd):
        assert row_function(computation) is None
        stream = computation.open()
        rows = [stream.update(value)[0] for value in column.tolist()]
        np.testing.assert_array_equal(rows, computation.batch(column)[0])


def test_an_array_that_can_be_written_to_is_looked_at_each_time_and_large_numbers_are_numbers():
    made = series()
    room.MAX(made.close, 3)
    computation = made._cursor._nodes[0].computation
    column = np.full(20_000, 1e200)
    assert computation.batch(column)[0][-1] == 1e200
    column[15_000] = np.inf
    with pytest.raises(DataError, match="row 15000"):
        computation.batch(column)
    column[15_000] = -1e300
    assert computation.batch(column)[0][15_002] == 1e200
