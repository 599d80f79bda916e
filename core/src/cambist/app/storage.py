"""From a storage URL to an open storage: the scheme names who answers for it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ConfigError, ResultError, StorageError
from cambist.plugins.making import made
from cambist.ports.rows import ROWS
from cambist.storage.urls import path_in_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.engine.projection import Projection
    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import StorageSpec
    from cambist.ports.bars import BarStore, BarsWritten
    from cambist.ports.storage import RunStore, Storage

__all__ = [
    "check_storage",
    "copy_bars",
    "copy_runs",
    "opened_storage",
    "project",
    "read_all",
    "rebuild_run",
    "resolved_url",
    "storage_keeps",
    "storage_opener",
    "upgrade_storage",
]

#: Records of a journal that are made into rows at once.
_RECORDS = 5_000


@contextmanager
def opened_storage(url: str, registry: Registry, needs: str = "", *, existing: bool = False) -> Iterator[Storage]:
    """Open the storage of a URL, and close it at the end.

    Parameters
    ----------
    url
        ``sqlite:///runs.db``, ``postgresql://user@host/database``, ``parquet:///bars``, ``files:///state``,
        ``memory:`` or that of a plugin.
    registry
        Knows the storages.
    needs
        ``"runs"``, ``"state"`` or ``"bars"``: what it must have. ``""`` for nothing in particular.
    existing
        Whether to refuse a file or folder that is not there yet: who only reads must not make an empty one of a typo.

    Raises
    ------
    ConfigError
        The URL cannot be read, or its storage has not what is needed.
    PluginError
        Nobody offers its scheme; names the package to install where there is one.
    StorageError
        It cannot be opened.
    """
    spec = _able(url, registry, needs)
    if existing:
        _check_there(url, spec)
    storage: Any = made(spec.load(), url)
    try:
        yield storage
    finally:
        storage.close()


def storage_opener(url: str, registry: Registry, needs: str) -> Callable[[], Storage]:
    """Return what opens the storage of a URL whenever it is asked to; see `opened_storage` for parameters and errors.

    That the URL can be read and has what is needed is checked now, whether it can be opened is not.
    """
    factory: Any = _able(url, registry, needs).load()
    return partial(made, factory, url)


def storage_keeps(url: str, registry: Registry, what: str) -> bool:
    """Tell whether the storage of a URL keeps ``"runs"``, ``"state"`` or ``"bars"``; errors as `opened_storage`."""
    return what in _spec(url, registry).capabilities


def _able(url: str, registry: Registry, needs: str) -> StorageSpec:
    """Return the storage of a URL, if it has what is needed."""
    spec = _spec(url, registry)
    if needs and needs not in spec.capabilities:
        able = sorted(name for name, one in registry.storages().items() if needs in one.capabilities)
        raise ConfigError(f"storage by {spec.name} does not keep {needs}. What does: {', '.join(able)}.")
    return spec


def check_storage(url: str, registry: Registry, needs: str) -> None:
    """Find out before a long run whether its storage can be opened; errors are those of `opened_storage`."""
    with opened_storage(url, registry, needs):
        pass


def upgrade_storage(url: str, registry: Registry) -> str:
    """Bring what a storage keeps to the version that its plugin works with; return what was done, in a sentence.

    Raises
    ------
    ConfigError, PluginError, StorageError
        As `opened_storage`; or the storage has no versions, or there is nothing at its path.
    """
    spec = _spec(url, registry)
    if "versioned" not in spec.capabilities:
        raise ConfigError(f"storage by {spec.name} has no versions to upgrade.")
    _check_there(url, spec)
    factory: Any = spec.load()
    return str(factory.upgrade(url))


def resolved_url(url: str, registry: Registry, folder: Path) -> str:
    """Return a URL that means the same from anywhere: a relative path in it starts from `folder`.

    As in SQLAlchemy, ``:///`` is followed by a relative path, and by a fourth slash where the path is absolute; a
    plugin's URLs may also be a scheme, a colon and a path.

    Raises
    ------
    ConfigError, PluginError
        As `opened_storage`.
    """
    path = path_in_url(url)
    if not path or path.startswith("/") or "path" not in _spec(url, registry).capabilities:
        return url
    return f"{url.removesuffix(path)}{(folder / path).absolute()}"


def _check_there(url: str, spec: StorageSpec) -> None:
    path = path_in_url(url)
    if "path" not in spec.capabilities or not path:
        return
    if not any(Path(one).exists() for one in (path, path.partition("?")[0])):  # SQLite takes options behind a "?"
        raise StorageError(
            f"{url}: there is nothing at {Path(path).absolute()}. Check the path; nothing was made there."
        )


def _spec(url: str, registry: Registry) -> StorageSpec:
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme.replace("-", "_").isidentifier():
        # The text is not shown: it may hold a password.
        raise ConfigError(
            "the storage URL has no scheme. Write sqlite:///runs.db, postgresql://user@host/database, "
            "parquet:///folder or memory:"
        )
    return registry.get("storage", scheme)


def read_all(url: str, registry: Registry) -> list[str]:
    """Read everything that a storage keeps, and return what that was, in words.

    Raises
    ------
    ConfigError, PluginError, StorageError
        As `opened_storage`; or something cannot be read, or is not what was written.
    """
    found = []
    with opened_storage(url, registry, existing=True) as storage:
        capabilities = _spec(url, registry).capabilities
        if "runs" in capabilities:
            runs = storage.runs.runs()
            rows = sum(1 for run in runs for kind in ROWS for _ in storage.runs.rows(run.id, kind))
            found.append(f"{len(runs):,} runs with {rows:,} rows")
        if "state" in capabilities:
            names = storage.state.names()
            size = sum(len(storage.state.get(name) or b"") for name in names)
            found.append(f"{len(names):,} states of {size:,} bytes")
        if "bars" in capabilities:
            series = storage.bars.series()
            bars = sum(len(block) for one in series for block in storage.bars.blocks(one.key))
            found.append(f"{len(series):,} series of {bars:,} bars")
    if not found:
        raise ConfigError(f"storage by {url.partition(':')[0]} says of no store that it has it; nothing can be read.")
    return found


def copy_runs(source: RunStore, target: RunStore) -> list[str]:
    """Copy every run that `target` does not have whole, and compare afterwards.

    Returns
    -------
    list of str
        Ids of what was copied.

    Raises
    ------
    StorageError
        A run differs after it was copied, or one of that id was there with other rows.
    """
    copied = []
    for run in source.runs():
        wanted = source.cursor(run.id)
        try:
            known = target.get(run.id) == run and target.cursor(run.id) == wanted
        except ResultError:
            known = False
        if not known:
            target.begin(attrs.evolve(run, ended_at=None))  # until all of it is there
            _copy_rows(source, target, run.id, wanted)
            target.begin(run)
            copied.append(run.id)
        _compare(source, target, run.id)
    return copied


def _copy_rows(source: RunStore, target: RunStore, run_id: str, cursor: int) -> None:
    """Copy a run's rows in one write, so that the cursor says what is there."""
    if target.cursor(run_id) < cursor:
        target.write(run_id, [row for kind in ROWS for row in source.rows(run_id, kind)], cursor)


