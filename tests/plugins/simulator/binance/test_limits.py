"""Weights, order counts, bans, and what headers tell of them."""

from __future__ import annotations

import pytest
from venue_box import Box, Segment

from cambist_simulator.dialects.binance import Limit
from cambist_simulator.dialects.binance.errors import ApiError
from cambist_simulator.dialects.binance.limits import Bans, OrderCounts, Weights

MINUTE = Limit(kind="REQUEST_WEIGHT", interval="MINUTE", number=1, most=100)
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


def test_weight_is_counted_by_address_and_minute():
    weights = Weights(MINUTE, Bans())
    assert weights.charge("a", 60, 0) == 60
    assert weights.charge("b", 60, 1) == 60
    with pytest.raises(ApiError) as refused:
        weights.charge("a", 41, 59_000)
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (429, -1003, 1)
    assert "current limit is 100 request weight per 1 MINUTE" in refused.value.text
    assert weights.charge("a", 41, 60_000) == 41


def test_who_goes_on_after_429_is_banned_and_longer_each_time():
    bans = Bans()
    weights = Weights(MINUTE, bans)

    def insist(now):
        for _ in range(200):
            try:
                weights.charge("a", 101, now)
            except ApiError as error:
                if error.status == 418:
                    return error
        raise AssertionError("never banned")

    first = insist(0)
    assert first.retry_after == 120
    assert first.text.startswith("Way too much request weight used; IP banned until 120000.")
    with pytest.raises(ApiError, match="banned until 120000"):
        weights.charge("a", 1, 119_999)
    assert weights.charge("a", 1, 120_000) == 1
    assert insist(180_000).retry_after == 240


def test_orders_are_counted_by_account_in_each_interval():
    counts = OrderCounts(
        (
            Limit(kind="ORDERS", interval="SECOND", number=10, most=2),
            Limit(kind="ORDERS", interval="DAY", number=1, most=3),
        )
    )
    assert counts.charge("u", 1, 0) == [1, 1]
    assert counts.charge("u", 1, 9_999) == [2, 2]
    with pytest.raises(ApiError, match="current limit is 2 orders per 10 SECOND"):
        counts.charge("u", 1, 9_999)
    assert counts.charge("u", 1, 10_000) == [1, 3]
    with pytest.raises(ApiError, match="current limit is 3 orders per 1 DAY"):
        counts.charge("u", 1, 20_000)
    assert counts.counted("u", 86_400_000) == [0, 0]


@pytest.fixture
def box():
    return Box((Segment.SPOT,))


def test_headers_tell_weight_and_order_counts(box):
    client = box.client()
    client.public("/api/v3/klines", symbol="BTCUSDT", interval="1m")
    assert client.headers["x-mbx-used-weight-1m"] == "2"
    client.ok("POST", "/api/v3/order", **ORDER, price="49000")
    # Orders that are taken weigh nothing.
    assert client.headers["x-mbx-used-weight-1m"] == "2"
    assert (client.headers["x-mbx-order-count-10s"], client.headers["x-mbx-order-count-1d"]) == ("1", "1")
    assert client.post("/api/v3/order", **ORDER, price="0.005")[0] == 400
    assert client.headers["x-mbx-used-weight-1m"] == "3"
    assert [one["count"] for one in client.ok("GET", "/api/v3/rateLimit/order")] == [2, 2]


def test_too_much_weight_is_answered_with_429_and_when_to_come_back(box):
    client = box.client()
    assert box.dialect.apply("use_up_weight", {})
    status, answer = client.public("/api/v3/time")
    assert (status, answer["code"]) == (429, -1003)
    wait = int(client.headers["Retry-After"])
    assert 0 < wait <= 60
    box.step(wait * 1_000)
    assert client.public("/api/v3/time")[0] == 200


def test_too_many_orders_are_answered_with_429_without_being_taken():
    box = Box(
        (Segment.SPOT,),
        spot_limits=(
            Limit(kind="REQUEST_WEIGHT", interval="MINUTE", number=1, most=6_000),
            Limit(kind="ORDERS", interval="SECOND", number=10, most=2),
        ),
    )
    client = box.client()
    for price in ("49000", "49001"):
        client.ok("POST", "/api/v3/order", **ORDER, price=price)
    assert client.post("/api/v3/order", **ORDER, price="49002") == (
        429,
        {"code": -1015, "msg": "Too many new orders; current limit is 2 orders per 10 SECOND."},
    )
    assert len(client.ok("GET", "/api/v3/openOrders", symbol="BTCUSDT")) == 2
    # The count is the account's: another key of it does not help, another account does.
    other = box.client(key=box.users.add_key(box.alice))
    assert other.post("/api/v3/order", **ORDER, price="49002")[0] == 429
    box.client(box.user("bob")).ok("POST", "/api/v3/order", **ORDER, price="49002")


def test_a_ban_is_put_on_and_lifted_from_outside(box):
    client = box.client()
    box.dialect.apply("ban", {"ip": "127.0.0.1", "seconds": 30})
    assert client.public("/api/v3/time")[0] == 418
    assert client.headers["Retry-After"] == "30"
    box.dialect.apply("lift_bans", {})
    assert client.public("/api/v3/time")[0] == 200


def test_the_websocket_api_tells_limits_with_each_answer_unless_told_not_to(box):
    client = box.client()
    socket = box.socket("/ws-api/v3")
    answer = socket.say(id=1, method="order.place", params=client.ws_params(**ORDER, price="49000"))[0]
    kinds = [(one["rateLimitType"], one["interval"], one["count"]) for one in answer["rateLimits"]]
    assert kinds == [("ORDERS", "SECOND", 1), ("ORDERS", "DAY", 1), ("REQUEST_WEIGHT", "MINUTE", 0)]
    assert "rateLimits" not in socket.say(id=2, method="time", params={"returnRateLimits": False})[0]
    quiet = box.socket("/ws-api/v3", "returnRateLimits=false")
    assert "rateLimits" not in quiet.say(id=3, method="time")[0]
    assert "rateLimits" in quiet.say(id=4, method="time", params={"returnRateLimits": True})[0]


def test_an_address_may_open_so_many_connections_in_five_minutes():
    box = Box((Segment.SPOT,), connection_limit=2)
    for _ in range(2):
        box.socket("/ws")
    from venue_box import FakeConnection

    refused = box.dialect.connect(FakeConnection("/ws"))
    assert refused.status == 429
    box.step(300_000)
    box.socket("/ws")


def test_a_socket_is_told_when_to_come_back(box):
    socket = box.socket("/ws-api/v3")
    box.dialect.apply("use_up_weight", {})
    answer = socket.say(id=1, method="time")[0]
    assert (answer["status"], answer["error"]["code"]) == (429, -1003)
    assert answer["error"]["data"]["retryAfter"] % 60_000 == 0
    assert answer["error"]["data"]["serverTime"] == box.clock.server.now() // 1_000_000
