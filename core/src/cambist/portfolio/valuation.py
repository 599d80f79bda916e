"""The equity curve, from the fills of a run and the closes of its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["Steps", "Valuation"]


@attrs.frozen(eq=False, slots=True)
class Steps:
    """A number that changes in the course of a run.

    Attributes
    ----------
    at
        Instants of the run at which it changed, or their close times (ns, UTC), int64, shape ``(k,)``, ascending;
        several changes of one instant are in order.
    values
        From then on, float64, shape ``(k,)``.
    """

    at: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, instants: Sequence[int], values: Sequence[float]) -> Steps:
        """Return the steps of two lists side by side."""
        count = len(instants)
        return cls(np.fromiter(instants, np.int64, count), np.fromiter(values, np.float64, count))

    def spread(self, first: int, count: int, start: float) -> NDArray[np.float64]:
        """Return the value at each of `count` instants from `first`; `start` before the first step."""
        if not len(self.at):
            return np.full(count, start)
        edges = np.concatenate((np.array([first]), self.at, np.array([first + count])))
        return np.repeat(np.concatenate((np.array([start]), self.values)), np.diff(edges))


@attrs.define(eq=False, slots=True)
class _Held:
    """What was held of one instrument after the last fill that was valued, and its steps until then."""

    instrument: Instrument
    size: float = 0.0
    average_price: float = float("nan")
    history: list[Steps] = attrs.field(factory=list)


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
        self._cash_history: list[Steps] = []
        self._held = {symbol: _Held(position.instrument) for symbol, position in portfolio.positions.items()}
        self.instant = 0

    def value(
        self, times: NDArray[np.int64], closes: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Value the next instants of the run.

        Parameters
        ----------
        times
            Close times of the next `k` instants, ns, UTC, shape ``(k,)``.
        closes
            For each symbol its last close at each of them, shape ``(k,)``; NaN before its first bar.

        Returns
        -------
        equity : ndarray of float64, shape (k,)
            Cash plus the worth of what is held, in the account's currency.
        exposed : ndarray of bool, shape (k,)
            Whether anything was held.
        """
        count, first, ledger = len(times), self.instant, self._portfolio.ledger
        cash = Steps.of(ledger.cash_at, ledger.cash)
        equity = cash.spread(first, count, self._cash)
        exposed = np.zeros(count, dtype=np.bool_)
        for symbol, held in self._held.items():
            steps = ledger.held[symbol]
            if not steps.at and held.size == 0.0:
                continue
            taken = Steps.of(steps.at, steps.sizes)
            sizes = taken.spread(first, count, held.size)
            prices = closes[symbol]
            held_now = sizes != 0.0
            exposed |= held_now
            if held.instrument.is_cash:
                worth = sizes
                worth *= held.instrument.multiplier
                worth *= prices
                if np.isnan(prices[0]):
                    worth[~held_now] = 0.0
            else:
                averages = Steps.of(steps.at, steps.average_prices).spread(first, count, held.average_price)
                worth = np.where(held_now, _open_profit(held.instrument, sizes, averages, prices), 0.0)
            equity += worth
            if steps.at:
                held.size, held.average_price = steps.sizes[-1], steps.average_prices[-1]
                held.history.append(Steps(times[taken.at - first], taken.values))
        if ledger.cash:
            self._cash = ledger.cash[-1]
            self._cash_history.append(Steps(times[cash.at - first], cash.values))
        ledger.clear()
        self.instant = first + count
        return equity, exposed

    def size_steps(self, symbol: str) -> Steps:
        """Return what was held of `symbol` over everything valued so far, signed, by close time; at first nothing."""
        return _joined(self._held[symbol].history)

    def cash_steps(self) -> Steps:
        """Return the cash over everything valued so far, by close time; before the first step that of the start."""
        return _joined(self._cash_history)


def _joined(history: Sequence[Steps]) -> Steps:
    if not history:
        return Steps.of((), ())
    return Steps(np.concatenate([steps.at for steps in history]), np.concatenate([steps.values for steps in history]))


def _open_profit(
    instrument: Instrument, sizes: NDArray[np.float64], averages: NDArray[np.float64], prices: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the open profit of a margined instrument at each instant: `Instrument.profit` over arrays."""
    if instrument.is_inverse:
        return sizes * instrument.multiplier * (1.0 / averages - 1.0 / prices)
    return sizes * instrument.multiplier * (prices - averages)
