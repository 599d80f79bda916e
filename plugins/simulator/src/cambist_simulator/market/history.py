"""Recorded bars, trades and quotes in the whole numbers of a listing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist import Instrument, open_quotes, open_ticks
from cambist.api import DataError
from cambist.model import Quotes, Ticks
from cambist.simulation import BookUnits, intrabar_path
from cambist_simulator.market.candles import Candle
from cambist_simulator.market.path import BarTicks, turns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from cambist import Bars
    from cambist.api import MarketSource
    from cambist.simulation import IntrabarPath
    from cambist_simulator.exchange.listing import Listing
    from cambist_simulator.market.contract import Contract

__all__ = ["BLOCK", "Grid", "bar_candles", "bar_ticks", "loaded_quotes", "loaded_ticks"]

#: Rows that are turned into whole numbers at a time.
BLOCK = 4_096


class Grid:
    """Ticks and lots of a listing.

    Parameters
    ----------
    listing
        With its tick size and step size.
    """

    def __init__(self, listing: Listing) -> None:
        self.symbol = listing.symbol
        self.tick, self.step = listing.tick_size, listing.step_size
        self.instrument = Instrument(symbol=listing.symbol, tick_size=listing.tick_size, step_size=listing.step_size)
        self._units = BookUnits(self.instrument)

    def ticks(self, prices: NDArray[np.float64]) -> list[int]:
        """Return prices as ticks.

        Raises
        ------
        DataError
            If one is not on the grid.
        """
        try:
            return [int(one) for one in self._units.ticks_of(prices)]
        except Exception as error:
            raise DataError(
                f"{self.symbol}: the recorded prices do not fit the tick size {self.tick} of the listing ({error}). "
                "List the symbol with the tick size that it had when this was recorded."
            ) from error

    def lots(self, sizes: NDArray[np.float64]) -> list[int]:
        """Return sizes as lots, rounded to the nearest."""
        return [int(one) for one in np.rint(sizes / float(self.step))]

    def exact_ticks(self, text: str) -> int:
        """Return a price on the wire as ticks.

        Raises
        ------
        DataError
            If it is not on the grid.
        """
        count, rest = divmod(self._number(text, "price"), self.tick)
        if rest:
            raise DataError(f"the price {text} is no multiple of the tick size {self.tick} of {self.symbol}")
        return int(count)

    def nearest_lots(self, text: str) -> int:
        """Return a size on the wire as lots, rounded to the nearest, but not to 0 unless it is 0.

        Raises
        ------
        DataError
            If it is no number.
        """
        lots = round(self._number(text, "size") / self.step)
        return lots if lots or not text.strip("0.") else 1

    def _number(self, text: str, what: str) -> Decimal:
        try:
            return Decimal(text)
        except ArithmeticError:
            raise DataError(f"the {what} {text!r} is no number") from None

    def lots_of(self, size: Decimal) -> int:
        """Return a size as lots, rounded to the nearest."""
        return round(size / self.step)

    def price(self, ticks: int) -> Decimal:
        """Return the price of so many ticks."""
        return ticks * self.tick

    def size(self, lots: int) -> Decimal:
        """Return the size of so many lots."""
        return lots * self.step


def bar_ticks(bars: Bars, grid: Grid, path: IntrabarPath, shift: int = 0) -> Iterator[BarTicks]:
    """Yield bars in whole numbers, a block at a time; `path` says which extreme comes first."""
    length = bars.timeframe.ns
    for block in bars.blocks(BLOCK):
        columns = [grid.ticks(one) for one in (block.open, block.high, block.low, block.close)]
        floats = zip(block.open.tolist(), block.high.tolist(), block.low.tolist(), block.close.tolist(), strict=True)
        rows = zip(block.ts.tolist(), *columns, grid.lots(block.volume), floats, strict=True)
        for at, open_, high, low, close, lots, exact in rows:
            first_open, top, bottom, last_close = exact
            high_first = path(first_open, top, bottom, last_close, 0.0)[0] == top
            yield BarTicks(at + shift, at + shift + length, open_, high, low, close, lots, high_first)


def bar_candles(bars: Bars, grid: Grid, contract: Contract, shift: int = 0) -> Iterator[Candle]:
    """Yield bars as candles, for history that nobody saw being traded.

    The value traded is the volume at the mean of the four prices, half of it bought by takers, in as many trades as
    the price has turns; a record of bars tells none of this.
    """
    length = bars.timeframe.ns
    number = 0
    for bar in bar_ticks(bars, grid, intrabar_path("nearer_first"), shift):
        volume = grid.size(bar.lots)
        mean = grid.price(bar.open + bar.high + bar.low + bar.close) / 4
        value = contract.value(mean, volume)
        trades = len(turns_of(bar)) if bar.lots else 0
        prices = [grid.price(one) for one in (bar.open, bar.high, bar.low, bar.close)]
        yield Candle(
            opens=bar.opens,
            closes=bar.opens + length,
            open=prices[0],
            high=prices[1],
            low=prices[2],
            close=prices[3],
            volume=volume,
            quote_volume=value,
            buy_volume=grid.size(bar.lots // 2),
            buy_quote_volume=contract.value(mean, grid.size(bar.lots // 2)),
            trades=trades,
            first_id=number if trades else -1,
            last_id=number + trades - 1 if trades else -1,
        )
        number += trades


def loaded_ticks(source: Any) -> Ticks:
    """Return the trades of a path, a DataFrame, `Ticks`, or a source of them."""
    rows = source if isinstance(source, Ticks) else _loaded(source, open_ticks)
    if not isinstance(rows, Ticks):
        raise DataError(f"there are {type(rows).__name__} in {source!r}, and trades are wanted.")
    return rows


def loaded_quotes(source: Any) -> Quotes:
    """Return the quotes of a path, a DataFrame, `Quotes`, or a source of them."""
    rows = source if isinstance(source, Quotes) else _loaded(source, open_quotes)
    if not isinstance(rows, Quotes):
        raise DataError(f"there are {type(rows).__name__} in {source!r}, and quotes are wanted.")
    return rows


def _loaded(source: Any, opened: Callable[[Any], MarketSource]) -> Any:
    return source.load() if callable(getattr(source, "load", None)) else opened(source).load()
