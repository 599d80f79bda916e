"""What becomes of a stream's frames: one feed a subscription, which knows what it has seen and what is missing."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from cambist.api import BarReport, StreamReport, VenueError
from cambist_binance.books import BookGapError, BookState, LocalBook
from cambist_binance.wire.market import bar_of, decode_depth, mark_of, quote_of, tick_of
from cambist_ccxt.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import msgspec

    from cambist.api import Subscription
    from cambist.model import Bar, Bars, BookUpdate, Instrument, MarkReport, Quote, Tick, Timeframe
    from cambist_binance.wire.market import DepthSnapshot
    from cambist_ccxt.channel import Channel

    Item = BarReport | Tick | Quote | BookUpdate | MarkReport | StreamReport

#: How many bars back one that comes again is compared with what was told.
_KEPT = 8

__all__ = ["BarFeed", "BookFeed", "Feed", "MarkFeed", "QuoteFeed", "TickFeed"]


class Feed(Protocol):
    """One subscription.

    Attributes
    ----------
    stream
        The venue's name of it.
    subscription
        What was asked for.
    last_at
        When something came last, by the loop's clock; 0 before.
    """

    stream: str
    subscription: Subscription | None
    last_at: float

    def take(self, data: msgspec.Raw) -> None:
        """Take what a frame holds."""

    def lost(self) -> None:
        """Take that the connection is gone: something may be missing from here on."""

    def tell(self, state: str, text: str) -> None:
        """Say how it does."""

    def close(self) -> None:
        """Let go of everything."""


class _Base:
    def __init__(self, stream: str, out: Channel[Item]) -> None:
        self.stream, self._out, self.last_at = stream, out, 0.0
        self.subscription: Subscription | None = None
        self._overflowing = False

    def tell(self, state: str, text: str) -> None:
        """Say how it does."""
        report = StreamReport(stream=self.stream, state=state, text=text, subscription=self.subscription)
        self._out.put_always(report)

    def lost(self) -> None:
        """Nothing hangs on it."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _put(self, item: Item) -> bool:
        """Hand over; where the reader is too slow, note once that something is missing."""
        if self._out.put(item):
            self._overflowing = False
            return True
        if not self._overflowing:
            self._overflowing = True
            self._gap("the reader is too slow; what it could not take is dropped")
        return False

    def _gap(self, text: str) -> None:
        self.tell("gap", text)


class QuoteFeed(_Base):
    """Best bid and ask; a reader that is far behind gets the newest alone.

    Parameters
    ----------
    clock
        Answers the venue's time, ns: spot quotes have none of their own.
    """

    def __init__(self, stream: str, out: Channel[Item], instrument: Instrument, clock: Callable[[], int]) -> None:
        super().__init__(stream, out)
        self._instrument, self._clock = instrument, clock
        self._last = 0

    def take(self, data: msgspec.Raw) -> None:
        """Take a quote; one that is older than the last, over a connection that has a successor, is left out."""
        quote, number = quote_of(data, self._instrument, self._clock())
        if number >= self._last:
            self._last = number
            self._out.put_newest(self.stream, quote)

    def lost(self) -> None:
        """Take whatever number comes next: a new connection brings nothing old."""
        self._last = 0


class MarkFeed(_Base):
    """Mark prices; a reader that is far behind gets the newest alone."""

    def __init__(self, stream: str, out: Channel[Item], instrument: Instrument) -> None:
        super().__init__(stream, out)
        self._instrument = instrument

    def take(self, data: msgspec.Raw) -> None:
        """Take a mark price."""
        self._out.put_newest(self.stream, mark_of(data, self._instrument))


class TickFeed(_Base):
    """Trades; their numbers follow each other, so that a missing one shows."""

    def __init__(self, stream: str, out: Channel[Item], instrument: Instrument) -> None:
        super().__init__(stream, out)
        self._instrument, self._last = instrument, 0
        self._anew = False

    def take(self, data: msgspec.Raw) -> None:
        """Take a trade; one that came already, over a connection that has a successor, is left out."""
        tick, number = tick_of(data, self._instrument)
        last = self._last
        if number <= last and not self._anew:
            return
        self._last, self._anew = number, False
        if last and number > last + 1:
            self._gap(f"{number - last - 1} trades are missing before {number}")
        self._put(tick)

    def lost(self) -> None:
        """Take whatever number comes next: a venue may count anew after it was away."""
        self._anew = True


