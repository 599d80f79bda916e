"""The cache equals its source, whatever was fetched of it in whatever order, and wherever fetching was killed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cambist.data.cache import BarCache, SeriesName, fetch
from cambist.data.cache.ranges import merged, without
from cambist.data.cache.revisions import inside
from cambist.model import Bars, Instrument
from cambist.storage.memory import MemoryBarStore, MemoryStateStore

MINUTE = 60_000_000_000
SLOTS = 90
INSTRUMENT = Instrument(symbol="BTC/USDT", venue="acme-spot")
NAME = SeriesName.parse("acme-spot:BTC/USDT:1m")
PIECE, SEAM, LATE = 7, 3, 10


@pytest.fixture(autouse=True, scope="module")
def _small_pieces():
    """Pieces, and the time for which a source may be late, that are small beside the series."""
    before = fetch._PIECE, fetch._LARGEST, fetch._LATE
    fetch._PIECE, fetch._LARGEST, fetch._LATE = PIECE, 4 * PIECE, LATE * MINUTE
    yield
    fetch._PIECE, fetch._LARGEST, fetch._LATE = before


class Killed(BaseException):
    """The process ends here."""


class Accident:
    """Ends the process before or after the n-th step that is seen from outside."""

    def __init__(self):
        self.left = None

    def around(self, owner, *names):
        for name in names:
            setattr(owner, name, self._watched(getattr(owner, name)))
        return owner

    def _watched(self, function):
        def call(*args):
            if self.left is not None and self.left <= 1:
                when, self.left = self.left, None
                if when == 1:
                    function(*args)
                raise Killed
            if self.left is not None:
                self.left -= 2
            return function(*args)

        return call


class Source:
    """Bars by their slot; it tells what is over, and counts what it was asked for."""

    venue = origin = "acme-spot"

    def __init__(self, bars):
        self.bars = dict(bars)
        self.now = SLOTS // 2
        self.asked = []

    def instruments(self):
        return [INSTRUMENT]

    def fetch(self, symbol, timeframe, start, end):
        assert (symbol, str(timeframe)) == ("BTC/USDT", "1m")
        self.asked.append((start, end))
        return made(self.told(start, end))

    def told(self, start=0, end=SLOTS * MINUTE):
        """Return what is over of the bars that open in a span."""
        return {
            slot: value for slot, value in sorted(self.bars.items()) if start <= slot * MINUTE < end and slot < self.now
        }

    def close(self):
        pass


def made(bars):
    if not bars:
        return None
    price = np.array([float(value) for value in bars.values()])
    return Bars(INSTRUMENT, "1m", np.array(list(bars)) * MINUTE, price, price, price, price, price)


def as_dict(bars):
    if bars is None:
        return {}
    return dict(zip((bars.ts // MINUTE).tolist(), bars.close.tolist(), strict=True))


slots = st.integers(0, SLOTS)
values = st.integers(1, 9)


class CacheMachine(RuleBasedStateMachine):
    """Fetches, kills, time that goes on; and a source that changes its mind where a subclass lets it."""

    @initialize(bars=st.dictionaries(st.integers(0, SLOTS - 1), values, min_size=5))
    def begin(self, bars):
        self.accident = Accident()
        self.source = Source(bars)
        self.store = self.accident.around(MemoryBarStore(), "write", "delete")
        self.state = self.accident.around(MemoryStateStore(), "put")
        self.accident.around(self.source, "fetch")
        self.seen = {}

    @property
    def cache(self):
        """The cache as a process finds it that has just begun."""
        return BarCache(self.store, self.state, clock=lambda: self.source.now * MINUTE)

    def covered(self):
        return self.cache._ledger(NAME.key)[0].covered if self.cache._ledger(NAME.key)[0] else ()

    @rule(start=slots, length=st.integers(1, SLOTS), refresh=st.booleans(), kill=st.integers(0, 14))
    def get_and_be_killed(self, start, length, refresh, kill):
        self.get(start, length, refresh, kill)

    @rule(start=slots, length=st.integers(1, SLOTS), refresh=st.booleans())
    def get_in_peace(self, start, length, refresh):
        self.get(start, length, refresh, None)

    def get(self, start, length, refresh, kill):
        end = min(start + length, self.source.now)
        if start >= end:
            return
        before = self.covered()
        self.source.asked.clear()
        self.accident.left = kill
        try:
            report = self.cache.get(self.source, "btcusdt", "1m", start * MINUTE, end * MINUTE, refresh=refresh)
        except Killed:
            return
        finally:
            self.accident.left = None
        read = as_dict(self.store.read(NAME.key, start * MINUTE, end * MINUTE))
        self.check_fetched(start, end, read)
        if refresh:
            return
        # What was known was not asked for again, save at the seams.
        for since, until in self.source.asked:
            inner = (min(since + SEAM * MINUTE, until), max(since, until - SEAM * MINUTE))
            assert without(inner, before) == ((inner,) if inner[0] < inner[1] else ()), (since, until, before)
        assert report.asked == len(self.source.asked)

    def check_fetched(self, start, end, read):
        assert read == self.source.told(start * MINUTE, end * MINUTE)

    @rule(steps=st.integers(1, 20))
    def time_goes_on(self, steps):
        self.source.now = min(SLOTS, self.source.now + steps)

    @rule()
    def what_is_known_of_the_bars_is_lost(self):
        self.state.delete(str(NAME.key))

    @invariant()
    def what_is_covered_is_what_the_source_told(self):
        if not hasattr(self, "source"):
            return
        cached = as_dict(self.store.read(NAME.key))
        for since, until in self.covered():
            told = {slot for slot in self.source.told() if since <= slot * MINUTE < until}
            assert told == {slot for slot in cached if since <= slot * MINUTE < until}
        assert cached.items() <= self.source.told().items()


class RevisingMachine(CacheMachine):
    """The source changes, adds and withdraws bars."""

    @rule(slot=st.integers(0, SLOTS - 1), value=st.none() | values)
    def revise(self, slot, value):
        if value is None:
            self.source.bars.pop(slot, None)
        else:
            self.source.bars[slot] = value

    def check_fetched(self, start, end, read):
        pass

    @rule()
    def what_is_known_of_the_bars_is_lost(self):
        """Does not happen here: with it goes what was withdrawn."""

    @rule()
    def look_again(self):
        if self.source.now < 1 or not self.covered():
            return
        self.cache.get(self.source, "BTC/USDT", "1m", 0, self.source.now * MINUTE, refresh=True)
        name = SeriesName.parse("acme-spot:BTC/USDT:1m:revised")
        told = self.source.told()
        if told:
            history = self.cache.open(name)
            assert as_dict(history.load()) == told
            assert as_dict(Bars.joined(list(history.blocks(4)))) == told

    @invariant()
    def what_is_covered_is_what_the_source_told(self):
        """Checked by what was seen first: it never changes."""
        if not hasattr(self, "source"):
            return
        cached = as_dict(self.store.read(NAME.key))
        assert self.seen.items() <= cached.items()
        self.seen = cached


quick = settings(max_examples=120, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
TestTheCacheEqualsItsSource = CacheMachine.TestCase
TestTheCacheEqualsItsSource.settings = quick
TestNothingThatWasFetchedChanges = RevisingMachine.TestCase
TestNothingThatWasFetchedChanges.settings = quick

ranges = st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=8)


@given(ranges=ranges, one=st.tuples(st.integers(-5, 40), st.integers(-5, 40)))
def test_ranges_are_sets_of_times(ranges, one):
    members = {at for start, end in ranges for at in range(start, end)}
    taken = merged(ranges)
    assert {at for start, end in taken for at in range(start, end)} == members
    assert all(before[1] < after[0] for before, after in pairwise(taken))
    assert {at for start, end in without(one, taken) for at in range(start, end)} == set(range(*one)) - members
    times = np.arange(-6, 42)
    assert times[inside(times, taken)].tolist() == sorted(members)
