"""The series of a run on trades and quotes: blocks of rows, and the order in which they and bars are played."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.backtest.feeds import ROWS
from cambist.simulation import BookUnits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.feeds import Feed
    from cambist.engine.step import Seat
    from cambist.model.instrument import Instrument

__all__ = ["BookFeed", "MarketFeed", "MarketWindow", "market_windows"]


class MarketFeed:
    """One series of trades or quotes of a run: its current block, and where the run stands in it.

    A block never ends within a moment: rows of one time that a source has put into two blocks are brought together,
    so that how the data is cut makes no difference to the run.

    Parameters
    ----------
    number
        Of the series, in declared order.
    blocks
        Pieces of its rows, in order; the first two are taken at once.

    Attributes
    ----------
    block
        The current piece.
    closes, marks
        When each of its events is known, ns, and the price at which positions are valued at it, shape ``(k,)``.
    at
        Next event of the block to play.
    last_mark
        The price before it; NaN before the first.
    timeframe
        What stands for one in a result.
    """

    def __init__(self, number: int, blocks: Iterator[Any]) -> None:
        self.number = number
        self._blocks = blocks
        self._coming: Any = next(blocks)
        self.block: Any
        self.marks: NDArray[np.float64]
        self.closes: NDArray[np.int64]
        self.at = 0
        self.last_mark = float("nan")
        self.next_block()
        self.kind: str = self.block.kind
        self.timeframe = self.kind
        self.instrument: Instrument = self.block.instrument

    @property
    def rows_left(self) -> int:
        """Events of the current block still to play."""
        return len(self.closes) - self.at

    def next_block(self) -> bool:
        """Take the next piece once the current one is played; False when there is none."""
        if self._coming is None:
            return False
        parts = [self._coming]
        end = self._coming.ts[-1]
        self._coming = next(self._blocks, None)
        while self._coming is not None and self._coming.ts[0] == end:
            cut = int(np.searchsorted(self._coming.ts, end, side="right"))
            parts.append(self._coming[:cut])
            self._coming = self._coming[cut:] if cut < len(self._coming) else next(self._blocks, None)
        self.block = parts[0] if len(parts) == 1 else _joined(parts)
        self.at = 0
        self._begin_block()
        return True

    def _begin_block(self) -> None:
        columns = self.block.columns
        self.closes = self.block.ts
        self.marks = columns["price"] if self.block.kind == "ticks" else (columns["bid"] + columns["ask"]) / 2.0

    def values(self, start: int, stop: int) -> Iterator[Any]:
        """Yield the events from `start` to `stop` as values: `Tick` or `Quote`."""
        return iter(self.block[start:stop]) if stop > start else iter(())


class BookFeed(MarketFeed):
    """One order book of a run; its events are updates, of one row or more each.

    The marks are written as it is played: before, nobody knows the book.
    """

    def note(self, mark: float) -> None:
        """Take the mark after the next update."""
        self.marks[self._noted] = mark
        self._noted += 1

    def _begin_block(self) -> None:
        block = self.block
        BookUnits(block.instrument).ticks_of(block.price)  # refuses what is on no tick
        self._starts = np.append(block.starts, len(block))
        self.closes = block.ts[self._starts[:-1]]
        self.marks = np.full(len(self.closes), np.nan)
        self._noted = 0

    def rows(self, start: int, stop: int) -> Iterator[Any]:
        """Yield what `BookView.apply` takes, of the updates from `start` to `stop`."""
        edges = self._starts[start : stop + 1]
        first, last = int(edges[0]), int(edges[-1])
        block = self.block
        columns = [values[first:last].tolist() for values in (block.side, block.price, block.size)]
        flags = block.snapshot[edges[:-1]].tolist()
        spans = pairwise((edges - first).tolist())
        for now, flag, (begin, end) in zip(self.closes[start:stop].tolist(), flags, spans, strict=True):
            yield now, flag, *(values[begin:end] for values in columns)

    def values(self, start: int, stop: int) -> Iterator[Any]:
        """Yield the updates from `start` to `stop` as `BookUpdate`."""
        return iter(self.block[self._starts[start] : self._starts[stop]]) if stop > start else iter(())


def _joined(parts: Sequence[Any]) -> Any:
    first = parts[0]
    columns = (np.concatenate([part.columns[name] for part in parts]) for name in first.columns)
    return type(first)(first.instrument, np.concatenate([part.ts for part in parts]), *columns)


@attrs.frozen(eq=False, slots=True)
class MarketWindow:
    """A stretch of the run that is played at once.

    Attributes
    ----------
    spans
        For each feed its first row and end within its block.
    instants
        Times of the events, int64 ns, shape ``(k,)``, ascending; trades and quotes of one time have one each, the bars
        that close at one time have one together.
    numbers
        Of which feed each event is, shape ``(k,)``; one above the last stands for bars. Those of one time stand in
        declared order of the feeds, bars last.
    bar_spans
        For each series of bars its first row and end within its block.
    closes
        Times at which bars close, int64 ns, shape ``(m,)``, ascending.
    """

    spans: tuple[tuple[int, int], ...]
    instants: NDArray[np.int64]
    numbers: NDArray[np.int64]
    bar_spans: tuple[tuple[int, int], ...]
    closes: NDArray[np.int64]

    def marks(self, feed: MarketFeed, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mark of `feed` after each of the events `rows`; NaN before its first."""
        start, stop = self.spans[feed.number]
        values: NDArray[np.float64] = feed.marks[start:stop]
        if len(values) != len(self.numbers):
            values = np.concatenate(([feed.last_mark], values))
            rows = np.cumsum(self.numbers == feed.number)[rows]
        marks: NDArray[np.float64] = values[rows]
        return marks

    def played_of(self, number: int, events: int) -> int:
        """Return how many of the first `events` are of feed `number`."""
        return int(np.count_nonzero(self.numbers[:events] == number))


