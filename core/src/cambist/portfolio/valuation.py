"""The equity curve, from the fills of a run and the closes of its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.portfolio.history import HistoryRecorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument
    from cambist.portfolio.history import AccountHistory
    from cambist.portfolio.ledger import HeldSteps
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["Valuation", "worth"]


@attrs.define(eq=False, slots=True)
class _Held:
    """What was held of one instrument after the last fill that was valued."""

    instrument: Instrument
    size: float = 0.0
    average_price: float = float("nan")


@attrs.frozen(eq=False, slots=True)
class _Changes:
    """Where in a block of instants something changes.

    Attributes
    ----------
    rows
        Of the block, int64, shape ``(k,)``, ascending.
    lengths
        For how many instants each value holds, the one before the first change included, shape ``(k + 1,)``.
    """

    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, at: list[int], first: int, count: int) -> _Changes:
        """Take instants of the run for a block of `count` from `first` on."""
        rows = np.array(at, np.int64)
        rows -= first
        lengths = np.empty(len(rows) + 1, np.int64)
        lengths[0] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=lengths[1:-1])
        lengths[-1] = count - rows[-1]
        return cls(rows, lengths)

    def spread(self, start: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the step function over the block: `start`, then each value from its row on."""
        steps = np.empty(len(values) + 1)
        steps[0] = start
        steps[1:] = values
        return np.repeat(steps, self.lengths)


class Valuation:
    """Values a portfolio at every instant, one block of instants after the other.

    It reads the ledger the portfolio kept, so that nothing is computed per bar while the run goes on, and
    empties it into a history of 8 bytes a number. Both paths of a backtest use this and nothing else for the equity
    curve.

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
        self._held = {key: _Held(position.instrument) for key, position in portfolio.legs.items()}
        self.instant = 0
        self._history = HistoryRecorder(portfolio.cash, self._held)

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
        changes = None
        if ledger.cash_at:
            changes = _Changes.of(ledger.cash_at, first, count)
            cash = np.array(ledger.cash, np.float64)
            equity = changes.spread(self._cash, cash)
            self._history.add_cash(changes.rows + first, times[changes.rows], cash)
            self._cash = ledger.cash[-1]
        else:
            equity = np.full(count, self._cash)
        exposed: NDArray[np.bool_] | None = None
        for key, held in self._held.items():
            steps = ledger.held[key]
            if steps.at:
                # Where one instrument alone was traded, its position changes when cash does.
                own = changes if steps.at == ledger.cash_at else None
                sizes, averages = self._take(key, own or _Changes.of(steps.at, first, count), steps, times)
            elif held.size != 0.0:
                sizes, averages = np.full(count, held.size), np.full(count, held.average_price)
            else:
                continue
            held_now = sizes != 0.0
            exposed = held_now if exposed is None else exposed | held_now
            equity += worth(held.instrument, sizes, averages, closes[held.instrument.symbol], out=sizes)
        ledger.clear()
        self.instant = first + count
        return equity, np.zeros(count, np.bool_) if exposed is None else exposed

    def history(self) -> AccountHistory:
        """Return every step valued so far."""
        return self._history.finish()

    def _take(
        self, key: str, changes: _Changes, steps: HeldSteps, times: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return sizes and average prices at each instant of the block, and keep the steps."""
        held = self._held[key]
        values = np.array(steps.sizes, np.float64)
        prices = None if held.instrument.is_cash else np.array(steps.average_prices, np.float64)
        sizes = changes.spread(held.size, values)
        averages = None if prices is None else changes.spread(held.average_price, prices)
        self._history.add_position(key, times[changes.rows], values, prices)
        held.size, held.average_price = steps.sizes[-1], steps.average_prices[-1]
        return sizes, averages


def worth(
    instrument: Instrument,
    sizes: NDArray[np.float64],
    average_prices: NDArray[np.float64] | None,
    prices: NDArray[np.float64],
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return what a position adds to equity: its value when paid in full, its open profit when margined.

    The same arithmetic as for a single price in `cambist.portfolio.portfolio.Portfolio.equity`, to the last bit.

    Parameters
    ----------
    instrument
        What is held.
    sizes
        Signed, float64, shape ``(n,)``.
    average_prices
        Entry prices, shape ``(n,)``; they count for a margined instrument alone.
    prices
        To value at, shape ``(n,)``. NaN may stand where nothing is held, and before the first of all prices only.
    out
        Where to put the answer, which may be `sizes`.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the settlement asset; 0 where nothing is held.
    """
    multiplier = instrument.multiplier
    # Times 1 is the same number, and a pass over an array saved.
    units = sizes if multiplier == 1.0 else sizes * multiplier
    if instrument.is_cash:
        if len(prices) and prices[0] == prices[0]:
            return np.multiply(units, prices, out=out)
        change = prices
    elif average_prices is None:
        raise TypeError(f"{instrument.symbol} is margined: its worth cannot be told without the average prices")
    elif instrument.is_inverse:
        change = 1.0 / average_prices - 1.0 / prices
    else:
        change = prices - average_prices
    flat = sizes == 0.0
    answer = np.multiply(units, change, out=out)
    answer[flat] = 0.0
    return answer
