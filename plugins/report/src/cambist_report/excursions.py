"""How far a trade ran against its holder and for him before it ended.

Sweeney, J. (1997), Maximum Adverse Excursion: Analyzing Price Fluctuations for Trading Management, Wiley.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.model import Bars

__all__ = ["excursions"]


def excursions(
    bars: Bars,
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    prices: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    long: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest move against and for each trade, fractions of its entry price, 0 or above.

    Prices seen are the entry, the bars from the one of the entry up to the one before the exit's, and the exit: of the
    bar in which a trade ended nobody knows what came after it. A trade that was over in one bar saw its two prices.

    Parameters
    ----------
    bars
        Of the instrument.
    rows
        Of the bars of entries and exits, shape ``(n,)`` each.
    prices
        Average prices of entries and exits, shape ``(n,)`` each.
    long
        Direction of each trade, shape ``(n,)``.

    Returns
    -------
    tuple of ndarray
        Adverse and favorable excursions, shape ``(n,)`` each.
    """
    (entries, exits), (paid, got) = rows, prices
    low, high = np.minimum(paid, got), np.maximum(paid, got)
    held = exits > entries
    if held.any():
        pairs = np.stack([entries[held], exits[held]], axis=1).ravel()
        low[held] = np.minimum(low[held], np.minimum.reduceat(bars.low, pairs)[::2])
        high[held] = np.maximum(high[held], np.maximum.reduceat(bars.high, pairs)[::2])
    down, up = (paid - low) / paid, (high - paid) / paid
    return np.where(long, down, up), np.where(long, up, down)
