"""The page on measures and the code name the same measures."""

from __future__ import annotations

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


def test_every_measure_says_what_it_is():
    for spec in MEASURES.values():
        text = spec.compute.__doc__ or ""
        assert text.startswith("Return "), spec.key
        assert len(text) > 40, spec.key
