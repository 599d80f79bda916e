"""What was measured, and the figures made of it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.outcome import Outcome, differences

if TYPE_CHECKING:
    from benchmarks.job import Job

__all__ = ["Measured", "Results"]


@attrs.define
class Measured:
    """The repetitions of one job.

    Attributes
    ----------
    job
        What was done.
    repetitions
        What each worker printed; see `benchmarks.worker`.
    """

    job: Job
    repetitions: list[dict[str, Any]] = attrs.field(factory=list)

    @property
    def seconds(self) -> float:
        """Median CPU time, s."""
        return median(one["cpu"] for one in self.repetitions)

    @property
    def least(self) -> float:
        """Least CPU time, s: what it takes where nothing else disturbs."""
        return min(one["cpu"] for one in self.repetitions)

    @property
    def spread(self) -> float:
        """The longest CPU time over the shortest."""
        times = [one["cpu"] for one in self.repetitions]
        return max(times) / min(times)

    @property
    def loops(self) -> float:
        """Median CPU time in units of the calibration loop run beside it: free of how fast the core was just then."""
        return median(one["cpu"] / one["speed"] for one in self.repetitions)

    @property
    def memory(self) -> float:
        """Median peak of the whole process, bytes."""
        return median(one["memory"] for one in self.repetitions)

    @property
    def outcomes(self) -> list[Outcome]:
        """What each repetition came to."""
        return [Outcome(**one["outcome"]) for one in self.repetitions]


@attrs.define
class Results:
    """Everything that was measured so far, by job."""

    by_key: dict[str, Measured] = attrs.field(factory=dict)

    def add(self, job: Job, measurement: dict[str, Any]) -> None:
        """Take what one worker printed."""
        self.by_key.setdefault(job.key, Measured(job)).repetitions.append(measurement)

    def get(self, key: str) -> Measured | None:
        """Return a job's measurements, None where it was not run."""
        return self.by_key.get(key)

    @property
    def best_loop(self) -> float:
        """The shortest calibration loop of the whole run, s: the core left alone."""
        return min((one["speed"] for each in self.by_key.values() for one in each.repetitions), default=1.0)

    @property
    def worst_loop(self) -> float:
        """The longest, s."""
        return max((one["speed"] for each in self.by_key.values() for one in each.repetitions), default=1.0)

    def rate(self, measured: Measured) -> float:
        """Return items for each CPU second, as on a core that is as fast as this one ever was during the run."""
        return measured.job.items / (measured.loops * self.best_loop)

    def ratio(self, slower: str, faster: str) -> float | None:
        """Return how many times longer one job takes for an item than another, None where either was not run."""
        one, other = self.get(slower), self.get(faster)
        if one is None or other is None:
            return None
        return (one.loops / one.job.items) / (other.loops / other.job.items)

    def disagreements(self) -> list[str]:
        """Compare every run of a workload and size with the first; return what differs."""
        first: dict[tuple[str, int], tuple[str, Outcome]] = {}
        found = []
        for measured in self.by_key.values():
            job = measured.job
            for outcome in measured.outcomes:
                name, reference = first.setdefault((job.workload, job.size), (job.engine, outcome))
                found += [
                    f"{job.workload} on {job.size:,} bars, {job.engine} against {name}: {text}"
                    for text in differences(reference, outcome)
                ]
        return list(dict.fromkeys(found))
