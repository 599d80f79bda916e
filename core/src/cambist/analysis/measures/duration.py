"""When the run started and ended, and how much it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.times import SECOND_NS

if TYPE_CHECKING:
    from cambist.analysis.facts import RunFacts

__all__ = ["bars", "duration", "end", "start"]


def start(facts: RunFacts) -> int:
    """Return the open of the first bar, ns, UTC."""
    return facts.curve.start


def end(facts: RunFacts) -> int:
    """Return the close of the last bar, ns, UTC; `start` without a bar."""
    return facts.curve.end


def duration(facts: RunFacts) -> float:
    """Return the time from `start` to `end` in seconds."""
    return (facts.curve.end - facts.curve.start) / SECOND_NS


def bars(facts: RunFacts) -> int:
    """Return the number of bars; with several instruments, of instants at which at least one closed."""
    return facts.curve.n_bars
