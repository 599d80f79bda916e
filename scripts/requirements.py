"""Print what the workspace requires from elsewhere, one requirement a line, without its own members.

    python scripts/requirements.py [--only-groups] [GROUP,GROUP]

Without a group: what the members need to be built and to run, extras included. ``--only-groups`` leaves that out.
pip learned to read dependency groups in 25.1, and the pip that comes with Python 3.11 is older; hence this file.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
# What hatchling asks for, at build time only, to install a folder by reference (`pip install -e`).
EDITABLE = "editables~=0.3"


def read(path: Path) -> dict[str, Any]:
    """Return the tables of a ``pyproject.toml``."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def members() -> dict[str, dict[str, Any]]:
    """Return name -> tables of the core and of every plugin."""
    files = [ROOT / "core" / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    return {tables["project"]["name"]: tables for tables in map(read, files)}


def of_group(name: str, groups: dict[str, list[Any]]) -> Iterator[str]:
    """Yield the requirements of one dependency group, the groups it includes with it."""
    if name not in groups:
        raise SystemExit(f"there is no dependency group {name!r}; known: {', '.join(sorted(groups))}")
    for entry in groups[name]:
        if isinstance(entry, str):
            yield entry
        else:
            yield from of_group(entry["include-group"], groups)


def of_members() -> Iterator[str]:
    """Yield what building and running the members takes."""
    own = members()
    yield EDITABLE
    for tables in own.values():
        project = tables["project"]
        wanted = [*tables["build-system"]["requires"], *project.get("dependencies", [])]
        for extra in project.get("optional-dependencies", {}).values():
            wanted += extra
        yield from (one for one in wanted if re.split(r"[^\w.-]", one, maxsplit=1)[0] not in own)


def main() -> None:
    """Answer the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="?", default="")
    parser.add_argument("--only-groups", action="store_true")
    options = parser.parse_args()
    groups = read(ROOT / "pyproject.toml")["dependency-groups"]
    wanted = [] if options.only_groups else list(of_members())
    for name in filter(None, options.groups.split(",")):
        wanted += of_group(name, groups)
    for requirement in sorted({one.replace(" ", "") for one in wanted}):
        print(requirement)


if __name__ == "__main__":
    main()
