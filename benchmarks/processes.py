"""Whole processes: what a user waits for between pressing return and seeing a result."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import attrs

__all__ = ["ROOT", "Processes", "environment"]

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = Path(__file__).resolve().parent


def environment(sources: Path | None = None) -> dict[str, str]:
    """Return the environment of every process that is measured: one thread, and bytecode as an installation has it.

    Parameters
    ----------
    sources
        Where to import Cambist from, where it is not the installed one that is measured.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    elsewhere = {} if sources is None else {"PYTHONPATH": os.fspath(sources)}
    return {**kept, **one_thread, **elsewhere, "PYTHONHASHSEED": "0"}


@attrs.define
class Processes:
    """The whole processes that were measured, by name.

    Attributes
    ----------
    times
        For each, CPU time and wall time of every repetition, s.
    """

    times: dict[str, list[tuple[float, float]]] = attrs.field(factory=dict)

    def seconds(self, name: str) -> float | None:
        """Return the median CPU time, s: what it takes where nothing else runs."""
        taken = self.times.get(name)
        return None if not taken else median(cpu for cpu, _ in taken)

    def waited(self, name: str) -> float | None:
        """Return the median wall time, s."""
        taken = self.times.get(name)
        return None if not taken else median(wall for _, wall in taken)

    @property
    def importing(self) -> float | None:
        """What ``import cambist`` adds to bare Python, s."""
        whole, bare = self.seconds("import cambist"), self.seconds("bare python")
        return None if whole is None or bare is None else whole - bare

    def measure(self, folder: Path, rounds: int) -> None:
        """Start each command in turn, `rounds` times.

        Parameters
        ----------
        folder
            Where ``bars.parquet`` and ``bars.csv`` of 1,000 bars lie.
        """
        commands = _commands(folder)
        for _ in range(rounds):
            for name, command in commands.items():
                self.times.setdefault(name, []).append(_take(command))


def _commands(folder: Path) -> dict[str, list[str]]:
    python = sys.executable
    strategy = f"{_FOLDER / 'strategies.py'}:SmaCross"
    shell = [python, "-m", "cambist", "backtest", strategy, "--cash", "1e6", "--fees", "0.001", "--data"]
    script = [python, str(_FOLDER / "first_result.py")]
    return {
        "bare python": [python, "-c", "pass"],
        "import cambist": [python, "-c", "import cambist"],
        "import numpy": [python, "-c", "import numpy"],
        "import pandas": [python, "-c", "import pandas"],
        "a script, Parquet": [*script, str(folder / "bars.parquet")],
        "a script, CSV": [*script, str(folder / "bars.csv")],
        "cambist backtest, Parquet": [*shell, str(folder / "bars.parquet")],
        "cambist backtest, CSV": [*shell, str(folder / "bars.csv")],
    }


def _take(command: list[str]) -> tuple[float, float]:
    """Run a command to its end; return its CPU and its wall time, s."""
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, wall
