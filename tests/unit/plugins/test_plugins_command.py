"""`cambist plugins list` and `show`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cambist.cli.plugins import plugins
from cambist.plugins.registry import Registry

VENUE = """
    from cambist.api import BrokerSpec, FeedSpec, hookimpl

    @hookimpl
    def cambist_feeds():
        return [
            FeedSpec(
                name="venue",
                factory="acme_venue:open_feed",
                config="acme_venue_config:FeedConfig",
                summary="Bars from the venue",
                capabilities=["stream", "history"],
                requires=["acme-client>=2"],
            )
        ]

    @hookimpl
    def cambist_brokers():
        return [BrokerSpec(name="venue", factory="acme_venue_broker:Broker", requires=["acme-client>=2"])]

    def open_feed(source):
        return source
"""
CONFIG = """
    from pydantic import BaseModel, Field

    class FeedConfig(BaseModel):
        symbol: str = Field(description="as the venue spells it")
        timeframe: str = "1m"
        depth: int | None = None
        tags: list[str] = Field(default_factory=list)
"""


@pytest.fixture
def run(site, monkeypatch):
    """Run a command with the plugins installed so far; returns exit code, output and errors."""

    def invoke(*words, **environ):
        settings = {"CAMBIST_PLUGINS": ",".join(site.names), "COLUMNS": "200", **environ}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(plugins, words)

    return invoke


def test_the_list_shows_state_version_and_components(site, good, run):
    site.install("good", good, version="2.5")
    site.install("broken", "1 / 0")
    site.install("future", "", group="cambist.v2")
    site.install("off", good)
    done = run("list", CAMBIST_DISABLE_PLUGINS="off")
    assert done.exit_code == 0
    rows = {line.split("│")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("│ ")}
    assert [cell.strip() for cell in rows["good"].split("│")[2:5]] == ["2.5", "active", "feed: tide"]
    assert "notifier: horn" in done.stdout
    assert "ZeroDivisionError: division by zero" in rows["broken"]
    assert "failed" in rows["broken"]
    assert "incompatible" in rows["future"]
    assert "named in CAMBIST_DISABLE_PLUGINS" in rows["off"]
    own = len(Registry.of([], core=True).feeds())
    assert f"feed: {own} of them" in rows["cambist"]


def test_the_list_points_out_clashes(site, good, run):
    site.install("good", good)
    site.install("twin", good)
    done = run("list")
    assert done.exit_code == 0
    assert "Clash: the feed 'tide' is offered by plugin 'good' (acme-good 1.0) and plugin 'twin'" in done.stdout


def test_the_list_as_json(site, good, run):
    site.install("good", good)
    site.install("broken", "1 / 0")
    listed = json.loads(run("list", "--json").stdout)
    # Plugins that are really installed here are listed too, as disabled.
    by_name = {one["name"]: one for one in listed["plugins"] if one["state"] != "disabled"}
    assert list(by_name) == ["cambist", "broken", "good"]
    assert by_name["good"]["components"] == ["feed:tide", "notifier:horn"]
    assert by_name["good"]["state"] == "active"
    assert by_name["broken"]["error"] == "ZeroDivisionError: division by zero"
    assert "Traceback" in by_name["broken"]["traceback"]
    assert set(by_name["good"]) == {
        "name", "distribution", "version", "path", "api", "state", "components", "error", "traceback", "seconds",
        "heavy",
    }  # fmt: skip
    assert listed["clashes"] == []


def test_show_prints_components_capabilities_and_settings(site, run):
    site.install("venue", VENUE)
    (site.folder / "acme_venue_config.py").write_text(CONFIG.replace("\n    ", "\n"), encoding="utf-8")
    (site.folder / "acme_venue_broker.py").write_text("import no_such_client\n", encoding="utf-8")
    done = run("show", "venue")
    assert done.exit_code == 0
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines[0].startswith("venue  acme-venue 1.0  active  plugin API 1")
    assert "feed venue: Bars from the venue" in lines
    assert "capabilities: history, stream" in lines
    assert "requires: acme-client>=2" in lines
    assert "symbol     str; required; as the venue spells it" in lines
    assert "timeframe  str; default '1m'" in lines
    assert "depth      int | None; default None" in lines
    assert "tags       list[str]; default list()" in lines
    assert any(
        line.startswith("cannot be used: the broker 'venue' of plugin 'venue' (acme-venue 1.0) needs the module "
                        "'no_such_client'")
        for line in lines
    )  # fmt: skip


def test_show_as_json(site, run):
    site.install("venue", VENUE)
    (site.folder / "acme_venue_config.py").write_text(CONFIG.replace("\n    ", "\n"), encoding="utf-8")
    shown = json.loads(run("show", "venue", "--json").stdout)
    assert [one["name"] for one in shown["plugins"]] == ["venue"]
    feed, broker = shown["components"]
    assert (feed["kind"], feed["name"], feed["capabilities"]) == ("feed", "venue", ["history", "stream"])
    assert feed["settings"][0] == {
        "name": "symbol", "type": "str", "default": None, "doc": "as the venue spells it",
    }  # fmt: skip
    assert broker["settings"] == []
    assert feed["error"] == ""
    assert "acme_venue_broker" in broker["error"]


def test_show_prints_the_traceback_of_a_plugin_that_failed(site, run):
    site.install("broken", "def deep():\n    return {}['missing']\ndeep()\n")
    done = run("show", "broken")
    assert done.exit_code == 0
    assert "KeyError: 'missing'" in done.stdout
    assert "in deep" in done.stdout


def test_show_finds_a_component_by_its_own_name(run):
    done = run("show", "max-position")
    assert done.exit_code == 0
    assert "risk rule max-position: " in done.stdout
    assert "provider: the core (cambist " in done.stdout
    assert (
        "    limit  float; required; Largest size, long or short, in units of the instrument."
        in done.stdout.splitlines()
    )


def test_show_leaves_out_what_the_core_gives(run):
    shown = json.loads(run("show", "sharpe", "--json").stdout)
    assert [one["name"] for one in shown["components"][0]["settings"]] == [
        "risk_free",
        "period",
        "annualized",
        "ddof",
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("goood", "Did you mean 'good'?"), ("shrpe", "Did you mean 'sharpe'?"), ("qqq", "'cambist plugins list' shows")],
)
def test_an_unknown_name_is_an_error_with_a_suggestion(site, good, run, name, hint):
    site.install("good", good)
    done = run("show", name)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"no plugin and no component called '{name}'" in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["show", "--help"]])
def test_each_help_text_has_an_example(run, words):
    done = run(*words)
    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert "  cambist plugins" in done.stdout or "cambist plugins list" in done.stdout
