"""The records: what they refuse, and what happens when their code is wanted."""

from __future__ import annotations

import sys
from textwrap import dedent

import attrs
import pytest

from cambist.errors import MissingDependencyError, PluginLoadError
from cambist.plugins.specs import SPECS, AnalyzerSpec, FeedSpec, RiskRuleSpec, SimulationModelSpec, Spec


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module and return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "odd_parts", raising=False)

    def write(code):
        (tmp_path / "odd_parts.py").write_text(dedent(code), encoding="utf-8")
        return "odd_parts"

    yield write
    sys.modules.pop("odd_parts", None)


@pytest.mark.parametrize("name", ["csv", "max-position", "x2", "a"])
def test_plain_names_are_taken(name):
    assert FeedSpec(name=name, factory=print).name == name


@pytest.mark.parametrize("name", ["", "CSV", "my feed", "2x", "-x", "max_position", "csv\n", None, 7])
def test_other_names_are_refused_with_an_example(name):
    with pytest.raises(PluginLoadError, match=r"risk rule cannot be called .* such as 'my-risk-rule'"):
        RiskRuleSpec(name=name, factory=print)


@pytest.mark.parametrize("factory", ["a.b", "a:b:c", "a.b:", ":x", "a b:c", "../a:b"])
def test_a_lazy_reference_must_read_module_colon_attribute(factory):
    with pytest.raises(PluginLoadError, match=r"factory of feed 'x' .*'package\.module:attribute'"):
        FeedSpec(name="x", factory=factory)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("factory", 7),
        ("factory", None),
        ("config", {"a": 1}),
        ("config", "no-colon"),
        ("capabilities", "stream"),
        ("capabilities", [1]),
        ("requires", "ccxt"),
    ],
)
def test_unusable_fields_are_named(field, value):
    with pytest.raises(PluginLoadError, match=rf"the {field} of feed 'x' (is|are) "):
        FeedSpec(**{"name": "x", "factory": print, field: value})


def test_a_unit_must_be_one_that_a_report_can_show():
    with pytest.raises(PluginLoadError, match="unit of analyzer 'x' is 'percent'; it must be one of: ratio, return"):
        AnalyzerSpec(name="x", factory=print, unit="percent")


def test_a_simulation_model_says_what_it_decides():
    with pytest.raises(
        PluginLoadError, match="model of simulation model 'x' is 'fees'; it must be one of: fee, slippage"
    ):
        SimulationModelSpec(name="x", factory=print, model="fees")
    with pytest.raises(TypeError, match="model"):
        SimulationModelSpec(name="x", factory=print)


def test_records_are_frozen_keyword_only_and_differ_even_when_they_look_alike():
    one, other = (FeedSpec(name="x", factory=print) for _ in range(2))
    assert one != other
    assert len({one, other}) == 2
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.name = "y"
    with pytest.raises(TypeError):
        FeedSpec("x", print)


def test_every_kind_has_its_own_kind_label_and_hook():
    for field in ("kind", "label", "hook"):
        assert len({getattr(spec, field) for spec in SPECS}) == len(SPECS) == len(Spec.__subclasses__())


def test_a_callable_is_its_own_factory():
    assert FeedSpec(name="x", factory=print).load() is print


def test_a_reference_is_imported_at_load_and_not_before(module):
    name = module("class Outer:\n    @staticmethod\n    def make():\n        return 7\n")
    spec = FeedSpec(name="x", factory=f"{name}:Outer.make")
    assert name not in sys.modules
    assert spec.load()() == 7


def test_no_config_means_none_and_a_lazy_config_is_imported(module):
    name = module("class Settings:\n    pass\nsettings = Settings()\n")
    assert FeedSpec(name="x", factory=print).load_config() is None
    assert FeedSpec(name="x", factory=print, config=f"{name}:Settings").load_config().__name__ == "Settings"
    with pytest.raises(PluginLoadError, match="a config must be a class"):
        FeedSpec(name="x", factory=print, config=f"{name}:settings").load_config()


def test_a_missing_library_says_what_to_install(module):
    name = module("import no_such_library_anywhere.deep\n")
    spec = FeedSpec(name="x", factory=f"{name}:f", requires=["acme>=2", "other"], provider="plugin 'p' (acme-p 1.0)")
    with pytest.raises(MissingDependencyError) as caught:
        spec.load()
    text = str(caught.value)
    assert "the feed 'x' of plugin 'p' (acme-p 1.0) needs the module 'no_such_library_anywhere'" in text
    assert "pip install 'acme>=2' 'other'" in text
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_missing_library_that_nobody_named_is_named_all_the_same(module):
    name = module("import no_such_library_anywhere\n")
    with pytest.raises(MissingDependencyError, match="often called 'no_such_library_anywhere' as well"):
        FeedSpec(name="x", factory=f"{name}:f").load()


def test_a_module_of_its_own_that_is_missing_is_the_plugins_mistake():
    with pytest.raises(PluginLoadError, match=r"names 'odd_nowhere\.part:f', but there is no module 'odd_nowhere'"):
        FeedSpec(name="x", factory="odd_nowhere.part:f").load()


def test_a_module_that_raises_is_named_with_its_error_as_cause(module):
    name = module("1 / 0\n")
    spec = FeedSpec(name="x", factory=f"{name}:f", provider="plugin 'p' (acme-p 1.0)")
    with pytest.raises(
        PluginLoadError, match=r"feed 'x' of plugin 'p' .* ZeroDivisionError: division by zero"
    ) as caught:
        spec.load()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_library_that_is_there_but_broken_says_what_to_reinstall(module):
    name = module("raise ImportError('undefined symbol: frobnicate')\n")
    with pytest.raises(PluginLoadError, match=r"undefined symbol: frobnicate.*pip install 'frob'"):
        FeedSpec(name="x", factory=f"{name}:f", requires=["frob"]).load()


def test_a_misspelt_attribute_gets_a_suggestion(module):
    name = module("def open_tide():\n    pass\n")
    with pytest.raises(PluginLoadError, match=r"no 'open_tidy' there\. Did you mean 'open_tide'\?"):
        FeedSpec(name="x", factory=f"{name}:open_tidy").load()


def test_what_cannot_be_called_is_no_factory(module):
    name = module("number = 7\n")
    with pytest.raises(PluginLoadError, match="which is 7: a factory must be callable"):
        FeedSpec(name="x", factory=f"{name}:number").load()
