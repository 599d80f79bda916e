"""What can be set on a component, for people: names, types, defaults."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import click

if TYPE_CHECKING:
    from cambist.plugins.specs import Spec
    from cambist.strategies.parameters import Parameter

__all__ = ["Setting", "settings_of"]

#: What a NumPy-style docstring says of parameters, up to the next heading; and one entry of it.
_SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^(\S[^\n]*)\n((?:[ \t]+[^\n]*\n?|\n)+)", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Setting:
    """One setting of a component.

    Attributes
    ----------
    name
        As a run file spells it.
    type
        What it takes, for people.
    default
        As Python would write it; None when a value must be given.
    doc
        One line; may be empty.
    """

    name: str
    type: str
    default: str | None
    doc: str = ""


def settings_of(spec: Spec) -> list[Setting]:
    """Return a component's settings in the order of their declaration.

    They are the fields of its config class, else the declared parameters of a strategy, the options and arguments of a
    command, else the factory's own parameters. This imports the component.

    Raises
    ------
    MissingDependencyError, PluginLoadError
        The component cannot be imported.
    """
    config = spec.load_config()
    if config is not None:
        fields = getattr(config, "model_fields", None)
        return _from_model(fields) if isinstance(fields, Mapping) else _from_signature(config, 0)
    factory = spec.load()
    parameters = getattr(factory, "parameters", None)
    if spec.kind == "strategy" and isinstance(parameters, Mapping):
        return _from_parameters(parameters)
    if isinstance(factory, click.Command):
        return _from_options(factory)
    return _from_signature(factory, spec.given)


def _from_model(fields: Mapping[str, Any]) -> list[Setting]:
    """Read the fields of a pydantic model."""
    return [
        Setting(
            name=field.alias or name,
            type=_type_name(field.annotation),
            default=None if field.is_required() else _default_text(field),
            doc=field.description or "",
        )
        for name, field in fields.items()
    ]


def _default_text(field: Any) -> str:
    return f"{field.default_factory.__name__}()" if field.default_factory is not None else repr(field.default)


def _from_parameters(parameters: Mapping[str, Parameter]) -> list[Setting]:
    """Read the parameters that a strategy declares."""
    from cambist.strategies.parameters import MISSING

    return [
        Setting(
            name=name,
            type=parameter.describe(),
            default=None if parameter.default is MISSING else repr(parameter.default),
            doc=parameter.doc,
        )
        for name, parameter in parameters.items()
    ]


def _from_options(command: click.Command) -> list[Setting]:
    """Read what a command takes; what it does not show to people is left out."""
    return [
        Setting(
            name=max(parameter.opts, key=len)
            if isinstance(parameter, click.Option)
            else parameter.make_metavar(context),
            type=parameter.type.name,
            default=None if parameter.required else repr(parameter.get_default(context, call=False)),
            doc=getattr(parameter, "help", None) or "",
        )
        for context in [click.Context(command)]
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
    ]


def _from_signature(factory: Any, given: int) -> list[Setting]:
    """Read a callable's parameters, less those that the core gives; builtins without a signature have none."""
    try:
        signature = inspect.signature(factory)
    except ValueError:
        return []
    docs = _documented(factory)
    named = [
        parameter
        for parameter in list(signature.parameters.values())[given:]
        if parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    ]
    return [
        Setting(
            name=parameter.name,
            type=_type_name(parameter.annotation),
            default=None if parameter.default is parameter.empty else _shown_default(parameter.default),
            doc=docs.get(parameter.name, ""),
        )
        for parameter in named
    ]


def _shown_default(default: Any) -> str:
    """Return a default as Python would write it; one that is made anew each time as ``...``."""
    return "..." if default is attrs.NOTHING else repr(default)


def _documented(factory: Any) -> dict[str, str]:
    """Return what the NumPy-style docstring of a callable says of each parameter, on one line."""
    text = inspect.getdoc(factory) or ""
    found: dict[str, str] = {}
    for section in _SECTION.findall(text):
        for names, about in _ENTRY.findall(section):
            said = " ".join(about.partition("\n\n")[0].split())
            found.update(dict.fromkeys(re.split(r",\s*", names), said))
    return found


def _type_name(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
