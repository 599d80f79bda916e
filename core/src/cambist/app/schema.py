"""A JSON Schema of run files with the settings of everything that is installed."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from cambist.app.named_parts import SIMULATED
from cambist.app.runfile import MODEL_OPTIONS, SIZERS
from cambist.app.sources import CACHE
from cambist.config.schema import Definitions, base_schema, named
from cambist.config.settings import model_of
from cambist.errors import CambistError
from cambist.strategies.parameters import MISSING, OF_EVERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import Spec
    from cambist.strategies.parameters import Parameter

__all__ = ["run_file_schema"]

_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def run_file_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema, as a document for `json`.

    Parameters
    ----------
    registry
        Knows the components. One that cannot be imported is taken by name, with any settings.
    """
    definitions = Definitions(base_schema())
    tables = definitions.all
    offered: dict[str, Iterable[Spec]] = {
        "risk": registry.risk_rules().values(),
        "analyzer": registry.analyzers().values(),
    }
    properties = definitions.schema["properties"]
    for name, specs in offered.items():
        made = f"{name.capitalize()}Table"
        tables[made] = _choice("use", _settings(specs, definitions), tables["ComponentTable"])
        _replace(properties[name], "#/$defs/ComponentTable", {"$ref": f"#/$defs/{made}"})
    tables["BrokerTable"] = _choice("use", _brokers(registry, definitions), tables["ComponentTable"])
    notifiers, sinks = registry.notifiers().values(), registry.event_sinks().values()
    tables["SinkTable"] = _choice("use", _settings(sinks, definitions), tables["SinkTable"])
    tables["SizerTable"] = _choice("use", _sizers(definitions), tables.pop("ComponentTable"))
    tables["NotifyTable"] = _choice("use", _settings(notifiers, definitions), tables["NotifyTable"])
    tables["StrategyTable"] = _strategies(registry, tables["StrategyTable"])
    tables["DataTable"] = _data(registry, definitions)
    for option, model in MODEL_OPTIONS.items():
        models = [one for one in registry.simulation_models().values() if one.model == model]
        chosen = _choice("use", _models(models, model, definitions), tables["ModelTable"])
        _replace(tables["VenueTable"]["properties"][option], "#/$defs/ModelTable", chosen)
    del tables["ModelTable"]
    sessions = list(_settings(registry.sessions().values(), definitions, needs_all=False))
    for name in ("LiveTable", "PaperTable"):
        tables[name]["anyOf"] = [_session(*one) for one in sessions] + [_other("venue", [one[0] for one in sessions])]
    properties["secrets"] = _providers(registry, definitions)
    properties["sizer"] = {"$ref": "#/$defs/SizerTable"}
    properties["broker"] = {"$ref": "#/$defs/BrokerTable"}
    return definitions.schema


#: A component's name and summary, and the schema of its settings.
_Alternative = tuple[str, str, dict[str, Any]]


def _settings(specs: Iterable[Spec], definitions: Definitions, *, needs_all: bool = True) -> Iterator[_Alternative]:
    for spec in specs:
        try:
            model = model_of(spec.load_config(), spec.load(), spec.given)
        except CambistError:
            yield spec.name, spec.summary, {"additionalProperties": True}
            continue
        name = f"{spec.kind}.{spec.name}"
        definitions.add(name, model)
        made = definitions.all.pop(name)
        if not needs_all:
            made.pop("required", None)
        yield spec.name, spec.summary, made


def _brokers(registry: Registry, definitions: Definitions) -> Iterator[_Alternative]:
    """Yield brokers; the simulated venue is set up in a table of its own."""
    for name, spec in registry.brokers().items():
        if name == SIMULATED:
            yield name, spec.summary, {"type": "object", "properties": {}, "additionalProperties": False}
        else:
            yield from _settings([spec], definitions)


def _models(specs: Iterable[Spec], model: str, definitions: Definitions) -> Iterator[_Alternative]:
    """Yield simulation models under both of their names, with the kind as the ending and without."""
    for name, summary, settings in _settings(specs, definitions):
        for one in dict.fromkeys((name.removesuffix(f"-{model}"), name)):
            yield one, summary, settings


