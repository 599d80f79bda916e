"""A run over blocks holds as much of ten times the data as of the data."""

from __future__ import annotations

import subprocess
import sys
import weakref

import numpy as np
import pytest

import cambist
from cambist.backtest import run as backtest_run
from cambist.strategies.examples.sma_cross import SmaCross

PROGRAM = """
import sys

import numpy as np

import cambist
from cambist import Bars, Instrument, Strategy
from cambist.indicators import EMA, SMA, crossover
from cambist.model.times import MINUTE_NS

BLOCK, SPARE = 50_000, Instrument(symbol="X", tick_size="0.01", step_size="1")


class Generated:
    name = "a walk without end"

    def __init__(self, count):
        self.count = count

    def blocks(self, size):
        rng = np.random.default_rng(3)
        for start in range(0, self.count, BLOCK):
            rows = np.arange(start, start + BLOCK)
            ts, open_ = rows * MINUTE_NS, 100.0 + 10.0 * np.sin(rows / 5_000)
            close = open_ + rng.normal(0.0, 0.1, BLOCK)
            high, low = np.maximum(open_, close), np.minimum(open_, close)
            yield Bars(SPARE, "1m", ts, open_, high, low, close, np.ones(BLOCK))


class Cross(Strategy):
    seen = 0

    def on_start(self):
        close = self.data.close
        self.cross = crossover(SMA(close, 1_000), EMA(close, 20_000))

    def on_bar(self, bar):
        type(self).seen += 1
        if self.cross[0]:
            self.order_target_size(self.cross[0])


count = int(sys.argv[1])
result = cambist.backtest(Cross, Generated(count), blocks=True, fees=0.0001)
assert result.n_bars == count and Cross.seen == count - 20_000, (result.n_bars, Cross.seen)
assert len(result.equity) <= count / 1_440 + 2
result.summary["sharpe"]
with open("/proc/self/status") as status:
    peak = next(line for line in status if line.startswith("VmHWM"))
print(int(peak.split()[1]), len(result.fill_records))
"""


def peak_of(count):
    """Return the peak of a process's memory, in kB, and its fills."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(count)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak, fills = map(int, done.stdout.split())
    return peak, fills


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process from /proc")
def test_ten_times_the_bars_take_no_more_memory():
    small, few = peak_of(200_000)
    large, many = peak_of(2_000_000)
    assert many > 3 * few  # it did trade
    # In memory the larger run would take 1.8 million rows of six columns more, 86 MB before any line or list.
    assert large - small < 15_000


@pytest.mark.usefixtures("thawed")
@pytest.mark.parametrize("large", [False, True])
def test_the_collector_comes_by_itself_to_runs_that_are_over(bars, monkeypatch, large):
    """A program may play thousands; what large ones made is put where the collector does not look by itself."""
    if large:
        monkeypatch.setattr(backtest_run, "_FEW_OBJECTS", 0)
        monkeypatch.setattr(backtest_run, "_MANY_OBJECTS", 10_000)
    played = []

    class Seen(SmaCross):
        def on_start(self):
            super().on_start()
            played.append(weakref.ref(self))

    some = bars(100.0 + np.sin(np.arange(60)))
    for _ in range(300):
        cambist.backtest(Seen, some)
        if any(one() is None for one in played):
            break
    assert any(one() is None for one in played)
