"""Where a run's conversion rates come from: its instruments, and what is given beside them."""

from __future__ import annotations

from functools import partial
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.errors import ParameterError
from cambist.model.instrument import InstrumentKind
from cambist.model.timeseries import PriceSeries
from cambist.portfolio import Pair, RateTable, rate_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.feeds import Feed, Window
    from cambist.engine import Kernel
    from cambist.indicators.series import SeriesCursor

__all__ = ["connect_rates", "rate_columns", "rate_table"]

#: Whose price says what the base is worth in the quote: markets of the assets themselves before contracts on them.
_TELLING = (
    (InstrumentKind.SPOT, InstrumentKind.FX),
    (InstrumentKind.LINEAR_PERPETUAL, InstrumentKind.FUTURE, InstrumentKind.INVERSE_PERPETUAL),
)


def rate_table(currency: str, given: Mapping[str, Any], feeds: Sequence[Feed]) -> RateTable:
    """Return the rates of a run, as they are known when it begins.

    Parameters
    ----------
    currency
        In which it is reported.
    given
        By asset, in the currency, or by two of them, as ``"EUR/USD"``: a number, or what a `PriceSeries` is read from.
    feeds
        Its series, whose first opens are the rates until the first close.
    """
    start = min(int(feed.block.ts[0]) for feed in feeds)
    pairs = [_given(name, rate, currency, start) for name, rate in given.items()]
    for kinds in _TELLING:
        for feed in feeds:
            one = feed.instrument
            if one.kind in kinds and one.base and one.base != one.quote:
                opening = float(feed.block.open[0]) if int(feed.block.ts[0]) == start else nan
                pairs.append(Pair(one.base, one.quote, one.symbol, partial(_same, opening)))
    return RateTable(currency, pairs)


def _given(name: str, rate: Any, currency: str, start: int) -> Pair:
    base, _, quote = name.partition("/")
    quote = quote or currency
    if not base or base == quote:
        raise ParameterError(f"rates has {name!r}; name an asset that is not {currency}, or two, such as 'EUR/USD'.")
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        if not 0.0 < rate < inf:
            raise ParameterError(f"rates: {name} is {rate!r}; a rate is a finite number above zero.")
        return Pair(base, quote, "", partial(_same, float(rate)), np.array([-(2**63)]), np.array([float(rate)]))
    series = PriceSeries.read(rate, f"the rates of {name}")
    pair = Pair(base, quote, "", times=series.times, prices=series.close)
    pair.now = partial(pair.at_time, start)
    return pair


def _same(price: float) -> float:
    return price


def connect_rates(table: RateTable, kernel: Kernel, feeds: Sequence[Feed]) -> None:
    """Have rates follow the lines of a run: each is the last one known at the last close."""
    cursors = kernel.seats[0].cursors
    by_symbol = {feed.instrument.symbol: cursors[feed.number] for feed in feeds}
    last_close = _LastClose([(cursors[feed.number], feed.timeframe.ns) for feed in feeds])
    for pair in table.pairs:
        if pair.symbol:
            pair.now = _Price(by_symbol[pair.symbol], pair.now())
        elif len(pair.times) > 1 or pair.times[0] > -(2**63):
            pair.now = _SeriesPrice(pair, last_close, pair.now())


class _Price:
    """Answers the last close of a series; before the first, what its first bar opened at where that was known."""

    __slots__ = ("_cursor", "_opening")

    def __init__(self, cursor: SeriesCursor, opening: float) -> None:
        self._cursor = cursor
        self._opening = opening

    def __call__(self) -> float:
        price = self._cursor.last_close()
        return price if price == price else self._opening  # noqa: PLR0124 - NaN


class _LastClose:
    """Answers when the last bar of any series closed, ns; 0 before the first."""

    def __init__(self, cursors: Sequence[tuple[SeriesCursor, int]]) -> None:
        self._cursors = cursors

    def __call__(self) -> int:
        return max((cursor.ts + length for cursor, length in self._cursors if cursor.ts), default=0)


class _SeriesPrice:
    """Answers the price of a series that was known at the last close."""

    __slots__ = ("_last_close", "_opening", "_pair")

    def __init__(self, pair: Pair, last_close: Callable[[], int], opening: float) -> None:
        self._pair = pair
        self._last_close = last_close
        self._opening = opening

    def __call__(self) -> float:
        ts = self._last_close()
        return self._pair.at_time(ts) if ts else self._opening


def rate_columns(
    table: RateTable, assets: Sequence[str], window: Window, feeds: Sequence[Feed]
) -> dict[str, NDArray[np.float64]]:
    """Return what each asset is worth at each instant of a window, by its `rate_key`."""
    by_symbol = {feed.instrument.symbol: feed for feed in feeds}

    def price_of(pair: Pair) -> NDArray[np.float64]:
        return window.closes(by_symbol[pair.symbol]) if pair.symbol else pair.at(window.instants)

    return {rate_key(asset): table.over(asset, price_of, len(window.instants)) for asset in assets}
