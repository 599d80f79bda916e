"""A cached series as a source of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.data.blocks import BLOCK_ROWS, check_size, concatenate
from cambist.data.cache.revisions import revised
from cambist.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.data.cache.ledger import Revision
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.ports.bars import BarKey, BarStore

__all__ = ["CachedHistory"]


@attrs.frozen(kw_only=True, eq=False)
class CachedHistory:
    """A `HistorySource` of a series that was fetched before; memory does not grow with it when it is read in blocks.

    Attributes
    ----------
    store, key
        Where its bars are.
    start, end
        Open times, ``[start, end)``, ns, UTC; None for as far as it goes.
    name
        What to call it.
    revisions
        What the source told later, to be put in place of what it told first; empty to leave that as it is.
    instrument
        In place of the one that it was stored with; None to leave it.
    notes
        What somebody should know who runs on it.
    """

    store: BarStore
    key: BarKey
    name: str
    start: int | None = None
    end: int | None = None
    revisions: tuple[Revision, ...] = ()
    instrument: Instrument | None = None
    notes: tuple[str, ...] = ()

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            There are none of that time.
        StorageError
            What is stored is damaged.
        """
        if not self.revisions:
            bars = self.store.read(self.key, self.start, self.end)
            if bars is None:
                raise self._empty()
            return self._own(bars)
        return concatenate(self.blocks(), self.name)

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows.

        Raises
        ------
        DataError, StorageError
            As `load`.
        """
        check_size(size)
        found = False
        for bars in self._pieces(size):
            for block in bars.blocks(size):
                found = True
                yield self._own(block)
        if not found:
            raise self._empty()

    def _pieces(self, size: int) -> Iterator[Bars]:
        pieces = self.store.blocks(self.key, self.start, self.end, size)
        if not self.revisions:
            yield from pieces
            return
        # What was told later may lie before, between and behind what was told first.
        since = self.start
        for piece in pieces:
            until = int(piece.ts[-1]) + 1
            now = revised(piece, self.store, self.key, self.revisions, (since, until))
            if now is not None:
                yield now
            since = until
        behind = revised(None, self.store, self.key, self.revisions, (since, self.end))
        if behind is not None:
            yield behind

    def _own(self, bars: Bars) -> Bars:
        return bars if self.instrument is None else attrs.evolve(bars, instrument=self.instrument)

    def _empty(self) -> DataError:
        return DataError(f"{self.name}: the cache has no bars of that time. Widen start and end, or fetch more.")
