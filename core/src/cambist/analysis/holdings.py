"""What was held when and at which prices: kept as steps during a run, made into columns when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.analysis.sampling import DayEnds, Points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.model import Instrument

__all__ = ["ClosesRecorder", "Holding", "Holdings"]


@attrs.frozen(eq=False, slots=True)
class Holding:
    """One instrument of a run.

    Attributes
    ----------
    instrument
        Which.
    times, sizes
        Closes of the bars in which the size held changed, ns, UTC, and the size from then on, negative when short;
        int64 and float64, shape ``(k,)`` each, ascending. Of several changes in a bar the last counts.
    price_times, prices
        Closes and when they were known, ns, UTC; shape ``(n,)`` each, ascending.
    name
        Of the position: the symbol, and in a hedged account the side; ``""`` stands for the symbol.
    """

    instrument: Instrument
    times: NDArray[np.int64]
    sizes: NDArray[np.float64]
    price_times: NDArray[np.int64]
    prices: NDArray[np.float64]
    name: str = ""

    @property
    def label(self) -> str:
        """What its column is called."""
        return self.name or self.instrument.symbol

    def sizes_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the size held at each of some closes (ns, shape ``(m,)``)."""
        return _steps_at(times, self.times, self.sizes, 0.0)

    def values_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the signed value of what was held at each of some closes (ns, shape ``(m,)``).

        Size times price times multiplier in the settlement asset, whether it was paid in full or margined; 0 when
        nothing was held.
        """
        sizes = self.sizes_at(times)
        values = np.zeros(len(sizes))
        held = np.flatnonzero(sizes)
        prices = _steps_at(times[held], self.price_times, self.prices, np.nan)
        factor = self.instrument.multiplier
        values[held] = sizes[held] * factor / prices if self.instrument.is_inverse else sizes[held] * factor * prices
        return values


@attrs.frozen(eq=False, slots=True)
class Holdings:
    """Everything that an account held over a run.

    Attributes
    ----------
    held
        One for each instrument, in the run's order.
    cash_times, cash
        Closes of the bars in which cash changed, ns, UTC, and the cash from then on, shape ``(k,)`` each, ascending.
    initial_cash
        Cash before that.
    """

    held: tuple[Holding, ...]
    cash_times: NDArray[np.int64]
    cash: NDArray[np.float64]
    initial_cash: float

    def cash_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the cash at each of some closes (ns, shape ``(m,)``). Margin posted is not taken off it."""
        return _steps_at(times, self.cash_times, self.cash, self.initial_cash)


class ClosesRecorder:
    """Keeps the last closes of each UTC day, where keeping every bar would need too much memory.

    Parameters
    ----------
    count
        Number of instruments.
    """

    def __init__(self, count: int) -> None:
        self._days = DayEnds()
        self._points = Points(columns=count)
        self._last: tuple[int, list[float]] | None = None

    def add(self, close_times: NDArray[np.int64], closes: Sequence[NDArray[np.float64]]) -> None:
        """Take the next bars.

        Parameters
        ----------
        close_times
            When they closed, ns, UTC, shape ``(k,)``, ascending, at least one.
        closes
            For each instrument its last close at those times, shape ``(k,)``; NaN before its first bar.
        """
        turned, rows = self._days.take(close_times)
        if turned and self._last is not None:
            self._points.append(self._last[0], *self._last[1])
        self._points.extend(close_times[rows], *(column[rows] for column in closes))
        self._last = int(close_times[-1]), [float(column[-1]) for column in closes]

    def finish(self) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
        """Return the times and, for each instrument, its closes at them."""
        times, last = self._points.integers(), self._last
        columns = [self._points.values(number) for number in range(self._points.columns)]
        if last is None:
            return times, columns
        return np.append(times, last[0]), [
            np.append(column, value) for column, value in zip(columns, last[1], strict=True)
        ]


def _steps_at(
    at: NDArray[np.int64], changes: NDArray[np.int64], values: NDArray[np.float64], before: float
) -> NDArray[np.float64]:
    """Return the value at each place: that of the last change at or before it, `before` where there is none."""
    found = np.searchsorted(changes, at, side="right") - 1
    if not len(values):
        return np.full(len(at), before)
    return np.where(found >= 0, values[found], before)
