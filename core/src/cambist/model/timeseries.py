"""Numbers in time that a run is given beside its bars: mark prices, funding rates, cash flows, conversion rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError
from cambist.model.bars import Bars
from cambist.model.times import DAY_NS, SECOND_NS, format_ns, to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["FundingSeries", "PriceSeries", "read_table"]


def read_table(data: Any, where: str, columns: Sequence[str], optional: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
    """Return the times of a table (key ``ts``, int64 ns UTC) and its columns (float64), shape ``(n,)`` each.

    Parameters
    ----------
    data
        A DataFrame by time with the columns; a pandas Series or a tuple ``(times, values, ...)`` of the columns in
        order; `Bars`, by close time. Times are datetimes (none means UTC), ISO texts or integer nanoseconds.
    where
        What to call it in a message.
    columns, optional
        Names that must be there, and that may be. A Series has the first.

    Raises
    ------
    DataError
        If a column is missing, times do not ascend, or a value is not finite: names the row and its time.
    """
    wanted = [*columns, *optional]
    if isinstance(data, Bars):
        table: dict[str, Any] = {"ts": data.close_times, **{name: getattr(data, name) for name in columns}}
    elif hasattr(data, "columns") and hasattr(data, "index"):
        missing = [name for name in columns if name not in data.columns]
        if missing:
            raise DataError(f"{where}: there is no column {missing[0]!r}; it has {', '.join(map(str, data.columns))}.")
        table = {"ts": data.index, **{name: data[name] for name in wanted if name in data.columns}}
    elif hasattr(data, "index") and hasattr(data, "to_numpy"):
        table = {"ts": data.index, columns[0]: data}
    elif isinstance(data, tuple) and len(columns) < len(data) <= len(wanted) + 1:
        table = dict(zip(("ts", *wanted), data, strict=False))
    else:
        raise DataError(
            f"{where}: {type(data).__name__} cannot be read. Give a DataFrame by time with the columns "
            f"{', '.join(columns)}, or a tuple of times and {', '.join(columns)}."
        )
    read = {"ts": _times(table.pop("ts"), where)} | {name: _numbers(table[name], name, where) for name in table}
    _check(read, where)
    return read


def _times(values: Any, where: str) -> NDArray[np.int64]:
    if getattr(values, "tz", None) is not None:  # a DatetimeIndex of a zone
        values = values.tz_convert(None)
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return array.astype("datetime64[ns]").astype(np.int64)
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    try:
        return np.array([to_ns(value) for value in array.tolist()], np.int64)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None


def _numbers(values: Any, name: str, where: str) -> NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: column {name!r} cannot be read as numbers: {error}.") from None


def _check(table: dict[str, NDArray[Any]], where: str) -> None:
    ts = table["ts"]
    if not len(ts):
        raise DataError(f"{where}: it is empty. Give at least one row, or leave it out.")
    for name, column in table.items():
        if column.shape != ts.shape:
            raise DataError(f"{where}: {len(ts)} times and {len(column)} values of {name!r} do not belong together.")
    for row in np.flatnonzero(np.diff(ts) <= 0)[:1].tolist():
        raise DataError(f"{where}: row {row + 1} ({format_ns(ts[row + 1])}) is not later than the row before. Sort it.")
    for name, column in table.items():
        for row in np.flatnonzero(~np.isfinite(column))[:1].tolist():
            raise DataError(f"{where}: row {row} ({format_ns(ts[row])}): {name} is {column[row]}. Drop or repair it.")


@attrs.frozen(eq=False, slots=True)
class PriceSeries:
    """Prices known at instants, such as mark prices.

    Attributes
    ----------
    name
        For messages.
    times
        When each is known, int64 ns UTC, ascending, shape ``(n,)``.
    low, high, close
        Extremes since the time before, and the price at that time, float64, shape ``(n,)`` each.
    slack
        How far beyond its ends the series still counts, ns: its commonest spacing.
    """

    name: str
    times: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    close: NDArray[np.float64]
    slack: int

    @classmethod
    def read(cls, data: Any, name: str) -> PriceSeries:
        """Read `Bars`, a DataFrame with ``high, low, close`` by *close* time, a Series or ``(times, prices)``.

        Raises
        ------
        DataError
            If it is none of these, or not in order, or a price is not above zero.
        """
        ranged = isinstance(data, Bars) or (hasattr(data, "columns") and "close" in getattr(data, "columns", ()))
        table = read_table(data, name, ("close", "low", "high") if ranged else ("close",))
        ts, close = table["ts"], table["close"]
        low, high = table.get("low", close), table.get("high", close)
        for row in np.flatnonzero(low <= 0.0)[:1].tolist():
            raise DataError(f"{name}: row {row} ({format_ns(ts[row])}): {low[row]} is no price. Drop or repair it.")
        spacing = int(np.median(np.diff(ts))) if len(ts) > 1 else 0
        return cls(name, ts, low, high, close, spacing)

    def at(self, ts: int) -> float:
        """Return the last price known at `ts`; the first one before it.

        Raises
        ------
        DataError
            If the series does not reach there.
        """
        self.check(ts)
        row = int(np.searchsorted(self.times, ts, side="right")) - 1
        return float(self.close[max(row, 0)])

    def at_all(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return `at` for ascending times, shape ``(k,)``."""
        if len(times):
            self.check(int(times[0]))
            self.check(int(times[-1]))
        rows = np.searchsorted(self.times, times, side="right") - 1
        return self.close[np.maximum(rows, 0)]

    def extremes(self, opened: int, closed: int) -> tuple[float, float, float]:
        """Return the first price known at `opened`, and the lowest and highest from there to `closed`."""
        self.check(closed)
        first = int(np.searchsorted(self.times, opened, side="right"))
        stop = int(np.searchsorted(self.times, closed, side="right"))
        before = float(self.close[max(first - 1, 0)])
        if stop <= first:
            return before, before, before
        return before, min(before, float(self.low[first:stop].min())), max(before, float(self.high[first:stop].max()))

    def check(self, ts: int) -> None:
        """Refuse a time for which there is no price.

        Raises
        ------
        DataError
            Says from when to when there are some.
        """
        if self.times[0] - self.slack <= ts <= self.times[-1] + self.slack:
            return
        raise DataError(
            f"{self.name}: there is none for {format_ns(ts)}; it reaches from {format_ns(self.times[0])} to "
            f"{format_ns(self.times[-1])}. Give a series that covers the run."
        )


