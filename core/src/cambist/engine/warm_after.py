"""With which bar of each series every line is known, which slower series tell only as they go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cambist.indicators.series import SeriesCursor

__all__ = ["warm_after"]


def warm_after(cursors: Sequence[SeriesCursor]) -> Sequence[int]:
    """Return for each series how many bars must have been seen before every line is known.

    Where slower series are made of one, that depends on how many of its bars each of theirs has: it is more than any
    run has until it is known, and is to be asked for anew with each bar, or block of bars.
    """
    if any(cursor.followers for cursor in cursors):
        return _Asked(cursors)
    return tuple(cursor.lookback for cursor in cursors)


class _Asked(Sequence[int]):
    def __init__(self, cursors: Sequence[SeriesCursor]) -> None:
        self._cursors = cursors
        self._lookbacks = [cursor.lookback for cursor in cursors]

    def __len__(self) -> int:
        return len(self._cursors)

    def __getitem__(self, number: int) -> int:  # type: ignore[override]
        slower = self._cursors[number].followers
        return max([self._lookbacks[number], *(one.known_after for one in slower)])
