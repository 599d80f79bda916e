"""Matches a strategy's bars by the finer bars inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.simulation.venue_front import VenueFront
from cambist.simulation.working import EveryBar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.simulation.bar_venue import BarVenue, WorkingOrders
    from cambist.simulation.finer_bars import FinerBars

__all__ = ["Magnifier"]


class Magnifier(VenueFront):
    """Stands before a venue and shows it, in place of a bar, the finer bars inside it, one after another.

    Parameters
    ----------
    venue
        What matches; it must match each bar by itself.
    finer
        For the instruments that have finer bars; those of the others are shown as they are.

    Notes
    -----
    To the venue the finer bars are bars like any other: the walk through each is that of ``rules.path``, a gap between
    two is a gap, fills carry the times of the finer bars, and each has its own volume. Orders sent from a fill meet the
    rest of the bar and all finer bars after it. Stops that follow closes follow those of the coarse bars alone.
    """

    def __init__(self, venue: BarVenue, finer: Iterable[FinerBars]) -> None:
        super().__init__(venue)
        self._finer = {one.symbol: one for one in finer}
        # Finer bars agree with the bar around them up to float noise, which may be what reaches an order.
        self._markets = {symbol: EveryBar(market.working) for symbol, market in venue.markets.items()}
        matching: Any = venue
        while isinstance(matching, VenueFront):
            matching = matching.venue
        self._matching = matching

    @property
    def markets(self) -> Mapping[str, WorkingOrders]:
        """The orders of each instrument, by symbol."""
        return self._markets

    def match(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Work the orders of one instrument against the finer bars of a bar, as long as there are orders."""
        finer, match = self._finer.get(symbol), self.venue.match
        if finer is None:
            match(symbol, opened, closed, open_, high, low, close, volume)
            return
        working = self.venue.markets[symbol].working
        rows = finer.rows(opened, closed)
        for row in rows:
            self._matching.is_inside = row != rows[-1]
            finer.show(row, match)
            if not working:
                break
        self._matching.is_inside = False

    def mark_close(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Note the close of a bar's last finer bar, which is that of the bar."""
        finer = self._finer.get(symbol)
        if finer is None:
            super().mark_close(symbol, opened, closed, open_, high, low, close, volume)
        else:
            finer.show(finer.rows(opened, closed)[-1], self.venue.mark_close)
