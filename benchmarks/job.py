"""One thing to measure: an engine, what it is given to do, and how much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from benchmarks.outcome import Outcome

__all__ = ["CASH", "FEES", "Engine", "Job"]

CASH = 1_000_000.0
FEES = 0.001


class Engine(Protocol):
    """An engine doing one workload, in the three steps of which only the second is timed."""

    def prepare(self, size: int) -> Any:
        """Return the data of a run of `size` bars, in the form in which the engine's users hold it."""
        ...

    def run(self, data: Any) -> Any:
        """Turn the data into a result with trades and final equity."""
        ...

    def outcome(self, result: Any) -> Outcome:
        """Return what the run came to."""
        ...


@attrs.frozen
class Job:
    """A measurement, done anew in a process of its own for each repetition.

    Attributes
    ----------
    engine
        A key of `benchmarks.engines.registry.ENGINES`.
    workload
        ``"w1"``, ``"w2"``, ``"w4"``, ``"brackets"``, ``"generated"``, ``"trades"``, ``"quotes"`` or
        ``"trades-file"``: jobs of one workload and size must come to one outcome.
    size
        Bars of each instrument.
    items
        What is counted: bars of all instruments, or orders.
    rounds
        At most this often, for what takes minutes; 0 for as often as everything else.
    """

    engine: str
    workload: str
    size: int
    items: int
    rounds: int = 0

    @property
    def key(self) -> str:
        """Name of the job in the results."""
        return f"{self.workload}/{self.engine}/{self.size}"
