"""What `cambist plugins check samples` runs: the suites of cambist on this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cambist.testing import HistoryTests, PluginTests
from cambist_samples.feed import open_feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist_samples.feed import SampleHistory

__all__ = ["TestPlugin", "TestSamples"]


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_samples.plugin"


class TestSamples(HistoryTests):
    """The feed, on a series with defects that it repairs; packages carry the bars."""

    @pytest.fixture
    def open_feed(self) -> Callable[[], SampleHistory]:
        """Return what opens a series."""
        return lambda: open_feed("BTC-USD-1d")

    @pytest.fixture
    def open_nothing(self) -> Callable[[], SampleHistory]:
        """Return what opens one that there is not."""
        return lambda: open_feed("NO-SUCH-SERIES")
