"""Writes the reference pages of the public names: ``python scripts/api_pages.py`` writes ``docs/reference/api``.

``api_pages.toml`` says which names stand on which page, and in what order; what each means is its docstring, which
Sphinx puts there. A name that no group has comes last; one that a group has and nobody offers is an error here.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs/reference/api"
PAGES = Path(__file__).with_name("api_pages.toml")


#: What neither a class nor a function has: a docstring.
DATA = {
    "COLUMNS": "The columns of a bar, in the order of its fields: open, high, low, close, volume.",
    "CancelModel": "A function (ahead, canceled, size) -> ahead: lots ahead of ours once some were withdrawn.",
    "Deliver": "A callable that hands one order event to the engine. Events of one order come in their order.",
    "IntrabarPath": "A function (open, high, low, close, position size) -> (first extreme, second extreme).",
    "MEASURES": "Every measure by its key: those of a summary in the order in which it shows them, then the others.",
    "Outcome": "What became of a request to a venue: `Answered`, `Declined` or `Unanswered`.",
    "ROWS": "Every kind of row, in an order in which they may be written.",
    "hookimpl": "Marks a function of a plugin's module as the implementation of a hook; see the page about hooks.",
}


def described(module: str, name: str) -> tuple[str, Any]:
    """Return where a name is described, and what it is."""
    if (module, name) == ("cambist", "backtest"):  # a room as well, which can be called
        return described("cambist.backtest", name)
    return f"{module}.{name}", getattr(importlib.import_module(module), name)


def summary(module: str, name: str) -> str:
    """Return the first sentence about a name."""
    text = DATA.get(name) or inspect.getdoc(described(module, name)[1])
    if not text:
        raise SystemExit(f"{module}.{name} has no docstring.")
    first = re.split(r"(?<=[.;:])\s", " ".join(text.partition("\n\n")[0].split()))[0].rstrip(".;:")
    return first.replace("``", "`").replace("|", "\\|")


def directive(module: str, name: str) -> list[str]:
    """Return the lines that have Sphinx describe a name."""
    where, value = described(module, name)
    if name in DATA:
        return [f".. py:data:: {name}", "", f"   {DATA[name]}", ""]
    if not inspect.isclass(value):
        return [f".. autofunction:: {where}", ""]
    more = ["   :undoc-members:"] if issubclass(value, enum.Enum) else []
    more += ["   :inherited-members:"] if name == "Strategy" else []
    return [f".. autoclass:: {where}", "   :members:", *more, ""]


def home(name: str, module: str, every: list[dict[str, Any]]) -> str:
    """Return the page of another module that describes what this one offers under a name; ``""`` for none."""
    value = described(module, name)[1]
    for page in every:
        listed = " ".join(page.get("groups", {}).values()).split()
        if page["module"] != module and name in listed and described(page["module"], name)[1] is value:
            return f"[{page['module']}]({page['file']})"
    return ""


def grouped(page: dict[str, Any], every: list[dict[str, Any]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the names of a page by group, those that no group has yet last; and those of other pages by the page.

    Raises
    ------
    SystemExit
        A name is listed twice, or is not there.
    """
    offered = set(importlib.import_module(page["module"]).__all__) - {"__version__"}
    groups = {title: names.split() for title, names in page.get("groups", {}).items()}
    elsewhere = {where: names.split() for where, names in page.get("elsewhere", {}).items()}
    listed = [name for names in (*groups.values(), *elsewhere.values()) for name in names]
    if wrong := {name for name in listed if listed.count(name) > 1 or name not in offered}:
        raise SystemExit(f"{PAGES.name}: {page['module']}: listed twice, or not there: {sorted(wrong)}")
    rest = [] if page.get("only") else sorted(offered - set(listed))
    for name in list(rest):
        if where := home(name, page["module"], every):
            elsewhere.setdefault(where, []).append(name)
            rest.remove(name)
    return {**groups, **({"Others" if groups else "Names": rest} if rest else {})}, elsewhere


def written(page: dict[str, Any], every: list[dict[str, Any]]) -> str:
    """Return a page."""
    module = page["module"]
    groups, elsewhere = grouped(page, every)
    lines = [f"# {page['title']}", "", page["about"]]
    for where, names in elsewhere.items():
        lines += [f"Described in {where}: {', '.join(f'`{name}`' for name in names)}.", ""]
    for title, names in groups.items():
        lines += [f"## {title}", "", "| name | |", "|---|---|"]
        for name in names:
            lines.append(f"| {{py:obj}}`{name} <{described(module, name)[0]}>` | {summary(module, name)} |")
        lines += ["", "```{eval-rst}", f".. currentmodule:: {module}", ""]
        lines += [line for name in names for line in directive(module, name)]
        lines[-1] = "```"
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Return every page by the name of its file."""
    every = tomllib.loads(PAGES.read_text(encoding="utf-8"))["page"]
    return {page["file"]: written(page, every) for page in every}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in pages().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
