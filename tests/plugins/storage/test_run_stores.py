"""The stores in databases pass the suites that ship."""

from __future__ import annotations

import pytest

from cambist.testing import RunStoreTests, StateStoreTests
from cambist_storage.sql.storage import SqlStorage


@pytest.fixture
def open_storage(sql_url):
    return lambda: SqlStorage(sql_url)


class TestSqlRuns(RunStoreTests): ...


class TestSqlState(StateStoreTests):
    examples = 8
