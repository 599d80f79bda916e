"""Bars from a pandas DataFrame."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from cambist.data.columns import TIME_NAMES, find_columns
from cambist.data.series import assemble, choose_instrument
from cambist.data.times import TimeReader, index_to_ns
from cambist.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["bars_from_frame", "read_numbers", "read_times", "times_of_index"]


def bars_from_frame(
    frame: pd.DataFrame,
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
) -> Bars:
    """Make bars of a DataFrame.

    Parameters
    ----------
    frame
        Open times as a ``DatetimeIndex`` of any unit and zone (none means UTC), or in an index or a column called
        ts, time, timestamp, date, datetime or open_time: datetimes, ISO 8601 texts, or numbers of seconds, ms, us or
        ns since 1970 told apart by their magnitude. Columns open, high, low, close and volume, or their first
        letters, upper or lower case; without a volume it is 0. Further columns are ignored.
    symbol
        Name of an instrument to make: spot, no tick size, a step of 1e-8. Default: ``"ASSET"``.
    instrument
        The instrument, in place of one made.
    timeframe
        Length of a bar. Default: the commonest spacing.

    Raises
    ------
    DataError
        A column is missing, or a row is no bar: names the row by its position, its time and the value.
    """
    chosen = choose_instrument(symbol, instrument)
    where = "the DataFrame"
    index = times_of_index(frame.index)
    labels = list(frame.columns)
    layout = find_columns(labels, where, times_in_index=index is not None)
    try:
        if index is not None:
            ts = index
        else:
            assert layout.time is not None
            ts = read_times(frame.iloc[:, layout.time], TimeReader())
        columns = {name: read_numbers(frame.iloc[:, place], name) for name, place in layout.fields.items()}
        return assemble(chosen, timeframe, ts, columns)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def times_of_index(index: pd.Index) -> NDArray[np.int64] | None:
    """Return the times in the index; None if they must be in a column."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex):
        return index_to_ns(index)
    if index.name is not None and str(index.name).strip().lower() in TIME_NAMES:
        return read_times(index.to_series(), TimeReader())
    return None


def read_times(series: pd.Series[Any], reader: TimeReader) -> NDArray[np.int64]:
    """Return a column of times as int64 ns; numbers are read by `reader`.

    Raises
    ------
    DataError
        A time is missing or cannot be read; names its row within the series.
    """
    import pandas as pd

    if pd.api.types.is_bool_dtype(series.dtype):
        raise DataError("the times are of type bool. Give datetimes, ISO 8601 texts or numbers.")
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return index_to_ns(pd.DatetimeIndex(series))
    if pd.api.types.is_integer_dtype(series.dtype) and not series.hasnans:
        return reader.read(series.to_numpy(dtype=np.int64))
    if pd.api.types.is_numeric_dtype(series.dtype):
        return reader.read(series.to_numpy(dtype=np.float64, na_value=np.nan))
    if len(series) and _is_number(series.iloc[0]):
        return reader.read(_numbers_among_texts(series))
    return reader.read_texts(series)


def _is_number(value: Any) -> bool:
    try:
        return not isnan(float(value))
    except (TypeError, ValueError):
        return False


def _numbers_among_texts(series: pd.Series[Any]) -> NDArray[Any]:
    """Read a column of numbers that came as text because one of them is broken; name that one."""
    import pandas as pd

    numbers = pd.to_numeric(series, errors="coerce")
    if numbers.isna().any():
        row = int(numbers.isna().to_numpy().argmax())
        raise DataError(
            f"row {row}: the time {series.iloc[row]!r} is no number as those before it are. Repair the row."
        )
    return numbers.to_numpy()


def read_numbers(series: pd.Series[Any], name: str) -> NDArray[np.float64]:
    """Return a column as float64; what is missing is NaN.

    Raises
    ------
    DataError
        A value is no number; names its row within the series.
    """
    import pandas as pd

    try:
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        numbers = pd.to_numeric(series, errors="coerce")
        broken = (numbers.isna() & series.notna()).to_numpy()
        row = int(broken.argmax())
        if not broken.any():
            raise
        raise DataError(
            f"row {row}: {name} is {series.iloc[row]!r}, which is no number. Repair or drop the row."
        ) from None
