"""A queue between what reads a socket and what iterates: filled without a task, read without a poll.

What waits for a slow reader is bounded, by kind: of what only its newest value counts (a quote, a bar that is not over)
the newest takes the place of the one that waits; what must not be missed unseen (a trade, a change of a book) is
refused beyond a limit, so that whoever puts it in can tell of the gap; what must not be missed at all is always taken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Generic, TypeVar

__all__ = ["Channel"]

T = TypeVar("T")
#: As long as no more waits, nothing is replaced: who keeps up sees everything. A socket is read 1,024 frames at a time.
_CROWDED = 4_000


class _Place:
    """Where something waits of which only the newest counts."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item


class Channel(Generic[T]):
    """A queue of one reader, an asynchronous iterator over what is put in.

    Parameters
    ----------
    limit
        How much may wait for a slow reader; None for all: nothing of an account is ever dropped.

    Attributes
    ----------
    dropped
        How many were not taken because too much waited.
    replaced
        How many took the place of one that waited.
    most
        The most that ever waited.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._waiting: deque[Any] = deque()
        self._limit = limit
        self._waker: asyncio.Future[None] | None = None
        self._closed = False
        self._places: dict[Any, _Place] = {}
        self.dropped = self.replaced = self.most = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: T) -> bool:
        """Hand over; return whether it was taken. What was put in after the end is forgotten."""
        if self._closed:
            return True
        if self._limit is not None and len(self._waiting) >= self._limit:
            self.dropped += 1
            return False
        self._add(item)
        return True

    def put_newest(self, key: Any, item: T) -> None:
        """Hand over what makes the one before it of its key worthless: where much waits, it takes the other's place."""
        if self._closed:
            return
        place = self._places.get(key)
        if place is not None and place.item is not None and len(self._waiting) > _CROWDED:
            place.item = item
            self.replaced += 1
            return
        place = self._places[key] = _Place(item)
        self._add(place)

    def put_always(self, item: T) -> None:
        """Hand over what must not be lost, however much waits."""
        if not self._closed:
            self._add(item)

    def _add(self, item: Any) -> None:
        waiting = self._waiting
        waiting.append(item)
        self.most = max(self.most, len(waiting))
        self._wake()

    def close(self) -> None:
        """End the iteration, once what waits was read."""
        self._closed = True
        self._wake()

    def metrics(self) -> dict[str, int]:
        """Return what can be counted of it."""
        return {"waiting": len(self), "most": self.most, "replaced": self.replaced, "dropped": self.dropped}

    def _wake(self) -> None:
        waker = self._waker
        if waker is not None and not waker.done():
            waker.set_result(None)

    def __aiter__(self) -> Channel[T]:
        return self

    async def __anext__(self) -> T:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._waker = asyncio.get_running_loop().create_future()
            try:
                await self._waker
            finally:
                self._waker = None
        item = self._waiting.popleft()
        if type(item) is not _Place:
            return item  # type: ignore[no-any-return]
        newest, item.item = item.item, None
        return newest  # type: ignore[no-any-return]
