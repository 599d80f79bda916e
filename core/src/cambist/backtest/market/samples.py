"""At which events the account is valued: every event would be too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.model.times import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cambist.portfolio import Portfolio

__all__ = ["Samples", "in_samples", "sample_rows"]


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


def in_samples(portfolio: Portfolio, first: int, rows: NDArray[np.int64], before: int) -> None:
    """Let an account's steps count samples in place of events.

    Parameters
    ----------
    portfolio
        Its steps, and deposits and withdrawals, are those of one window.
    first
        Number of the window's first event.
    rows
        Its samples; each step is at one of them or before the last.
    before
        Samples valued in the windows before.
    """

    def counted(events: list[int]) -> list[int]:
        samples: list[int] = (np.searchsorted(rows, np.array(events) - first) + before).tolist()
        return samples

    ledger = portfolio.ledger
    for steps in (ledger.cash_at, *(held.at for held in ledger.held.values())):
        if steps:
            steps[:] = counted(steps)
    if portfolio.transfers:
        moments, amounts = zip(*portfolio.transfers, strict=True)
        portfolio.transfers[:] = zip(counted(list(moments)), amounts, strict=True)


class Samples:
    """Hands samples on; the last of a window waits until it is known whether its minute goes on.

    Parameters
    ----------
    take
        Called with the times, ns, shape ``(k,)``, and the columns of values, shape ``(k, ...)`` each.
    """

    def __init__(self, take: Callable[..., None]) -> None:
        self._take = take
        self._open: tuple[NDArray[Any], ...] | None = None

    def add(self, times: NDArray[np.int64], *columns: NDArray[Any], is_settled: bool) -> None:
        """Take the samples of a window; `is_settled` says whether the last of them counts for itself."""
        self.settle(int(times[0]))
        self._open = None
        given = (times, *columns)
        if not is_settled:
            self._open = tuple(column[-1:] for column in given)
            given = tuple(column[:-1] for column in given)
        self._take(*given)

    def settle(self, first: int | None) -> None:
        """Hand on the one that waits, if what comes next is at `first` (ns; None: nothing does) in another minute."""
        if self._open is not None and (first is None or self._open[0][0] // MINUTE_NS != first // MINUTE_NS):
            self.close()

    def close(self) -> None:
        """Hand on the one that waits: nothing more of its minute comes."""
        waiting, self._open = self._open, None
        if waiting is not None:
            self._take(*waiting)
