"""At which events the account is valued: every event would be too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.model.times import MINUTE_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.portfolio.ledger import Ledger

__all__ = ["ledger_in_samples", "sample_rows"]


def sample_rows(times: NDArray[np.int64], fills: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool]:
    """Return the rows of a window at which the account is valued.

    They are the last event of each UTC minute, each event with a fill (the last of its time where several share one),
    and the last of the window.

    Parameters
    ----------
    times
        Of the window's events, ns, shape ``(k,)``, ascending; the next window begins later.
    fills
        Rows with a fill, in any order, repeats allowed.

    Returns
    -------
    rows : ndarray of int64
        Ascending, without repeats.
    is_settled : bool
        Whether the last of them counts for itself, by a fill; otherwise it does only if its minute ends with it.
    """
    minutes = times // MINUTE_NS
    ends = np.flatnonzero(minutes[1:] != minutes[:-1])
    last = len(times) - 1
    filled = np.searchsorted(times, times[fills], side="right") - 1
    is_settled = bool(len(filled) and filled.max() == last)
    return np.unique(np.concatenate((ends, filled, [last]))), is_settled


def ledger_in_samples(ledger: Ledger, first: int, rows: NDArray[np.int64], before: int) -> None:
    """Let a ledger count samples in place of events.

    Parameters
    ----------
    ledger
        Its steps are those of one window.
    first
        Number of the window's first event.
    rows
        Its samples; each step is at one of them or before the last.
    before
        Samples valued in the windows before.
    """
    for steps in (ledger.cash_at, *(held.at for held in ledger.held.values())):
        if steps:
            steps[:] = (np.searchsorted(rows, np.array(steps) - first) + before).tolist()
