"""Writes the page of names that will go, from their uses in the sources: ``python scripts/deprecations.py``."""

from __future__ import annotations

import ast
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/deprecations.md"
HELPERS = ("deprecated", "deprecated_names", "deprecated_parameter")

HEAD = """# Deprecations

Names that still work and will go. Each use of one is told once, by a `CambistDeprecationWarning`, with the place in
your code; [Versions](../versioning.md) says how long they stay. To find all of them at once, run your tests with
`python -W error::FutureWarning`. This page is written from the sources.
"""


@attrs.frozen
class Deprecation:
    """A name that will go."""

    name: str
    since: str
    until: str
    instead: str
    place: str

    @property
    def is_due(self) -> tuple[int, ...]:
        """The version in which it is to be gone, as numbers."""
        return tuple(map(int, self.until.split(".")))


def sources() -> list[Path]:
    """Return the files that may use the helpers."""
    every = [*ROOT.glob("core/src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    return sorted(file for file in every if file.name != "deprecations.py")


def found(text: str, place: str) -> list[Deprecation]:
    """Return the deprecations in a source.

    Raises
    ------
    ValueError
        One does not say all of it as it stands.
    """
    every: list[Deprecation] = []

    def note(call: ast.Call, names: dict[str, str] | None, name: str) -> None:
        try:
            said = {
                one.arg: ast.literal_eval(one.value)
                for one in call.keywords
                if one.arg in {"since", "until", "instead"}
            }
            after = names if names is not None else {name: said["instead"]}
            every.extend(Deprecation(old, said["since"], said["until"], new, place) for old, new in after.items())
        except (KeyError, ValueError):
            raise ValueError(
                f"{place}:{call.lineno}: a deprecation says since, until and instead as they stand."
            ) from None

    def visit(node: ast.AST, path: tuple[str, ...]) -> None:
        inside = path
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = (*path, node.name)
            for mark in node.decorator_list:
                helper = getattr(mark.func, "id", getattr(mark.func, "attr", "")) if isinstance(mark, ast.Call) else ""
                if isinstance(mark, ast.Call) and helper in HELPERS:
                    name = ".".join(inside)
                    if helper == "deprecated_parameter":
                        name += f"({ast.literal_eval(mark.args[0])}=)"
                    note(mark, None, name)
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) == "deprecated_names"
        ):
            note(node, ast.literal_eval(node.args[1]), "")
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(text), ())
    return every


def deprecations() -> list[Deprecation]:
    """Return every deprecation of the sources."""
    texts = ((file, file.read_text(encoding="utf-8")) for file in sources())
    return [one for file, text in texts if "deprecat" in text for one in found(text, str(file.relative_to(ROOT)))]


def page(every: list[Deprecation]) -> str:
    """Return the page."""
    if not every:
        return f"{HEAD}\nThere are none today.\n"
    rows = [f"| `{one.name}` | {one.since} | {one.until} | {one.instead} |" for one in every]
    return "\n".join([HEAD, "| name | since | gone in | use |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(deprecations()), encoding="utf-8")
