"""Buy and hold: what the same money would have made without a strategy."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.curve import EquityRecorder
from cambist.errors import InputError, ResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.analysis.curve import EquityCurve
    from cambist.model import Instrument

__all__ = ["BuyAndHold"]


class BuyAndHold:
    """Equal money in each instrument, bought at the open of its first bar and never touched again.

    No fees, no rounding to a grid, no leverage: a margined instrument is held at its full value. Money for an
    instrument that has not started yet waits in cash. Memory does not grow with the number of bars, and how they
    are cut into blocks makes no difference, to the last bit.

    Parameters
    ----------
    instruments
        What is bought; the order is that of the columns given to `add`.
    initial
        Money to spend in all, in the account's currency.
    start_ts
        Open of the run's first bar, ns, UTC.
    keep_all
        Keep every bar, see `cambist.analysis.curve.EquityRecorder`.

    Raises
    ------
    InputError
        Without an instrument, or if `initial` is not a positive number.
    """

    def __init__(
        self, instruments: Sequence[Instrument], initial: float, start_ts: int, *, keep_all: bool = False
    ) -> None:
        if not instruments:
            raise InputError("there is nothing to buy and hold. Name at least one instrument.")
        self._recorder = EquityRecorder(initial, start_ts, keep_all=keep_all)
        self._share = initial / len(instruments)
        self._symbols = [instrument.symbol for instrument in instruments]
        self._inverse = [instrument.is_inverse for instrument in instruments]
        self._bought_at: list[float | None] = [None] * len(instruments)
        self._last: list[float] = [np.nan] * len(instruments)
        self._holding = [False] * len(instruments)

    def first(self, instrument: int, open_price: float) -> None:
        """Buy instrument number `instrument` at `open_price`, the open of its first bar.

        Call it before the block in which that bar closes is added.

        Raises
        ------
        ResultError
            If it was bought before, or the price is not a positive number.
        """
        symbol = self._symbols[instrument]
        if self._bought_at[instrument] is not None:
            raise ResultError(f"{symbol} has been bought at {self._bought_at[instrument]}. Only its first open counts.")
        if not (isfinite(open_price) and open_price > 0):
            raise ResultError(f"{symbol} cannot be bought at {open_price}. Check the first bar's open.")
        self._bought_at[instrument] = self._last[instrument] = float(open_price)

    def add(self, close_times: NDArray[np.int64], closes: NDArray[np.float64]) -> None:
        """Take the closes of the next bars.

        Parameters
        ----------
        close_times
            When the bars closed, ns, UTC, shape ``(k,)``, ascending, later than every bar before.
        closes
            float64, shape ``(k, n)``, one column for each instrument. NaN before an instrument's first bar; later NaN
            means no new price, and the last one stands.

        Raises
        ------
        ResultError
            If an instrument has a close and `first` was never told its open.
        """
        if not len(close_times):
            return
        columns = np.asarray(closes)
        equity = np.zeros(len(close_times))
        exposed = np.zeros(len(close_times), np.bool_)
        # Column by column: the order of additions must not depend on the size of the block.
        for number in range(len(self._symbols)):
            self._add_column(number, columns[:, number], equity, exposed)
        self._recorder.add(close_times, equity, exposed)

    def finish(self, periods_per_year: float | None = None) -> EquityCurve:
        """Return the curve so far, see `cambist.analysis.curve.EquityRecorder.finish`."""
        return self._recorder.finish(periods_per_year)

    def _add_column(
        self, number: int, closes: NDArray[np.float64], equity: NDArray[np.float64], exposed: NDArray[np.bool_]
    ) -> None:
        bought_at = self._bought_at[number]
        if bought_at is None:
            if not np.isnan(closes).all():
                raise ResultError(f"{self._symbols[number]} has closes and no first open. Call first() before add().")
            equity += self._share
            return
        waiting = np.zeros(0, np.bool_)
        if np.isnan(closes.min()):
            known = ~np.isnan(closes)
            rows = np.maximum.accumulate(np.where(known, np.arange(1, len(closes) + 1), 0))
            closes = np.concatenate(([self._last[number]], closes))[rows]
            holding = (rows > 0) | self._holding[number]
            waiting = ~holding
            exposed |= holding
            self._holding[number] = self._holding[number] or bool(rows[-1])
        else:
            exposed[:] = True
            self._holding[number] = True
        worth = (
            self._share * (2.0 - bought_at / closes) if self._inverse[number] else closes * (self._share / bought_at)
        )
        if len(waiting):
            # Money that waits is the share itself, and not what its rounded number of units is worth at the open.
            worth[waiting] = self._share
        equity += worth
        self._last[number] = float(closes[-1])
