"""Storage that lasts as long as the process: for tests, for demos, and for runs nobody wants to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import ConfigError, ResultError, did_you_mean
from cambist.ports.bars import BarKey, BarsWritten, StoredBars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.model.bars import Bars
    from cambist.ports.storage import RunRecord

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
    """Finished runs in a dict; see `cambist.ports.storage.RunStore`."""

    def __init__(self) -> None:
        self._runs: dict[str, RunRecord] = {}

    def append(self, run: RunRecord) -> None:
        """Add a run; `ResultError` when its id is taken."""
        if run.id in self._runs:
            raise ResultError(
                f"a run {run.id!r} is stored already; a stored run is never replaced. Give it another id."
            )
        self._runs[run.id] = run

    def get(self, run_id: str) -> RunRecord:
        """Return one run; `ResultError` when there is none of that id."""
        try:
            return self._runs[run_id]
        except KeyError:
            raise ResultError(f"no run {run_id!r} is stored.{did_you_mean(run_id, self._runs)}") from None

    def runs(self) -> Iterator[RunRecord]:
        """Iterate over the runs there are now, oldest first."""
        return iter(tuple(self._runs.values()))


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
        ``memory://``; nothing may follow, because two processes can never meet there.

    Raises
    ------
    ConfigError
        The URL says more than that.
    """

    def __init__(self, url: str = "memory://") -> None:
        if url != "memory://":
            raise ConfigError(f"the storage URL {url!r} cannot be used: memory has no places, write 'memory://'.")
        self.state = MemoryStateStore()
        self.runs = MemoryRunStore()
        self.bars = MemoryBarStore()

    def close(self) -> None:
        """Do nothing: what is stored goes with the object."""
