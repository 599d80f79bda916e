"""What was to be gone by now is gone, and what will go is on the page of deprecations."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """
from cambist.deprecations import deprecated, deprecated_names, deprecated_parameter

class Feed:
    @deprecated(since="0.2.0", until="0.4.0", instead="load")
    def read(self): ...

@deprecated_parameter("colour", since="0.2.0", until="0.5.0", instead="color")
def paint(color): ...

__getattr__ = deprecated_names(__name__, {"Bar0": "cambist.model.Bar"}, since="0.2.0", until="0.4.0")
"""


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("deprecation_writer", ROOT / "scripts" / "deprecations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def version():
    project = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return tuple(map(int, project["version"].split(".")))


def overdue(every, now):
    return [f"{one.place}: {one.name} was to be gone in {one.until}" for one in every if one.is_due <= now]


def test_nothing_is_there_that_was_to_be_gone(writer):
    assert not overdue(writer.deprecations(), version())


def test_the_page_is_what_would_be_written(writer):
    text = writer.page(writer.deprecations())
    assert writer.PAGE.read_text(encoding="utf-8") == text, "run: python scripts/deprecations.py"


def test_every_kind_of_deprecation_is_found_and_comes_due(writer):
    every = writer.found(SOURCE, "feed.py")
    assert [(one.name, one.instead) for one in every] == [
        ("Feed.read", "load"),
        ("paint(colour=)", "color"),
        ("Bar0", "cambist.model.Bar"),
    ]
    assert overdue(every, (0, 3, 9)) == []
    assert overdue(every, (0, 4, 0)) == [
        "feed.py: Feed.read was to be gone in 0.4.0",
        "feed.py: Bar0 was to be gone in 0.4.0",
    ]
    assert "| `paint(colour=)` | 0.2.0 | 0.5.0 | color |" in writer.page(every)


def test_one_that_is_computed_is_refused(writer):
    with pytest.raises(ValueError, match=r"feed\.py:2: a deprecation says since, until and instead as they stand"):
        writer.found("\n@deprecated(since=VERSION, until='0.4.0', instead='load')\ndef read(): ...", "feed.py")
