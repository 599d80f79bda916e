"""Mistakes in a run file, and how they are told: all at once, each with its line, its value and a hint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.config.document import Document, Where

__all__ = ["Problem", "is_secret_name", "path_text", "raise_problems", "shown", "tell"]

_SECRET = re.compile(r"(?i)secret|passw|passphrase|token|key$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60


@attrs.frozen
class Problem:
    """One mistake.

    Attributes
    ----------
    where
        The way to it.
    message
        What is wrong with it and what to do.
    """

    where: Where
    message: str


def path_text(where: Where) -> str:
    """Write the way to a value as people do: ``data[1].instrument.tick_size``, list entries counted from 1."""
    text = ""
    for part in where:
        name = f"[{part + 1}]" if isinstance(part, int) else part if _BARE.fullmatch(part) else f'"{part}"'
        text += f".{name}" if text and isinstance(part, str) else name
    return text


def is_secret_name(name: str) -> bool:
    """Tell whether a key is called like a secret."""
    return _SECRET.search(name) is not None


def shown(where: Where, value: Any) -> str:
    """Write a value for a message, short, and never that of a key which is called like a secret."""
    if any(isinstance(part, str) and is_secret_name(part) for part in where[-1:]):
        return "the value (not shown)"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


def raise_problems(document: Document, problems: Iterable[Problem]) -> None:
    """Raise one error that tells of every problem, in the order of their lines; nothing happens when there is none.

    Raises
    ------
    ConfigError
        There are problems.
    """
    # A file of several lines is told in their order; what lies over it comes after it.
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: _order(document, problem.where))
    if not ordered:
        return
    told = [tell(document, problem) for problem in ordered]
    if len(told) == 1:
        raise ConfigError(f"{document.path}, {told[0]}")
    raise ConfigError("\n".join([f"{document.path} has {len(told)} mistakes:", *(f"  {one}" for one in told)]))


def tell(document: Document, problem: Problem) -> str:
    """Return a problem as people are told of it: where it stands, which value it is about, and what is wrong."""
    origin = document.origin_of(problem.where)
    line = f"line {origin.line}" if origin.line else ""
    if origin.kind == "file":
        words = ["" if origin.place == str(document.path) else origin.place, line]
    else:
        words = [f"the environment variable {origin.place}" if origin.kind == "environment" else origin.place]
    key = path_text(problem.where)
    place = ", ".join(part for part in (*words, "" if words[0].endswith(f" {key}") else key) if part)
    return f"{place}: {problem.message}" if place else problem.message


def _order(document: Document, where: Where) -> tuple[bool, bool, str, int]:
    origin = document.origin_of(where)
    return origin.kind != "file", origin.place != str(document.path), origin.place, origin.line or 0
