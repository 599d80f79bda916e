"""Throw-away distributions: a module and its metadata in a folder on ``sys.path``, as an installer leaves them."""

from __future__ import annotations

import importlib
import sys
from textwrap import dedent

import pytest

from cambist.plugins.registry import Registry


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder):
        self.folder = folder
        self.names = []

    def install(self, name, code, *, group="cambist.v1", version="1.0", value=None, distribution=None, also=()):
        """Install the plugin `name`: module ``acme_<name>`` in the distribution ``acme-<name>``."""
        module = f"acme_{name.replace('-', '_')}"
        distribution = distribution or f"acme-{name}"
        (self.folder / f"{module}.py").write_text(dedent(code), encoding="utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", encoding="utf-8"
        )
        lines = [f"[{one}]\n{name} = {value or module}\n" for one in (group, *also)]
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        self.names.append(name)
        importlib.invalidate_caches()
        return module

    def discover(self, *, strict=False, **environ):
        """Make a registry that sees these distributions, and of the machine's own only the core."""
        return Registry.discover(strict=strict, environ={"CAMBIST_PLUGINS": ",".join(self.names), **environ})

    def status(self, name, **environ):
        (status,) = [one for one in self.discover(**environ).statuses() if one.name == name]
        return status


GOOD = """
    from cambist.api import FeedSpec, NotifierSpec, hookimpl

    @hookimpl
    def cambist_feeds():
        return [FeedSpec(name="tide", factory="acme_good:open_tide", summary="High and low water")]

    @hookimpl
    def cambist_notifiers():
        yield NotifierSpec(name="horn", factory=print)

    def open_tide(source):
        return source
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield Site(folder)
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def good():
    """Code of a plugin that works: a feed ``tide`` and a notifier ``horn``; install it as ``good``."""
    return GOOD
