"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Waits that double, each drawn between half and all of it, so that many clients do not come back at once.

    Parameters
    ----------
    first, most
        Of the waits, seconds.
    chance
        Where the draws come from.
    """

    def __init__(self, first: float = 0.1, most: float = 30.0, chance: random.Random | None = None) -> None:
        self._first, self._most = first, most
        self._chance = chance or random.Random()  # noqa: S311 - spreads clients, hides nothing
        self._failures = 0

    def next(self) -> float:
        """Return the seconds to wait after another failure."""
        span = min(self._most, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return span * (0.5 + 0.5 * self._chance.random())

    def reset(self) -> None:
        """Start over: an attempt succeeded."""
        self._failures = 0
