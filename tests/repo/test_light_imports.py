"""Importing Cambist, or registering its plugins, loads nothing heavy.

A cold import of pandas costs 0.4 s, and of TA-Lib as much again. A command that only prints its help must not pay for
them.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    "pandas",
    "talib",
    "exchange_calendars",
    "cronsim",
    "uvloop",
    "pyarrow",
    "pydantic",
    "click",
    "rich",
    "matplotlib",
    "scipy",
    "numba",
    "asyncio",
]


def entry_points() -> list[str]:
    modules = []
    for file in [ROOT / "core" / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]:
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        modules += [value.partition(":")[0] for value in project.get("entry-points", {}).get("cambist.v1", {}).values()]
    return sorted(modules)


def loaded_by(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def dependencies_of(module: str) -> set[str]:
    """Return the import names of what a plugin needs beside Cambist, which it may load only when it is used."""
    for file in ROOT.glob("plugins/*/pyproject.toml"):
        if (file.parent / "src" / module.partition(".")[0]).is_dir():
            wanted = tomllib.loads(file.read_text(encoding="utf-8"))["project"].get("dependencies", [])
            names = {"".join(c if c.isalnum() or c in "-_." else " " for c in one).split()[0] for one in wanted}
            return {name.replace("-", "_") for name in names} - {"cambist", "attrs", "numpy", "pluggy", "msgspec"}
    return set()


@pytest.mark.parametrize("module", ["cambist", "cambist.errors", "cambist.model", "cambist.ports", "cambist.api"])
def test_the_door_is_light(module):
    assert loaded_by(f"import {module}").isdisjoint(HEAVY)


@pytest.mark.parametrize("module", entry_points())
def test_registering_a_plugin_is_light(module):
    assert loaded_by(f"import {module}").isdisjoint({*HEAVY, "numpy", *dependencies_of(module)})


def test_help_with_everything_installed_costs_no_array_and_no_strategy():
    program = "import contextlib\nfrom cambist.cli.main import main\n"
    program += "with contextlib.suppress(SystemExit):\n    main(['--help'])"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint('loaded', *sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.rpartition("loaded ")[2].split()  # fmt: skip
    assert "cambist.plugins.registry" in loaded
    # What the command line itself is made of, and nothing of what a run is made of.
    assert set(loaded).isdisjoint({*HEAVY, "numpy", "cambist.model", "cambist.strategies"} - {"click", "rich"})
