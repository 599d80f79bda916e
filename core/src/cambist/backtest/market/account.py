"""The account of a run on trades and quotes, and the venue that works its orders."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.backtest.account import AccountSetup
from cambist.portfolio import MarginPortfolio, Portfolio
from cambist.simulation import TickVenue, latency_model, rejection_model
from cambist.simulation.book_venue import BookVenue
from cambist.simulation.market_gateway import MarketGateway
from cambist.simulation.market_venue import Shown
from cambist.simulation.queue import cancel_model
from cambist.simulation.tick_liquidation import LiquidatingBookVenue, LiquidatingTickVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.market.driver import MarketDriver
    from cambist.backtest.market.feeds import MarketFeed, MarketWindow
    from cambist.engine import MarketKernel
    from cambist.engine.sessions import Sessions
    from cambist.model.timeseries import PriceSeries
    from cambist.simulation import VenueRules
    from cambist.simulation.market_venue import MarketVenue

__all__ = ["MarketAccount"]


class MarketAccount(AccountSetup):
    """`AccountSetup` on trades and quotes; the parameters are the same."""

    feeds: Sequence[MarketFeed]  # type: ignore[assignment]  # and not of bars
    _last_event = -(2**63)

    def market_venue(self, driver: MarketDriver, rules: VenueRules, sessions: Sessions) -> MarketVenue:
        """Return the venue that the settings ask for, alone where they ask for nothing before it."""
        shown = Shown(
            quoted=self._symbols("quotes"),
            traded=self._symbols("ticks"),
            booked=self._symbols("book"),
            price_on=driver.kernel.price_on,
            session_end=sessions.end_after,
            cancels=cancel_model(self.settings.book_cancels),
        )

        def matching(clock: Callable[[], int]) -> TickVenue:
            account = self.portfolio
            assert isinstance(account, Portfolio)  # several are for runs on bars
            if isinstance(account, MarginPortfolio):
                kept: dict[str, Any] = {"adopt": driver.kernel.adopt, "marks": self.marks, "shown": shown}
                liquidating = LiquidatingBookVenue if shown.booked else LiquidatingTickVenue
                return liquidating(self.instruments, account, driver.deliver, clock, rules, **kept)
            kind = BookVenue if shown.booked else TickVenue
            return kind(self.instruments, account, driver.deliver, clock, rules, shown=shown)

        settings = self.settings
        latency, rejection = latency_model(settings.latency), rejection_model(settings.rejection)
        if latency is None and rejection is None:
            return matching(driver.clock)
        return MarketGateway(matching, driver.clock, driver.deliver, latency, rejection, settings.seed)

    def _symbols(self, kind: str) -> list[str]:
        return [feed.instrument.symbol for feed in self.feeds if feed.kind == kind]

    def _read_marks(self, kernel: Any) -> None:
        account = self.portfolio
        if isinstance(account, MarginPortfolio):
            for symbol, series in self.marks.items():
                account.set_mark_source(symbol, _MarkNow(series, kernel))

    def valued_at(
        self, window: MarketWindow, rows: NDArray[np.int64], prices: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the prices at which the account is valued at events of a window, by symbol, shape ``(k,)`` each.

        Parameters
        ----------
        rows
            The events.
        prices
            What the market shows at them.

        Raises
        ------
        DataError
            If marks or funding do not reach as far as the window.
        """
        for feed in self.feeds:
            symbol, (start, stop) = feed.instrument.symbol, window.spans[feed.number]
            if symbol in self._funding and stop > start:
                self._funding[symbol].check(int(feed.closes[start]), int(feed.closes[stop - 1]))
        if not self.marks:
            return dict(prices)
        # A mark is read with each trade and quote; bars close at times of their own.
        shown = np.where(window.numbers < len(self.feeds), window.instants, self._last_event)
        times = np.maximum.accumulate(shown)
        self._last_event = int(times[rows[-1]])
        marks = {symbol: _marks_at(series, times[rows]) for symbol, series in self.marks.items()}
        return {**prices, **marks}


def _marks_at(series: PriceSeries, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the marks at ascending times; NaN before the first trade or quote of the run."""
    known = times > -(2**63)
    return np.concatenate((np.full(int((~known).sum()), nan), series.at_all(times[known])))


class _MarkNow:
    """Answers the mark price at the last trade or quote of the run; NaN before the first."""

    __slots__ = ("_series", "_views")

    def __init__(self, series: PriceSeries, kernel: MarketKernel) -> None:
        self._series = series
        self._views = kernel.views

    def __call__(self) -> float:
        ts = max(view.ts for view in self._views)
        return self._series.at(ts) if ts else nan
