"""Recorded raw streams of an order book, played again level by level."""

from __future__ import annotations

import gzip
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cambist.api import DataError
from cambist.model import Side
from cambist_simulator.market.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist_simulator.market.hand import Hand
    from cambist_simulator.market.history import Grid

__all__ = ["RawBookReplay", "RawMessage", "read_raw"]

_BUY, _SELL = Side.BUY, Side.SELL
_NOTHING: dict[Side, list[tuple[int, int]]] = {_BUY: [], _SELL: []}
_Levels = tuple[tuple[str, str], ...]


class _Data(msgspec.Struct):
    """The body of a message of any stream; what a stream does not have is as below."""

    e: str = ""
    u: int = 0
    b: str | _Levels = ()
    B: str = ""
    a: str | _Levels = ()
    A: str = ""
    p: str = ""
    q: str = ""
    m: bool = False
    X: str = "MARKET"


class _Line(msgspec.Struct):
    stream: str = ""
    data: _Data | None = None
    lastUpdateId: int = 0  # noqa: N815 - the wire's word
    bids: _Levels = ()
    asks: _Levels = ()


class RawMessage(msgspec.Struct):
    """A message as it was received.

    Attributes
    ----------
    at
        ns, of the receiver's clock.
    kind
        ``"snapshot"``, ``"depth"``, ``"ticker"`` or ``"trade"``.
    update_id
        Of the last change in it; 0 for a trade.
    bids, asks
        (ticks, lots); absolute, and 0 lots where nothing is left. One level each of a ticker.
    ticks, lots, side
        Of a trade; `side` is the taker's.
    """

    at: int
    kind: str
    update_id: int = 0
    bids: list[tuple[int, int]] = []
    asks: list[tuple[int, int]] = []
    ticks: int = 0
    lots: int = 0
    side: Side = _BUY


class _Parser:
    """Turns decimals on the wire into ticks and lots; the same text comes often."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._prices: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

    def price(self, text: str) -> int:
        found = self._prices.get(text)
        if found is None:
            found = self._prices[text] = self._grid.exact_ticks(text)
        return found

    def size(self, text: str) -> int:
        found = self._sizes.get(text)
        if found is None:
            if len(self._sizes) > 100_000:
                self._sizes.clear()
            found = self._sizes[text] = self._grid.nearest_lots(text)
        return found

    def levels(self, rows: _Levels) -> list[tuple[int, int]]:
        prices, sizes = self._prices.get, self._sizes.get
        found = []
        for text, other in rows:
            ticks, lots = prices(text), sizes(other)
            found.append((self.price(text) if ticks is None else ticks, self.size(other) if lots is None else lots))
        return found


def read_raw(path: str | Path, grid: Grid) -> Iterator[RawMessage]:
    """Yield the messages of a file of raw streams, as they are written down.

    Parameters
    ----------
    path
        Lines of a receive time (ns) and a message, gzipped where the name ends on ``.gz``: ``depthUpdate``,
        ``bookTicker`` and ``trade`` in the envelope of combined streams, and answers to requests for the book.
    grid
        Of the listing.

    Raises
    ------
    DataError
        A line is none of these, or off the grid; names the file and the line.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    decode = msgspec.json.Decoder(_Line).decode
    parser = _Parser(grid)
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            at, _, text = line.partition(b" ")
            try:
                message = _message(int(at), decode(text), parser)
            except (ValueError, msgspec.DecodeError, DataError) as error:
                raise DataError(
                    f"{path}, line {number}: {error}. A line is a receive time in ns and a message of a raw stream."
                ) from error
            if message is not None:
                yield message


def _message(at: int, line: _Line, parser: _Parser) -> RawMessage | None:
    data = line.data
    if data is None:
        if not line.lastUpdateId:
            raise DataError("it is neither a message of a stream nor a snapshot of the book")
        bids, asks = parser.levels(line.bids), parser.levels(line.asks)
        return RawMessage(at, "snapshot", line.lastUpdateId, bids, asks)
    if data.e == "trade":
        if data.X != "MARKET":
            return None  # the insurance fund's, which is no trade of the book
        side = _SELL if data.m else _BUY
        return RawMessage(at, "trade", ticks=parser.price(data.p), lots=parser.size(data.q), side=side)
    if isinstance(data.b, str) and isinstance(data.a, str):
        bids = [(parser.price(data.b), parser.size(data.B))]
        return RawMessage(at, "ticker", data.u, bids, [(parser.price(data.a), parser.size(data.A))])
    if isinstance(data.b, str) or isinstance(data.a, str):
        raise DataError("it has a price on one side and levels on the other")
    return RawMessage(at, "depth", data.u, parser.levels(data.b), parser.levels(data.a))


