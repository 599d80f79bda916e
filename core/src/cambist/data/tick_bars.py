"""Bars made of trades or quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size, concatenate
from cambist.data.market import checked_history
from cambist.errors import InputError
from cambist.model.bars import COLUMNS, Bars
from cambist.model.timeframe import Timeframe
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cambist.data.market_columns import History
    from cambist.model.instrument import Instrument
    from cambist.ports.history import MarketSource

__all__ = ["TickBars", "tick_bars"]

_WEEK_NS = 7 * DAY_NS
#: Weeks begin on Monday, and 1970-01-01 was a Thursday.
_FIRST_MONDAY = 4 * DAY_NS


def tick_bars(source: MarketSource, timeframe: str | Timeframe) -> TickBars:
    """Return a source of bars made of trades, or of the middle of quotes: run on it, or read it with ``load()``.

    Parameters
    ----------
    source
        `Ticks`, `Quotes`, or what `open_ticks` and `open_quotes` return.
    timeframe
        Length of a bar, such as ``"1m"``.

    Raises
    ------
    InputError
        If the source is none of trades or quotes.

    Notes
    -----
    A bar holds what happened from its open time up to, and not at, its close. Bars open at multiples of the timeframe
    since 1970-01-01 UTC, those of whole weeks on Mondays: what ``pandas.DataFrame.resample`` makes, where the
    timeframe divides a day. A stretch in which nothing happened has no bar. Volume is the size traded, 0 for quotes.
    """
    if getattr(source, "kind", None) not in ("ticks", "quotes"):
        raise InputError(
            f"bars cannot be made of a {type(source).__name__}. Give Ticks, Quotes, or what open_ticks and "
            "open_quotes return."
        )
    return TickBars(source, Timeframe.parse(timeframe))


@attrs.frozen(eq=False)
class TickBars:
    """A `HistorySource` of bars made of trades or quotes as they are read; see `tick_bars`.

    Attributes
    ----------
    source, timeframe
        Of what, and how long each bar is.
    """

    source: MarketSource
    timeframe: Timeframe

    @property
    def name(self) -> str:
        """What the bars are made of, and the timeframe."""
        return f"{self.source.name} in bars of {self.timeframe}"

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            The source cannot be read.
        """
        return concatenate(self._made([self.source.load()]), self.name)

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size`; memory does not grow with the source.

        Raises
        ------
        DataError
            As `load`.
        """
        check_size(size)
        for block in self._made(self.source.blocks()):
            yield from block.blocks(size)

    def _made(self, blocks: Any) -> Iterator[Bars]:
        builder: _Builder | None = None
        for block in checked_history(blocks, self.source.kind, self.source.name):
            if builder is None:
                builder = _Builder(block.instrument, self.timeframe)
            bars = builder.take(block)
            if bars is not None:
                yield bars
        if builder is not None:
            yield builder.finish()


@attrs.define(eq=False, slots=True)
class _Builder:
    """Puts blocks of trades or quotes into bars; how they are cut makes no difference, to the last bit.

    Attributes
    ----------
    open_bar
        The bar that may go on with the next block: its number, and its columns.
    """

    instrument: Instrument
    timeframe: Timeframe
    open_bar: tuple[int, tuple[float, ...]] | None = None

    def take(self, block: History) -> Bars | None:
        """Return the bars that are complete with the next block; None where none is."""
        numbers, columns = self._merged(block)
        self.open_bar = (int(numbers[-1]), tuple(float(column[-1]) for column in columns))
        return self._bars(numbers[:-1], [column[:-1] for column in columns]) if len(numbers) > 1 else None

    def finish(self) -> Bars:
        """Return the last bar, as far as the data goes."""
        assert self.open_bar is not None
        number, values = self.open_bar
        return self._bars(np.array([number]), [np.array([value]) for value in values])

    def _merged(self, block: History) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
        """Return numbers and columns of the bars that a block touches, the one that was open included."""
        values: Any = block
        is_trades = block.kind == "ticks"
        price = values.price if is_trades else (values.bid + values.ask) / 2.0
        size = values.size if is_trades else np.zeros(len(price))
        numbers = (block.ts - self._anchor) // self.timeframe.ns
        if self.open_bar is not None:
            # One row more for each price of the open bar: they come out where they went in.
            number, (open_, high, low, close, volume) = self.open_bar
            numbers = np.concatenate(([number] * 4, numbers))
            price = np.concatenate(([open_, high, low, close], price))
            size = np.concatenate(([volume, 0.0, 0.0, 0.0], size))
        first = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        last = np.append(first[1:], len(numbers)) - 1
        # Adds one row after the other, where a reduction adds in pairs, which would differ with the cut.
        volumes = np.bincount(np.repeat(np.arange(len(first)), last - first + 1), weights=size)
        highs, lows = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
        return numbers[first], [price[first], highs, lows, price[last], volumes]

    def _bars(self, numbers: NDArray[np.int64], columns: list[NDArray[np.float64]]) -> Bars:
        named = dict(zip(COLUMNS, columns, strict=True))
        return Bars(self.instrument, self.timeframe, numbers * self.timeframe.ns + self._anchor, **named)

    @property
    def _anchor(self) -> int:
        return _FIRST_MONDAY if self.timeframe.ns % _WEEK_NS == 0 else 0
