"""What a database shows of a run is made of its journal, whatever is cut off and however often it is told."""

from __future__ import annotations

import random
import threading
import time
from itertools import islice

import attrs
import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Strategy
from cambist.api import (
    AccountRow,
    DailyRow,
    FillRow,
    MeasureRow,
    OrderEventRow,
    OrderRow,
    PositionRow,
    PositionSnapshotRow,
    RunRecord,
    SignalRow,
    StateRow,
    StorageError,
    TradeRow,
)
from cambist.backtest.rows import rows_of
from cambist.backtest.stored import result_of_run
from cambist.engine.projection import Projection
from cambist.indicators import SMA
from cambist.model import Bars, Instrument
from cambist.ports.rows import ROWS
from cambist.storage.journal import Journal
from cambist.storage.memory import MemoryRunStore, MemoryStateStore
from cambist.storage.projector import Pace, Projector
from cambist.storage.state_files import FileStateStore
from cambist_storage.sql.storage import SqlStorage


class Busy(Strategy):
    """Sends orders of many kinds, and keeps a count over restarts."""

    persistent = ("count",)

    def on_start(self):
        self.count = self.number = 0
        self.mean = SMA(self.data.close, 5)

    def on_bar(self, bar):
        self.number += 1
        if self.number % 5 == 0:
            self.record_signal("number" if self.number % 2 else "text", self.number if self.number % 2 else "even")
        self.count += self.number % 17 == 0
        dice = self.chance.random()
        if dice < 0.15:
            self.buy(size=1 + self.number % 3, tag="in", info={"why": "因"})
        elif dice < 0.3:
            self.sell(size=2)
        elif dice < 0.4:
            self.buy(limit=bar.close * 0.99)
        elif dice < 0.5:
            if self.position.is_flat:
                self.buy_bracket(stop_loss=bar.close * 0.97, take_profit=bar.close * 1.03)
            else:
                self.close()
        elif dice < 0.55:
            for order in list(self.open_orders)[:1]:
                self.cancel(order)
        elif dice < 0.6:
            self.buy(size=10_000_000)  # refused


