"""``python -m benchmarks``: measures everything side by side in one run and prints ratios, goals and verdicts.

Every measurement is made in a process of its own, one after the other, the engines taking turns; times are CPU
times, figures are medians. A report, not a test: it ends with 0 whatever the figures are, and with 1 only where
engines came to different results, since their times then mean nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.goals import verdicts
from benchmarks.measured import Results
from benchmarks.plan import ON_REQUEST, SECTIONS, Sizes, jobs
from benchmarks.processes import ROOT, Processes, environment
from benchmarks.report import machine, print_goals, print_machine, print_processes, print_section
from benchmarks.revisions import compare

if TYPE_CHECKING:
    from benchmarks.job import Job

RESULTS = Path(__file__).resolve().parent / "results"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, two rounds: for a first look")
    parser.add_argument(
        "--only", action="append", choices=SECTIONS + ON_REQUEST, help="measure this section; may be repeated"
    )
    parser.add_argument(
        "--against", metavar="REVISION", help="measure W1, W2, W4 beside Cambist as it was at a revision of git"
    )
    parser.add_argument("--rounds", type=int, default=0, help="repetitions of each measurement (default 5)")
    return parser.parse_args()


def _compile() -> None:
    """Compile our own folders, as an installer does with what it copies; `import` may have been told not to."""
    folders = [str(ROOT / "core" / "src"), str(ROOT / "benchmarks")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], env=environment(), check=False)


def _work(job: Job, sources: Path | None = None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(attrs.asdict(job))]
    done = subprocess.run(command, cwd=ROOT, env=environment(sources), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job} ended with {done.returncode}:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _measure(sections: list[str], sizes: Sizes, rounds: int) -> Results:
    planned = {job.key: job for section in sections for job in jobs(section, sizes)}
    results = Results()
    for number in range(rounds):
        for job in planned.values():
            if not job.rounds or number < job.rounds:
                _show(f"round {number + 1} of {rounds}: {job.key}")
                results.add(job, _work(job))
    _show("")
    return results


def _show(text: str) -> None:
    """Show where the run is, to somebody who watches."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)


def _measure_processes(rounds: int) -> Processes:
    processes = Processes()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "benchmarks.files", folder], cwd=ROOT, env=environment(), check=True)
        processes.measure(Path(folder), rounds)
    return processes


def _save(sizes: Sizes, results: Results, processes: Processes) -> None:
    RESULTS.mkdir(exist_ok=True)
    content = {
        "machine": machine(results),
        "jobs": {key: attrs.asdict(measured) for key, measured in results.by_key.items()},
        "processes": processes.times,
        "goals": [
            {
                "goal": verdict.goal.text,
                "figure": verdict.figure,
                "unit": verdict.goal.unit,
                "target": verdict.goal.target,
                "met": verdict.is_met,
            }
            for verdict in verdicts(sizes, results, processes)
        ],
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Answer the command line."""
    options = _options()
    sizes = Sizes(10 if options.quick else 1)
    rounds = options.rounds or (2 if options.quick else 5)
    sections = [one for one in SECTIONS + ON_REQUEST if one in (options.only or SECTIONS)]
    began = time.perf_counter()
    _compile()
    if options.against:
        workloads = options.only or ("w1", "w2", "w4")
        return compare(options.against, sizes, workloads, rounds, _work)
    results = _measure(sections, sizes, rounds)
    processes = _measure_processes(max(rounds, 3)) if "startup" in sections else Processes()
    for section in sections:
        print_section(section, sizes, results)
    print_processes(processes)
    if "indicators" in sections:
        print("\nIndicators", flush=True)
        for name in ("indicator_streams", "every_indicator"):
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, env=environment(), check=True)
    if "resampling" in sections:
        print("\nSlower bars", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.resampling"], cwd=ROOT, env=environment(), check=True)
    if "journal" in sections:
        print("\nJournal", flush=True)
        command = [sys.executable, "-m", "benchmarks.journal", str(1_000_000 // sizes.part)]
        subprocess.run(command, cwd=ROOT, env=environment(), check=True)
    if "storage" in sections:
        print("\nStorage", flush=True)
        command = [sys.executable, "-m", "benchmarks.storage", str(60_000 // sizes.part)]
        subprocess.run(command, cwd=ROOT, env=environment(), check=True)
    if "data" in sections:
        print("\nChecks of data", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.data_checks"], cwd=ROOT, env=environment(), check=True)
    if "sweeps" in sections:
        print("\nSweeps", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.sweeps", "quick"], cwd=ROOT, env=environment(), check=True)
    if "simulator" in sections:
        print("\nSimulator", flush=True)
        command = [sys.executable, "-m", "benchmarks.simulator", *(["quick"] if options.quick else [])]
        subprocess.run(command, cwd=ROOT, env=environment(), check=True)
    print_goals(sizes, results, processes)
    print_machine(results)
    _save(sizes, results, processes)
    print(
        f"  took {time.perf_counter() - began:.0f} s; every figure is in {(RESULTS / 'latest.json').relative_to(ROOT)}"
    )
    wrong = results.disagreements()
    for text in wrong:
        print(f"\nThe engines disagree, so their times mean nothing: {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
