"""The WebSocket APIs: requests, log-on, subscriptions to user data."""

from __future__ import annotations

import pytest
from venue_box import Box, Segment

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "49000",
}


@pytest.fixture
def box():
    return Box((Segment.SPOT,))


@pytest.fixture
def logged_on(box):
    """A connection that is logged on, and the client whose key did."""
    client = box.client(key=box.users.add_key(box.alice, kind="ed25519"))
    socket = box.socket("/ws-api/v3")
    answer = socket.say(id=0, method="session.logon", params=client.ws_params())[0]
    assert answer["status"] == 200, answer
    return socket, client


def stamped(box, **params):
    return params | {"timestamp": box.clock.server.now() // 1_000_000}


def test_after_a_log_on_neither_key_nor_signature_is_needed(box, logged_on):
    socket, client = logged_on
    state = socket.say(id=1, method="session.status")[0]["result"]
    assert (state["apiKey"], state["userDataStream"]) == (client.key.key, False)
    placed = socket.say(id=2, method="order.place", params=stamped(box, **LIMIT))[0]["result"]
    assert placed["status"] == "NEW"
    found = stamped(box, symbol="BTCUSDT", orderId=placed["orderId"])
    assert socket.say(id=3, method="order.status", params=found)[0]["result"]["orderId"] == placed["orderId"]
    assert socket.say(id=4, method="order.cancel", params=found)[0]["result"]["status"] == "CANCELED"
    out = socket.say(id=5, method="session.logout")[0]["result"]
    assert (out["apiKey"], out["authorizedSince"]) == (None, None)
    assert socket.say(id=6, method="order.place", params=stamped(box, **LIMIT))[0]["error"]["code"] == -2014


def test_a_key_that_is_switched_off_ends_what_the_log_on_allowed(box, logged_on):
    socket, client = logged_on
    client.key.enabled = False
    answer = socket.say(id=1, method="order.place", params=stamped(box, **LIMIT))[0]
    assert (answer["status"], answer["error"]["code"]) == (401, -2015)


def test_only_ed25519_keys_log_on(box):
    answer = box.socket("/ws-api/v3").say(id=1, method="session.logon", params=box.client().ws_params())[0]
    assert answer["status"] == 400
    assert "Ed25519" in answer["error"]["msg"]


def test_user_data_is_subscribed_to_and_left(box, logged_on):
    socket, _ = logged_on
    assert socket.say(id=1, method="userDataStream.subscribe")[0]["result"] == {"subscriptionId": 0}
    assert socket.say(id=2, method="userDataStream.subscribe")[0]["error"]["code"] == -2035
    assert socket.say(id=3, method="session.subscriptions")[0]["result"] == [{"subscriptionId": 0}]
    said = socket.say(id=4, method="order.place", params=stamped(box, **LIMIT))
    # What a request sets off is told before its answer, and both come over this connection.
    assert [one.get("event", {}).get("e", one.get("id")) for one in said] == [
        "executionReport",
        "outboundAccountPosition",
        4,
    ]
    assert (
        socket.say(id=5, method="userDataStream.unsubscribe", params={"subscriptionId": 7})[0]["error"]["code"] == -2036
    )
    assert socket.say(id=6, method="userDataStream.unsubscribe", params={})[0]["result"] == {}
    assert len(socket.say(id=7, method="order.place", params=stamped(box, **LIMIT))) == 1


def test_several_accounts_are_listened_to_over_one_connection(box):
    alice, bob = box.client(), box.client(box.user("bob"))
    socket = box.socket("/ws-api/v3")
    numbers = [
        socket.say(id=1, method="userDataStream.subscribe.signature", params=one.ws_params())[0]["result"]
        for one in (alice, bob)
    ]
    assert numbers == [{"subscriptionId": 0}, {"subscriptionId": 1}]
    socket.taken()
    bob.ok("POST", "/api/v3/order", **LIMIT)
    assert {one["subscriptionId"] for one in socket.taken()} == {1}


def test_a_stream_that_the_venue_ends_says_so_and_is_silent(box):
    client = box.client()
    socket = box.socket("/ws-api/v3")
    socket.say(id=1, method="userDataStream.subscribe.signature", params=client.ws_params())
    socket.taken()
    box.dialect.apply("end_user_streams", {"user": "nobody"})
    assert socket.taken() == []
    box.dialect.apply("end_user_streams", {"user": box.alice.id})
    assert [one["event"]["e"] for one in socket.taken()] == ["eventStreamTerminated"]
    client.ok("POST", "/api/v3/order", **LIMIT)
    assert socket.taken() == []


@pytest.mark.parametrize(
    ("text", "number", "code"),
    [
        ("nonsense", None, -1135),
        ("[]", None, -1135),
        ('{"id":1}', 1, -1102),
        ('{"id":1,"method":"nope"}', 1, -1100),
        ('{"id":[1],"method":"time"}', None, -1100),
        ('{"id":"a","method":"time","params":[]}', "a", -1135),
        ('{"id":1,"method":"order.place","params":{}}', 1, -2014),
        ('{"id":1,"method":"depth","params":{}}', 1, -1102),
        ('{"id":1,"method":"depth","params":{"symbol":"NOPE"}}', 1, -1121),
        ('{"id":1,"method":"userDataStream.subscribe"}', 1, -1099),
    ],
)
def test_a_request_that_cannot_be_done_is_refused_under_its_number(box, text, number, code):
    (answer,) = box.socket("/ws-api/v3").say_text(text)
    assert (answer["id"], answer["error"]["code"]) == (number, code)
    assert answer["status"] >= 400


def test_numbers_are_signed_as_they_were_written(box):
    client = box.client()
    socket = box.socket("/ws-api/v3")
    # A client that writes 0.010 signs 0.010.
    import json

    from venue_box import sign

    stamp = box.clock.server.now() // 1_000_000
    text = (
        f"apiKey={client.key.key}&price=49000.00&quantity=0.010&side=BUY&symbol=BTCUSDT&timeInForce=GTC"
        f"&timestamp={stamp}&type=LIMIT"
    )
    params = dict(pair.split("=") for pair in text.split("&"))
    body = json.dumps(params | {"signature": sign(client.key, text.encode())})
    body = body.replace('"49000.00"', "49000.00").replace('"0.010"', "0.010").replace(f'"{stamp}"', str(stamp))
    (answer,) = socket.say_text(f'{{"id":1,"method":"order.place","params":{body}}}')
    assert answer["status"] == 200, answer


def test_market_data_is_the_same_as_over_rest(box):
    client = box.client()
    socket = box.socket("/ws-api/v3")
    for method, path, params in (
        ("depth", "depth", {"symbol": "BTCUSDT", "limit": 5}),
        ("trades.recent", "trades", {"symbol": "BTCUSDT"}),
        ("klines", "klines", {"symbol": "BTCUSDT", "interval": "1m"}),
        ("ticker.price", "ticker/price", {"symbol": "BTCUSDT"}),
        ("v3/ticker.book", "ticker/bookTicker", {"symbol": "BTCUSDT"}),
    ):
        assert (
            socket.say(id=1, method=method, params=params)[0]["result"] == client.public(f"/api/v3/{path}", **params)[1]
        )
    exchange = socket.say(id=2, method="exchangeInfo", params={"symbols": ["BTCUSDT"]})[0]["result"]
    assert [one["symbol"] for one in exchange["symbols"]] == ["BTCUSDT"]


def test_lists_replacements_and_amendments_work_over_websockets(box, logged_on):
    socket, _ = logged_on
    placed = socket.say(id=1, method="order.place", params=stamped(box, **LIMIT))[0]["result"]
    amend = stamped(box, symbol="BTCUSDT", orderId=placed["orderId"], newQty="0.005")
    assert (
        socket.say(id=2, method="order.amend.keepPriority", params=amend)[0]["result"]["amendedOrder"]["qty"]
        == "0.00500000"
    )
    replace = stamped(box, **LIMIT, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=placed["orderId"])
    assert socket.say(id=3, method="order.cancelReplace", params=replace)[0]["result"]["cancelResult"] == "SUCCESS"
    twice = socket.say(id=4, method="order.cancelReplace", params=replace)[0]
    assert (twice["status"], twice["error"]["code"]) == (400, -2022)
    oco = stamped(
        box,
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="51000",
        belowType="STOP_LOSS",
        belowStopPrice="48000",
    )
    made = socket.say(id=5, method="orderList.place.oco", params=oco)[0]["result"]
    assert made["contingencyType"] == "OCO"
    gone = socket.say(id=6, method="openOrders.cancelAll", params=stamped(box, symbol="BTCUSDT"))[0]["result"]
    assert len(gone) == 2


@pytest.mark.parametrize(
    ("segment", "path", "symbol", "size"),
    [(Segment.LINEAR, "/ws-fapi/v1", "BTCUSDT", "0.010"), (Segment.INVERSE, "/ws-dapi/v1", "BTCUSD_PERP", "5")],
)
def test_futures_trade_over_websockets(segment, path, symbol, size):
    box = Box((segment,))
    client = box.client()
    socket = box.socket(path)

    def ask(method, **params):
        answer = socket.say(id=1, method=method, params=client.ws_params(**params))[0]
        assert answer["status"] == 200, answer
        return answer["result"]

    order = ask("order.place", symbol=symbol, side="BUY", type="LIMIT", timeInForce="GTC", quantity=size, price="49000")
    number = {"symbol": symbol, "orderId": order["orderId"]}
    assert ask("order.modify", **number, side="BUY", quantity=size, price="49001")["orderId"] == order["orderId"]
    assert ask("order.status", **number)["avgPrice"]
    assert ask("order.cancel", **number)["status"] == "CANCELED"
    ask("order.place", symbol=symbol, side="BUY", type="MARKET", quantity=size)
    assert ask("account.position", symbol=symbol)[0]["symbol"] == symbol
    assert ask("v2/account.balance")[0]["accountAlias"]
    algo = {"algoType": "CONDITIONAL", "symbol": symbol, "side": "SELL", "type": "STOP_MARKET", "quantity": size}
    waits = ask("algoOrder.place", **algo, triggerPrice="45000")
    assert ask("algoOrder.cancel", algoId=waits["algoId"])["algoStatus"] == "CANCELED"
    key = socket.say(id=2, method="userDataStream.start", params={"apiKey": client.key.key})[0]["result"]["listenKey"]
    assert len(key) == 64
