"""Bars: price history as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import DataError
from cambist.model.columns import first_row, float_field, time_column
from cambist.model.timeframe import Timeframe
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument

__all__ = ["COLUMNS", "Bar", "Bars", "check_columns"]

#: The columns of a bar, in the field's order.
COLUMNS = ("open", "high", "low", "close", "volume")


@attrs.frozen(slots=True)
class Bar:
    """One bar as a value: what ``bar.copy()`` keeps, and what a live feed delivers.

    Attributes
    ----------
    ts
        Open time, ns, UTC.
    open, high, low, close
        Prices in quote currency.
    volume
        Traded size in units of the instrument.
    """

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def check_columns(ts: NDArray[np.int64], columns: dict[str, NDArray[np.float64]], name: str = "bars") -> None:
    """Refuse columns that are no bars; the error names the row, its time, the value and the remedy.

    Parameters
    ----------
    ts
        Open times, ns, shape ``(n,)``: must ascend strictly.
    columns
        ``open, high, low, close, volume``, float64, shape ``(n,)`` each: finite, prices above zero,
        ``high >= max(open, close)``, ``low <= min(open, close)``, ``volume >= 0``.
    name
        What to call them in the message.

    Raises
    ------
    DataError
        At the first violation.
    """
    lengths = {len(ts), *(len(column) for column in columns.values())}
    if len(lengths) > 1:
        sizes = ", ".join(f"{key} {len(column)}" for key, column in columns.items())
        raise DataError(f"{name}: columns differ in length (times {len(ts)}, {sizes}). Give every bar every value.")
    if len(ts) == 0:
        raise DataError(f"{name}: there are no bars. Check the path, the symbol and the time range.")

    def refuse(row: int, what: str, remedy: str) -> None:
        raise DataError(f"{name}: row {row} ({format_ns(int(ts[row]))}): {what}. {remedy}")

    steps = np.diff(ts)
    row = first_row(steps <= 0)
    if row is not None:
        what = "repeats the time of" if steps[row] == 0 else f"comes before ({format_ns(int(ts[row]))} at)"
        refuse(row + 1, f"its time {what} row {row}", "Sort the bars by time and drop repeats.")
    for key, column in columns.items():
        row = first_row(~np.isfinite(column))
        if row is not None:
            refuse(row, f"{key} is {column[row]}", "Fill or drop the bar before the run.")
    for key in ("open", "high", "low", "close"):
        row = first_row(columns[key] <= 0)
        if row is not None:
            refuse(row, f"{key} is {columns[key][row]}, and a price must be above zero", "Drop or repair the bar.")
    high, low = columns["high"], columns["low"]
    for key in ("open", "close"):
        row = first_row(columns[key] > high)
        if row is not None:
            refuse(row, f"high {high[row]} is below {key} {columns[key][row]}", "Drop or repair the bar.")
        row = first_row(columns[key] < low)
        if row is not None:
            refuse(row, f"low {low[row]} is above {key} {columns[key][row]}", "Drop or repair the bar.")
    row = first_row(columns["volume"] < 0)
    if row is not None:
        refuse(row, f"volume is {columns['volume'][row]}", "Volume counts units traded and cannot be negative.")


def _are_sound(ts: NDArray[np.int64], columns: dict[str, NDArray[np.float64]], length: int) -> bool:
    """Tell in a few passes whether there is nothing to find fault with; what there is, others find and name.

    Comparisons with NaN are false, and so are those with the lowest or the highest of values among which there is one.
    """
    open_, high, low, close, volume = columns.values()
    return (
        len(ts) > 0
        and len({len(ts), *map(len, columns.values())}) == 1
        and bool((np.diff(ts) >= length).all())
        and bool(low.min() > 0.0 and high.max() < np.inf)
        and bool((low <= open_).all() and (open_ <= high).all() and (low <= close).all() and (close <= high).all())
        and bool(volume.min() >= 0.0 and volume.max() < np.inf)
    )


def _timeframe(value: str | Timeframe) -> Timeframe:
    return Timeframe.parse(value)


@attrs.frozen(eq=False, slots=True, repr=False)
class Bars:
    """A series of bars of one instrument and one timeframe, checked.

    A bar carries its **open** time and is known at its **close** (open + timeframe).

    Attributes
    ----------
    instrument, timeframe
        Of what, and how long each bar is.
    ts
        Open times, int64 ns since the epoch, UTC, shape ``(n,)``, strictly ascending.
    open, high, low, close, volume
        float64, shape ``(n,)``, finite.

    Raises
    ------
    DataError
        If a column breaks the rules of `check_columns`, or two bars overlap.
    """

    instrument: Instrument
    timeframe: Timeframe = attrs.field(converter=_timeframe)
    ts: NDArray[np.int64] = attrs.field(converter=time_column)
    open: NDArray[np.float64] = float_field("open")
    high: NDArray[np.float64] = float_field("high")
    low: NDArray[np.float64] = float_field("low")
    close: NDArray[np.float64] = float_field("close")
    volume: NDArray[np.float64] = float_field("volume")

    def __attrs_post_init__(self) -> None:
        columns = self.columns
        if _are_sound(self.ts, columns, self.timeframe.shortest):
            return
        check_columns(self.ts, columns, self.name)
        row = first_row(np.diff(self.ts) < self.timeframe.shortest)
        if row is not None:
            raise DataError(
                f"{self.name}: row {row + 1} ({format_ns(int(self.ts[row + 1]))}) opens before row {row} "
                f"({format_ns(int(self.ts[row]))}) has closed. Is the timeframe really {self.timeframe}?"
            )

    @property
    def name(self) -> str:
        """Symbol and timeframe, for messages."""
        return f"{self.instrument.symbol} {self.timeframe}"

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The five columns by name."""
        return {key: getattr(self, key) for key in COLUMNS}

    @property
    def close_times(self) -> NDArray[np.int64]:
        """When each bar is known: open time + timeframe, ns, shape ``(n,)``."""
        return self.timeframe.closes(self.ts)

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, rows: slice) -> Bars:
        if not isinstance(rows, slice):
            raise TypeError(f"slice the bars (bars[10:20]) or index a column (bars.close[10]); got {rows!r}")
        if rows.step not in (None, 1):
            raise TypeError(f"bars are sliced without a step; got a step of {rows.step}")
        columns = (column[rows] for column in self.columns.values())
        return Bars(self.instrument, self.timeframe, self.ts[rows], *columns)

    def __iter__(self) -> Iterator[Bar]:
        columns = (column.tolist() for column in self.columns.values())
        return (Bar(*row) for row in zip(self.ts.tolist(), *columns, strict=True))

    def __repr__(self) -> str:
        first, last = format_ns(int(self.ts[0])), format_ns(int(self.ts[-1]))
        return f"<Bars {self.name}: {len(self)} bars, {first} .. {last}>"

    def blocks(self, size: int = 65_536) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows: the block protocol of data longer than memory."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    @classmethod
    def joined(cls, pieces: Sequence[Bars]) -> Bars:
        """Return pieces that follow each other, at least one and of one instrument, as one series."""
        if len(pieces) == 1:
            return pieces[0]
        ts = np.concatenate([piece.ts for piece in pieces])
        columns = (np.concatenate([getattr(piece, column) for piece in pieces]) for column in COLUMNS)
        return cls(pieces[0].instrument, pieces[0].timeframe, ts, *columns)

    def updated(self, newer: Bars) -> Bars:
        """Return these bars and those of `newer`, which replace what is here at the same times.

        Raises
        ------
        DataError
            If they are of another symbol or timeframe, or a bar of one overlaps a bar of the other.
        """
        if (newer.instrument.symbol, newer.timeframe) != (self.instrument.symbol, self.timeframe):
            raise DataError(f"bars of {newer.name} cannot update those of {self.name}.")
        kept = ~np.isin(self.ts, newer.ts, assume_unique=True)
        ts = np.concatenate([self.ts[kept], newer.ts])
        order = np.argsort(ts, kind="stable")
        columns = (
            np.concatenate([mine[kept], theirs])[order]
            for mine, theirs in zip(self.columns.values(), newer.columns.values(), strict=True)
        )
        return Bars(newer.instrument, self.timeframe, ts[order], *columns)

    def between(self, start: int | None = None, end: int | None = None) -> Bars | None:
        """Return the bars that open in ``[start, end)``, ns, UTC; None where there are none."""
        first = 0 if start is None else int(self.ts.searchsorted(start))
        last = len(self) if end is None else int(self.ts.searchsorted(end))
        return self[first:last] if last > first else None

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with a UTC ``DatetimeIndex`` of open times, named ``ts``."""
        import pandas as pd

        index = pd.DatetimeIndex(self.ts.view("datetime64[ns]"), tz="UTC", name="ts")
        return pd.DataFrame(self.columns, index=index)
