"""Shows the orders of a paper run the bars of its market, those among them that the stream left out."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cambist.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cambist.live.paper.desks import BarDesk
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
    """

    def __init__(
        self,
        source: VenueSession,
        desk: BarDesk,
        matcher: Matcher,
        instruments: Sequence[Instrument],
        timeframes: Mapping[str, Timeframe],
    ) -> None:
        self._source, self._desk, self._matcher = source, desk, matcher
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
            await self._meet(symbol, bar, bar.ts + timeframe.ns)
            return
        if desk.opens(symbol, bar):
            await self._matcher.run(lambda: desk.meet_open(symbol, bar))
        if desk.waits_for_price(symbol):
            await self._matcher.run(lambda: desk.meet_price(symbol, bar))

    async def _meet(self, symbol: str, bar: Bar, closed: int) -> None:
        desk = self._desk
        if desk.has_work(symbol):
            await self._matcher.run(lambda: desk.match(symbol, bar, closed))
        else:
            desk.match(symbol, bar, closed)
        desk.closed(symbol, bar, closed)

    async def _fill_gap(self, instrument: Instrument, start: int, end: int) -> None:
        """Let orders meet the bars that the stream left out."""
        timeframe = self._timeframes[instrument.symbol]
        if self._desk.has_work(instrument.symbol):
            for bar in await self._past(instrument, timeframe, start, end) or ():
                await self._meet(instrument.symbol, bar, bar.ts + timeframe.ns)
        self._desk.know_until(instrument.symbol, end)

    async def catch_up(self, last: int) -> None:
        """Let the orders that work on after a restart meet the bars that went by.

        The run learns what became of them when it asks.

        Parameters
        ----------
        last
            Time of the last record of the journal, ns.
        """
        desk = self._desk
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
                desk.match(symbol, bar, bar.ts + timeframe.ns)
                desk.closed(symbol, bar, bar.ts + timeframe.ns)

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
