"""What `cambist plugins check storage` runs: the suites of cambist on this plugin.

They run on SQLite and on files. A database of PostgreSQL is the same code over another driver; the tests of this
repository run the same suites on a server.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from cambist.testing import BarStoreTests, HistoryTests, PluginTests, RunStoreTests, StateStoreTests
from cambist_storage.parquet.store import ParquetStorage
from cambist_storage.sql.query import open_query
from cambist_storage.sql.storage import SqlStorage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cambist.api import HistorySource

__all__ = ["TestParquetBars", "TestPlugin", "TestQuery", "TestSqlBars", "TestSqlRuns", "TestSqlState"]


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_storage.plugin"


class _OnSqlite:
    """A storage in a file of its own for each test."""

    @pytest.fixture
    def open_storage(self, tmp_path: Path) -> Callable[[], SqlStorage]:
        """Return what opens it."""
        return lambda: SqlStorage(f"sqlite:///{tmp_path / 'storage.db'}")


class TestSqlRuns(_OnSqlite, RunStoreTests):
    """Runs in a database."""


class TestSqlState(_OnSqlite, StateStoreTests):
    """State in a database."""

    examples = 8


class TestSqlBars(_OnSqlite, BarStoreTests):
    """Bars in a database."""

    many = 20_000
    examples = 10


class TestParquetBars(BarStoreTests):
    """Bars in files of Parquet."""

    @pytest.fixture
    def open_storage(self, tmp_path: Path) -> Callable[[], ParquetStorage]:
        """Return what opens it."""
        return lambda: ParquetStorage(f"parquet:///{tmp_path / 'bars'}")


class TestQuery(HistoryTests):
    """Bars from a query."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """Make a database with a table of days, and return its URL."""
        path = tmp_path / "bars.db"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE days (time, open, high, low, close, volume)")
            day = 86_400
            rows = [(1_704_067_200 + n * day, 100.0 + n, 102.0 + n, 99.0 + n, 101.0 + n, 10.0) for n in range(150)]
            database.executemany("INSERT INTO days VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.close()
        return f"sqlite:///{path}"

    @pytest.fixture
    def open_feed(self, url: str) -> Callable[[], HistorySource]:
        """Return what asks for all of it."""
        return lambda: open_query(url, query="SELECT * FROM days ORDER BY time", symbol="ACME")

    @pytest.fixture
    def open_nothing(self, url: str) -> Callable[[], HistorySource]:
        """Return what asks for nothing."""
        return lambda: open_query(url, query="SELECT * FROM days WHERE time < 0", symbol="ACME")
