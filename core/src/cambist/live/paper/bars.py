"""Shows the orders of a paper run the bars of its market, those among them that the stream left out."""

from __future__ import annotations

import logging
import time
from math import isnan
from typing import TYPE_CHECKING

from cambist.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.live.paper.desks import BarDesk
    from cambist.live.paper.funding import FundingDesk
    from cambist.live.paper.marks import LiveMark, Marks, MarkTeller
    from cambist.live.paper.matching import Matcher
    from cambist.model.bars import Bar
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import BarReport, VenueSession

__all__ = ["BarFeed"]

_log = logging.getLogger("cambist.paper")
#: How long after the open of a bar the last record of a run may have been made for what the close before it led to, ns.
_AFTERMATH = 5_000_000_000


class BarFeed:
    """Shows a desk bars.

    Parameters
    ----------
    source
        Whose market it is.
    desk, matcher
        Of the session.
    instruments
        That can be traded.
    timeframes
        Of the bars that the orders of each instrument meet, by symbol.
    marks, funding
        Of the session; None where there are none.
    teller
        Tells of mark prices.
    """

    def __init__(
        self,
        source: VenueSession,
        desk: BarDesk,
        matcher: Matcher,
        instruments: Sequence[Instrument],
        timeframes: Mapping[str, Timeframe],
        marks: Marks | None,
        funding: FundingDesk | None,
        teller: MarkTeller,
    ) -> None:
        self._source, self._desk, self._matcher = source, desk, matcher
        self._marks, self._funding, self._teller = marks, funding, teller
        self._instruments, self._timeframes = instruments, timeframes
        self._assumed: set[str] = set()  # of which nothing but our own clock says where their bars go on

    async def take(self, report: BarReport) -> None:
        """Let orders meet a bar: its open while it forms, all of it once it is final."""
        desk, symbol, bar = self._desk, report.instrument.symbol, report.bar
        timeframe = self._timeframes.get(symbol)
        if timeframe is None or report.timeframe.ns != timeframe.ns:
            return  # of several series of an instrument the finest one is matched
        known = desk.known_until(symbol)
        if symbol in self._assumed:
            self._assumed.remove(symbol)
            if known is not None and bar.ts < known:  # the market has another clock
                desk.know_until(symbol, None)
                known = None
        if known is not None and bar.ts > known:
            await self._fill_gap(report.instrument, known, bar.ts)
        if report.final:
            await self._meet(report.instrument, bar)
            return
        if desk.opens(symbol, bar):
            mark = self._mark_of(symbol)
            if mark is not None and self._marks is not None:
                await self._marks.know_last(report.instrument, timeframe, bar.ts)
                self._value(symbol, mark.at(bar.ts))
            await self._matcher.run(lambda: desk.meet_open(symbol, bar))
        if desk.waits_for_price(symbol):
            await self._matcher.run(lambda: desk.meet_price(symbol, bar))

    async def _meet(self, instrument: Instrument, bar: Bar) -> None:
        desk, symbol = self._desk, instrument.symbol
        closed = await self._know(instrument, bar)
        if desk.has_work(symbol):
            await self._matcher.run(lambda: desk.match(symbol, bar, closed))
        else:
            desk.match(symbol, bar, closed)
        desk.closed(symbol, bar, closed)

    async def _know(self, instrument: Instrument, bar: Bar) -> int:
        """Learn the mark prices of a bar where they may decide something; return when it closed, ns."""
        timeframe = self._timeframes[instrument.symbol]
        if self._marks is not None and self._desk.has_work(instrument.symbol):
            await self._marks.know(instrument, timeframe, bar)
            mark = self._mark_of(instrument.symbol)
            if mark is not None:
                self._value(instrument.symbol, mark.last)
        return bar.ts + timeframe.ns

    def know(self, symbol: str) -> None:
        """Value the account at the close of the newest bar of an instrument, which is about to be shown."""
        self._desk.know(symbol)
        mark = self._mark_of(symbol)
        if mark is not None:
            self._value(symbol, mark.at(self._desk.now))

    def _mark_of(self, symbol: str) -> LiveMark | None:
        return None if self._marks is None else self._marks.by_symbol.get(symbol)

    def _value(self, symbol: str, mark: float) -> None:
        """Have account and run value what is held by another mark price."""
        if not isnan(mark) and self._teller.tell(symbol, mark, self._desk.now):
            self._desk.mark(symbol, mark)

    async def end_instant(self) -> None:
        """Look at the account once more when the bars of an instant have been met, before the run is shown them."""
        if self._desk.looks_again:
            await self._matcher.run(self._desk.end_instant)

    async def pass_by(self) -> None:
        """Exchange the funding that is due, once the run was shown the bars of an instant."""
        if self._funding is not None:
            await self._funding.pass_by(self._desk.now)

    async def _fill_gap(self, instrument: Instrument, start: int, end: int) -> None:
        """Let orders meet the bars that the stream left out."""
        timeframe = self._timeframes[instrument.symbol]
        if self._desk.has_work(instrument.symbol):
            for bar in await self._past(instrument, timeframe, start, end) or ():
                await self._meet(instrument, bar)
                await self.end_instant()
                self.know(instrument.symbol)
                await self.pass_by()
        self._desk.know_until(instrument.symbol, end)

    async def catch_up(self, last: int) -> None:
        """Let the orders and positions that are there after a restart meet the bars that went by.

        The run learns what became of them when it asks.

        Parameters
        ----------
        last
            Time of the last record of the journal, ns.
        """
        desk = self._desk
        missed: dict[int, list[tuple[Instrument, Bar]]] = {}
        for instrument in self._instruments:
            symbol, timeframe = instrument.symbol, self._timeframes[instrument.symbol]
            if not desk.has_work(symbol):
                continue
            start = last // timeframe.ns * timeframe.ns
            if last - start > _AFTERMATH:
                start += timeframe.ns  # what was sent inside a bar does not meet it
            bars = await self._past(instrument, timeframe, start, time.time_ns())
            if bars is None:
                continue
            desk.know_until(symbol, start)
            self._assumed.add(symbol)
            for bar in bars:
                missed.setdefault(bar.ts + timeframe.ns, []).append((instrument, bar))
        for closed in sorted(missed):
            for instrument, bar in missed[closed]:
                await self._know(instrument, bar)
                desk.match(instrument.symbol, bar, closed)
                desk.closed(instrument.symbol, bar, closed)
            if desk.looks_again:
                desk.end_instant()
            for instrument, _ in missed[closed]:
                self.know(instrument.symbol)
            await self.pass_by()

    async def _past(self, instrument: Instrument, timeframe: Timeframe, start: int, end: int) -> list[Bar] | None:
        """Return the final bars that opened in ``[start, end)``; None where they cannot be had."""
        try:
            bars = await self._source.history(instrument, timeframe, start, end)
        except VenueError as error:
            _log.warning(
                "the bars of %s that went by cannot be had; orders meet the next: %s", instrument.symbol, error
            )
            return None
        return [bar for bar in bars if start <= bar.ts < end]
