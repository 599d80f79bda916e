"""What others rely on stays as it is, or somebody has decided otherwise, by a change of ``signatures.txt``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = Path(__file__).with_name("signatures.txt")


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("signature_writer", ROOT / "scripts" / "signatures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_signature_is_as_promised(writer):
    found = writer.verdict(PROMISED.read_text(encoding="utf-8").splitlines(), writer.lines())
    assert not found, f"\n{found}"


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ([], ["  - load(path) -> Bars", "goes by a deprecation"]),
        (["load(path, zone) -> Bars"], ["  - load(path) -> Bars", "  + load(path, zone) -> Bars", "a deprecation"]),
        (["load(path) -> Bars", "save(path)"], ["  + save(path)", "additions take the patch number"]),
    ],
    ids=["gone", "changed", "new"],
)
def test_a_change_is_told_with_what_it_asks_for(writer, after, words):
    found = writer.verdict(["load(path) -> Bars"], after)
    for word in (*words, "python scripts/signatures.py"):
        assert word in found


def test_a_method_that_a_promise_gains_is_a_break(writer):
    before = ["Feed: class(Protocol)", "Feed.load(self) -> Bars"]
    found = writer.verdict(before, [*before, "Feed.close(self) -> None"])
    assert "  ! Feed.close(self) -> None" in found
    assert "goes by a deprecation" in found


def test_no_change_asks_for_nothing(writer):
    assert writer.verdict(["load(path)"], ["load(path)"]) == ""


def test_the_page_says_what_the_verdict_says():
    text = (ROOT / "VERSIONING.md").read_text(encoding="utf-8")
    for word in ("deprecation", "minor number", "patch number", "scripts/signatures.py"):
        assert word in text
