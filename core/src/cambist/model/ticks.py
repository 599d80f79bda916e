"""Trades and quotes: market history finer than bars, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import attrs
import numpy as np

from cambist.errors import DataError
from cambist.model.columns import column, first_row, float_field, time_column
from cambist.model.market import Quote, Tick
from cambist.model.orders import Side
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["SIDE_OF", "History", "Quotes", "Ticks"]

#: What a number in ``Ticks.side`` stands for.
SIDE_OF: dict[int, Side | None] = {1: Side.BUY, -1: Side.SELL, 0: None}

#: Values of one event, `Tick` or `Quote`.
_Value = TypeVar("_Value")


def _side_column(values: Any) -> NDArray[np.int8]:
    sides = column(values, "side", np.int64)
    row = first_row((sides < -1) | (sides > 1))
    if row is not None:
        raise DataError(f"row {row}: side is {sides[row]}. Write 1 where the taker bought, -1 sold, 0 not known.")
    return sides.astype(np.int8)


@attrs.frozen(eq=False, slots=True, repr=False)
class History(Generic[_Value]):
    """What trades, quotes and books share: rows in the order of time, several of one time among them."""

    kind: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]

    instrument: Instrument
    ts: NDArray[np.int64] = attrs.field(converter=time_column)

    def _check(self) -> None:
        lengths = {len(self.ts), *(len(values) for values in self.columns.values())}
        if len(lengths) > 1:
            sizes = ", ".join(f"{key} {len(values)}" for key, values in self.columns.items())
            raise DataError(
                f"{self.name}: columns differ in length (times {len(self.ts)}, {sizes}). Give every row every value."
            )
        if len(self.ts) == 0:
            raise DataError(f"{self.name}: there are no rows. Check the path, the symbol and the time range.")
        row = first_row(np.diff(self.ts) < 0)
        if row is not None:
            before = f"its time comes before that of row {row} ({format_ns(int(self.ts[row]))})"
            self._refuse(row + 1, before, "Sort the rows by time, keeping the order of those of one time.")

    def _refuse_where(self, mask: NDArray[np.bool_], key: str, remedy: str) -> None:
        """Refuse the first row where `mask` holds, for its value of the column `key`."""
        row = first_row(mask)
        if row is not None:
            self._refuse(row, f"{key} is {self.columns[key][row]}", remedy)

    def _refuse(self, row: int, what: str, remedy: str) -> None:
        raise DataError(f"{self.name}: row {row} ({format_ns(int(self.ts[row]))}): {what}. {remedy}")

    @property
    def name(self) -> str:
        """Symbol and kind, for messages."""
        return f"{self.instrument.symbol} {self.kind}"

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns by name, without the times."""
        return {key: getattr(self, key) for key in self.fields}

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: slice) -> Self:
        if not isinstance(rows, slice):
            raise TypeError(f"slice the {self.kind} (data[10:20]) or index a column (data.ts[10]); got {rows!r}")
        if rows.step not in (None, 1):
            raise TypeError(f"{self.kind} are sliced without a step; got a step of {rows.step}")
        return type(self)(self.instrument, self.ts[rows], *(values[rows] for values in self.columns.values()))

    def __iter__(self) -> Iterator[_Value]:
        columns = (values.tolist() for values in self.columns.values())
        return (self._value(*row) for row in zip(self.ts.tolist(), *columns, strict=True))

    def _value(self, *row: Any) -> _Value:
        raise NotImplementedError

    def __repr__(self) -> str:
        first, last = format_ns(int(self.ts[0])), format_ns(int(self.ts[-1]))
        return f"<{type(self).__name__} {self.instrument.symbol}: {len(self)} rows, {first} .. {last}>"

    def blocks(self, size: int = 65_536) -> Iterator[Self]:
        """Yield the rows in pieces of at most `size`: the block protocol of data longer than memory."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def load(self) -> Self:
        """Return the rows: history in memory is a source by itself."""
        return self

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with a UTC ``DatetimeIndex`` named ``ts``."""
        import pandas as pd

        index = pd.DatetimeIndex(self.ts.view("datetime64[ns]"), tz="UTC", name="ts")
        return pd.DataFrame(self.columns, index=index)


