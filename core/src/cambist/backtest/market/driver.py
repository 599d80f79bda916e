"""Moves a kernel and a venue through trades and quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.driver import Driver
from cambist.backtest.market.feeds import market_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cambist.backtest.driver import StopRequest
    from cambist.backtest.market.feeds import MarketFeed, MarketWindow
    from cambist.engine import MarketKernel
    from cambist.simulation import TickVenue

__all__ = ["MarketDriver"]


class MarketDriver(Driver):
    """A driver whose windows are of trades and quotes.

    Parameters
    ----------
    kernel, feeds, play, stop
        See `Driver`.
    makes_events
        Whether `play` steps through events; otherwise the venue may report without making any.
    """

    kernel: MarketKernel
    feeds: Sequence[MarketFeed]
    venue: TickVenue

    def __init__(
        self,
        kernel: MarketKernel,
        feeds: Sequence[MarketFeed],
        play: Callable[[Any, Any, int], int],
        stop: StopRequest,
        *,
        makes_events: bool,
    ) -> None:
        super().__init__(kernel, feeds, play, stop, loads_columns=not makes_events)
        self._players: dict[int, Any] = {}

    def player(self, feed: MarketFeed, make: Callable[[MarketDriver, MarketFeed], Any]) -> Any:
        """Return what plays the rows of a feed, made when it is first asked for."""
        if feed.number not in self._players:
            self._players[feed.number] = make(self, feed)
        return self._players[feed.number]

    def _windows(self) -> Iterator[MarketWindow]:
        return market_windows(self.feeds)
