"""Rows of records from whatever holds them: a DataFrame, a CSV or Parquet file, a list."""

from __future__ import annotations

import os
from functools import partial
from math import inf, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Rows", "read_rows"]

_FORMS = "a DataFrame, the path of a CSV or Parquet file, the folder of a saved result, a Result, or a list of rows"
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@attrs.frozen(eq=False)
class Rows:
    """Rows of records, column by column, under the names that records have here.

    Attributes
    ----------
    where
        What to call the source in messages.
    columns
        pandas Series by name, those that are there.
    ts
        When, int64 ns UTC, shape ``(n,)``.
    """

    where: str
    columns: Mapping[str, pd.Series[Any]]
    ts: NDArray[np.int64]
    _name: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.ts)

    def name(self, row: int) -> str:
        """Return what to call a row: where it is in its source, and its time."""
        from cambist.model.times import format_ns

        return f"{self.where}, {self._name(row)} ({format_ns(int(self.ts[row]))})"

    def refuse(self, row: int, what: str) -> DataError:
        """Return the error that tells what is wrong with a row."""
        return DataError(f"{self.name(row)}: {what}")

    def numbers(self, name: str) -> list[float]:
        """Return a column of numbers, NaN where there is none; all NaN without the column.

        Raises
        ------
        DataError
            A value is no number.
        """
        from cambist.data.sources.frame import read_numbers

        if name not in self.columns:
            return [nan] * len(self)
        return self._told(read_numbers, self.columns[name], name).tolist()  # type: ignore[no-any-return]

    def positive(self, name: str) -> list[float]:
        """Return a column of numbers that are positive or missing (NaN)."""
        values = self.numbers(name)
        for row, value in enumerate(values):
            if not isnan(value) and not 0.0 < value < inf:
                raise self.refuse(row, f"{name} is {value:g}; give a positive number, or leave it out.")
        return values

    def texts(self, name: str, default: str = "") -> list[str]:
        """Return a column as texts, `default` where there is nothing."""
        if name not in self.columns:
            return [default] * len(self)
        column = self.columns[name]
        return [
            default if missing else _text(value) or default
            for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True)
        ]

    def choices(self, name: str, known: Mapping[str, Any], default: Any) -> list[Any]:
        """Return a column of words of which each means one of `known`, `default` where there is nothing.

        Raises
        ------
        DataError
            For any other word.
        """
        found = []
        for row, text in enumerate(self.texts(name)):
            word = text.lower()
            if word and word not in known:
                raise self.refuse(row, f"{name} is {text!r}.{did_you_mean(word, list(known))}")
            found.append(known[word] if word else default)
        return found

    def flags(self, name: str) -> list[bool]:
        """Return a column of claims; false where there is nothing."""
        return self.choices(name, _FLAGS, False)

    def times(self, name: str) -> list[int | None]:
        """Return a column of times, ns; None where there is none.

        Raises
        ------
        DataError
            A value is no time.
        """
        from cambist.data.sources.frame import read_times
        from cambist.data.times import TimeReader

        found: list[int | None] = [None] * len(self)
        if name in self.columns:
            column = self.columns[name]
            given = np.flatnonzero(~column.isna().to_numpy() & (column.astype(str).str.strip() != "").to_numpy())
            if len(given):
                times = self._told(read_times, column.iloc[given], TimeReader(), at=given)
                for row, ts in zip(given.tolist(), times.tolist(), strict=True):
                    found[row] = ts
        return found

    def _told(self, read: Callable[..., Any], *given: Any, at: NDArray[np.int64] | None = None) -> Any:
        return _told(self.where, lambda row: self._name(row if at is None else int(at[row])), read, *given)


