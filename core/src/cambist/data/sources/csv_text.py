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
from typing import IO, TYPE_CHECKING, Protocol, cast
from zipfile import ZipFile

import attrs

from cambist.data.columns import find_columns
from cambist.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "ENCODING",
    "FindLayout",
    "Head",
    "TextForm",
    "TextLayout",
    "find_fault",
    "line_of_row",
    "open_bytes",
    "read_head",
]

#: UTF-8, with or without the mark that spreadsheets put in front.
ENCODING = "utf-8-sig"

_DELIMITERS = ",;\t|"
_NAMED = {False: "the first line names", True: "there are columns for"}
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
class TextForm:
    """What has to be known before a line of a file can be read.

    Attributes
    ----------
    encoding
        Of the text.
    skip
        Lines before the first that counts.
    names
        What the columns are called where no line of the file says so; empty where the first line does.
    delimiter
        Between fields; None to tell it from the first line.
    decimal, thousands
        Within numbers; ``""`` for no mark between thousands.
    times_as_text
        Times are kept as they are written, though they may look like numbers.
    without_null_rows
        Lines in which no field is a number are left out.
    may_be_empty
        A field that is empty says that nothing has changed, and lacks nowhere.
    """

    encoding: str = ENCODING
    skip: int = 0
    names: tuple[str, ...] = ()
    delimiter: str | None = None
    decimal: str = "."
    thousands: str = ""
    times_as_text: bool = False
    without_null_rows: bool = False
    may_be_empty: bool = False

    def plain(self, number: str) -> str:
        """Return the text of a number as Python writes it."""
        if self.thousands:
            number = number.replace(self.thousands, "")
        return number if self.decimal == "." else number.replace(self.decimal, ".")


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
    form
        How the text is read.
    """

    delimiter: str
    width: int
    layout: TextLayout
    form: TextForm = TextForm()


@contextmanager
def _open_text(path: Path, form: TextForm) -> Iterator[IO[str]]:
    """Open the text at the first line that counts."""
    with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=form.encoding, newline="") as text:
        for _ in range(form.skip):
            text.readline()
        yield text


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked where it is packed.

    Raises
    ------
    DataError
        An archive holds several files.
    """
    name = path.name.lower()
    if name.endswith(".zip"):
        with ZipFile(path) as archive:
            members = [member for member in archive.namelist() if not member.endswith("/")]
            if len(members) != 1:
                raise DataError(f"the archive holds {len(members)} files, not one. Unpack it and name the file.")
            with archive.open(members[0]) as raw:
                yield raw
    elif name.endswith(".gz"):
        with gzip.open(path, "rb") as raw:
            yield cast("IO[bytes]", raw)
    elif name.endswith(".bz2"):
        with bz2.open(path, "rb") as raw:
            yield cast("IO[bytes]", raw)
    else:
        with path.open("rb") as raw:
            yield raw


def _records(text: IO[str], delimiter: str, skipped: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not blank, with their numbers from 1, the head among them."""
    reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    try:
        for fields in reader:
            if any(field.strip() for field in fields) or len(fields) > 1:
                yield reader.line_num + skipped, fields
    except csv.Error as error:
        line = reader.line_num + 1 + skipped
        raise DataError(f"line {line} is no CSV: {error}. Repair or delete the line.") from error


def read_head(path: Path, find: FindLayout = find_columns, form: TextForm = TextForm()) -> Head:
    """Read which columns a file has, as `find` tells from their labels; `form` is how it is written.

    Raises
    ------
    DataError
        The file is empty, has nothing below its head, or lacks a column.
    """
    with _open_text(path, form) as text:
        first = next((line for line in text if line.strip()), None)
    if first is None:
        raise DataError("the file is empty. Was it written to its end?")
    delimiter = form.delimiter or max(_DELIMITERS, key=first.count)
    with _open_text(path, form) as text:
        records = _records(text, delimiter, form.skip)
        line, labels = next(records)
        if form.names:
            sample: list[str] | None = labels
            labels = list(form.names)
        else:
            line, sample = next(records, (0, None))
    _refuse_delimiter(first, delimiter, form)
    unnamed = 0 if sample and not labels[0].strip() and not _is_number(sample[0]) else None
    layout = find(labels, "the file", unnamed=unnamed)
    if sample is None:
        raise DataError("there is nothing below the first line. Was the file written to its end?")
    head = Head(delimiter, len(labels), layout, form)
    # pandas would drop the surplus of a first line that is too long and take all others by it.
    if len(sample) > head.width and not _is_padded(sample, head):
        raise DataError(_width_fault(line, sample, head))
    return head


def _refuse_delimiter(first: str, delimiter: str, form: TextForm) -> None:
    """Refuse a delimiter that does not divide the first line, where another does."""
    if form.delimiter is None or form.delimiter in first:
        return
    other = max(_DELIMITERS, key=first.count)
    if first.count(other) >= 4:
        raise DataError(
            f"line {form.skip + 1} is one field when it is divided by {delimiter!r}, and {first.count(other) + 1} when "
            f"divided by {other!r}. Pass delimiter={other!r}."
        )


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
    return f"line {line} has {count} where {_NAMED[bool(head.form.names)]} {head.width}: {shown!r}."


def find_fault(path: Path, head: Head) -> str | None:
    """Say what is wrong with the first line that is broken; None if none is.

    Broken is a line with too few or too many fields, or with something else than a number where a price or a volume
    belongs.
    """
    with _open_text(path, head.form) as text:
        records = _records(text, head.delimiter, head.form.skip)
        if not head.form.names:
            next(records)
        for line, fields in records:
            if head.form.without_null_rows and _is_null(fields, head):
                continue
            fault = _fault(line, fields, head)
            if fault is not None:
                at_end = next(records, None) is None
                cut_off = at_end and len(fields) < head.width
                return f"{fault} {_CUT_OFF if cut_off else 'Repair or delete the line.'}"
    return None


def _is_null(fields: list[str], head: Head) -> bool:
    if len(fields) != head.width:
        return False
    values = (head.form.plain(fields[place].strip()) for place in head.layout.fields.values())
    return not any(_is_number(value) and not isnan(float(value)) for value in values)


def _fault(line: int, fields: list[str], head: Head) -> str | None:
    if len(fields) != head.width and not _is_padded(fields, head):
        return _width_fault(line, fields, head)
    assert head.layout.time is not None
    time = fields[head.layout.time].strip()
    for name, place in head.layout.fields.items():
        value = fields[place].strip()
        number = head.form.plain(value)
        if not value:
            if head.form.may_be_empty:
                continue
            return f"line {line} ({time}): {name} is missing."
        if not _is_number(number) or isnan(float(number)):
            comma = head.form.decimal == "." and _is_number(value.replace(",", ".", 1))
            hint = " Is the comma a decimal mark? Then pass decimal=',' to cambist.data.open_csv." if comma else ""
            return f"line {line} ({time}): {name} is {value!r}, which is no number.{hint}"
    return None


def line_of_row(path: Path, head: Head, row: int) -> int:
    """Return the number of the line, from 1, that holds row `row`, from 0."""
    form = head.form
    with _open_text(path, form) as text:
        for count, (line, _) in enumerate(_records(text, head.delimiter, form.skip), start=0 if form.names else -1):
            if count == row:
                return line
    raise IndexError(row)
