"""Finding components by kind and name, and what is said when they are not there."""

from __future__ import annotations

from types import ModuleType

import pytest

from cambist.errors import PluginClashError, UnknownComponentError
from cambist.plugins import known
from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.registry import Registry
from cambist.plugins.specs import SPECS, FeedSpec, NotifierSpec


def module_of(name, **hooks):
    """Make a plugin at hand: hook name -> what it returns."""
    module = ModuleType(name)
    for hook, records in hooks.items():
        setattr(module, hook, returning(records))
    return module


def returning(records):
    @hookimpl
    def implementation():
        return records

    return implementation


METHODS = ["feeds", "brokers", "risk_rules", "storages", "notifiers", "strategies", "indicators", "analyzers"]
METHODS += ["simulation_models", "commands", "sessions", "data_rules", "reports", "secret_providers"]
METHODS += ["event_sinks"]


def test_an_empty_registry_has_nothing():
    registry = Registry.empty()
    assert [getattr(registry, method)() for method in METHODS] == [{}] * len(METHODS)
    assert registry.statuses() == registry.components() == registry.clashes() == []


@pytest.mark.parametrize(("method", "kind"), [*zip(METHODS, SPECS, strict=True)])
def test_each_kind_has_its_method_and_its_hook(method, kind):
    extra = {"model": "fee"} if kind.kind == "simulation_model" else {}
    thing = kind(name="thing", factory=print, **extra)
    registry = Registry.of([module_of("one", **{kind.hook: [thing]})], strict=True)
    (spec,) = getattr(registry, method)().values()
    assert isinstance(spec, kind)
    assert registry.get(kind.kind, "thing") is spec
    assert registry.statuses()[0].components == (f"{kind.kind}:thing",)


def test_a_registry_of_modules_ignores_what_is_installed(site, good):
    site.install("good", good)
    assert Registry.of([]).components() == []
    assert {one.name for one in Registry.of([], core=True).statuses()} == {"cambist"}


def test_the_registry_tells_who_offers_what():
    one = module_of("one", cambist_feeds=[FeedSpec(name="tide", factory=print, provider="somebody else")])
    registry = Registry.of([one], core=True)
    assert registry.get("feed", "tide").provider == "plugin 'one'"
    assert registry.get("feed", "csv").provider.startswith("the core (cambist ")
    assert [spec.name for spec in registry.components("one")] == ["tide"]
    assert len(registry.components()) == len(registry.components("cambist")) + 1


def test_a_clash_names_both_sides_and_their_versions(site):
    code = """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="tide", factory=print), FeedSpec(name="{own}", factory=print)]
    """
    site.install("ebb", code.format(own="low"), version="1.2")
    site.install("flow", code.format(own="high"), version="0.9")
    registry = site.discover()
    message = r"feed 'tide' is offered by plugin 'ebb' \(acme-ebb 1\.2\) and plugin 'flow' \(acme-flow 0\.9\)"
    with pytest.raises(PluginClashError, match=message):
        registry.get("feed", "tide")
    with pytest.raises(PluginClashError, match=message):
        registry.feeds()
    with pytest.raises(PluginClashError, match=message):
        site.discover(strict=True)
    assert len(registry.clashes()) == 1
    assert registry.get("feed", "low").name == "low"
    assert registry.get("feed", "csv").name == "csv"
    assert "log" in registry.notifiers()
    assert site.discover(CAMBIST_DISABLE_PLUGINS="flow").get("feed", "tide").provider == "plugin 'ebb' (acme-ebb 1.2)"


