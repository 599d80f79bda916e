"""The sessions pass the suite that ships with Cambist, against the exchange simulator over real sockets."""

from __future__ import annotations

from typing import ClassVar

import pytest

from cambist.testing import FeedTests, SessionTests
from cambist_binance.session import open_coinm, open_spot, open_usdm
from cambist_simulator import ExchangeSimulator


class OnSimulator(SessionTests):
    """What the three markets share."""

    within = 10.0
    plays: ClassVar[str]
    transport: ClassVar[str] = "websocket"
    cash: ClassVar[int] = 20_000

    @pytest.fixture(autouse=True)
    def _simulator(self):
        with ExchangeSimulator("binance", symbols=[self.plays], seed=7, history=60, cash=self.cash) as simulator:
            self.simulator = simulator
            self.key = simulator.credentials()
            self.secret = self.key.secret
            yield

    def make_session(self):
        made = {"spot": open_spot, "linear": open_usdm, "inverse": open_coinm}[self.plays.partition(":")[2] or "spot"]
        return made(
            url=self.simulator.url, key=self.key.key, secret=self.key.secret, timeout=2.0, transport=self.transport
        )

    def spoil(self, how, *, arrived):
        if self.transport == "websocket" and how in {"server_error", "rate_limit"}:
            pytest.skip("the simulator says this over HTTP alone; test_binance_outcomes has the frames")
        stage = "after" if arrived else "before"
        settings = {"label": "order.place", "nth": 1}
        if how == "timeout":
            self.simulator.add_fault("timeout", stage=stage, **settings)
        elif how == "cut":
            self.simulator.add_fault("reset", stage=stage, **settings)
        elif how == "server_error":
            self.simulator.add_fault("http_error", status=503, stage=stage, **settings)
        elif how == "garbled":
            self.simulator.add_fault("not_json", stage=stage, **settings)
        else:
            self.simulator.add_fault("rate_limit", retry_after=1, **settings)

    def cut_private(self):
        stream = "*ws-api*" if self.plays == "BTCUSDT" else "*listenKey*"
        if self.plays.endswith("inverse"):
            stream = "*dstream*"
        self.simulator.add_fault("disconnect", at=0, stream=stream, code=1006)


class TestSpot(OnSimulator):
    plays = "BTCUSDT"


class TestSpotOverRest(OnSimulator):
    plays = "BTCUSDT"
    transport = "rest"


class TestUsdM(OnSimulator):
    plays = "BTCUSDT:linear"
    symbol = "BTC/USDT:USDT"


class TestUsdMOverRest(TestUsdM):
    transport = "rest"


class TestCoinM(OnSimulator):
    plays = "BTCUSD_PERP:inverse"
    symbol = "BTC/USD:BTC"
    size = 10.0


class TestCoinMOverRest(TestCoinM):
    transport = "rest"


@pytest.mark.parametrize(
    ("plays", "opens", "symbol"),
    [
        ("BTCUSDT", open_spot, "BTC/USDT"),
        ("BTCUSDT:linear", open_usdm, "BTC/USDT:USDT"),
        ("BTCUSD_PERP:inverse", open_coinm, "BTC/USD:BTC"),
    ],
)
@pytest.mark.parametrize("test", [name for name in dir(FeedTests) if name.startswith("test_")])
def test_market_data_needs_no_key(plays, opens, symbol, test):
    class Keyless(FeedTests):
        trades = False

        def make_session(self):
            return opens(url=simulator.url)

    Keyless.symbol = symbol
    with ExchangeSimulator("binance", symbols=[plays], seed=7, history=60) as simulator:
        getattr(Keyless(), test)()
