"""Series of bars in a folder: the `BarStore` of ``parquet:`` URLs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from cambist.api import BarKey, ConfigError, StorageError
from cambist_storage.parquet.series import MANIFEST, SeriesFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.api import BarsWritten, RunStore, StateStore, StoredBars
    from cambist.model import Bars

__all__ = ["ParquetBarStore", "ParquetStorage"]


class ParquetBarStore:
    """Series of bars under a folder, ``VENUE/SYMBOL/TIMEFRAME/`` each; see `cambist.api.BarStore`.

    Parameters
    ----------
    root
        The folder; made with the first write.

    Raises
    ------
    StorageError
        There is a file of that name.

    Notes
    -----
    Names are percent-encoded, so that ``BTC/USDT`` is one folder; a series without a venue lies under ``_``. Any
    program that reads Parquet can read the files; only this store should write them.
    """

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise StorageError(f"{root}: this is a file; bars need a folder. Give another path.")
        self.root = root

    def write(self, bars: Bars) -> BarsWritten:
        """See `cambist.api.BarStore.write`."""
        with _explained(self.root):
            return self._folder(BarKey.of(bars)).write(bars)

    def read(self, key: BarKey, start: int | None = None, end: int | None = None) -> Bars | None:
        """See `cambist.api.BarStore.read`."""
        return self._folder(key).read(start, end)

    def blocks(
        self, key: BarKey, start: int | None = None, end: int | None = None, size: int = 65_536
    ) -> Iterator[Bars]:
        """See `cambist.api.BarStore.blocks`; a piece never spans two files."""
        for bars in self._folder(key).blocks(start, end):
            yield from bars.blocks(size)

    def series(self) -> list[StoredBars]:
        """See `cambist.api.BarStore.series`."""
        found = (SeriesFolder(path.parent).stored() for path in self.root.glob(f"*/*/*/{MANIFEST}"))
        return sorted((one for one in found if one is not None), key=lambda one: one.key)

    def delete(self, key: BarKey) -> None:
        """See `cambist.api.BarStore.delete`."""
        with _explained(self.root):
            self._folder(key).delete()

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _folder(self, key: BarKey) -> SeriesFolder:
        return SeriesFolder(self.root / _name(key.venue) / _name(key.symbol) / str(key.timeframe))


class ParquetStorage:
    """The storage of a ``parquet:`` URL: bars, and nothing else.

    Parameters
    ----------
    url
        ``parquet:///relative/folder`` or ``parquet:////absolute/folder``.

    Raises
    ------
    ConfigError
        The URL names no folder.
    """

    def __init__(self, url: str) -> None:
        scheme, _, path = url.partition(":///")
        if scheme != "parquet" or not path:
            raise ConfigError(
                f"the storage URL {url!r} names no folder. Write parquet:///folder for one beside the run, or "
                "parquet:////folder (four slashes) for an absolute path."
            )
        self.bars = ParquetBarStore(Path(path))

    @property
    def runs(self) -> RunStore:
        """Not here."""
        raise ConfigError("Parquet files hold bars, not runs. Give a database: sqlite:///runs.db")

    @property
    def state(self) -> StateStore:
        """Not here."""
        raise ConfigError(
            "Parquet files hold bars, not state. Give a folder for it, files:///state, or a database: sqlite:///runs.db"
        )

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _name(text: str) -> str:
    """Return a file name for a text: no two texts share one, and none leads out of its folder."""
    if not text:
        return "_"
    name = quote(text, safe=" ")
    if name.strip("._") == "":  # dots would lead elsewhere, and "_" is what stands for no name
        return "".join(f"%{ord(letter):02X}" for letter in name)
    return name


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    """Say where, and what to do, when the file system refuses."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.filename or root}: bars cannot be written: {error.strerror or error}. What was stored stands; "
            "make room or grant the permission, and write again."
        ) from error
