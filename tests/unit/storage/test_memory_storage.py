"""Storage in memory keeps the promises of ``cambist.ports.storage``, and a stranger's storage is held to them too."""

from __future__ import annotations

import inspect

import pytest

from cambist.errors import ConfigError
from cambist.ports import BarStore, RunStore, StateStore
from cambist.storage.memory import MemoryBarStore, MemoryRunStore, MemoryStateStore, MemoryStorage
from cambist.testing import BarStoreTests, RunStoreTests, StateStoreTests


@pytest.mark.parametrize(
    ("promise", "maker"), [(StateStore, MemoryStateStore), (RunStore, MemoryRunStore), (BarStore, MemoryBarStore)]
)
def test_every_promised_method_is_there(promise, maker):
    for name, promised in inspect.getmembers(promise, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(maker, name)) == inspect.signature(promised)


class TestRuns(RunStoreTests):
    durable = False

    @pytest.fixture
    def open_runs(self):
        return MemoryRunStore


class TestState(StateStoreTests):
    durable = False

    @pytest.fixture
    def open_state(self):
        return MemoryStateStore


class TestBars(BarStoreTests):
    durable = False

    @pytest.fixture
    def open_store(self):
        return MemoryBarStore


def test_each_storage_is_its_own():
    one, other = MemoryStorage(), MemoryStorage("memory:")
    one.state.put("a", b"1")
    assert other.state.names() == []
    one.close()
    one.close()


@pytest.mark.parametrize("url", ["memory://here", "memory:///x", "sqlite:///x"])
def test_memory_has_no_places(url):
    with pytest.raises(ConfigError, match="memory has no places"):
        MemoryStorage(url)


def _broken_suites():
    """Stores with one fault each, and the test that finds it."""

    class Forgets(MemoryStateStore):
        def delete(self, name):
            pass

    class Truncates(MemoryStateStore):
        def put(self, name, data):
            super().put(name, data[:100])

    class Shares(MemoryStateStore):
        def put(self, name, data):
            self._data[name] = data

    yield Forgets, "test_any_sequence_equals_a_dict"
    yield Truncates, "test_many_megabytes"
    yield Shares, "test_a_value_does_not_change_with_the_buffer_it_came_from"


@pytest.mark.parametrize(("maker", "name"), list(_broken_suites()), ids=lambda value: getattr(value, "__name__", value))
def test_the_suite_finds_what_is_wrong(maker, name):
    suite = StateStoreTests()
    suite.durable = False
    test = getattr(suite, name)
    arguments = {"state": maker()} if "state" in inspect.signature(test).parameters else {"open_state": maker}
    with pytest.raises(AssertionError):
        test(**arguments)
