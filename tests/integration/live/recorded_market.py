"""A venue session that shows recorded bars and has no account: what a paper run takes its market from."""

from __future__ import annotations

import asyncio

from cambist.errors import VenueError
from cambist.model import Bar, Bars, Instrument, Timeframe
from cambist.ports.venue import BarReport, VenueTerms

#: What of a session is about an account.
ACCOUNT = {"submit", "cancel", "amend", "cancel_all", "find_order", "open_orders", "fills", "account", "private"}


class RecordedMarket:
    """Shows bars in order of their closes, as fast as somebody takes them, and then what a test adds.

    A second stream goes on where the first was left. `until` is the row at which it pauses, `forming` whether each bar
    is told of when it opens, too.
    """

    name = "recorded"
    terms = VenueTerms()

    def __init__(self, *blocks: Bars, forming: bool = False, history: bool = True) -> None:
        self.blocks, self.forming, self.with_history = blocks, forming, history
        self.queue: asyncio.Queue = asyncio.Queue()
        self.shown_until = -(2**63)
        self.first = 0
        self.until = len(self.rows())
        self._waits = False

    async def open(self) -> None:
        self.queue = asyncio.Queue()
        self._waits = False

    async def close(self) -> None:
        pass

    def instruments(self) -> list[Instrument]:
        return [block.instrument for block in self.blocks]

    def __getattr__(self, name: str):
        if name in {
            "submit",
            "cancel",
            "amend",
            "cancel_all",
            "find_order",
            "open_orders",
            "fills",
            "account",
            "private",
        }:
            raise AssertionError(f"a paper run asked the account of its market: {name}")
        raise AttributeError(name)

    @property
    def is_done(self) -> bool:
        """Whether everything was shown, and taken."""
        return self._waits and self.queue.empty()

    def on_bar(self, number: int) -> None:
        """Note that so many bars were shown."""

    def rows(self) -> list[tuple[int, Instrument, Timeframe, Bar]]:
        found = [
            (bar.ts + block.timeframe.ns, number, block.instrument, block.timeframe, bar)
            for number, block in enumerate(self.blocks)
            for bar in block
        ]
        return [one[2:] for one in sorted(found, key=lambda one: one[:2])]

    async def market(self, subscriptions):
        wanted = {(one.instrument.symbol, one.timeframe) for one in subscriptions if one.kind == "bars"}
        self._waits = False
        for instrument, timeframe, bar in self.rows()[self.first : self.until]:
            if (instrument.symbol, timeframe) not in wanted:
                continue
            if self.forming:
                begins = Bar(bar.ts, bar.open, bar.open, bar.open, bar.open, 0.0)
                yield BarReport(instrument, timeframe, begins, False)
            self.first += 1
            self.on_bar(self.first)
            self.shown_until = bar.ts + timeframe.ns
            yield BarReport(instrument, timeframe, bar, True)
        while True:
            self._waits = True
            one = await self.queue.get()
            self._waits = False
            yield one

    async def history(self, instrument, timeframe, start, end):
        if not self.with_history:
            raise VenueError("there is no history")
        until = min(end, self.shown_until)
        return [
            bar for one, length, bar in self.rows() if one is instrument and start <= bar.ts < until - timeframe.ns + 1
        ]
