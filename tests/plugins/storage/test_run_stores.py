"""The stores in databases pass the suites that ship."""

from __future__ import annotations

import pytest

from cambist.testing import RunStoreTests, StateStoreTests
from cambist_storage.sql.storage import SqlStorage


@pytest.fixture
def open_storage(sql_url):
    storages = []

    def open_one():
        storages.append(SqlStorage(sql_url))
        return storages[-1]

    yield open_one
    for storage in storages:
        storage.close()


class TestSqlRuns(RunStoreTests):
    @pytest.fixture
    def open_runs(self, open_storage):
        return lambda: open_storage().runs


class TestSqlState(StateStoreTests):
    examples = 8

    @pytest.fixture
    def open_state(self, open_storage):
        return lambda: open_storage().state