def test_a_plugin_cannot_shadow_a_part_of_the_core(site):
    site.install(
        "sly",
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="csv", factory=print)]
        """,
    )
    with pytest.raises(PluginClashError, match=r"'csv' is offered by the core \(cambist .*\) and plugin 'sly'"):
        site.discover().get("feed", "csv")


def test_one_name_may_be_used_in_several_kinds():
    both = module_of(
        "both",
        cambist_feeds=[FeedSpec(name="tide", factory=print)],
        cambist_notifiers=[NotifierSpec(name="tide", factory=print)],
    )
    registry = Registry.of([both], strict=True)
    assert registry.get("feed", "tide").kind == "feed"
    assert registry.get("notifier", "tide").kind == "notifier"


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(UnknownComponentError, match=r"no plugin offers the risk rule 'max-positon'\. Did you mean"):
        Registry.of([], core=True).get("risk_rule", "max-positon")


def test_suggestions_stay_within_the_kind():
    with pytest.raises(UnknownComponentError) as caught:
        Registry.of([], core=True).get("feed", "max-position")
    feeds = ", ".join(sorted(Registry.of([], core=True).feeds()))
    assert str(caught.value) == f"no plugin offers the feed 'max-position'. Known: {feeds}."


def test_a_misspelt_kind_gets_a_suggestion():
    with pytest.raises(UnknownComponentError, match=r"no kind of component called 'feeds'\. Did you mean 'feed'\?"):
        Registry.empty().get("feeds", "csv")


def test_a_known_component_says_what_to_install():
    with pytest.raises(UnknownComponentError, match="comes with cambist-samples: pip install cambist-samples"):
        Registry.of([], core=True).get("feed", "samples")
    with pytest.raises(UnknownComponentError) as caught:
        Registry.of([], core=True).get("broker", "samples")
    assert "install" not in str(caught.value)


def test_a_known_component_that_is_disabled_says_so(site, good, monkeypatch):
    monkeypatch.setattr("cambist.plugins.registry.KNOWN", {("feed", "tide"): "acme-good"})
    site.install("good", good)
    with pytest.raises(UnknownComponentError) as caught:
        site.discover(CAMBIST_DISABLE_PLUGINS="good").get("feed", "tide")
    assert "plugin 'good' (acme-good 1.0) is disabled: named in CAMBIST_DISABLE_PLUGINS" in str(caught.value)
    assert "pip install" not in str(caught.value)


def test_known_components_are_of_known_kinds():
    assert {kind for kind, _ in known.KNOWN} <= {spec.kind for spec in SPECS}


def test_a_component_of_a_plugin_that_failed_shows_the_original_traceback(site):
    site.install("venue", "def deep():\n    return {}['missing']\ndeep()\n")
    with pytest.raises(UnknownComponentError) as caught:
        site.discover().get("broker", "venue")
    text = str(caught.value)
    assert "plugin 'venue' (acme-venue 1.0) failed: KeyError: 'missing'" in text
    assert "Traceback (most recent call last)" in text
    assert "in deep" in text


@pytest.mark.parametrize(("kind", "name"), [("feed", "tide"), ("notifier", "horn")])
def test_a_component_lost_with_another_hook_of_its_plugin_shows_what_that_hook_raised(site, kind, name):
    site.install(
        "half",
        """
        from cambist.api import FeedSpec, NotifierSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="tide", factory=print)]
        @hookimpl
        def cambist_brokers(): raise RuntimeError("no venue today")
        @hookimpl
        def cambist_notifiers(): return [NotifierSpec(name="horn", factory=print)]
        """,
    )
    with pytest.raises(UnknownComponentError, match="RuntimeError: no venue today") as caught:
        site.discover().get(kind, name)
    assert "in cambist_brokers" in str(caught.value)


def test_an_unknown_component_points_at_plugins_that_failed(site):
    site.install("venue", "1 / 0")
    with pytest.raises(UnknownComponentError, match="'cambist plugins show venue' tells why"):
        site.discover().get("feed", "tide")


def test_a_core_that_is_broken_is_no_matter_of_isolation(monkeypatch):
    from cambist.plugins import registry

    broken = module_of("broken", cambist_feeds=None)
    monkeypatch.setattr(registry, "core_modules", lambda: (broken,))
    with pytest.raises(Exception, match="cambist_feeds returned None"):
        Registry.discover(environ={"CAMBIST_PLUGINS": ""})
