"""What `cambist plugins check report` runs: what shows a run has no suite beyond that of every plugin."""

from __future__ import annotations

from cambist.testing import PluginTests

__all__ = ["TestPlugin"]


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_report.plugin"
