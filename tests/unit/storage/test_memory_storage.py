"""Storage in memory keeps the promises of ``cambist.ports.storage``."""

from __future__ import annotations

import inspect

import pytest

from cambist.errors import ConfigError, ResultError
from cambist.ports import RunRecord, RunStore, StateStore, Storage
from cambist.storage.memory import MemoryRunStore, MemoryStateStore, MemoryStorage


def run(name, **more):
    return RunRecord(id=name, finished_at=1_700_000_000_000_000_000, strategy="SmaCross(fast=5)", **more)


@pytest.mark.parametrize(
    ("promise", "maker"), [(StateStore, MemoryStateStore), (RunStore, MemoryRunStore), (Storage, MemoryStorage)]
)
def test_every_promised_method_is_there(promise, maker):
    for name, promised in inspect.getmembers(promise, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(maker, name)) == inspect.signature(promised)


def test_state_is_replaced_as_a_whole():
    state = MemoryStorage().state
    assert state.get("book") is None
    state.put("book", b"one")
    state.put("book", b"two")
    assert state.get("book") == b"two"


def test_state_does_not_change_with_the_buffer_it_came_from():
    state = MemoryStorage().state
    buffer = bytearray(b"one")
    state.put("book", buffer)
    buffer[:] = b"two"
    assert state.get("book") == b"one"


def test_names_are_sorted_and_deleting_is_no_question():
    state = MemoryStorage().state
    for name in ("b", "a", "c"):
        state.put(name, b"")
    state.delete("b")
    state.delete("never there")
    assert state.names() == ["a", "c"]
    assert state.get("a") == b""


def test_runs_come_back_in_the_order_in_which_they_were_appended():
    runs = MemoryStorage().runs
    for name in ("b", "a", "c"):
        runs.append(run(name, metrics={"sharpe": 1.5}, payload=b"{}"))
    assert [one.id for one in runs.runs()] == ["b", "a", "c"]
    assert runs.get("a").metrics["sharpe"] == 1.5


def test_a_run_is_never_replaced():
    runs = MemoryStorage().runs
    runs.append(run("a", payload=b"first"))
    with pytest.raises(ResultError, match="run 'a' is stored already"):
        runs.append(run("a", payload=b"second"))
    assert runs.get("a").payload == b"first"


def test_an_unknown_run_gets_a_suggestion():
    runs = MemoryStorage().runs
    runs.append(run("2024-01-sma"))
    with pytest.raises(ResultError, match=r"no run '2024-01-smm' is stored\. Did you mean '2024-01-sma'\?"):
        runs.get("2024-01-smm")


def test_an_iteration_under_way_does_not_see_later_runs():
    runs = MemoryStorage().runs
    runs.append(run("a"))
    under_way = runs.runs()
    runs.append(run("b"))
    assert [one.id for one in under_way] == ["a"]


def test_two_storages_share_nothing():
    one, other = MemoryStorage(), MemoryStorage("memory://")
    one.state.put("x", b"1")
    one.runs.append(run("a"))
    assert other.state.names() == []
    assert list(other.runs.runs()) == []


def test_a_place_in_memory_is_refused():
    with pytest.raises(ConfigError, match="'memory://shared' cannot be used"):
        MemoryStorage("memory://shared")


def test_closing_twice_does_no_harm():
    storage = MemoryStorage()
    storage.state.put("x", b"1")
    storage.close()
    storage.close()
