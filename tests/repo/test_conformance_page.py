"""The page of requirements is what the suites require, and their numbers stay."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path

import cambist.testing
from cambist.testing.conformance import Suite

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_would_be_written():
    spec = importlib.util.spec_from_file_location("conformance_writer", ROOT / "scripts" / "conformance.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert writer.PAGE.read_text(encoding="utf-8") == writer.page(), "run: python scripts/conformance.py"


def test_every_class_of_tests_that_ships_is_a_suite_with_a_prefix_of_its_own():
    named = [name for name in cambist.testing.__all__ if name.endswith("Tests")]
    suites = [getattr(cambist.testing, name) for name in named]
    assert all(inspect.isclass(one) and issubclass(one, Suite) for one in suites)
    prefixes = [vars(one)["prefix"] for one in suites]
    assert len(set(prefixes)) == len(prefixes)
    assert "ALL" not in prefixes
