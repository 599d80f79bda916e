"""The engine's time in a live run."""

from __future__ import annotations

import time

__all__ = ["MonotoneClock"]


class MonotoneClock:
    """Answers the time of day, ns since the epoch, UTC, and never goes back, whatever happens to the system's clock.

    Parameters
    ----------
    not_before
        The least time to answer: that of the newest record of the run's journal.
    """

    def __init__(self, not_before: int = 0) -> None:
        self._offset = max(time.time_ns(), not_before) - time.monotonic_ns()

    def __call__(self) -> int:
        """Return the time, ns."""
        return time.monotonic_ns() + self._offset
