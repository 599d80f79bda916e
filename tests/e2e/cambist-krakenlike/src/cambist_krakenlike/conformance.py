"""What `cambist plugins check` runs."""

from __future__ import annotations

import pytest

from cambist.testing import PluginTests, SessionTests
from cambist_krakenlike.session import KrakenlikeSession
from cambist_simulator import ExchangeSimulator, spoil_order


class TestPlugin(PluginTests):
    module = "cambist_krakenlike.plugin"


class TestKrakenlike(SessionTests):
    symbol = "BTC/USD"
    within = 0.5

    @pytest.fixture(autouse=True)
    def exchange(self):
        playing = {"symbols": ["XBTUSD"], "seed": 11, "history": 60, "speed": 60, "cash": 20_000}
        with ExchangeSimulator("generic", **playing) as self.simulator:
            self.key = self.simulator.credentials()
            self.secret = self.key.secret
            yield

    def make_session(self):
        return KrakenlikeSession(self.simulator.url, self.key.key, self.key.secret, timeout=1.0)

    def spoil(self, how, *, arrived):
        spoil_order(self.simulator, how, arrived=arrived)

    def cut_private(self):
        self.simulator.add_fault("disconnect", at=0, stream="*stream*", code=1006)
