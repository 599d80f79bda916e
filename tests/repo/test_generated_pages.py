"""Pages and pictures that scripts write are what they would write today, and every page can be found from its index."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def script(name):
    spec = importlib.util.spec_from_file_location(f"writer_{name}", ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["conformance", "config_page", "component_page"])
def test_a_page_is_what_would_be_written(name):
    writer = script(name)
    assert writer.PAGE.read_text(encoding="utf-8") == writer.page(), f"run: python scripts/{name}.py"


@pytest.mark.parametrize(("name", "function"), [("api_pages", "pages"), ("pictures", "pictures")])
def test_a_folder_holds_what_would_be_written_and_no_more(name, function):
    writer = script(name)
    wanted = getattr(writer, function)()
    there = {file.name: file.read_text(encoding="utf-8") for file in writer.FOLDER.iterdir()}
    assert there == wanted, f"run: python scripts/{name}.py"


def test_the_moves_that_the_picture_of_an_order_leaves_out_are_on_its_page():
    text = (DOCS / "explanation" / "order-life.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \| `([\w, `]+)` \| `(\w+)` \|$", text, re.MULTILINE))
    assert rows == set(script("pictures").life()[1])


@pytest.mark.parametrize("folder", ["tutorial", "how-to", "explanation", "reference"])
def test_an_index_lists_every_page_for_people_and_for_the_navigation(folder):
    index = (DOCS / folder / "index.md").read_text(encoding="utf-8")
    shown, _, hidden = index.partition("```{toctree}")
    pages = {str(page.relative_to(DOCS / folder).with_suffix("")) for page in (DOCS / folder).rglob("*.md")} - {"index"}
    linked = {link.removesuffix(".md") for link in re.findall(r"\]\(([\w/-]+\.md)\)", shown)}
    assert linked >= pages, f"docs/{folder}/index.md does not show {sorted(pages - linked)}"
    listed = set(hidden.split()) | {"deprecations"}  # which the first page has
    assert listed >= pages, f"the toctree of docs/{folder}/index.md lacks {sorted(pages - listed)}"
