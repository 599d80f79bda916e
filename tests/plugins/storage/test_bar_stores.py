"""Our stores of bars pass the suite that ships."""

from __future__ import annotations

import pytest

from cambist.testing import BarStoreTests
from cambist_storage.parquet.store import ParquetBarStore
from cambist_storage.sql.storage import SqlStorage


class TestParquet(BarStoreTests):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: ParquetBarStore(tmp_path / "bars")


class TestSql(BarStoreTests):
    many = 20_000
    examples = 10

    @pytest.fixture
    def open_store(self, sql_url):
        storages = []

        def open_bars():
            storages.append(SqlStorage(sql_url))
            return storages[-1].bars

        yield open_bars
        for storage in storages:
            storage.close()
