"""The text of a CSV file: its head, and which line is at fault.

Bars are parsed by pandas, which is fast and tells little when a line is broken. What is here reads the text line by
line: the head always, the rest only to explain an error.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
from contextlib import contextmanager
from math import isnan
from typing import IO, TYPE_CHECKING, Protocol
from zipfile import ZipFile

import attrs

from cambist.data.columns import find_columns
from cambist.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["ENCODING", "FindLayout", "Head", "TextLayout", "find_fault", "line_of_row", "read_head"]

#: UTF-8, with or without the mark that spreadsheets put in front.
ENCODING = "utf-8-sig"

_DELIMITERS = ",;\t|"
_CUT_OFF = "The file ends there, so it was cut off while it was written or fetched: do that again, or delete the line."


class TextLayout(Protocol):
    """Where to find what a row needs; see `cambist.data.columns.Layout`."""

    @property
    def time(self) -> int | None:
        """Position of the column of times."""
        ...

    @property
    def fields(self) -> dict[str, int]:
        """Positions of the columns of numbers by the field's name."""
        ...


class FindLayout(Protocol):
    """Finds the columns among the labels of the first line; see `cambist.data.columns.find_columns`."""

    def __call__(self, labels: Sequence[str], where: str, *, unnamed: int | None = None) -> TextLayout:
        """Return which column is which."""
        ...


@attrs.frozen
class Head:
    """What the first line says.

    Attributes
    ----------
    delimiter
        Between fields.
    width
        Number of columns.
    layout
        Which column is which.
    """

    delimiter: str
    width: int
    layout: TextLayout


@contextmanager
def _open_text(path: Path) -> Iterator[IO[str]]:
    name = path.name.lower()
    if name.endswith(".zip"):
        with ZipFile(path) as archive:
            members = [member for member in archive.namelist() if not member.endswith("/")]
            if len(members) != 1:
                raise DataError(f"the archive holds {len(members)} files, not one. Unpack it and name the file.")
            with archive.open(members[0]) as raw, io.TextIOWrapper(raw, encoding=ENCODING, newline="") as text:
                yield text
    elif name.endswith(".gz"):
        with gzip.open(path, "rt", encoding=ENCODING, newline="") as text:
            yield text
    elif name.endswith(".bz2"):
        with bz2.open(path, "rt", encoding=ENCODING, newline="") as text:
            yield text
    else:
        with path.open(encoding=ENCODING, newline="") as text:
            yield text


def _records(text: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not blank, with their numbers from 1, the head among them."""
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    try:
        for fields in reader:
            if any(field.strip() for field in fields) or len(fields) > 1:
                yield reader.line_num, fields
    except csv.Error as error:
        raise DataError(f"line {reader.line_num + 1} is no CSV: {error}. Repair or delete the line.") from error


def read_head(path: Path, find: FindLayout = find_columns) -> Head:
    """Read which columns a file has, as `find` tells from their labels.

    Raises
    ------
    DataError
        The file is empty, has nothing below its head, or lacks a column.
    """
    with _open_text(path) as text:
        first = next((line for line in text if line.strip()), None)
    if first is None:
        raise DataError("the file is empty. Was it written to its end?")
    delimiter = max(_DELIMITERS, key=first.count)
    with _open_text(path) as text:
        records = _records(text, delimiter)
        _, labels = next(records)
        line, sample = next(records, (0, None))
    unnamed = 0 if sample and not labels[0].strip() and not _is_number(sample[0]) else None
    layout = find(labels, "the file", unnamed=unnamed)
    if sample is None:
        raise DataError("there is nothing below the first line. Was the file written to its end?")
    head = Head(delimiter, len(labels), layout)
    # pandas would drop the surplus of a first line that is too long and take all others by it.
    if len(sample) > head.width and not _is_padded(sample, head):
        raise DataError(_width_fault(line, sample, head))
    return head


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _is_padded(fields: list[str], head: Head) -> bool:
    """Tell whether a line has nothing too much but a delimiter at its end."""
    return len(fields) == head.width + 1 and not fields[-1].strip()


def _width_fault(line: int, fields: list[str], head: Head) -> str:
    shown = head.delimiter.join(fields)
    if len(shown) > 60:
        shown = f"{shown[:57]}..."
    count = f"{len(fields)} field{'' if len(fields) == 1 else 's'}"
    return f"line {line} has {count} where the first line names {head.width}: {shown!r}."


def find_fault(path: Path, head: Head) -> str | None:
    """Say what is wrong with the first line that is broken; None if none is.

    Broken is a line with too few or too many fields, or with something else than a number where a price or a volume
    belongs.
    """
    with _open_text(path) as text:
        records = _records(text, head.delimiter)
        next(records)
        for line, fields in records:
            fault = _fault(line, fields, head)
            if fault is not None:
                at_end = next(records, None) is None
                cut_off = at_end and len(fields) < head.width
                return f"{fault} {_CUT_OFF if cut_off else 'Repair or delete the line.'}"
    return None


def _fault(line: int, fields: list[str], head: Head) -> str | None:
    if len(fields) != head.width and not _is_padded(fields, head):
        return _width_fault(line, fields, head)
    assert head.layout.time is not None
    time = fields[head.layout.time].strip()
    for name, place in head.layout.fields.items():
        value = fields[place].strip()
        if not value:
            return f"line {line} ({time}): {name} is missing."
        if not _is_number(value) or isnan(float(value)):
            return f"line {line} ({time}): {name} is {value!r}, which is no number."
    return None


def line_of_row(path: Path, head: Head, row: int) -> int:
    """Return the number of the line, from 1, that holds row `row`, from 0."""
    with _open_text(path) as text:
        for count, (line, _) in enumerate(_records(text, head.delimiter), start=-1):
            if count == row:
                return line
    raise IndexError(row)
