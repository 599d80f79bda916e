"""What is to be done, held back until its records are safe."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Outbox"]

T = TypeVar("T")


class Outbox(Generic[T]):
    """A queue of the effects of steps, in the order of the steps.

    A driver puts in what a step wants together with the number of its last record, and takes out what may be done
    whenever the journal says up to which number records are safe.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Sequence[T]]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, sequence: int, effects: Sequence[T]) -> None:
        """Keep what a step wants until record `sequence` is safe."""
        if effects:
            self._waiting.append((sequence, effects))

    def release(self, durable: int) -> list[T]:
        """Return what may be done now that records up to `durable` are safe, oldest first."""
        ready: list[T] = []
        while self._waiting and self._waiting[0][0] <= durable:
            ready += self._waiting.popleft()[1]
        return ready
