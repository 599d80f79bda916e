"""Which column is which in a file of some dialect, and how its text is read."""

from __future__ import annotations

import codecs
import csv
from functools import partial
from typing import TYPE_CHECKING

import attrs

from cambist.data.columns import find_columns
from cambist.data.market_columns import find_market_columns
from cambist.data.sources.csv_text import ENCODING, Head, TextForm, open_bytes, read_head
from cambist.data.sources.dialect_times import DialectTimes
from cambist.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cambist.data.sources.csv_text import TextLayout
    from cambist.data.sources.dialects import CsvDialect
    from cambist.data.times import TimeReader

__all__ = ["DialectHead", "read_dialect_head"]

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: Fields of a dialect that are no columns of a bar, a trade or a quote.
_MORE = ("time_of_day", "adj_close", "flags")
#: What is taken for the field by its own name, and is somebody else where a dialect names the field.
_OWN_NAMES = {
    "time": {"ts", "time", "timestamp", "date", "datetime", "open_time"},
    "open": {"open", "o"}, "high": {"high", "h"}, "low": {"low", "l"}, "close": {"close", "c"},
    "volume": {"volume", "v", "vol"}, "price": {"price", "p", "last"},
    "size": {"size", "qty", "quantity", "volume", "amount", "q"},
    "buyer_is_maker": {"buyer_is_maker", "is_buyer_maker"}, "side": {"side", "taker_side", "aggressor_side"},
}  # fmt: skip


@attrs.frozen(kw_only=True)
class DialectHead(Head):
    """What a file's first line says in the words of its dialect, and what its first rows told.

    Attributes
    ----------
    time_of_day
        Position of the column of times of day where they stand apart from the dates, or None.
    flags
        Position of the column that says what a row changes, or None.
    times
        Reads both.
    """

    time_of_day: int | None = None
    flags: int | None = None
    times: DialectTimes

    def read_times(self, frame: pd.DataFrame, reader: TimeReader) -> NDArray[np.int64]:
        """Return the times of a piece, ns, UTC."""
        clock = None if self.time_of_day is None else frame[self.time_of_day]
        return self.times.read(frame[self.layout.time], clock, reader)


@attrs.frozen
class _BarColumns:
    """Where to find what a bar of a dialect needs.

    Attributes
    ----------
    time
        Position of the column of times, or of dates.
    fields
        Positions of the numbers by the field's name, ``adj_close`` among them where there is one.
    """

    time: int | None
    fields: dict[str, int]


def read_dialect_head(path: Path, dialect: CsvDialect, kind: str = "bars") -> DialectHead:
    """Read which columns a file has.

    Parameters
    ----------
    kind
        ``"bars"``, ``"ticks"`` or ``"quotes"``.

    Raises
    ------
    DataError
        The file is empty, is not written as the dialect says, or lacks a column.
    """
    more: dict[str, int | None] = {}
    head = read_head(path, partial(_find, dialect=dialect, kind=kind, more=more), _form(path, dialect))
    return DialectHead(
        delimiter=head.delimiter,
        width=head.width,
        layout=head.layout,
        form=head.form,
        time_of_day=more.get("time_of_day"),
        flags=more.get("flags"),
        times=DialectTimes(dialect),
    )


def _form(path: Path, dialect: CsvDialect) -> TextForm:
    encoding = dialect.encoding
    if encoding is None:
        with open_bytes(path) as raw:
            start = raw.read(2)
        encoding = next((name for mark, name in _MARKS if start == mark), ENCODING)
    form = TextForm(
        encoding=encoding,
        skip=dialect.skip_lines,
        delimiter=dialect.delimiter,
        decimal=dialect.decimal,
        thousands=dialect.thousands,
        without_null_rows=dialect.drop_null_rows,
        may_be_empty=dialect.changes_only,
        times_as_text=bool(dialect.time_format) or dialect.tz != "UTC",
    )
    return attrs.evolve(form, names=_names(path, dialect, form))


def _names(path: Path, dialect: CsvDialect, form: TextForm) -> tuple[str, ...]:
    """Return the names of the columns; none where the first line says them."""
    if not dialect.names:
        return ()
    with open_bytes(path) as raw:
        start = raw.read(65_536).decode(form.encoding, errors="replace")
    lines = [line for line in start.splitlines()[form.skip :] if line.strip()]
    if not lines:
        return dialect.names
    delimiter = form.delimiter or max(",;\t|", key=lines[0].count)
    fields = next(csv.reader([lines[0]], delimiter=delimiter))
    if not any(_is_number(form.plain(field.strip())) for field in fields):
        return ()
    # Columns that were added at the end, or are not there yet, are nobody's business.
    extra = tuple(f"column {place}" for place in range(len(dialect.names), len(fields)))
    return (*dialect.names, *extra)[: len(fields)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _find(
    labels: Sequence[str],
    where: str,
    *,
    unnamed: int | None = None,
    dialect: CsvDialect,
    kind: str,
    more: dict[str, int | None],
) -> TextLayout:
    """Find the columns by what the dialect calls them, and those it does not name by their own names."""
    places = {field: _place(field, accepted, labels, where) for field, accepted in dialect.columns.items()}
    for field in _MORE:
        more[field] = places.get(field)
    named = {place: field for field, place in places.items() if place is not None}
    taken = set().union(*(_OWN_NAMES.get(field, {field}) for field in named.values()))
    renamed = []
    for place, label in enumerate(labels):
        plain = str(label).strip().lower()
        renamed.append(named.get(place, "" if plain in taken else str(label)))
    if kind != "bars":
        return find_market_columns(kind, renamed, where, unnamed=unnamed)
    layout = find_columns(renamed, where, unnamed=unnamed)
    adjusted = more["adj_close"]
    return _BarColumns(layout.time, layout.fields | ({} if adjusted is None else {"adj_close": adjusted}))


def _place(field: str, accepted: Sequence[str | int], labels: Sequence[str], where: str) -> int | None:
    """Return the position of the first of the `accepted` names that is there; None where ``""`` allows for none."""
    plain = [str(label).strip().lower() for label in labels]
    for name in accepted:
        if isinstance(name, int):
            if 0 <= name < len(labels):
                return name
            raise DataError(f"{where}: {field} is said to be column {name}; there are 0 to {len(labels) - 1}.")
        found = [place for place, label in enumerate(plain) if name and label == name.strip().lower()]
        if len(found) > 1:
            raise DataError(f"{where}: {len(found)} columns are called {name!r}. Give the position of the {field}.")
        if found:
            return found[0]
    if "" in accepted:
        return None
    shown = ", ".join(repr(str(label).strip()) for label in labels[:20])
    wanted = " or ".join(repr(name) for name in accepted)
    raise DataError(
        f"{where}: there is no column {wanted} for {field}. Found: {shown}."
        f"{did_you_mean(str(accepted[0]), [str(label).strip() for label in labels])}"
    )
