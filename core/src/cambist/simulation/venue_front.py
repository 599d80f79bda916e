"""What stands before a venue: whatever a front does not do otherwise, it leaves to the venue behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.model.orders import ApprovedOrder
    from cambist.simulation.bar_venue import BarVenue, WorkingOrders
    from cambist.simulation.reports import Reports

__all__ = ["VenueFront"]


class VenueFront:
    """A `BarVenue` that hands everything on; a subclass overrides what it is there for.

    Parameters
    ----------
    venue
        What stands behind it.
    """

    def __init__(self, venue: BarVenue) -> None:
        self.venue = venue

    def __getattr__(self, name: str) -> Any:
        """Answer for the venue in all that is none of a front's business."""
        return getattr(self.venue, name)

    @property
    def markets(self) -> Mapping[str, WorkingOrders]:
        """The orders of each instrument, by symbol."""
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
        """Note a bar's close."""
        self.venue.mark_close(symbol, opened, closed, open_, high, low, close, volume)