@attrs.frozen(eq=False, slots=True)
class FundingSeries:
    """Funding rates of one perpetual.

    Attributes
    ----------
    name
        For messages.
    times, rates
        When funding is exchanged, int64 ns UTC, ascending, in whole seconds, and the rate, float64; shape ``(n,)``.
    marks
        Mark prices at those times, shape ``(n,)``, or None where the data had none.
    """

    name: str
    times: NDArray[np.int64]
    rates: NDArray[np.float64]
    marks: NDArray[np.float64] | None

    @classmethod
    def read(cls, data: Any, symbol: str) -> FundingSeries:
        """Read a DataFrame with ``rate`` and perhaps ``mark``, a Series, or ``(times, rates[, marks])``.

        Raises
        ------
        DataError
            If it is none of these, not in order, or a rate is no fraction.
        """
        name = f"the funding of {symbol}"
        table = read_table(data, name, ("rate",), ("mark",))
        for row in np.flatnonzero(np.abs(table["rate"]) >= 1.0)[:1].tolist():
            raise DataError(
                f"{name}: row {row} ({format_ns(table['ts'][row])}): the rate is {table['rate'][row]}; it is a "
                "fraction of the notional: 0.0001 is 0.01 %."
            )
        # Binance's history has 08:00:00.007 for the exchange at 08:00, and who held at 08:00 is meant.
        times = table["ts"] - table["ts"] % SECOND_NS
        return cls(name, times, table["rate"], table.get("mark"))

    def check(self, start: int, end: int) -> None:
        """Refuse a stretch of time in which rates are missing: no perpetual pays less often than once a day.

        Raises
        ------
        DataError
            Says between which times they are.
        """
        inside = self.times[(self.times > start - DAY_NS) & (self.times < end + DAY_NS)]
        edges = np.concatenate(([start - DAY_NS], inside, [end + DAY_NS]))
        # At either end of the run a day may pass before the next exchange, and as much before the series begins.
        gaps = np.diff(edges)
        allowed = np.full(len(gaps), DAY_NS)
        allowed[[0, -1]] *= 2
        for row in np.flatnonzero(gaps > allowed)[:1].tolist():
            raise DataError(
                f"{self.name}: there is no rate between {format_ns(max(int(edges[row]), start))} and "
                f"{format_ns(min(int(edges[row + 1]), end))}. Give every exchange of the run's time."
            )
