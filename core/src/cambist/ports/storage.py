"""Where runs and state are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cambist.ports.bars import BarStore

__all__ = ["RunRecord", "RunStore", "StateStore", "Storage"]


@attrs.frozen(kw_only=True)
class RunRecord:
    """One finished run.

    Attributes
    ----------
    id
        Unique within a store.
    finished_at
        When it was done, ns since the epoch, UTC.
    strategy
        What ran, with its parameters, for people.
    metrics
        Measures by name; the registry's `AnalyzerSpec.unit` gives their units.
    payload
        The whole result as bytes, in the form that wrote it; may be empty.
    """

    id: str
    finished_at: int
    strategy: str
    metrics: Mapping[str, float] = attrs.field(factory=dict)
    payload: bytes = b""


class StateStore(Protocol):
    """Named bytes, each replaced as a whole."""

    def put(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`; a reader or a crash finds the old bytes or the new ones, never a mixture."""

    def get(self, name: str) -> bytes | None:
        """Return what `put` kept last, or None when there is nothing of that name."""

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""

    def names(self) -> list[str]:
        """Return every name, sorted."""


class RunStore(Protocol):
    """Finished runs, in the order in which they were appended; nothing is ever changed."""

    def append(self, run: RunRecord) -> None:
        """Add a run.

        Raises
        ------
        ResultError
            A run of that id is there already.
        """

    def get(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises
        ------
        ResultError
            There is none of that id.
        """

    def runs(self) -> Iterator[RunRecord]:
        """Iterate over the runs there are now, oldest first; later ones do not appear in an iteration under way."""


class Storage(Protocol):
    """The stores behind one URL; what the factory of a `StorageSpec` makes.

    A storage need not have all of them: its spec's capabilities say which it has, and asking for another raises
    `ConfigError`.
    """

    @property
    def state(self) -> StateStore:
        """The state store."""

    @property
    def runs(self) -> RunStore:
        """The run store."""

    @property
    def bars(self) -> BarStore:
        """The store of market data."""

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
