"""The paper session passes the suite of live venues: its simulated venue, in a market of the exchange simulator."""

from __future__ import annotations

from typing import ClassVar

import pytest

from cambist.live.paper import PaperSession, PaperSettings
from cambist.model import Margin
from cambist.storage.journal import Journal
from cambist.testing import FeedTests, MarginTests, SessionTests
from cambist_binance.session import open_spot, open_usdm
from cambist_simulator import ExchangeSimulator


class OnPaper(SessionTests):
    within = 10.0
    shares_account = False
    plays: ClassVar[str] = "BTCUSDT"
    match_by: ClassVar[tuple[str, ...] | None] = ("quotes",)
    speed: ClassVar[int] = 20
    settings: ClassVar[dict] = {}

    @pytest.fixture(autouse=True)
    def _market(self, tmp_path):
        self.folder = tmp_path
        with ExchangeSimulator("binance", symbols=[self.plays], seed=7, history=60, speed=self.speed) as simulator:
            self.simulator = simulator
            yield

    def make_session(self):
        opens = open_usdm if self.plays.endswith("linear") else open_spot
        settings = PaperSettings(cash=20_000.0, match_by=self.match_by, **self.settings)
        market = opens(url=self.simulator.url)
        return PaperSession(market, [(self.symbol, "1m")], settings, Journal(self.folder / "journal"))


class TestBook(OnPaper):
    match_by = ("book", "ticks")


class TestBars(OnPaper):
    match_by = None
    speed = 60


class TestLinear(OnPaper):
    plays = "BTCUSDT:linear"
    symbol = "BTC/USDT:USDT"
    settings: ClassVar[dict] = {"margin": Margin(leverage=10)}


class TestIsolated(TestLinear, MarginTests):
    settings: ClassVar[dict] = {"margin": Margin(mode="isolated", leverage=10)}


@pytest.mark.parametrize("test", [name for name in dir(FeedTests) if name.startswith("test_")])
def test_what_orders_meet_is_shown(tmp_path, test):
    class Feed(OnPaper, FeedTests):
        trades = True

    suite = Feed()
    suite.folder = tmp_path
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, speed=20) as suite.simulator:
        getattr(suite, test)()
