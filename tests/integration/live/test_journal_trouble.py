"""R2, R3, R16: a journal that fails, hangs, is torn or damaged, under a live run."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random

import pytest
from going import running, until
from test_live_run import MINUTE, Alternate, bars, told, truth, venue  # noqa: F401 - a fixture
from venue_in_process import SYMBOL

from cambist.engine.fold import RunState
from cambist.engine.records import OperatorCommand
from cambist.engine.strategy_state import decode_state
from cambist.errors import JournalDamagedError, JournalError, JournalSlowError, JournalWriteError
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings
from cambist.orders.ids import parse_client_id
from cambist.storage.journal import Journal, JournalOptions
from cambist.testing.faults import CrashingFiles, FaultyFiles


class Counting(Alternate):
    """Knows how many orders it has sent."""

    def on_start(self):
        super().on_start()
        self.sent = 0

    persistent = ("bars", "sent")

    def on_bar(self, bar):
        super().on_bar(bar)
        self.sent += 1


def make(folder, session, files=None, options=None, strategy=None, **settings) -> LiveRun:
    run = LiveRun(
        [strategy or Counting()],
        [(SYMBOL, MINUTE)],
        session,
        Journal(folder, options, files=files),
        LiveSettings(**{"drain_within": 1.0, "close_within": 1.0, **settings}),
    )
    run.alarms = []
    run._told = lambda word, text: run.alarms.append((word, text))
    return run


def break_disk(files: FaultyFiles, how: str) -> None:
    if how == "full":
        files.room = 0
    elif how == "read_only":
        files.read_only = True
    else:
        files.sync_error = errno.EIO


@pytest.mark.parametrize("how", ["full", "read_only", "unsafe"])
def test_nothing_is_traded_that_cannot_be_journalled(venue, tmp_path, how):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files)
        try:
            async with running(run):
                venue.bar(bars(1)[0], MINUTE)
                await until(lambda: len(run.kernel.fills) == 1)
                break_disk(files, how)
                venue.bar(bars(1, 1)[0], MINUTE)
                await until(lambda: run.phase == "closed")
        finally:
            with contextlib.suppress(JournalError):
                run.journal.close()
            assert [word for word, _ in run.alarms] == ["journal_failed"]
            assert "Nothing is sent any more" in run.alarms[0][1]

    with pytest.raises(JournalWriteError):
        asyncio.run(play())
    assert len(venue.submits) == 1

    files.room, files.read_only, files.sync_error = None, False, None

    async def again():
        run = make(tmp_path / "journal", venue)
        async with running(run):
            venue.bar(bars(1, 2)[0], MINUTE)
            await until(lambda: len(run.kernel.fills) == 2)
        run.journal.close()

    asyncio.run(again())
    state = told(tmp_path)
    assert {asset: state.ledger.balance(asset) for asset in ("USDT", "BTC")} == truth(venue)
    assert len(set(venue.submits)) == len(venue.submits) == 2


@pytest.mark.parametrize("native", [False, True])
def test_a_request_is_made_ready_while_the_disk_is_at_its_record_and_leaves_after(venue, tmp_path, native):  # noqa: F811
    files, ready = FaultyFiles(), []
    venue.prepare = ready.append
    # What could be left to the venue otherwise does not slow down what goes there as it is.
    venue.no_group = venue.no_trail = venue.submit_group = lambda _orders: "never asked"

    async def play():
        run = make(tmp_path / "journal", venue, files, native_groups=native, native_trails=native)
        async with running(run):
            files.gate.clear()
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: ready)
            for _ in range(20):
                await asyncio.sleep(0)
            assert (run.journal.durable < run.journal.last, run.dispatcher.busy, venue.submits) == (True, 0, [])
            files.gate.set()
            await until(lambda: len(run.kernel.fills) == 1)
        run.journal.close()

    asyncio.run(play())
    assert venue.submits == [one.client_id for one in ready]


class Waits(Alternate):
    """Buys far above the market, which its venue cannot keep for it."""

    def on_bar(self, bar):
        if not self.open_orders:
            self.buy(0.1, stop=2 * bar.close)


def test_an_order_that_is_held_here_is_taken_up_when_its_record_is_safe(venue, tmp_path):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files, strategy=Waits())
        async with running(run):
            files.gate.clear()
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: run.engine.waiting)
            assert (run.engine.orders.open, len(run.kernel.book.open)) == ([], 1)
            files.gate.set()
            await until(lambda: run.engine.orders.open)
        run.journal.close()

    asyncio.run(play())
    assert venue.submits == []


def test_a_journal_that_fails_while_nothing_happens_is_noticed(venue, tmp_path):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files)
        try:
            async with running(run):
                files.sync_error = errno.EIO
                files.gate.clear()
                run.kernel.recorder.commanded(run.now(), OperatorCommand("note"))
                files.gate.set()
                await until(lambda: run.phase == "closed")
        finally:
            with contextlib.suppress(JournalError):
                run.journal.close()

    with pytest.raises(JournalWriteError):
        asyncio.run(play())


def test_a_slow_disk_delays_what_leaves_and_is_told_of(venue, tmp_path):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files, journal_slow_after=0.1)
        async with running(run):
            files.gate.clear()
            venue.bar(bars(1)[0], MINUTE)
            await until(lambda: run.alarms)
            assert [word for word, _ in run.alarms] == ["journal_slow"]
            assert run.journal_watch.lag > 0.1
            assert run.engine.waiting
            assert venue.submits == []
            files.gate.set()
            await until(lambda: len(run.kernel.fills) == 1)
            await until(lambda: run.journal_watch.lag == 0.0)
        run.journal.close()
        return run

    run = asyncio.run(play())
    assert [word for word, _ in run.alarms] == ["journal_slow"]
    assert len(venue.submits) == 1


def test_a_disk_that_hangs_does_not_hang_the_end(venue, tmp_path):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files, drain_within=0.3, close_within=0.3)
        try:
            async with running(run):
                files.gate.clear()
                venue.bar(bars(1)[0], MINUTE)
                await until(lambda: run.engine.waiting)
        finally:
            assert {"stop_incomplete", "journal_failed"} <= {word for word, _ in run.alarms}
            files.gate.set()
            run.journal.close()

    with pytest.raises(JournalSlowError):
        asyncio.run(play())
    assert venue.submits == []


def test_a_journal_that_fails_during_a_stop_ends_it_at_once(venue, tmp_path):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files, drain_within=3_600.0)
        try:
            async with running(run):
                files.gate.clear()
                venue.bar(bars(1)[0], MINUTE)
                await until(lambda: run.engine.waiting)
                run.stop("enough")
                await until(lambda: run.phase == "drain")
                break_disk(files, "unsafe")
                files.gate.set()
                await until(lambda: run.phase == "closed")
        finally:
            with contextlib.suppress(JournalError):
                run.journal.close()
            assert [word for word, _ in run.alarms] == ["journal_failed"]

    with pytest.raises(JournalWriteError):
        asyncio.run(play())
    assert venue.submits == []


def test_a_disk_that_hangs_for_too_long_is_as_good_as_none(venue, tmp_path):  # noqa: F811
    files = FaultyFiles()

    async def play():
        run = make(tmp_path / "journal", venue, files, JournalOptions(pending_seconds=0.2))
        try:
            async with running(run):
                files.gate.clear()
                venue.bar(bars(1)[0], MINUTE)
                await until(lambda: run.journal.health().pending_seconds > 0.2)
                venue.bar(bars(1, 1)[0], MINUTE)
                await until(lambda: run.phase == "closed")
        finally:
            assert "journal_failed" in [word for word, _ in run.alarms]
            files.gate.set()
            run.journal.close()

    with pytest.raises(JournalSlowError):
        asyncio.run(play())
    assert venue.submits == []


async def cut_off(folder, session, files=None, count=1, **settings):
    """Run until so many bars were traded on, and end without a goodbye."""
    run = make(folder, session, files, **settings)
    task = asyncio.create_task(run.run())
    with contextlib.suppress(JournalError):
        await until(lambda: run.phase == "run" or task.done())
        for number in range(count):
            session.bar(bars(1, number)[0], MINUTE)
            await until(lambda number=number: task.done() or len(run.kernel.fills) > number)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, JournalError):
        await task
    with contextlib.suppress(JournalError):
        run.journal.close()
    return run


def test_a_torn_end_is_made_good_by_asking_the_venue(venue, tmp_path):  # noqa: F811
    folder = tmp_path / "journal"
    asyncio.run(cut_off(folder, venue))
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_size if path.is_file() else 0)
    content = newest.read_bytes()
    newest.write_bytes(content[:-9])  # the end of the last commit, with what the venue said of the order

    async def again():
        run = make(folder, venue)
        assert run.journal.recovery.quarantined, "what was torn is set aside"
        async with running(run):
            await until(lambda: len(run.kernel.fills) == 1)
            assert [order.status for order in run.kernel.book.orders] == ["filled"]
        run.journal.close()

    asyncio.run(again())
    assert len(venue.submits) == 1
    state = told(tmp_path)
    assert {asset: state.ledger.balance(asset) for asset in ("USDT", "BTC")} == truth(venue)


def test_a_flipped_bit_keeps_the_run_from_starting(venue, tmp_path):  # noqa: F811
    folder = tmp_path / "journal"
    asyncio.run(cut_off(folder, venue, count=2))
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_size if path.is_file() else 0)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0x10
    newest.write_bytes(content)
    with pytest.raises(JournalDamagedError) as refused:
        make(folder, venue)
    assert str(newest) in str(refused.value)
    assert refused.value.remedy
    assert len(venue.submits) == 2


def test_what_a_strategy_keeps_is_of_the_same_commit_as_its_orders(venue, tmp_path):  # noqa: F811
    """R16: whatever commit the run is cut behind, the strategy knows of exactly the orders that are there."""
    folder = tmp_path / "journal"
    asyncio.run(cut_off(folder, venue, count=4))
    state, checked = RunState(), 0
    with Journal(folder) as journal:
        for entry in journal.read():
            state.apply(entry)
            if entry.ends_commit and "Counting" in state.states:
                assert decode_state(state.states["Counting"])["sent"] == len(state.book.orders)
                checked += 1
    assert checked > 8


@pytest.mark.parametrize("at", range(14, 62, 4))
def test_a_machine_that_dies_at_any_write_loses_and_doubles_nothing(venue, tmp_path, at):  # noqa: F811
    """R3, R16: die at an operation on the disk, lose power, and go on from what is there."""
    folder, files = tmp_path / "journal", CrashingFiles(at, part=at % 3 / 2.0)
    with contextlib.suppress(JournalError):
        asyncio.run(cut_off(folder, venue, files, count=4))
    files.die()
    files.lose_power(random.Random(at))
    sent = list(venue.submits)

    async def again():
        run = make(folder, venue, on_stop="keep")
        async with running(run):
            strategy = run.kernel.seats[0].strategy
            known = {order.id for order in run.kernel.book.orders}
            assert {parse_client_id(one)[1] for one in sent} <= known, "an order left that was not journalled"
            assert strategy.sent == len(known)
            await until(lambda: not run.kernel.book.open)
            before = len(run.kernel.fills)
            venue.bar(bars(1, 100)[0], MINUTE)
            await until(lambda: len(run.kernel.fills) > before)
        run.journal.close()

    asyncio.run(again())
    assert len(set(venue.submits)) == len(venue.submits)
    state = told(tmp_path)
    assert {asset: state.ledger.balance(asset) for asset in ("USDT", "BTC")} == {"BTC": 0, **truth(venue)}
