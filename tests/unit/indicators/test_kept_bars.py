"""A run bar by bar may keep fewer bars than others: what lines reach is right, and more is refused in words."""

from __future__ import annotations

import pytest

from cambist import Instrument
from cambist.errors import LineError
from cambist.indicators import EMA
from cambist.indicators.series import BarView, Series
from cambist.model import Bar, Timeframe


def series(history: int | None):
    made = Series(Instrument(symbol="X"), Timeframe.parse("1m"))
    average = EMA(made.close, 5)
    if history is not None:
        made._cursor.history = history
    return made, average


def test_what_is_kept_is_what_a_longer_history_has_and_memory_has_a_bound():
    short, short_average = series(50)
    long, long_average = series(None)
    for number in range(1_000):
        close = 100.0 + (number * 37 % 101) / 7.0
        bar = Bar(number * 60_000_000_000, close, close + 1.0, close - 1.0, close, 1.0)
        for one in (short, long):
            one._cursor.push(bar)
        for ago in (0, 1, 7, 49, min(number, 50)):
            assert repr(short.close[-ago]) == repr(long.close[-ago])
            assert repr(short_average[-ago]) == repr(long_average[-ago])
        assert short.ts == long.ts == bar.ts
        assert len(short.close._values) <= 102
    mine, other = (BarView(one).history(50) for one in (short, long))
    assert mine.close.tolist() == other.close.tolist()
    assert mine.ts.tolist() == other.ts.tolist()


def test_more_than_is_kept_is_refused_and_says_what_to_do():
    short, _ = series(50)
    for number in range(40):
        short._cursor.push(Bar(number, 1.0, 1.0, 1.0, 1.0, 1.0))
    with pytest.raises(LineError, match=r"further than 50 bars, which is all a line keeps in this run: raise its keep"):
        short.close[-51]
    with pytest.raises(LineError, match=r"1 to 50 can be in this run: raise its keep_bars"):
        BarView(short).history(51)
