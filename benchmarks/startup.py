"""How long ``cambist --help`` takes with many plugins installed: ``python -m benchmarks.startup [--plugins 30]``.

Begins packages of every kind in a folder, as an installer leaves them, and starts the command again and again: with
the core alone and with all of them, in turn, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cambist.plugins.discovery import GROUP
from cambist.plugins.scaffold import KINDS, Scaffold

#: What is promised, s.
GOAL = 0.4


def install(count: int, folder: Path) -> list[str]:
    """Begin so many plugins, one kind after another, and return their names."""
    names = []
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        scaffold = Scaffold(kind, f"{kind}-{number}")
        scaffold.write(folder / "sources" / scaffold.name)
        package = folder / "sources" / scaffold.name / "src" / scaffold.package
        package.rename(folder / scaffold.package)
        info = folder / f"{scaffold.package}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {scaffold.distribution}\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{scaffold.name} = {scaffold.package}.plugin\n")
        names.append(scaffold.name)
    return names


def started(environ: dict[str, str]) -> tuple[float, float]:
    """Run the command once; return wall and processor seconds."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "cambist", "--help"], env=environ, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, cpu


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plugins", type=int, default=30)
    parser.add_argument("--runs", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        names = install(chosen.plugins, Path(scratch))
        alone = {**os.environ, "CAMBIST_PLUGINS": ""}
        every = {**os.environ, "CAMBIST_PLUGINS": ",".join(names), "PYTHONPATH": scratch}
        listed = subprocess.run(
            [sys.executable, "-m", "cambist", "plugins", "list", "--json"],
            env=every, capture_output=True, text=True, check=True,
        )  # fmt: skip
        active = listed.stdout.count('"state": "active"') - 1
        started(every), started(alone)  # what is compiled the first time
        took = [(started(alone), started(every)) for _ in range(chosen.runs)]
    for column, what in enumerate(("wall", "processor")):
        core, full = (statistics.median(one[which][column] for one in took) for which in (0, 1))
        print(
            f"{what:>9}: core alone {core:.3f} s, with {active} plugins {full:.3f} s, "
            f"{(full - core) / active * 1_000:.1f} ms a plugin; least {min(one[1][column] for one in took):.3f} s"
        )
    full = statistics.median(one[1][1] for one in took)
    verdict = "met" if full < GOAL else "missed"
    print(f"the goal is {GOAL} s: {verdict} by the processor time, which is what it takes where nothing else runs")


if __name__ == "__main__":
    main()
