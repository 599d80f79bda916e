"""What plays a market: one thing after another, each at its time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Script"]


class Script(ABC):
    """Something that happens in steps; each has a time, and the times never go back.

    Attributes
    ----------
    next_due
        When the next step is due, ns, market time; None when there is none left.
    """

    def __init__(self) -> None:
        self.next_due: int | None = None
        self._steps: Iterator[int] = iter(())

    @property
    def first(self) -> int | None:
        """When it begins by its own reckoning, ns; None for whatever begins whenever it is told to."""
        return None

    @property
    def last(self) -> int | None:
        """When it ends by its own reckoning, ns; None where that is not known or never."""
        return None

    @abstractmethod
    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each step, ns, before it is done; the step is what follows on the yield.

        Parameters
        ----------
        shift
            ns to add to all times of its own; where it has none of its own, when it begins.
        """

    def begin(self, shift: int) -> None:
        """Go to before the first step."""
        self._steps = self.play(shift)
        self.next_due = next(self._steps, None)

    def step(self) -> None:
        """Do the next step."""
        self.next_due = next(self._steps, None)
