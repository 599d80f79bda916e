"""Repairs that are asked for and told: nothing is mended silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import DataError
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["RepairReport", "tidy"]


@attrs.frozen
class RepairReport:
    """What `tidy` did. Row numbers are those of its input, from 0.

    Attributes
    ----------
    timeframe
        Whose grid was used.
    rows
        How many rows came in.
    was_sorted
        Whether they came in the order of time.
    missing
        Rows dropped because a value was NaN.
    off_grid
        Rows dropped because their time is not on the grid.
    repeats
        Rows dropped because an earlier row has the same time.
    conflicts
        Those of `repeats` that differ from the row that was kept.
    """

    timeframe: Timeframe
    rows: int
    was_sorted: bool
    missing: tuple[int, ...] = ()
    off_grid: tuple[int, ...] = ()
    repeats: tuple[int, ...] = ()
    conflicts: tuple[int, ...] = ()

    @property
    def kept(self) -> int:
        """How many rows are left."""
        return self.rows - len(self.missing) - len(self.off_grid) - len(self.repeats)

    @property
    def is_clean(self) -> bool:
        """Whether nothing had to be done."""
        return self.was_sorted and self.kept == self.rows

    def describe(self) -> str:
        """Say in one line what was done, for a person."""
        if self.is_clean:
            return f"nothing to repair in {_count(self.rows, 'row')}"
        dropped = []
        if self.missing:
            dropped.append(f"{_count(len(self.missing), 'row')} with missing values")
        if self.repeats:
            text = _count(len(self.repeats), "repeat")
            if self.conflicts:
                text += f" ({len(self.conflicts)} of other values than the first of that time, which was kept)"
            dropped.append(text)
        if self.off_grid:
            dropped.append(f"{_count(len(self.off_grid), 'bar')} off the {self.timeframe} grid")
        done = [] if self.was_sorted else [f"sorted {_count(self.rows, 'row')}"]
        if dropped:
            listed = dropped[0] if len(dropped) == 1 else f"{', '.join(dropped[:-1])} and {dropped[-1]}"
            done.append(f"dropped {listed}" + (f" of {_count(self.rows, 'row')}" if self.was_sorted else ""))
        return ", ".join(done)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _rows(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(mask).tolist())


def tidy(
    ts: NDArray[np.int64], columns: Mapping[str, NDArray[np.float64]], timeframe: str | Timeframe
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]], RepairReport]:
    """Sort rows by time and drop what is missing, repeated or off the timeframe's grid.

    Parameters
    ----------
    ts
        Open times, ns, UTC, shape ``(n,)``, in any order.
    columns
        float64 columns by name, shape ``(n,)`` each. A row with a NaN in any of them is dropped.
    timeframe
        The length of a bar. Its grid is anchored at the epoch, a Thursday: days start at midnight UTC, weeks on one.

    Returns
    -------
    ts, columns
        New arrays, in order of time.
    report
        What was done, row by row.

    Raises
    ------
    DataError
        Most rows are off the grid: it is the timeframe or the time zone that is wrong.

    Notes
    -----
    Of several rows of one time the first in the input is kept. Values are not changed, gaps are not filled, and a
    bar whose values make no sense is left to be refused by `Bars`.
    """
    frame = Timeframe.parse(timeframe)
    missing = np.zeros(len(ts), np.bool_)
    for values in columns.values():
        missing |= np.isnan(values)
    off_grid = (ts % frame.ns != 0) & ~missing
    if 2 * int(off_grid.sum()) > len(ts):
        raise DataError(
            f"{int(off_grid.sum())} of {len(ts)} rows are off the {frame} grid, which starts at 1970-01-01 00:00 UTC. "
            "Check the timeframe and the time zone before dropping most of the data."
        )
    usable = np.flatnonzero(~(missing | off_grid))
    order = usable[np.argsort(ts[usable], kind="stable")]
    repeated = np.zeros(len(order), np.bool_)
    repeated[1:] = np.diff(ts[order]) == 0
    kept = order[~repeated]
    repeats = order[repeated]
    first = kept[np.searchsorted(ts[kept], ts[repeats])]
    differs = np.any([values[repeats] != values[first] for values in columns.values()], axis=0)
    report = RepairReport(
        timeframe=frame,
        rows=len(ts),
        was_sorted=bool((np.diff(ts) >= 0).all()),
        missing=_rows(missing),
        off_grid=_rows(off_grid),
        repeats=tuple(sorted(repeats.tolist())),
        conflicts=tuple(sorted(repeats[differs].tolist())),
    )
    return ts[kept], {name: values[kept] for name, values in columns.items()}, report
