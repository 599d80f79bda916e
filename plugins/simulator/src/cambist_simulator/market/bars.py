"""Recorded bars, traded again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist import load
from cambist.api import DataError, ParameterError
from cambist.model import Side
from cambist.simulation import intrabar_path
from cambist_simulator.market.history import bar_candles, bar_ticks
from cambist_simulator.market.path import path_of, turns_of
from cambist_simulator.market.quoting import BookShape, Quoter
from cambist_simulator.market.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from cambist.simulation import IntrabarPath
    from cambist_simulator.market.data import MarketData
    from cambist_simulator.market.hand import Hand
    from cambist_simulator.market.path import BarTicks, PathPoint

__all__ = ["BarReplay"]

_BUY, _SELL = Side.BUY, Side.SELL
_MS = 1_000_000


class BarReplay(Script):
    """Trades along the bars of one symbol, so that candles of the public trades are the recorded bars again.

    Parameters
    ----------
    hand
        Of the symbol.
    data
        What is kept of it.
    source
        `cambist.Bars`, a DataFrame, the path of a file, or an object with ``blocks(size)``; see `cambist.load`.
        Prices must be on the listing's grid; volumes are rounded to its steps.
    points
        Trades of a bar, if its volume is enough for so many.
    path
        The way inside a bar, as in a backtest: ``"nearer_first"``, ``"pessimistic"`` (which knows no position here),
        or a function.
    shape
        Of the book around the price.
    history
        Bars at the beginning that are not traded: they are candles from the start, for whoever asks for the past.
    fill_volume
        Volume of each trade of a bar that has too little for one at each turn of its price, such as a bar of an index,
        which has none. None refuses such a bar.

    Raises
    ------
    DataError
        The source cannot be read, is not on the grid, or has a bar with too little volume.

    Notes
    -----
    *The way.* The price goes as in a backtest: from the open in straight lines through both extremes to the close. At
    each price at which a user's order waits, on the way or at a turn of it, there is a trade; so an order with a limit
    fills when the price touches it, all of it, at its limit, and a stop is triggered at its price.

    *Between bars* the book goes to the next open at once, before anything is traded there. So what is sent when a bar
    closes meets the next open. Users' orders that the open has passed trade at the open.

    *Takers.* The spread stands to the side of whoever comes: an order of a user that takes meets the price of the last
    trade, and then the levels behind it.

    *Volume.* What users trade is part of the bar's volume, as long as the bar has that much.
    """

    def __init__(
        self,
        hand: Hand,
        data: MarketData,
        source: Any,
        *,
        points: int = 12,
        path: str | IntrabarPath = "nearer_first",
        shape: BookShape | None = None,
        fill_volume: Decimal | None = None,
        history: int = 0,
    ) -> None:
        super().__init__()
        if points < 1:
            raise ParameterError(f"{hand.symbol}: a bar of {points} trades cannot be traded; give points=1 or more.")
        self._hand, self._data = hand, data
        bars = load(source)
        if not 0 <= history < len(bars):
            raise ParameterError(
                f"{hand.symbol}: {history} of {len(bars)} bars are to be history; give 0 or more, and leave one."
            )
        self._before, self._bars = bars[:history] if history else None, bars[history:]
        self._points = points
        self._path = intrabar_path(path)
        self._quoter = Quoter(hand, shape or BookShape())
        self._fill_lots = 0 if fill_volume is None else hand.grid.lots_of(fill_volume)
        self._price = 0
        self._left = 0
        self._side = _BUY
        hand.on_print(self._printed)
        hand.on_arrival(self._arrived)

    @property
    def first(self) -> int:
        """When the first bar opens, ns."""
        return int(self._bars.ts[0])

    @property
    def last(self) -> int:
        """When the last bar closes, ns."""
        return int(self._bars.ts[-1]) + self._bars.timeframe.ns

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each move of the book and of each trade."""
        self._remember(shift)
        before: BarTicks | None = None
        for bar in bar_ticks(self._bars, self._hand.grid, self._path, shift):
            if before is not None and bar.opens > before.closes:
                self._data.pause()
            before = bar
            yield bar.opens
            points = self._plan(bar)
            self._open(bar)
            for number, point in enumerate(points):
                yield point.at
                self._walk(point, len(points) - number)
        self._data.pause()

    def _remember(self, shift: int) -> None:
        """Put the bars of the past where candles are; once, since what follows is remembered anyway."""
        if self._before is not None:
            candles = bar_candles(self._before, self._hand.grid, self._data.contract, shift)
            self._data.preload(str(self._before.timeframe), candles)
            self._before = None

    # A bar.

    def _plan(self, bar: BarTicks) -> list[PathPoint]:
        """Return the trades of a bar, none where nothing was traded; note its volume."""
        turns = turns_of(bar)
        lots = bar.lots
        if lots < len(turns) and (lots or len(turns) > 1):
            lots = self._fill_lots * len(turns)
            if not lots:
                raise DataError(
                    f"{self._hand.symbol}: the bar that opens at {bar.opens} ns has a volume of "
                    f"{self._hand.grid.size(lots)}, too little for a trade at each of {len(turns)} prices. List the "
                    "symbol with a smaller step size, or give each trade of such a bar a size: fill_volume=..."
                )
        self._left = lots
        return path_of(bar, min(self._points, lots)) if lots else []

    def _open(self, bar: BarTicks) -> None:
        """Move the book to the open; orders of users that it has passed trade there."""
        side = _BUY if bar.open >= (self._price or bar.open) else _SELL
        self._price, self._side = bar.open, side
        self._hand.cross(bar.open)
        self._quoter.around(bar.open, side, bar.lots)

    def _walk(self, point: PathPoint, left: int) -> None:
        """Go on to a point, with a trade at each price on the way at which a user's order waits."""
        while waiting := self._hand.waiting(self._price, point.ticks):
            ticks = waiting[0]
            self._trade(ticks, self._hand.resting(self._facing(ticks), ticks) or 1)
        lots = self._left if left == 1 else self._left // left
        if point.turn or lots > 0:
            self._trade(point.ticks, max(1, lots, self._hand.resting(self._facing(point.ticks), point.ticks)))

    def _facing(self, ticks: int) -> Side:
        """Return the side of the orders that a move to `ticks` meets."""
        return self._taker(ticks).opposite

    def _taker(self, ticks: int) -> Side:
        if ticks == self._price:
            return self._side
        return _BUY if ticks > self._price else _SELL

    def _trade(self, ticks: int, lots: int) -> None:
        side = self._taker(ticks)
        self._price, self._side = ticks, side
        self._hand.go_first(side.opposite, ticks)
        self._quoter.around(ticks, side)
        self._hand.trade(side, ticks, lots)
        self._quoter.around(ticks, side)

    def _printed(self, lots: int) -> None:
        self._left -= lots

    def _arrived(self, side: Side, limit: int | None) -> None:
        """Turn the spread to somebody who would take at the price."""
        if self._price and (limit is None or (limit - self._price) * side.sign >= 0):
            self._quoter.around(self._price, side)
