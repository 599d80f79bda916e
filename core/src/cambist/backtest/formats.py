"""A table as a file and back: CSV, JSON and Parquet, each exact to the last bit."""

from __future__ import annotations

import csv
import json
import re
from math import inf, isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import numpy as np

from cambist.analysis import iso_time
from cambist.backtest.tables import NAT, Kind, Table
from cambist.errors import MissingDependencyError, ParameterError, ResultError, did_you_mean
from cambist.model.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FORMATS", "Format", "format_named", "iso_ns", "iso_texts", "write_text"]

_ROWS_AT_ONCE = 65_536
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z)?")
_NEEDS_QUOTES = re.compile(r'[",\r\n]')
#: Numbers that JSON has no sign for, as it is written here; NaN is null.
_INFINITIES = {"Infinity": inf, "-Infinity": -inf}


@attrs.frozen(eq=False, slots=True)
class Format:
    """One way to keep a table.

    Attributes
    ----------
    name
        Which is also the end of a file's name.
    write
        Writes a table to a path.
    read
        Reads the columns of those kinds from a path; raises `ResultError` without the path.
    check
        Raises `MissingDependencyError` if a package is needed that is not there.
    """

    name: str
    write: Callable[[Table, Path], None]
    read: Callable[[Path, Mapping[str, Kind]], Table]
    check: Callable[[], object] = attrs.field(default=lambda: None)


def format_named(name: str) -> Format:
    """Return a format that can be used here.

    Raises
    ------
    ParameterError
        There is none of that name.
    MissingDependencyError
        It needs a package that is not installed.
    """
    if name not in FORMATS:
        raise ParameterError(f"format is {name!r}.{did_you_mean(str(name), FORMATS)}")
    chosen = FORMATS[name]
    chosen.check()
    return chosen


