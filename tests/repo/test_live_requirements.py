"""The page of what a live run is held to names tests that exist, and every row."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "live-requirements.md"
ROW = re.compile(r"^\| (?P<row>[A-Z]\d+) \| (?P<text>.+) \| (?P<held>.+) \| (?P<state>.+) \|$", re.MULTILINE)
TEST = re.compile(r"`([^`]+)::(test_\w+)`")
ROWS = [
    *(f"O{number}" for number in range(1, 26)),
    *(f"R{number}" for number in range(1, 21)),
    *(f"M{number}" for number in (1, 2, 3, 4, 5, 6, 10, 11)),
    *(f"N{number}" for number in range(1, 5)),
    *(f"K{number}" for number in (1, 2, 3, 4, 5, 9, 10)),
    *(f"A{number}" for number in (3, 4, 5)),
    *(f"C{number}" for number in (2, 3, 4, 5)),
]


def rows():
    return [found.groupdict() for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


@cache
def known_in(name: str) -> frozenset[str]:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    kinds = ast.FunctionDef, ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_row_is_there_once_and_in_order():
    assert [one["row"] for one in rows()] == ROWS


def test_every_test_that_is_named_exists():
    for one in rows():
        for name, test in TEST.findall(one["held"]):
            assert test in known_in(name), f"{one['row']}: there is no {test} in {name}"


def test_what_is_held_is_held_by_a_test_and_what_lacks_is_said():
    for one in rows():
        state, named = one["state"], TEST.findall(one["held"])
        assert re.fullmatch(r"held|not yet|in part: .+", state), one
        assert bool(named) == (state != "not yet"), one
