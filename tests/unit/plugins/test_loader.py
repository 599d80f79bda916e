"""Loading installed plugins: one that fails costs nothing but its own parts, and says why."""

from __future__ import annotations

import logging
import sys

import pluggy
import pytest

from cambist.errors import PluginLoadError
from cambist.plugins.registry import Registry

#: What the core offers itself.
OWN_FEEDS = set(Registry.of([], core=True).feeds())

ONE_FEED = """
    from cambist.api import FeedSpec, hookimpl

    @hookimpl
    def cambist_feeds():
        return [FeedSpec(name="{name}", factory=print)]
"""

# (what is wrong, code of the plugin, what its status says)
FAULTS = {
    "raises at import": ("1 / 0", "ZeroDivisionError: division by zero"),
    "ends the process": ("raise SystemExit(3)", "SystemExit: 3"),
    "syntax error": ("def f(:", "SyntaxError"),
    "typo in a hook name": (
        """
        from cambist.api import hookimpl
        @hookimpl
        def cambist_feedz(): return []
        """,
        "unknown hook 'cambist_feedz'. Did you mean 'cambist_feeds'?",
    ),
    "no hook": ("x = 1", "acme_faulty implements no hook: is @hookimpl missing?"),
    "hook without the marker": (
        """
        def cambist_feeds(): return []
        """,
        "cambist_feeds is not marked, so it is never called: is @hookimpl missing?",
    ),
    "one of two hooks without the marker": (
        """
        from cambist.api import hookimpl
        @hookimpl
        def cambist_feeds(): return []
        def cambist_brokers(): return []
        """,
        "cambist_brokers is not marked",
    ),
    "marker of another project": (
        """
        import pluggy
        @pluggy.HookimplMarker("elsewhere")
        def cambist_feeds(): return []
        """,
        "cambist_feeds is not marked",
    ),
    "async hook": (
        """
        from cambist.api import hookimpl
        @hookimpl
        async def cambist_feeds(): return []
        """,
        "cambist_feeds is asynchronous",
    ),
    "async generator": (
        """
        from cambist.api import hookimpl
        @hookimpl
        async def cambist_feeds(): yield 1
        """,
        "cambist_feeds is asynchronous",
    ),
    "hook that returns a coroutine": (
        """
        from cambist.api import hookimpl
        async def later(): return []
        @hookimpl
        def cambist_feeds(): return later()
        """,
        "cambist_feeds returned a coroutine",
    ),
    "wrapper": (
        """
        from cambist.api import hookimpl
        @hookimpl(wrapper=True)
        def cambist_feeds(): return (yield)
        """,
        "cambist_feeds is a wrapper",
    ),
    "argument that the hook does not have": (
        """
        from cambist.api import hookimpl
        @hookimpl
        def cambist_feeds(config): return []
        """,
        "Argument(s) {'config'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "hook that raises": (
        """
        from cambist.api import hookimpl
        @hookimpl
        def cambist_feeds(): raise KeyError("tide")
        """,
        "KeyError: 'tide'",
    ),
    "hook that ends the process": (
        """
        import sys
        from cambist.api import hookimpl
        @hookimpl
        def cambist_feeds(): sys.exit("bye")
        """,
        "SystemExit: bye",
    ),
    "generator that raises half-way": (
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds():
            yield FeedSpec(name="first", factory=print)
            raise KeyError("second")
        """,
        "KeyError: 'second'",
    ),
    "forgotten return": (
        """
        from cambist.api import hookimpl
        @hookimpl
        def cambist_feeds(): []
        """,
        "cambist_feeds returned None; return a list of FeedSpec",
    ),
    "record without a list": (
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return FeedSpec(name="x", factory=print)
        """,
        "return a list of FeedSpec",
    ),
    "record of another kind": (
        """
        from cambist.api import BrokerSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [BrokerSpec(name="x", factory=print)]
        """,
        "it takes FeedSpec only",
    ),
    "name that cannot be": (
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="My Feed", factory=print)]
        """,
        "a feed cannot be called 'My Feed'",
    ),
    "one name twice": (
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="x", factory=print)] * 2
        """,
        "offers the feed 'x' twice",
    ),
}


