"""Settings of components: the tables of a run file against a config class, or against a factory's own parameters."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from cambist.config.explain import explain
from cambist.config.problems import Problem, path_text
from cambist.config.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.config.document import Where
    from cambist.config.secrets import Lookup

__all__ = ["check_settings", "model_of", "settings_model"]


def check_settings(
    table: dict[str, Any],
    config: type | None,
    factory: Callable[..., Any],
    given: int,
    where: Where,
    lookup: Lookup | None = None,
) -> tuple[dict[str, Any], list[Problem]]:
    """Check the settings of a component.

    Parameters
    ----------
    table
        What the run file says.
    config
        The component's own pydantic model, or None.
    factory
        Its keyword parameters are the settings where there is no model.
    given
        How many leading parameters of the factory are no settings.
    where
        The way to the table.
    lookup
        Who answers ``secret://`` for its secrets; by default the providers that are installed.

    Returns
    -------
    settings
        By name, for the factory; empty where there are problems.
    problems
        What is wrong.
    """
    model = model_of(config, factory, given)
    try:
        made = model.model_validate(table)
    except ValidationError as error:
        return {}, explain(error, model, where)
    except Exception as error:  # noqa: BLE001 - a validator of a plugin's own: whatever it raises is a fault in it
        told = " ".join(f"{type(error).__name__}: {error}".split())
        name = f"{model.__module__}:{model.__qualname__}"
        return {}, [Problem(where, f"{name} raised {told}. That is a fault in it: tell whoever wrote it.")]
    # A setting that was left out stays left out where the factory knows its default itself.
    names = type(made).model_fields if model is config else made.model_fields_set
    settings = {_key(model, name): getattr(made, name) for name in names if name in type(made).model_fields}
    settings = {key: _placed(value, (*where, key), lookup) for key, value in settings.items()}
    return {**settings, **(made.model_extra or {})}, []


def model_of(config: type | None, factory: Callable[..., Any], given: int = 0) -> type[BaseModel]:
    """Return the model of a component's settings: its own, or one made of parameters."""
    if config is not None and issubclass(config, BaseModel):
        return config
    return settings_model(config or factory, given)


def settings_model(factory: Callable[..., Any], given: int = 0) -> type[BaseModel]:
    """Make a model of a callable's keyword parameters; one that takes ``**settings`` takes any.

    Fields have names of their own and the parameters' names as aliases: a parameter may be called like a method of the
    model.
    """
    signature = inspect.signature(factory)
    hints = _hints(factory)
    fields: dict[str, Any] = {}
    is_open = False
    for number, parameter in enumerate(list(signature.parameters.values())[given:]):
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[f"setting_{number}"] = (hints.get(parameter.name, Any), Field(default=default, alias=parameter.name))
    config = ConfigDict(extra="allow" if is_open else "forbid", strict=True, arbitrary_types_allowed=True)
    return create_model("Settings", __config__=config, **fields)


def _placed(value: Any, where: Where, lookup: Lookup | None) -> Any:
    """Let secrets name the setting that they are, for the time when they cannot be had."""
    if isinstance(value, Secret):
        return value.placed(path_text(where), lookup)
    if isinstance(value, dict):
        return {key: _placed(inner, (*where, key), lookup) for key, inner in value.items()}
    return value


def _key(model: type[BaseModel], name: str) -> str:
    """Return what the factory calls a field: of a model made here that is its alias."""
    return (model.model_fields[name].alias or name) if name.startswith("setting_") else name


def _hints(factory: Any) -> dict[str, Any]:
    """Return the types of a callable's parameters; those that cannot be read here are left out."""
    target = vars(factory).get("__init__", factory) if isinstance(factory, type) else factory
    try:
        return typing.get_type_hints(target)
    except (NameError, TypeError, AttributeError):  # an annotation that only a type checker can see
        return {}
