"""What fills did to an account over a whole run, as steps in time."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.model.legs import legs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["AccountHistory", "HistoryRecorder", "PositionSteps"]


@attrs.frozen(eq=False, slots=True)
class PositionSteps:
    """Steps of one position, one for each fill.

    Attributes
    ----------
    times
        Close of the bar in which the fill was booked, int64 ns UTC, shape ``(k,)``, ascending; several fills of a bar
        share it.
    sizes
        What was held from then on, signed, float64, shape ``(k,)``.
    average_prices
        Its average entry price, float64, shape ``(k,)``, NaN when flat. Only margined instruments have it, whose worth
        depends on it; shape ``(0,)`` for those paid in full.
    """

    times: NDArray[np.int64]
    sizes: NDArray[np.float64]
    average_prices: NDArray[np.float64]

    def sizes_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what was held at `times` (ns, shape ``(n,)``), after every fill of that time."""
        return _at(self.times, self.sizes, 0.0, times)

    def average_prices_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the average entry prices at `times` (ns, shape ``(n,)``); NaN when flat or not kept."""
        if not len(self.average_prices):
            return np.full(len(times), np.nan)
        return _at(self.times, self.average_prices, np.nan, times)


@attrs.frozen(eq=False, slots=True)
class AccountHistory:
    """Steps of cash and positions over a run: 8 bytes a number, a few numbers a fill, nothing a bar.

    Attributes
    ----------
    initial_cash
        Before the first step.
    bars
        Instants of the run at which cash changed, 0 is the first, int64, shape ``(k,)``, ascending.
    times
        Their close times, int64 ns UTC, shape ``(k,)``.
    cash
        From then on, float64, shape ``(k,)``; the last of a time counts.
    positions
        Steps of each position, by symbol; in a hedged account by symbol and side, see `cambist.model.legs`.
    """

    initial_cash: float
    bars: NDArray[np.int64]
    times: NDArray[np.int64]
    cash: NDArray[np.float64]
    positions: Mapping[str, PositionSteps]

    def legs(self, instruments: Iterable[Instrument]) -> list[tuple[str, Instrument]]:
        """Return the keys of `positions` and what each is a position in, in the order of the instruments."""
        return legs_of(instruments, self.positions)

    def cash_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the cash at `times` (ns, shape ``(n,)``), after every fill of that time."""
        return _at(self.times, self.cash, self.initial_cash, times)

    def times_of(self, bars: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the close times of instants at which cash changed, ns, shape ``(n,)``."""
        return self.times[np.searchsorted(self.bars, bars)]


class HistoryRecorder:
    """Collects the steps of an account, block by block.

    Parameters
    ----------
    initial_cash
        Before the first step.
    keys
        Of every position there can be.
    """

    def __init__(self, initial_cash: float, keys: Iterable[str]) -> None:
        self._initial_cash = initial_cash
        # Arrays that grow: many small blocks must not cost an array object each.
        self._bars, self._times, self._cash = array("q"), array("q"), array("d")
        self._positions = {key: (array("q"), array("d"), array("d")) for key in keys}

    def add_cash(self, bars: NDArray[np.int64], times: NDArray[np.int64], cash: NDArray[np.float64]) -> None:
        """Take the next steps of cash."""
        for kept, values in ((self._bars, bars), (self._times, times), (self._cash, cash)):
            kept.frombytes(values.tobytes())

    def add_position(
        self,
        key: str,
        times: NDArray[np.int64],
        sizes: NDArray[np.float64],
        average_prices: NDArray[np.float64] | None,
    ) -> None:
        """Take the next steps of a position; without average prices where they do not matter."""
        kept_times, kept_sizes, kept_averages = self._positions[key]
        kept_times.frombytes(times.tobytes())
        kept_sizes.frombytes(sizes.tobytes())
        if average_prices is not None:
            kept_averages.frombytes(average_prices.tobytes())

    def finish(self) -> AccountHistory:
        """Return the steps so far; more may follow."""
        return AccountHistory(
            self._initial_cash,
            np.array(self._bars, np.int64),
            np.array(self._times, np.int64),
            np.array(self._cash, np.float64),
            {
                key: PositionSteps(
                    np.array(times, np.int64), np.array(sizes, np.float64), np.array(averages, np.float64)
                )
                for key, (times, sizes, averages) in self._positions.items()
            },
        )


def _at(
    step_times: NDArray[np.int64], values: NDArray[Any], start: float, times: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return a step function at `times`: `start`, then each value from its time on."""
    return np.concatenate(([start], values))[np.searchsorted(step_times, times, side="right")]
