"""When each stream of a live run said something last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Heard"]


class Heard:
    """Takes note of the time whenever a stream has something to say.

    Parameters
    ----------
    wake
        Called each time, whichever stream it is.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._at: dict[str, float] = {}

    def of(self, stream: str) -> Callable[[], None]:
        """Return what is to be called when a stream says something."""
        at, wake, now = self._at, self._wake, time.monotonic

        def heard() -> None:
            at[stream] = now()
            wake()

        return heard

    def ages(self) -> dict[str, float]:
        """Return for how many seconds each stream has been silent; one that never said anything is missing."""
        now = time.monotonic()
        return {stream: now - at for stream, at in self._at.items()}
