"""Takes market data to a live engine, bars joined to their history, and watches that it flows.

It listens before history is fetched, so that nothing falls between the two. Until the run may trade, what comes is
kept: bars and books whole, of trades and quotes the newest.
"""

from __future__ import annotations

import asyncio
from math import inf, nan
from time import perf_counter
from typing import TYPE_CHECKING, Final

from cambist.errors import VenueError
from cambist.live.bar_handling import make_joint
from cambist.live.freshness import Freshness
from cambist.live.holds import MISSING_BARS
from cambist.live.joining import Deliver, Fetch
from cambist.live.mark_stream import MarkStream
from cambist.live.seldom import Seldom
from cambist.model.books import BookUpdate
from cambist.model.market import Quote, Tick
from cambist.model.reports import MarkReport
from cambist.model.trading_state import TradingState, scope_of
from cambist.ports.venue import BarReport, StreamReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cambist.live.engine import LiveEngine
    from cambist.live.freshness import SubscriptionState
    from cambist.live.holds import OwnHolds
    from cambist.live.joining import Found
    from cambist.live.settings import LiveSettings
    from cambist.live.subscriptions import Listening
    from cambist.model.bars import Bar
    from cambist.ports.venue import VenueSession

    Item = BarReport | Tick | Quote | BookUpdate | MarkReport | StreamReport

__all__ = ["MarketStream"]

_SECOND: Final = 1_000_000_000
#: How long market data may keep everything else of the run waiting, seconds.
_SLICE: Final = 0.005
#: Between attempts to fetch bars that are missing, seconds.
_WAITS: Final = (0.5, 2.0, 5.0)
_LOOK_EVERY: Final = 0.5


