"""What `cambist plugins check optimize` runs: a command has no suite beyond that of every plugin."""

from __future__ import annotations

from cambist.testing import PluginTests

__all__ = ["TestPlugin"]


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_optimize.plugin"
