"""Our stores of bars pass the suite that ships."""

from __future__ import annotations

import pytest

from cambist.testing import BarStoreTests
from cambist_storage.parquet.store import ParquetStorage
from cambist_storage.sql.storage import SqlStorage


class TestParquet(BarStoreTests):
    @pytest.fixture
    def open_storage(self, tmp_path):
        return lambda: ParquetStorage(f"parquet:///{tmp_path / 'bars'}")


class TestSql(BarStoreTests):
    many = 20_000
    examples = 10

    @pytest.fixture
    def open_storage(self, sql_url):
        return lambda: SqlStorage(sql_url)
