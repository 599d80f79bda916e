"""At which prices buying and holding is reckoned: in the run's currency, dividends and splits included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis import BuyAndHold
from cambist.backtest.rates import rate_columns
from cambist.model.instrument import Instrument
from cambist.portfolio import rate_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.actions import ActionCalendar
    from cambist.backtest.feeds import Feed, Window
    from cambist.portfolio import RateTable

__all__ = ["HeldPrices"]


class HeldPrices:
    """Answers what a unit of each instrument, bought at the start, is worth.

    In a run with several assets everything is reckoned in its currency, and alike: an inverse contract counts as the
    coin in which it settles.

    Parameters
    ----------
    instruments, feeds
        Of the run.
    actions
        Dividends and splits, or None.
    rates
        What assets are worth, or None where the run has one.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        feeds: Sequence[Feed],
        actions: ActionCalendar | None,
        rates: RateTable | None,
    ) -> None:
        self._instruments = instruments
        self._feeds = feeds
        self._actions = actions
        self._rates = rates
        settled = {one.settle for one in instruments}
        # At the end of the window before.
        self._before = {} if rates is None else {asset: rates.now(asset) for asset in settled}

    def recorder(self, cash: float, start: int, *, keep_all: bool) -> BuyAndHold:
        """Return what buying and holding with `cash` from `start` (ns) on is recorded with."""
        if self._rates is None:
            return BuyAndHold(self._instruments, cash, start)
        held = [Instrument(symbol=one.symbol, quote=self._rates.currency) for one in self._instruments]
        return BuyAndHold(held, cash, start, keep_all=keep_all)

    def over(self, window: Window, feed: Feed) -> NDArray[np.float64]:
        """Return the price at each instant of a window, shape ``(k,)``; NaN before the first bar."""
        closes = window.closes(feed)
        if self._actions is not None:
            closes = self._actions.held(feed, closes)
        if self._rates is None:
            return closes
        rates = self._column(window, feed)
        return np.where(np.isnan(closes), np.nan, rates if feed.instrument.is_inverse else closes * rates)

    def first(self, window: Window, feed: Feed) -> float:
        """Return at what price it was bought: at the open of the feed's first bar, which is in the window.

        Raises
        ------
        DataError
            If nobody knows what that is in the currency.
        """
        row = window.spans[feed.number][0]
        opened = float(feed.block.open[row])
        if self._rates is None:
            return opened
        at = int(np.searchsorted(window.instants, feed.closes[row]))
        rates = np.concatenate(([self._before[feed.instrument.settle]], self._column(window, feed)))
        rate = float(rates[at + 1] if np.isnan(rates[at]) else rates[at])
        if np.isnan(rate):
            raise self._rates.missing(feed.instrument.settle, when=int(feed.closes[row]))
        return rate if feed.instrument.is_inverse else opened * rate

    def passed(self, prices: Mapping[str, NDArray[np.float64]]) -> None:
        """Remember the rates at the end of a window, of which `prices` has those of every instant."""
        for asset in self._before:
            self._before[asset] = float(prices[rate_key(asset)][-1])

    def _column(self, window: Window, feed: Feed) -> NDArray[np.float64]:
        """Return what the settlement asset of a feed was worth at each instant of a window."""
        assert self._rates is not None
        asset = feed.instrument.settle
        return rate_columns(self._rates, [asset], window, self._feeds)[rate_key(asset)]
