"""Bars, trades and quotes from files with one JSON value a line."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from cambist.data.sources.csv import told
from cambist.data.sources.csv_text import open_bytes
from cambist.data.sources.tables import MarketTableHistory, TableHistory, rows_as_table
from cambist.errors import DataError
from cambist.model.bars import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["open_json_lines", "open_json_lines_market"]

#: What a line holds that is a list, as the candles of exchanges are.
_ORDER = ["time", *COLUMNS]


def open_json_lines(path: Path, instrument: Instrument, timeframe: Timeframe | None) -> TableHistory:
    """Return a source of the bars in a file of JSON lines.

    Parameters
    ----------
    path
        The file, plain or packed. Each line is an object with the names that `load` knows, or a list of time, open,
        high, low, close, volume and whatever else; numbers may be texts. Blank lines are passed over.
    """
    return TableHistory(str(path), instrument, _Lines(path).tables, timeframe, _Lines(path).label)


def open_json_lines_market(path: Path, instrument: Instrument, kind: str) -> MarketTableHistory:
    """Return a source of the trades, quotes or levels in a file of JSON lines, objects all of them."""
    return MarketTableHistory(str(path), instrument, _Lines(path).tables, kind, _Lines(path).label)


class _Lines:
    """The lines of a file as tables."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tables(self, size: int) -> Iterator[Mapping[str, Any]]:
        """Yield the lines in tables of at most `size` rows."""
        with told(self.path), open_bytes(self.path) as raw:
            lines = self._decoded(raw)
            labels: list[str] | None = None
            kind: type = dict
            while piece := list(islice(lines, size)):
                if labels is None:
                    labels, kind = _labels(piece[0][1]), type(piece[0][1])
                yield rows_as_table(labels, [_row(labels, kind, line, value) for line, value in piece])

    def _decoded(self, raw: Any) -> Iterator[tuple[int, Any]]:
        decode = msgspec.json.Decoder().decode
        for number, text in enumerate(raw, start=1):
            if not text.strip():
                continue
            try:
                yield number, decode(text.removeprefix(b"\xef\xbb\xbf") if number == 1 else text)
            except msgspec.DecodeError as error:
                cut = not text.endswith(b"\n")
                remedy = (
                    "The file ends there, so it was cut off while it was written: do that again, or delete the line."
                    if cut
                    else "Repair or delete the line."
                )
                raise DataError(f"line {number} is no JSON: {error}. {remedy}") from None

    def label(self, row: int) -> str:
        """Return the number of the line that holds a row."""
        with open_bytes(self.path) as raw:
            held = (number for number, text in enumerate(raw, start=1) if text.strip())
            return f"line {next(islice(held, row, None), row + 1)}"


def _labels(first: Any) -> list[str]:
    if isinstance(first, dict):
        return list(first)
    if isinstance(first, list) and len(first) >= 5:
        return _ORDER[: len(first)]
    raise DataError(
        f"line 1 is {type(first).__name__}. Each line is an object such as {{'time': ..., 'open': ...}}, or a list of "
        "time, open, high, low, close and volume."
    )


def _row(labels: list[str], kind: type, line: int, value: Any) -> list[Any]:
    if kind is dict and isinstance(value, dict):
        try:
            return [value[label] for label in labels]
        except KeyError as error:
            raise DataError(
                f"line {line} has no {error.args[0]!r}, which the lines before it have. Give every line every value."
            ) from None
    if kind is list and isinstance(value, list) and len(value) >= len(labels):
        return value[: len(labels)]
    raise DataError(f"line {line} is not like those before it: {str(value)[:60]!r}. Write every line in one way.")
