"""Mark prices of a paper run: those of the venue whose market it is, else the prices of its bars."""

from __future__ import annotations

import asyncio
import logging
from math import isnan, nan
from typing import TYPE_CHECKING

from cambist.errors import VenueError
from cambist.model.reports import MarkReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.bars import Bar
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import PerpetualMarket

__all__ = ["LiveMark", "MarkTeller", "Marks"]

_log = logging.getLogger("cambist.paper")
#: Seconds after which a venue that has no mark price of a bar yet is asked again.
_AGAIN = (0.2, 0.8)


class LiveMark:
    """The mark price of one instrument, as it becomes known: what a venue asks of a `PriceSeries`.

    Attributes
    ----------
    closed
        Until when it is known, ns; None before the first.
    last
        The one before the newest bar; NaN where there is none.
    """

    def __init__(self) -> None:
        self.closed: int | None = None
        self.last = self._before = self._low = self._high = self._close = nan

    def note(self, closed: int, low: float, high: float, close: float) -> None:
        """Take the mark prices of a bar."""
        self.last, self._before = self._close, close if self.closed is None else self._close
        self.closed, self._low, self._high, self._close = closed, low, high, close

    def extremes(self, opened: int, closed: int) -> tuple[float, float, float]:  # noqa: ARG002 - of the newest bar
        """Return the mark price at the open of the newest bar, and its lowest and highest since."""
        before = self._before
        return before, min(before, self._low), max(before, self._high)

    def at(self, ts: int) -> float:  # noqa: ARG002 - as of now
        """Return the newest mark price; NaN before the first."""
        return self._close


class MarkTeller:
    """Tells the run of mark prices by which the account is valued, each as long as it is another one.

    Parameters
    ----------
    report
        Takes what the run is told.
    """

    def __init__(self, report: Callable[[MarkReport], None]) -> None:
        self._report = report
        self._told: dict[str, float] = {}

    def tell(self, symbol: str, mark: float, now: int) -> bool:
        """Tell of a mark price, NaN for one that is not known any more; return whether it is news."""
        before = self._told.get(symbol, nan)
        if mark == before or (isnan(mark) and isnan(before)):
            return False
        self._told[symbol] = mark
        self._report(MarkReport(ts=now, symbol=symbol, price=mark))
        return True

    def again(self, now: int) -> None:
        """Tell of all that are known once more: whoever is told was not there."""
        for symbol, mark in self._told.items():
            self._report(MarkReport(ts=now, symbol=symbol, price=mark))


class Marks:
    """Knows the mark prices of margined instruments.

    Parameters
    ----------
    source
        Tells them.
    instruments
        Of the run, those that are paid in full among them.
    alarm
        Told of what a person should know.

    Attributes
    ----------
    by_symbol
        Those of each margined instrument.
    """

    def __init__(
        self, source: PerpetualMarket, instruments: Iterable[Instrument], alarm: Callable[[str, str], None]
    ) -> None:
        self._source, self._alarm = source, alarm
        self.by_symbol = {one.symbol: LiveMark() for one in instruments if not one.is_cash}
        self._missed: set[str] = set()

    async def know_last(self, instrument: Instrument, timeframe: Timeframe, closed: int) -> None:
        """Learn the mark prices of the bar that closed at `closed`, ns, where nobody needed them then."""
        mark = self.by_symbol.get(instrument.symbol)
        if mark is None or (mark.closed is not None and mark.closed >= closed):
            return
        for one in await self._asked(instrument, timeframe, closed - timeframe.ns, closed):
            mark.note(one.ts + timeframe.ns, one.low, one.high, one.close)

    async def know(self, instrument: Instrument, timeframe: Timeframe, bar: Bar) -> None:
        """Learn the mark prices of a bar that is over: the venue's, or else, and that is told, those of the bar."""
        mark = self.by_symbol.get(instrument.symbol)
        closed = bar.ts + timeframe.ns
        if mark is None or (mark.closed is not None and mark.closed >= closed):
            return
        # Of the bar before as well where nobody needed it then: at the open the mark price is the last known one.
        first = bar.ts if mark.closed == bar.ts else bar.ts - timeframe.ns
        for one in await self._asked(instrument, timeframe, first, closed):
            mark.note(one.ts + timeframe.ns, one.low, one.high, one.close)
        if mark.closed != closed:
            mark.note(closed, bar.low, bar.high, bar.close)
            if instrument.symbol not in self._missed:
                self._missed.add(instrument.symbol)
                self._alarm(
                    "no_mark_price",
                    f"nobody tells at what {instrument.symbol} was marked in the bar that is over; the prices of the "
                    "bar decide about its liquidation. This is told once.",
                )
        else:
            self._missed.discard(instrument.symbol)

    async def _asked(self, instrument: Instrument, timeframe: Timeframe, first: int, closed: int) -> list[Bar]:
        found: list[Bar] = []
        # A venue that failed to tell the last time is asked once: bars wait for it.
        for seconds in (None,) if instrument.symbol in self._missed else (*_AGAIN, None):
            try:
                found = list(await self._source.marks(instrument, timeframe, first, closed))
            except VenueError as error:
                _log.debug("mark prices of %s: %s", instrument.symbol, error)
            if seconds is None or (found and found[-1].ts + timeframe.ns >= closed):
                break
            await asyncio.sleep(seconds)
        return [one for one in found if first <= one.ts < closed]