@pytest.mark.parametrize(("code", "error"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_plugin_is_named_and_the_rest_go_on(site, good, code, error):
    site.install("faulty", code)
    site.install("good", good)
    registry = site.discover()
    states = {one.name: one for one in registry.statuses()}
    assert states["faulty"].state == "failed"
    assert error in states["faulty"].error
    assert "\n" not in states["faulty"].error
    assert states["faulty"].components == ()
    assert states["good"].state == states["cambist"].state == "active"
    assert set(registry.feeds()) - OWN_FEEDS == {"tide"}
    assert "horn" in registry.notifiers()


@pytest.mark.parametrize(("code", "error"), FAULTS.values(), ids=FAULTS)
def test_strict_stops_at_a_faulty_plugin_with_the_original_error_as_cause(site, code, error):
    site.install("faulty", code)
    with pytest.raises(PluginLoadError) as caught:
        site.discover(strict=True)
    assert str(caught.value).startswith("plugin 'faulty' (acme-faulty 1.0) cannot be used: ")
    assert error in str(caught.value)
    assert caught.value.__cause__ is not None


def test_strict_keeps_the_very_exception(site):
    site.install("faulty", "1 / 0")
    with pytest.raises(PluginLoadError) as caught:
        site.discover(strict=True)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_status_of_a_plugin_that_works(site, good):
    site.install("good", good, version="2.5")
    status = site.status("good")
    assert (status.distribution, status.version, status.api) == ("acme-good", "2.5", 1)
    assert status.components == ("feed:tide", "notifier:horn")
    assert (status.error, status.traceback, status.cause) == ("", "", None)
    assert status.seconds > 0


def test_the_original_traceback_is_kept(site):
    site.install("faulty", "def deep():\n    return {}['missing']\ndeep()\n")
    status = site.status("faulty")
    assert isinstance(status.cause, KeyError)
    assert status.traceback.startswith("Traceback (most recent call last)")
    assert "in deep" in status.traceback
    assert "acme_faulty.py" in status.traceback


def test_a_plugin_that_fails_in_one_hook_offers_nothing_through_the_others(site):
    site.install(
        "half",
        """
        from cambist.api import BrokerSpec, FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="half-feed", factory=print)]
        @hookimpl
        def cambist_brokers(): raise RuntimeError("no venue today")
        """,
    )
    registry = site.discover()
    assert "half-feed" not in registry.feeds()
    assert list(registry.brokers()) == ["simulated"]
    assert registry._loader.calls("half") == []


def test_what_pluggy_began_is_undone(site, good, monkeypatch):
    """pluggy 1.6 leaves the hooks it had added before it found the fault; 1.7 does not. We must not depend on it."""
    register = pluggy.PluginManager.register

    def fails_at_the_end(self, plugin, name=None):
        register(self, plugin, name)
        if name == "good":
            raise pluggy.PluginValidationError(plugin, "found late")
        return name

    monkeypatch.setattr(pluggy.PluginManager, "register", fails_at_the_end)
    site.install("good", good)
    registry = site.discover()
    assert "tide" not in registry.feeds()
    assert "horn" not in registry.notifiers()
    (status,) = [one for one in registry.statuses() if one.name == "good"]
    assert (status.state, status.error) == ("failed", "found late")
    assert registry._loader.calls("good") == []


def test_a_hook_of_a_later_core_may_be_marked_optional(site):
    site.install(
        "newer",
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl
        def cambist_feeds(): return [FeedSpec(name="tide", factory=print)]
        @hookimpl(optionalhook=True)
        def cambist_oracles(): raise RuntimeError("nobody calls this")
        """,
    )
    assert site.status("newer").components == ("feed:tide",)


def test_a_hook_may_be_implemented_under_another_name(site):
    site.install(
        "renamed",
        """
        from cambist.api import FeedSpec, hookimpl
        @hookimpl(specname="cambist_feeds")
        def ours(): return [FeedSpec(name="tide", factory=print)]
        """,
    )
    assert site.status("renamed").components == ("feed:tide",)


@pytest.mark.parametrize("group", ["cambist.v2", "cambist.v0", "cambist.v10"])
def test_a_plugin_for_another_api_is_reported_and_never_imported(site, group):
    module = site.install("future", "1 / 0", group=group)
    status = site.status("future")
    assert status.state == "incompatible"
    assert status.api == int(group.removeprefix("cambist.v"))
    assert f"made for plugin API {status.api}; Cambist " in status.error
    assert "acme-future for API 1" in status.error
    assert module not in sys.modules
    with pytest.raises(PluginLoadError, match=r"plugin 'future' \(acme-future 1\.0\): made for plugin API"):
        site.discover(strict=True)


@pytest.mark.parametrize("group", ["cambist", "cambist.vx", "cambist.v1.extra", "other.v1"])
def test_other_groups_are_none_of_our_business(site, good, group):
    site.install("good", good, group=group)
    assert all(one.name != "good" for one in site.discover().statuses())


def test_a_plugin_for_several_apis_is_loaded_for_ours(site, good):
    site.install("good", good, group="cambist.v2", also=["cambist.v1", "cambist.v3"])
    assert (site.status("good").state, site.status("good").api) == ("active", 1)


def test_a_disabled_plugin_is_never_imported(site, good):
    module = site.install("good", good)
    status = site.status("good", CAMBIST_DISABLE_PLUGINS="other, good")
    assert (status.state, status.error) == ("disabled", "named in CAMBIST_DISABLE_PLUGINS")
    assert status.version == "1.0"
    assert module not in sys.modules


def test_only_allowed_plugins_are_imported(site, good):
    module = site.install("bad", "1 / 0")
    site.install("good", good)
    registry = site.discover(CAMBIST_PLUGINS=" good ,")
    states = {one.name: one.state for one in registry.statuses()}
    assert (states["bad"], states["good"]) == ("disabled", "active")
    assert module not in sys.modules


def test_an_empty_allow_list_leaves_the_core_alone(site, good):
    site.install("good", good)
    states = {one.name: one.state for one in site.discover(CAMBIST_PLUGINS="").statuses()}
    assert {name for name, state in states.items() if state == "active"} == {"cambist"}


def test_disabling_wins_over_allowing(site, good):
    site.install("good", good)
    assert site.status("good", CAMBIST_PLUGINS="good", CAMBIST_DISABLE_PLUGINS="good").state == "disabled"


def test_without_an_allow_list_every_plugin_is_loaded(site, good):
    site.install("good", good)
    registry = Registry.discover(environ={})
    assert "tide" in registry.feeds()


def test_an_allow_list_with_a_typo_is_pointed_out(site, good, caplog):
    site.install("good", good)
    site.discover(CAMBIST_PLUGINS="god")
    assert "CAMBIST_PLUGINS names the plugin 'god', which is not installed. Did you mean 'good'?" in caplog.text
    with pytest.raises(PluginLoadError, match="names the plugin 'god'"):
        site.discover(strict=True, CAMBIST_PLUGINS="god")


def test_plugins_come_after_the_core_in_the_order_of_their_names(site):
    for name in ("zebra", "ant", "mole"):
        site.install(name, ONE_FEED.format(name=name))
    names = [one.name for one in site.discover().statuses() if one.state == "active"]
    assert names == ["cambist", "ant", "mole", "zebra"]
    assert list(site.discover().feeds())[len(OWN_FEEDS) :] == ["ant", "mole", "zebra"]


def test_two_distributions_cannot_both_be_one_plugin(site, good):
    site.install("good", good, distribution="acme-one")
    site.install("good", good, distribution="acme-two")
    one, two = (status for status in site.discover().statuses() if status.name == "good")
    assert (one.state, one.distribution) == ("active", "acme-one")
    assert two.state == "failed"
    assert two.error == "the name 'good' is taken by plugin 'good' (acme-one 1.0); uninstall one of the two"


def test_nobody_can_pose_as_the_core(site, good):
    site.install("cambist", good)
    registry = site.discover()
    assert [one.state for one in registry.statuses() if one.name == "cambist"] == ["active", "failed"]
    assert "tide" not in registry.feeds()


@pytest.mark.parametrize("name", ["Good", "my_plugin", "1st"])
def test_a_plugin_needs_a_plain_name(site, good, name):
    site.install(name, good)
    assert "is no plugin name" in site.status(name).error


def test_an_entry_point_names_a_module(site):
    site.install("object", "class Plugin: pass\n", value="acme_object:Plugin")
    assert "a plugin is a module" in site.status("object").error


# What cannot be imported, how loudly that is said, and how.
IMPORTS = {
    "a library that is missing": (
        "import no_such_library_anywhere",
        logging.INFO,
        "needs the module 'no_such_library_anywhere', which is not installed: install it, or reinstall acme-lib",
    ),
    "a library that is broken": (
        "raise ImportError('undefined symbol: x', name='talib')",
        logging.WARNING,
        "a library it needs is installed but broken: ImportError: undefined symbol: x",
    ),
    "a shared object that is missing": (
        "import ctypes; ctypes.CDLL('libnowhere.so.7')",
        logging.WARNING,
        "a library it needs is installed but broken: OSError",
    ),
    "something this core does not have": (
        "from cambist.api import OracleSpec",
        logging.WARNING,
        "it was written for another Cambist than",
    ),
    "a module of its own that is missing": (
        "import acme_lib.parts",
        logging.WARNING,
        "its own module 'acme_lib.parts' does not exist",
    ),
    "a file of its own that is missing": ("open('/nowhere/acme.toml')", logging.ERROR, "FileNotFoundError"),
    "a defect": ("1 / 0", logging.ERROR, "ZeroDivisionError"),
}


@pytest.mark.parametrize(("code", "level", "error"), IMPORTS.values(), ids=IMPORTS)
def test_the_log_is_as_loud_as_the_fault_is_serious(site, caplog, code, level, error):
    site.install("lib", code)
    with caplog.at_level(logging.DEBUG, logger="cambist.plugins"):
        status = site.status("lib")
    assert error in status.error
    (record,) = [one for one in caplog.records if "'lib'" in one.getMessage()]
    assert record.levelno == level
    assert record.getMessage() == f"plugin 'lib' (acme-lib 1.0) is left out: {status.error}"


def test_an_entry_point_to_a_module_that_is_not_there(site):
    site.install("lost", "", value="acme_lost.plugin_that_is_not_there")
    assert "its own module 'acme_lost.plugin_that_is_not_there' does not exist" in site.status("lost").error


def test_damaged_metadata_of_one_distribution_hides_no_other(site, good, caplog):
    site.install("good", good)
    site.install("damaged", good)
    (site.folder / "acme_damaged-1.0.dist-info" / "entry_points.txt").write_text("[cambist.v1]\nno equals sign\n")
    registry = site.discover(CAMBIST_PLUGINS="good")
    assert "tide" in registry.feeds()
    assert "the metadata of acme-damaged cannot be read" in caplog.text


def test_a_version_that_the_metadata_do_not_tell_is_unknown(site, good):
    site.install("good", good)
    (site.folder / "acme_good-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-good\n")
    assert (site.status("good").state, site.status("good").version) == ("active", "unknown")
