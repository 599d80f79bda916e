"""What `cambist plugins check akshare` runs: the suites of cambist on this plugin. Nothing asks the service."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cambist.testing import HistoryTests, PluginTests
from cambist_akshare.feed import open_akshare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.api import HistorySource

__all__ = ["TestAkshare", "TestPlugin"]

_FIRST = date(2023, 9, 1)


class _Answer:
    """An answer as AkShare reads it: days of a stock, or nothing."""

    def __init__(self, url: str, params: Mapping[str, Any] | None = None, **_: Any) -> None:
        del url
        code = str((params or {}).get("secid", "")).partition(".")[2]
        days = [_FIRST + timedelta(days=number) for number in range(150)] if code == "600000" else []
        rows = [f"{day},7.10,7.{10 + n % 9},7.20,7.05,2356,1680.0,2.1,0.7,0.05,0.08" for n, day in enumerate(days)]
        self.text = json.dumps({"rc": 0, "data": {"code": code, "klines": rows} if rows else None})

    def json(self) -> Any:
        """Return what it holds."""
        return json.loads(self.text)


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_akshare.plugin"


# AkShare's functions call pandas in ways that its newest version warns of.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
class TestAkshare(HistoryTests):
    """The feed, over answers in the form of the service's."""

    @pytest.fixture(autouse=True)
    def client(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the answers in the service's place."""
        monkeypatch.setattr(requests, "get", _Answer)

    @pytest.fixture
    def open_feed(self) -> Callable[[], HistorySource]:
        """Return what opens a stock."""
        return lambda: open_akshare("stock:600000")

    @pytest.fixture
    def open_nothing(self) -> Callable[[], HistorySource]:
        """Return what opens one of which the service knows nothing."""
        return lambda: open_akshare("stock:999999")
