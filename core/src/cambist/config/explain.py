"""pydantic's findings in our words: where, what was given, what is taken, and what was probably meant."""

from __future__ import annotations

import re
import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Tag

from cambist.config.problems import Problem, shown
from cambist.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from cambist.config.document import Where

__all__ = ["explain"]

_QUOTED = re.compile(r"'([^']*)'")
_TAKES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "decimal_type": "a number",
    "is_instance_of": "a number",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
}
#: Types of ours that say all there is to say, and of a secret nothing of what was given.
_OUR_OWN = ("secret", "environment")
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(error: ValidationError, model: type[BaseModel], where: Where = ()) -> list[Problem]:
    """Return what a validation found, each finding as a problem.

    Parameters
    ----------
    error
        What pydantic raised.
    model
        What was validated against; tells which keys there are.
    where
        The way to what was validated.
    """
    problems = []
    for details in error.errors(include_url=False):
        # The tags of unions stand in pydantic's way to a value; no key of ours begins like them.
        own = tuple(part for part in details["loc"] if not (isinstance(part, str) and part.startswith("<")))
        problems.append(Problem((*where, *own), _message(details, model, own, (*where, *own))))
    return problems


def _message(details: ErrorDetails, model: type[BaseModel], own: Where, where: Where) -> str:
    kind, given = details["type"], details["input"]
    context: dict[str, Any] = details.get("ctx", {})
    if kind == "extra_forbidden":
        return f"there is no such key here.{_near(str(own[-1]), _keys(model, details['loc']))}"
    if kind == "missing":
        return "it is missing, and there is no default for it."
    if kind in _OUR_OWN:
        return str(context["said"])
    value = shown(where, given)
    if kind == "literal_error":
        return f"it is {value}.{_near(str(given), _QUOTED.findall(context['expected']))}"
    if kind in _BOUNDS:
        word, name = _BOUNDS[kind]
        return f"it is {value}; it must be {word} {context[name]:g}."
    if kind == "string_too_short":
        return "it is empty."
    if kind == "value_error":
        text = str(context["error"])
        return text if value in text else f"it is {value}; {text.rstrip('.')}."
    if kind in _TAKES:
        return f"it is {value}; it takes {_TAKES[kind]}.{_quotes_hint(kind, given)}"
    return f"it is {value}: {details['msg']}."


def _near(word: str, known: list[str]) -> str:
    return did_you_mean(word, known) or " There are no keys."


def _quotes_hint(kind: str, given: Any) -> str:
    if not isinstance(given, str) or kind in {"list_type", "dict_type", "model_type"}:
        return ""
    if kind == "bool_type":
        return " Write it without quotes." if given.lower() in {"true", "false"} else ""
    try:
        float(given)
    except ValueError:
        return ""
    return " Write it without quotes."


def _keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Return the keys of the table in which a finding is; none where that cannot be told."""
    table = model
    options: dict[str, type[BaseModel]] = {}
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        if part in options:
            table = options[part]
            continue
        fields = {field.alias or name: field for name, field in table.model_fields.items()}
        options = dict(_models(fields[part].annotation)) if part in fields else {}
        if not options:
            return []
        table = next(iter(options.values()))
    return [field.alias or name for name, field in table.model_fields.items()]


def _models(annotation: Any, tag: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the models inside an annotation, each with its tag where it is one of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield tag, annotation
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        tags = [one.tag for one in arguments[1:] if isinstance(one, Tag)]
        yield from _models(arguments[0], *tags)
    else:
        for argument in arguments:
            yield from _models(argument, tag)
