"""Storage that lasts as long as the process: for tests, for demos, and for runs nobody wants to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.errors import ConfigError, ResultError, did_you_mean
from cambist.ports.bars import BarKey, BarsWritten, StoredBars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.model.bars import Bars
    from cambist.ports.rows import Row
    from cambist.ports.storage import RowT, RunRecord

__all__ = ["MemoryBarStore", "MemoryRunStore", "MemoryStateStore", "MemoryStorage"]


class MemoryStateStore:
    """Named bytes in a dict; see `cambist.ports.storage.StateStore`."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        """Keep a copy of `data` under `name`."""
        self._data[name] = bytes(data)

    def get(self, name: str) -> bytes | None:
        """Return what was kept last, or None."""
        return self._data.get(name)

    def delete(self, name: str) -> None:
        """Forget a name."""
        self._data.pop(name, None)

    def names(self) -> list[str]:
        """Return every name, sorted."""
        return sorted(self._data)


class MemoryRunStore:
    """Runs and their rows in dicts; see `cambist.ports.storage.RunStore`."""

    def __init__(self) -> None:
        self._runs: dict[str, RunRecord] = {}
        self._rows: dict[str, dict[type[Row], dict[tuple[Any, ...], Row]]] = {}
        self._cursors: dict[str, int] = {}

    def begin(self, run: RunRecord) -> None:
        """Keep what is known of a run."""
        self._runs[run.id] = run
        self._rows.setdefault(run.id, {})

    def write(self, run_id: str, rows: Sequence[Row], sequence: int) -> bool:
        """Keep rows; False where `sequence` is not above the run's cursor."""
        self.get(run_id)
        if sequence <= self.cursor(run_id):
            return False
        keyed = [(type(row), _key(row), row) for row in rows]  # what is no row fails here, before any is kept
        kept = self._rows[run_id]
        for kind, key, row in keyed:
            kept.setdefault(kind, {})[key] = row
        self._cursors[run_id] = sequence
        return True

    def cursor(self, run_id: str) -> int:
        """Return the sequence of the last write, or -1."""
        return self._cursors.get(run_id, -1)

    def get(self, run_id: str) -> RunRecord:
        """Return one run; `ResultError` when there is none of that id."""
        try:
            return self._runs[run_id]
        except KeyError:
            raise ResultError(f"no run {run_id!r} is stored.{did_you_mean(run_id, self._runs)}") from None

    def runs(self) -> list[RunRecord]:
        """Return every run, in the order in which they were stored."""
        return list(self._runs.values())

    def rows(self, run_id: str, kind: type[RowT]) -> Iterator[RowT]:
        """Iterate over a run's rows of one kind, sorted by their key."""
        self.get(run_id)
        found: Any = self._rows[run_id].get(kind, {})
        return iter([row for _, row in sorted(found.items())])

    def delete(self, run_id: str) -> None:
        """Forget a run and its rows."""
        for kept in (self._runs, self._rows, self._cursors):
            kept.pop(run_id, None)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.key)


class MemoryBarStore:
    """Series of bars in a dict; see `cambist.ports.bars.BarStore`."""

    def __init__(self) -> None:
        self._series: dict[BarKey, Bars] = {}

    def write(self, bars: Bars) -> BarsWritten:
        """Keep bars; one at a time that is taken replaces the one that is there."""
        key = BarKey.of(bars)
        before = self._series.get(key)
        self._series[key] = bars if before is None else before.updated(bars)
        return BarsWritten.of(before, bars)

    def read(self, key: BarKey, start: int | None = None, end: int | None = None) -> Bars | None:
        """Return the bars that open in ``[start, end)``, ns, UTC; None where there are none."""
        bars = self._series.get(key)
        return None if bars is None else bars.between(start, end)

    def blocks(
        self, key: BarKey, start: int | None = None, end: int | None = None, size: int = 65_536
    ) -> Iterator[Bars]:
        """Yield the bars of `read` in pieces of at most `size` rows."""
        bars = self.read(key, start, end)
        return iter(()) if bars is None else bars.blocks(size)

    def series(self) -> list[StoredBars]:
        """Return what is stored, sorted by key."""
        return [
            StoredBars(
                key=key, instrument=bars.instrument, first=int(bars.ts[0]), last=int(bars.ts[-1]), rows=len(bars)
            )
            for key, bars in sorted(self._series.items(), key=lambda item: item[0])
        ]

    def delete(self, key: BarKey) -> None:
        """Forget a series."""
        self._series.pop(key, None)

    def close(self) -> None:
        """Do nothing: what is stored goes with the object."""


class MemoryStorage:
    """The stores of a ``memory://`` URL; each object is its own store.

    Parameters
    ----------
    url
        ``memory:`` or ``memory://``; nothing may follow, because two processes can never meet there.

    Raises
    ------
    ConfigError
        The URL says more than that.
    """

    def __init__(self, url: str = "memory://") -> None:
        if url not in {"memory:", "memory://"}:
            raise ConfigError(f"the storage URL {url!r} cannot be used: memory has no places, write 'memory:'.")
        self.state = MemoryStateStore()
        self.runs = MemoryRunStore()
        self.bars = MemoryBarStore()

    def close(self) -> None:
        """Do nothing: what is stored goes with the object."""