def market_windows(
    feeds: Sequence[MarketFeed],
    bars: Sequence[Feed],
    seats: Sequence[Seat],
    cut: Callable[[int], int],
) -> Iterator[MarketWindow]:
    """Yield the stretches of a run, in time order; the caller plays each before it asks for the next.

    No stretch ends within a moment.

    Parameters
    ----------
    feeds, bars
        Trades and quotes, and bars beside them.
    seats
        The strategies whose lines are to be loaded.
    cut
        Answers how far a stretch may go, asked with the time, ns, to which it would.
    """
    series: list[MarketFeed | Feed] = [*feeds, *bars]
    for barred in bars:
        barred.load(seats)
    while True:
        for feed in feeds:
            if feed.rows_left == 0:
                feed.next_block()
        for barred in bars:
            if barred.rows_left == 0 and barred.next_block():
                barred.load(seats)
        live = [one for one in series if one.rows_left]
        if not live:
            return
        most = max(1, ROWS // len(live))
        horizon = cut(min(int(one.closes[min(one.at + most, len(one.closes)) - 1]) for one in live))
        spans = [
            (one.at, int(np.searchsorted(one.closes, horizon, side="right")) if one.rows_left else one.at)
            for one in series
        ]
        yield _window(feeds, bars, spans)
        for one, (start, stop) in zip(series, spans, strict=True):
            if stop > start and isinstance(one, MarketFeed):
                one.last_mark = float(one.marks[stop - 1])
            one.at = stop


_NO_TIMES = np.empty(0, np.int64)


def _window(feeds: Sequence[MarketFeed], bars: Sequence[Feed], spans: Sequence[tuple[int, int]]) -> MarketWindow:
    own, of_bars = tuple(spans[: len(feeds)]), tuple(spans[len(feeds) :])
    closing = [one.closes[start:stop] for one, (start, stop) in zip(bars, of_bars, strict=True)]
    closes = np.unique(np.concatenate(closing)) if closing else _NO_TIMES
    times = [feed.closes[start:stop] for feed, (start, stop) in zip(feeds, own, strict=True)]
    numbers = [np.full(stop - start, feed.number) for feed, (start, stop) in zip(feeds, own, strict=True)]
    if len(feeds) == 1 and not len(closes):
        return MarketWindow(own, times[0], numbers[0], of_bars, closes)
    all_times = np.concatenate([*times, closes])
    all_numbers = np.concatenate([*numbers, np.full(len(closes), len(feeds))])
    order = np.lexsort((all_numbers, all_times))  # stable: rows of one feed stay in their order
    return MarketWindow(own, all_times[order], all_numbers[order], of_bars, closes)
