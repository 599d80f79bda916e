"""What plays a symbol: a file or an object of recorded data, told apart by what it holds, or chance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cambist import Bars, load, open_quotes, open_ticks
from cambist.api import DataError, ParameterError
from cambist.model import Quotes, Ticks
from cambist_simulator.market.bars import BarReplay
from cambist_simulator.market.funding import Marks
from cambist_simulator.market.hand import Hand
from cambist_simulator.market.l2 import RawBookReplay
from cambist_simulator.market.random_market import RandomMarket, RandomShape
from cambist_simulator.market.ticks import QuoteReplay, TradeReplay

if TYPE_CHECKING:
    import numpy as np

    from cambist_simulator.exchange.exchange import Exchange
    from cambist_simulator.market.markets import Markets
    from cambist_simulator.market.script import Script

__all__ = ["marks_of", "opened", "prices_of", "script_of"]

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


def opened(source: Any, symbol: str) -> Any:
    """Return recorded data: bars, ticks or quotes as Cambist has them, or the path of a raw book.

    Raises
    ------
    DataError
        It is none of them; the message tells why for each.
    """
    if isinstance(source, Bars | Ticks | Quotes):
        return source
    if isinstance(source, str | Path):
        if not Path(source).exists():
            raise ParameterError(f"{symbol}: there is no file {str(source)!r}.")
        if ".jsonl" in Path(source).name:
            return Path(source)
    reasons = []
    for kind, read in (("bars", load), ("trades", _ticks), ("quotes", _quotes)):
        try:
            return read(source)
        except DataError as error:
            reasons.append(f"no {kind}: {error}")
    raise DataError(f"{symbol}: {source!r} cannot be played. " + " ".join(reasons))


def _ticks(source: Any) -> Any:
    return open_ticks(source).load()


def _quotes(source: Any) -> Any:
    return open_quotes(source).load()


def prices_of(data: Any) -> np.ndarray | None:
    """Return recorded prices, to find their tick; None where they are not at hand."""
    if isinstance(data, Bars):
        return data.close
    if isinstance(data, Ticks):
        return data.price
    return data.bid if isinstance(data, Quotes) else None


def marks_of(markets: Markets, exchange: Exchange, symbol: str, data: Any, speed: float | None) -> Marks:
    """Return what marks a symbol of futures to its market, and announces its funding.

    Marks come once a second, and less often where the market is fast: not more than a few in a second of those who
    watch, nor more than sixty in a recorded bar.
    """
    every = round(_SECOND * max(1.0, (speed or 0.0) / 10.0))
    if isinstance(data, Bars):
        every = max(every, data.timeframe.ns // 60)
    return Marks(Hand(exchange, symbol), markets.data(exchange.name, symbol), every=every)


def script_of(
    markets: Markets, exchange: Exchange, symbol: str, data: Any, *, price: Any, shape: RandomShape, seed: int
) -> Script:
    """Return what plays a symbol; `data` as `opened` returns it, None for chance.

    As many minutes of recorded bars as the random market would have before it begins are history.
    """
    hand, kept = Hand(exchange, symbol), markets.data(exchange.name, symbol)
    if data is None:
        return RandomMarket(hand, kept, price=price, shape=shape, seed=seed)
    if isinstance(data, Path):
        return RawBookReplay(hand, data)
    if isinstance(data, Ticks):
        return TradeReplay(hand, data)
    if isinstance(data, Quotes):
        return QuoteReplay(hand, data)
    # At least one bar is left to be traded.
    history = min(shape.history * _MINUTE // data.timeframe.ns, len(data) - 1)
    return BarReplay(hand, kept, data, history=history, fill_volume=exchange.listing(symbol).step_size)
