"""Takes what the private stream of a venue says to a live engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.model.reports import AccountReport, CashReport, FillReport, MarkReport, NoticeReport, OrderReport
from cambist.ports.venue import StreamReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.live.engine import LiveEngine
    from cambist.live.wallet import Wallet
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
    wallet
        Told what moves money.
    connection
        Told how the stream does.
    alarm
        Told of what a person should know.
    wake
        Called when something has come.

    Attributes
    ----------
    up
        Set once the stream has come up.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        clock: Callable[[], int],
        wallet: Wallet,
        connection: Callable[[StreamReport], None],
        alarm: Callable[[str, str], None],
        wake: Callable[[], None],
    ) -> None:
        self._session, self._engine, self._clock, self._wallet = session, engine, clock, wallet
        self._connection, self._alarm, self._wake = connection, alarm, wake
        self._early: list[OrderReport | FillReport | MarkReport] | None = []
        self.up = asyncio.Event()

    def begin(self) -> None:
        """Hand on what has come until now, and all that comes: the run knows its orders from here on."""
        early, self._early = self._early or [], None
        for report in early:
            self._tell(report)

    def _tell(self, report: OrderReport | FillReport | MarkReport) -> None:
        if isinstance(report, MarkReport):
            self._engine.market.mark(report.symbol, report.price)
            return
        evidence = self._engine.orders.evidence
        if isinstance(report, OrderReport):
            evidence.reported(report, self._clock())
        else:
            evidence.executed(report, self._clock())

    async def take(self) -> None:
        """Take what comes, until the session is closed; what is said of orders waits for `begin`."""
        wallet = self._wallet
        async for report in self._session.private():
            if isinstance(report, OrderReport | FillReport | MarkReport):
                if self._early is None:
                    self._tell(report)
                else:
                    self._early.append(report)
            elif isinstance(report, StreamReport):
                if report.state == "up" and report.stream != "clock":
                    self.up.set()
                self._connection(report)
            elif isinstance(report, CashReport):
                wallet.heard(report)
            elif isinstance(report, AccountReport):
                wallet.changed(report)
            elif isinstance(report, NoticeReport):
                self._alarm(report.word, report.text)
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
