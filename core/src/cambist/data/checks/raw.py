"""Bars that nobody has checked yet: what a file or a frame says, right or wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.columns import find_columns
from cambist.data.load import existing_file, open_source
from cambist.data.series import choose_instrument, infer_timeframe
from cambist.data.times import TimeReader
from cambist.errors import DataError
from cambist.model.bars import COLUMNS, Bars
from cambist.model.timeframe import Timeframe
from cambist.model.times import DAY_NS
from cambist.ports.data_rules import SeriesView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cambist.model.instrument import Instrument


__all__ = ["EXTRA", "RawBars", "never_closes", "read_raw"]

#: Further columns that rules know how to read, by the names that vendors give them.
EXTRA = {
    "adj_close": ("adj close", "adj_close", "adjclose", "adjusted close"),
    "dividends": ("dividends", "dividend"),
    "splits": ("stock splits", "stock_splits", "splits", "split"),
}


@attrs.frozen(eq=False, kw_only=True)
class RawBars:
    """Columns of bars, unchecked.

    Attributes
    ----------
    instrument, timeframe
        Of what, and how long each bar is.
    ts
        Open times, int64 ns, UTC, shape ``(n,)``, in whatever order.
    columns
        ``open, high, low, close, volume``, float64, shape ``(n,)`` each; NaN where a value is missing.
    extra
        ``adj_close``, ``dividends`` and ``splits``, as far as they came along.
    origin
        The row of the source that each row comes from, from 0; -1 for one that was put in. Shape ``(n,)``.
    """

    instrument: Instrument
    timeframe: Timeframe
    ts: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]
    extra: Mapping[str, NDArray[np.float64]] = attrs.field(factory=dict)
    origin: NDArray[np.int64] = attrs.field()

    @origin.default
    def _all_rows(self) -> NDArray[np.int64]:
        return np.arange(len(self.ts), dtype=np.int64)

    @property
    def name(self) -> str:
        """Symbol and timeframe, for messages."""
        return f"{self.instrument.symbol} {self.timeframe}"

    def __len__(self) -> int:
        return len(self.ts)

    def rows(self, rows: Any) -> RawBars:
        """Return some of the rows: a mask, row numbers or a slice."""
        return attrs.evolve(
            self,
            ts=self.ts[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
            extra={name: values[rows] for name, values in self.extra.items()},
            origin=self.origin[rows],
        )

    def view(self, **settings: Any) -> SeriesView:
        """Return the rows as rules look at them; `settings` are fields of `SeriesView`."""
        return SeriesView(timeframe=self.timeframe, ts=self.ts, columns=self.columns, extra=self.extra, **settings)

    def to_bars(self) -> Bars:
        """Return checked bars.

        Raises
        ------
        DataError
            A row is no bar, or does not follow the one before.
        """
        return Bars(self.instrument, self.timeframe, self.ts, *(self.columns[name] for name in COLUMNS))


def never_closes(ts: NDArray[np.int64], timeframe: Timeframe) -> bool:
    """Tell whether bars are of a market that never closes: a twentieth of them on each day of the week.

    Less than a week need not have every day; it must have no pause of six hours. By UTC, a Monday of Tokyo is a Sunday,
    and Tel Aviv trades on Sundays, so that it takes all seven.
    """
    if len(ts) < 2 or timeframe.ns >= 7 * DAY_NS:
        return True
    weekday = (ts // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday
    if np.bincount(weekday, minlength=7).min() >= 0.05 * len(ts):
        return True
    first, last = int(ts.min()), int(ts.max())
    if last - first >= 7 * DAY_NS or timeframe.ns >= DAY_NS:
        return False
    return bool(np.diff(np.sort(ts)).max() <= max(DAY_NS // 4, 2 * timeframe.ns))


def read_raw(
    source: Any,
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
) -> RawBars:
    """Read the columns of whatever holds bars, without refusing what is wrong with them.

    Parameters are those of `cambist.load`.

    Raises
    ------
    DataError
        There are no such columns, a time cannot be read, or there is no row.
    """
    if isinstance(source, RawBars):
        return source
    frame = None if timeframe is None else Timeframe.parse(timeframe)
    pandas = sys.modules.get("pandas")
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        existing_file(path)
        chosen = choose_instrument(symbol, instrument, default=path.name.partition(".")[0] or path.name)
        read = _parquet if path.name.lower().endswith((".parquet", ".pq")) else _csv
        return _assembled(chosen, frame, *read(path))
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _assembled(choose_instrument(symbol, instrument), frame, *_frame(source))
    bars = open_source(source, symbol=symbol, instrument=instrument, timeframe=timeframe).load()
    return RawBars(instrument=bars.instrument, timeframe=bars.timeframe, ts=bars.ts, columns=bars.columns)


def _assembled(
    instrument: Instrument, timeframe: Timeframe | None, ts: NDArray[np.int64], found: Mapping[str, NDArray[np.float64]]
) -> RawBars:
    if len(ts) == 0:
        raise DataError(f"{instrument.symbol}: there are no bars. Check the path, the symbol and the time range.")
    volume = found.get("volume", np.zeros(len(ts)))
    columns = {name: found[name] for name in COLUMNS[:4]} | {"volume": volume}
    extra = {name: found[name] for name in EXTRA if name in found}
    return RawBars(
        instrument=instrument,
        timeframe=timeframe or infer_timeframe(np.sort(ts)),
        ts=ts,
        columns=columns,
        extra=extra,
    )


def _places(labels: Sequence[Any], *, unnamed: int | None = None, in_index: bool = False) -> dict[str, int]:
    """Return the position of every column that is wanted, by its field; that of the times as ``"time"``."""
    layout = find_columns(labels, "the data", times_in_index=in_index, unnamed=unnamed)
    places = dict(layout.fields)
    if layout.time is not None:
        places["time"] = layout.time
    lower = [str(label).strip().lower() for label in labels]
    for field, names in EXTRA.items():
        found = [place for place, label in enumerate(lower) if label in names]
        if found:
            places[field] = found[0]
    return places


_Read = tuple["NDArray[np.int64]", "dict[str, NDArray[np.float64]]"]


def _frame(frame: Any) -> _Read:
    from cambist.data.sources.frame import read_numbers, read_times, times_of_index

    times = times_of_index(frame.index)
    places = _places(list(frame.columns), in_index=times is not None)
    if times is None:
        times = read_times(frame.iloc[:, places["time"]], TimeReader())
    return times, _numbers(places, lambda place: frame.iloc[:, place], read_numbers)


def _csv(path: Path) -> _Read:
    from cambist.data.sources.csv import frames, told
    from cambist.data.sources.csv_text import read_head

    with told(path):
        seen: list[Sequence[str]] = []

        def find(labels: Sequence[str], where: str, *, unnamed: int | None = None) -> Any:
            seen.append(labels)
            return find_columns(labels, where, unnamed=unnamed)

        head = read_head(path, find)
        frame = next(frames(path, head))
        frame.columns = list(seen[0])
        if not seen[0][0].strip():
            frame = frame.rename(columns={frame.columns[0]: "ts"})
        return _frame(frame)


def _parquet(path: Path) -> _Read:
    from cambist.data.sources.arrow import opened, read_numbers, read_times, unnamed_times

    with opened(path) as file:
        labels = file.schema_arrow.names
        places = _places(labels, unnamed=unnamed_times(file))
        table = file.read(columns=[labels[place] for place in places.values()])
        times = read_times(table.column(labels[places["time"]]), TimeReader())
        return times, _numbers(places, lambda place: table.column(labels[place]), read_numbers)


def _numbers(
    places: Mapping[str, int], column: Callable[[int], Any], read: Callable[[Any, str], NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    return {name: read(column(place), name) for name, place in places.items() if name != "time"}
