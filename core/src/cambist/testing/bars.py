"""What a store of bars has to do."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cambist.errors import DataError
from cambist.model.bars import COLUMNS, Bars
from cambist.model.instrument import Instrument
from cambist.ports.bars import BarKey, BarsWritten
from cambist.testing.conformance import Suite
from cambist.testing.kills import killed_writers
from cambist.testing.opening import closed_at_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cambist.ports.bars import BarStore
    from cambist.ports.storage import Storage

__all__ = ["BarStoreTests"]

_MINUTE = 60_000_000_000
#: Two hours before the end of a month, so that a few bars lie on either side of it.
_START = 1_706_738_400_000_000_000
_INSTRUMENT = Instrument(
    symbol="BTC/USDT",
    venue="nowhere",
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.00001"),
    min_notional=Decimal(5),
    taker_fee=0.001,
)
_AWKWARD = (
    "BTC/USDT",
    "btc/usdt",
    "BTC-USDT",
    "..",
    "a b",
    "BTC%2FUSDT",
    "比特币",
    "BRK.B",
    "x" * 60,
    "a\\b",
    "_",
    "A:B",
)


def _bars(numbers: Sequence[int], prices: Iterable[float] | None = None, instrument: Instrument = _INSTRUMENT) -> Bars:
    """Return minute bars of the given numbers, with prices of many digits unless told which."""
    at = np.asarray(numbers, np.int64)
    ts = _START + at * _MINUTE
    close = 100.0 + np.sin(at) if prices is None else np.fromiter(prices, np.float64)
    spread = 0.1 + 0.01 * np.cos(at)
    return Bars(instrument, "1m", ts, close, close + spread, close - spread, close, np.abs(close) / 3)


def _same(found: Bars | None, wanted: Bars) -> bool:
    return (
        found is not None
        and found.instrument == wanted.instrument
        and found.timeframe == wanted.timeframe
        and np.array_equal(found.ts, wanted.ts)
        and all(np.array_equal(getattr(found, name), getattr(wanted, name)) for name in COLUMNS)
    )


class BarStoreTests(Suite):
    """Tests of a `BarStore`.

    The test file or a ``conftest.py`` gives the fixture ``open_storage``: a function without arguments that opens the
    same storage each time it is called, empty at the first call of a test. A subclass may give ``open_store`` instead,
    which opens the store alone. A store that does not outlive its object sets ``durable = False``.
    """

    prefix = "BAR"
    durable = True
    #: Bars of the largest series written; several months of minutes.
    many = 150_000
    #: How often the random tests try.
    examples = 25

    @pytest.fixture
    def open_store(self, open_storage: Callable[[], Storage]) -> Iterator[Callable[[], BarStore]]:
        """Return what opens the store."""
        with closed_at_the_end(open_storage) as open_one:
            yield lambda: open_one().bars

    @pytest.fixture
    def store(self, open_store: Callable[[], BarStore]) -> Iterable[BarStore]:
        """Open the store, and close it after the test."""
        store = open_store()
        yield store
        store.close()

    def test_an_empty_store_has_nothing(self, store: BarStore) -> None:
        """Nothing is found, and nothing to forget is no error."""
        key = BarKey("BTC/USDT", "1m")
        assert store.series() == []
        assert store.read(key) is None
        assert list(store.blocks(key)) == []
        store.delete(key)

    def test_bars_come_back_to_the_last_bit(self, store: BarStore) -> None:
        """Values and the instrument survive exactly."""
        bars = _bars(range(500))
        assert store.write(bars) == BarsWritten(added=500)
        assert _same(store.read(BarKey.of(bars)), bars)

    def test_extreme_values_survive(self, store: BarStore) -> None:
        """So do the largest and the smallest doubles."""
        values = np.array([5e-324, 2.2250738585072014e-308, 0.1 + 0.2, 1.7976931348623157e308])
        ts = _START + np.arange(4) * _MINUTE
        bars = Bars(_INSTRUMENT, "1m", ts, values, values, values, values, np.array([0.0, 5e-324, 1 / 3, 1.7e308]))
        store.write(bars)
        assert _same(store.read(BarKey.of(bars)), bars)

    def test_a_second_write_changes_nothing(self, store: BarStore) -> None:
        """Writing is idempotent."""
        bars = _bars(range(300))
        store.write(bars)
        assert store.write(bars) == BarsWritten(unchanged=300)
        assert store.write(bars[100:150]) == BarsWritten(unchanged=50)
        assert _same(store.read(BarKey.of(bars)), bars)

    def test_revised_bars_replace_those_that_were_there(self, store: BarStore) -> None:
        """A bar of other values at the same time counts as replaced, and is what is read."""
        store.write(_bars(range(200)))
        revised = _bars(range(150, 250), np.full(100, 42.5))
        assert store.write(revised) == BarsWritten(added=50, replaced=50)
        found = store.read(BarKey.of(revised))
        assert _same(found, _bars(range(150)).updated(revised))

    def test_pieces_may_come_in_any_order(self, store: BarStore) -> None:
        """Later bars first, holes filled afterwards."""
        whole = _bars(range(600))
        for start, stop in ((400, 600), (0, 100), (250, 420), (90, 260)):
            store.write(whole[start:stop])
        assert _same(store.read(BarKey.of(whole)), whole)

    def test_bounds_take_in_the_start_and_leave_out_the_end(self, store: BarStore) -> None:
        """Bars open in [start, end)."""
        bars = _bars(range(300))
        store.write(bars)
        key, ts = BarKey.of(bars), bars.ts.tolist()
        assert _same(store.read(key, ts[10], ts[290]), bars[10:290])
        assert _same(store.read(key, ts[10] + 1, ts[290] + 1), bars[11:291])
        assert _same(store.read(key, end=ts[1]), bars[:1])
        assert _same(store.read(key, start=ts[-1]), bars[-1:])
        assert store.read(key, start=ts[-1] + 1) is None
        assert store.read(key, end=ts[0]) is None
        assert store.read(key, ts[5], ts[5]) is None

    @pytest.mark.parametrize("size", [1, 7, 65_536])
    def test_blocks_put_together_are_what_is_read(self, store: BarStore, size: int) -> None:
        """No block is larger than asked for, and none repeats or lacks a bar."""
        bars = _bars(range(200))
        store.write(bars)
        key, ts = BarKey.of(bars), bars.ts.tolist()
        blocks = list(store.blocks(key, ts[3], ts[190], size))
        assert max(map(len, blocks)) <= size
        assert _same(Bars.joined(blocks), bars[3:190])

    def test_series_are_kept_apart(self, store: BarStore) -> None:
        """By symbol, venue and timeframe, whatever characters are in a name."""
        written = {}
        for number, symbol in enumerate(_AWKWARD):
            for venue in ("", "nowhere", symbol):
                one = Instrument(symbol=symbol, venue=venue)
                bars = _bars(range(3), np.full(3, 10.0 + number + 0.01 * len(venue)), one)
                for series in (bars, Bars(one, "1h", bars.ts[:1], *(column[:1] for column in bars.columns.values()))):
                    store.write(series)
                    written[BarKey.of(series)] = series
        assert [stored.key for stored in store.series()] == sorted(written)
        for key, bars in written.items():
            assert _same(store.read(key), bars), key

    def test_what_is_stored_is_told(self, store: BarStore) -> None:
        """`series` gives the first and the last bar, their number, and the instrument as last written."""
        bars = _bars(range(100))
        store.write(bars[:60])
        newer = attrs.evolve(_INSTRUMENT, taker_fee=0.002)
        store.write(_bars(range(60, 100), instrument=newer))
        (stored,) = store.series()
        assert (stored.first, stored.last, stored.rows) == (int(bars.ts[0]), int(bars.ts[-1]), 100)
        assert stored.instrument == newer

    @pytest.mark.parametrize("number", [-1, 30, 119, 120, 199])
    def test_bars_off_the_grid_are_refused_and_nothing_is_changed(self, store: BarStore, number: int) -> None:
        """A bar that opens before another has closed does not belong to the series."""
        bars = _bars(range(200))
        store.write(bars)
        off = Bars(_INSTRUMENT, "1m", bars.ts[:1] + number * _MINUTE + _MINUTE // 2, *([np.ones(1)] * 5))
        with pytest.raises(DataError):
            store.write(off)
        assert _same(store.read(BarKey.of(bars)), bars)

    def test_a_series_can_be_forgotten_and_begun_anew(self, store: BarStore) -> None:
        """Deleting takes that series and no other."""
        bars, other = _bars(range(100)), _bars(range(50), instrument=Instrument(symbol="ETH/USDT"))
        store.write(bars)
        store.write(other)
        store.delete(BarKey.of(bars))
        assert store.read(BarKey.of(bars)) is None
        assert [stored.key for stored in store.series()] == [BarKey.of(other)]
        assert store.write(bars[:10]) == BarsWritten(added=10)
        assert _same(store.read(BarKey.of(bars)), bars[:10])

    def test_long_series(self, store: BarStore) -> None:
        """Months of minutes."""
        bars = _bars(range(self.many))
        store.write(bars)
        key, ts = BarKey.of(bars), bars.ts
        assert _same(store.read(key), bars)
        middle = self.many // 2
        assert _same(store.read(key, int(ts[middle]), int(ts[middle + 1_440])), bars[middle : middle + 1_440])

    def test_what_was_written_outlives_the_object(self, open_store: Callable[[], BarStore]) -> None:
        """A store that is opened again has it all."""
        if not self.durable:
            pytest.skip("this store says that it does not outlive its object")
        bars = _bars(range(200))
        first = open_store()
        first.write(bars)
        first.close()
        first.close()
        second = open_store()
        try:
            assert _same(second.read(BarKey.of(bars)), bars)
        finally:
            second.close()

    def test_readers_never_see_half_a_write(self, open_store: Callable[[], BarStore]) -> None:
        """While one writes version after version over a month's end, each read is one version, whole."""
        if not self.durable:
            pytest.skip("this store cannot be opened twice")
        versions = [_bars(range(240), np.full(240, 100.0 + number)) for number in range(12)]
        writer, reader = open_store(), open_store()
        key = BarKey.of(versions[0])
        writer.write(versions[0])
        seen: list[set[float]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                bars = reader.read(key)
                seen.append(set() if bars is None or len(bars) != 240 else set(bars.close.tolist()))

        thread = threading.Thread(target=read)
        thread.start()
        for version in versions:
            writer.write(version)
        done.set()
        thread.join()
        writer.close()
        reader.close()
        assert seen
        assert all(len(closes) == 1 for closes in seen)

    def test_a_killed_writer_leaves_one_version(self, open_store: Callable[[], BarStore]) -> None:
        """Over a month's end; and what a write that returned has kept is there."""
        if not self.durable:
            pytest.skip("this store says that it does not outlive its object")

        def version(number: int) -> Bars:
            return _bars(range(240), np.full(240, 100.0 + number))

        def begin() -> Callable[[int], object]:
            store = open_store()
            return lambda number: store.write(version(number))

        for promised in killed_writers(begin):
            store = open_store()
            found = store.read(BarKey.of(version(0)))
            store.close()
            assert any(_same(found, version(number)) for number in (promised, promised + 1))

    def test_two_writers_lose_nothing(self, open_store: Callable[[], BarStore]) -> None:
        """Each adds bars of its own to one series at the same time."""
        if not self.durable:
            pytest.skip("this store cannot be opened twice")
        whole = _bars(range(240))
        failures: list[BaseException] = []

        def write(first: int) -> None:
            store = open_store()
            try:
                for number in range(first, 240, 20):
                    store.write(whole[number : number + 10])
            except BaseException as error:  # noqa: BLE001 - told by the test
                failures.append(error)
            finally:
                store.close()

        threads = [threading.Thread(target=write, args=(first,)) for first in (0, 10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        store = open_store()
        try:
            assert _same(store.read(BarKey.of(whole)), whole)
        finally:
            store.close()

    def test_any_sequence_of_writes_equals_a_dict(self, open_store: Callable[[], BarStore]) -> None:
        """Random writes, revisions, deletions, reads and reopenings against a dict of times."""
        durable = self.durable

        class Machine(_BarsMachine):
            def open(self) -> BarStore:
                return open_store()

            @precondition(lambda _machine: durable)
            @rule()
            def reopen(self) -> None:
                """Close the store and open it anew."""
                self.store.close()
                self.store: BarStore = self.open()

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=self.examples,
                stateful_step_count=15,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )


class _BarsMachine(RuleBasedStateMachine):
    """One series as a dict from number to close."""

    def __init__(self) -> None:
        super().__init__()
        self.store: BarStore = self.open()
        self.store.delete(BarKey.of(_bars([0])))
        self.model: dict[int, float] = {}

    def open(self) -> BarStore:
        """Open the store."""
        raise NotImplementedError

    @rule(numbers=st.sets(st.integers(0, 240), min_size=1, max_size=20), price=st.sampled_from([1.0, 1.5, 1 / 3]))
    def write(self, numbers: set[int], price: float) -> None:
        """Write a few bars, some of them anew."""
        ordered = sorted(numbers)
        replaced = sum(self.model.get(number, price) != price for number in ordered)
        added = sum(number not in self.model for number in ordered)
        written = self.store.write(_bars(ordered, [price] * len(ordered)))
        assert (written.added, written.replaced) == (added, replaced)
        assert written.added + written.replaced + written.unchanged == len(ordered)
        self.model.update(dict.fromkeys(ordered, price))

    @rule()
    def delete(self) -> None:
        """Forget the series."""
        self.store.delete(BarKey.of(_bars([0])))
        self.model.clear()

    @rule(first=st.integers(-5, 245), length=st.integers(0, 250))
    def read(self, first: int, length: int) -> None:
        """Read a stretch."""
        start, end = _START + first * _MINUTE, _START + (first + length) * _MINUTE
        found = self.store.read(BarKey.of(_bars([0])), start, end)
        wanted = {number: price for number, price in self.model.items() if first <= number < first + length}
        assert _as_dict(found) == wanted

    @invariant()
    def equals_the_model(self) -> None:
        """Everything is there."""
        assert _as_dict(self.store.read(BarKey.of(_bars([0])))) == self.model

    def teardown(self) -> None:
        """Leave the store empty for the next example."""
        self.store.delete(BarKey.of(_bars([0])))
        self.store.close()


def _as_dict(bars: Bars | None) -> dict[int, float]:
    if bars is None:
        return {}
    return dict(zip(((bars.ts - _START) // _MINUTE).tolist(), bars.close.tolist(), strict=True))
