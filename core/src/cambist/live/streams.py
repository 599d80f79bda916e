"""Takes what the private stream of a venue says to a live engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.reports import FillReport, OrderReport
from cambist.ports.venue import StreamReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.engine import LiveEngine
    from cambist.ports.venue import VenueSession

__all__ = ["PrivateStream", "Strangers"]

#: How many orders of others are remembered, so that each is told of once.
_STRANGERS = 10_000


class PrivateStream:
    """Orders and executions of the account.

    Parameters
    ----------
    session, engine, clock
        Of the run.
    connection
        Told how the stream does.
    wake
        Called when something has come.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        clock: Callable[[], int],
        connection: Callable[[StreamReport], None],
        wake: Callable[[], None],
    ) -> None:
        self._session, self._engine, self._clock = session, engine, clock
        self._connection, self._wake = connection, wake

    async def take(self) -> None:
        """Take what comes, until the session is closed."""
        evidence = self._engine.orders.evidence
        async for report in self._session.private():
            if isinstance(report, OrderReport):
                evidence.reported(report, self._clock())
            elif isinstance(report, FillReport):
                evidence.executed(report, self._clock())
            elif isinstance(report, StreamReport):
                self._connection(report)
            self._wake()


class Strangers:
    """Tells, once each, of orders of the account that the run did not send.

    Parameters
    ----------
    alarm
        Told of what a person should know.

    Attributes
    ----------
    listeners
        Told of every such report.
    """

    def __init__(self, alarm: Callable[[str, str], None]) -> None:
        self._alarm = alarm
        self.listeners: list[Callable[[OrderReport | FillReport], None]] = []
        self._known: set[str] = set()

    def seen(self, report: OrderReport | FillReport) -> None:
        """Take a report of an order that is none of the run."""
        for listener in self.listeners:
            listener(report)
        if report.venue_id in self._known:
            return
        if len(self._known) >= _STRANGERS:
            self._known.clear()
        self._known.add(report.venue_id)
        self._alarm(
            "foreign_order",
            f"order {report.client_id or report.venue_id} in {report.symbol} is none of this run; what it trades "
            "shows as a difference in the next audit.",
        )
