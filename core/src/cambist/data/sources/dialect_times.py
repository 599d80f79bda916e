"""Times as a CSV file writes them, to int64 nanoseconds UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np

from cambist.data.sources.frame import read_times
from cambist.data.times import OFFSET, index_to_ns, mixed_offsets
from cambist.errors import DataError
from cambist.model.times import DAY_NS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.data.sources.dialects import CsvDialect
    from cambist.data.times import TimeReader

__all__ = ["DialectTimes"]

_TWO_WAYS = r"^\s*(\d{1,2})[./-](\d{1,2})[./-](\d{2,4})"


@attrs.define
class DialectTimes:
    """Reads the times of a file piece by piece; what the first piece tells holds for the others.

    Attributes
    ----------
    dialect
        Says formats and zone.
    format
        The one of its formats that reads the first row; None before, or without formats.
    are_dates
        Whether no time has a time of day, as far as read; None before.
    """

    dialect: CsvDialect
    format: str | None = None
    are_dates: bool | None = None

    def read(self, days: pd.Series[Any], times: pd.Series[Any] | None, reader: TimeReader) -> NDArray[np.int64]:
        """Return a column of times as nanoseconds, or of dates and one of times of day.

        Raises
        ------
        DataError
            A time cannot be read, or could mean two instants: names the row, the text and the remedy.
        """
        import pandas as pd

        if times is not None:
            _refuse_empty(days)
            days = days.astype(str).str.strip() + " " + times.astype(str).str.strip()
        if pd.api.types.is_numeric_dtype(days.dtype) and not self.dialect.time_format:
            return self._known(reader.read(days.to_numpy()))
        _refuse_empty(days)
        texts = days.astype(str).str.strip()
        if not self.dialect.time_format and _are_numbers(texts):
            return self._known(read_times(texts, reader))
        parsed = self._parsed(texts)
        self._look(parsed)
        if parsed.tz is None and self.dialect.tz != "UTC" and not self.are_dates:
            parsed = self._localized(parsed, texts)
        return index_to_ns(parsed)

    def _known(self, ts: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.are_dates is None:
            self.are_dates = False
        return ts

    def _look(self, parsed: pd.DatetimeIndex) -> None:
        if self.are_dates is None:
            ticks = parsed.tz_localize(None).as_unit("ns").asi8
            self.are_dates = parsed.tz is None and bool((ticks % DAY_NS == 0).all())

    def _parsed(self, texts: pd.Series[Any]) -> pd.DatetimeIndex:
        """Return the times as they are written: with a zone where each names its offset, without where none does."""
        import pandas as pd

        if self.dialect.time_format:
            self.format = self.format or self._choose(str(texts.iloc[0]))
            aware = "%z" in self.format
            parsed = pd.DatetimeIndex(pd.to_datetime(texts, format=self.format, errors="coerce", utc=aware))
            _refuse_unread(parsed, texts, f"not of the form {self.format!r}. Repair the line, or pass time_format=.")
            return parsed
        offsets = texts.str.contains(OFFSET, regex=True).to_numpy(np.bool_)
        if offsets.any() and not offsets.all():
            row = int((offsets != offsets[0]).argmax())
            raise mixed_offsets(row, texts.iloc[row], has=bool(offsets[row]))
        if offsets.any() and self.dialect.tz != "UTC":
            raise DataError(
                f"row 0: the time {texts.iloc[0]!r} names its own offset from UTC, and tz={self.dialect.tz!r} is "
                "given. Leave tz out."
            )
        parsed = pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=bool(offsets.any())))
        _refuse_unread(parsed, texts, f"no ISO 8601 time. {_advice(texts)}")
        return parsed

    def _choose(self, text: str) -> str:
        import pandas as pd

        for one in self.dialect.time_format:
            if not pd.isna(pd.to_datetime(text, format=one, errors="coerce")):
                return one
        formats = " or ".join(map(repr, self.dialect.time_format))
        raise DataError(
            f"row 0: the time {text!r} is not of the form {formats}. Pass time_format= as the file is written, such as "
            "'%d.%m.%Y %H:%M'."
        )

    def _localized(self, parsed: pd.DatetimeIndex, texts: pd.Series[Any]) -> pd.DatetimeIndex:
        zone = self.dialect.tz
        fold = self.dialect.fold
        ambiguous: Any = "NaT" if fold == "refuse" else np.full(len(parsed), fold == "first")
        local = parsed.tz_localize(ZoneInfo(zone), ambiguous=ambiguous, nonexistent="NaT")
        lost = np.asarray(local.isna())
        if not lost.any():
            return local
        row = int(lost.argmax())
        text = texts.iloc[row]
        gap = parsed[row : row + 1].tz_localize(ZoneInfo(zone), ambiguous=np.array([True]), nonexistent="NaT")
        if gap.isna()[0]:
            raise DataError(
                f"row {row}: there is no time {text!r} in {zone}: clocks go forward over it. Is tz the zone in which "
                "the file is written?"
            )
        raise DataError(
            f"row {row}: the time {text!r} comes twice in {zone}, since clocks go back. Say which is meant: pass "
            "fold='first' or fold='second', or write times in UTC."
        )


def _are_numbers(texts: pd.Series[Any]) -> bool:
    try:
        float(texts.iloc[0])
    except ValueError:
        return False
    return True


def _refuse_empty(column: pd.Series[Any]) -> None:
    missing = column.isna().to_numpy()
    if missing.any():
        raise DataError(f"row {int(missing.argmax())}: the time is missing. Drop the row or give it its time.")


def _refuse_unread(parsed: pd.DatetimeIndex, texts: pd.Series[Any], what: str) -> None:
    lost = np.asarray(parsed.isna())
    if lost.any():
        row = int(lost.argmax())
        raise DataError(f"row {row}: the time {texts.iloc[row]!r} is {what}")


def _advice(texts: pd.Series[Any]) -> str:
    """Say how dates like 3/4/2024 may be meant, as far as the column tells."""
    parts = texts.str.extract(_TWO_WAYS)
    if parts[0].isna().all():
        return "Say how times are written: pass time_format=, such as '%d.%m.%Y %H:%M'."
    first, second = (parts[place].astype(float).max() for place in (0, 1))
    if first > 12 >= second:
        return "The day seems to come first: pass time_format= with '%d' before '%m'."
    if second > 12 >= first:
        return "The month seems to come first: pass time_format= with '%m' before '%d'."
    return "Day and month could be either way round: pass time_format=, such as '%d/%m/%Y' or '%m/%d/%Y'."
