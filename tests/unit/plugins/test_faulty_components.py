"""Plugins that load, and whose parts fail later: each is named with what is wrong, and the rest go on."""

from __future__ import annotations

import sys
from textwrap import dedent
from types import ModuleType

import pytest

from cambist.app.runfile import read_run_file
from cambist.app.storage import opened_storage
from cambist.errors import ConfigError, PluginLoadError

PARTS = """
    from pydantic import BaseModel, field_validator
    from cambist.api import (
        BrokerSpec, FeedSpec, NotifierSpec, RiskRuleSpec, SinkSpec, StorageSpec, hookimpl
    )

    class Limits(BaseModel):
        limit: float = 1.0

        @field_validator("limit")
        @classmethod
        def check(cls, value):
            return {}["limits"]

    class Broken:
        def __init__(self, *given, **settings):
            self.handle = None
            self.handle.open()

    class Fine:
        name = "fine"
        def __init__(self, limit: float = 1.0): self.limit = limit
        def concerns(self, instrument): return True
        def review(self, order, view): return None

    @hookimpl
    def cambist_risk_rules():
        return [
            RiskRuleSpec(name="broken", factory=Broken),
            RiskRuleSpec(name="badly-set", factory=Fine, config=Limits),
            RiskRuleSpec(name="fine", factory=Fine),
        ]

    @hookimpl
    def cambist_feeds():
        return [FeedSpec(name="broken", factory=Broken, capabilities=["history"])]

    @hookimpl
    def cambist_storages():
        return [StorageSpec(name="broken", factory=Broken, capabilities=["runs"])]

    @hookimpl
    def cambist_event_sinks():
        return [SinkSpec(name="broken", factory=Broken)]
"""
FAULT = "acme_parts:Broken could not be made, it raised AttributeError: 'NoneType' object has no attribute 'open'"
RUN = """
[strategy]
use = "sma-cross"
[[data]]
source = "{source}"
[[risk]]
use = "{rule}"
limit = 3.0
"""


@pytest.fixture
def parts(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    site.install("parts", PARTS)
    return site.discover()


def read(tmp_path, registry, rule="fine", source="random:gbm", more=""):
    path = tmp_path / "run.toml"
    path.write_text(RUN.format(rule=rule, source=source) + more)
    return read_run_file(path, registry)


def test_a_factory_that_raises_is_named_with_its_place_and_its_error(parts, tmp_path):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, parts, "broken", more='[[sink]]\nuse = "broken"\n')
    told = str(caught.value)
    assert "risk[1]" in told or "line 6" in told
    assert told.count(FAULT) == 2, "of the rule and of the sink, at once"
    assert "tell whoever wrote it" in told


def test_a_config_class_with_a_bug_is_named(parts, tmp_path):
    with pytest.raises(ConfigError, match=r"acme_parts:Limits raised KeyError: 'limits'\. That is a fault in it"):
        read(tmp_path, parts, "badly-set")


def test_the_other_parts_of_the_plugin_go_on(parts, tmp_path):
    (rule,) = read(tmp_path, parts).settings["risk"]
    assert rule.limit == 3.0


def test_a_storage_and_a_feed_that_raise_are_named(parts, tmp_path):
    with pytest.raises(PluginLoadError) as caught, opened_storage("broken:x", parts, "runs"):
        pass
    assert FAULT in str(caught.value)
    assert isinstance(caught.value.__cause__, AttributeError)
    from cambist.app.sources import open_series

    with pytest.raises(PluginLoadError) as caught:
        open_series(read(tmp_path, parts, source="broken:x").series, parts)
    assert FAULT in str(caught.value)


def test_a_plugin_that_imports_something_heavy_works_and_is_told_of(site, good, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.delitem(sys.modules, "polars")
    (site.folder / "polars.py").write_text("")  # a stand-in: what counts is the name
    site.install("heavy", "import polars\n" + dedent(good))
    caplog.set_level("INFO", logger="cambist.plugins")
    status = site.status("heavy")
    assert (status.state, status.heavy) == ("active", ("polars",))
    told = "plugin 'heavy' (acme-heavy 1.0): its module imports polars, which every command of cambist waits for"
    assert told in caplog.text
    assert isinstance(sys.modules.pop("polars"), ModuleType)
