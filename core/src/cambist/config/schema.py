"""The models of a run file as a JSON Schema for editors.

Editors know the keywords of draft 7 and little beyond; alternatives are told by ``anyOf``, since a value may fit more
than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from cambist.config.layers import EXTENDS, UNSET
from cambist.config.models import RunFile
from cambist.config.read import LISTS

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

__all__ = ["Definitions", "base_schema", "named"]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_REFERENCES = "#/$defs/"


class _Generator(GenerateJsonSchema):
    """Takes what cannot be told in a schema for anything: it is checked when the file is read."""

    def handle_invalid_for_json_schema(self, schema: core_schema.CoreSchema, error_info: str) -> JsonSchemaValue:  # noqa: ARG002
        return {}

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Say nothing: a default that JSON has not is left out, and that is all."""


class Definitions:
    """What a schema refers to, each by a name of its own.

    Parameters
    ----------
    schema
        The schema of the run file.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema

    @property
    def all(self) -> dict[str, Any]:
        """By name."""
        found: dict[str, Any] = self.schema["$defs"]
        return found

    def add(self, name: str, model: type[BaseModel]) -> dict[str, Any]:
        """Take in the model of a component's settings, and return a reference to it."""
        made = _of(model, f"{_REFERENCES}{name}.{{model}}")
        for inner, definition in made.pop("$defs", {}).items():
            self.all[f"{name}.{inner}"] = definition
        self.all[name] = made
        return {"$ref": f"{_REFERENCES}{name}"}


def base_schema() -> dict[str, Any]:
    """Return the schema of what the core itself knows of a run file."""
    schema = {"$schema": _DRAFT, **_of(RunFile, f"{_REFERENCES}{{model}}"), "title": "A run file of Cambist"}
    # A file may leave to others what it extends, so nothing is demanded of its tables.
    for table in schema["$defs"].values():
        table.pop("required", None)
    properties = schema["properties"]
    for name in LISTS:
        # One table alone is written without being a list.
        items = properties[name].pop("items")
        properties[name] = {"anyOf": [items, {"type": "array", "items": items}]}
    text = {"type": "string", "minLength": 1}
    properties[EXTENDS] = {
        "description": "files that lie below this one: what is not said here is as there",
        "anyOf": [text, {"type": "array", "items": text}],
    }
    properties[UNSET] = {
        "description": "keys of these files that are to be as if they had not been said",
        "type": "array",
        "items": text,
    }
    return schema


def named(key: str, name: str, summary: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the alternative for one component: the table whose `key` is its name, with its settings.

    Parameters
    ----------
    key
        What names it, such as ``use``.
    name, summary
        Of the component.
    settings
        Schema of its settings, as an object.
    """
    word = {"const": name, **({"description": summary} if summary else {})}
    return {
        **settings,
        "type": "object",
        "properties": {key: word, **settings.get("properties", {})},
        "required": [key, *settings.get("required", [])],
    }


def _of(model: type[BaseModel], template: str) -> dict[str, Any]:
    made = model.model_json_schema(ref_template=template, schema_generator=_Generator)
    found: dict[str, Any] = _told(made)
    return found


def _told(schema: Any) -> Any:
    """Return a schema as editors take it: no null, which TOML has not, and ``anyOf`` for ``oneOf``."""
    if isinstance(schema, list):
        return [_told(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {("anyOf" if key == "oneOf" else key): _told(value) for key, value in schema.items()}
    if isinstance(told.get("title"), str):
        del told["title"]
    if told.get("default", 0) is None:
        del told["default"]
    if isinstance(told.get("anyOf"), list):
        kinds = [one for one in told["anyOf"] if one != {"type": "null"}]
        told["anyOf"] = kinds
        if len(kinds) == 1:
            told = {**kinds[0], **{key: value for key, value in told.items() if key != "anyOf"}}
    return told
