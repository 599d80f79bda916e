"""A queue between what reads a socket and what iterates: filled without a task, read without a poll."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Channel"]

T = TypeVar("T")


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
    """

    def __init__(self, limit: int | None = None) -> None:
        self._waiting: deque[T] = deque()
        self._limit = limit
        self._waker: asyncio.Future[None] | None = None
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: T) -> bool:
        """Hand over; return whether it was taken. What was put in after the end is forgotten."""
        if self._closed:
            return True
        if self._limit is not None and len(self._waiting) >= self._limit:
            self.dropped += 1
            return False
        self._waiting.append(item)
        self._wake()
        return True

    def put_always(self, item: T) -> None:
        """Hand over what must not be lost, however much waits."""
        if not self._closed:
            self._waiting.append(item)
            self._wake()

    def close(self) -> None:
        """End the iteration, once what waits was read."""
        self._closed = True
        self._wake()

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
        return self._waiting.popleft()
