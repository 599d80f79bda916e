"""The page on sizers names every one, with its own defaults, and every run file name and answer of the desk."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from cambist import strategies
from cambist.app.runfile import SIZERS
from cambist.strategies.desk import TradingDesk

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "sizers.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def test_every_sizer_has_its_row_and_run_file_name():
    rows = {re.match(r"`(\w+)", row[0])[1]: row[2].strip("`") for row in ROWS if len(row) == 3}
    assert rows == {cls.__name__: name for name, cls in SIZERS.items()}


@pytest.mark.parametrize("row", [row for row in ROWS if len(row) == 3], ids=lambda row: row[2])
def test_the_settings_in_a_row_are_those_of_the_class(row):
    parameters = inspect.signature(SIZERS[row[2].strip("`")]).parameters
    for name, said in re.findall(r"(\w+)=([^,)]+)", row[0]):
        default = parameters[name].default
        assert default is None if said == "…" else default == eval(said)


def test_backtraders_names_lead_to_sizers_that_exist():
    table = PAGE[PAGE.index("## Coming from backtrader") : PAGE.index("## Your own")]
    made = re.findall(r"\| `([A-Z]\w+\([^`]*\))`[^|]*\|$", table, re.MULTILINE)
    assert len(made) == 7
    for code in made:
        eval(code, dict(vars(strategies)))


def test_every_answer_of_the_desk_that_the_page_names_exists():
    table = PAGE[PAGE.index("The desk answers:") :]
    names = {
        name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)", row.split("|")[1])
    }
    assert len(names) > 12
    assert names <= set(dir(TradingDesk))
