"""What `cambist plugins check yahoo` runs: the suites of cambist on this plugin. Nothing asks the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yfinance
from yfinance.exceptions import YFPricesMissingError

from cambist.testing import HistoryTests, PluginTests
from cambist_yahoo.feed import open_yahoo

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.api import HistorySource

__all__ = ["TestPlugin", "TestYahoo"]


class _Ticker:
    """Answers as yfinance does, with made-up days; of one name it knows nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def history(self, **question: Any) -> pd.DataFrame:
        """Return a table as `yfinance.Ticker.history` does."""
        if self.name == "NOTHING":
            raise YFPricesMissingError(self.name, f"{question}")
        days = pd.bdate_range("2024-01-02", periods=150, tz="America/New_York")
        rows = np.arange(1.0, 151.0)[:, None] + [0, 1, -0.5, 0.5, 1000]
        return pd.DataFrame(rows, index=days, columns=["Open", "High", "Low", "Close", "Volume"])


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_yahoo.plugin"


class TestYahoo(HistoryTests):
    """The feed, over a client that answers as the service was recorded."""

    @pytest.fixture(autouse=True)
    def client(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the answers in the service's place."""
        monkeypatch.setattr(yfinance, "Ticker", _Ticker)

    @pytest.fixture
    def open_feed(self) -> Callable[[], HistorySource]:
        """Return what opens a stock."""
        return lambda: open_yahoo("AAPL")

    @pytest.fixture
    def open_nothing(self) -> Callable[[], HistorySource]:
        """Return what opens one of which the service knows nothing."""
        return lambda: open_yahoo("NOTHING")
