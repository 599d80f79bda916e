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

    Attributes
    ----------
    instant
        Number of the next instant to value.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio
        self._cash = portfolio.cash
        self._held = {symbol: _Held(position.instrument) for symbol, position in portfolio.positions.items()}
        self.instant = 0

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
        first, ledger = self.instant, self._portfolio.ledger
        equity = _steps(ledger.cash_at, ledger.cash, first, self._cash, count)
        exposed = np.zeros(count, dtype=np.bool_)
        for symbol, held in self._held.items():
            steps = ledger.held[symbol]
            if not steps.at and held.size == 0.0:
                continue
            sizes = _steps(steps.at, steps.sizes, first, held.size, count)
            held_now = sizes != 0.0
            prices = closes[symbol]
            if held.instrument.is_cash:
                worth = sizes * held.instrument.multiplier * prices
            else:
                averages = _steps(steps.at, steps.average_prices, first, held.average_price, count)
                worth = _open_profit(held.instrument, sizes, averages, prices)
            equity += np.where(held_now, worth, 0.0)
            exposed |= held_now
            if steps.at:
                held.size, held.average_price = steps.sizes[-1], steps.average_prices[-1]
        if ledger.cash:
            self._cash = ledger.cash[-1]
        ledger.clear()
        self.instant = first + count
        return equity, exposed


def _steps(at: list[int], values: list[float], first: int, start: float, count: int) -> NDArray[np.float64]:
    """Return the step function over `count` instants from `first`: `start`, then each value from its instant on."""
    if not at:
        return np.full(count, start)
    lengths = np.diff(np.array(at), prepend=first, append=first + count)
    return np.repeat(np.array([start, *values]), lengths)


def _open_profit(
    instrument: Instrument, sizes: NDArray[np.float64], averages: NDArray[np.float64], prices: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the open profit of a margined instrument at each instant: `Instrument.profit` over arrays."""
    if instrument.is_inverse:
        return sizes * instrument.multiplier * (1.0 / averages - 1.0 / prices)
    return sizes * instrument.multiplier * (prices - averages)
