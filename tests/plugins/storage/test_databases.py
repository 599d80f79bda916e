"""The databases themselves: their tables, versions, views, errors, and what many users at once make of them."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from decimal import Decimal

import pandas as pd
import pytest
import sqlalchemy as sa

from cambist.api import (
    ConfigError,
    EventRow,
    FillRow,
    OrderEventRow,
    OrderRow,
    RunRecord,
    StorageError,
    TradeRow,
)
from cambist_storage.sql.engine import Database, _set_up_sqlite
from cambist_storage.sql.migrate import HEAD, upgrade, version_of
from cambist_storage.sql.schema import METADATA
from cambist_storage.sql.storage import SqlStorage

_DAY = 86_400_000_000_000
_START = pd.Timestamp("2024-03-01", tz="UTC").value
_RUN = RunRecord(id="r", mode="live", started_at=_START)


@pytest.fixture
def storage(sql_url):
    storage = SqlStorage(sql_url)
    yield storage
    storage.close()


def trade(number, strategy, symbol, day, net):
    return TradeRow(
        id=number,
        strategy=strategy,
        symbol=symbol,
        side="long",
        size=Decimal(1),
        opened_at=_START,
        closed_at=None if day is None else _START + day * _DAY + 1,
        entry_price=Decimal(10),
        gross=Decimal(net) + Decimal("0.25"),
        fees=Decimal("0.25"),
        net=Decimal(net),
    )


def fill(number):
    return FillRow(
        id=str(number),
        order_id=number,
        symbol="BTC",
        side="buy",
        size=Decimal(1),
        price=Decimal(10),
        fee=Decimal("0.1"),
        fee_asset="USD",
        liquidity="taker",
        ts=_START + number,
    )


def order(number, side, decided, paid):
    return OrderRow(
        id=number,
        strategy="s",
        symbol="BTC",
        side=side,
        type="market",
        status="filled",
        size=Decimal(1),
        time_in_force="gtc",
        filled=Decimal(1),
        average_price=Decimal(paid),
        fees=Decimal(0),
        decision_price=Decimal(decided),
        created_at=_START,
        updated_at=_START + 9,
    )


def rows_of(storage, query):
    with storage.database.reading() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


# Tables and versions.


def test_the_migrations_make_what_the_code_works_with(storage):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with storage.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "cambist_version"})
        differences = [one for one in compare_metadata(context, METADATA) if "modify_comment" not in str(one)]
        primary = {name: sa.inspect(connection).get_pk_constraint(name) for name in METADATA.tables}
    assert differences == []
    for name, table in METADATA.tables.items():
        assert primary[name]["constrained_columns"] == [column.name for column in table.primary_key]


def test_a_new_database_is_of_the_newest_version_and_opening_it_again_changes_nothing(sql_url):
    for _ in range(2):
        storage = SqlStorage(sql_url)
        assert version_of(storage.database) == HEAD
        storage.close()


def test_an_older_database_asks_for_the_upgrade(sql_url):
    storage = SqlStorage(sql_url)
    storage.runs.begin(_RUN)
    with storage.database.writing() as connection:
        connection.execute(sa.text("UPDATE cambist_version SET version_num = '0000'"))
    storage.close()
    with pytest.raises(StorageError, match="cambist storage upgrade") as caught:
        SqlStorage(sql_url)
    assert "0000" in str(caught.value)


def test_a_newer_database_is_not_touched(sql_url):
    storage = SqlStorage(sql_url)
    with storage.database.writing() as connection:
        connection.execute(sa.text("UPDATE cambist_version SET version_num = '9999'"))
    storage.close()
    with pytest.raises(StorageError, match="pip install --upgrade cambist-storage"):
        SqlStorage(sql_url)


def test_a_failed_upgrade_leaves_nothing_behind(sql_url, monkeypatch):
    from cambist_storage.sql import migrate

    def fail(_connection):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(migrate, "create_views", fail)
    database = Database(sql_url)
    with pytest.raises(RuntimeError):
        upgrade(database)
    with database.reading() as connection:
        assert sa.inspect(connection).get_table_names() == []
    database.close()


def test_two_processes_may_make_the_tables_at_once(sql_url):
    failures = []

    def open_one():
        try:
            SqlStorage(sql_url).close()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_connections_that_switch_a_new_file_at_once_all_have_it(tmp_path):
    """SQLite refuses one of two that do, about every tenth time of eight, without waiting."""
    for number in range(60):
        path, refused, ready = tmp_path / f"{number}.db", [], threading.Barrier(8)

        def switch(path=path, refused=refused, ready=ready):
            connection = sqlite3.connect(path, isolation_level=None)
            ready.wait()
            try:
                _set_up_sqlite(connection, None)
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            except (sqlite3.Error, AssertionError) as error:
                refused.append(error)
            connection.close()

        threads = [threading.Thread(target=switch) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == []


def test_a_run_takes_its_rows_with_it(storage):
    storage.runs.begin(_RUN)
    storage.runs.write("r", [fill(1)], 1)
    storage.runs.delete("r")
    assert rows_of(storage, "SELECT count(*) FROM fills") == [(0,)]


# What is not ours, not there, not allowed.


def test_a_file_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE songs (title TEXT)")
    theirs.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="holds songs"):
        SqlStorage(f"sqlite:///{path}")
    with sqlite3.connect(path) as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]
    theirs.close()
    assert len(before) == path.stat().st_size


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "text.db"
    path.write_text("not a database, but long enough to be looked at\n" * 100)
    with pytest.raises(StorageError, match="no database of SQLite") as caught:
        SqlStorage(f"sqlite:///{path}")
    assert str(path) in str(caught.value)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(StorageError, match="folder exist"):
        SqlStorage(f"sqlite:///{tmp_path / 'missing' / 'a.db'}")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host"])
def test_a_url_without_a_database_is_refused(url):
    with pytest.raises(ConfigError, match="names no database"):
        SqlStorage(url)


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite", "sqlite+pysqlcipher:///a.db"])
def test_other_urls_are_refused(url):
    with pytest.raises(ConfigError):
        SqlStorage(url)


def test_a_wrong_password_is_told_and_never_shown(postgres):
    with pytest.raises(StorageError, match="Check user and password") as caught:
        SqlStorage(postgres.url(password="s3cret"))
    error = caught.value
    assert "s3cret" not in str(error)
    assert "***" in str(error)
    assert error.__cause__ is None  # a traceback would show the connection's arguments


def test_a_missing_database_and_a_missing_server_are_told_apart(postgres):
    with pytest.raises(StorageError, match="Create it first"):
        SqlStorage(postgres.url("nowhere"))
    dead = postgres.url().replace(str(postgres.port), "1")
    with pytest.raises(StorageError, match="Is the server running"):
        SqlStorage(dead)


# Views.


def test_profit_by_day_strategy_and_symbol(storage):
    storage.runs.begin(_RUN)
    trades = [
        trade(1, "a", "BTC", 0, "1.5"),
        trade(2, "a", "ETH", 0, "-0.5"),
        trade(3, "b", "BTC", 1, "2"),
        trade(4, "b", "BTC", None, "7"),
    ]
    storage.runs.write("r", trades, 1)
    by_day = rows_of(storage, "SELECT day, trades, gross, fees, net FROM pnl_by_day ORDER BY day")
    assert by_day == [("2024-03-01", 2, 1.5, 0.5, 1.0), ("2024-03-02", 1, 2.25, 0.25, 2.0)]
    by_strategy = rows_of(storage, "SELECT strategy, trades, winners, net FROM pnl_by_strategy ORDER BY strategy")
    assert by_strategy == [("a", 2, 1, 1.0), ("b", 1, 1, 2.0)]
    by_symbol = rows_of(storage, "SELECT symbol, trades, winners, net FROM pnl_by_symbol ORDER BY symbol")
    assert by_symbol == [("BTC", 2, 2, 3.5), ("ETH", 1, 0, -0.5)]


def test_slippage_is_positive_where_more_was_paid_or_less_was_got(storage):
    storage.runs.begin(_RUN)
    storage.runs.write("r", [order(1, "buy", "100", "101"), order(2, "sell", "100", "99")], 1)
    found = rows_of(storage, "SELECT order_id, paid_more, basis_points FROM slippage ORDER BY order_id")
    assert [(number, paid) for number, paid, _ in found] == [(1, 1.0), (2, 1.0)]
    assert [points for _, _, points in found] == pytest.approx([100.0, 100.0])


def test_latency_counts_from_the_decision_to_the_first_answers(storage):
    storage.runs.begin(_RUN)
    events = [
        OrderEventRow(sequence=number, order_id=1, ts=_START + after, kind=kind, status="")
        for number, (kind, after) in enumerate(
            [("OrderAccepted", 2_000_000), ("OrderFilled", 5_000_000), ("OrderFilled", 9_000_000)]
        )
    ]
    storage.runs.write("r", [order(1, "buy", "100", "101"), *events], 1)
    assert rows_of(storage, "SELECT accepted_ms, first_fill_ms FROM order_latency") == [(2.0, 5.0)]


def test_fees_by_day(storage):
    storage.runs.begin(_RUN)
    storage.runs.write("r", [fill(1), fill(2)], 1)
    found = rows_of(storage, "SELECT day, symbol, fee_asset, liquidity, fills, fees FROM fees_by_day")
    assert found == [("2024-03-01", "BTC", "USD", "taker", 2, 0.2)]


def test_alerts_notifications_risk_and_audit_have_a_view_each(storage):
    storage.runs.begin(_RUN)
    alert = {"code": "slow_disk", "scope": 'it\'s a "disk"'}
    sent = {"outcome": "failed", "attempts": 3, "alert": 1, "error": "timed out"}
    halted = {"state": "halted", "scope": "BTC", "reason": "drawdown"}
    done = {"arguments": {"symbol": "BTC"}, "outcome": "done"}
    events = [
        EventRow(number=1, ts=_START + 5, kind="alert", level="critical", source="journal", message="m", detail=alert),
        EventRow(number=2, ts=_START + 6, kind="notification", source="pager", message="m", detail=sent),
        EventRow(number=3, ts=_START + 7, kind="risk", level="warning", source="rule", message="h", detail=halted),
        EventRow(number=4, ts=_START + 8, kind="audit", source="ada", message="flatten", detail=done),
        EventRow(number=5, ts=_START + 9, kind="warning", message="something else"),
    ]
    storage.runs.write("r", events, 1)
    assert rows_of(storage, "SELECT * FROM alerts") == [
        ("r", 1, "2024-03-01T00:00:00.000000005Z", "critical", "slow_disk", 'it\'s a "disk"', "journal", "m")
    ]
    query = "SELECT number, channel, outcome, attempts, alert, error, text FROM notifications"
    assert rows_of(storage, query) == [(2, "pager", "failed", 3, 1, "timed out", "m")]
    joined = "SELECT code, channel FROM notifications n JOIN alerts a ON a.run_id = n.run_id AND a.number = n.alert"
    assert rows_of(storage, joined) == [("slow_disk", "pager")]
    assert rows_of(storage, "SELECT level, source, scope, state, reason, message FROM risk_events") == [
        ("warning", "rule", "BTC", "halted", "drawdown", "h")
    ]
    (audit,) = rows_of(storage, "SELECT number, who, what, arguments, outcome FROM audit")
    assert (*audit[:3], json.loads(audit[3]), audit[4]) == (4, "ada", "flatten", {"symbol": "BTC"}, "done")


def test_times_can_be_read_to_the_nanosecond(storage):
    storage.runs.begin(_RUN)
    storage.runs.write("r", [fill(123_456_789)], 1)
    assert rows_of(storage, "SELECT ts FROM fills_readable") == [("2024-03-01T00:00:00.123456789Z",)]
    assert rows_of(storage, "SELECT started_at, ended_at FROM runs_readable") == [
        ("2024-03-01T00:00:00.000000000Z", None)
    ]


# Many at once, and a server that goes away.


def test_readers_and_a_writer_never_find_the_database_locked(tmp_path):
    url = f"sqlite:///{tmp_path / 'busy.db'}"
    writer = SqlStorage(url)
    writer.runs.begin(_RUN)
    failures, counts = [], []
    done = threading.Event()

    def read():
        reader = SqlStorage(url)
        try:
            last = 0
            while not done.is_set():
                count = len(list(reader.runs.rows("r", FillRow)))
                assert count >= last
                last = count
            counts.append(last)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            reader.close()

    def put_state(name):
        other = SqlStorage(url)
        try:
            for number in range(50):
                other.state.put(name, str(number).encode())
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            other.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    threads += [threading.Thread(target=put_state, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for batch in range(60):
        writer.runs.write("r", [fill(20 * batch + number) for number in range(20)], batch)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(list(writer.runs.rows("r", FillRow))) == 1200
    assert len(counts) == 3
    assert writer.state.get("a") == writer.state.get("b") == b"49"
    writer.close()


def test_a_server_that_comes_back_is_used_again(postgres):
    storage = SqlStorage(postgres.new_database(f"restart-{time.time_ns()}"))
    storage.runs.begin(_RUN)
    storage.runs.write("r", [fill(1)], 1)
    postgres.stop()
    try:
        with pytest.raises(StorageError):
            storage.runs.write("r", [fill(2)], 2)
    finally:
        postgres.start()
    assert storage.runs.cursor("r") == 1
    assert storage.runs.write("r", [fill(2)], 2)
    assert [row.id for row in storage.runs.rows("r", FillRow)] == ["1", "2"]
    storage.close()


def test_rows_of_the_first_version_come_along(sql_url):
    """What was stored before accounts were told apart is that of the sole account."""
    database = Database(sql_url)
    upgrade(database, "0001")
    with database.writing() as connection:
        values = dict.fromkeys(("id", "mode", "title", "strategies", "instruments", "currency", "settings"), "x")
        columns = {"number": 1, **values, "started_at": 0, "stored_at": 0, "initial_cash": "5", "stopped": ""}
        columns |= {"version": "0", "cursor": 0}
        names, marks = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        connection.execute(sa.text(f"INSERT INTO runs ({names}) VALUES ({marks})"), columns)
        flow = "cash_flows (run, number, ts, kind, symbol, asset, amount, reason)"
        for row in (
            "positions (run, symbol, ts, size) VALUES (1, 'A', 2, '0.3')",
            "account_snapshots (run, account, ts, currency, equity) VALUES (1, '', 2, 'EUR', '7.10')",
            f"{flow} VALUES (1, 4, 2, 'x', '', 'EUR', '9', '')",
        ):
            connection.execute(sa.text(f"INSERT INTO {row}"))
    upgrade(database)
    assert version_of(database) == HEAD
    with database.reading() as connection:
        read = {name: connection.execute(sa.select(METADATA.tables[name])).mappings().all() for name in _KEPT}
    database.close()
    for name, wanted in _KEPT.items():
        assert [{key: row[key] for key in wanted} for row in read[name]] == [wanted]


_KEPT = {
    "positions": {"account": "", "symbol": "A", "ts": 2, "size": Decimal("0.3"), "average_price": None},
    "account_snapshots": {"account": "", "asset": "", "currency": "EUR", "equity": Decimal("7.1"), "cash": None},
    "cash_flows": {"number": 4, "account": "", "kind": "x", "asset": "EUR", "amount": Decimal(9)},
}
