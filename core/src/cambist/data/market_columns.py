"""Which column is which in trades and quotes, and the side of a trade in the forms people write it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.columns import TIME_NAMES, pick_column
from cambist.errors import DataError
from cambist.model.ticks import Quotes, Ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["History", "MarketLayout", "code_sides", "find_market_columns", "make_history"]

#: Trades or quotes.
History = Ticks | Quotes

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
}
_OPTIONAL = {"bid_size", "ask_size"}
_SIDE_NAMES = ("side", "taker_side", "aggressor_side")
#: Exchanges say who waited: where the buyer did, the taker sold.
_MAKER_NAMES = ("buyer_is_maker", "is_buyer_maker")
_SIDES = {"buy": 1, "b": 1, "1": 1, "sell": -1, "s": -1, "-1": -1, "": 0, "0": 0, "unknown": 0}
_BUYER_WAITED = {"true": -1, "1": -1, "false": 1, "0": 1, "": 0}


@attrs.frozen
class MarketLayout:
    """Where to find what a trade or a quote needs.

    Attributes
    ----------
    time
        Position of the column of times; None if they are in the index.
    fields
        Positions of the columns of numbers, by the field's name.
    side
        Position of the column that tells the side of the taker, or None.
    tells_maker
        That column says whether the buyer waited.
    """

    time: int | None
    fields: dict[str, int]
    side: int | None = None
    tells_maker: bool = False


def find_market_columns(
    kind: str, labels: Sequence[Any], where: str, *, times_in_index: bool = False, unnamed: int | None = None
) -> MarketLayout:
    """Find the columns of ``"ticks"`` or ``"quotes"`` among `labels`; as `find_columns` does for bars.

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
    if kind != "ticks":
        return MarketLayout(time, fields)
    side = pick_column(labels, "side", _SIDE_NAMES, where)
    if side is not None:
        return MarketLayout(time, fields, side)
    maker = pick_column(labels, "side", _MAKER_NAMES, where)
    return MarketLayout(time, fields, maker, maker is not None)


def code_sides(codes: NDArray[np.int64], values: Sequence[Any], *, tells_maker: bool) -> NDArray[np.int8]:
    """Return sides as `Ticks.side` counts them.

    Parameters
    ----------
    codes
        For each row the position in `values` of what it says, -1 for nothing, shape ``(n,)``.
    values
        What rows say: buy or sell (b, s), 1 or -1, or whether the buyer waited; nothing or 0 where it is not known.
    tells_maker
        The rows say whether the buyer waited.

    Raises
    ------
    DataError
        A value is none of these; names its row.
    """
    known = _BUYER_WAITED if tells_maker else _SIDES
    meanings = np.zeros(len(values) + 1, np.int8)  # the last one is what -1 finds
    for number, value in enumerate(values):
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if text not in known:
            row = int((codes == number).argmax())
            accepted = "true or false" if tells_maker else "buy or sell, or 1 or -1"
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
    """Make trades or quotes of columns.

    Raises
    ------
    DataError
        The columns are none.
    """
    if kind == "quotes":
        return Quotes(instrument, ts, **numbers)
    return Ticks(instrument, ts, **numbers) if sides is None else Ticks(instrument, ts, **numbers, side=sides)
