"""What an account traded within the last days."""

from __future__ import annotations

from collections import deque

__all__ = ["TradedVolume"]


class TradedVolume:
    """Keeps the value of fills and forgets those older than a window.

    Parameters
    ----------
    window
        Length, ns; a fill counts until it is exactly that old.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._fills: deque[tuple[int, float]] = deque()
        self._total = 0.0

    def add(self, ts: int, value: float) -> None:
        """Note a fill at `ts` (ns, UTC) worth `value`."""
        self._fills.append((ts, value))
        self._total += value

    def at(self, ts: int) -> float:
        """Return the value traded in the window that ends at `ts`; what is older is forgotten."""
        fills, oldest = self._fills, ts - self._window
        while fills and fills[0][0] <= oldest:
            self._total -= fills.popleft()[1]
            if not fills:
                self._total = 0.0  # what the rounding of the sums left
        return self._total

    def latest(self) -> float:
        """Return the value traded in the window that ends with the last fill."""
        return self.at(self._fills[-1][0]) if self._fills else 0.0