class BarFeed(_Base):
    """Bars: final ones once each and in order; those that a connection missed are fetched before the next is told.

    One that was final, and comes again with other numbers, is told as well: whoever listens has to know.

    Parameters
    ----------
    history
        Fetches final bars between two times.
    """

    def __init__(
        self,
        stream: str,
        out: Channel[Item],
        instrument: Instrument,
        timeframe: Timeframe,
        history: Callable[[Instrument, Timeframe, int, int], Awaitable[Bars]],
    ) -> None:
        super().__init__(stream, out)
        self._instrument, self._timeframe, self._history = instrument, timeframe, history
        #: Open time of the bar that must come next; 0 before the first.
        self._next = 0
        self._held: list[BarReport] = []
        self._told: deque[Bar] = deque(maxlen=_KEPT)
        self._filling: asyncio.Task[None] | None = None

    def take(self, data: msgspec.Raw) -> None:
        """Take a bar as it stands."""
        report = bar_of(data, self._instrument, self._timeframe)
        ts = report.bar.ts
        if self._filling is not None:
            if report.final:
                self._held.append(report)
        elif not self._next:
            self._next = ts
            self._tell(report)
        elif ts > self._next:
            self._held = [report] if report.final else []
            self._filling = asyncio.get_running_loop().create_task(
                self._fill(self._next, ts), name=f"gap {self.stream}"
            )
        else:
            self._tell(report)

    def close(self) -> None:
        """End a fetch that is going on."""
        if self._filling is not None:
            self._filling.cancel()

    def _tell(self, report: BarReport) -> None:
        ts, told = report.bar.ts, self._told
        if ts < self._next:
            if not report.final or not told or told[0].ts > ts or report.bar in told:
                return
        elif not report.final:
            self._out.put_newest(self.stream, report)
            return
        self._next = max(self._next, ts + self._timeframe.ns)
        told.append(report.bar)
        self._out.put_always(report)

    async def _fill(self, start: int, end: int) -> None:
        try:
            bars = await self._history(self._instrument, self._timeframe, start, end)
        except VenueError as error:
            if error.code != "no_bars":
                self._gap(f"bars are missing and could not be fetched: {error}")
        else:
            for bar in bars:
                self._tell(BarReport(self._instrument, self._timeframe, bar, True))
        self._next = max(self._next, end)
        held, self._held, self._filling = self._held, [], None
        for report in held:
            self._tell(report)


class BookFeed(_Base):
    """A local book, told as a snapshot and its changes; while it is not known, nothing is told.

    Parameters
    ----------
    depth
        Fetches a snapshot.
    clock
        Answers the venue's time, ns.
    """

    def __init__(
        self,
        stream: str,
        out: Channel[Item],
        book: LocalBook,
        depth: Callable[[str], Awaitable[DepthSnapshot]],
        clock: Callable[[], int],
    ) -> None:
        super().__init__(stream, out)
        self.book, self._depth, self._clock = book, depth, clock
        self._backoff = Backoff(0.2, 20.0)
        self._fetching: asyncio.Task[None] | None = None
        #: How often it had to begin again.
        self.restarts = 0

    def take(self, data: msgspec.Raw) -> None:
        """Take a change."""
        event = decode_depth(data)
        try:
            update = self.book.update(event)
        except BookGapError as error:
            self._invalid(str(error))
            return
        if update is not None:
            if not self._put(update):
                self.book.reset()
                self._fetch()
        elif self.book.state is BookState.BUFFERING:
            self._fetch()

    def lost(self) -> None:
        """Begin again: what came meanwhile is not known."""
        if self.book.state is BookState.LIVE:
            self.book.reset()
            self._gap("the connection is gone; the book begins anew")

    def close(self) -> None:
        """End a fetch that is going on."""
        if self._fetching is not None:
            self._fetching.cancel()

    def _invalid(self, text: str) -> None:
        self.restarts += 1
        self._gap(f"{text}; the book begins anew")
        self._fetch()

    def _fetch(self) -> None:
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._begin(), name=f"book {self.stream}")

    async def _begin(self) -> None:
        try:
            while True:
                try:
                    snapshot = await self._depth(self.book.instrument.symbol)
                    updates = self.book.start(snapshot, self._clock())
                except VenueError as error:
                    self._gap(f"no snapshot of the book: {error}")
                except BookGapError as error:
                    self._gap(str(error))
                else:
                    if updates is not None:
                        break
                await asyncio.sleep(self._backoff.next())
        finally:
            self._fetching = None
        self._backoff.reset()
        self.tell("up", "the book is known")
        for update in updates:
            self._out.put_always(update)
