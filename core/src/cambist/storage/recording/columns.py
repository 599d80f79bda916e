"""The rows of a block as columns, which pack to two thirds of what they do as rows: times and prices differ little from
row to row, and prices and sizes are decimals of a few digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["from_columns", "to_columns"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[bytes, list[list[Any]]]).decode
#: Rows of different lengths that one block may hold; the place of each is a byte.
_MOST_SHAPES = 256
#: Digits behind the point that are looked for, and the largest number that is kept that way.
_DIGITS, _LARGEST = 8, 2.0**52


def to_columns(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return rows as bytes: which shape each is of, and the columns of each shape."""
    shapes: dict[tuple[Any, int], list[Sequence[Any]]] = {}
    for row in rows:
        shapes.setdefault((row[0], len(row)), []).append(row)
    if len(shapes) > _MOST_SHAPES:
        return _encode((b"", [list(row) for row in rows]))
    numbers = {shape: number for number, shape in enumerate(shapes)}
    order = bytes([numbers[row[0], len(row)] for row in rows])
    return _encode((order, [[_column(column) for column in zip(*own, strict=True)] for own in shapes.values()]))


def from_columns(data: bytes) -> list[list[Any]]:
    """Return the rows that `to_columns` was given."""
    order, shapes = _decode(data)
    if not order:
        return shapes
    coming = [zip(*map(_values, columns), strict=True) for columns in shapes]
    return [list(next(coming[number])) for number in order]


def _column(values: tuple[Any, ...]) -> Any:
    """Return a column: the digits behind the point and differences, or the values where they are no such numbers."""
    kinds = set(map(type, values))
    try:
        if kinds == {int}:
            return [-1, _packed(np.array(values, np.int64))]
    except OverflowError:
        return list(values)
    if kinds == {float}:
        numbers = np.array(values)
        if not np.all(np.abs(numbers) < _LARGEST):  # NaN is not
            return list(values)
        for digits in range(_DIGITS + 1):
            counts = np.rint(numbers * 10.0**digits)
            if not np.all(np.abs(counts) < _LARGEST):
                break
            whole = counts.astype(np.int64)
            if np.array_equal((whole / 10.0**digits).view(np.int64), numbers.view(np.int64)):  # -0.0 is no integer
                return [digits, _packed(whole)]
    return list(values)


def _packed(counts: NDArray[np.int64]) -> bytes:
    """Return the differences of integers: first all lowest bytes, then the next, the upper ones being nearly alike."""
    unsigned = counts.view(np.uint64)  # which wrap around
    differences = np.diff(unsigned, prepend=np.uint64(0))
    return differences.astype("<u8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _values(column: list[Any]) -> list[Any]:
    if len(column) != 2 or type(column[1]) is not bytes:
        return column
    digits, packed = column
    mixed = np.frombuffer(packed, np.uint8).reshape(8, -1).T
    counts = np.cumsum(np.ascontiguousarray(mixed).view("<u8").ravel(), dtype=np.uint64).view(np.int64)
    numbers: list[Any] = (counts if digits < 0 else counts / 10.0**digits).tolist()
    return numbers
