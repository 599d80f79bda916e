"""What a field of a record holds beyond numbers, texts and times, as the text of one cell, and back by its type."""

from __future__ import annotations

import collections.abc
import json
import types
import typing
from collections.abc import Mapping
from enum import Enum
from math import isfinite, nan
from typing import Any

import attrs

from cambist import model

__all__ = ["text_of", "type_hints", "value_of"]

#: The key under which a number stands that JSON has no sign for; a key that begins like it gets one sign more.
_NUMBER = "$number"


def type_hints(record: type) -> dict[str, Any]:
    """Return the types of a record's fields by name, also of those that a module imports for type checkers alone."""
    return typing.get_type_hints(record, localns={**vars(collections.abc), **vars(model)})


def text_of(value: object) -> str:
    """Return JSON of a value, ``""`` for None; of a record the fields that differ from their defaults.

    What JSON has no type for becomes text.
    """
    return "" if value is None else json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def value_of(text: str, hint: Any) -> Any:
    """Return the value of a type that `text_of` made a text of.

    Raises
    ------
    KeyError, TypeError, ValueError
        The text is of something else.
    """
    return None if text == "" else _typed(json.loads(text), hint)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, float):
        return value if isfinite(value) else {_NUMBER: repr(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {f"${key}" if str(key)[:1] == "$" else str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if attrs.has(type(value)):
        fields = [(field, getattr(value, field.name)) for field in attrs.fields(type(value)) if field.init]
        return {field.name: _plain(held) for field, held in fields if not _same(held, field.default)}
    return str(value)


def _same(value: Any, default: Any) -> bool:
    """Tell whether a value is the default; NaN is NaN, and 1 is neither 1.0 nor True."""
    if isinstance(value, float) and isinstance(default, float) and value != value:  # noqa: PLR0124 - NaN
        return default != default  # noqa: PLR0124
    return type(value) is type(default) and bool(value == default)


def _typed(value: Any, hint: Any) -> Any:
    """Return what a record's field of type `hint` holds, given what JSON holds."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in typing.get_args(hint):
            return None
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
        return _typed(value, hint)
    if isinstance(value, dict) and set(value) == {_NUMBER}:
        return float(value[_NUMBER])
    if origin is tuple:
        return tuple(_typed(item, Any) for item in value)
    if origin is frozenset:
        return frozenset(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if isinstance(hint, type) and attrs.has(hint):
        hints = type_hints(hint)
        return hint(**{name: _typed(item, hints[name]) for name, item in value.items()})
    if hint is float:
        return nan if value is None else float(value)
    if isinstance(value, dict):
        return {key[1:] if key[:1] == "$" else key: _typed(item, Any) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, Any) for item in value]
    return value
