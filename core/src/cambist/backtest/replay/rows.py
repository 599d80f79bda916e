"""The rows of a recording, as a replay takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.backtest.replay.peeked import Peeked
from cambist.engine.recorded import ASKED, DAY, ENDED, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.engine.recorded import Recorded

__all__ = ["Rows"]


class Rows:
    """Events, one by one; marks among them are noted on the way.

    Parameters
    ----------
    rows
        Of the recording.

    Attributes
    ----------
    outside
        Numbers of records that were no wish of the kernel.
    ended
        Number of the run's last record, once the recording has told; None until then.
    """

    def __init__(self, rows: Iterator[Recorded]) -> None:
        self._rows = Peeked(rows)
        self.outside: set[int] = set()
        self.ended: int | None = None
        self._answers: dict[tuple[int, int], float] = {}  # by event and order
        self._days: dict[int, int] = {}

    def peek(self) -> Recorded | None:
        """Return the next event, None at the end."""
        while (row := self._rows.peek()) is not None and row.event is None:
            if row.mark == OUTSIDE:
                self.outside.add(row.record)
            elif row.mark == ASKED:
                self._answers[row.record, row.order] = row.answer
            elif row.mark == DAY:
                self._days[row.record] = row.order
            elif row.mark == ENDED:
                self.ended = row.after
            self._rows.take()
        return row

    def take(self) -> None:
        """Go on behind the event that was looked at."""
        self._rows.take()

    def drain(self) -> None:
        """Look whether the recording has its end: `ended` tells."""
        while self.peek() is not None:
            self.take()

    def answer(self, event: int, order: int) -> float | None:
        """Return what stood before an order in its line when that was asked during an event; None where it was not."""
        self.peek()  # the answers stand behind the event
        return self._answers.get((event, order))

    def day_of(self, event: int) -> int | None:
        """Return the open of the bar to whose trading day an event belongs, ns; None where it goes by its own time."""
        if self._answers:  # those of events that are over
            self._answers = {key: told for key, told in self._answers.items() if key[0] >= event}
        return self._days.pop(event, None)

    @property
    def is_torn(self) -> bool:
        """Whether nothing comes any more, and the end was not told."""
        return self.peek() is None and self.ended is None
