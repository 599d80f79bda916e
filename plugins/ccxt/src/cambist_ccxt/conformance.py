"""What `cambist plugins check ccxt` runs: ccxt's own classes against the exchange simulator, which it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from cambist.testing import PluginTests, SessionTests
from cambist_ccxt.session import CcxtSession, open_ccxt
from cambist_simulator import ExchangeSimulator, spoil_order

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TestPlugin", "TestSpot", "TestUsdM"]


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_ccxt.plugin"


class _OnSimulator(SessionTests):
    within = 15.0
    plays: ClassVar[str]
    exchange: ClassVar[str]
    options: ClassVar[dict[str, Any]]

    @pytest.fixture(autouse=True)
    def venue(self) -> Iterator[None]:
        """Run an exchange that speaks the words of one that ccxt knows."""
        with ExchangeSimulator("binance", symbols=[self.plays], seed=7, history=60, cash=20_000) as simulator:
            self.simulator = simulator
            self.key = simulator.credentials()
            self.secret = self.key.secret
            yield

    def make_session(self) -> CcxtSession:
        """Make a session that is not yet open."""
        base = self.simulator.url
        urls = {"public": f"{base}/api/v3", "private": f"{base}/api/v3", "sapi": f"{base}/sapi/v1"}
        for letter in "fd":
            for part in ("Public", "Private"):
                urls[f"{letter}api{part}"] = f"{base}/{letter}api/v1"
                urls |= {f"{letter}api{part}V{number}": f"{base}/{letter}api/v{number}" for number in (2, 3)}
        return open_ccxt(
            exchange=self.exchange,
            key=self.key.key,
            secret=self.key.secret,
            urls=urls,
            options=self.options,
            timeout=2.0,
            poll_every=0.2,
        )

    def spoil(self, how: str, *, arrived: bool) -> None:
        """Let the next order end without a usable answer."""
        spoil_order(self.simulator, how, arrived=arrived)


class TestSpot(_OnSimulator):
    """Spot."""

    plays = "BTCUSDT"
    exchange = "binance"
    options: ClassVar[dict[str, Any]] = {
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
    }


class TestUsdM(_OnSimulator):
    """Perpetuals settled in USDT."""

    plays = "BTCUSDT:linear"
    symbol = "BTC/USDT:USDT"
    exchange = "binanceusdm"
    options: ClassVar[dict[str, Any]] = {"fetchCurrencies": False}
