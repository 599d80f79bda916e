"""An iterator that shows what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Peeked"]

_T = TypeVar("_T")


class Peeked(Generic[_T]):
    """Items of an iterator, each of which can be looked at before it is taken."""

    def __init__(self, items: Iterator[_T]) -> None:
        self._items = items
        self._ahead: _T | None = None

    def peek(self) -> _T | None:
        """Return the next item, None at the end."""
        if self._ahead is None:
            self._ahead = next(self._items, None)
        return self._ahead

    def take(self) -> None:
        """Go on behind the item that was looked at."""
        self._ahead = None
