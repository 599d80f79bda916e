"""One series in a folder of its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
import pyarrow as pa

from cambist.api import BarKey, BarsWritten, DataError, StorageError, StoredBars
from cambist.model import Bars, Timeframe
from cambist_storage.parquet.codec import decode, encode
from cambist_storage.parquet.files import locked, replace, sync_folder
from cambist_storage.parquet.manifest import Manifest, Part, checksum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cambist.model import Instrument

__all__ = ["MANIFEST", "SeriesFolder"]

MANIFEST = "manifest.json"
_DAY_NS = 86_400_000_000_000
#: How often a reader starts anew because writers took its files away; each time means a whole write in between.
_TRIES = 100
#: Files that are not worth a thread; threads that read files at most.
_FEW, _MOST_THREADS = 3, 4


@attrs.frozen
class SeriesFolder:
    """The files of one series: a manifest, and one Parquet file for each month (each year, for bars of a day and more).

    A write makes files of new names, then replaces the manifest, then deletes what no manifest names any more. Whoever
    reads meanwhile goes by the old manifest, and starts anew where its files are gone.
    """

    folder: Path

    @property
    def _path(self) -> Path:
        return self.folder / MANIFEST

    def stored(self) -> StoredBars | None:
        """Return what there is, or None where there is nothing."""
        manifest = Manifest.read(self._path)
        if manifest is None or not manifest.parts:
            return None
        instrument, parts = manifest.load_instrument(), manifest.parts
        return StoredBars(
            key=BarKey(instrument.symbol, manifest.timeframe, instrument.venue),
            instrument=instrument,
            first=parts[0].first,
            last=parts[-1].last,
            rows=sum(part.rows for part in parts),
        )

    def write(self, bars: Bars) -> BarsWritten:
        """See `cambist.api.BarStore.write`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            manifest = Manifest.read(self._path)
            parts = {part.period: part for part in manifest.parts} if manifest is not None else {}
            written = BarsWritten()
            for period, piece in _by_period(bars):
                stored = parts.get(period)
                before = None if stored is None else self._load_bars(stored, bars.instrument, bars.timeframe)
                happened = BarsWritten.of(before, piece)
                written += happened
                if happened.added or happened.replaced:
                    parts[period] = self._save(period, piece if before is None else before.updated(piece))
            ordered = tuple(part for _, part in sorted(parts.items()))
            _check_seams(ordered, bars)
            after = Manifest(bars.instrument.to_fields(), str(bars.timeframe), ordered)
            if after != manifest:
                sync_folder(self.folder)  # no manifest may be durable before the files that it names
                replace(self._path, after.encode())
                sync_folder(self.folder)
            self._sweep(after)
        return written

    def blocks(self, start: int | None, end: int | None) -> Iterator[Bars]:
        """Yield the bars that open in ``[start, end)``, file by file, as they were when the first was asked for.

        Raises
        ------
        StorageError
            A file is damaged; or writers replaced what was to be read before it was, for longer than anyone can wait.
        """
        for piece in self._pieces(start, end, side_by_side=False):
            try:
                yield Bars(piece.instrument, piece.timeframe, *piece.columns)
            except DataError as error:
                raise StorageError(_damaged(self.folder / piece.file, str(error))) from error

    def read(self, start: int | None, end: int | None) -> Bars | None:
        """Return the bars that open in ``[start, end)`` as one write left them, not two; None where there are none.

        Files are read side by side, and their columns are put together before anybody looks at them: bars are checked
        once, as a whole.

        Raises
        ------
        StorageError
            As `blocks`.
        """
        for _ in range(_TRIES):
            before = self._marker()
            pieces = list(self._pieces(start, end, side_by_side=True))
            if self._marker() != before:
                continue
            if not pieces:
                return None
            columns = [np.concatenate(same) for same in zip(*(piece.columns for piece in pieces), strict=True)]
            try:
                return Bars(pieces[0].instrument, pieces[0].timeframe, *columns)
            except DataError as error:
                list(self.blocks(start, end))  # names the file
                raise StorageError(_damaged(self.folder, str(error))) from error
        raise self._restless()

    def _pieces(self, start: int | None, end: int | None, *, side_by_side: bool) -> Iterator[_Piece]:
        seen: int | None = start
        for _ in range(_TRIES):
            manifest = Manifest.read(self._path)
            if manifest is None:
                return
            instrument, timeframe = manifest.load_instrument(), Timeframe.parse(manifest.timeframe)
            wanted = [
                part
                for part in manifest.parts
                if (seen is None or part.last >= seen) and (end is None or part.first < end)
            ]
            try:
                for part, columns in zip(wanted, self._loaded(wanted, side_by_side=side_by_side), strict=True):
                    ts = columns[0]
                    first = 0 if seen is None else int(ts.searchsorted(seen))
                    last = len(ts) if end is None else int(ts.searchsorted(end))
                    if last > first:
                        yield _Piece(part.file, instrument, timeframe, [column[first:last] for column in columns])
                        seen = int(ts[last - 1]) + 1
            except _GoneError:
                continue
            return
        raise self._restless()

    def _restless(self) -> StorageError:
        return StorageError(f"{self.folder}: it was written to {_TRIES} times while it was being read. Try again.")

    def delete(self) -> None:
        """Forget everything in the folder."""
        if not self._path.exists():
            return
        with locked(self.folder / "lock"):
            self._path.unlink(missing_ok=True)
            sync_folder(self.folder)
            self._sweep(None)
        # The lock stays: another writer may be waiting for it.

    def _marker(self) -> bytes | None:
        """Return what changes with every write."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _save(self, period: str, bars: Bars) -> Part:
        data = encode(bars)
        digest = checksum(data)
        name = f"{period}.{digest[:8]}.parquet"
        replace(self.folder / name, memoryview(data))
        return Part(period, name, int(bars.ts[0]), int(bars.ts[-1]), len(bars), data.size, digest)

    def _loaded(self, parts: Sequence[Part], *, side_by_side: bool) -> Iterator[list[NDArray[Any]]]:
        if not side_by_side or len(parts) < _FEW:
            yield from map(self._load, parts)
            return
        # Checksums and decoding leave the interpreter to others.
        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
            yield from pool.map(self._load, parts)

    def _load(self, part: Part) -> list[NDArray[Any]]:
        """Return the columns of a file whose bytes are those that were written."""
        path = self.folder / part.file
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            if self._names(part):
                raise StorageError(_damaged(path, "it is not there, and the manifest names it")) from None
            raise _GoneError from None
        except OSError as error:
            raise StorageError(f"{path}: it cannot be read: {error.strerror}.") from error
        if len(data) != part.size or checksum(data) != part.checksum:
            raise StorageError(_damaged(path, f"its {len(data):,} bytes are not the {part.size:,} that were written"))
        try:
            return decode(data)
        except pa.ArrowException as error:
            raise StorageError(_damaged(path, str(error))) from error

    def _load_bars(self, part: Part, instrument: Instrument, timeframe: Timeframe) -> Bars:
        try:
            return Bars(instrument, timeframe, *self._load(part))
        except DataError as error:
            raise StorageError(_damaged(self.folder / part.file, str(error))) from error

    def _names(self, part: Part) -> bool:
        """Tell whether the manifest of now still names a file."""
        manifest = Manifest.read(self._path)
        return manifest is not None and part in manifest.parts

    def _sweep(self, manifest: Manifest | None) -> None:
        """Delete what no manifest names: files of before this write, and what a crash left."""
        named = {part.file for part in manifest.parts} if manifest is not None else set()
        for path in self.folder.iterdir():
            if path.suffix in {".parquet", ".tmp"} and path.name not in named:
                with suppress(FileNotFoundError):
                    path.unlink()


class _Piece(NamedTuple):
    """What one file holds of the bars that were asked for; its columns are not checked to be bars yet."""

    file: str
    instrument: Instrument
    timeframe: Timeframe
    columns: list[NDArray[Any]]


class _GoneError(Exception):
    """A file was there when the manifest was read, and a writer has replaced it since."""


def _by_period(bars: Bars) -> Iterator[tuple[str, Bars]]:
    """Yield the bars in pieces of one month, or of one year where a bar takes a day or more."""
    unit = "Y" if bars.timeframe.ns >= _DAY_NS else "M"
    periods = bars.ts.view("datetime64[ns]").astype(f"datetime64[{unit}]")
    cuts = [0, *(np.flatnonzero(periods[1:] != periods[:-1]) + 1).tolist(), len(bars)]
    for start, stop in pairwise(cuts):
        yield str(periods[start]), bars[start:stop]


def _check_seams(parts: tuple[Part, ...], bars: Bars) -> None:
    """Refuse bars of two neighboring files that overlap; within a file `Bars` itself does."""
    for before, after in pairwise(parts):
        if after.first < before.last + bars.timeframe.ns:
            raise DataError(
                f"{bars.name}: the bars of {after.period} would begin before the last one of {before.period} has "
                "closed: what is stored and what is to be written do not lie on one grid. Store them as two series."
            )


def _damaged(path: Path, reason: str) -> str:
    return (
        f"{path}: this file of bars is damaged: {reason}. Restore it from a backup, or delete the series and fetch the "
        "bars again."
    )
