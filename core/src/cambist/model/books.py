"""Order books as they were recorded: what each price displayed, from change to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from cambist.errors import DataError
from cambist.model.columns import column, first_row, float_field
from cambist.model.ticks import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["BookUpdate", "BookUpdates"]


@attrs.frozen(slots=True)
class BookUpdate:
    """What changed in a book at one time.

    Attributes
    ----------
    instrument
        Of what.
    ts
        When, ns, UTC.
    is_snapshot
        The levels are the book, or its best part: what is better than the worst of them and not among them is empty.
        Otherwise they are what changed.
    levels
        Side (1 bid, -1 ask), price, and the size displayed there from now on, 0 for none.
    """

    instrument: Instrument
    ts: int
    is_snapshot: bool
    levels: tuple[tuple[int, float, float], ...]


def _sides(values: Any) -> NDArray[np.int8]:
    sides = column(values, "side", np.int64)
    row = first_row((sides != 1) & (sides != -1))
    if row is not None:
        raise DataError(f"row {row}: side is {sides[row]}. Write 1 for bids and -1 for asks.")
    return sides.astype(np.int8)


def _flags(values: Any) -> NDArray[np.bool]:
    flags = column(values, "snapshot", np.int64)
    row = first_row((flags != 0) & (flags != 1))
    if row is not None:
        raise DataError(f"row {row}: snapshot is {flags[row]}. Write 1 for rows of a snapshot, 0 for changes.")
    return flags.astype(np.bool)


@attrs.frozen(eq=False, slots=True, repr=False)
class BookUpdates(History[BookUpdate]):
    """A recorded order book (L2) of one instrument, one row a level, checked.

    Rows of one time are one update; where some of them are of a snapshot, all are.

    Attributes
    ----------
    instrument
        Of what; with a tick size, since a book counts prices in ticks.
    ts
        Times, int64 ns since the epoch, UTC, shape ``(n,)``, ascending.
    side
        int8, shape ``(n,)``: 1 for bids, -1 for asks.
    price
        In quote currency, float64, shape ``(n,)``, finite and above zero.
    size
        Displayed there from then on, in units of the instrument, float64, shape ``(n,)``, finite, 0 for none. Orders
        are matched with it rounded to the step.
    snapshot
        Whether the row belongs to a snapshot, bool, shape ``(n,)``; see `BookUpdate`. Default: nowhere.

    Raises
    ------
    DataError
        If a column breaks these rules; names the row, its time and the value.
    """

    kind: ClassVar[str] = "book"
    fields: ClassVar[tuple[str, ...]] = ("side", "price", "size", "snapshot")

    side: NDArray[np.int8] = attrs.field(converter=_sides)
    price: NDArray[np.float64] = float_field("price")
    size: NDArray[np.float64] = float_field("size")
    snapshot: NDArray[np.bool] = attrs.field(converter=_flags)

    @snapshot.default
    def _nowhere(self) -> NDArray[np.bool]:
        return np.zeros(len(self.ts), np.bool)

    def __attrs_post_init__(self) -> None:
        self._check()
        price, size = self.price, self.size
        self._refuse_where(~(np.isfinite(price) & (price > 0)), "price", "A price is a finite number above zero.")
        self._refuse_where(
            ~(np.isfinite(size) & (size >= 0)), "size", "A size is a finite number, 0 for an empty level."
        )
        mixed = (self.snapshot[1:] != self.snapshot[:-1]) & (self.ts[1:] == self.ts[:-1])
        row = first_row(mixed)
        if row is not None:
            what = "it shares its time with the row before it, and one of the two is of a snapshot"
            self._refuse(row + 1, what, "Give the snapshot a time of its own.")

    @property
    def starts(self) -> NDArray[np.int64]:
        """Rows at which updates begin, shape ``(k,)``."""
        return np.flatnonzero(np.diff(self.ts, prepend=self.ts[0] - 1))

    def __iter__(self) -> Iterator[BookUpdate]:
        starts = self.starts.tolist()
        rows = list(zip(self.side.tolist(), self.price.tolist(), self.size.tolist(), strict=True))
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
            yield BookUpdate(self.instrument, int(self.ts[start]), bool(self.snapshot[start]), tuple(rows[start:stop]))
