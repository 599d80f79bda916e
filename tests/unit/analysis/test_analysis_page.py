"""The page on analysis lists what there is, under the names it has, with the parameters it takes."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from cambist.analysis import MEASURES, Analysis

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "analysis.md").read_text(encoding="utf-8")
PUBLIC = {name for name in vars(Analysis) if not name.startswith("_")}


def table(head):
    rows = PAGE.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_everything_is_listed_with_its_parameters():
    listed = set()
    for row in table("| ask for |"):
        for code in re.findall(r"`([^`]+)`", row[0]):
            name, _, given = code.partition("(")
            listed.add(name)
            member = inspect.getattr_static(Analysis, name)
            assert callable(member) is bool(given), f"{code}: a call, or none?"
            if given:
                known = inspect.signature(member).parameters
                for word in ast.parse(f"f({given}").body[0].value.args:
                    assert word.id in known, code
                for word in ast.parse(f"f({given}").body[0].value.keywords:
                    if word.arg is not None:
                        assert known[word.arg].default == ast.literal_eval(word.value), code
    assert listed == PUBLIC


def test_what_a_backtrader_user_is_sent_to_exists():
    rows = table("| backtrader's analyzer |")
    assert len(rows) > 12
    for _, ours in rows:
        for name in re.findall(r"`(\w+)`", ours):
            assert name in PUBLIC | set(MEASURES) | {"rtot", "rnorm", "len", "bars"}, name


def test_everything_says_what_it_is():
    for name in PUBLIC:
        member = inspect.getattr_static(Analysis, name)
        assert len(inspect.getdoc(getattr(member, "func", member)) or "") > 20, name
