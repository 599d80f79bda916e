"""Measures Cambist as it is here beside Cambist as it was at another revision of git, the two taking turns."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.job import Job
from benchmarks.measured import Results
from benchmarks.plan import INSTRUMENTS
from benchmarks.processes import ROOT
from benchmarks.report import print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.plan import Sizes

    #: Measures a job with the sources in a folder, or with those that are installed.
    Work = Callable[[Job, Path | None], dict[str, Any]]

__all__ = ["compare"]

#: What a strategy that sends none but market and limit orders may pay for all that came since, as a ratio.
ALLOWED = 1.05


def _jobs(sizes: Sizes, workloads: Iterable[str]) -> list[Job]:
    """Return the jobs that every revision can do; brackets are known to those that have them alone."""
    each = {"w1": sizes.w1_long, "w2": sizes.w2, "w4": sizes.w4[1], "brackets": sizes.w1_long}
    return [
        Job("cambist", name, size, size * (INSTRUMENTS if name == "w2" else 1))
        for name, size in each.items()
        if name in workloads
    ]


def _extract(revision: str, folder: Path) -> Path:
    """Write the sources of a revision to a folder; return where they can be imported from."""
    archive = folder / "sources.tar"
    command = ["git", "archive", "--format=tar", f"--output={archive}", revision, "core/src"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"--against {revision}: git has no sources of it.\n{done.stderr.strip()}")
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    return folder / "core" / "src"


def compare(revision: str, sizes: Sizes, workloads: Iterable[str], rounds: int, work: Work) -> int:
    """Measure and print; return 1 where the two came to different results, so that their times mean nothing.

    Parameters
    ----------
    revision
        A commit, a branch or a tag.
    workloads
        Names of sections; those that compare are W1, W2, W4 and brackets.
    rounds
        Repetitions of each measurement; the least CPU time of each counts.
    work
        Does a job in a process of its own.
    """
    results = Results()
    jobs = _jobs(sizes, workloads)
    with tempfile.TemporaryDirectory() as folder:
        sources = _extract(revision, Path(folder))
        for _ in range(rounds):
            for job in jobs:
                results.add(job, work(job, None))
                results.add(_as_of(job, revision), work(job, sources))
    print(f"\nCambist beside itself at {revision}: least CPU time of {rounds} runs each, taking turns")
    head = ("workload", "items", "before, s", "here, s", "time x before", "here, items/s", "")
    print_table(head, [_row(job, revision, results) for job in jobs])
    print(f"\n  W1, W2 and W4 send market and limit orders alone: what they pay for the rest may be x {ALLOWED}.")
    wrong = results.disagreements()
    for text in wrong:
        print(f"\nThe two disagree, so their times mean nothing: {text}")
    return 1 if wrong else 0


def _as_of(job: Job, revision: str) -> Job:
    return attrs.evolve(job, engine=f"{job.engine} at {revision}")


def _row(job: Job, revision: str, results: Results) -> tuple[str, ...]:
    here, before = results.by_key[job.key].least, results.by_key[_as_of(job, revision).key].least
    ratio = here / before
    verdict = "" if job.workload == "brackets" else "met" if ratio <= ALLOWED else "MISSED"
    shown = (f"{before:.3f}", f"{here:.3f}", f"{ratio:.3f}", f"{job.items / here:,.0f}")
    return (job.workload, f"{job.items:,}", *shown, verdict)
