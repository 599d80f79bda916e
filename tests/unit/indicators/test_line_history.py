"""How far back a line reaches, over every border the engine has, and that no way leads forward."""

from __future__ import annotations

from math import isnan

import attrs
import numpy as np
import pytest

import cambist
from cambist import Bars, Instrument, LookAheadError, Strategy, param
from cambist.backtest.feeds import ROWS
from cambist.errors import LineError
from cambist.indicators import EMA, SMA
from cambist.indicators.lines import HISTORY
from cambist.model.times import DAY_NS, MINUTE_NS, to_ns

START = to_ns("2000-01-01")
COUNT = 2 * ROWS + 1_000


def counting(count=COUNT, symbol="X", timeframe="1m", every=MINUTE_NS):
    """Bars whose close is their number from 1, so that each value tells where it stands."""
    closes = np.arange(1.0, count + 1)
    ts = START + np.arange(count) * every
    columns = (closes, closes, closes, closes, np.ones(count))
    return Bars(Instrument(symbol=symbol), timeframe, ts, *columns)


class Pieces:
    def __init__(self, bars, size):
        self.bars, self.size, self.name = bars, size, bars.name

    def blocks(self, size):
        return self.bars.blocks(self.size)


class Deep(Strategy):
    """At some bars reads far back; what it finds must be the number of that bar."""

    at = param()
    found = param()

    def on_start(self):
        self.sma = SMA(self.data.close, 3)
        self.ema = EMA(self.data.close, 2)

    def on_bar(self, bar):
        number = int(bar.close)
        assert bar.ts == START + (number - 1) * MINUTE_NS
        if number not in self.at:
            return
        for ago in (0, 1, 2, 999, HISTORY - 1, HISTORY):
            value = self.data.close[-ago]
            assert isnan(value) if ago >= number else value == number - ago, (number, ago)
            mean = self.sma[-ago]
            assert isnan(mean) if ago > number - 3 else abs(mean - (number - ago - 1)) < 1e-6, (number, ago)
        for line in (self.data.close, self.sma):
            with pytest.raises(LineError, match=r"reaches back further than 65,536 bars, which is all a line keeps"):
                line[-HISTORY - 1]
        self.found.append((number, self.ema[0].hex(), self.ema[-HISTORY].hex()))


BORDERS = {3, 1_000, ROWS - 1, ROWS, ROWS + 1, ROWS + 2, ROWS + 5_000, 2 * ROWS - 1, 2 * ROWS, 2 * ROWS + 1, COUNT}
BORDERS |= {100_001, 15 * 7_777 + 1}  # first bars of a block


@pytest.fixture(scope="module")
def in_columns():
    found = []
    cambist.backtest(Deep(at=BORDERS, found=found), counting(), benchmark=False)
    assert [number for number, *_ in found] == sorted(BORDERS)
    return found


@pytest.mark.parametrize("size", [COUNT, 50_000, 7_777])
def test_lines_reach_over_the_borders_of_blocks(in_columns, size):
    found = []
    cambist.backtest(Deep(at=BORDERS, found=found), Pieces(counting(), size), benchmark=False, blocks=True)
    assert found == in_columns


def test_lines_reach_as_far_when_bars_come_one_by_one(in_columns):
    found = []
    cambist.backtest(Deep(at=BORDERS, found=found), counting(), benchmark=False, events=True)
    assert found == in_columns


