"""The block protocol: bars in pieces that follow each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.data.series import find_overlap
from cambist.errors import DataError, InputError
from cambist.model.bars import Bars
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BLOCK_ROWS", "check_size", "checked_blocks", "concatenate"]

#: Rows of a block when nobody says: converting more than this to Python objects at once costs memory.
BLOCK_ROWS = 65_536


def check_size(size: int) -> int:
    """Return the size of a block if it can be one.

    Raises
    ------
    InputError
        It is below 1.
    """
    if size < 1:
        raise InputError(f"blocks of {size} rows cannot be made. Give a size of at least 1, such as {BLOCK_ROWS}.")
    return size


def checked_blocks(blocks: Iterable[Bars], name: str = "blocks") -> Iterator[Bars]:
    """Yield the blocks as they come, refusing one that does not follow the one before it.

    Parameters
    ----------
    blocks
        Each already checked within itself, as `Bars` are.
    name
        What to call them in messages.

    Raises
    ------
    DataError
        A block goes back in time, overlaps the one before it, is of another instrument or timeframe, or is no `Bars`.
    """
    previous: Bars | None = None
    start = 0
    for number, block in enumerate(blocks):
        where = f"{name}: block {number} (from row {start} on)"
        if not isinstance(block, Bars):
            raise DataError(f"{where} is {type(block).__name__}, not Bars. Make Bars of it before it is yielded.")
        if previous is not None:
            _check_same(previous, block, where)
            first = int(block.ts[0])
            fault = find_overlap(int(previous.ts[-1]), first, block.timeframe)
            if fault is not None:
                raise DataError(f"{where} does not follow the one before it: row {start} ({format_ns(first)}): {fault}")
        yield block
        previous = block
        start += len(block)


def _check_same(previous: Bars, block: Bars, where: str) -> None:
    if block.instrument != previous.instrument:
        raise DataError(
            f"{where} is of {block.instrument.symbol}, the one before it of {previous.instrument.symbol}"
            f"{_difference(previous, block)}. One source yields one instrument."
        )
    if block.timeframe != previous.timeframe:
        raise DataError(
            f"{where} is of {block.timeframe}, the one before it of {previous.timeframe}. "
            "One source yields one timeframe: give it explicitly where it is told from the spacing."
        )


def _difference(previous: Bars, block: Bars) -> str:
    same_name = block.instrument.symbol == previous.instrument.symbol
    return f" ({block.instrument} against {previous.instrument})" if same_name else ""


def concatenate(blocks: Iterable[Bars], name: str = "blocks") -> Bars:
    """Put blocks together into one series.

    Raises
    ------
    DataError
        As `checked_blocks`, or if there is no block.
    """
    pieces = list(checked_blocks(blocks, name))
    if not pieces:
        raise DataError(f"{name}: there are no bars. Check the path, the symbol and the time range.")
    return Bars.joined(pieces)
