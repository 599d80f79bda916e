"""The equity of an account that holds several assets, in its currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis import ClosesRecorder
from cambist.backtest.history import AssetHistory, Closes
from cambist.portfolio import AccountHistory, MultiAssetPortfolio, Portfolio, Valuation, rate_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["MultiAssetValuation", "valuation_of"]


def valuation_of(books: Portfolio | MultiAssetPortfolio, *, keep_all: bool) -> Valuation | MultiAssetValuation:
    """Return what values an account, made before its first fill."""
    if isinstance(books, MultiAssetPortfolio):
        return MultiAssetValuation(books, keep_all=keep_all)
    return Valuation(books)


class MultiAssetValuation:
    """Values each pocket of an account in its asset, and all of them in the currency; see `Valuation`.

    Parameters
    ----------
    books
        Before their first fill.
    keep_all
        Keep the rates of every instant, or of those at which something was booked and the last of each UTC day.

    Attributes
    ----------
    instant
        Number of the next instant to value.
    """

    def __init__(self, books: MultiAssetPortfolio, *, keep_all: bool) -> None:
        self._books = books
        self._pockets = {asset: Valuation(pocket) for asset, pocket in books.pockets.items()}
        self._initial = books.initial_cash
        self.instant = 0
        self._rates = _Rates(len(self._pockets), None if keep_all else ClosesRecorder(len(self._pockets)))

    def value(
        self, times: NDArray[np.int64], closes: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Value the next instants of the run; `closes` has rates too, see `Valuation.value` and `rate_key`.

        Raises
        ------
        DataError
            If there is money of which nobody knows the worth.
        """
        first, table = self.instant, self._books.rates
        booked = [np.array(pocket.ledger.cash_at, np.int64) - first for pocket in self._books.pockets.values()]
        total, any_held = np.zeros(len(times)), np.zeros(len(times), np.bool_)
        for asset, valuation in self._pockets.items():
            equity, exposed = valuation.value(times, closes)
            rates = closes[rate_key(asset)]
            total += table.converted(asset, equity, rates, times)
            any_held |= exposed
            self._note_flows(asset, rates, first, len(times))
        self._books.transfers.sort(key=_instant)
        self._books.moved.sort(key=_instant)
        columns = [closes[rate_key(asset)] for asset in self._pockets]
        self._rates.add(times, columns, np.unique(np.concatenate(booked)))
        self.instant = first + len(times)
        return total, any_held

    def _note_flows(self, asset: str, rates: NDArray[np.float64], first: int, count: int) -> None:
        """Tell what came from outside in the currency, at the rates of the instants at which it came."""
        pocket = self._books.pockets[asset]
        from_outside = "from outside", pocket.transfers, self._books.transfers
        for kind, steps, told in (from_outside, ("moved", pocket.moved, self._books.moved)):
            while steps and steps[0][0] < first + count:
                instant, amount = steps.pop(0)
                worth = amount * float(rates[instant - first])
                told.append((instant, worth))
                self._books.note_flow(asset, kind, worth)

    def history(self) -> AccountHistory:
        """Return the steps of all positions, and of cash in the currency at the rates of those instants."""
        parts = [valuation.history() for valuation in self._pockets.values()]
        bars = np.concatenate([part.bars for part in parts])
        times = np.concatenate([part.times for part in parts])
        bars, rows = np.unique(bars, return_index=True)
        times = times[rows]
        cash = np.zeros(len(times))
        for asset in self.assets().values():
            cash += asset.cash_in_currency(times)
        positions = {
            symbol: part.positions[symbol]
            for symbol, position in self._books.positions.items()
            for part in parts
            if symbol in part.positions and position is not None
        }
        return AccountHistory(self._initial, bars, times, cash, positions)

    def assets(self) -> dict[str, AssetHistory]:
        """Return the steps of cash of each asset, and its rates."""
        times, columns = self._rates.finish()
        return {
            asset: AssetHistory(valuation.history(), Closes(times, column))
            for (asset, valuation), column in zip(self._pockets.items(), columns, strict=True)
        }


def _instant(step: tuple[int, float]) -> int:
    return step[0]


class _Rates:
    """Keeps the rates of every instant, or of some and of the last of each day.

    Parameters
    ----------
    count
        Of assets.
    daily
        Keeps the last of each day; None to keep every one.
    """

    def __init__(self, count: int, daily: ClosesRecorder | None) -> None:
        self._daily = daily
        self._times: list[NDArray[np.int64]] = []
        self._columns: list[list[NDArray[np.float64]]] = [[] for _ in range(count)]

    def add(self, times: NDArray[np.int64], rates: list[NDArray[np.float64]], booked: NDArray[np.int64]) -> None:
        """Take the next instants; at the rows `booked` of them something was."""
        if self._daily is not None:
            self._daily.add(times, rates)
            times, rates = times[booked], [column[booked] for column in rates]
        self._times.append(times)
        for kept, column in zip(self._columns, rates, strict=True):
            kept.append(column)

    def finish(self) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
        """Return the times and, for each asset, its rates at them."""
        times, columns = self._times, self._columns
        if self._daily is not None:
            days, last = self._daily.finish()
            times = [*times, days]
            columns = [[*kept, column] for kept, column in zip(columns, last, strict=True)]
        every, rows = np.unique(np.concatenate([np.empty(0, np.int64), *times]), return_index=True)
        return every, [np.concatenate([np.empty(0), *kept])[rows] for kept in columns]
