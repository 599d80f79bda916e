"""What the page's curves are drawn from: rows of times with columns beside them, in coarser and coarser levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist_report.levels import coarser, factors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.model import Bars
    from cambist_report.packing import Packer

__all__ = ["Axis", "Column", "rows_at"]


@attrs.frozen(eq=False, slots=True)
class Column:
    """Numbers of the rows of an axis.

    Attributes
    ----------
    values
        float64, shape ``(n,)``; NaN where there is none.
    how
        What a coarser row says of its rows, see `cambist_report.levels.coarser`.
    label
        For people; ``""`` where the page knows the name.
    panel
        Where it is drawn, for a line of a strategy.
    decimals
        How many of them a reader gets to see; None for all that there are.
    """

    values: NDArray[np.float64]
    how: str = "last"
    label: str = ""
    panel: str = ""
    decimals: int | None = None


@attrs.frozen(eq=False, slots=True)
class Axis:
    """Rows of times, int64 ns, UTC, shape ``(n,)``, and what stands beside them.

    Attributes
    ----------
    name
        Unique on the page.
    times
        Ascending.
    columns
        By name.
    bars
        Whose rows these are, for one with candles.
    """

    name: str
    times: NDArray[np.int64]
    columns: Mapping[str, Column]
    bars: Bars | None = None

    def packed(self, packer: Packer, *, finest: bool) -> list[dict[str, Any]]:
        """Return the finest level, or all others, the coarsest first; a lone level is among the others.

        Parameters
        ----------
        packer
            Gets the numbers.
        finest
            Which of the two.
        """
        every = factors(len(self.times))
        wanted = every[:1] if finest and len(every) > 1 else [] if finest else every[1:] or every
        return [self._level(packer, factor) for factor in reversed(wanted)]

    def described(self) -> dict[str, Any]:
        """Return what the page knows of the axis beside its levels."""
        names = {
            name: {"how": column.how, "label": column.label, "panel": column.panel}
            for name, column in self.columns.items()
        }
        return {"name": self.name, "n": len(self.times), "columns": names, "candles": self.bars is not None}

    def _level(self, packer: Packer, factor: int) -> dict[str, Any]:
        level: dict[str, Any] = {
            "factor": factor,
            "times": packer.times(self.times[::factor]),
            "columns": {
                name: packer.numbers(coarser(column.values, column.how, factor), column.decimals)
                for name, column in self.columns.items()
            },
        }
        if self.bars is not None:
            prices = (("open", "first"), ("high", "max"), ("low", "min"), ("close", "last"))
            level["candles"] = packer.candles(*(coarser(getattr(self.bars, name), how, factor) for name, how in prices))
        return level


def rows_at(closes: NDArray[np.int64], times: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of the bar that closes at, or next after, each time; the last row for later ones."""
    rows = np.searchsorted(closes, np.asarray(times, np.int64), side="left")
    return np.minimum(rows, max(len(closes) - 1, 0))
