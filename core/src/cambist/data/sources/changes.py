"""Trades and quotes of a file whose rows say what has changed, and leave the rest empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.data.market_columns import make_history
from cambist.data.series import renumber
from cambist.data.sources.csv_text import find_fault
from cambist.data.sources.frame import read_numbers
from cambist.data.times import TimeReader
from cambist.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.data.market_columns import History
    from cambist.data.sources.dialect_layout import DialectHead
    from cambist.model.instrument import Instrument

__all__ = ["Changes"]

#: What MetaTrader's flags say has changed: bid and ask; last, volume, and that somebody bought or sold.
_OF_QUOTES, _BOUGHT, _SOLD = 2 | 4, 32, 64
_OF_TRADES = 8 | 16 | _BOUGHT | _SOLD


@attrs.define
class Changes:
    """Reads such a file piece by piece; how it is cut makes no difference.

    Attributes
    ----------
    path, kind, instrument, head
        Of what file, what is wanted of it, ``"ticks"`` or ``"quotes"``, and what its first line says.
    """

    path: Path
    kind: str
    instrument: Instrument
    head: DialectHead
    _times: TimeReader = attrs.field(factory=TimeReader, init=False)
    #: What the last row of the piece before left, by field.
    _last: dict[str, float] = attrs.field(factory=dict, init=False)
    _is_seen: bool = attrs.field(default=False, init=False)

    def read(self, frame: pd.DataFrame) -> History | None:
        """Return what the rows of a piece tell; None where none of them tells anything of the kind.

        Raises
        ------
        DataError
            A row cannot be read: names the row of the piece, its time and the value.
        """
        fields = self.head.layout.fields
        told = {name: _without_zeros(read_numbers(frame[place], name)) for name, place in fields.items()}
        self._refuse_cut(frame)
        flags = self._flags(frame)
        rows = np.flatnonzero(self._is_wanted(told, flags))
        numbers = {name: self._filled(name, values)[rows] for name, values in told.items()}
        ts = self.head.read_times(frame, self._times)[rows]
        if self.kind == "quotes":  # until both sides have been told there is no quote
            known = ~np.isnan(numbers["bid"]) & ~np.isnan(numbers["ask"])
            rows, ts = rows[known], ts[known]
            numbers = {name: values[known] for name, values in numbers.items()}
        if not len(rows):
            return None
        sides = None if flags is None or self.kind == "quotes" else _sides(flags[rows])
        try:
            return make_history(self.kind, self.instrument, ts, numbers, sides)
        except DataError as error:
            raise DataError(renumber(str(error), lambda row: f"row {rows[row]}")) from None

    def _flags(self, frame: pd.DataFrame) -> NDArray[np.int64] | None:
        if self.head.flags is None:
            return None
        values = read_numbers(frame[self.head.flags], "flags")
        wrong = ~np.isfinite(values) | (values != np.floor(values)) | (values < 0)
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(f"row {row}: flags is {frame[self.head.flags].iloc[row]!r}, and must be a whole number.")
        return values.astype(np.int64)

    def _is_wanted(self, told: dict[str, NDArray[np.float64]], flags: NDArray[np.int64] | None) -> NDArray[np.bool_]:
        """Tell which rows are of the kind: by their flags, or by what they fill in."""
        if flags is not None and self.kind == "ticks":  # a trade may change nothing
            wanted: NDArray[np.bool_] = (flags & _OF_TRADES) != 0
            return wanted
        some = np.zeros(len(next(iter(told.values()))), np.bool_)
        for values in told.values():
            some |= ~np.isnan(values)
        return some if flags is None else some | ((flags & _OF_QUOTES) != 0)

    def _filled(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values with those that did not change in the place of what is empty."""
        values = np.concatenate(([self._last.get(name, np.nan)], values))
        latest = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
        values = values[latest]
        self._last[name] = float(values[-1])
        return values[1:]

    def _refuse_cut(self, frame: pd.DataFrame) -> None:
        """Refuse a line that lacks fields; an empty one is no sign of that.

        Where flags are in each line, they lack in such a one; otherwise the text is looked through once.
        """
        seen, self._is_seen = self._is_seen, True
        if seen if self.head.flags is None else not frame[self.head.flags].isna().any():
            return
        fault = find_fault(self.path, self.head)
        if fault is not None:
            raise DataError(fault)


def _without_zeros(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values == 0.0, np.nan, values)


def _sides(flags: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return who took: 1 for a buyer, -1 for a seller, 0 where both are said or none."""
    sides: NDArray[np.int8] = np.sign((flags & _BOUGHT) // _BOUGHT - (flags & _SOLD) // _SOLD).astype(np.int8)
    return sides
