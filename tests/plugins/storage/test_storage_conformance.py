"""The storages pass the suites that ship with Cambist: on files here, on a server of PostgreSQL beside."""

import pytest

from cambist.testing import BarStoreTests, RunStoreTests, StateStoreTests
from cambist_storage.conformance import *  # noqa: F403 - pytest looks for the classes in this module
from cambist_storage.sql.storage import SqlStorage


class OnPostgresql:
    @pytest.fixture
    def open_storage(self, postgresql_url):
        return lambda: SqlStorage(postgresql_url)


class TestServerRuns(OnPostgresql, RunStoreTests): ...


class TestServerState(OnPostgresql, StateStoreTests):
    examples = 8


class TestServerBars(OnPostgresql, BarStoreTests):
    many = 20_000
    examples = 10
