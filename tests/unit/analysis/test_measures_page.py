"""The page on measures and the code name the same measures."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from cambist.analysis import MEASURES, Unit

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "measures.md"


def rows(columns):
    """Return the first cells of each table row that starts with a key in backticks."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| `\w+` \|", line)]
    return [(row[0].strip("`"), *row[1:3]) for row in cells if len(row) == columns]


def test_the_page_lists_the_measures_in_order_with_label_and_unit():
    assert rows(4) == [(spec.key, spec.label, str(spec.unit)) for spec in MEASURES.values()]


def test_the_page_lists_the_units():
    assert sorted(row[0] for row in rows(3)) == sorted(Unit)


def test_the_page_lists_the_settings_of_each_measure():
    text = PAGE.read_text(encoding="utf-8").partition("## Conventions of your own")[2].partition("\n## ")[0]
    listed = {
        (setting, key)
        for line in re.split(r"\n\* ", text)[1:]
        for setting in re.findall(r"`(\w+)`", line.partition("(")[0])
        for key in re.findall(r"`(\w+)`", line.partition("(")[2].partition(")")[0])
    }
    assert listed == {(name, key) for key, spec in MEASURES.items() for name in settings_of(spec)}


def settings_of(spec):
    return list(inspect.signature(spec.compute).parameters)[1:]


def test_every_measure_says_what_it_is():
    for spec in MEASURES.values():
        text = spec.compute.__doc__ or ""
        assert text.startswith("Return "), spec.key
        assert len(text) > 40, spec.key
