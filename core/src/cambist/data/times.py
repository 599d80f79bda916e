"""Open times of many bars, in whatever form they come, to int64 nanoseconds UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError
from cambist.model.times import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OFFSET", "EpochUnit", "TimeReader", "mixed_offsets", "scale_to_ns", "text_to_ns"]

_LARGEST = np.iinfo(np.int64).max
_YEAR = "datetime64[Y]"
#: Nobody has bars from before or after: a time out here was read in the wrong unit.
_EARLIEST, _LATEST = (int(np.datetime64(day, "s").astype(np.int64)) * SECOND_NS for day in ("1800-01-01", "2200-01-01"))


@attrs.frozen
class EpochUnit:
    """A unit in which times since 1970 are counted.

    Attributes
    ----------
    name
        ``s``, ``ms``, ``us`` or ``ns``.
    ns
        Its length in nanoseconds.
    end
        Counts from here on are too large for it: the year 5138 in seconds is the year 1973 in milliseconds.
    """

    name: str
    ns: int
    end: float


_UNITS = (
    EpochUnit("s", SECOND_NS, 1e11),
    EpochUnit("ms", 1_000_000, 1e14),
    EpochUnit("us", 1_000, 1e17),
    EpochUnit("ns", 1, np.inf),
)
#: Integers like 20240301.
_DATES = EpochUnit("dates", DAY_NS, 1e8)


def _first(mask: NDArray[np.bool_]) -> int | None:
    row = int(mask.argmax()) if len(mask) else 0
    return row if len(mask) and mask[row] else None


def scale_to_ns(values: NDArray[np.int64], unit_ns: int) -> NDArray[np.int64]:
    """Multiply times in a unit of `unit_ns` nanoseconds up to nanoseconds.

    Raises
    ------
    DataError
        A time does not fit into 64 bits: it is before 1677 or after 2262.
    """
    if unit_ns == 1:
        return values
    row = _first((values > _LARGEST // unit_ns) | (values < -(_LARGEST // unit_ns)))
    if row is not None:
        raise DataError(
            f"row {row}: the time {values[row]} x {unit_ns} ns lies outside the years 1678 to 2262. Repair the times."
        )
    return values * np.int64(unit_ns)


#: A text whose time of day ends with Z or an offset from UTC.
OFFSET = r"(?:\d:\d{2}|T\d{4}).*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$"


def mixed_offsets(row: int, text: str, *, has: bool) -> DataError:
    """Return the error of times some of which name an offset from UTC."""
    what = "an offset from UTC" if has else "no offset from UTC"
    return DataError(f"row {row}: the time {text!r} has {what}, unlike those before it. Write all times in one way.")


@attrs.define
class TimeReader:
    """Reads times given as numbers, telling their unit from their magnitude, and as texts.

    The unit is that of the largest number of the first piece and stays for the pieces that follow, so that a file
    read in blocks reads like one read at once; so does whether texts name an offset from UTC.

    Attributes
    ----------
    unit, with_offset
        What the first piece told; None before.

    Notes
    -----
    A count of at least 1e17 is nanoseconds, at least 1e14 microseconds, at least 1e11 milliseconds, below that
    seconds: unambiguous for times after March 1973. Integers that all spell a date, such as 20240301, are dates.
    Messages count rows from the start of the piece.
    """

    unit: EpochUnit | None = None
    with_offset: bool | None = None

    def read_texts(self, texts: Any) -> NDArray[np.int64]:
        """Return ISO 8601 texts as nanoseconds, int64; see `text_to_ns`.

        Raises
        ------
        DataError
            One cannot be read, or some name an offset from UTC and others do not: those might be times of any place.
        """
        ts = text_to_ns(texts)
        if len(ts) and isinstance(texts.iloc[0], str):
            named = texts.str.contains(OFFSET, regex=True).to_numpy(np.bool_)
            if self.with_offset is None:
                self.with_offset = bool(named[0])
            row = _first(named != self.with_offset)
            if row is not None:
                raise mixed_offsets(row, texts.iloc[row], has=not self.with_offset)
        return ts

    def read(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return `values` (integers or floats, shape ``(n,)``) as nanoseconds, int64.

        Raises
        ------
        DataError
            A time is missing or out of range, or the numbers are of several units.
        """
        if values.dtype.kind == "f":
            row = _first(~np.isfinite(values))
            if row is not None:
                raise DataError(f"row {row}: the time is missing ({values[row]}). Drop the row or give it its time.")
        if len(values) == 0:
            return np.empty(0, np.int64)
        unit = _dates_or_epoch(values)
        if self.unit is None:
            self.unit = unit
        elif self.unit is not unit:
            _refuse_mixture(values, self.unit.end)
        if self.unit is _DATES:
            return _read_dates(values)
        _refuse_jumps(values)
        return _count_to_ns(values, self.unit)