def _text(value: Any) -> str:
    """Return a cell as text; a whole number that became a float, as numbers beside gaps do, without its point."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def _told(where: str, name: Callable[[int], str], read: Callable[..., Any], *given: Any) -> Any:
    """Read something, and have errors name the source and its own rows."""
    from cambist.data.series import renumber

    try:
        return read(*given)
    except DataError as error:
        raise DataError(f"{where}, {renumber(str(error), name)}") from None


def read_rows(
    source: Any, names: Mapping[str, tuple[str, ...]], needed: Sequence[str], forms: Sequence[Sequence[str]]
) -> Rows:
    """Read the rows of a source that is no result.

    Parameters
    ----------
    source
        What the user gave.
    names
        For each column what it may be called, upper or lower case; ``"time"`` among them.
    needed
        Columns that must be there, the time aside.
    forms
        What the fields of a tuple may be; the first form has the symbol after the time.

    Raises
    ------
    DataError
        It cannot be read, or lacks a column.
    """
    where, frame, name = _frame_of(source, forms)
    return _rows(where, frame, name, names, needed)


def _frame_of(source: Any, forms: Sequence[Sequence[str]]) -> tuple[str, pd.DataFrame, Callable[[int], str]]:
    """Return what to call a source, its rows as a DataFrame, and what to call one of them."""
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return "the DataFrame", source, "row {}".format
    if isinstance(source, str | os.PathLike):
        return _file(Path(source))
    if isinstance(source, list | tuple):
        return "the list", _listed(list(source), forms), "row {}".format
    raise DataError(f"records cannot be made of a {type(source).__name__}. Give {_FORMS}.")


def _file(path: Path) -> tuple[str, pd.DataFrame, Callable[[int], str]]:
    from cambist.data.load import existing_file
    from cambist.data.sources.arrow import opened
    from cambist.data.sources.csv import frames, told
    from cambist.data.sources.csv_text import line_of_row, read_head

    existing_file(path)
    if path.name.lower().endswith((".parquet", ".pq")):
        with opened(path) as file:
            return str(path), file.read().to_pandas(), "row {}".format
    with told(path):
        head = read_head(path, _Labels.find)
        frame = next(frames(path, head))
    assert isinstance(head.layout, _Labels)
    frame.columns = list(head.layout.labels)
    return str(path), frame, lambda row: f"line {line_of_row(path, head, row)}"


@attrs.frozen
class _Labels:
    """The labels of a file's columns, none of which is read as anything yet; a `TextLayout`."""

    labels: tuple[str, ...]
    time: None = None
    fields: dict[str, int] = attrs.field(factory=dict)

    @classmethod
    def find(cls, labels: Sequence[str], where: str, *, unnamed: int | None = None) -> _Labels:  # noqa: ARG003
        return cls(tuple(labels))


def _listed(source: list[Any], forms: Sequence[Sequence[str]]) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for number, row in enumerate(source):
        if isinstance(row, dict):
            rows.append(row)
        elif isinstance(row, list | tuple):
            rows.append(dict(zip(_columns_of(row, number, forms), row, strict=False)))
        else:
            raise DataError(f"the list, row {number} is {row!r}. Give a dict, or a tuple {_told_forms(forms)}.")
    return pd.DataFrame(rows)


def _columns_of(row: Sequence[Any], number: int, forms: Sequence[Sequence[str]]) -> Sequence[str]:
    """Return what the fields of a tuple are: the first form where a symbol follows the time, else the last."""
    form = forms[0] if len(row) > 1 and isinstance(row[1], str) else forms[-1]
    if (form[1] == "symbol" and not isinstance(row[1] if len(row) > 1 else None, str)) or not 3 <= len(row) <= len(
        form
    ):
        raise DataError(f"the list, row {number} is {row!r}; give {_told_forms(forms)}.")
    return form


def _told_forms(forms: Sequence[Sequence[str]]) -> str:
    return " or ".join(f"({', '.join(form)})" for form in forms)


def _rows(
    where: str,
    frame: pd.DataFrame,
    name: Callable[[int], str],
    names: Mapping[str, tuple[str, ...]],
    needed: Sequence[str],
) -> Rows:
    from cambist.data.columns import pick_column
    from cambist.data.sources.frame import read_times, times_of_index
    from cambist.data.times import TimeReader

    if not len(frame):
        raise DataError(f"{where} holds no rows. Leave it out, or check what it was made of.")
    index = _told(where, name, times_of_index, frame.index)
    if index is None and frame.index.name is not None:
        frame = frame.reset_index()
    labels = list(frame.columns)
    places = {field: pick_column(labels, field, accepted, where) for field, accepted in names.items()}
    missing = [field for field in needed if places[field] is None]
    if index is None and places["time"] is None:
        missing.insert(0, "time")
    if missing:
        raise DataError(_missing(where, labels, missing, names))
    columns = {field: frame.iloc[:, place] for field, place in places.items() if place is not None}
    ts = index if index is not None else _told(where, name, partial(read_times, reader=TimeReader()), columns["time"])
    return Rows(where, columns, ts, name)


def _missing(where: str, labels: list[Any], missing: list[str], names: Mapping[str, tuple[str, ...]]) -> str:
    shown = ", ".join(repr(label) for label in labels[:20]) or "none"
    wanted = "; ".join(f"{field}: {' or '.join(names[field])}" for field in missing)
    return f"{where}: no column for {', '.join(missing)}. Found: {shown}. It may be called ({wanted}), in any case."