def _compare(source: RunStore, target: RunStore, run_id: str) -> None:
    for kind in ROWS:
        for one, other in zip_longest(source.rows(run_id, kind), target.rows(run_id, kind)):
            if one != other:
                raise StorageError(
                    f"the run {run_id!r} differs from the one copied, in {kind.table}: {one} there, {other} here. "
                    "Delete it in the target and copy again."
                )


def rebuild_run(folder: Path, store: RunStore, mode: str) -> tuple[str, int]:
    """Make anew what a store has of a run, out of the run's journal alone.

    Parameters
    ----------
    folder
        Of the journal; it is only read, and may be in use.
    mode
        Of the run, where the store does not know it.

    Returns
    -------
    tuple
        The run's id, and how many records its journal has.

    Raises
    ------
    JournalError
        The journal cannot be read, or its oldest records were removed.
    StorageError
        The journal holds no run, or the store cannot be written.
    """
    maker = project(folder, store, mode)
    return maker.run_id, maker.sequence


def project(folder: Path, store: RunStore, mode: str) -> Projection:
    """Make anew what a store has of a run, as `rebuild_run` does; return what made it."""
    from cambist.engine.projection import Projection
    from cambist.storage.journal import JournalFolder

    entries = JournalFolder(folder).read(1)
    maker = Projection(mode, time.time_ns())
    while batch := list(islice(entries, _RECORDS)):
        known = maker.run_id
        rows = maker.rows(batch)
        if maker.run_id:
            if not known:
                store.delete(maker.run_id)
            store.begin(maker.run)
            store.write(maker.run_id, rows, maker.sequence)
    if not maker.run_id:
        raise StorageError(f"{folder}: this journal holds no run yet; there is nothing to rebuild.")
    return maker


def copy_bars(source: BarStore, target: BarStore) -> Iterator[tuple[str, BarsWritten]]:
    """Copy every series, and compare it afterwards.

    Yields
    ------
    tuple
        The series, for people, and what became of its bars.

    Raises
    ------
    StorageError
        A series differs after it was copied.
    """
    from cambist.ports.bars import BarsWritten

    for stored in source.series():
        written = BarsWritten()
        for bars in source.blocks(stored.key):
            written += target.write(bars)
        for bars in source.blocks(stored.key):
            copy = target.read(stored.key, int(bars.ts[0]), int(bars.ts[-1]) + 1)
            if copy is None or BarsWritten.of(copy, bars) != BarsWritten(unchanged=len(bars)):
                raise StorageError(f"{stored.key}: the copy differs from the original from {int(bars.ts[0])} ns on.")
        yield str(stored.key), written
