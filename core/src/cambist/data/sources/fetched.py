"""Bars that are fetched over a network when they are first read."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist.model.bars import Bars

__all__ = ["FetchedHistory"]


@attrs.define(eq=False, slots=False)
class FetchedHistory:
    """A `HistorySource` over a question to a service: asked once, when the bars are first read, and kept.

    Attributes
    ----------
    name
        What to call it in messages.
    fetch
        Asks the service: bars, and sentences about what was done to them. Errors of Cambist are passed on.
    passing
        Errors that may be gone the next time, as of a network; others are passed on as they are.
    attempts
        How often to ask.
    pause
        Seconds before the second attempt; each further pause is twice as long.
    sleep
        Waits.
    """

    name: str
    fetch: Callable[[], tuple[Bars, tuple[str, ...]]]
    passing: tuple[type[Exception], ...] = (OSError,)
    attempts: int = 4
    pause: float = 2.0
    sleep: Callable[[float], object] = time.sleep

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the data; empty before it was read."""
        return self._fetched[1] if "_fetched" in self.__dict__ else ()

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            There are no bars, or what came is none.
        VenueError
            The service could not be reached, however often it was asked.
        """
        return self._fetched[0]

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size` rows; errors are those of `load`."""
        check_size(size)
        return self.load().blocks(size)

    @cached_property
    def _fetched(self) -> tuple[Bars, tuple[str, ...]]:
        for attempt in range(1, self.attempts + 1):
            try:
                return self.fetch()
            except self.passing as error:
                if attempt == self.attempts:
                    reason = " ".join(f"{type(error).__name__}: {error}".split())
                    raise VenueError(
                        f"{self.name}: no answer in {attempt} attempts: {reason}. "
                        "Check the network, or try again later."
                    ) from error
                self.sleep(self.pause * 2 ** (attempt - 1))
        raise AssertionError("attempts is at least 1")
