"""What `cambist plugins check binance` runs: the suites, against the exchange simulator over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from cambist.testing import FeedTests, MarginTests, PluginTests, SessionTests
from cambist_binance.session import BinanceSession, open_coinm, open_spot, open_usdm
from cambist_simulator import ExchangeSimulator, spoil_order

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "TestCoinM",
    "TestCoinMIsolated",
    "TestCoinMOverRest",
    "TestCoinMWithoutKey",
    "TestPlugin",
    "TestSpot",
    "TestSpotOverRest",
    "TestSpotWithoutKey",
    "TestUsdM",
    "TestUsdMIsolated",
    "TestUsdMOverRest",
    "TestUsdMWithoutKey",
]

_OPENS = {"spot": open_spot, "linear": open_usdm, "inverse": open_coinm}


class TestPlugin(PluginTests):
    """The module that cambist imports."""

    module = "cambist_binance.plugin"


class _OnSimulator(MarginTests):
    """What the three markets share."""

    within = 10.0
    plays: ClassVar[str]
    transport: ClassVar[str] = "websocket"

    @pytest.fixture(autouse=True)
    def venue(self) -> Iterator[None]:
        """Run an exchange."""
        with ExchangeSimulator("binance", symbols=[self.plays], seed=7, history=60, cash=20_000) as simulator:
            self.simulator = simulator
            self.key = simulator.credentials()
            self.secret = self.key.secret
            yield

    def make_session(self) -> BinanceSession:
        """Make a session that is not yet open."""
        opens = _OPENS[self.plays.partition(":")[2] or "spot"]
        key = self.key
        return opens(url=self.simulator.url, key=key.key, secret=key.secret, timeout=2.0, transport=self.transport)

    def spoil(self, how: str, *, arrived: bool) -> None:
        """Let the next order end without a usable answer."""
        if self.transport == "websocket" and how in {"server_error", "rate_limit"}:
            pytest.skip("the simulator says this over HTTP alone; test_binance_outcomes has the frames")
        spoil_order(self.simulator, how, arrived=arrived)

    def cut_private(self) -> None:
        """Cut the connection that the account's events come by."""
        stream = "*ws-api*" if self.plays == "BTCUSDT" else "*listenKey*"
        if self.plays.endswith("inverse"):
            stream = "*dstream*"
        self.simulator.add_fault("disconnect", at=0, stream=stream, code=1006)


class TestSpot(_OnSimulator, SessionTests):
    """Spot, orders over the WebSocket API."""

    plays = "BTCUSDT"


class TestSpotOverRest(TestSpot):
    """The same, orders over REST."""

    transport = "rest"


class TestUsdM(_OnSimulator, SessionTests):
    """Futures settled in stable coins, orders over the WebSocket API."""

    plays = "BTCUSDT:linear"
    symbol = "BTC/USDT:USDT"


class TestUsdMOverRest(TestUsdM):
    """The same, orders over REST."""

    transport = "rest"


class TestCoinM(_OnSimulator, SessionTests):
    """Futures settled in the coin, orders over the WebSocket API."""

    plays = "BTCUSD_PERP:inverse"
    symbol = "BTC/USD:BTC"
    size = 10.0


class TestCoinMOverRest(TestCoinM):
    """The same, orders over REST."""

    transport = "rest"


class _Isolated(_OnSimulator):
    """Each position has margin of its own."""

    exchange: ClassVar[str]

    def make_session(self) -> BinanceSession:
        """Make a session that is not yet open."""
        symbol = self.plays.partition(":")[0]

        def isolate(venue: Any) -> None:
            venue.exchanges[self.exchange].set_margin_type(venue.user(None), symbol, isolated=True)

        self.simulator.call(isolate)
        return super().make_session()


class TestUsdMIsolated(_Isolated):
    """Futures settled in stable coins."""

    plays, exchange, symbol = "BTCUSDT:linear", "binance-usdm", "BTC/USDT:USDT"


class TestCoinMIsolated(_Isolated):
    """Futures settled in the coin."""

    plays, exchange, symbol = "BTCUSD_PERP:inverse", "binance-coinm", "BTC/USD:BTC"
    size, added = 10.0, 0.002


class _WithoutKey(FeedTests):
    """Market data needs no key."""

    trades = False
    plays: ClassVar[str]

    @pytest.fixture(autouse=True)
    def venue(self) -> Iterator[None]:
        """Run an exchange."""
        with ExchangeSimulator("binance", symbols=[self.plays], seed=7, history=60) as simulator:
            self.simulator = simulator
            yield

    def make_session(self) -> BinanceSession:
        """Make a session that is not yet open."""
        return _OPENS[self.plays.partition(":")[2] or "spot"](url=self.simulator.url)


class TestSpotWithoutKey(_WithoutKey):
    """Spot."""

    plays = "BTCUSDT"


class TestUsdMWithoutKey(_WithoutKey):
    """Futures settled in stable coins."""

    plays = "BTCUSDT:linear"
    symbol = "BTC/USDT:USDT"


class TestCoinMWithoutKey(_WithoutKey):
    """Futures settled in the coin."""

    plays = "BTCUSD_PERP:inverse"
    symbol = "BTC/USD:BTC"
