"""What a run file comes to: every value that counts, defaults included, and where each is from; no secret is shown."""

from __future__ import annotations

import datetime as dt
import typing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
from pydantic import BaseModel

from cambist.config.document import Origin
from cambist.config.models import RunFile
from cambist.config.problems import is_secret_name, path_text, raise_problems
from cambist.config.read import check_tables, place
from cambist.config.secrets import Secret, is_reference
from cambist.observe.redaction import MASK, REDACTOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.config.document import Document, Where

__all__ = ["Component", "EffectiveValue", "effective_values"]

#: What names a component, and is none of its settings.
_NAMES = frozenset({"use", "name", "source", "symbol", "timeframe", "at_least", "magnify"})


@attrs.frozen
class Component:
    """A component that a run file names.

    Attributes
    ----------
    where
        The way to the table of its settings, every list entry with its number.
    defaults
        What it takes where the run file says nothing, by name; what has no default is not there.
    secrets
        Its settings that are secrets; None where it cannot be had here, so that any may be one.
    """

    where: Where
    defaults: dict[str, Any] = attrs.field(factory=dict)
    secrets: frozenset[str] | None = frozenset()

    @classmethod
    def of(cls, where: Where, model: type[BaseModel], without: Iterable[str] = ()) -> Component:
        """Return what the model of its settings says; `without` are keys that are none of them."""
        names = {field.alias or name: field for name, field in model.model_fields.items()}
        fields = {name: field for name, field in names.items() if name not in without}
        defaults = {
            name: field.get_default(call_default_factory=True, validated_data={})
            for name, field in fields.items()
            if not field.is_required()
        }
        secrets = frozenset(name for name, field in fields.items() if Secret in _parts(field.annotation))
        return cls(where, defaults, secrets)

    def hides(self, where: Where, value: Any) -> bool:
        """Tell whether a value of it is not to be shown."""
        own = where[len(self.where) :]
        if where[: len(self.where)] != self.where or not own:
            return False
        if self.secrets is None:
            return isinstance(value, str) and own[0] not in _NAMES
        return own[0] in self.secrets


@attrs.frozen
class EffectiveValue:
    """One value that counts.

    Attributes
    ----------
    where
        The way to it, as the run file writes it.
    value
        A number, a text, a truth value, None for none, or a list or table of these; a secret is a reference or a mask.
    origin
        Where it is from.
    """

    where: Where
    value: Any
    origin: Origin

    @property
    def key(self) -> str:
        """The way to it, as people write it."""
        return path_text(self.where)


def effective_values(document: Document, components: Iterable[Component]) -> list[EffectiveValue]:
    """Return what counts, section by section.

    Parameters
    ----------
    document
        A run file with all its layers.
    components
        What it names, whose defaults count as well.

    Raises
    ------
    ConfigError
        The tables have mistakes.
    """
    file, problems = check_tables(document)
    raise_problems(document, problems)
    assert file is not None
    found = _Collector(document, components)
    found.model(file, ())
    return found.values


class _Collector:
    """Goes through the tables in their order."""

    def __init__(self, document: Document, components: Iterable[Component]) -> None:
        self.values: list[EffectiveValue] = []
        self._document = document
        self._components = {one.where: one for one in components}

    def model(self, model: BaseModel, where: Where) -> None:
        """Take in a table: what it declares, what else it holds, and what its component would take by default."""
        component = self._components.get(where)
        for name in type(model).model_fields:
            self.value(getattr(model, name), (*where, name), component)
        for name, value in (model.model_extra or {}).items():
            self.value(value, (*where, name), component)
        if component is not None:
            self._defaults(component, set(model.model_extra or {}))

    def value(self, value: Any, where: Where, component: Component | None) -> None:
        """Take in a value, or a table, key by key."""
        if value is None and not self._said(where):
            if not _is_table(where):
                self._add(None, where, component)
            return
        if isinstance(value, BaseModel):
            self.model(value, where)
        elif isinstance(value, list) and value and all(isinstance(one, BaseModel) for one in value):
            for number, one in enumerate(value):
                self.model(one, (*where, number))
        elif isinstance(value, dict) and not _is_secret_table(value):
            own = self._components.get(where, component)
            for name, inner in value.items():
                self.value(inner, (*where, name), own)
            if where in self._components:
                self._defaults(self._components[where], set(value))
        else:
            self._add(value, where, component)

    def _defaults(self, component: Component, said: set[str]) -> None:
        for name, default in component.defaults.items():
            if name not in said:
                self._add(default, (*component.where, name), component)

    def _add(self, value: Any, where: Where, component: Component | None) -> None:
        written = place(self._document, where)
        origin = self._document.origin_of(written) if self._said(where) else Origin("default")
        names = [part for part in where if isinstance(part, str)]
        is_secret = any(is_secret_name(name) for name in names[-1:]) or (
            component is not None and component.hides(where, value)
        )
        self.values.append(EffectiveValue(written, hidden(value) if is_secret else plain(value), origin))

    def _said(self, where: Where) -> bool:
        node: Any = self._document.tables
        for part in place(self._document, where):
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True


def _is_table(where: Where) -> bool:
    """Tell whether nothing stands for a table that is not there, and not for a value."""
    annotation: Any = RunFile
    for part in where:
        if isinstance(part, int):
            continue
        model = next((one for one in _models(annotation) if part in one.model_fields), None)
        if model is None:
            return False
        annotation = model.model_fields[part].annotation
    return any(True for _ in _models(annotation)) and not any(one in (str, float, int) for one in _parts(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    yield from (one for one in _parts(annotation) if isinstance(one, type) and issubclass(one, BaseModel))


def _parts(annotation: Any) -> Iterator[Any]:
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        arguments = arguments[:1]
    if not arguments:
        yield annotation
    for one in arguments:
        yield from _parts(one)


def _is_secret_table(value: dict[str, Any]) -> bool:
    return {"value"} <= set(value) <= {"value", "environment"}


def hidden(value: Any) -> Any:
    """Return a secret as it may be shown: its reference, or a mask."""
    if value is None or value == "":
        return value
    if isinstance(value, Secret):
        return value.reference or MASK
    if isinstance(value, dict):
        return {key: inner if key == "environment" else hidden(inner) for key, inner in value.items()}
    return value if isinstance(value, str) and is_reference(value) else MASK


def plain(value: Any) -> Any:
    """Return a value as JSON has it, and no password that stands in a URL."""
    if isinstance(value, Secret):
        return hidden(value)
    if isinstance(value, dict):
        return {str(key): hidden(inner) if is_secret_name(str(key)) else plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return REDACTOR.text(str(value))
