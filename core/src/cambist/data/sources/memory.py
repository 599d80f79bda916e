"""Bars that are in memory already, and other people's sources of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.data.blocks import BLOCK_ROWS, check_size, checked_blocks, concatenate
from cambist.errors import DataError
from cambist.model.bars import Bars

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BlockHistory", "MemoryHistory"]


@attrs.frozen(eq=False)
class MemoryHistory:
    """A `HistorySource` over bars in memory.

    Attributes
    ----------
    bars
        The series.
    notes
        What was done to it on the way here, in sentences.
    """

    bars: Bars
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Symbol and timeframe."""
        return self.bars.name

    def load(self) -> Bars:
        """Return the series."""
        return self.bars

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the series in pieces of at most `size` rows."""
        return self.bars.blocks(check_size(size))


@attrs.frozen(eq=False)
class BlockHistory:
    """A `HistorySource` over any object with a ``blocks(size)`` method, whose blocks it checks.

    Attributes
    ----------
    source
        The object.
    """

    source: Any

    @property
    def name(self) -> str:
        """The object's own name, or that of its class."""
        return str(getattr(self.source, "name", type(self.source).__name__))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the object says it did to the data."""
        return tuple(getattr(self.source, "notes", ()))

    def load(self) -> Bars:
        """Return every bar: by the object's own ``load`` where it has one.

        Raises
        ------
        DataError
            As `checked_blocks`, or if ``load`` returns something else.
        """
        load = getattr(self.source, "load", None)
        if load is None:
            return concatenate(self.source.blocks(BLOCK_ROWS), self.name)
        bars = load()
        if not isinstance(bars, Bars):
            raise DataError(f"{self.name}: load() returned {type(bars).__name__}, not Bars.")
        return bars

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the object's blocks, checked.

        Raises
        ------
        DataError
            As `checked_blocks`.
        """
        return checked_blocks(self.source.blocks(check_size(size)), self.name)