@attrs.frozen(eq=False, slots=True, repr=False)
class Ticks(History[Tick]):
    """Trades of one instrument as the market printed them, checked.

    Attributes
    ----------
    instrument
        Of what.
    ts
        Times, int64 ns since the epoch, UTC, shape ``(n,)``, ascending; several trades may share one.
    price
        In quote currency, float64, shape ``(n,)``, finite and above zero.
    size
        In units of the instrument, float64, shape ``(n,)``, finite and not negative.
    side
        Of the taker, int8, shape ``(n,)``: 1 bought, -1 sold, 0 not known. Default: 0 everywhere.

    Raises
    ------
    DataError
        If a column breaks these rules; names the row, its time and the value.
    """

    kind: ClassVar[str] = "ticks"
    fields: ClassVar[tuple[str, ...]] = ("price", "size", "side")

    price: NDArray[np.float64] = float_field("price")
    size: NDArray[np.float64] = float_field("size")
    side: NDArray[np.int8] = attrs.field(converter=_side_column)

    @side.default
    def _unknown(self) -> NDArray[np.int8]:
        return np.zeros(len(self.ts), np.int8)

    def __attrs_post_init__(self) -> None:
        self._check()
        price, size = self.price, self.size
        self._refuse_where(~(np.isfinite(price) & (price > 0)), "price", "A price is a finite number above zero.")
        self._refuse_where(~(np.isfinite(size) & (size >= 0)), "size", "A size is a finite number, not negative.")

    def _value(self, *row: Any) -> Tick:
        ts, price, size, side = row
        return Tick(self.instrument, ts, price, size, SIDE_OF[side])


@attrs.frozen(eq=False, slots=True, repr=False)
class Quotes(History[Quote]):
    """Best bids and asks of one instrument, checked.

    Attributes
    ----------
    instrument
        Of what.
    ts
        Times, int64 ns since the epoch, UTC, shape ``(n,)``, ascending; several quotes may share one.
    bid, ask
        In quote currency, float64, shape ``(n,)``, finite and above zero, ``bid <= ask``.
    bid_size, ask_size
        In units of the instrument, float64, shape ``(n,)``, not negative; NaN where nobody told. Default: NaN
        everywhere.

    Raises
    ------
    DataError
        If a column breaks these rules; names the row, its time and the value.
    """

    kind: ClassVar[str] = "quotes"
    fields: ClassVar[tuple[str, ...]] = ("bid", "ask", "bid_size", "ask_size")

    bid: NDArray[np.float64] = float_field("bid")
    ask: NDArray[np.float64] = float_field("ask")
    bid_size: NDArray[np.float64] = float_field("bid_size")
    ask_size: NDArray[np.float64] = float_field("ask_size")

    @bid_size.default
    @ask_size.default
    def _untold(self) -> NDArray[np.float64]:
        return np.full(len(self.ts), np.nan)

    def __attrs_post_init__(self) -> None:
        self._check()
        bid, ask = self.bid, self.ask
        for key, price in (("bid", bid), ("ask", ask)):
            self._refuse_where(~(np.isfinite(price) & (price > 0)), key, "A price is a finite number above zero.")
        row = first_row(bid > ask)
        if row is not None:
            self._refuse(row, f"bid {bid[row]} is above ask {ask[row]}", "Drop or repair crossed quotes.")
        for key in ("bid_size", "ask_size"):
            size = self.columns[key]
            self._refuse_where(
                (size < 0) | np.isinf(size), key, "A size is not negative, or NaN where it is not known."
            )

    def _value(self, *row: Any) -> Quote:
        return Quote(self.instrument, *row)
