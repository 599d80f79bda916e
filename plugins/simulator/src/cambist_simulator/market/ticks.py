"""Recorded trades and recorded quotes, played again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.model import Side
from cambist_simulator.market.history import BLOCK, loaded_quotes, loaded_ticks
from cambist_simulator.market.quoting import BookShape, Quoter
from cambist_simulator.market.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist_simulator.market.hand import Hand

__all__ = ["QuoteReplay", "TradeReplay"]

_BUY, _SELL = Side.BUY, Side.SELL


class TradeReplay(Script):
    """The trades of one symbol again, with a book made up around them.

    Parameters
    ----------
    hand
        Of the symbol.
    source
        `cambist.Ticks`, a DataFrame, the path of a file, or a source of ticks; see `cambist.open_ticks`. Prices must
        be on the listing's grid; sizes are rounded to its steps, and a trade of less than half a step is left out.
    shape
        Of the book; its sizes are shares of the largest trade of the last ones.

    Notes
    -----
    Takers whose side is not recorded bought where the price rose, sold where it fell, and did what they did last where
    it stayed (the tick rule: Lee and Ready, "Inferring Trade Direction from Intraday Data", 1991).

    A trade fills users' orders at its price and at better ones, up to its size; those at its price were first in line.
    What takes meets the price of the last trade, and then the levels behind it.
    """

    def __init__(self, hand: Hand, source: Any, *, shape: BookShape | None = None) -> None:
        super().__init__()
        self._hand = hand
        self._ticks = loaded_ticks(source)
        self._quoter = Quoter(hand, shape or BookShape())
        self._price = 0
        self._side = _BUY
        self._usual = 0
        hand.on_arrival(self._arrived)

    @property
    def first(self) -> int:
        """Of the first trade, ns."""
        return int(self._ticks.ts[0])

    @property
    def last(self) -> int:
        """Of the last trade, ns."""
        return int(self._ticks.ts[-1])

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each trade."""
        grid = self._hand.grid
        for block in self._ticks.blocks(BLOCK):
            rows = zip(
                block.ts.tolist(), grid.ticks(block.price), grid.lots(block.size), block.side.tolist(), strict=True
            )
            for at, ticks, lots, side in rows:
                if lots:
                    yield at + shift
                    self._trade(ticks, lots, side)

    def _trade(self, ticks: int, lots: int, recorded: int) -> None:
        if recorded:
            side = _BUY if recorded > 0 else _SELL
        elif ticks == self._price:
            side = self._side
        else:
            side = _BUY if ticks > self._price else _SELL
        self._price, self._side = ticks, side
        self._usual = max(lots, self._usual * 9 // 10)
        self._hand.go_first(side.opposite, ticks)
        self._quoter.around(ticks, side, self._usual)
        self._hand.trade(side, ticks, lots)
        self._quoter.around(ticks, side)

    def _arrived(self, side: Side, limit: int | None) -> None:
        """Turn the spread to somebody who would take at the price."""
        if self._price and (limit is None or (limit - self._price) * side.sign >= 0):
            self._quoter.around(self._price, side)


class QuoteReplay(Script):
    """The best bids and asks of one symbol again.

    Parameters
    ----------
    hand
        Of the symbol.
    source
        `cambist.Quotes`, a DataFrame, the path of a file, or a source of quotes; see `cambist.open_quotes`. Prices must
        be on the listing's grid.
    shape
        How many levels there are behind the best, how far apart, and their least sizes; the spread is the recorded one.

    Notes
    -----
    Nothing is traded but with users: a quote that reaches a user's order trades with it, up to the quote's size. Sizes
    that were not recorded are the least ones of `shape`. Where bid and ask are recorded as equal, the ask is a tick
    higher.
    """

    def __init__(self, hand: Hand, source: Any, *, shape: BookShape | None = None) -> None:
        super().__init__()
        self._hand = hand
        self._quotes = loaded_quotes(source)
        self._shape = shape or BookShape(levels=5)
        self._quoter = Quoter(hand, self._shape)

    @property
    def first(self) -> int:
        """Of the first quote, ns."""
        return int(self._quotes.ts[0])

    @property
    def last(self) -> int:
        """Of the last quote, ns."""
        return int(self._quotes.ts[-1])

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each quote."""
        grid, least = self._hand.grid, self._shape.least
        for block in self._quotes.blocks(BLOCK):
            sizes = [grid.lots(np.nan_to_num(one, nan=0.0)) for one in (block.bid_size, block.ask_size)]
            rows = zip(block.ts.tolist(), grid.ticks(block.bid), grid.ticks(block.ask), *sizes, strict=True)
            for at, bid, ask, bid_lots, ask_lots in rows:
                yield at + shift
                best = {_BUY: bid_lots or least, _SELL: ask_lots or least}
                self._quoter.quote(bid, max(ask, bid + 1), best=best)