class MarketStream:
    """Market data of a run.

    Parameters
    ----------
    session, engine, listening, settings, holds, clock
        Of the run.
    alarm
        Told of what a person should know.
    wake
        Called when something was done that may have made something else due.

    Attributes
    ----------
    joints
        How the bars of each series are joined.
    freshness
        Whether each subscription flows.
    refused
        What was left out since it cannot be: a crossed quote, a price of nothing.
    slowest
        The longest that a single event took, its strategies included, seconds.
    """

    def __init__(
        self,
        session: VenueSession,
        engine: LiveEngine,
        listening: Listening,
        settings: LiveSettings,
        holds: OwnHolds,
        clock: Callable[[], int],
        alarm: Callable[[str, str], None],
        wake: Callable[[], None],
    ) -> None:
        self._session, self._engine, self._inputs = session, engine, engine.market
        self._clock, self._alarm, self._wake = clock, alarm, wake
        self._holds, self._listening, self._seldom = holds, listening, Seldom(alarm, clock)
        wanted = self._wanted = listening.subscriptions
        patience = round(settings.late_bars_after * _SECOND)
        handlings = settings.bars_for(seat.strategy.name for seat in engine.kernel.seats)
        self.joints = [
            make_joint(str(wanted[number]), timeframe, patience, handlings)
            for number, (_, timeframe) in enumerate(listening.bars)
        ]
        engine.market.is_shared = len({one.key for one in handlings.values()}) == 1
        stale = settings.stale_after * _SECOND
        silences = [timeframe.ns + stale for _, timeframe in listening.bars] + [stale] * len(listening.streams)
        self.freshness = Freshness(wanted, holds, clock, alarm, silences)
        self._series = {(one.symbol, timeframe.ns): number for number, (one, timeframe) in enumerate(listening.bars)}
        #: Numbers of subscriptions and of streams, by symbol.
        first = len(listening.bars)
        self._numbers: dict[str, dict[str, tuple[int, int]]] = {"ticks": {}, "quotes": {}, "book": {}}
        for stream, (kind, one) in enumerate(listening.streams):
            self._numbers[kind][one.symbol] = first + stream, stream
        self._marks = MarkStream(session.terms, engine.kernel, listening.instruments, engine.market.mark)
        self._by_subscription = {one: number for number, one in enumerate(wanted)}
        self._kept: list[Item] | None = []
        self._prices: dict[str, float] = {}
        self._group: asyncio.TaskGroup
        self.refused, self.slowest = 0, 0.0

    # Before the run may trade.

    def price(self, symbol: str) -> float:
        """Return the newest price of an instrument that has come; NaN where none has."""
        return self._prices.get(symbol, nan)

    @property
    def is_behind(self) -> bool:
        """Whether a bar that has come was not shown yet."""
        return any(joint.waits for joint in self.joints) or any(isinstance(one, BarReport) for one in self._kept or ())

    async def priced(self, within: float) -> None:
        """Wait until each instrument that has trades, quotes or a book has a price, or that time has passed."""
        symbols = {instrument.symbol for _, instrument in self._listening.streams}
        end = self._clock() + round(within * _SECOND)
        while symbols - self._prices.keys() and self._clock() < end:  # noqa: ASYNC110 - once a run, for a moment
            await asyncio.sleep(0.01)

    def begin(self) -> None:
        """Show what was kept; from now on, what comes is shown at once."""
        kept, self._kept = self._kept, None
        self.freshness.begin()
        self._marks.begin()
        for one in _current(kept or ()):
            self._show(one)
        self._wake()

    def _show(self, one: Item) -> None:
        """Show what was kept."""
        if isinstance(one, BarReport):
            number = self._series[one.instrument.symbol, one.timeframe.ns]
            self._do(number, self.joints[number].take(one.bar, self._clock()))
        elif isinstance(one, Quote):
            self._inputs.quote(self._numbers["quotes"][one.instrument.symbol][1], one)
        elif isinstance(one, Tick):
            self._inputs.tick(self._numbers["ticks"][one.instrument.symbol][1], one)
        elif isinstance(one, BookUpdate):
            self._inputs.book(self._numbers["book"][one.instrument.symbol][1], one)

    # Listening.

    async def take(self) -> None:
        """Take what comes, until the session is closed, and watch what does not."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._watch(), name="market data watch")
                await self._listen()
        finally:
            self.freshness.tell()

    async def _listen(self) -> None:
        engine, wake = self._engine, self._wake
        began = perf_counter()
        async for one in self._session.market([*self._wanted, *self._marks.subscriptions]):
            before = perf_counter()
            self._take(one)
            after = perf_counter()
            if engine.stirred:
                engine.stirred = False
                wake()
            self.slowest = max(self.slowest, after - before)
            if after - began > _SLICE:
                await asyncio.sleep(0)  # an iterator that always has something lets nobody else have a turn
                began = perf_counter()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self._kept is None:
                now = self._clock()
                for number, joint in enumerate(self.joints):
                    self._do(number, joint.overdue(now))
            self.freshness.check()

    def _take(self, one: Item) -> None:
        if type(one) is Quote:
            self._quote(one)
        elif type(one) is Tick:
            self._tick(one)
        elif type(one) is BookUpdate:
            self._book(one)
        elif type(one) is BarReport:
            self._bar(one)
        elif isinstance(one, MarkReport):
            self._marks.take(one)
        elif isinstance(one, StreamReport) and not self._marks.reported(one):
            self._report(one)

    # Trades, quotes and books. What cannot be is left out, so that no strategy and no stop acts on it.

    def _quote(self, one: Quote) -> None:
        known = self._numbers["quotes"].get(symbol := one.instrument.symbol)
        if known is None:
            return
        if not 0.0 < one.bid < one.ask < inf:
            self._refuse("quote_invalid", symbol, f"bid {one.bid:g}, ask {one.ask:g}")
            return
        if self._heard(known[0], one, symbol, one.bid):
            self._inputs.quote(known[1], one)

    def _tick(self, one: Tick) -> None:
        known = self._numbers["ticks"].get(symbol := one.instrument.symbol)
        if known is None:
            return
        if not 0.0 < one.price < inf:
            self._refuse("trade_invalid", symbol, f"price {one.price:g}")
            return
        if self._heard(known[0], one, symbol, one.price):
            self._inputs.tick(known[1], one)

    def _book(self, one: BookUpdate) -> None:
        known = self._numbers["book"].get(symbol := one.instrument.symbol)
        if known is None:
            return
        for _, price, size in one.levels:
            if not (0.0 < price < inf and 0.0 <= size < inf):
                self._refuse("book_invalid", symbol, f"{size:g} at {price:g}")
                self.freshness.trouble(known[0], "gap", "a level of the book cannot be")
                self._lose_book(known[0], "a level of the book cannot be")
                return
        if self._kept is None and known[0] in self.freshness.troubled and not one.is_snapshot:
            self.freshness.heard_at[known[0]] = self._clock()
            if not self._inputs.book_known(known[1]):
                return  # it goes on from a snapshot
        price = one.levels[0][1] if one.is_snapshot and one.levels else nan
        if self._heard(known[0], one, symbol, price):
            self._inputs.book(known[1], one)

    def _heard(self, number: int, one: Item, symbol: str, price: float) -> bool:
        """Note that a subscription speaks; return whether it is to be shown now."""
        watched = self.freshness
        watched.heard_at[number] = self._clock()
        if number in watched.troubled:
            watched.flows(number)
        if self._kept is None:
            return True
        if price == price:  # noqa: PLR0124 - NaN
            self._prices[symbol] = price
        self._kept.append(one)
        if len(self._kept) > 20_000:
            self._kept = list(_current(self._kept))
        return False

    def _refuse(self, word: str, symbol: str, text: str) -> None:
        self.refused += 1
        self._seldom.tell(word, symbol, f"{symbol}: {text}; it is left out.")

    # Bars.

    def _bar(self, one: BarReport) -> None:
        symbol = one.instrument.symbol
        number = self._series.get((symbol, one.timeframe.ns))
        if number is None:
            return
        self.freshness.heard_at[number] = now = self._clock()
        if self._kept is not None:
            self._prices[symbol] = one.bar.close
            if one.final:
                self._kept.append(one)
            return
        joint, troubled = self.joints[number], number in self.freshness.troubled
        if one.final:
            self._do(number, joint.take(one.bar, now))
            current = one.bar.ts + one.timeframe.ns > now - one.timeframe.ns
        else:
            current = not joint.waits and one.bar.ts <= (joint.next or one.bar.ts)
            if current:
                self._inputs.unfinished(number, one.bar)
        if troubled and current and not joint.waits:
            self.freshness.flows(number)

    def _do(self, number: int, found: Sequence[Found]) -> None:
        """Do what a joint says."""
        for one in found:
            if isinstance(one, Deliver):
                self._inputs.bar(number, one.bar, one.strategies, more=one.more)
            elif isinstance(one, Fetch):
                if one.proven:  # one that is only late is stale after a while, like whatever is silent
                    self.freshness.trouble(number, "gap", "bars are missing, and are being fetched")
                self._group.create_task(self._fetch(number, one), name=f"bars {self._wanted[number]}")
            else:
                self._alarm(one.word, one.text)
                if one.holds:
                    symbol = scope_of("symbol", self._wanted[number].instrument.symbol)
                    for scope in [scope_of("strategy", name) for name in one.strategies] or [symbol]:
                        self._holds.hold(MISSING_BARS, TradingState.REDUCING, one.text, scope=scope)

    async def _fetch(self, number: int, wanted: Fetch) -> None:
        """Fetch missing bars, and go on with what came meanwhile."""
        instrument, timeframe = self._listening.bars[number]
        bars: Iterable[Bar] | None = None
        for wait in (*_WAITS, None):
            try:
                bars = await self._session.history(instrument, timeframe, wanted.start, wanted.end)
            except VenueError as error:
                if error.code == "no_bars":
                    bars = ()
                elif wait is not None:
                    await asyncio.sleep(wait)
                    continue
            break
        joint, before = self.joints[number], self.joints[number].next
        self._do(number, joint.answered(wanted, bars, self._clock()))
        if joint.next != before and not joint.waits:
            self.freshness.heard_at[number] = self._clock()
            self.freshness.flows(number)
        self._wake()

    # How streams do.

    def _report(self, one: StreamReport) -> None:
        number = None if one.subscription is None else self._by_subscription.get(one.subscription)
        for each in range(len(self._wanted)) if number is None else (number,):
            if one.state == "up":
                self.freshness.heard_at[each] = self._clock()
            else:
                self.freshness.trouble(each, one.state, one.text)
                if self._wanted[each].kind == "book" and one.state != "stale":  # what is only silent may be right
                    self._lose_book(each, one.text or one.state)

    def _lose_book(self, number: int, reason: str) -> None:
        """Let a strategy see that a book is not known any more."""
        if self._kept is None:
            self._inputs.book_lost(number - len(self.joints), reason)
        else:
            symbol = self._wanted[number].instrument.symbol
            self._kept = [
                one for one in self._kept if not (isinstance(one, BookUpdate) and one.instrument.symbol == symbol)
            ]

    def states(self) -> list[SubscriptionState]:
        """Return how each subscription does."""
        return self.freshness.states()


def _current(kept: Iterable[Item]) -> Iterable[Item]:
    """Return what still counts of what was kept, in order: bars, books from their last snapshot on, newest others."""
    rows = list(kept)
    last: dict[tuple[type, str], int] = {}
    for row, one in enumerate(rows):
        if isinstance(one, Tick | Quote) or (isinstance(one, BookUpdate) and one.is_snapshot):
            last[type(one), one.instrument.symbol] = row
    for row, one in enumerate(rows):
        if isinstance(one, Tick | Quote):
            if last[type(one), one.instrument.symbol] == row:
                yield one
        elif not isinstance(one, BookUpdate) or row >= last.get((BookUpdate, one.instrument.symbol), 0):
            yield one
