"""What the core registers is there, under the names it says, and can be called as its record promises."""

from __future__ import annotations

import inspect

import pytest

from cambist.plugins.registry import Registry
from cambist.ports import Broker, BrokerFactory, Notifier, RiskRule, Storage

COMPONENTS = Registry.of([], core=True, strict=True).components()


def of_kind(kind):
    return [spec for spec in COMPONENTS if spec.kind == kind]


def name_of(spec):
    return f"{spec.kind}:{spec.name}"


@pytest.mark.parametrize("spec", COMPONENTS, ids=name_of)
def test_the_factory_imports(spec):
    assert callable(spec.load())
    assert spec.summary


@pytest.mark.parametrize("spec", COMPONENTS, ids=name_of)
def test_the_settings_can_be_shown(spec):
    from cambist.cli.plugins_settings import settings_of

    assert all(one.name for one in settings_of(spec))


@pytest.mark.parametrize(
    ("kind", "promise"), [("broker", Broker), ("risk_rule", RiskRule), ("notifier", Notifier), ("storage", Storage)]
)
def test_what_is_made_has_every_promised_method(kind, promise):
    specs = of_kind(kind)
    assert specs
    for spec in specs:
        made = spec.load()
        for name, promised in inspect.getmembers(promise, inspect.isfunction):
            if not name.startswith("_"):
                given = inspect.signature(getattr(made, name)).parameters
                assert list(given) == list(inspect.signature(promised).parameters), f"{name_of(spec)}: {name}"


def test_a_broker_takes_what_the_core_gives():
    given = [*inspect.signature(BrokerFactory.__call__).parameters][1:-1]
    for spec in of_kind("broker"):
        assert [*inspect.signature(spec.load()).parameters][: spec.given] == given


def test_a_risk_rule_goes_by_the_name_it_is_registered_under():
    for spec in of_kind("risk_rule"):
        assert spec.load().name == spec.name


def test_the_measures_are_those_of_a_summary():
    from cambist.analysis.catalog import MEASURES

    offered = {spec.name.replace("-", "_"): spec for spec in of_kind("analyzer")}
    assert list(offered) == list(MEASURES)
    for key, measure in MEASURES.items():
        assert offered[key].load() is measure.compute
        assert (offered[key].unit, offered[key].higher_is_better) == (measure.unit, measure.higher_is_better)


def test_every_risk_rule_of_the_core_is_offered():
    import pkgutil

    from cambist.risk import rules

    assert {spec.load().__module__ for spec in of_kind("risk_rule")} == {
        f"cambist.risk.rules.{module.name}" for module in pkgutil.iter_modules(rules.__path__)
    }


def test_strategies_are_strategies():
    from cambist.strategies import Strategy

    specs = of_kind("strategy")
    assert specs
    for spec in specs:
        assert issubclass(spec.load(), Strategy)
        spec.load()()


def test_the_simulation_models_are_those_of_the_catalog():
    """One list for plugins, which must not import them, and one for options of a backtest without plugins."""
    from cambist.plugins.specs import MODELS
    from cambist.simulation.catalog import CATALOG

    offered = {(spec.model, spec.name): spec.factory for spec in of_kind("simulation_model")}
    known = {
        (model, f"{name}-{model}"): f"cambist.simulation.{where}"
        for model, models in CATALOG.items()
        for name, where in models.items()
    }
    assert offered == known
    assert list(CATALOG) == list(MODELS)
