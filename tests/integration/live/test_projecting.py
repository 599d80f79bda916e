"""A storage beside a live run: it follows the journal, may be away, and never stops trading."""

from __future__ import annotations

import asyncio

import pytest
from going import running, until
from test_live_run import MINUTE, Alternate, bars, venue  # noqa: F401 - a fixture
from venue_in_process import SYMBOL

from cambist.engine.projection import Projection
from cambist.errors import StorageError
from cambist.live.projecting import Projecting
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings
from cambist.ports.rows import FillRow, OrderEventRow, OrderRow, PositionRow
from cambist.storage.journal import Journal
from cambist.storage.memory import MemoryStorage
from cambist_storage.sql.storage import SqlStorage

KINDS = (OrderRow, FillRow, OrderEventRow, PositionRow)


class Away(MemoryStorage):
    """A storage of which writing fails while `away` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        write = self.runs.write

        def write_or_fail(run_id, rows, sequence):
            if self.away:
                raise StorageError("the database has gone")
            return write(run_id, rows, sequence)

        self.runs.write = write_or_fail

    def close(self) -> None:
        """Keep everything for the next run."""


def make(tmp_path, session, companion) -> LiveRun:
    run = LiveRun(
        [Alternate()],
        [(SYMBOL, MINUTE)],
        session,
        Journal(tmp_path / "journal"),
        LiveSettings(),
        companions=[companion],
    )
    run.alarms = []
    run._told = lambda word, text: run.alarms.append((word, text))
    return run


def expected(tmp_path):
    """Return the rows that the journal makes."""
    with Journal(tmp_path / "journal") as journal:
        maker, storage = Projection("live", 0), MemoryStorage()
        rows = maker.rows(list(journal.read()))
        storage.runs.begin(maker.run)
        storage.runs.write(maker.run_id, rows, maker.sequence)
        return maker.run_id, storage


def assert_same(storage, tmp_path):
    run_id, made = expected(tmp_path)
    for kind in KINDS:
        rows = list(made.runs.rows(run_id, kind))
        assert rows, kind
        assert list(storage.runs.rows(run_id, kind)) == rows


async def trade(run, session, count, first=0):
    before = len(run.kernel.fills)
    for number in range(count):
        session.bar(bars(1, first + number)[0], MINUTE)
        await until(lambda number=number: len(run.kernel.fills) == before + number + 1)


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_the_storage_has_what_the_journal_has(venue, tmp_path, kind):  # noqa: F811
    def open_storage():
        return SqlStorage(f"sqlite:///{tmp_path / 'runs.db'}") if kind == "sqlite" else kept

    kept = Away()

    async def play():
        run = make(tmp_path, venue, Projecting(open_storage))
        async with running(run):
            await trade(run, venue, 3)
        run.journal.close()
        return run

    run = asyncio.run(play())
    assert run.alarms == []
    storage = open_storage()
    assert_same(storage, tmp_path)
    storage.close()


def test_trading_goes_on_while_it_is_away_and_it_catches_up(venue, tmp_path):  # noqa: F811
    storage = Away()

    async def play():
        projecting = Projecting(lambda: storage, told_after=0.1)
        run = make(tmp_path, venue, projecting)
        async with running(run):
            await trade(run, venue, 1)
            await until(lambda: projecting.projector is not None and projecting.projector.progress().behind == 0)
            storage.away = True
            await trade(run, venue, 2, first=1)
            await until(lambda: run.alarms)
            assert [word for word, _ in run.alarms] == ["storage_away"]
            assert "the database has gone" in run.alarms[0][1]
            storage.away = False
            await trade(run, venue, 1, first=3)
        run.journal.close()

    asyncio.run(play())
    assert_same(storage, tmp_path)


def test_one_that_cannot_be_opened_catches_up_with_the_next_run(venue, tmp_path):  # noqa: F811
    storage, tries = Away(), []

    def refuse():
        tries.append(1)
        raise StorageError("nobody listens there")

    async def play(open_storage, first):
        run = make(tmp_path, venue, Projecting(open_storage, told_after=0.0))
        async with running(run):
            await trade(run, venue, 2, first=first)
            if open_storage is refuse:
                await until(lambda: run.alarms)
        run.journal.close()
        return [word for word, _ in run.alarms if word != "reanchored"]

    assert asyncio.run(play(refuse, 0)) == ["storage_away"]
    assert tries
    with Journal(tmp_path / "journal") as journal:
        assert journal.cursor("storage").sequence == 0, "the journal keeps all that the storage lacks"
    assert asyncio.run(play(lambda: storage, 2)) == []
    assert_same(storage, tmp_path)