def _sizers(definitions: Definitions) -> Iterator[_Alternative]:
    for name, cls in SIZERS.items():
        definitions.add(f"sizer.{name}", model_of(None, cls))
        summary = (cls.__doc__ or "").strip().partition("\n")[0]
        yield name, summary, definitions.all.pop(f"sizer.{name}")


def _choice(key: str, alternatives: Iterable[_Alternative], table: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a table that names one of several components and holds its settings."""
    own = {name: field for name, field in table["properties"].items() if name != key}
    chosen = []
    for name, summary, settings in alternatives:
        made = named(key, name, summary, settings)
        made["properties"] |= own
        chosen.append(made)
    return {"description": table["description"], "type": "object", "anyOf": chosen}


def _other(key: str, names: list[str]) -> dict[str, Any]:
    """Return the alternative for a name that nobody here offers; such a file may be meant for another machine."""
    return {"properties": {key: {"not": {"enum": names}}}}


def _providers(registry: Registry, definitions: Definitions) -> dict[str, Any]:
    made = {name: settings for name, _, settings in _settings(registry.secret_providers().values(), definitions)}
    return {"type": "object", "properties": made, "additionalProperties": {"type": "object"}}


def _session(name: str, summary: str, settings: dict[str, Any]) -> dict[str, Any]:
    word = {"const": name, "description": summary}
    return {"properties": {"venue": word, "settings": settings}, "required": ["venue"]}


def _strategies(registry: Registry, table: dict[str, Any]) -> dict[str, Any]:
    names, chosen = [], []
    for spec in registry.strategies().values():
        try:
            declared: dict[str, Parameter] = getattr(spec.load(), "parameters", {})
        except CambistError:
            continue
        names.append(spec.name)
        fields = {name: _parameter(one) for name, one in {**declared, **OF_EVERY}.items()}
        parameters = {"type": "object", "properties": fields, "additionalProperties": False}
        word = {"const": spec.name, "description": spec.summary}
        chosen.append({"properties": {"use": word, "parameters": parameters}, "required": ["use"]})
    return {**table, "anyOf": [*chosen, _other("use", names)]}


def _parameter(one: Parameter) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if one.type in _TYPES and not one.optional:
        made["type"] = _TYPES[one.type]
    made |= {word: getattr(one, name) for name, word in _BOUNDS.items() if getattr(one, name) is not None}
    if one.choices is not None and all(isinstance(choice, str | int | float) for choice in one.choices):
        made["enum"] = list(one.choices)
    if one.default is not MISSING and isinstance(one.default, str | int | float):
        made["default"] = one.default
    return {**made, **({"description": one.doc} if one.doc else {})}


def _data(registry: Registry, definitions: Definitions) -> dict[str, Any]:
    """Return the schema of a series: the settings of a feed stand beside its own keys."""
    table = definitions.all["DataTable"]
    feeds = list(_settings(registry.feeds().values(), definitions, needs_all=False))
    chosen = []
    for name, summary, settings in feeds:
        pattern = f"^{name}:" if name != CACHE else f"^{name}:|^[a-z][a-z0-9-]*:.+:[0-9]+[smhdw]$"
        source = {**table["properties"]["source"], "pattern": pattern, "description": summary}
        fields = {**settings.get("properties", {}), **table["properties"], "source": source}
        chosen.append({**settings, "type": "object", "properties": fields, "required": ["source"]})
    anything = f"^(?!({'|'.join(name for name, _, _ in feeds)}):)"
    file = copy.deepcopy({**table, "additionalProperties": False})
    file["properties"]["source"]["pattern"] = anything
    return {"description": table["description"], "type": "object", "anyOf": [file, *chosen]}


def _replace(schema: Any, reference: str, new: dict[str, Any]) -> None:
    """Put something in the place of a reference, wherever it stands in a schema."""
    if isinstance(schema, list):
        for one in schema:
            _replace(one, reference, new)
    elif isinstance(schema, dict):
        if schema.get("$ref") == reference:
            del schema["$ref"]
            schema.update(copy.deepcopy(new))
        for one in list(schema.values()):
            _replace(one, reference, new)
