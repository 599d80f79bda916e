"""Writes the reference page of run files from the models that read them: ``python scripts/config_page.py``.

A key without a meaning is an error here: whoever adds one says what it is for.
"""

from __future__ import annotations

import re
import typing
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo, PydanticUndefined

from cambist.config.models import RunFile
from cambist.config.values import OpenTable, Table, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).parents[1] / "docs/reference/config.md"

HEAD = """# Run files, key by key

Every table and key of a run file, as the program reads it: this page is written from the models that check a file.
[Write a run file](../how-to/run-file.md) shows them in use, with examples and with what a mistake is answered.

A key without a default is needed, and no text may be empty where the default is not. *None* stands for a key that is
not there; TOML has no word for it. Tables in double brackets may stand several times. A table that takes *further
keys* gives them to the component that it names: [those of the core](components.md), `cambist plugins show NAME` for
all. Numbers are written without quotes, save exact decimals, which may be either.

| unit | means |
|---|---|
| seconds | a number of seconds, fractions allowed |
| fraction | 0.01 is one percent |
| money | in the currency of the account |
| price, size | in the quote of the instrument, in units or contracts of it |
| timeframe | a text such as `"30s"`, `"5m"`, `"1h"`, `"1d"`, `"1w"` |
| date or time | a TOML date or time, or a text in ISO 8601; without a zone it is UTC |
"""

_WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number", Decimal: "exact decimal"}
_BOUNDS = {"gt": "above", "ge": "from", "lt": "below", "le": "up to"}


def bounds(metadata: Iterable[Any]) -> str:
    """Return what limits a value, in words."""
    constraints = [one for given in metadata for one in (given.metadata if isinstance(given, FieldInfo) else [given])]
    found = [
        f"{word} {getattr(one, name):g}" for name, word in _BOUNDS.items() for one in constraints if hasattr(one, name)
    ]
    return " ".join(found)


def words(annotation: Any, link: dict[type[BaseModel], str]) -> str:
    """Return what a key takes, in words; tables as links to their sections."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        limit = bounds(arguments[1:])
        return f"{words(arguments[0], link)}{' ' if limit else ''}{limit}"
    if origin in (typing.Union, UnionType):
        every = [words(one, link) for one in arguments if one is not type(None)]
        return " or ".join(dict.fromkeys(every))
    if origin is Literal:
        return ", ".join(f'`"{one}"`' for one in arguments)
    if origin is list:
        return f"list of {words(arguments[0], link)}"
    if origin is dict:
        key = words(arguments[0], link) if typing.get_origin(arguments[0]) is Literal else "name"
        return f"table, by {key}: {words(arguments[1], link)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[table]({link[annotation]})"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f'`"{one.value}"`' for one in annotation)
    return _WORDS.get(annotation, "any value")


def takes(field: FieldInfo, link: dict[type[BaseModel], str]) -> str:
    """Return what a key takes, in words, with its limits."""
    if "date or time" in units(field.annotation, field.metadata):
        return "date, time, or text"
    limit = bounds(field.metadata)
    return words(field.annotation, link) + (f" {limit}" if limit else "")


def units(annotation: Any, metadata: Iterable[Any] = ()) -> Iterator[str]:
    """Yield the units of a key, wherever they stand in its annotation; those of tables inside it are their own."""
    yield from (one for one in metadata if isinstance(one, Unit))
    if typing.get_origin(annotation) is Annotated:
        base, *inner = typing.get_args(annotation)
        yield from units(base, inner)
    elif typing.get_origin(annotation) is not Literal:
        for one in typing.get_args(annotation):
            yield from units(one)


def default(field: FieldInfo) -> str:
    """Return the default of a key as TOML, `*none*`, or nothing where the key is needed."""
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "*none*"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, int | float) and value == float("inf"):
        return "`inf`"
    if isinstance(value, Decimal):
        return f'`"{str(value).lower()}"`'
    if isinstance(value, float) and value.is_integer():
        return f"`{value:_.0f}`"
    if isinstance(value, int):
        return f"`{value:_}`"
    assert value is not PydanticUndefined
    return f"`{value}`".replace("'", '"')


def tables(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the tables inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) is not Literal:
        for one in typing.get_args(annotation):
            yield from tables(one)


def sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield each table below `model`, in the order of keys; what tables have in common comes behind the first."""
    for field in model.model_fields.values():
        for table in tables(field.annotation):
            yield table
            common = table.__base__
            if common is not None and common not in (Table, OpenTable):
                yield common
            yield from sections(table)


def heading(table: type[BaseModel]) -> str:
    """Return what stands in a run file for a table: what its docstring begins with."""
    return re.split(r"[:;.] |[.:]$", (table.__doc__ or "").replace("``", "`"))[0]


def about(table: type[BaseModel]) -> str:
    """Return what a table is about: the rest of its docstring."""
    text = " ".join((table.__doc__ or "").replace("``", "`").split())
    text = text[text.index(heading(table)) + len(heading(table)) :].lstrip(":;. ")
    text = re.sub(r"(; |^)see `cambist\.[\w.]+`\.?", "", text).strip().rstrip(".")
    sentences = [f"{text[0].upper()}{text[1:]}." if text else ""]
    if issubclass(table, OpenTable):
        sentences.append("It takes further keys.")
    return " ".join(one for one in sentences if one)


def slug(text: str) -> str:
    """Return the anchor that the documentation gives a heading."""
    return "#" + re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")


def row(name: str, field: FieldInfo, link: dict[type[BaseModel], str]) -> str:
    """Return the row of one key."""
    assert field.description, f"{name} does not say what it means"
    unit = ", ".join(dict.fromkeys(units(field.annotation, field.metadata)))
    first = field.description.split()[0]
    meaning = field.description if "." in first else first[0].upper() + field.description[1:]
    return f"| `{name}` | {takes(field, link)} | {default(field)} | {unit} | {meaning} |"


def page() -> str:
    """Return the page."""
    every = list(dict.fromkeys(sections(RunFile)))  # [paper] has tables that [live] has; they are described once
    link = {table: slug(heading(table)) for table in every}
    lines = [HEAD]
    for table in every:
        common = table.__base__.model_fields if table.__base__ in every else {}
        own = {name: field for name, field in table.model_fields.items() if name not in common}
        text = about(table)
        lines += [f"## {heading(table)}", "", *([text, ""] if text else [])]
        lines += ["| key | takes | default | unit | means |", "|---|---|---|---|---|"]
        lines += [row(name, field, link) for name, field in own.items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
