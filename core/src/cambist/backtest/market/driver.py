"""Moves a kernel and a venue through trades and quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.driver import Driver
from cambist.backtest.market.between import Between
from cambist.backtest.market.feeds import market_windows
from cambist.engine.step import BOOKKEEPING
from cambist.engine.timers import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cambist.backtest.driver import StopRequest
    from cambist.backtest.feeds import Feed
    from cambist.backtest.market.feeds import MarketFeed, MarketWindow
    from cambist.engine import MarketKernel
    from cambist.engine.sessions import Sessions
    from cambist.model.effects import SetTimer
    from cambist.simulation.market_venue import MarketVenue

__all__ = ["MarketDriver"]


class MarketDriver(Driver):
    """A driver whose windows are of trades and quotes, and of bars beside them.

    Parameters
    ----------
    kernel, feeds, play, stop
        See `Driver`.
    bars
        Series of bars, in declared order.
    sessions
        When the sessions of the instruments end.
    makes_events
        Whether `play` steps through events; otherwise the venue may report without making any.

    Attributes
    ----------
    booking_due
        When the account's next entry is due, ns.
    """

    kernel: MarketKernel
    feeds: Sequence[MarketFeed]
    venue: MarketVenue  # type: ignore[assignment]  # it is shown trades and quotes, and no bars

    def __init__(
        self,
        kernel: MarketKernel,
        feeds: Sequence[MarketFeed],
        play: Callable[[Any, Any, int], int],
        stop: StopRequest,
        *,
        bars: Sequence[Feed],
        sessions: Sessions,
        makes_events: bool,
    ) -> None:
        super().__init__(kernel, feeds, play, stop, loads_columns=not makes_events)
        self.bars = bars
        self.booking_due = NEVER
        self._between = Between(self, sessions)
        self._players: dict[int, Any] = {}

    @property
    def series(self) -> Sequence[MarketFeed | Feed]:
        """Everything that has events of its own: trades and quotes, and bars."""
        return [*self.feeds, *self.bars]

    def player(self, feed: MarketFeed, make: Callable[[MarketDriver, MarketFeed], Any]) -> Any:
        """Return what plays the rows of a feed, made when it is first asked for."""
        if feed.number not in self._players:
            self._players[feed.number] = make(self, feed)
        return self._players[feed.number]

    def begins_at(self) -> int:
        """Return the time of the first event, ns."""
        start = min(int(one.closes[0]) for one in self.series)
        self._between.start(start)
        return start

    def _windows(self) -> Iterator[MarketWindow]:
        seats = self.kernel.seats if self._loads_columns else ()
        return market_windows(self.feeds, self.bars, seats, self._horizon)

    def _horizon(self, horizon: int) -> int:
        """Return how far the next window may go, at most to `horizon`."""
        horizon = self._between.horizon(horizon)
        return horizon if self.snapshots is None else self.snapshots.horizon(horizon)

    def _before(self, window: MarketWindow, instant: int) -> None:
        self._between.take_effect(self, window, instant)

    def _set_timer(self, effect: SetTimer) -> None:
        if effect.name == BOOKKEEPING:
            self.booking_due = NEVER if effect.due is None else effect.due
        else:
            super()._set_timer(effect)