def test_a_slow_series_stands_still_while_a_fast_one_goes_on():
    """The windows of a run end where the fast series has played its rows; the slow one must not lose its place."""
    fast, slow = counting(ROWS + 3_000, "F"), counting(60, "S", "1d", DAY_NS)
    slow = attrs.evolve(slow, ts=slow.ts - 5 * DAY_NS)
    seen = []

    class Both(Strategy):
        def on_step(self):
            days, minutes = self.data["S"].close, self.data["F"].close
            if minutes[0] % 1_440 == 7:
                seen.append((int(minutes[0]), int(days[0]), int(days[-4])))

    for source in ([fast, slow], [Pieces(fast, 4_000), Pieces(slow, 7)]):
        seen.clear()
        cambist.backtest(Both, source, benchmark=False, blocks=isinstance(source[0], Pieces))
        minutes = [number for number, *_ in seen]
        assert minutes == list(range(7, ROWS + 3_001, 1_440))
        assert [(day, back) for _, day, back in seen] == [
            (5 + number // 1_440, 1 + number // 1_440) for number in minutes
        ]


# No way forward.


def test_nothing_public_of_a_line_or_series_shows_the_future():
    """Whatever a strategy can reach without an underscore: values, arrays and callables that could move a line."""
    checked = []
    future = 500.0

    class Nosy(Strategy):
        def on_start(self):
            self.sma = SMA(self.data.close, 3)

        def on_bar(self, bar):
            if bar.close != 200.0 or checked:
                return
            for thing in (self.data, self.data[0], self.data.close, self.sma, bar, self.position, self):
                for name in dir(thing):
                    if name.startswith("_") or name in ("position", "positions"):
                        continue
                    try:
                        value = getattr(thing, name)
                    except LookAheadError:
                        checked.append("guarded")
                        continue
                    checked.append(name)
                    assert not isinstance(value, np.ndarray | memoryview), (thing, name)
                    assert not (isinstance(value, list) and value), (thing, name)
                    assert name not in ("cursor", "load", "push", "forget", "row", "window"), (thing, name)
                    if isinstance(value, float):
                        assert not value > 201.0 or name in ("cash", "equity", "volume"), (thing, name)
            for index in (1, 2, future, np.int64(1), True):
                with pytest.raises(LookAheadError):
                    self.data.close[index]
            with pytest.raises(LookAheadError, match="would be a line of the future"):
                self.data.close(1)

    cambist.backtest(Nosy, counting(1_000), benchmark=False)
    assert "guarded" in checked
    assert {"close", "ts", "lookback"} <= set(checked)


@pytest.mark.parametrize("way", [{}, {"events": True}])
def test_lines_are_built_in_on_start_only(way):
    tried = []

    class Late(Strategy):
        def on_start(self):
            self.sma = SMA(self.data.close, 3)

        def on_bar(self, bar):
            for series in self.data:  # the second has not begun yet, and is no exception
                close = series.close
                for build in (
                    lambda: SMA(close, 3),  # noqa: B023 - called at once
                    lambda: close + 1,  # noqa: B023
                    lambda: 1 - close,  # noqa: B023
                    lambda: close > close,  # noqa: B023, PLR0124
                    lambda: -close,  # noqa: B023
                    lambda: abs(close),  # noqa: B023
                    lambda: close(-1),  # noqa: B023
                ):
                    with pytest.raises(
                        LineError, match=r"lines are built in on_start only. In on_bar compare values: \w+\[0\]"
                    ):
                        build()
                    tried.append(1)

    late = attrs.evolve(counting(5, "L"), ts=counting(5).ts + 100 * MINUTE_NS)
    cambist.backtest(Late, [counting(9), late], benchmark=False, **way)
    assert tried


def test_lines_of_two_series_do_not_mix():
    class Mixed(Strategy):
        def on_start(self):
            with pytest.raises(
                LineError, match=r"belong to different series \(close, close\). Compare their values in on_step"
            ):
                self.data["X"].close > self.data["Y"].close  # noqa: B015
            with pytest.raises(LineError, match="belong to different series"):
                self.data["X"].close - SMA(self.data["Y"].close, 3)

    cambist.backtest(Mixed, [counting(5, "X"), counting(5, "Y")], benchmark=False)


def test_a_line_is_no_number_and_no_list():
    asked = []

    class Confused(Strategy):
        def on_bar(self, bar):
            line = self.data.close
            for use in (lambda: bool(line), lambda: float(line), lambda: list(line)):
                with pytest.raises(LineError, match=r"close\[0\]"):
                    use()
            for use in (lambda: len(line), lambda: 5.0 in line):
                with pytest.raises(TypeError):
                    use()
            with pytest.raises(TypeError):
                line[0] = 5.0
            with pytest.raises(TypeError):
                line[:]
            assert repr(line) == "<Line close>"
            asked.append(line[0])

    cambist.backtest(Confused, counting(3), benchmark=False)
    assert asked == [1.0, 2.0, 3.0]


def test_before_the_first_bar_there_is_nothing():
    class Early(Strategy):
        def on_start(self):
            sma = SMA(self.data.close, 3)
            assert all(isnan(line[-ago]) for line in (self.data.close, sma) for ago in (0, 1, 5))
            assert self.data[0].ts == 0
            assert len(self.data.close.block) == 0

    cambist.backtest(Early, counting(3), benchmark=False)


def test_a_run_shorter_than_its_indicators_sees_no_warm_bar():
    called = []

    class Long(Strategy):
        def on_start(self):
            SMA(self.data.close, 50)

        def on_bar(self, bar):
            called.append(bar.close)

        def on_step(self):
            called.append("step")

        def on_warmup_bar(self, bar):
            called.append("cold")

    for way in ({}, {"events": True}, {"blocks": True}):
        called.clear()
        result = cambist.backtest(Long, counting(49), benchmark=False, **way)
        assert set(called) == {"cold"}
        assert result.n_bars == 49
        called.clear()
        cambist.backtest(Long, counting(50), benchmark=False, **way)
        assert called[49:] == [50.0, "step"]
