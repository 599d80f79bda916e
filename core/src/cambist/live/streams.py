"""Takes what the streams of a venue say to a live engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.market import Quote, Tick
from cambist.model.reports import AccountReport, CashReport, FillReport, NoticeReport, OrderReport
from cambist.ports.venue import BarReport, StreamReport, Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.live.engine import LiveEngine
    from cambist.live.wallet import Wallet
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import VenueSession

__all__ = ["MarketStream", "PrivateStream", "Strangers"]

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

    async def take(self) -> None:
        """Take what comes, until the session is closed."""
        evidence, wallet = self._engine.orders.evidence, self._wallet
        async for report in self._session.private():
            if isinstance(report, OrderReport):
                evidence.reported(report, self._clock())
            elif isinstance(report, FillReport):
                evidence.executed(report, self._clock())
            elif isinstance(report, StreamReport):
                self._connection(report)
            elif isinstance(report, CashReport):
                wallet.heard(report)
            elif isinstance(report, AccountReport):
                wallet.changed(report)
            elif isinstance(report, NoticeReport):
                self._alarm(report.word, report.text)
            self._wake()


class MarketStream:
    """Market data of the series of a run.

    Parameters
    ----------
    session, engine, series
        Of the run.
    warmed
        Open time of the last bar that each series has seen, by its number.
    alarm
        Told of what a person should know.
    wake
        Called when something has come.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        series: Sequence[tuple[Instrument, Timeframe]],
        warmed: Mapping[int, int],
        alarm: Callable[[str, str], None],
        wake: Callable[[], None],
    ) -> None:
        self._session, self._engine, self._series = session, engine, series
        self._seen = dict(warmed)
        self._numbers = {(one.symbol, timeframe.ns): number for number, (one, timeframe) in enumerate(series)}
        self._alarm, self._wake = alarm, wake

    async def take(self) -> None:
        """Take what comes, until the session is closed."""
        wanted = [Subscription(instrument, "bars", timeframe) for instrument, timeframe in self._series]
        engine = self._engine
        async for one in self._session.market(wanted):
            if isinstance(one, BarReport):
                self._bar(one)
            elif isinstance(one, Tick):
                engine.price(one.instrument.symbol, one.price)
            elif isinstance(one, Quote):
                engine.price(one.instrument.symbol, 0.5 * (one.bid + one.ask))
            elif isinstance(one, StreamReport) and one.state != "up":
                self._alarm("stream_down", f"{one.stream} of {self._session.name} is {one.state}: {one.text}")
            self._wake()

    def _bar(self, one: BarReport) -> None:
        """Take a bar that is final, once, and none that is older than the last."""
        number = self._numbers.get((one.instrument.symbol, one.timeframe.ns))
        if number is not None and one.final and one.bar.ts > self._seen.get(number, -1):
            self._seen[number] = one.bar.ts
            self._engine.bar(number, one.bar)


class Strangers:
    """Tells, once each, of orders of the account that the run did not send.

    Parameters
    ----------
    alarm
        Told of what a person should know.
    """

    def __init__(self, alarm: Callable[[str, str], None]) -> None:
        self._alarm = alarm
        self._known: set[str] = set()

    def seen(self, report: OrderReport | FillReport) -> None:
        """Take a report of an order that is none of the run."""
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
