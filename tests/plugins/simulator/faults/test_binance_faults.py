"""Faults before the dialect of a real venue: its own words, its own streams."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from decimal import Decimal
from http.client import HTTPConnection
from itertools import pairwise
from urllib.parse import urlencode, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cambist_simulator import ExchangeSimulator

BTC = "BTCUSDT"
START = 1_704_067_200_000_000_000


@pytest.fixture
def sim():
    settings = {"symbols": [BTC, f"{BTC}:linear"], "start": START, "frozen": True, "speed": 0, "seed": 5}
    with ExchangeSimulator("binance", **settings) as simulator:
        simulator.step("1s")
        yield simulator
        assert simulator.state()["counts"].get("errors", 0) == 0


def ask(sim, method, path, *, signed=True, **params):
    who = sim.credentials()
    if signed:
        params["timestamp"] = sim.time()["server"] // 1_000_000
    query = urlencode(params)
    if signed:
        query += "&signature=" + hmac.new(who.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    parts = urlsplit(sim.url)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        connection.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": who.key})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def place(sim, path="/api/v3/order", **more):
    price = sim.price(BTC)["bid"] - Decimal(100)
    terms = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": price}
    return ask(sim, "POST", path, **(terms | more))


@contextlib.contextmanager
def stream(sim, path):
    with connect(sim.url.replace("http", "ws") + path, compression=None) as ws:
        yield ws


def until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.002)


def test_an_error_after_the_order_was_accepted_reads_like_the_venue(sim):
    sim.add_fault("http_error", label="order.place", symbol=BTC, user="trader", nth=1, stage="after", status=503)
    status, _, body = place(sim)
    assert status == 503
    assert json.loads(body)["code"] < 0
    assert len(sim.orders()) == 1
    assert place(sim)[0] == 200


def test_a_ban_has_its_header(sim):
    sim.add_fault("rate_limit", label="order.place", status=418, retry_after="2m", count=1)
    status, headers, _ = place(sim)
    assert (status, headers["Retry-After"]) == (418, "120")
    assert not sim.orders()


def test_late_visibility_is_the_venues_unknown_order(sim):
    sim.add_fault("late_visibility", nth=1, for_="2s")
    number = json.loads(place(sim)[2])["orderId"]
    status, _, body = ask(sim, "GET", "/api/v3/order", symbol=BTC, orderId=number)
    assert (status, json.loads(body)["code"]) == (400, -2013)
    sim.step("2s")
    assert ask(sim, "GET", "/api/v3/order", symbol=BTC, orderId=number)[0] == 200


def test_a_fill_during_a_cancel_is_an_unknown_order_to_the_cancel(sim):
    number = json.loads(place(sim)[2])["orderId"]
    sim.add_fault("fill_during_cancel", nth=1)
    status, _, body = ask(sim, "DELETE", "/api/v3/order", symbol=BTC, orderId=number)
    assert (status, json.loads(body)["code"]) == (400, -2011)
    status, _, body = ask(sim, "GET", "/api/v3/order", symbol=BTC, orderId=number)
    assert json.loads(body)["status"] == "FILLED"


def test_a_gap_in_the_depth_stream_shows_in_its_numbers(sim):
    with stream(sim, "/ws/btcusdt@depth@100ms") as ws:
        sim.add_fault("sequence_gap", symbol=BTC, nth=3, frames=2)
        sim.step("2s")
        seen = [json.loads(ws.recv(timeout=5)) for _ in range(6)]
        gaps = [later["U"] - earlier["u"] for earlier, later in pairwise(seen)]
        assert gaps[0] == 1
        assert gaps[1] > 1
        assert set(gaps[2:]) == {1}


def test_a_subscription_is_acknowledged_and_stays_silent(sim):
    with stream(sim, "/ws") as ws:
        sim.add_fault("silent_subscription", nth=1)
        ws.send(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}))
        assert json.loads(ws.recv(timeout=5)) == {"result": None, "id": 1}
        sim.step("5s")
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.2)


def test_listen_keys_expire(sim):
    key = json.loads(ask(sim, "POST", "/fapi/v1/listenKey", signed=False)[2])["listenKey"]
    with stream(sim, f"/private/ws?listenKey={key}") as ws:
        sim.add_fault("expire_listen_keys", user="trader")
        until(sim.fired)
        assert sim.fired()[0].note == "binance"
        assert json.loads(ws.recv(timeout=5))["e"] == "listenKeyExpired"


def test_a_fill_that_the_user_stream_never_tells(sim):
    key = json.loads(ask(sim, "POST", "/fapi/v1/listenKey", signed=False)[2])["listenKey"]
    with stream(sim, f"/private/ws?listenKey={key}") as ws:
        sim.add_fault("lost_fill", user="trader")
        terms = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        assert ask(sim, "POST", "/fapi/v1/order", **terms)[0] == 200
        sim.step("1s")
        heard = []
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            while True:
                heard.append(json.loads(ws.recv(timeout=0.3)))
        orders = [one["o"]["x"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
        assert orders == ["NEW"]
        assert any(one["e"] == "ACCOUNT_UPDATE" for one in heard)


def test_a_liquidation_on_usd_m(sim):
    assert ask(sim, "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="MARKET", quantity="0.01")[0] == 200
    sim.add_fault("liquidation", user="trader", symbol=BTC, label="order.place", nth=1, path="/fapi/*")
    assert ask(sim, "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="MARKET", quantity="0.01")[0] == 200
    until(sim.fired)
    assert json.loads(ask(sim, "GET", "/fapi/v3/positionRisk")[2]) == []


def test_a_symbol_of_one_segment_is_halted_and_the_other_is_not(sim):
    sim.add_fault("halt", symbol=f"{BTC}:linear")
    until(sim.fired)
    assert place(sim)[0] == 200
    status, _, body = ask(sim, "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="MARKET", quantity="0.01")
    assert status == 400
    assert json.loads(body)["code"] < 0


@pytest.mark.parametrize(("stage", "orders"), [("before", 0), ("after", 1)])
def test_an_order_over_the_websocket_api_is_never_answered(sim, stage, orders):
    sim.add_fault("timeout", label="order.place", nth=1, stage=stage)
    price = str(sim.price(BTC)["bid"] - Decimal(100))
    with stream(sim, "/ws-api/v3") as ws:
        for number in (1, 2):
            who = sim.credentials()
            params = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
            params |= {"price": price, "apiKey": who.key, "timestamp": sim.time()["server"] // 1_000_000}
            text = "&".join(f"{name}={params[name]}" for name in sorted(params))
            params["signature"] = hmac.new(who.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
            ws.send(json.dumps({"id": number, "method": "order.place", "params": params}))
        answer = json.loads(ws.recv(timeout=5))
        assert (answer["id"], answer["status"]) == (2, 200)
    assert len(sim.orders()) == orders + 1
