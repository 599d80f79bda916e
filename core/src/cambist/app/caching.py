"""The cache of history on this machine: where it lies, and how a run reads of it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from datetime import date, datetime  # noqa: TC003 - a run file's settings are checked by these annotations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from cambist.data.cache import BarCache, SeriesName
from cambist.errors import ConfigError, JournalError, StorageError
from cambist.model.instrument import Instrument  # noqa: TC001 - as above
from cambist.model.timeframe import Timeframe
from cambist.model.times import to_ns
from cambist.storage.journal.files import Files
from cambist.storage.state_files import FileStateStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from cambist.data.cache import CachedHistory
    from cambist.plugins.registry import Registry
    from cambist.ports.bars import BarKey

__all__ = ["VARIABLE", "cache_folder", "cache_url", "open_cache", "open_cached"]

#: Names the folder where nobody else does.
VARIABLE = "CAMBIST_CACHE"


def cache_folder(
    folder: str | Path | None = None, environ: Mapping[str, str] = os.environ, system: str = sys.platform
) -> Path:
    """Return the folder of the cache.

    Parameters
    ----------
    folder
        What somebody said; None for what `environ` says, or else the system's usual place.
    environ
        Where ``CAMBIST_CACHE`` is looked up, and what says where the system keeps such things.
    """
    said = folder or environ.get(VARIABLE)
    if said:
        return Path(said).expanduser().absolute()
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if system == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cambist" / "cache"
    if system == "darwin":
        return home / "Library" / "Caches" / "cambist"
    return Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "cambist"


def cache_url(folder: Path) -> str:
    """Return the storage URL of a cache's bars."""
    return f"parquet:///{folder / 'bars'}"


def open_cache(
    registry: Registry, folder: str | Path | None = None, waiting: Callable[[str], None] = lambda _text: None
) -> BarCache:
    """Return the cache of a folder; nothing is made before something is fetched.

    Parameters
    ----------
    registry
        Knows the storage of its bars.
    folder
        See `cache_folder`.
    waiting
        Told, in a sentence, when another process fetches the series that is to be fetched.

    Raises
    ------
    PluginError
        ``cambist-storage``, which keeps the bars, is not installed; or it is broken.
    StorageError
        The folder cannot be used.
    """
    place = cache_folder(folder)
    if place.exists() and not place.is_dir():
        raise StorageError(f"{place}: this is a file; the cache needs a folder. Give another path.")
    storage: Any = registry.get("storage", "parquet").load()(cache_url(place))

    def lock(key: BarKey) -> AbstractContextManager[None]:
        return _alone(place / "locks", key, waiting)

    return BarCache(storage.bars, FileStateStore(place / "ledger"), place=str(place), lock=lock)


@contextmanager
def _alone(folder: Path, key: BarKey, waiting: Callable[[str], None]) -> Iterator[None]:
    """Be the only one who fetches a series; the system lets go of the dead."""
    files, told = Files(), False
    path = folder / f"{quote(str(key), safe=' ')}.lock"
    try:
        files.make_folder(folder)
        while (lock := files.lock(path)) is None:
            if not told:
                waiting(f"another process fetches {key}; waiting for it, to go on with what it leaves")
                told = True
            time.sleep(0.05)
    except JournalError as error:
        raise StorageError(f"{path}: this system has no locks to keep two fetchers apart.") from error
    except OSError as error:
        raise StorageError(
            f"{error.filename or path}: the cache cannot be written: {error.strerror or error}. Make room, grant the "
            f"permission, or name another folder: {VARIABLE}."
        ) from error
    try:
        yield
    finally:
        files.unlock(lock)


def open_cached(
    source: str,
    *,
    start: str | date | datetime | int | None = None,
    end: str | date | datetime | int | None = None,
    folder: str | None = None,
    symbol: str | None = None,
    timeframe: str | None = None,
    instrument: Instrument | None = None,
) -> CachedHistory:
    """Open a series that was fetched before; the feed ``cache``.

    Parameters
    ----------
    source
        ``VENUE:SYMBOL:TIMEFRAME``, such as ``binance-spot:BTC/USDT:1m``; ``:revised`` behind it for what the source
        tells now, where that is not what it told first.
    start, end
        Open times, ``[start, end)``, UTC; default: all of it.
    folder
        Of the cache; see `cache_folder`.
    symbol, timeframe
        Must be those of the series; a run file may repeat them.
    instrument
        In place of the one that the source told.

    Raises
    ------
    DataError
        There is no such series, or part of that time was never fetched.
    ConfigError
        `symbol` or `timeframe` are not those of the series.
    """
    from cambist.plugins.registry import Registry

    cache = open_cache(Registry.discover(), folder)
    found = cache.open(SeriesName.parse(source), *(None if one is None else to_ns(one) for one in (start, end)))
    if symbol is not None and symbol != found.key.symbol:
        raise ConfigError(f"{source} is of {found.key.symbol!r}; symbol = {symbol!r} cannot change that. Leave it out.")
    if timeframe is not None and Timeframe.parse(timeframe) != found.key.timeframe:
        raise ConfigError(f"{source} is of {found.key.timeframe}; timeframe = {timeframe!r} cannot change that.")
    return found if instrument is None else attrs.evolve(found, instrument=instrument)
