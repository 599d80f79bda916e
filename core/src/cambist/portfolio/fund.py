"""The account as a fund: what a share of it is worth, whoever brings money or takes it out."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.portfolio.group import AccountGroup
    from cambist.portfolio.multi_asset import MultiAssetPortfolio
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["FundValue"]

#: Of what was taken out: what is left below this is float noise.
_NOTHING = 1e-9


class FundValue:
    """Values shares of an account: deposits buy some and withdrawals sell some, at the value of the instant.

    Parameters
    ----------
    portfolio
        Whose deposits and withdrawals to read, and with what it began.
    shares
        At the start; one share makes their value that of the account of somebody who only ever held the first one.

    Notes
    -----
    At the end of an instant with deposits and withdrawals ``F`` the equity is ``E``; a share is worth
    ``(E - F) / shares``, and ``F / value`` shares are bought (sold where negative), so that the value is the same
    before and after. A fund whose shares are worth nothing stays so: what is deposited afterwards buys no share of
    it. One that was emptied keeps its last value until somebody comes back.
    """

    def __init__(self, portfolio: Portfolio | MultiAssetPortfolio | AccountGroup, shares: float) -> None:
        self._portfolio = portfolio
        self.shares = shares
        self._value = portfolio.initial_cash / shares

    def value(self, equity: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        """Return what a share is worth at each of the next instants.

        Parameters
        ----------
        equity
            At those instants, shape ``(k,)``.
        first
            Number of the first of them in the run.
        """
        values = np.empty(len(equity))
        begin, last = 0, first + len(equity)
        steps = self._portfolio.transfers
        while steps and steps[0][0] < last:
            instant, moved = steps.pop(0)
            while steps and steps[0][0] == instant:
                moved += steps.pop(0)[1]
            row = instant - first
            self._fill(values, equity, begin, row)
            self._move(float(equity[row]), moved)
            begin = row
        self._fill(values, equity, begin, len(equity))
        return values

    def _fill(self, values: NDArray[np.float64], equity: NDArray[np.float64], begin: int, end: int) -> None:
        """Value a stretch in which the shares stay what they are."""
        if self.shares > 0.0:
            values[begin:end] = equity[begin:end] / self.shares
        else:
            values[begin:end] = self._value
        if end > begin:
            self._value = float(values[end - 1])

    def _move(self, equity: float, moved: float) -> None:
        """Buy or sell shares for `moved`, which `equity` is after."""
        if self.shares > 0.0:
            self._value = (equity - moved) / self.shares
        if self._value <= 0.0:
            self.shares = inf  # nobody can buy into a fund that is worth nothing
        elif equity <= _NOTHING * abs(moved):
            self.shares = 0.0
        else:
            self.shares = equity / self._value
