"""The equity curve, from the fills of a run and the closes of its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["Valuation"]


@attrs.define(eq=False, slots=True)
class _Held:
    """What was held of one instrument after the last fill that was valued."""

    instrument: Instrument
    size: float = 0.0
    average_price: float = float("nan")


class Valuation:
    """Values a portfolio at every instant, one block of instants after the other.

    It reads the ledger the portfolio kept, so that nothing is computed per bar while the run goes on, and
    empties it. Both paths of a backtest use this and nothing else for the equity curve.

    Parameters
    ----------
    portfolio
        Whose ledger to read, before its first fill.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio
        self._cash = portfolio.cash
        self._held = {symbol: _Held(position.instrument) for symbol, position in portfolio.positions.items()}
        self._instant = 0

    def value(self, closes: Mapping[str, NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Value the next instants of the run.

        Parameters
        ----------
        closes
            For each symbol its last close at each of the next `k` instants, shape ``(k,)``; NaN before its
            first bar.

        Returns
        -------
        equity : ndarray of float64, shape (k,)
            Cash plus the worth of what is held, in the account's currency.
        exposed : ndarray of bool, shape (k,)
            Whether anything was held.
        """
        count = len(next(iter(closes.values())))
        first, end = self._instant, self._instant + count
        ledger = self._portfolio.ledger
        taken = ledger
        if ledger and ledger[-1][0] >= end:
            cut = next(number for number, row in enumerate(ledger) if row[0] >= end)
            taken, self._portfolio.ledger = ledger[:cut], ledger[cut:]
        else:
            self._portfolio.ledger = []
        equity = _steps([(row[0] - first, row[2]) for row in taken], self._cash, count)
        exposed = np.zeros(count, dtype=np.bool_)
        by_symbol: dict[str, list[tuple[int, str, float, float, float]]] = {}
        for row in taken:
            by_symbol.setdefault(row[1], []).append(row)
        for symbol, held in self._held.items():
            rows = by_symbol.get(symbol, [])
            if not rows and held.size == 0.0:
                continue
            sizes = _steps([(row[0] - first, row[3]) for row in rows], held.size, count)
            held_now = sizes != 0.0
            prices = closes[symbol]
            if held.instrument.is_cash:
                worth = sizes * held.instrument.multiplier * prices
            else:
                averages = _steps([(row[0] - first, row[4]) for row in rows], held.average_price, count)
                worth = _open_profit(held.instrument, sizes, averages, prices)
            equity += np.where(held_now, worth, 0.0)
            exposed |= held_now
            if rows:
                held.size, held.average_price = rows[-1][3], rows[-1][4]
        if taken:
            self._cash = taken[-1][2]
        self._instant = end
        return equity, exposed


def _steps(changes: list[tuple[int, float]], start: float, count: int) -> NDArray[np.float64]:
    """Return the step function that is `start` at first and takes the last change at or before each instant."""
    if not changes:
        return np.full(count, start)
    at = np.fromiter((change[0] for change in changes), np.int64, len(changes))
    values = np.empty(len(changes) + 1)
    values[0] = start
    values[1:] = [change[1] for change in changes]
    lengths = np.diff(at, prepend=0, append=count)
    return np.repeat(values, lengths)


def _open_profit(
    instrument: Instrument, sizes: NDArray[np.float64], averages: NDArray[np.float64], prices: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the open profit of a margined instrument at each instant: `Instrument.profit` over arrays."""
    if instrument.is_inverse:
        return sizes * instrument.multiplier * (1.0 / averages - 1.0 / prices)
    return sizes * instrument.multiplier * (prices - averages)
