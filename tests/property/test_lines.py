"""A line shows the same numbers whichever way the engine moves it, and what it shows is the past."""

from __future__ import annotations

from math import isnan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.indicators import EMA, SMA, crossover, highest
from cambist.model.times import MINUTE_NS, to_ns

START = to_ns("2024-03-01")


class Reader(Strategy):
    """Writes down what its lines show, so far back as it is told."""

    depths = param()
    notes = param()
    lengths = param((3, 5))

    def on_start(self):
        close = self.data.close
        fast, slow = self.lengths
        self.lines = {
            "close": close,
            "high": self.data.high,
            "sma": SMA(close, fast),
            "nested": EMA(SMA(close, fast), slow),
            "cross": crossover(SMA(close, fast), SMA(close, slow)),
            "delayed": close - close(-slow),
            "highest": highest(self.data.high, slow),
        }

    def read(self, warm):
        self.notes.append(
            (warm, self.data[0].ts, {name: [line[-ago] for ago in self.depths] for name, line in self.lines.items()})
        )

    def on_warmup_bar(self, bar):
        self.read(False)

    def on_bar(self, bar):
        self.read(True)


class Pieces:
    """Bars in the pieces that a test asks for."""

    def __init__(self, bars, sizes):
        self.bars, self.sizes, self.name = bars, sizes, "pieces"

    def blocks(self, size):
        start, turn = 0, 0
        while start < len(self.bars):
            stop = start + self.sizes[turn % len(self.sizes)]
            yield self.bars[start:stop]
            start, turn = stop, turn + 1


def make_bars(closes):
    closes = np.asarray(closes, float)
    ts = START + np.arange(len(closes)) * MINUTE_NS
    return Bars(Instrument(symbol="X"), "1m", ts, closes, closes + 1, closes - 0.5, closes, np.ones(len(closes)))


def bits(notes):
    return [
        (warm, ts, {name: [value.hex() for value in values] for name, values in lines.items()})
        for warm, ts, lines in notes
    ]


@given(
    closes=st.lists(st.floats(1.0, 1e6), min_size=1, max_size=60),
    depths=st.lists(st.integers(0, 70), min_size=1, max_size=6),
    lengths=st.tuples(st.integers(2, 6), st.integers(2, 9)),
    sizes=st.lists(st.integers(1, 25), min_size=1, max_size=5),
)
def test_columns_blocks_and_events_show_the_same(closes, depths, lengths, sizes):
    bars = make_bars(closes)
    ways = {
        "columns": (bars, {}),
        "blocks": (Pieces(bars, sizes), {"blocks": True}),
        "events": (bars, {"events": True}),
        "events in blocks": (Pieces(bars, sizes), {"events": True, "blocks": True}),
    }
    seen = {}
    for name, (source, options) in ways.items():
        notes = []
        cambist.backtest(Reader(depths=depths, notes=notes, lengths=lengths), source, benchmark=False, **options)
        seen[name] = bits(notes)
    for name in ways:
        assert seen[name] == seen["columns"], name

    # The oracle: columns of numpy, cut off at the present.
    fast, slow = lengths
    for number, (warm, ts, lines) in enumerate(notes):
        assert ts == bars.ts[number]
        assert warm is (number >= max(fast - 1 + slow - 1, slow, slow - 1, max(fast, slow) - 1 + 1))
        for name, column in (("close", bars.close), ("high", bars.high)):
            expected = [column[number - ago] if ago <= number else np.nan for ago in depths]
            assert np.array_equal(lines[name], expected, equal_nan=True)
        for ago, average, change, top in zip(depths, lines["sma"], lines["delayed"], lines["highest"], strict=True):
            at = number - ago
            assert isnan(average) is (at < fast - 1)
            assert isnan(change) is (at < slow)
            assert isnan(top) is (at < slow - 1)
            if at >= fast - 1:
                assert np.isclose(average, bars.close[at - fast + 1 : at + 1].mean(), rtol=1e-9)
            if at >= slow:
                assert change == bars.close[at] - bars.close[at - slow]
            if at >= slow - 1:
                assert top == bars.high[at - slow + 1 : at + 1].max()
