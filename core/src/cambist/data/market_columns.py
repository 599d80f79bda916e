"""Which column is which in trades, quotes and books, and a side in the forms people write it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.columns import TIME_NAMES, pick_column
from cambist.errors import DataError
from cambist.model.books import BookUpdates
from cambist.model.ticks import Quotes, Ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["History", "MarketLayout", "code_sides", "find_market_columns", "make_history"]

#: Trades, quotes or a book.
History = Ticks | Quotes | BookUpdates

_ALIASES = {
    "ticks": {
        "price": ("price", "p", "last"),
        "size": ("size", "qty", "quantity", "volume", "amount", "q"),
    },
    "quotes": {
        "bid": ("bid", "bid_price"),
        "ask": ("ask", "ask_price"),
        "bid_size": ("bid_size", "bid_qty", "bid_quantity", "bid_volume"),
        "ask_size": ("ask_size", "ask_qty", "ask_quantity", "ask_volume"),
    },
    "book": {
        "price": ("price", "p"),
        "size": ("size", "qty", "quantity", "volume", "amount", "q"),
        "snapshot": ("snapshot", "is_snapshot"),
    },
}
_OPTIONAL = {"bid_size", "ask_size", "snapshot"}
_SIDE_NAMES = ("side", "taker_side", "aggressor_side")
#: Exchanges say who waited: where the buyer did, the taker sold.
_MAKER_NAMES = ("buyer_is_maker", "is_buyer_maker")
_SIDES = {"buy": 1, "b": 1, "1": 1, "sell": -1, "s": -1, "-1": -1, "": 0, "0": 0, "unknown": 0}
_BOOK_SIDES = {"bid": 1, "buy": 1, "b": 1, "1": 1, "ask": -1, "sell": -1, "a": -1, "s": -1, "-1": -1}
_BUYER_WAITED = {"true": -1, "1": -1, "false": 1, "0": 1, "": 0}


@attrs.frozen
class MarketLayout:
    """Where to find what a trade, a quote or a level of a book needs.

    Attributes
    ----------
    time
        Position of the column of times; None if they are in the index.
    fields
        Positions of the columns of numbers, by the field's name.
    side
        Position of the column that tells the side of the taker, or of the level, or None.
    tells_maker
        That column says whether the buyer waited.
    of_book
        That column says bid or ask.
    """

    time: int | None
    fields: dict[str, int]
    side: int | None = None
    tells_maker: bool = False
    of_book: bool = False


def find_market_columns(
    kind: str, labels: Sequence[Any], where: str, *, times_in_index: bool = False, unnamed: int | None = None
) -> MarketLayout:
    """Find the columns of ``"ticks"``, ``"quotes"`` or a ``"book"`` among `labels`; as `find_columns` does for bars.

    Raises
    ------
    DataError
        A column is missing, or two could be meant; lists what is there and what is needed.
    """
    time = None if times_in_index else pick_column(labels, "time", TIME_NAMES, where)
    if time is None and not times_in_index:
        time = unnamed
    places = {field: pick_column(labels, field, names, where) for field, names in _ALIASES[kind].items()}
    missing = [field for field, place in places.items() if place is None and field not in _OPTIONAL]
    side = None if kind == "quotes" else pick_column(labels, "side", _SIDE_NAMES, where)
    if kind == "book" and side is None:
        missing.append("side")
    if time is None and not times_in_index:
        missing.insert(0, "time")
    if missing:
        shown = ", ".join(repr(label) for label in labels) or "none"
        needed = "; ".join(f"{field} ({', '.join(names)})" for field, names in _ALIASES[kind].items())
        raise DataError(
            f"{where}: no column for {', '.join(missing)}. Found: {shown}. Needed for {kind}: a time "
            f"({', '.join(TIME_NAMES)}); {needed}; upper or lower case."
        )
    fields = {field: place for field, place in places.items() if place is not None}
    if kind != "ticks" or side is not None:
        return MarketLayout(time, fields, side, of_book=kind == "book")
    maker = pick_column(labels, "side", _MAKER_NAMES, where)
    return MarketLayout(time, fields, maker, maker is not None)


def code_sides(codes: NDArray[np.int64], values: Sequence[Any], layout: MarketLayout) -> NDArray[np.int8]:
    """Return sides as `Ticks.side` and `BookUpdates.side` count them.

    Parameters
    ----------
    codes
        For each row the position in `values` of what it says, -1 for nothing, shape ``(n,)``.
    values
        What rows say: buy or sell (b, s), 1 or -1, or whether the buyer waited; nothing or 0 where it is not known. Of
        a book: bid or ask.
    layout
        Tells which of these they say.

    Raises
    ------
    DataError
        A value is none of these; names its row.
    """
    known = _BOOK_SIDES if layout.of_book else _BUYER_WAITED if layout.tells_maker else _SIDES
    meanings = np.zeros(len(values) + 1, np.int8)  # the last one is what -1 finds
    for number, value in enumerate(values):
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if text not in known:
            row = int((codes == number).argmax())
            if layout.of_book:
                raise DataError(f"row {row}: the side {value!r} cannot be read. Write bid or ask, or 1 or -1.")
            accepted = "true or false" if layout.tells_maker else "buy or sell, or 1 or -1"
            raise DataError(f"row {row}: the side {value!r} cannot be read. Write {accepted}, or nothing.")
        meanings[number] = known[text]
    return meanings[codes]


def make_history(
    kind: str,
    instrument: Instrument,
    ts: NDArray[np.int64],
    numbers: Mapping[str, NDArray[np.float64]],
    sides: NDArray[np.int8] | None,
) -> History:
    """Make trades, quotes or a book of columns.

    Raises
    ------
    DataError
        The columns are none.
    """
    if kind == "quotes":
        return Quotes(instrument, ts, **numbers)
    if kind == "book":
        return BookUpdates(instrument, ts, side=sides, **numbers)
    return Ticks(instrument, ts, **numbers) if sides is None else Ticks(instrument, ts, **numbers, side=sides)
