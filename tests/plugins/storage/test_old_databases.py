"""Databases of every released version are upgraded with all that is in them.

``tests/fixtures/storage/v0001.sql`` and its like are what SQLite's ``.dump`` said of a database when its tables were of
that version.
A database of PostgreSQL is made by the migration of the version and gets the same rows.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from cambist.api import (
    ROWS,
    AccountRow,
    CashFlowRow,
    DailyRow,
    PositionRow,
    PositionSnapshotRow,
    SignalRow,
    StorageError,
)
from cambist.cli.main import main
from cambist.testing import RunStoreTests
from cambist_storage.sql import migrate
from cambist_storage.sql.engine import Database
from cambist_storage.sql.migrate import HEAD, upgrade, version_of
from cambist_storage.sql.schema import METADATA
from cambist_storage.sql.storage import SqlStorage
from cambist_storage.sql.views import VIEWS

FIXTURES = Path(__file__).parents[2] / "fixtures" / "storage"
OLD = sorted(path.stem.removeprefix("v") for path in FIXTURES.glob("v*.sql"))


def dumped(version):
    """Return every row of the fixture, by table: dicts of what SQLite keeps."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript((FIXTURES / f"v{version}.sql").read_text(encoding="utf-8"))
    names = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}
    connection.close()
    return rows


