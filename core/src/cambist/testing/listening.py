"""Hears what an asynchronous stream says, and waits for what must come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from cambist.model.reports import FillReport
from cambist.ports.venue import StreamReport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cambist.model.reports import OrderReport

__all__ = ["Listener"]


class Listener:
    """Keeps all that a stream says, in order; ``async with`` it.

    Attributes
    ----------
    all
        What was said so far.
    """

    def __init__(self, stream: AsyncIterator[Any]) -> None:
        self._stream = stream
        self.all: list[Any] = []
        self._said = asyncio.Condition()
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen(), name="listener")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        async for one in self._stream:
            async with self._said:
                self.all.append(one)
                self._said.notify_all()

    async def ended(self) -> None:
        """Return when the stream has ended."""
        await asyncio.shield(self._task)

    async def wait(self, wanted: Callable[[Any], bool], within: float, *, after: int = -1) -> Any:
        """Return the first thing said that is wanted, behind the place `after`; fails where it does not come."""

        def found() -> Any:
            return next((one for one in self.all[after + 1 :] if wanted(one)), None)

        await self.until(lambda: found() is not None, within)
        return found()

    async def until(self, condition: Callable[[], bool], within: float) -> None:
        """Return once a condition holds, looked at whenever something was said."""
        try:
            async with asyncio.timeout(within), self._said:
                await self._said.wait_for(condition)
        except TimeoutError:
            told = "\n".join(map(str, self.all[-20:]))
            raise AssertionError(f"it was not said within {within:g} s; the last that was said:\n{told}") from None

    def last(self, state: str) -> int:
        """Return the place at which a stream was last said to be in a state."""
        return max(
            number for number, one in enumerate(self.all) if isinstance(one, StreamReport) and one.state == state
        )

    def fills(self, order: OrderReport) -> list[FillReport]:
        """Return the executions of an order."""
        return [one for one in self.all if isinstance(one, FillReport) and one.venue_id == order.venue_id]
