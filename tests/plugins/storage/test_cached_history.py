"""The cache of history on a real disk: kills, full disks, two fetchers, damage; and more than fits into memory."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist.api import BarKey, DataError, StorageError, VenueError
from cambist.app.caching import cache_folder, open_cache, open_cached
from cambist.data.cache import SeriesName, export_bars
from cambist.indicators import SMA, crossover
from cambist.model import Bars, Instrument
from cambist.plugins.registry import Registry
from cambist_storage.parquet import files

MINUTE = 60_000_000_000
START = pd.Timestamp("2024-01-20", tz="UTC").value
ROWS = 40_000  # into the next month
INSTRUMENT = Instrument(symbol="BTC/USDT", venue="acme-spot")
KEY = BarKey("BTC/USDT", "1m", "acme-spot")
NAME = SeriesName.parse("acme-spot:BTC/USDT:1m")


class Source:
    """A random walk with a downtime; it may fail at one of its answers, or be slow."""

    venue = origin = "acme-spot"

    def __init__(self, fails_at=None, slow=0.0):
        self.fails_at, self.slow = fails_at, slow
        self.asked = []
        chance = np.random.default_rng(5)
        price = np.round(100 * np.exp(np.cumsum(chance.normal(0, 1e-3, ROWS))), 2)
        ts = START + np.arange(ROWS) * MINUTE
        here = (np.arange(ROWS) < 15_000) | (np.arange(ROWS) > 15_300)
        self.bars = Bars(INSTRUMENT, "1m", ts[here], *[price[here]] * 5)

    def instruments(self):
        return [INSTRUMENT]

    def fetch(self, symbol, timeframe, start, end):
        self.asked.append((start, end))
        if len(self.asked) == self.fails_at:
            raise VenueError("the line is dead.", code="unreachable")
        time.sleep(self.slow)
        return self.bars.between(start, end)

    def close(self):
        pass


@pytest.fixture(scope="module")
def registry():
    return Registry.discover()


@pytest.fixture
def cache(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMBIST_CACHE", str(tmp_path / "cache"))
    return open_cache(registry)


def fetched(cache, source, **how):
    return cache.get(source, "BTC/USDT", "1m", START, START + ROWS * MINUTE, **how)


def same(one, other):
    return np.array_equal(one.ts, other.ts) and all(map(np.array_equal, one.columns.values(), other.columns.values()))


def test_a_fetch_that_breaks_off_keeps_what_came_and_goes_on_from_there(cache):
    source = Source(fails_at=3)
    with pytest.raises(VenueError, match=r"the line is dead.*19,699 new bars.*goes on from 2024-02-02") as caught:
        fetched(cache, source)
    assert caught.value.code == "unreachable"
    with pytest.raises(DataError, match="never fetched"):
        cache.open(NAME, START, START + ROWS * MINUTE)
    source = Source()
    told = []
    report = fetched(cache, source, progress=lambda done, total: told.append((done, total)))
    assert (report.asked, report.added) == (2, len(source.bars) - 19_699)
    assert told == [(10_000, 20_000), (20_000, 20_000)]
    assert same(cache.open(NAME).load(), source.bars)
    assert fetched(cache, source).asked == 0


_FETCHES = """
import sys
sys.path.insert(0, {here!r})
from test_cached_history import Source, fetched
from cambist.app.caching import open_cache
from cambist.data.cache import fetch
from cambist.plugins.registry import Registry
fetch._PIECE = 500
print("begun", flush=True)
fetched(open_cache(Registry.discover()), Source())
"""


def test_kill_9_in_the_middle_of_it_costs_nothing_that_was_kept(cache):
    code = _FETCHES.format(here=str(Path(__file__).parent))
    source, seen = Source(), 0
    for wait in (0.05, 0.2, 0.4):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert cache.check(KEY) == []
        kept = cache.bars.read(KEY)
        if kept is not None:
            assert len(kept) >= seen
            seen = len(kept)
            assert same(kept, source.bars[:seen])
    fetched(cache, source)
    assert same(cache.open(NAME).load(), source.bars)
    assert cache.check(KEY) == []
    assert not list(cache_folder().rglob("*.tmp"))


@pytest.mark.parametrize("full_at", [1, 2, 5])
def test_a_full_disk_leaves_what_was_there_and_says_what_to_do(cache, monkeypatch, full_at):
    calls, real = [], files.replace

    def replace(path, data):
        calls.append(path)
        if len(calls) >= full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, data)

    source = Source()
    with monkeypatch.context() as patched:
        patched.setattr("cambist_storage.parquet.series.replace", replace)
        with pytest.raises(StorageError, match=r"No space left.*make room.*the same command goes on from"):
            fetched(cache, source)
    assert cache.check(KEY) == []
    fetched(cache, source)
    assert same(cache.open(NAME).load(), source.bars)


def test_two_fetchers_take_turns_and_ask_for_nothing_twice_while_others_read(registry, cache):
    told, reports, faults = [], [], []
    sources = [Source(slow=0.05), Source(slow=0.05)]

    def fetch(source):
        reports.append(fetched(open_cache(registry, waiting=told.append), source))

    def read():
        while any(one.is_alive() for one in threads):
            bars = cache.bars.read(KEY)
            if bars is not None and not same(bars, sources[0].bars[: len(bars)]):
                faults.append(bars)

    threads = [threading.Thread(target=fetch, args=(source,)) for source in sources]
    for one in threads:
        one.start()
    read()
    for one in threads:
        one.join()
    assert not faults
    assert sorted(report.asked for report in reports) == [0, 4]
    assert len(told) == 1
    assert "another process fetches acme-spot:BTC/USDT 1m" in told[0]


def test_damage_is_found_and_a_damaged_series_can_be_deleted_and_fetched_again(cache):
    source = Source()
    fetched(cache, source)
    part = next(cache_folder().glob("bars/*/*/*/2024-01.*.parquet"))
    part.write_bytes(part.read_bytes()[:-7])
    assert "is damaged" in cache.check(KEY)[0]
    with pytest.raises(StorageError, match="is damaged"):
        cache.open(NAME).load()
    cache.delete(KEY)
    assert cache.series() == []
    assert fetched(cache, source).added == len(source.bars)


def test_bars_that_somebody_removed_are_fetched_again(cache):
    source = Source()
    fetched(cache, source)
    shutil.rmtree(cache_folder() / "bars")
    assert "there should be 39,699" in cache.check(KEY)[0]
    report = fetched(cache, source)
    assert "are not there any more" in report.notes[0]
    assert same(cache.open(NAME).load(), source.bars)


def test_what_is_known_beside_the_bars_may_be_lost_and_is_asked_for_again(cache):
    source = Source()
    fetched(cache, source)
    for path in cache_folder().joinpath("ledger").iterdir():
        if path.name != "lock":
            path.write_bytes(b"nonsense")
    source.asked.clear()
    report = fetched(cache, source)
    assert "is lost" in report.notes[0]
    assert report.added == 0
    assert len(source.asked) == 1  # the downtime alone
    assert same(cache.open(NAME).load(), source.bars)


@pytest.mark.parametrize("name", ["btc.csv", "btc.csv.gz", "btc.parquet"])
def test_an_export_reads_like_the_original(cache, tmp_path, name):
    source = Source()
    fetched(cache, source)
    assert export_bars(cache.open(NAME).blocks(7_000), tmp_path / name) == len(source.bars)
    assert same(cambist.load(tmp_path / name), source.bars)
    with pytest.raises(ValueError, match="there is such a file"):
        export_bars(cache.open(NAME).blocks(), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def test_bars_are_read_by_name(cache):
    source = Source()
    fetched(cache, source)
    assert same(cambist.load("acme:btcusdt:1m"), source.bars)
    part = open_cached("acme-spot:BTC/USDT:1m", start="2024-01-22", end="2024-01-23").load()
    assert len(part) == 1_440
    with pytest.raises(DataError, match=r"has it in 1m alone. Fetch it: cambist data get acme BTC/USDT 5m"):
        cambist.load("acme:BTC/USDT:5m")
    with pytest.raises(DataError, match=r"Did you mean 'acme-spot:BTC/USDT:1m'"):
        cambist.load("acme-spot:BTC/USDC:1m")
    with pytest.raises(
        DataError, match=r"never fetched. Fetch them: cambist data get acme-spot BTC/USDT 1m --from 2020"
    ):
        open_cached("acme-spot:BTC/USDT:1m", start="2020-01-01")


def minutes(count):
    """Return a long random walk, made piece by piece."""
    chance, price, at = np.random.default_rng(3), 100.0, 0
    while at < count:
        close = np.round(price * np.exp(np.cumsum(chance.normal(0, 1e-3, 50_000))), 2)
        ts = START + (at + np.arange(50_000)) * MINUTE
        yield Bars(INSTRUMENT, "1m", ts, *[close] * 5)
        price, at = float(close[-1]), at + 50_000


class Cross(cambist.Strategy):
    def on_start(self):
        close = self.data.close
        self.cross = crossover(SMA(close, 200), SMA(close, 800))

    def on_bar(self, bar):
        if self.cross[0] > 0:
            self.buy(1)
        elif self.cross[0] < 0:
            self.close()


def peak(source, **how):
    """Return the result of a backtest, and the most memory that it took, bytes."""
    tracemalloc.start()
    result = cambist.backtest(Cross(), source, **how)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, most


def test_a_backtest_on_blocks_of_the_cache_is_that_in_memory_and_takes_no_more_for_more(cache):
    for bars in minutes(400_000):
        cache.bars.write(bars)
    short = open_cached("acme-spot:BTC/USDT:1m", end=START + 200_000 * MINUTE)
    whole = open_cached("acme-spot:BTC/USDT:1m")
    in_memory, _ = peak(whole.load())
    _, of_half = peak(short, blocks=True)
    in_blocks, of_all = peak(whole, blocks=True)
    pd.testing.assert_frame_equal(in_blocks.fills, in_memory.fills)
    assert len(in_blocks.fills) > 40
    assert in_blocks.summary.final_equity == in_memory.summary.final_equity
    # What grows is what a run keeps of its orders and days; a bar takes 48 bytes.
    assert of_all - of_half < 0.25 * 200_000 * 48
