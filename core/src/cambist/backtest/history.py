"""What a run keeps so that its series can be computed when somebody asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.feeds import Feed
    from cambist.backtest.played import PlayedSeries
    from cambist.portfolio import AccountHistory

__all__ = ["Closes", "RunHistory", "closes_until", "curve_rows"]


@attrs.frozen(eq=False, slots=True)
class Closes:
    """Closing prices of one instrument.

    Attributes
    ----------
    times
        Close times, int64 ns UTC, shape ``(k,)``, ascending.
    prices
        float64, shape ``(k,)``; NaN before the instrument's first bar.
    """

    times: NDArray[np.int64]
    prices: NDArray[np.float64]

    def at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the last close at each of `times` (ns, shape ``(n,)``); NaN before the first."""
        if self.times is times:
            return self.prices
        return np.concatenate(([np.nan], self.prices))[np.searchsorted(self.times, times, side="right")]


@attrs.frozen(eq=False, slots=True)
class AssetHistory:
    """One asset of an account that holds several.

    Attributes
    ----------
    account
        Steps of its cash, in the asset.
    rates
        What a unit of it was worth in the account's currency: at each row of the run, or one a UTC day; NaN before
        anybody knew.
    """

    account: AccountHistory
    rates: Closes

    def cash_in_currency(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the cash was worth at `times` (ns, shape ``(n,)``)."""
        return self.in_currency(self.account.cash_at(times), times)

    def in_currency(self, amounts: NDArray[np.float64], times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what amounts of the asset were worth at `times`, shape ``(n,)`` each; nothing is worth nothing."""
        return np.where(amounts == 0.0, 0.0, amounts * self.rates.at(times))


@attrs.frozen(eq=False, slots=True)
class RunHistory:
    """The steps of an account, and the prices to value them at.

    Attributes
    ----------
    account
        What the fills did.
    closes
        Of each instrument, by symbol, in declared order: the columns of the bars themselves, not copies of them; one
        price a UTC day for a run over blocks.
    first_opens
        Open of the first bar of each instrument that had one, by symbol: where buying and holding bought.
    assets
        Of an account that holds several, by name; empty for one in a single asset.
    played
        The bars themselves, where they are in memory.
    """

    account: AccountHistory
    closes: Mapping[str, Closes]
    first_opens: Mapping[str, float]
    assets: Mapping[str, AssetHistory] = attrs.field(factory=dict)
    played: tuple[PlayedSeries, ...] = ()

    def cash_at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the cash, of all assets in the account's currency, at `times` (ns, shape ``(n,)``)."""
        if not self.assets:
            return self.account.cash_at(times)
        total = np.zeros(len(times))
        for one in self.assets.values():
            total += one.cash_in_currency(times)
        return total

    def in_currency(self, asset: str, amounts: NDArray[np.float64], times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what amounts of an asset were worth in the account's currency at `times`, shape ``(n,)`` each."""
        return self.assets[asset].in_currency(amounts, times) if self.assets else amounts


def closes_until(feeds: Sequence[Feed], last: int, times: NDArray[np.int64]) -> dict[str, Closes]:
    """Return the closes of series that are in memory, without copying one.

    Parameters
    ----------
    feeds
        The series.
    last
        Close of the last bar that was played, ns.
    times
        Of the run's instants; a series with a bar at each of them shares them.
    """
    closes = {}
    for feed in feeds:
        count = int(np.searchsorted(feed.closes, last, side="right"))
        own = times if count == len(times) else feed.closes[:count]
        closes[feed.instrument.symbol] = Closes(own, feed.block.close[:count])
    return closes


def curve_rows(curve: EquityCurve) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return times, equity and the highest equity so far of each row of a run, shape ``(n,)`` each.

    A row is a bar where the curve kept them all, else a sample; the initial point is none.
    """
    if curve.all_times is None or curve.all_equity is None:
        return curve.times[1:], curve.equity[1:], curve.peaks[1:]
    equity = curve.all_equity
    peaks = np.maximum(np.maximum.accumulate(equity), curve.initial) if len(equity) else equity
    return curve.all_times, equity, peaks
