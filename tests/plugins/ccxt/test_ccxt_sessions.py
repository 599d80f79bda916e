"""The session for any exchange passes the suite that ships with Cambist: ccxt's own classes against the simulator."""

from __future__ import annotations

from typing import ClassVar

import pytest

from cambist.testing import SessionTests
from cambist_ccxt.session import open_ccxt
from cambist_simulator import ExchangeSimulator


class OnSimulator(SessionTests):
    within = 15.0
    plays: ClassVar[str]
    exchange: ClassVar[str]
    options: ClassVar[dict]

    @pytest.fixture(autouse=True)
    def _simulator(self):
        with ExchangeSimulator("binance", symbols=[self.plays], seed=7, history=60, cash=20_000) as simulator:
            self.simulator = simulator
            self.key = simulator.credentials()
            self.secret = self.key.secret
            yield

    def make_session(self):
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

    def spoil(self, how, *, arrived):
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


class TestSpot(OnSimulator):
    plays = "BTCUSDT"
    exchange = "binance"
    options: ClassVar = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}


class TestUsdM(OnSimulator):
    plays = "BTCUSDT:linear"
    symbol = "BTC/USDT:USDT"
    exchange = "binanceusdm"
    options: ClassVar = {"fetchCurrencies": False}
