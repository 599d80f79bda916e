"""Faults as a client of Binance suffers them, over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from itertools import pairwise
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cambist_simulator import ExchangeSimulator

START = 1_760_000_000_000_000_000
ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}


class Client:
    """A client over the wire."""

    def __init__(self, sim):
        self.sim = sim
        self.keys = sim.credentials()
        self.headers = {}

    def signed(self, **params):
        params["timestamp"] = self.sim.time()["server"] // 1_000_000
        text = urlencode(params)
        return f"{text}&signature={hmac.new(self.keys.secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"

    def ask(self, method, path, *, sign=True, **params):
        query = self.signed(**params) if sign else urlencode(params)
        request = Request(f"{self.sim.url}{path}?{query}", method=method, headers={"X-MBX-APIKEY": self.keys.key})
        try:
            with urlopen(request, timeout=5) as answer:
                self.headers = answer.headers
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            self.headers = error.headers
            return error.code, json.loads(error.read())

    def open(self, path):
        return connect(self.sim.url.replace("http", "ws") + path, close_timeout=1)


@pytest.fixture
def sim():
    symbols = ["BTCUSDT", "BTCUSDT:linear"]
    with ExchangeSimulator("binance", symbols=symbols, start=START, frozen=True, speed=0, seed=5) as simulator:
        simulator.step("1s")
        yield simulator
        assert simulator.state()["counts"].get("errors", 0) == 0


@pytest.fixture
def client(sim):
    return Client(sim)


def read(socket):
    return json.loads(socket.recv(timeout=5))


@pytest.mark.parametrize(("stage", "orders"), [("before", 0), ("after", 1)])
def test_an_error_leaves_it_open_whether_the_order_was_taken(sim, client, stage, orders):
    sim.add_fault("http_error", label="order.place", nth=1, stage=stage, status=504)
    status, answer = client.ask("POST", "/api/v3/order", **ORDER, newClientOrderId="mine")
    assert (status, answer["code"]) == (504, -1007)
    assert len(sim.orders()) == orders
    status, answer = client.ask("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (status, answer.get("code")) == ((400, -2013) if stage == "before" else (200, None))


def test_a_rate_limit_is_told_in_the_venues_words(sim, client):
    sim.add_fault("rate_limit", label="order.*", nth=1, retry_after=7)
    status, answer = client.ask("POST", "/api/v3/order", **ORDER)
    assert (status, answer["code"], client.headers["Retry-After"]) == (429, -1003, "7")
    sim.add_fault("rate_limit", label="klines", nth=1, status=418)
    status, answer = client.ask("GET", "/api/v3/klines", sign=False, symbol="BTCUSDT", interval="1m")
    assert status == 418
    assert "IP banned until" in answer["msg"]


def test_a_lost_update_shows_as_a_gap(sim, client):
    with client.open("/stream.binance.com/ws/btcusdt@depth@100ms") as socket:
        sim.step("1s")
        sim.add_fault("sequence_gap", nth=3)
        sim.step("1s")
        updates = [read(socket)]
        while updates[-1]["E"] < sim.time()["market"] // 1_000_000 - 300:
            updates.append(read(socket))
        gaps = [two["U"] - one["u"] - 1 for one, two in pairwise(updates) if two["U"] != one["u"] + 1]
        assert len(gaps) == 1


def test_an_order_that_nobody_finds_for_a_while(sim, client):
    sim.add_fault("late_visibility", label="order.place", nth=1, for_="2s")
    assert client.ask("POST", "/api/v3/order", **ORDER, newClientOrderId="mine")[0] == 200
    ask = ("GET", "/api/v3/order")
    assert client.ask(*ask, symbol="BTCUSDT", origClientOrderId="mine")[1]["code"] == -2013
    assert client.ask("GET", "/api/v3/openOrders", symbol="BTCUSDT") == (200, [])
    sim.step("3s")
    assert client.ask(*ask, symbol="BTCUSDT", origClientOrderId="mine")[0] == 200


def test_listen_keys_expire_when_they_are_told_to(sim, client):
    key = client.ask("POST", "/fapi/v1/listenKey", sign=False)[1]["listenKey"]
    with client.open(f"/private/ws?listenKey={key}") as socket:
        sim.add_fault("expire_listen_keys")
        assert read(socket) == {"e": "listenKeyExpired", "E": sim.time()["server"] // 1_000_000, "listenKey": key}
    assert client.ask("PUT", "/fapi/v1/listenKey", sign=False)[1]["code"] == -1125


def test_user_streams_are_ended_and_shutdowns_announced(sim, client):
    with client.open("/ws-api/v3") as socket:
        params = dict(pair.split("=") for pair in client.signed(apiKey=client.keys.key).split("&"))
        socket.send(json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params}))
        assert read(socket)["result"] == {"subscriptionId": 0}
        sim.add_fault("end_user_streams")
        assert read(socket)["event"]["e"] == "eventStreamTerminated"
    with client.open("/stream?streams=btcusdt@trade") as socket:
        time.sleep(0.05)
        sim.add_fault("announce_shutdown")
        told = read(socket)
        while told["stream"] != "!serverShutdown":
            told = read(socket)
        assert told["data"]["e"] == "serverShutdown"


def test_a_day_is_the_life_of_a_connection(sim, client):
    with client.open("/stream.binance.com/ws") as socket:
        sim.shift("23h")
        sim.step("1s")
        assert len(sim.connections()) == 1
        sim.shift("1h")
        sim.step("1s")
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


def test_a_fill_comes_before_the_answer_and_a_lost_one_never(sim, client):
    with client.open("/ws-api/v3") as socket:
        params = dict(pair.split("=") for pair in client.signed(apiKey=client.keys.key).split("&"))
        socket.send(json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params}))
        read(socket)
        sim.add_fault("fill_before_ack", label="order.place", nth=1)
        client.ask("POST", "/api/v3/order", **ORDER)
        assert sim.orders()[0].status == "filled"
        seen = [read(socket)["event"] for _ in range(4)]
        assert [one.get("X") for one in seen if one["e"] == "executionReport"] == ["NEW", "FILLED"]
        sim.add_fault("lost_fill", count=1)
        client.ask("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
        events = [read(socket)["event"] for _ in range(2)]
        assert [one["e"] for one in events] == ["executionReport", "outboundAccountPosition"]
        assert events[0]["x"] == "NEW"
