"""Timers of a run, on the clock of the bars."""

from __future__ import annotations

__all__ = ["NEVER", "Timers"]

#: Later than any bar.
NEVER = 2**63 - 1


class Timers:
    """What is due when.

    Attributes
    ----------
    next_due
        Earliest due time, ns; `NEVER` when nothing is set.
    """

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self.next_due = NEVER

    def set(self, name: str, due: int | None) -> None:
        """Set, replace or (None) forget a timer."""
        if due is None:
            self._due.pop(name, None)
        else:
            self._due[name] = due
        self.next_due = min(self._due.values(), default=NEVER)

    def due(self, now: int) -> list[tuple[int, str]]:
        """Return the timers due at `now`, earliest first, by name where they are due together."""
        return sorted((when, name) for name, when in self._due.items() if when <= now)

    def take(self, when: int, name: str) -> bool:
        """Forget a timer that fires; False where it was forgotten or set to another time before its turn."""
        if self._due.get(name) != when:
            return False
        self.set(name, None)
        return True
