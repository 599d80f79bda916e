"""Tells the same thing once in a while, however often it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AGAIN", "Seldom"]

#: How long the same thing is not told again, ns.
AGAIN: Final = 300 * 1_000_000_000


class Seldom:
    """Passes alarms on: of one word about one thing the first, and the next when five minutes have passed.

    Parameters
    ----------
    alarm
        Told of what a person should know.
    clock
        Answers the time, ns.
    """

    def __init__(self, alarm: Callable[[str, str], None], clock: Callable[[], int]) -> None:
        self._alarm, self._clock = alarm, clock
        self._told_at: dict[tuple[str, str], int] = {}
        self._untold: dict[tuple[str, str], int] = {}

    def tell(self, word: str, about: str, text: str) -> None:
        """Take that something has happened; what was not told meanwhile is counted in the next."""
        key, now = (word, about), self._clock()
        told_at = self._told_at.get(key)
        if told_at is not None and now - told_at < AGAIN:
            self._untold[key] = self._untold.get(key, 0) + 1
            return
        self._told_at[key] = now
        untold = self._untold.pop(key, 0)
        self._alarm(word, f"{text} ({untold} more like it since it was told last.)" if untold else text)
