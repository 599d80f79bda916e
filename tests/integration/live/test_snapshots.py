"""R5: a live run keeps snapshots by count and by time, and goes on from the newest."""

from __future__ import annotations

import asyncio
import errno

from going import running, until
from test_live_run import MINUTE, Alternate, bars, venue  # noqa: F401 - a fixture
from venue_in_process import SYMBOL

from cambist.engine.document import digest_of
from cambist.engine.rebuild import rebuild
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings
from cambist.storage.journal import Files, Journal


class NoSnapshots(Files):
    """A disk that takes the journal and no snapshot."""

    refusing = True

    def write_whole(self, path, content, *rest):
        if self.refusing and path.suffix == ".cbs":
            raise OSError(errno.ENOSPC, "no space left")
        super().write_whole(path, content, *rest)


def make(tmp_path, session, files=None, **settings) -> LiveRun:
    run = LiveRun(
        [Alternate()], [(SYMBOL, MINUTE)], session, Journal(tmp_path / "journal", files=files), LiveSettings(**settings)
    )
    run.alarms = []
    run._told = lambda word, text: run.alarms.append((word, text))
    return run


async def trade(run, session, count, first=0):
    before = len(run.kernel.fills)
    for number in range(count):
        session.bar(bars(1, first + number)[0], MINUTE)
        await until(lambda number=number: len(run.kernel.fills) == before + number + 1)


def play(tmp_path, session, count, files=None, **settings):
    async def go():
        run = make(tmp_path, session, files, **settings)
        async with running(run):
            await trade(run, session, count)
            if files is None:
                await until(lambda: run.shadow.snapshots)
            else:
                await until(lambda: run.alarms)
            await trade(run, session, 1, first=count)
        run.journal.close()
        return run

    return asyncio.run(go())


def assert_equal_ways(tmp_path):
    with Journal(tmp_path / "journal") as journal:
        sequences = journal.snapshots.sequences()
        fast, whole = rebuild(journal), rebuild(journal, use_snapshot=False)
        assert digest_of(fast) == digest_of(whole)
        return sequences, journal.last


def test_one_is_kept_every_so_many_records_and_at_the_end(venue, tmp_path):  # noqa: F811
    play(tmp_path, venue, 2, snapshot_records=5)
    sequences, last = assert_equal_ways(tmp_path)
    assert len(sequences) == 2
    assert sequences[-1] == last, "the end of the run is in the last one"


def test_one_is_kept_every_so_often(venue, tmp_path):  # noqa: F811
    play(tmp_path, venue, 1, snapshot_every=0.1)
    assert assert_equal_ways(tmp_path)[0]


def test_a_run_that_was_cut_off_goes_on_from_a_snapshot_and_what_came_after(venue, tmp_path):  # noqa: F811
    async def first():
        run = make(tmp_path, venue, snapshot_records=5)
        task = asyncio.create_task(run.run())
        await until(lambda: run.phase == "run")
        await trade(run, venue, 2)
        await until(lambda: run.shadow.snapshots == 1)
        kept = run.journal.snapshots.sequences()[-1]
        await trade(run, venue, 1, first=2)
        task.cancel()
        await asyncio.wait({task})
        run.journal.close()
        return kept, run.journal.last

    async def second():
        run = make(tmp_path, venue)
        async with running(run):
            assert len(run.kernel.fills) == 3
            await trade(run, venue, 1, first=3)
        run.journal.close()
        return run

    kept, last = asyncio.run(first())
    assert 0 < kept < last
    run = asyncio.run(second())
    assert [order.side for order in run.kernel.book.orders] == ["buy", "sell", "buy", "sell"]
    assert [word for word, _ in run.alarms if word != "reanchored"] == []
    assert_equal_ways(tmp_path)


def test_a_snapshot_that_cannot_be_kept_is_told_of_and_stops_nothing(venue, tmp_path):  # noqa: F811
    run = play(tmp_path, venue, 2, NoSnapshots(), snapshot_records=5)
    assert [word for word, _ in run.alarms] == ["snapshot_failed"]
    assert len(run.kernel.fills) == 3
    assert assert_equal_ways(tmp_path)[0] == []