def make_old(url, version):
    """Make a database as that version made it."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.partition(":///")[2])
        connection.executescript((FIXTURES / f"v{version}.sql").read_text(encoding="utf-8"))
        connection.close()
        return
    database = Database(url)
    upgrade(database, version)
    rows = dumped(version)
    with database.writing() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != "cambist_version" and rows[table.name]:
                connection.execute(table.insert(), [_typed(table, row) for row in rows[table.name]])
            if "ts" in table.columns:
                connection.execute(sa.text(f"CREATE VIEW {table.name}_readable AS SELECT * FROM {table.name}"))
        for table in ("runs", "bar_series"):  # what was given its number by hand
            query = f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), max(number)) FROM {table}"
            connection.execute(sa.text(query))
    database.close()


def _typed(table, row):
    kinds = {sa.Boolean: bool, sa.Numeric: Decimal}
    for name, value in row.items():
        kind = next((make for type_, make in kinds.items() if isinstance(table.columns[name].type, type_)), None)
        if kind is not None and value is not None and not isinstance(table.columns[name].type, sa.Double):
            row[name] = kind(value)
    return row


def kept(url):
    """Return every row of a database, by table, as SQLite would keep it."""
    database = Database(url)
    with database.reading() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        rows = {}
        for table in tables.sorted_tables:
            found = connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            rows[table.name] = [{name: _plain(value) for name, value in row.items()} for row in found]
    database.close()
    return rows


def _plain(value):
    if isinstance(value, Decimal):
        return format(value, "f")
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.fixture(params=OLD)
def old(request, sql_url):
    make_old(sql_url, request.param)
    return sql_url, request.param


def called(*words):
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return ended.value.code


def test_there_is_a_fixture_of_every_version_before_the_newest():
    versions = Path(migrate.__file__).with_name("migrations") / "versions"
    known = sorted(path.name[1:5] for path in versions.glob("v*.py"))
    assert known[-1] == HEAD
    assert known[:-1] == OLD


def test_an_old_database_says_what_to_do_and_is_not_touched(old):
    url, version = old
    before = kept(url)
    with pytest.raises(StorageError, match="Make a copy of it, then run: cambist storage upgrade") as caught:
        SqlStorage(url)
    assert version in str(caught.value)
    assert kept(url) == before


def test_every_row_is_there_after_the_upgrade(old, capsys):
    url, version = old
    before = kept(url)
    assert sum(map(len, before.values())) > 350
    assert all(before.values()), "a table of the fixture has no row"
    assert called("storage", "upgrade", url) == 0
    assert f"was of version {version} and is of {HEAD} now" in capsys.readouterr().out
    after = kept(url)
    for name, rows in before.items():
        if name != "cambist_version":
            assert len(after[name]) == len(rows)
            for one, other in zip(rows, after[name], strict=True):
                assert {column: other[column] for column in one} == one, name
    assert called("storage", "check", url) == 0
    assert capsys.readouterr().out.startswith("2 runs with ")
    assert called("storage", "upgrade", url) == 0
    assert "which is the newest" in capsys.readouterr().out


def test_the_upgraded_tables_are_those_of_a_new_database(old):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    url, _ = old
    SqlStorage.upgrade(url)
    storage = SqlStorage(url)
    with storage.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "cambist_version"})
        differences = [one for one in compare_metadata(context, METADATA) if "modify_comment" not in str(one)]
        assert differences == []
        for name, table in METADATA.tables.items():
            key = sa.inspect(connection).get_pk_constraint(name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key]
            names = connection.execute(sa.text(f"SELECT * FROM {name}")).keys()
            assert set(names) == {column.name for column in table.columns}
        for view in VIEWS:
            connection.execute(sa.text(f'SELECT * FROM "{view}"')).all()
        if storage.database.is_sqlite:
            for name in ("signals", "positions", "account_snapshots", "cash_flows"):
                query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
                assert "WITHOUT ROWID" in connection.execute(query, {"name": name}).scalar()
    storage.close()


def test_an_upgraded_database_goes_on(old, tmp_path):
    """Its runs can be read, written on, copied and deleted."""
    url, _ = old
    SqlStorage.upgrade(url)
    storage = SqlStorage(url)
    one, other = storage.runs.runs()
    signals = list(storage.runs.rows(other.id, SignalRow))
    assert [row.value for row in signals] == [5e-324, 0.1 + 0.2]
    assert {row.text for row in signals} == {""}
    more = [
        SignalRow(strategy="Busy", name="why", ts=7, value=None, text="turned"),
        PositionSnapshotRow(symbol="ACME", ts=7, size=Decimal("0.1")),
        AccountRow(account="two", asset="BTC", ts=7, currency="BTC", equity=Decimal("1E-8"), free=Decimal(0)),
        PositionRow(account="two", symbol="ACME", ts=7, size=Decimal(1)),
        CashFlowRow(number=7, account="two", ts=7, kind="deposit", asset="BTC", amount=Decimal(1)),
        DailyRow(day="2024-03-01", ts=7, equity=Decimal("0.1"), sharpe=1.5),
    ]
    assert storage.runs.write(other.id, more, 2 * 10**6)
    assert called("storage", "copy", url, f"sqlite:///{tmp_path / 'copy.db'}") == 0
    storage.runs.delete(one.id)
    with storage.database.reading() as connection:
        for kind in ROWS:
            owners = connection.execute(sa.text(f"SELECT DISTINCT run FROM {kind.table}")).scalars().all()
            assert len(owners) <= 1, kind.table
    assert len(storage.bars.read(storage.bars.series()[0].key)) == 5
    storage.close()


def test_a_view_of_a_user_stays(old):
    url, version = old
    if url.startswith("postgresql"):
        pytest.skip("PostgreSQL changes a table in place; SQLite makes it anew")
    before = len(dumped(version)["positions"])
    with sqlite3.connect(url.partition(":///")[2]) as connection:
        connection.execute("CREATE VIEW mine AS SELECT name, value FROM signals")
        connection.execute("CREATE VIEW held AS SELECT symbol, size FROM positions")
    connection.close()
    SqlStorage.upgrade(url)
    with sqlite3.connect(url.partition(":///")[2]) as connection:
        assert len(connection.execute("SELECT * FROM mine").fetchall()) == 2
        assert len(connection.execute("SELECT * FROM held").fetchall()) == before > 50
    connection.close()


def test_an_upgrade_that_fails_leaves_the_old_database(old, monkeypatch):
    url, version = old
    before = kept(url)

    def fail(_connection):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(migrate, "create_views", fail)
    database = Database(url)
    with pytest.raises(RuntimeError):
        upgrade(database)
    assert version_of(database) == version
    database.close()
    assert kept(url) == before


class TestUpgradedRuns(RunStoreTests):
    """A database that was upgraded passes what a new one does."""

    many = 500

    @pytest.fixture
    def open_runs(self, old):
        url, _ = old
        SqlStorage.upgrade(url)
        storages = []

        def open_one():
            storages.append(SqlStorage(url))
            return storages[-1].runs

        first = open_one()
        for run in first.runs():
            first.delete(run.id)
        yield open_one
        for storage in storages:
            storage.close()
