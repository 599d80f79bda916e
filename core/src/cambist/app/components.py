"""The components that a run file names: where their settings stand, and what they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.named_parts import SIMULATED
from cambist.app.runfile import MODEL_OPTIONS, SIZERS, load_parts, model_named
from cambist.app.sources import feed_of_name
from cambist.app.strategies import load_strategy
from cambist.config.effective import Component
from cambist.config.read import DATA_KEYS, as_list, place
from cambist.config.settings import model_of
from cambist.errors import CambistError
from cambist.plugins.specs import AnalyzerSpec, BrokerSpec, SinkSpec
from cambist.strategies.parameters import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.config.document import Document, Where
    from cambist.plugins.registry import Registry

__all__ = ["components_of"]

#: Tables that name a component, its kind, and how much of its factory is no setting.
_NAMED = (
    ("risk", "risk_rule", 0),
    ("notify", "notifier", 0),
    ("sink", "sink", SinkSpec.given),
    ("analyzer", "analyzer", AnalyzerSpec.given),
)


def components_of(document: Document, registry: Registry) -> Iterator[Component]:
    """Yield what a run file names, as far as it can be found."""
    for where, table in _tables(document, "strategy"):
        yield _strategy(where, table, document, registry)
    for kind, name, given in _NAMED:
        for where, table in _tables(document, kind):
            yield _component(where, table.get("use"), registry, name, given=given)
    broker = _table(document, "broker")
    if broker.get("use", SIMULATED) != SIMULATED:
        yield _component(("broker",), broker["use"], registry, "broker", given=BrokerSpec.given)
    for where, table in _tables(document, "data"):
        source = table.get("source")
        folder = document.folder_of((*place(document, where), "source"))
        feed = feed_of_name(source, folder, registry) if isinstance(source, str) else None
        if feed is not None:
            yield _component(where, feed, registry, "feed", given=1, without=DATA_KEYS)
    sizer = _table(document, "sizer")
    if sizer.get("use") in SIZERS:
        yield Component.of(("sizer",), model_of(None, SIZERS[sizer["use"]]))
    venue = _table(document, "venue")
    for option, model in MODEL_OPTIONS.items():
        said = venue.get(option)
        if isinstance(said, dict) and isinstance(said.get("use"), str):
            yield _model(("venue", option), said["use"], model, registry)
    for name in _table(document, "secrets"):
        yield _component(("secrets", name), name, registry, "secret_provider")
    live, paper = _table(document, "live"), _table(document, "paper")
    if live:
        yield _session(live, registry)
    if "settings" in paper:
        yield _component(("paper", "settings"), paper.get("venue", live.get("venue")), registry, "session")


def _table(document: Document, name: str) -> dict[str, Any]:
    table = document.tables.get(name)
    return table if isinstance(table, dict) else {}


def _tables(document: Document, name: str) -> Iterator[tuple[Where, dict[str, Any]]]:
    tables = as_list(document.tables.get(name, []))
    for number, table in enumerate(tables if isinstance(tables, list) else []):
        if isinstance(table, dict):
            yield (name, number), table


def _strategy(where: Where, table: dict[str, Any], document: Document, registry: Registry) -> Component:
    where = (*where, "parameters")
    try:
        folder = document.folder_of((*place(document, where[:2]), "use"))
        cls = load_strategy(str(table.get("use", "")), registry, folder)
    except CambistError:
        return Component(where)
    declared = {name: one.default for name, one in cls.parameters.items() if one.default is not MISSING}
    return Component(where, declared)


def _component(
    where: Where, name: Any, registry: Registry, kind: str, *, given: int = 0, without: tuple[str, ...] = ()
) -> Component:
    try:
        factory, config = load_parts(registry, kind, str(name))
    except CambistError:
        return Component(where, secrets=None)
    return Component.of(where, model_of(config, factory, given), without)


def _session(live: dict[str, Any], registry: Registry) -> Component:
    """Return the settings of an account, with what its environment adds to them."""
    venue, given = live.get("venue"), live.get("settings", {})
    made = _component(("live", "settings"), venue, registry, "session")
    try:
        fit = registry.get("session", str(venue)).load_environment()
        added = {} if fit is None else fit(str(live.get("environment", "")), given)
    except CambistError:  # told of by who checks
        return made
    return attrs.evolve(made, defaults={**made.defaults, **added})


def _model(where: Where, name: str, model: str, registry: Registry) -> Component:
    try:
        spec = model_named(registry, model, name)
        return Component.of(where, model_of(spec.load_config(), spec.load()))
    except CambistError:
        return Component(where, secrets=None)
