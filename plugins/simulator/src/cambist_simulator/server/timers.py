"""What is to be done at a time of a clock that may be stepped."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_simulator.clock import Clock

__all__ = ["Timers"]


class Timers:
    """Calls by the time of a clock, in the order of their times, then of their making.

    Parameters
    ----------
    clock
        Whose time counts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, due: int, call: Callable[[], None]) -> None:
        """Call `call` when the clock shows `due` (ns) or more."""
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, call))

    def after(self, wait: int, call: Callable[[], None]) -> None:
        """Call `call` in `wait` ns."""
        self.at(self._clock.now() + wait, call)

    @property
    def next_due(self) -> int | None:
        """When the next call is due, ns; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def run(self) -> None:
        """Call what is due; what that adds waits for the next time."""
        if not self._heap:
            return
        now = self._clock.now()
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        for call in due:
            call()