def bars(count=400):
    rng = np.random.default_rng(5)
    ts = 1_709_251_200_000_000_000 + np.arange(count) * 3_600_000_000_000
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, count))), 2)
    opens = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opens, close) + 0.5, np.minimum(opens, close) - 0.5
    return Bars(Instrument(symbol="ACME", kind="equity", tick_size="0.01"), "1h", ts, opens, high, low, close, close)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A backtest and the journal that it wrote."""
    folder = tmp_path_factory.mktemp("run") / "journal"
    options = {"record_lines": ["mean"], "snapshots": "5h", "cash_flows": [("2024-03-06", 5_000.0)]}
    result = cambist.backtest(Busy(), bars(), cash=100_000, fees=0.001, seed=3, events=True, journal=folder, **options)
    assert len(result.order_records) > 150
    return result, folder


def told(store, run_id):
    """Everything that a store has of a run, the time of storing apart."""
    return {kind: list(store.rows(run_id, kind)) for kind in ROWS}


@pytest.fixture(scope="module")
def whole(run):
    """What a store has that was told in one go."""
    result, folder = run
    store = MemoryRunStore()
    with Journal(folder) as journal:
        Projector(journal, store, lambda: Projection("live"), name="whole", pace=Pace(batch=10**9)).catch_up()
    return told(store, result.run_id)


def test_orders_fills_and_trades_are_those_of_the_result(run, whole):
    result, _ = run
    wanted = list(rows_of(result))
    fields = [name for name in OrderRow.__attrs_attrs__ if name.name != "client_id"]
    mine = [[getattr(row, field.name) for field in fields] for row in whole[OrderRow]]
    theirs = [[getattr(row, field.name) for field in fields] for row in wanted if isinstance(row, OrderRow)]
    assert mine == theirs
    assert sum(row.decision_price is not None for row in whole[OrderRow]) > 150
    assert sorted(whole[FillRow], key=lambda row: int(row.id)) == [row for row in wanted if isinstance(row, FillRow)]
    assert whole[TradeRow] == [row for row in wanted if isinstance(row, TradeRow)]
    assert whole[PositionRow][-1].size == [row for row in wanted if isinstance(row, PositionRow)][-1].size


def test_signals_snapshots_days_and_measures_are_those_of_the_result(run, whole):
    """In whatever batches the journal is told: the tests below hold all tables to these."""
    result, _ = run
    wanted = list(rows_of(result))
    for kind in (SignalRow, AccountRow, PositionSnapshotRow, DailyRow):
        theirs = {tuple(getattr(row, name) for name in row.key): row for row in wanted if type(row) is kind}
        assert whole[kind] == [row for _, row in sorted(theirs.items())]
        assert len(whole[kind]) > 10
    measures = {row.name: row for row in wanted if isinstance(row, MeasureRow)}
    assert {row.name for row in whole[MeasureRow]} > {
        "total_return",
        "sharpe",
        "volatility",
        "max_drawdown",
        "exposure",
    }
    assert all(measures[row.name] == row for row in whole[MeasureRow])


def test_a_result_can_be_made_of_a_journal_that_was_told(run):
    result, folder = run
    store = MemoryRunStore()
    with Journal(folder) as journal:
        Projector(journal, store, lambda: Projection("replay"), pace=Pace(batch=10**9)).catch_up()
    found = result_of_run(store, result.run_id)
    for one, other in ((result.orders, found.orders), (result.fills, found.fills), (result.trades, found.trades)):
        kept = [name for name in one if name != "bars"]
        pd.testing.assert_frame_equal(one[kept], other[kept])
    at = result.equity.index.intersection(found.equity.index)
    assert len(at) == len(found.equity) > 70
    assert found.equity["equity"].tolist() == result.equity["equity"][at].tolist()
    assert found.series.positions["ACME"].tolist() == result.series.positions["ACME"][at].tolist()
    assert found.summary["total_return"] == pytest.approx(result.summary["total_return"], abs=2e-3)
    pd.testing.assert_frame_equal(result.signals, found.signals)
    pd.testing.assert_frame_equal(result.snapshots, found.snapshots)


def test_the_whole_life_of_an_order_is_there(run, whole):
    result, _ = run
    lives = {}
    for row in whole[OrderEventRow]:
        lives.setdefault(row.order_id, []).append((row.kind, row.status))
    assert set(lives) == {order.id for order in result.order_records}
    for order in result.order_records:
        assert lives[order.id][0][0] in {"OrderSubmitted", "OrderRefused"}
        assert lives[order.id][-1][1] == str(order.status)
    assert ("OrderRefused", "rejected") in {step for life in lives.values() for step in life}
    assert [row.sequence for row in whole[OrderEventRow]] == sorted({row.sequence for row in whole[OrderEventRow]})
    assert len(whole[StateRow]) > 5


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_cut_off_is_told_again(run, whole, sql_url, seed):
    """Processes that end between any two batches, in any state of the store's cursor, the journal's and the maker."""
    result, folder = run
    chance = random.Random(seed)
    finished = False
    while not finished:
        storage = SqlStorage(sql_url)
        with Journal(folder) as journal:
            projector = Projector(
                journal,
                storage.runs,
                lambda: Projection("live"),
                states=storage.state if chance.random() < 0.7 else None,
                name=f"cut-{seed}-{storage.database.url.drivername}",
                pace=Pace(batch=chance.choice([7, 40, 333]), save_every=chance.choice([1, 100, 10_000])),
            )
            for _ in range(chance.randrange(1, 12)):
                if not projector._tell_batch():
                    finished = True
                    break
        storage.close()
    storage = SqlStorage(sql_url)
    assert told(storage.runs, result.run_id) == whole
    assert storage.runs.get(result.run_id).ended_at is not None
    storage.close()


def test_a_store_that_lost_its_last_writes_is_brought_up_to_date(run, whole):
    """As after restoring it from a backup: the cursor of the journal is ahead of it."""
    result, folder = run
    store, states = MemoryRunStore(), MemoryStateStore()
    with Journal(folder) as journal:
        make = lambda: Projection("live")  # noqa: E731
        early = Projector(journal, store, make, states=states, name="restored", pace=Pace(batch=100, save_every=100))
        for _ in range(3):
            early._tell_batch()
        late = MemoryRunStore()
        Projector(journal, late, make, states=states, name="restored", pace=Pace(batch=100)).catch_up()
        assert told(late, result.run_id) == whole
        Projector(journal, store, make, states=states, name="restored", pace=Pace(batch=100)).catch_up()
    assert told(store, result.run_id) == whole


def test_the_maker_is_kept_in_files_and_made_anew_where_they_are_damaged(run, whole, tmp_path, caplog):
    result, folder = run
    store, made = MemoryRunStore(), []

    def make():
        made.append(Projection("live"))
        return made[-1]

    with Journal(folder) as journal:

        def project():
            before = journal.cursor("filed").sequence
            Projector(
                journal, store, make, states=FileStateStore(tmp_path), name="filed", pace=Pace(batch=100)
            ).catch_up()
            return before

        assert project() == 0
        (file,) = tmp_path.glob("*.state")
        kept = file.read_bytes()
        assert project() == journal.durable
        restored = made[-1].sequence
        assert restored == journal.durable  # not read from the beginning
        assert made[-1].run_id == result.run_id
        file.write_bytes(kept[:-1] + b"?")
        assert project() == journal.durable
        assert "projection is made from the beginning" in caplog.text
        assert file.name in caplog.text
        assert FileStateStore(tmp_path).get("projection/filed") == made[-1].save()
    assert told(store, result.run_id) == whole


class _Flaky:
    """A store that is away now and then."""

    def __init__(self, store):
        self.store = store
        self.away = threading.Event()
        self.refused = 0

    def write(self, *arguments):
        if self.away.is_set():
            self.refused += 1
            raise StorageError("the database is away")
        return self.store.write(*arguments)

    def __getattr__(self, name):
        return getattr(self.store, name)


def test_a_store_that_is_away_stops_nothing_and_lacks_nothing_afterwards(run, whole, tmp_path):
    result, folder = run
    with Journal(folder) as journal:
        entries = list(journal.read())
    from cambist.ports import Draft

    store = MemoryRunStore()
    flaky = _Flaky(store)
    with Journal(tmp_path / "copy") as journal:
        waits = []

        def wait(event, seconds):
            waits.append(seconds)
            event.wait(min(seconds, 0.002))

        projector = Projector(journal, flaky, lambda: Projection("live"), pace=Pace(batch=50), wait=wait)
        projector.start()
        iterator = iter(entries)
        for number in range(10):
            (flaky.away.clear if number % 2 else flaky.away.set)()
            commit = [Draft(e.kind, e.ts, e.body, e.version) for e in islice(iterator, len(entries) // 9)]
            if commit:
                journal.wait(journal.append(commit))
            time.sleep(0.02)
        assert flaky.refused > 0
        flaky.away.clear()
        progress = projector.stop()
        assert progress.behind == 0
        assert progress.failure is None
        assert max(waits) > 0.2  # it waits longer while the store stays away
    assert told(store, result.run_id) == whole


def test_the_journal_wakes_who_follows_it(run, whole, tmp_path):
    """It is told by `on_durable`, and need not look every second: here it never looks by itself."""
    result, folder = run
    with Journal(folder) as journal:
        entries = list(journal.read())
    from cambist.ports import Draft

    store, told_of = MemoryRunStore(), threading.Semaphore(0)

    class Telling(_Flaky):
        def write(self, *arguments):
            done = super().write(*arguments)
            told_of.release()
            return done

    def wait(event, _seconds):
        assert event.wait(60), "nobody woke the projector"

    with Journal(tmp_path / "copy") as journal:
        projector = Projector(journal, Telling(store), lambda: Projection("live"), wait=wait)
        projector.start()
        half = len(entries) // 2
        for part in (entries[:half], entries[half:]):
            journal.wait(journal.append([Draft(e.kind, e.ts, e.body, e.version) for e in part]))
            assert told_of.acquire(timeout=60)
        assert projector.stop().behind == 0
    assert told(store, result.run_id) == whole


def test_a_database_that_is_restarted_lacks_nothing_afterwards(run, whole, postgres):
    result, folder = run
    storage = SqlStorage(postgres.new_database(f"projection-{time.time_ns()}"))
    with Journal(folder) as journal:
        projector = Projector(
            journal,
            storage.runs,
            lambda: Projection("live"),
            name="restarted",
            pace=Pace(batch=20),
            wait=lambda event, seconds: event.wait(min(seconds, 0.05)),
        )
        for _ in range(5):
            projector._tell_batch()
        postgres.stop()
        try:
            projector.start()
            until = time.monotonic() + 30
            while projector.progress().failure is None and time.monotonic() < until:
                time.sleep(0.01)
            assert projector.progress().behind > 0
            assert "postgresql" in projector.progress().failure
        finally:
            postgres.start()
        until = time.monotonic() + 60
        while projector.progress().behind and time.monotonic() < until:
            time.sleep(0.05)
        assert projector.stop().behind == 0
    assert told(storage.runs, result.run_id) == whole
    storage.close()


def test_records_that_were_taken_out_of_the_journal_are_taken_out_of_the_store(run, whole, tmp_path):
    """A store that knows more than the journal, as after the journal was restored from a backup."""
    result, folder = run
    with Journal(folder) as journal:
        entries = list(journal.read())
    from cambist.ports import Draft

    store = MemoryRunStore()
    with Journal(folder) as journal:
        Projector(journal, store, lambda: Projection("live"), name="ahead").catch_up()
    half = entries[: len(entries) // 2]
    with Journal(tmp_path / "half") as journal:
        journal.wait(journal.append([Draft(one.kind, one.ts, one.body, one.version) for one in half]))
        fresh = MemoryRunStore()
        Projector(journal, fresh, lambda: Projection("live"), name="fresh").catch_up()
        Projector(journal, store, lambda: Projection("live"), name="ahead").catch_up()
    assert told(store, result.run_id) == told(fresh, result.run_id)
    assert len(list(store.rows(result.run_id, OrderRow))) < len(whole[OrderRow])


def test_the_command_makes_a_run_anew(run, whole, sql_url, capsys):
    from cambist.cli.main import main

    result, folder = run
    storage = SqlStorage(sql_url)
    storage.runs.begin(RunRecord(id=result.run_id, mode="live", started_at=0))
    storage.runs.write(result.run_id, [attrs.evolve(whole[OrderRow][0], id=10**6)], 10**9)  # what does not belong there
    with pytest.raises(SystemExit) as ended:
        main(["storage", "rebuild", str(folder), sql_url])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"the run {result.run_id} was made anew of ")
    assert told(storage.runs, result.run_id) == whole
    storage.close()


def test_the_record_of_the_run_says_what_ran(run):
    result, folder = run
    store = MemoryRunStore()
    with Journal(folder) as journal:
        Projector(journal, store, lambda: Projection("paper", stored_at=7), name="record").catch_up()
    (record,) = store.runs()
    assert isinstance(record, RunRecord)
    assert (record.id, record.mode, record.stored_at) == (result.run_id, "paper", 7)
    assert record.strategies[0]["class"] == "Busy"
    assert record.instruments[0]["symbol"] == "ACME"
    assert float(record.initial_cash) == result.initial_cash
    assert record.currency == result.currency
