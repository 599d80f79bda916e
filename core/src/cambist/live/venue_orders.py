"""Orders of the account that the run did not send: the venue's own, and those of strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.reports import FillReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.reports import OrderReport

__all__ = ["VenueOrders"]


class VenueOrders:
    """Books liquidations and deleveragings as the venue does them, and passes on what others do.

    Parameters
    ----------
    book
        Books an execution of the venue's.
    strangers
        Told of orders that are neither the run's nor the venue's.
    ready
        Whether the run is in step with its venue; before, what the venue traded is found by comparing.
    """

    def __init__(
        self,
        book: Callable[[FillReport], None],
        strangers: Callable[[OrderReport | FillReport], None],
        ready: Callable[[], bool],
    ) -> None:
        self._book, self._strangers, self._ready = book, strangers, ready

    def seen(self, report: OrderReport | FillReport) -> None:
        """Take a report of an order that is none of the run."""
        if not report.system:
            self._strangers(report)
        elif isinstance(report, FillReport) and self._ready():
            self._book(report)