def write_text(pieces: Iterable[str], path: Path) -> None:
    """Write a text file in UTF-8 with plain line ends; half a letter (a lone surrogate) becomes its number in ASCII."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.writelines(pieces)


# CSV.


def _write_csv(table: Table, path: Path) -> None:
    write_text(_csv(table), path)


def _csv(table: Table) -> Iterator[str]:
    """Yield a table as CSV text in pieces."""
    yield ",".join(map(_quoted, table.columns)) + "\n"
    for start in range(0, len(table), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        columns = [_cells(kind, table[name][rows]) for name, kind in table.kinds.items()]
        # Half the time of `csv.writer`, which looks for quotes in numbers too.
        yield "\n".join(map(",".join, zip(*columns, strict=True))) + "\n"


def _cells(kind: Kind, values: Any) -> list[str]:
    """Return a column as text, quoted where CSV needs it."""
    if kind is Kind.TEXT:
        return list(map(_quoted, values))
    if kind is Kind.TIME:
        return iso_texts(values)
    plain = values.tolist()
    if kind is Kind.FLOAT:
        return _float_cells(plain)
    if kind is Kind.FLAG:
        return ["true" if value else "false" for value in plain]
    return list(map(str, plain))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _float_cells(values: list[float]) -> list[str]:
    """Write floats as the shortest text that reads back the same, NaN as nothing."""
    if values and all(map(isfinite, values)):
        # Seven times as fast as `repr`, and as exact.
        return msgspec.json.encode(values)[1:-1].decode().split(",")
    return ["" if isnan(value) else repr(value) for value in values]


def iso_texts(times: NDArray[np.int64]) -> list[str]:
    """`cambist.analysis.iso_time` over a column (ns, shape ``(n,)``), empty for no time."""
    cells: list[str] = np.datetime_as_string(times.view("datetime64[ns]"), unit="s", timezone="UTC").tolist()
    for row in np.flatnonzero((times % SECOND_NS != 0) | (times == NAT)).tolist():
        cells[row] = "" if times[row] == NAT else iso_time(int(times[row]))
    return cells


def _read_csv(path: Path, kinds: Mapping[str, Kind]) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            head = next(reader, [])
            rows = list(reader)
        except csv.Error as error:
            raise ResultError(f"line {reader.line_num}: {error}") from error
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise ResultError(f"row {number} has {len(row)} cells and not {len(head)}")
    cells = dict(zip(head, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(head, ())
    return _table(kinds, cells, _from_texts)


def _from_texts(kind: Kind, cells: Sequence[str]) -> Any:
    if kind is Kind.TEXT:
        return list(cells)
    if kind is Kind.TIME:
        return iso_ns(cells)
    if kind is Kind.FLOAT:
        return np.array([float(cell) if cell else nan for cell in cells], np.float64)
    if kind is Kind.FLAG:
        return np.array([_FLAGS[cell] for cell in cells], np.bool_)
    return np.array(list(map(int, cells)), np.int64)


_FLAGS = {"true": True, "false": False}


def iso_ns(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return times of ISO 8601 texts in UTC, as `iso_texts` writes them, int64 ns, shape ``(n,)``.

    Raises
    ------
    ValueError
        For a text that is none.
    """
    wrong = next((text for text in texts if not _ISO.fullmatch(text)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no time like 2024-03-01T09:30:00Z")
    return np.array([text.removesuffix("Z") for text in texts], "datetime64[ns]").view(np.int64)


# JSON: an object of columns, which `pandas.DataFrame(json.load(file))` takes as it is.


def _write_json(table: Table, path: Path) -> None:
    write_text(_json(table), path)


def _json(table: Table) -> Iterator[str]:
    for number, (name, kind) in enumerate(table.kinds.items()):
        yield f"{',' if number else '{'}\n{json.dumps(name, ensure_ascii=False)}: ["
        for start in range(0, len(table), _ROWS_AT_ONCE):
            rows = table[name][start : start + _ROWS_AT_ONCE]
            yield ("," if start else "") + json.dumps(_to_json(kind, rows), ensure_ascii=False, allow_nan=False)[1:-1]
        yield "]"
    yield "\n}\n"


def _to_json(kind: Kind, values: Any) -> list[Any]:
    if kind is Kind.TEXT:
        return list(values)
    if kind is Kind.TIME:
        return [text or None for text in iso_texts(values)]
    plain: list[Any] = values.tolist()
    if kind is Kind.FLOAT and not np.isfinite(values).all():
        names = {inf: "Infinity", -inf: "-Infinity"}
        return [None if isnan(value) else names.get(value, value) for value in plain]
    return plain


def _read_json(path: Path, kinds: Mapping[str, Kind]) -> Table:
    try:
        columns = json.loads(path.read_bytes())
    except ValueError as error:
        raise ResultError(f"this is no whole JSON document: {error}") from error
    if not isinstance(columns, dict) or not all(isinstance(column, list) for column in columns.values()):
        raise ResultError("this is no JSON object of columns")
    return _table(kinds, columns, _from_json)


def _from_json(kind: Kind, cells: Sequence[Any]) -> Any:
    if kind is Kind.TEXT:
        return [_text(cell) for cell in cells]
    if kind is Kind.TIME:
        return iso_ns([cell or "" for cell in cells])
    if kind is Kind.FLOAT:
        return np.array([_float(cell) for cell in cells], np.float64)
    wanted = bool if kind is Kind.FLAG else int
    if not all(type(cell) is wanted for cell in cells):
        raise ValueError(f"not every value is a JSON {'boolean' if wanted is bool else 'integer'}")
    return np.array(cells, np.bool_ if wanted is bool else np.int64)


def _text(cell: object) -> str:
    if not isinstance(cell, str):
        raise ValueError(f"{cell!r} is no text")  # noqa: TRY004 - a fault of the file, like the others
    return cell


def _float(cell: Any) -> float:
    if cell is None:
        return nan
    return _INFINITIES[cell] if isinstance(cell, str) else float(cell)


# Parquet.


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "a result as Parquet files needs pyarrow, which is not installed. "
            "Install it with: pip install 'cambist[parquet]', or choose the format csv."
        ) from error
    return pa, pq


def _write_parquet(table: Table, path: Path) -> None:
    pa, pq = _pyarrow()
    kinds = {
        Kind.TEXT: pa.string(),
        Kind.FLOAT: pa.float64(),
        Kind.INTEGER: pa.int64(),
        Kind.FLAG: pa.bool_(),
        Kind.TIME: pa.timestamp("ns", tz="UTC"),
    }
    columns = {}
    for name, kind in table.kinds.items():
        values = table[name]
        if kind is Kind.TIME:
            columns[name] = pa.array(values, pa.int64(), mask=values == NAT).cast(kinds[kind])
        elif kind is Kind.TEXT:
            # As in a CSV file: half a letter cannot be encoded.
            valid = [value.encode("utf-8", "backslashreplace").decode() for value in values]
            columns[name] = pa.array(valid, kinds[kind])
        else:
            columns[name] = pa.array(values, kinds[kind])
    pq.write_table(pa.table(columns), path)


def _read_parquet(path: Path, kinds: Mapping[str, Kind]) -> Table:
    pa, pq = _pyarrow()
    try:
        table = pq.read_table(path)
        columns = {name: table.column(name) for name in table.column_names}
        return _table(kinds, columns, _from_arrow)
    except pa.ArrowException as error:
        raise ResultError(f"this is no whole Parquet file: {str(error).strip().rstrip('.')}") from error


def _from_arrow(kind: Kind, column: Any) -> Any:
    pa, _ = _pyarrow()
    wanted = {
        Kind.TEXT: pa.string(),
        Kind.FLOAT: pa.float64(),
        Kind.INTEGER: pa.int64(),
        Kind.FLAG: pa.bool_(),
        Kind.TIME: pa.int64(),
    }[kind]
    column = column.cast(wanted)
    if kind is Kind.TIME:
        column = column.fill_null(NAT)
    if column.null_count:
        raise ValueError("a value is missing")
    if kind is Kind.TEXT:
        return column.to_pylist()
    return column.to_numpy()


# All of them.


def _table(kinds: Mapping[str, Kind], cells: Mapping[str, Any], read: Callable[[Kind, Any], Any]) -> Table:
    """Make a table of the columns of a file; further columns are left alone."""
    missing = [name for name in kinds if name not in cells]
    if missing:
        raise ResultError(f"there is no column {missing[0]!r}")
    columns = {}
    for name, kind in kinds.items():
        try:
            columns[name] = read(kind, cells[name])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ResultError(f"the column {name!r} cannot be read as {kind} values: {error}") from error
    if len({len(column) for column in columns.values()}) > 1:
        raise ResultError("the columns differ in length")
    return Table(dict(kinds), columns)


#: The formats of the tables of a result, by name.
FORMATS = {
    "csv": Format("csv", _write_csv, _read_csv),
    "parquet": Format("parquet", _write_parquet, _read_parquet, _pyarrow),
    "json": Format("json", _write_json, _read_json),
}
