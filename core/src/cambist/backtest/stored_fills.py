"""What executions alone tell of positions: sizes, average prices, and how much each round trip bought into."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import nan
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.portfolio import PositionSteps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.model import Fill, Instrument
    from cambist.ports.rows import PositionRow

__all__ = ["FilledPosition", "filled_positions"]


@attrs.define(eq=False)
class FilledPosition:
    """The net position of one instrument, fill by fill.

    Attributes
    ----------
    times, sizes, averages
        Of each fill: when, what was held afterwards (signed), and its average price, NaN when flat.
    entered
        Of each round trip, in the order in which they began: the size that was opened in all.
    is_followed
        Whether what was told of the position is what the fills come to; see `book`.
    """

    times: list[int] = attrs.field(factory=list)
    sizes: list[float] = attrs.field(factory=list)
    averages: list[float] = attrs.field(factory=list)
    entered: list[float] = attrs.field(factory=list)
    is_followed: bool = True

    def take(self, fill: Fill) -> None:
        """Take the next fill."""
        grid = fill.instrument.size_grid
        before = self.sizes[-1] if self.sizes else 0.0
        average = self.averages[-1] if self.averages else nan
        change = fill.size if fill.side.sign > 0 else -fill.size
        after = grid.nearest(before + change)
        opened = abs(after) if before * after <= 0.0 else max(0.0, abs(after) - abs(before))
        if opened > 0.0:
            if before * after <= 0.0:
                average = fill.price
                self.entered.append(opened)
            else:
                average = _average(fill.instrument, abs(before), average, opened, fill.price)
                self.entered[-1] = grid.nearest(self.entered[-1] + opened)
        self.times.append(fill.ts)
        self.sizes.append(after)
        self.averages.append(average if after else nan)

    def book(self, rows: Iterable[PositionRow]) -> None:
        """Let each fill count from when the position was told to have changed.

        A simulated fill at the open of a bar is booked with the bar, at whose open the bar before it has closed.
        Several fills may make one row. Where the rows tell of more than fills, times stay those of the fills.
        """
        told, waiting = iter(rows), 0
        times: list[int] = []
        row = next(told, None)
        for place, (ts, size) in enumerate(zip(self.times, self.sizes, strict=True), 1):
            if row is not None and size == float(row.size) and ts <= row.ts:
                times += [row.ts] * (place - waiting)
                waiting, row = place, next(told, None)
        self.is_followed = row is None and waiting == len(self.times)
        if self.is_followed:
            self.times = times

    def agree(self, seen: Mapping[int, float]) -> None:
        """Let fills at the very time of a snapshot count after it, where it did not see them yet.

        Parameters
        ----------
        seen
            What was held at each snapshot, by its time, ns.
        """
        sizes = [0.0, *self.sizes]
        for ts, held in seen.items():
            first, behind = bisect_left(self.times, ts), bisect_right(self.times, ts)
            if first < behind and sizes[behind] != held and held in sizes[first:behind]:
                late = first + sizes[first:behind].index(held)
                self.times[late:behind] = [ts + 1] * (behind - late)

    def holds(self, ts: int) -> bool:
        """Tell whether anything was held at a time, ns, after every fill of that time."""
        place = bisect_right(self.times, ts)
        return bool(place and self.sizes[place - 1])

    def steps(self, instrument: Instrument) -> PositionSteps:
        """Return the steps of the position; with average prices where its worth depends on them."""
        averages = self.averages if not instrument.is_cash else ()
        return PositionSteps(
            np.array(self.times, np.int64), np.array(self.sizes, np.float64), np.array(averages, np.float64)
        )


def _average(instrument: Instrument, held: float, average: float, more: float, price: float) -> float:
    if instrument.is_inverse:  # what was paid counts in the base
        return (held + more) / (held / average + more / price)
    return (held * average + more * price) / (held + more)


def filled_positions(fills: Iterable[Fill], rows: Iterable[PositionRow]) -> dict[str, FilledPosition]:
    """Return the position of each instrument that was traded, by symbol.

    The two sides of a hedged account, and several accounts, are their sum, and not followed by `rows`.
    """
    found: dict[str, FilledPosition] = {}
    for fill in fills:
        found.setdefault(fill.instrument.symbol, FilledPosition()).take(fill)
    told: dict[str, list[PositionRow]] = {symbol: [] for symbol in found}
    for row in sorted(rows, key=lambda one: one.ts):
        told.setdefault(row.symbol, []).append(row)
    for symbol, of_symbol in told.items():
        found.setdefault(symbol, FilledPosition()).book(of_symbol)
    return found
