"""What windows have in common, carried from row to row: counts, ranks, places of extremes.

Whole numbers of this kind are exact, however they are come by. So live they are carried along, at a cost that hardly
grows with the window, where over whole columns each window is looked at anew.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cambist.indicators.written_windows import Window

__all__ = ["Extremes", "Held", "Ranks", "Running"]


class Running(Protocol):
    """Something that is carried from window to window."""

    def move(self, window: Window, newest: float, oldest: float) -> float:
        """Return the value of a window, which holds no NaN.

        Parameters
        ----------
        window
            The last rows, oldest first.
        newest
            The last of them.
        oldest
            The row that has just left the window. If it is NaN, the windows before were not known.
        """
        ...

    def forget(self) -> None:
        """Begin anew with the next window."""
        ...


class Ranks:
    """The share of a window that is less than its newest row."""

    __slots__ = ("_ordered",)

    def __init__(self) -> None:
        self._ordered: list[float] = []

    def move(self, window: Window, newest: float, oldest: float) -> float:
        """Return it; see `Running.move`."""
        ordered = self._ordered
        if ordered and oldest == oldest:  # noqa: PLR0124 - not NaN
            del ordered[bisect_left(ordered, oldest)]
            insort(ordered, newest)
        else:
            ordered[:] = sorted(window)
        return bisect_left(ordered, newest) / len(ordered)

    def forget(self) -> None:
        """Begin anew; see `Running.forget`."""
        self._ordered.clear()


class Held:
    """1 where so many rows of a window are not zero, else 0."""

    __slots__ = ("_count", "_least")

    def __init__(self, least: int) -> None:
        self._least = least
        self._count = -1

    def move(self, window: Window, newest: float, oldest: float) -> float:
        """Return it; see `Running.move`."""
        if self._count >= 0 and oldest == oldest:  # noqa: PLR0124 - not NaN
            self._count += (newest != 0) - (oldest != 0)
        else:
            self._count = sum(value != 0 for value in window)
        return 1.0 if self._count >= self._least else 0.0

    def forget(self) -> None:
        """Begin anew; see `Running.forget`."""
        self._count = -1


class Extremes:
    """How many rows ago the greatest of a window was.

    Parameters
    ----------
    sign
        1.0; -1.0 for the least.
    oldest
        Whether of several equal ones the oldest counts, and not the newest.
    """

    __slots__ = ("_candidates", "_oldest", "_row", "_sign")

    def __init__(self, sign: float, *, oldest: bool) -> None:
        self._sign, self._oldest = sign, oldest
        #: Values, each with its row, that are greater than all that follow them.
        self._candidates: deque[tuple[float, int]] = deque()
        self._row = 0

    def move(self, window: Window, newest: float, oldest: float) -> float:
        """Return it; see `Running.move`."""
        candidates = self._candidates
        if candidates and oldest == oldest:  # noqa: PLR0124 - not NaN
            self._add(newest)
            if candidates[0][1] <= self._row - len(window):
                candidates.popleft()
        else:
            candidates.clear()
            for value in window:
                self._add(value)
        return float(self._row - candidates[0][1])

    def _add(self, value: float) -> None:
        candidates, value = self._candidates, self._sign * value
        while candidates and (candidates[-1][0] < value or (candidates[-1][0] == value and not self._oldest)):
            candidates.pop()
        self._row += 1
        candidates.append((value, self._row))

    def forget(self) -> None:
        """Begin anew; see `Running.forget`."""
        self._candidates.clear()
