"""Finer bars inside the bars of a series."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import DataError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cambist.model.bars import Bars

__all__ = ["FinerBars"]

#: Prices and volumes of two series are the same up to this fraction: sums and conversions round.
_PRICE_NOISE, _VOLUME_NOISE = 1e-9, 1e-6


class FinerBars:
    """Bars that tell the way of the price inside those of a coarser series of the same instrument.

    Parameters
    ----------
    coarse, fine
        The series that is traded on, and the one that lies in it.
    checks_volume
        Hold that volumes agree as well.

    Raises
    ------
    DataError
        If the timeframes do not fit, a coarse bar has no finer one inside it, or the finer ones do not add up to it;
        names the first such bar.
    """

    def __init__(self, coarse: Bars, fine: Bars, *, checks_volume: bool) -> None:
        self.symbol = coarse.instrument.symbol
        length, finer = coarse.timeframe.ns, fine.timeframe.ns
        if finer > length or length % finer:
            raise DataError(
                f"magnify: bars of {fine.timeframe} do not fit into bars of {coarse.timeframe} ({self.symbol}); give "
                "bars of a length of which that is a multiple."
            )
        self._coarse, self._fine = coarse, fine
        self._starts = np.searchsorted(fine.ts, coarse.ts, side="left")
        self._ends = np.searchsorted(fine.ts, coarse.ts + length, side="left")
        self._check_cover()
        self._check_prices()
        if checks_volume:
            self._compare("volume", self._fold(np.add, fine.volume), _VOLUME_NOISE)
        self.length, self.timeframe = finer, fine.timeframe
        self.opens = fine.ts.data
        self.columns = tuple(column.data for column in fine.columns.values())

    def rows(self, opened: int, closed: int) -> range:
        """Return the rows of the finer bars inside the bar from `opened` to `closed` (ns)."""
        start = bisect_left(self.opens, opened)
        return range(start, bisect_left(self.opens, closed, start))

    def show(self, row: int, show: Callable[..., None]) -> None:
        """Show somebody a finer bar, by the arguments of `MatchingVenue.match`."""
        opened = self.opens[row]
        show(self.symbol, opened, opened + self.length, *(column[row] for column in self.columns))

    def _check_cover(self) -> None:
        coarse, fine = self._coarse, self._fine
        missing = np.flatnonzero(self._starts == self._ends)
        if missing.size:
            reach = "there are none at all"
            if len(fine):
                reach = f"they go from {format_ns(fine.ts[0])} to {format_ns(fine.ts[-1] + fine.timeframe.ns)}"
            raise DataError(
                f"magnify: no finer bar lies in {self._bar(missing[0])}; {reach}. Give finer bars for all of it, or "
                "trade on less."
            )
        before = self._starts - 1
        straddling = (before >= 0) & (fine.ts[before] + fine.timeframe.ns > coarse.ts)
        straddling |= fine.ts[self._ends - 1] + fine.timeframe.ns > coarse.close_times
        rows = np.flatnonzero(straddling)
        if rows.size:
            raise DataError(
                f"magnify: a finer bar lies across the edge of {self._bar(rows[0])}. Both must begin at the same times."
            )

    def _check_prices(self) -> None:
        fine = self._fine
        self._compare("open", fine.open[self._starts], _PRICE_NOISE)
        self._compare("high", self._fold(np.maximum, fine.high), _PRICE_NOISE)
        self._compare("low", self._fold(np.minimum, fine.low), _PRICE_NOISE)
        self._compare("close", fine.close[self._ends - 1], _PRICE_NOISE)

    def _fold(self, fold: np.ufunc, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one value for each coarse bar from the rows inside it."""
        edges = np.column_stack((self._starts, self._ends)).ravel()
        # The end of the last may be the end of the column, which is no row; every other piece is what lies between.
        folded: NDArray[np.float64] = fold.reduceat(np.append(column, column[-1]), edges)[::2]
        return folded

    def _compare(self, name: str, inside: NDArray[np.float64], noise: float) -> None:
        outside = self._coarse.columns[name]
        rows = np.flatnonzero(np.abs(inside - outside) > noise * np.abs(outside))
        if rows.size:
            row = rows[0]
            raise DataError(
                f"magnify: the {name} of {self._bar(row)} is {float(outside[row])!r}, and that of the finer bars in "
                f"it {float(inside[row])!r}. Both must be of one market; make the coarser ones of the finer ones."
            )

    def _bar(self, row: np.intp) -> str:
        return f"the bar of {self.symbol} that opens at {format_ns(int(self._coarse.ts[row]))}"
