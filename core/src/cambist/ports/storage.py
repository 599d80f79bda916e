"""Where runs and state are kept."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a store reads the types of a record's fields, as of those of rows
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

from cambist.ports.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.ports.bars import BarStore

__all__ = ["RunRecord", "RunStore", "StateStore", "Storage"]

RowT = TypeVar("RowT", bound=Row)


def _tuple(values: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class RunRecord:
    """A run, finished or under way.

    Attributes
    ----------
    id
        Unique within a store.
    mode
        ``"backtest"``, ``"replay"``, ``"paper"`` or ``"live"``.
    title
        What ran on what, for people.
    started_at, ended_at
        Time of the first and the last event, ns, UTC; `ended_at` is None while the run goes on.
    stored_at
        When it was first told to the store, by the wall clock, ns, UTC.
    strategies
        ``name``, ``class`` and ``parameters`` of each, in JSON's own types.
    instruments
        What was traded; see `Instrument.to_fields`.
    currency, initial_cash
        Of the account.
    settings
        Of the run, in JSON's own types.
    stopped
        Why it ended early; ``""`` where it did not.
    version
        Of Cambist.
    """

    id: str
    mode: str
    title: str = ""
    started_at: int
    ended_at: int | None = None
    stored_at: int = 0
    strategies: tuple[Mapping[str, Any], ...] = attrs.field(default=(), converter=_tuple)
    instruments: tuple[Mapping[str, Any], ...] = attrs.field(default=(), converter=_tuple)
    currency: str = ""
    initial_cash: Decimal = Decimal(0)
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    stopped: str = ""
    version: str = ""


class StateStore(Protocol):
    """Named bytes, each replaced as a whole."""

    def put(self, name: str, data: bytes) -> None:
        """Keep `data` under `name`; a reader or a crash finds the old bytes or the new ones, never a mixture."""

    def get(self, name: str) -> bytes | None:
        """Return what `put` kept last, or None when there is nothing of that name.

        Raises
        ------
        StateUnusableError
            What is there is not what was kept, or was kept by a newer version. Wrong bytes are never returned; `put`
            and `delete` work as ever.
        """

    def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error."""

    def names(self) -> list[str]:
        """Return every name, sorted."""


class RunStore(Protocol):
    """Runs and what happened in them, in rows.

    It is a projection: what it holds of a live run is told by the journal, in order, again where need be, and can be
    rebuilt from there. So a write is idempotent, and moves rows and the run's cursor together or not at all.
    """

    def begin(self, run: RunRecord) -> None:
        """Keep what is known of a run, in place of what was known of it before; its rows stay."""

    def write(self, run_id: str, rows: Sequence[Row], sequence: int) -> bool:
        """Keep rows, in order; one of an equal key replaces the one that is there.

        Parameters
        ----------
        run_id
            Of a run that has begun.
        rows
            Of any kinds.
        sequence
            Number of the last journal record that the rows came from, or of the batch.

        Returns
        -------
        bool
            False where `sequence` is not above the run's cursor: these rows are known, and nothing was changed.

        Raises
        ------
        ResultError
            No such run has begun.
        StorageError
            They cannot be written; nothing was changed.
        """

    def cursor(self, run_id: str) -> int:
        """Return the `sequence` of the last write; -1 before the first, and for a run that never began."""

    def get(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises
        ------
        ResultError
            There is none of that id.
        """

    def runs(self) -> list[RunRecord]:
        """Return every run, in the order in which they were stored."""

    def rows(self, run_id: str, kind: type[RowT]) -> Iterator[RowT]:
        """Iterate over a run's rows of one kind, sorted by their key.

        Raises
        ------
        ResultError
            There is no run of that id.
        """

    def delete(self, run_id: str) -> None:
        """Forget a run and its rows; one that is not there is no error."""


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
