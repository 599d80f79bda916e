"""Shows a run the market of its paper session, once its orders have met it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from cambist.live.paper.desks import KIND_OF, BarDesk, MarketDesk
from cambist.live.paper.instants import together
from cambist.live.subscriptions import KINDS
from cambist.model.reports import MarkReport
from cambist.model.timeframe import Timeframe
from cambist.ports.venue import BarReport, StreamReport, Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from cambist.live.paper.bars import BarFeed
    from cambist.live.paper.funding import FundingDesk
    from cambist.live.paper.marks import MarkTeller
    from cambist.live.paper.matching import Matcher
    from cambist.live.subscriptions import Named
    from cambist.model.books import BookUpdate
    from cambist.model.instrument import Instrument
    from cambist.model.market import Quote, Tick
    from cambist.ports.venue import VenueSession

    Shown = BarReport | Tick | Quote | BookUpdate | MarkReport | StreamReport

__all__ = ["PaperMarket", "finest"]

#: How long the other bars of an instant are waited for, seconds: all of them are met before the run is shown the first.
_PATIENCE = 1.0


class PaperMarket:
    """The market of a source, which orders meet before a run sees it, and which waits for the run.

    Parameters
    ----------
    source
        Whose market it is.
    desk, bars, funding, matcher
        Of the session; `bars` is None where orders meet no bars.
    instruments, series, kinds
        What the run listens to, and what orders meet.
    calm
        Returns once the run is done with what it was shown.
    teller
        Tells of mark prices.

    Attributes
    ----------
    follows
        Whether an order that comes now follows from the newest bar.
    """

    def __init__(
        self,
        source: VenueSession,
        desk: BarDesk | MarketDesk,
        bars: BarFeed | None,
        funding: FundingDesk | None,
        matcher: Matcher,
        listened: tuple[Sequence[Instrument], Sequence[Named], Sequence[str]],
        calm: Callable[[], Awaitable[None]],
        teller: MarkTeller,
    ) -> None:
        self._teller = teller
        self._source, self._desk, self._bars, self._funding = source, desk, bars, funding
        self._matcher, self._calm = matcher, calm
        self._instruments, series, self._kinds = listened
        self._lengths = finest(series)
        self.follows = self._shows = False

    async def show(self, subscriptions: Sequence[Subscription]) -> AsyncIterator[Shown]:
        """Iterate over market data.

        One market is enough for orders: what a second stream shows while a first is listened to, they do not meet.
        """
        if self._shows:
            async for one in self._source.market(subscriptions):
                yield one
            return
        self._shows = True
        try:
            async for one in self._met(subscriptions):
                yield one
        finally:
            self._shows = False

    async def _met(self, subscriptions: Sequence[Subscription]) -> AsyncIterator[Shown]:
        own = self._own(subscriptions)
        hidden = {_named(one) for one in own}
        async for group in self._groups([*subscriptions, *own]):
            self.follows = True
            for one in group:
                await self._meet(one)
            if self._bars is not None and isinstance(group[0], BarReport) and group[0].final:
                await self._bars.end_instant()
            for one in group:
                if isinstance(one, BarReport) and self._bars is not None:
                    self._bars.know(one.instrument.symbol)
                    await self._calm()
                if _about(one) in hidden:
                    continue
                self.follows = not isinstance(one, BarReport) or one.final
                yield one
                await self._calm()
            self.follows = False
            if self._funding is not None:
                await self._funding.pass_by(self._desk.now)

    async def _meet(self, one: Any) -> None:
        """Let orders meet what they are to meet."""
        if isinstance(one, BarReport):
            if self._bars is not None:
                await self._bars.take(one)
        elif isinstance(self._desk, MarketDesk):
            await self._meet_event(self._desk, one)

    async def _meet_event(self, desk: MarketDesk, one: Any) -> None:
        """Let orders meet a trade, a quote or a change of a book, or take a mark price by which the next one goes."""
        if isinstance(one, StreamReport):
            if one.state in {"down", "stale"} and one.subscription is not None and one.subscription.kind == "marks":
                symbol = one.subscription.instrument.symbol
                self._teller.tell(symbol, nan, desk.now)
                desk.mark(symbol, nan)
            return
        if isinstance(one, MarkReport):
            desk.mark(one.symbol, one.price)
            return
        with self._matcher.holding():
            desk.match(one)
            marks = desk.valued()
        await self._calm()
        news = [self._teller.tell(symbol, mark, desk.now) for symbol, mark in marks.items()]
        if any(news):
            await self._calm()

    async def _groups(self, subscriptions: Sequence[Subscription]) -> AsyncIterator[list[Any]]:
        """Iterate over what the source says, bars that close together in one list."""
        stream, waited = self._source.market(subscriptions), self._waited()
        if waited:
            async for group in together(stream, waited, _PATIENCE):
                yield group
        else:
            async for one in stream:
                yield [one]

    def _waited(self) -> set[tuple[str, int]]:
        """Return the series whose bars are waited for where others have closed at the same time."""
        if self._bars is None or len(self._lengths) == 1:
            return set()
        return {(symbol, length.ns) for symbol, length in self._lengths.items()}

    def _own(self, subscriptions: Sequence[Subscription]) -> list[Subscription]:
        """Return what orders are to meet and the run does not want."""
        there = {_named(one) for one in subscriptions}
        own = [
            Subscription(instrument, kind, self._lengths.get(instrument.symbol) if kind == "bars" else None)
            for instrument in self._instruments
            for kind in self._kinds
            if kind != "bars" or instrument.symbol in self._lengths
        ]
        if isinstance(self._desk, MarketDesk) and self._desk.goes_by_marks and self._source.terms.marks:
            own += [Subscription(one, "marks") for one in self._instruments if not one.is_cash]
        return [one for one in own if _named(one) not in there]


def _named(one: Subscription) -> tuple[str, str, int]:
    return one.instrument.symbol, one.kind, 0 if one.timeframe is None else one.timeframe.ns


def _about(one: Any) -> tuple[str, str, int] | None:
    """Return what subscription market data belong to; None for what belongs to all."""
    if isinstance(one, StreamReport):
        return None if one.subscription is None else _named(one.subscription)
    if isinstance(one, BarReport):
        return one.instrument.symbol, "bars", one.timeframe.ns
    if isinstance(one, MarkReport):
        return one.symbol, "marks", 0
    return one.instrument.symbol, KIND_OF[type(one)], 0


def finest(series: Sequence[Named]) -> dict[str, Timeframe]:
    """Return the shortest timeframe of the bars of each instrument."""
    found: dict[str, Timeframe] = {}
    for symbol, what in series:
        if what not in KINDS:
            timeframe = Timeframe.parse(what)
            if symbol not in found or timeframe.ns < found[symbol].ns:
                found[symbol] = timeframe
    return found
