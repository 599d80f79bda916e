"""What is written down of TA-Lib's functions is what the installed TA-Lib says of itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("indicator_writer", ROOT / "scripts" / "indicators.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WRITTEN = {
    "table": "TABLE",
    "stub": "STUB",
    "page": "PAGE",
    "own_page": "OWN_PAGE",
    "backtrader_page": "BACKTRADER_PAGE",
}


@pytest.mark.parametrize(("made", "file"), WRITTEN.items())
def test_what_is_written_is_what_would_be_written(writer, made, file):
    path = getattr(writer, file)
    assert path.read_text(encoding="utf-8") == getattr(writer, made)(), "run: python scripts/indicators.py"


def test_every_function_has_its_formula():
    from cambist.indicators.talib_formulas import CANDLES, FORMULAS
    from cambist.indicators.talib_functions import described

    told = [line.partition(":")[0] for line in (FORMULAS + CANDLES).splitlines()]
    assert sorted(told) == sorted(described())