def _refuse_jumps(values: NDArray[Any]) -> None:
    """Refuse a column whose unit changes on the way, as exchange dumps that went from ms to us do."""
    earlier, later = values[:-1], values[1:]
    row = _first((earlier > 1e8) & (later / 100 > earlier))
    if row is not None:
        raise _mixture(row + 1, f"{values[row + 1]} after {values[row]}")


def _refuse_mixture(values: NDArray[Any], end: float) -> None:
    row = _first(np.abs(values) >= end)
    if row is not None:
        raise _mixture(row, str(values[row]))


def _mixture(row: int, times: str) -> DataError:
    return DataError(
        f"row {row}: the time {times} is of another unit than the rows before it. Convert all times to one unit."
    )


def _dates_or_epoch(values: NDArray[Any]) -> EpochUnit:
    largest = float(np.abs(values[[values.argmax(), values.argmin()]]).max())
    if values.dtype.kind in "iu" and int(values.min()) >= 18_000_101 and largest <= 22_000_101:
        month, day = values // 100 % 100, values % 100
        if bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all()):
            return _DATES
    return next(unit for unit in _UNITS if largest < unit.end)


def _read_dates(values: NDArray[Any]) -> NDArray[np.int64]:
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    months = (year - 1970).astype(_YEAR).astype("datetime64[M]") + (month - 1)
    dates = months.astype("datetime64[D]") + (day - 1)
    row = _first((dates.astype("datetime64[M]") != months) | (month < 1) | (month > 12) | (day < 1))
    if row is not None:
        raise DataError(f"row {row}: the time {values[row]} is no date. Write dates as YYYYMMDD, or as ISO text.")
    ts: NDArray[np.int64] = dates.astype(np.int64) * DAY_NS
    return ts


def _count_to_ns(values: NDArray[Any], unit: EpochUnit) -> NDArray[np.int64]:
    row = _first((values < _EARLIEST // unit.ns) | (values > _LATEST // unit.ns))
    if row is not None:
        raise DataError(
            f"row {row}: the time {values[row]}, read as {unit.name} since 1970, lies outside the years 1800 to 2200. "
            "Give times as seconds, ms, us or ns since 1970, as YYYYMMDD, or as ISO 8601 texts."
        )
    if values.dtype.kind != "f":
        return values.astype(np.int64, copy=False) * np.int64(unit.ns)
    whole = np.floor(values)
    # A double holds a time of this century in seconds to a quarter of a microsecond; more digits are noise.
    micros = np.round((values - whole) * (unit.ns / 1_000)).astype(np.int64)
    ts: NDArray[np.int64] = whole.astype(np.int64) * np.int64(unit.ns) + micros * 1_000
    return ts


def text_to_ns(texts: Any) -> NDArray[np.int64]:
    """Read ISO 8601 texts, with an offset from UTC each, or none (then they are UTC).

    Parameters
    ----------
    texts
        A pandas Series or Index of texts, dates or datetimes, shape ``(n,)``.

    Raises
    ------
    DataError
        A text is no ISO 8601 time; names the row and the text. Other formats are not guessed: 3/4/2024 is the
        third of April to some and the fourth of March to others.
    """
    import pandas as pd

    parsed = pd.DatetimeIndex(pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce"))
    row = _first(np.asarray(parsed.isna()))
    if row is not None:
        text = pd.Index(texts)[row]
        if pd.isna(text) or not str(text).strip():
            raise DataError(f"row {row}: the time is missing. Drop the row or give it its time.")
        raise DataError(
            f"row {row}: the time {text!r} cannot be read. Write times like 2024-03-01 09:30:00+00:00 (ISO 8601), or "
            "say how they are written: cambist.data.open_csv(..., time_format='%d/%m/%Y') for a file, "
            "pandas.to_datetime(..., format='%d/%m/%Y') for a DataFrame."
        )
    return index_to_ns(parsed)


def index_to_ns(index: Any) -> NDArray[np.int64]:
    """Return a `pandas.DatetimeIndex` of any unit and zone (none means UTC) as nanoseconds.

    Raises
    ------
    DataError
        A time is missing or does not fit into 64 bits; names the row.
    """
    row = _first(np.asarray(index.isna()))
    if row is not None:
        raise DataError(f"row {row}: the time is missing (NaT). Drop the row or give it its time.")
    units = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
    return scale_to_ns(np.asarray(index.asi8, dtype=np.int64), units[index.unit])
