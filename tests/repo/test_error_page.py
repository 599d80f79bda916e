"""The page of errors and codes lists every class and word that the sources raise and alarm with, and no other."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from cambist import errors
from cambist.app.alarms import LEVELS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "errors.md"
CORE = ROOT / "core" / "src" / "cambist"
WORD = re.compile(r"[a-z]+(_[a-z]+)*")
#: Names of the functions whose first argument is the word of an alarm.
ALARMS = ("alarm", "_alarm", "_tell")
#: Words of alarms that come from a table, from a report of the venue, or from the bars.
TOLD = {"data_stale", "data_gap", "margin_mode_changed", "position_mode_changed"}
TOLD |= {"bar_invalid", "bar_out_of_order", "bar_repaired", "bar_revised", "bar_suspect", "bars_missing"}
TOLD |= {"trade_invalid", "quote_invalid", "book_invalid"}
TOLD |= {"liquidation", "adl", "settlement", "margin_call", "leverage_set"}


@cache
def sections():
    """Return the rows of each section's table: its words, and the cells behind them."""
    found = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        rows = [line for line in body.splitlines() if line.startswith("|")][2:]
        cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
        found[title] = [(re.findall(r"`([^`]+)`", first), rest) for first, *rest in cells]
    return found


def listed(*titles):
    return {word for title in titles for words, _ in sections()[title] for word in words}


@cache
def sources():
    files = sorted([*CORE.rglob("*.py"), *ROOT.glob("plugins/*/src/**/*.py")])
    return {file: file.read_text(encoding="utf-8") for file in files}


@cache
def calls():
    """Return every call in our sources that may name a word: file, name of what is called, and the call."""
    found = []
    for file, text in sources().items():
        if {"templates", "testing", "builtin"} & set(file.parts) or file.name == "hookspecs.py":
            continue
        if not re.search(r"Refusal\(|\bcode=|alarm\(|_tell\(", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found.append((file, name, node))
    return found


def word_of(node):
    return node.value if isinstance(node, ast.Constant) and WORD.fullmatch(str(node.value)) else None


def codes(*classes):
    """Return the words that errors of these classes, by name, are made with."""
    return {
        word
        for _, name, call in calls()
        for keyword in call.keywords
        if name in classes and keyword.arg == "code" and (word := word_of(keyword.value))
    }


def subclasses(kind):
    return {kind.__name__, *(name for one in kind.__subclasses__() for name in subclasses(one))}


def test_every_class_is_on_the_page_with_what_it_is_a_kind_of():
    rows = {words[0]: set(re.findall(r"`(\w+)`", rest[0])) for words, rest in sections()["Classes"]}
    real = {name: getattr(errors, name) for name in errors.__all__ if name.endswith("Error")}
    assert rows == {name: {base.__name__ for base in kind.__bases__} for name, kind in real.items()}


def test_what_the_door_offers_is_bold():
    import cambist

    bold = set(re.findall(r"\*\*`(\w+)`\*\*", PAGE.read_text(encoding="utf-8")))
    assert bold == {name for name in cambist.__all__ if name.endswith("Error")}


def test_the_words_of_refusals_are_those_of_the_rules():
    used = {word for _, name, call in calls() if name == "Refusal" and call.args and (word := word_of(call.args[0]))}
    assert listed("Words of refused orders") >= used
    rows = [words for words, _ in sections()["Words of refused orders"]]
    assert {word for words in rows for word in words} == used


@pytest.mark.parametrize(
    ("title", "classes"),
    [
        ("Of a start and of operating", subclasses(errors.ControlError) | {"ConfigError"}),
        ("Of a journal", subclasses(errors.JournalError)),
        ("Of venues", {"VenueError", "NotSentError", "BusyError", "RefusedError", "NoAnswerError"}),
    ],
)
def test_the_words_of_errors_are_those_they_are_made_with(title, classes):
    missing = codes(*classes) - listed(title, "Of a start and of operating", "Of the secrets file")
    assert not missing, f"not on the page, under {title!r}: {sorted(missing)}"


def test_every_word_is_one_that_the_sources_know():
    known = set(re.findall(r"[a-z]+(?:_[a-z]+)*", "\n".join(sources().values())))
    unknown = listed(*(set(sections()) - {"Classes"})) - known
    assert not unknown, f"nothing in the sources says {sorted(unknown)}"


def test_the_alarms_are_those_that_are_raised_with_their_levels():
    raised = {
        word
        for file, name, call in calls()
        if name in ALARMS and call.args and (word := word_of(call.args[0])) and "cli" not in file.parts
    }
    rows = sections()["Alarms"]
    assert {word for words, _ in rows for word in words} == raised | TOLD
    for words, (levels, *_) in rows:
        told = levels.split(", ") if "," in levels else [levels] * len(words)
        assert told == [str(LEVELS.get(word, "warning")) for word in words], words