class RawBookReplay(Script):
    """A recorded book again: snapshots, changes of levels, best prices and trades, each when it was received.

    Parameters
    ----------
    hand
        Of the symbol; prices must be on the listing's grid, and sizes are rounded to it.
    path
        See `read_raw`.

    Attributes
    ----------
    update_id
        Number, in the recording, of the last change that was applied.

    Notes
    -----
    The book begins as the first snapshot shows it, wherever in the file that is; changes up to its number are left out.
    A best price that came after the last change of levels stands until the next one: what was better is gone, and what
    the change does not mention is as it was before. Trades are printed and fill users' orders, and leave the market's
    own sizes alone, since the record tells those.
    """

    def __init__(self, hand: Hand, path: str | Path) -> None:
        super().__init__()
        self._hand, self._path = hand, path
        self._book: dict[Side, dict[int, int]] = {_BUY: {}, _SELL: {}}
        self._over: dict[Side, set[int]] = {_BUY: set(), _SELL: set()}
        self.update_id = 0
        self._ticker_id = 0
        self._known: dict[Side, list[tuple[int, int]]] = {_BUY: [], _SELL: []}
        self._seen = -1
        self._first = next((one.at for one in read_raw(path, hand.grid)), None)
        self._last: int | None = None

    @property
    def first(self) -> int | None:
        """When the first message was received, ns."""
        return self._first

    @property
    def last(self) -> int | None:
        """When the last one was, ns; None until it has been reached once."""
        return self._last

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each message."""
        messages = read_raw(self._path, self._hand.grid)
        self.update_id, self._ticker_id, self._seen = 0, 0, -1
        head: list[RawMessage] = []
        for one in messages:
            head.append(one)
            if one.kind == "snapshot":
                yield head[0].at + shift
                self._snapshot(one)
                break
        at = 0
        for one in chain(head, messages):
            if one.update_id and one.update_id <= self.update_id:
                continue
            at = one.at
            yield at + shift
            self._apply(one)
        self._last = at or self._first

    def _apply(self, one: RawMessage) -> None:
        if one.kind == "ticker":
            self._ticker(one)
        elif one.kind == "depth":
            self._depth(one)
        elif one.kind == "snapshot":
            self._snapshot(one)
        elif self._hand.trades:
            self._hand.print_trade(one.side, one.ticks, one.lots)

    def _snapshot(self, one: RawMessage) -> None:
        changes: list[tuple[Side, int, int]] = []
        for side, levels in ((_BUY, dict(one.bids)), (_SELL, dict(one.asks))):
            changes.extend((side, ticks, 0) for ticks in self._hand.own(side) if ticks not in levels)
            changes.extend((side, ticks, lots) for ticks, lots in levels.items())
            self._book[side] = levels
            self._over[side].clear()
        self.update_id = one.update_id
        self._hand.show(changes)

    def _depth(self, one: RawMessage) -> None:
        changes: list[tuple[Side, int, int]] = []
        newer = one.update_id >= self._ticker_id
        for side, levels in ((_BUY, one.bids), (_SELL, one.asks)):
            book, over = self._book[side], self._over[side]
            for ticks, lots in levels:
                if lots:
                    book[ticks] = lots
                else:
                    book.pop(ticks, None)
                if newer:
                    over.discard(ticks)
                elif ticks in over:
                    continue
                changes.append((side, ticks, lots))
            if newer and over:
                changes.extend((side, ticks, book.get(ticks, 0)) for ticks in over)
                over.clear()
        self.update_id = one.update_id
        self._hand.show(changes)

    def _ticker(self, one: RawMessage) -> None:
        hand = self._hand
        changes: list[tuple[Side, int, int]] = []
        # As long as nobody else has changed the book, a side that is told again is as it was told.
        known = self._known if hand.update_id == self._seen else _NOTHING
        for side, levels in ((_BUY, one.bids), (_SELL, one.asks)):
            if known[side] == levels:
                continue
            self._known[side] = levels
            ticks, lots = levels[0]
            over = self._over[side]
            for better in hand.better(side, ticks):
                over.add(better)
                changes.append((side, better, 0))
            if hand.lots_at(side, ticks) != lots:
                over.add(ticks)
                changes.append((side, ticks, lots))
        self._ticker_id = one.update_id
        if changes:
            hand.show(changes)
        self._seen = hand.update_id
