"""What a store of named bytes has to do."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cambist.testing.conformance import Suite
from cambist.testing.kills import killed_writers
from cambist.testing.opening import closed_at_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.ports.storage import StateStore, Storage

__all__ = ["StateStoreTests"]

#: Also such as a file system may take for the same, or for something else.
_NAMES = (
    *("book", "BOOK", "a/b", "a%2fb", "a\\b", "..", ".", "a b", "a\nb", "%", "", "_", "con", "lock", "book.tmp"),
    *("策略", "\u00e9", "e\u0301", "x" * 200, "x" * 1_000, "x" * 999 + "y", "'; DROP TABLE states; --"),
)


class StateStoreTests(Suite):
    """Tests of a `StateStore`.

    The test file or a ``conftest.py`` gives the fixture ``open_storage``: a function without arguments that opens the
    same storage each time it is called, empty at the first call of a test. A subclass may give ``open_state`` instead,
    which opens the store alone. A store that does not outlive its object sets ``durable = False``.
    """

    prefix = "STA"
    durable = True
    #: How often the random tests try.
    examples = 25

    @pytest.fixture
    def open_state(self, open_storage: Callable[[], Storage]) -> Iterator[Callable[[], StateStore]]:
        """Return what opens the store."""
        with closed_at_the_end(open_storage) as open_one:
            yield lambda: open_one().state

    @pytest.fixture
    def state(self, open_state: Callable[[], StateStore]) -> StateStore:
        """Open the store."""
        return open_state()

    def test_an_empty_store_has_nothing(self, state: StateStore) -> None:
        """Nothing is found, and nothing to forget is no error."""
        assert state.names() == []
        assert state.get("book") is None
        state.delete("book")

    @pytest.mark.parametrize("data", [b"", b"\x00", bytes(range(256)), "策".encode(), b"\n\r\n"])
    def test_bytes_come_back_as_they_were(self, state: StateStore, data: bytes) -> None:
        """Any bytes, also none."""
        state.put("book", data)
        assert state.get("book") == data

    def test_many_megabytes(self, state: StateStore) -> None:
        """A large value survives."""
        data = bytes(range(256)) * 40_000
        state.put("large", data)
        assert state.get("large") == data

    def test_names_are_kept_apart(self, state: StateStore) -> None:
        """Whatever characters are in them."""
        for number, name in enumerate(_NAMES):
            state.put(name, str(number).encode())
        assert state.names() == sorted(_NAMES)
        assert [state.get(name) for name in _NAMES] == [str(number).encode() for number in range(len(_NAMES))]

    def test_a_value_does_not_change_with_the_buffer_it_came_from(self, state: StateStore) -> None:
        """The bytes are copied."""
        buffer: Any = bytearray(b"one")
        state.put("book", buffer)
        buffer[:] = b"two"
        assert state.get("book") == b"one"

    def test_values_outlive_the_object(self, open_state: Callable[[], StateStore]) -> None:
        """A store that is opened again has them all."""
        if not self.durable:
            pytest.skip("this store says that it does not outlive its object")
        open_state().put("book", b"kept")
        assert open_state().get("book") == b"kept"

    def test_readers_see_one_version_or_the_next(self, open_state: Callable[[], StateStore]) -> None:
        """Never a mixture."""
        if not self.durable:
            pytest.skip("this store cannot be opened twice")
        writer, reader = open_state(), open_state()
        versions = [bytes([number]) * 50_000 for number in range(20)]
        writer.put("book", versions[0])
        seen: list[bytes | None] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append(reader.get("book"))

        thread = threading.Thread(target=read)
        thread.start()
        for version in versions:
            writer.put("book", version)
        done.set()
        thread.join()
        assert seen
        assert all(data in versions for data in seen)

    def test_a_killed_writer_leaves_the_old_bytes_or_the_new(self, open_state: Callable[[], StateStore]) -> None:
        """What a `put` that returned has kept is there; of one that did not return, all or nothing."""
        if not self.durable:
            pytest.skip("this store says that it does not outlive its object")

        def content(number: int) -> bytes:
            return b"%d " % number + bytes([number % 251]) * 200_000

        def begin() -> Callable[[int], object]:
            state = open_state()
            return lambda number: state.put("book", content(number))

        for promised in killed_writers(begin):
            assert open_state().get("book") in {content(promised), content(promised + 1)}

    def test_any_sequence_equals_a_dict(self, open_state: Callable[[], StateStore]) -> None:
        """Random puts, deletions and reopenings against a dict."""
        durable = self.durable

        class Machine(RuleBasedStateMachine):
            """A store and a dict."""

            def __init__(self) -> None:
                super().__init__()
                self.state: StateStore = open_state()
                for name in self.state.names():
                    self.state.delete(name)
                self.model: dict[str, bytes] = {}

            @rule(name=st.sampled_from(["a", "b", "c", "d"]), data=st.binary(max_size=20))
            def put(self, name: str, data: bytes) -> None:
                """Put a value."""
                self.state.put(name, data)
                self.model[name] = data

            @rule(name=st.sampled_from(["a", "b", "c", "d"]))
            def delete(self, name: str) -> None:
                """Forget a name."""
                self.state.delete(name)
                self.model.pop(name, None)

            @precondition(lambda _machine: durable)
            @rule()
            def reopen(self) -> None:
                """Open the store anew."""
                self.state = open_state()

            @invariant()
            def equals_the_model(self) -> None:
                """Everything is there."""
                assert self.state.names() == sorted(self.model)
                assert {name: self.state.get(name) for name in self.model} == self.model

        run_state_machine_as_test(Machine, settings=_settings(self.examples))


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=15,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
