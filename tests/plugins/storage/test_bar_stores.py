"""Every store of bars passes the suite that ships."""

from __future__ import annotations

import pytest

from cambist.storage.memory import MemoryBarStore
from cambist.testing import BarStoreTests
from cambist_storage.parquet.store import ParquetBarStore


class TestMemory(BarStoreTests):
    durable = False

    @pytest.fixture
    def open_store(self):
        return MemoryBarStore


class TestParquet(BarStoreTests):
    @pytest.fixture
    def open_store(self, tmp_path):
        return lambda: ParquetBarStore(tmp_path / "bars")
