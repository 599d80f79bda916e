"""Where market data rests: series of bars that can be written again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np

from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument

__all__ = ["BarKey", "BarStore", "BarsWritten", "StoredBars"]


def _timeframe(value: str | Timeframe) -> Timeframe:
    return Timeframe.parse(value)


@attrs.frozen(order=True)
class BarKey:
    """What a series of bars is found by.

    Attributes
    ----------
    symbol, venue
        Of the instrument; `venue` may be ``""``.
    timeframe
        Length of a bar; text such as ``"15m"`` is read.
    """

    symbol: str
    timeframe: Timeframe = attrs.field(converter=_timeframe)
    venue: str = ""

    @classmethod
    def of(cls, bars: Bars) -> BarKey:
        """Return the key of a series."""
        return cls(bars.instrument.symbol, bars.timeframe, bars.instrument.venue)

    def __str__(self) -> str:
        where = f"{self.venue}:" if self.venue else ""
        return f"{where}{self.symbol} {self.timeframe}"


@attrs.frozen(kw_only=True)
class StoredBars:
    """What a store says of one of its series.

    Attributes
    ----------
    key, instrument
        Of what; the instrument as it was when bars were last written.
    first, last
        Open times of the first and the last bar, ns, UTC.
    rows
        Bars between them.
    """

    key: BarKey
    instrument: Instrument
    first: int
    last: int
    rows: int


@attrs.frozen
class BarsWritten:
    """What became of the bars of one `BarStore.write`.

    Attributes
    ----------
    added
        Bars at times at which there was none.
    replaced
        Bars that differ from those that were there: revisions of the source.
    unchanged
        Bars that were there already.
    """

    added: int = 0
    replaced: int = 0
    unchanged: int = 0

    @classmethod
    def of(cls, before: Bars | None, bars: Bars) -> BarsWritten:
        """Tell what becomes of `bars` where `before` is what is stored of their time."""
        if before is None:
            return cls(added=len(bars))
        common, old, new = np.intersect1d(before.ts, bars.ts, assume_unique=True, return_indices=True)
        differs = np.zeros(len(common), np.bool_)
        for mine, theirs in zip(before.columns.values(), bars.columns.values(), strict=True):
            differs |= mine[old] != theirs[new]
        replaced = int(np.count_nonzero(differs))
        return cls(len(bars) - len(common), replaced, len(common) - replaced)

    def __add__(self, other: BarsWritten) -> BarsWritten:
        return BarsWritten(self.added + other.added, self.replaced + other.replaced, self.unchanged + other.unchanged)


class BarStore(Protocol):
    """Series of bars, one for each `BarKey`.

    A write is all or nothing: a reader, or whoever comes after a crash, finds the bars of before or all of the new
    ones. Many may read while one writes; what a read returns belongs together.
    """

    def write(self, bars: Bars) -> BarsWritten:
        """Keep bars; one at a time that is taken replaces the one that is there, so that a second write adds nothing.

        Raises
        ------
        DataError
            A bar overlaps one that is stored at another time: the two series do not lie on one grid.
        StorageError
            They cannot be written; what was stored stands.
        """

    def read(self, key: BarKey, start: int | None = None, end: int | None = None) -> Bars | None:
        """Return the bars that open in ``[start, end)``, ns, UTC; None where there are none.

        Raises
        ------
        StorageError
            What is stored is damaged; names the place.
        """

    def blocks(
        self, key: BarKey, start: int | None = None, end: int | None = None, size: int = 65_536
    ) -> Iterator[Bars]:
        """Yield the bars of `read` in pieces of at most `size` rows, for series larger than memory."""

    def series(self) -> list[StoredBars]:
        """Return what is stored, sorted by key."""

    def delete(self, key: BarKey) -> None:
        """Forget a series; one that is not there is no error."""

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
