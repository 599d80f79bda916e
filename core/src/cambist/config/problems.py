"""Mistakes in a run file, and how they are told: all at once, each with its line, its value and a hint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.config.document import Document, Where

__all__ = ["Problem", "path_text", "raise_problems", "shown"]

_SECRET = re.compile(r"(?i)secret|passw|passphrase|token|key$")
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
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(where: Where, value: Any) -> str:
    """Write a value for a message, short, and never that of a key which is called like a secret."""
    if any(isinstance(part, str) and _SECRET.search(part) for part in where[-1:]):
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
    lines = {problem: document.line_of(problem.where) for problem in problems}
    if not lines:
        return
    ordered = sorted(lines, key=lambda problem: lines[problem] or 0)
    told = [_tell(problem, lines[problem]) for problem in ordered]
    if len(told) == 1:
        raise ConfigError(f"{document.path}, {told[0]}")
    raise ConfigError("\n".join([f"{document.path} has {len(told)} mistakes:", *(f"  {one}" for one in told)]))


def _tell(problem: Problem, line: int | None) -> str:
    place = ", ".join(part for part in (f"line {line}" if line else "", path_text(problem.where)) if part)
    return f"{place}: {problem.message}" if place else problem.message
