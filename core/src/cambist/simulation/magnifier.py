"""Matches a strategy's bars by the finer bars inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cambist.model.orders import ApprovedOrder
    from cambist.simulation.bar_venue import BarVenue, WorkingOrders
    from cambist.simulation.finer_bars import FinerBars
    from cambist.simulation.reports import Reports

__all__ = ["Magnifier"]


class Magnifier:
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
    rest of the bar and all finer bars after it.
    """

    def __init__(self, venue: BarVenue, finer: Iterable[FinerBars]) -> None:
        self.venue = venue
        self._finer = {one.symbol: one for one in finer}

    def __getattr__(self, name: str) -> Any:
        """Answer for the venue in all that is none of a magnifier's business."""
        return getattr(self.venue, name)

    @property
    def markets(self) -> Mapping[str, WorkingOrders]:
        """The venue's."""
        return self.venue.markets

    @property
    def trades_at_close(self) -> bool:
        """Whether `mark_close` must be called with every bar."""
        return self.venue.trades_at_close

    @property
    def matches_together(self) -> bool:
        """Whether `match_together` must be called."""
        return self.venue.matches_together

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody else."""
        self.venue.report_to(reports)

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order."""
        self.venue.submit(approved)

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order."""
        self.venue.cancel(order_id)

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms."""
        self.venue.amend(order_id, size, limit_price, stop_price)

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
        for row in finer.rows(opened, closed):
            finer.show(row, match)
            if not working:
                return

    def match_together(self) -> None:
        """Work the orders against every bar noted since the last call."""
        self.venue.match_together()

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
            self.venue.mark_close(symbol, opened, closed, open_, high, low, close, volume)
        else:
            finer.show(finer.rows(opened, closed)[-1], self.venue.mark_close)
