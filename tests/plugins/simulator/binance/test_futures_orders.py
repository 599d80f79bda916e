"""Futures refuse, amend, batch and settle as the venue does."""

from __future__ import annotations

import json

import pytest
from venue_box import Box, D, Segment

from cambist.model import Side

ORDER = "/fapi/v1/order"
ALGO = "/fapi/v1/algoOrder"
LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "price": "49000",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.010"}
STOP = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.010"}
STOP |= {"triggerPrice": "48000"}
TRAIL = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "quantity": "0.01",
}


@pytest.fixture(scope="module")
def client():
    return Box((Segment.LINEAR,), enforced=False).client()


NO_MAKER = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)
NOT_FILLED = (
    "Due to the order could not be filled immediately, the FOK order has been rejected. "
    "The order will not be recorded in the order history"
)
TOO_SOON = "goodTillDate must be greater than the current time plus 600 seconds."
TOO_SMALL = "Order's notional must be no smaller than 50 (unless you choose reduce only)."
TOO_HIGH = "Limit price can't be higher than mark price multiplier cap."
NAMES = "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'."
TOO_LONG = "Client order id length should not be more than 36 chars"
NOT_HERE = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."


def mandatory(name):
    return -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


@pytest.mark.parametrize(
    ("path", "terms", "change", "expected"),
    [
        (ORDER, LIMIT, {"symbol": "NOPE"}, (-1121, "Invalid symbol.")),
        (ORDER, LIMIT, {"side": "LONG"}, (-1117, "Invalid side.")),
        (ORDER, LIMIT, {"type": "LIMIT_MAKER"}, (-1116, "Invalid orderType.")),
        (ORDER, LIMIT, {"price": None}, mandatory("price")),
        (ORDER, LIMIT, {"quantity": None}, mandatory("quantity")),
        (ORDER, LIMIT, {"timeInForce": "NOW"}, (-1115, "Invalid timeInForce.")),
        (ORDER, LIMIT, {"timeInForce": "GTD"}, mandatory("goodTillDate")),
        (ORDER, LIMIT, {"timeInForce": "GTD", "goodTillDate": "1"}, (-4188, TOO_SOON)),
        (ORDER, LIMIT, {"quantity": "0.0001"}, (-1111, "Precision is over the maximum defined for this asset.")),
        (ORDER, LIMIT, {"quantity": "0"}, (-4003, "Quantity less than or equal to zero.")),
        (ORDER, LIMIT, {"price": "49000.05"}, (-4014, "Price not increased by tick size.")),
        (ORDER, LIMIT, {"price": "49000.123"}, (-1111, "Precision is over the maximum defined for this asset.")),
        (ORDER, LIMIT, {"quantity": "0.001"}, (-4164, TOO_SMALL)),
        (ORDER, LIMIT, {"quantity": "1001"}, (-4005, "Quantity greater than max quantity.")),
        (ORDER, LIMIT, {"price": "53000", "side": "BUY"}, (-4016, TOO_HIGH)),
        (ORDER, LIMIT, {"quantity": "999"}, (-2019, "Margin is insufficient.")),
        (ORDER, LIMIT, {"newClientOrderId": "a b"}, (-1100, NAMES)),
        (ORDER, LIMIT, {"newClientOrderId": "a" * 37}, (-4015, TOO_LONG)),
        (ORDER, LIMIT, {"positionSide": "LONG"}, (-4061, "Order's position side does not match user's setting.")),
        (ORDER, LIMIT, {"positionSide": "UP"}, (-4060, "Invalid position side.")),
        (ORDER, LIMIT, {"timeInForce": "FOK", "price": "49999.90"}, (-5021, NOT_FILLED)),
        (ORDER, LIMIT, {"timeInForce": "GTX", "price": "50001"}, (-5022, NO_MAKER)),
        (ORDER, MARKET, {"price": "1"}, (-1106, "Parameter 'price' sent when not required.")),
        (ORDER, MARKET, {"reduceOnly": "true"}, (-2022, "ReduceOnly Order is rejected.")),
        (ORDER, MARKET, {"newOrderRespType": "FULL"}, (-1136, "Invalid newOrderRespType.")),
        (ORDER, STOP, {"type": "STOP_MARKET"}, (-4120, NOT_HERE)),
        (ALGO, STOP, {"algoType": None}, mandatory("algoType")),
        (ALGO, STOP, {"type": "LIMIT"}, (-1116, "Invalid orderType.")),
        (ALGO, STOP, {"triggerPrice": None}, mandatory("triggerPrice")),
        (ALGO, STOP, {"triggerPrice": "51000"}, (-2021, "Order would immediately trigger.")),
        (ALGO, STOP, {"workingType": "INDEX"}, (-4031, "Invalid parameter working type.")),
        (ALGO, STOP, {"closePosition": "true"}, (-4137, "Quantity must be zero with closePosition equals true")),
        (ALGO, TRAIL, {}, mandatory("callbackRate")),
        (ALGO, TRAIL, {"callbackRate": "11"}, (-2007, "Invalid callBack rate.")),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused_in_the_venues_words(client, path, terms, change, expected):
    status, answer = client.post(path, **terms | change)
    assert (status, (answer["code"], answer["msg"])) == (400, expected)
    assert client.ok("GET", "/fapi/v1/openOrders") == []
    assert client.ok("GET", "/fapi/v1/openAlgoOrders") == []


def test_an_acknowledgement_of_a_market_order_is_new_and_its_result_is_filled():
    client = Box((Segment.LINEAR,)).client()
    first = client.ok("POST", ORDER, **MARKET)
    assert (first["status"], first["executedQty"]) == ("NEW", "0.000")
    assert client.ok("GET", ORDER, symbol="BTCUSDT", orderId=first["orderId"])["status"] == "FILLED"
    second = client.ok("POST", ORDER, **MARKET, newOrderRespType="RESULT")
    assert (second["status"], second["executedQty"], second.get("avgPrice")) == ("FILLED", "0.010", None)


def test_an_amended_order_keeps_its_number_and_loses_its_place():
    client = Box((Segment.LINEAR,)).client()
    order = client.ok("POST", ORDER, **LIMIT)
    number = {"symbol": "BTCUSDT", "orderId": order["orderId"], "side": "BUY"}
    changed = client.ok("PUT", ORDER, **number, quantity="0.020", price="49001")
    assert (changed["orderId"], changed["price"], changed["origQty"]) == (order["orderId"], "49001.00", "0.020")
    same = client.put(ORDER, **number, quantity="0.020", price="49001")
    assert same == (400, {"code": -5027, "msg": "No need to modify the order."})
    assert client.put(ORDER, **number, quantity="0.020")[1]["code"] == -1102
    assert client.put(ORDER, **number | {"orderId": 99}, quantity="1", price="1")[1]["code"] == -2013


def test_a_batch_succeeds_and_fails_order_by_order():
    client = Box((Segment.LINEAR,)).client()
    rows = [LIMIT, LIMIT | {"price": "49000.05"}, MARKET]
    answers = client.ok("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps(rows))
    assert [one.get("status", one.get("code")) for one in answers] == ["NEW", -4014, "NEW"]
    assert client.headers["x-mbx-order-count-10s"] == "3"
    too_many = client.post("/fapi/v1/batchOrders", batchOrders=json.dumps([LIMIT] * 6))
    assert too_many[1]["code"] == -4082
    wanted = json.dumps([answers[0]["orderId"], 99])
    gone = client.ok("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=wanted)
    assert [one.get("status", one.get("code")) for one in gone] == ["CANCELED", -2011]


def test_silence_cancels_orders_by_the_server_clock():
    box = Box((Segment.LINEAR,))
    client = box.client()
    path = "/fapi/v1/countdownCancelAll"
    order = client.ok("POST", ORDER, **LIMIT)
    assert client.ok("POST", path, symbol="BTCUSDT", countdownTime=3_000) == {
        "symbol": "BTCUSDT",
        "countdownTime": "3000",
    }
    box.step(2_000)
    client.ok("POST", path, symbol="BTCUSDT", countdownTime=3_000)
    box.step(2_000)
    number = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert client.ok("GET", ORDER, **number)["status"] == "NEW"
    box.step(2_000)
    assert client.ok("GET", ORDER, **number)["status"] == "CANCELED"
    other = client.ok("POST", ORDER, **LIMIT)
    client.ok("POST", path, symbol="BTCUSDT", countdownTime=1_000)
    client.ok("POST", path, symbol="BTCUSDT", countdownTime=0)
    box.step(5_000)
    assert client.ok("GET", ORDER, symbol="BTCUSDT", orderId=other["orderId"])["status"] == "NEW"


def test_an_order_good_till_a_date_expires_by_the_market_clock():
    box = Box((Segment.LINEAR,))
    client = box.client()
    until = box.clock.market.now() // 1_000_000 + 700_000
    order = client.ok("POST", ORDER, **LIMIT | {"timeInForce": "GTD"}, goodTillDate=until)
    assert order["goodTillDate"] == until
    box.step(701_000)
    assert client.ok("GET", ORDER, symbol="BTCUSDT", orderId=order["orderId"])["status"] == "EXPIRED"


def test_hedge_mode_holds_both_sides_apart_on_usdm_and_coinm_alike():
    client = Box((Segment.LINEAR, Segment.INVERSE)).client()
    path = "/fapi/v1/positionSide/dual"
    assert client.ok("GET", path) == {"dualSidePosition": False}
    assert client.ok("POST", path, dualSidePosition="true") == {"code": 200, "msg": "success"}
    assert client.ok("GET", "/dapi/v1/positionSide/dual") == {"dualSidePosition": True}
    assert client.post(path, dualSidePosition="true")[1]["code"] == -4059
    client.ok("POST", ORDER, **MARKET, positionSide="LONG")
    client.ok("POST", ORDER, **MARKET | {"side": "SELL"}, positionSide="SHORT")
    rows = client.ok("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert [(one["positionSide"], one["positionAmt"]) for one in rows] == [("LONG", "0.010"), ("SHORT", "-0.010")]
    assert client.post(ORDER, **MARKET)[1]["code"] == -4061
    assert client.post(ORDER, **MARKET, positionSide="LONG", reduceOnly="true")[1]["code"] == -1106
    assert client.post(path, dualSidePosition="false")[1]["code"] == -4068


def test_leverage_and_margin_type_are_set_and_refused():
    client = Box((Segment.LINEAR,)).client()
    assert client.ok("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=125) == {
        "symbol": "BTCUSDT",
        "leverage": 125,
        "maxNotionalValue": "300000",
    }
    refused = client.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage=126)
    assert refused == (400, {"code": -4028, "msg": "Leverage 126 is not valid"})
    margin = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert client.ok("POST", "/fapi/v1/marginType", **margin) == {"code": 200, "msg": "success"}
    assert client.post("/fapi/v1/marginType", **margin)[1] == {"code": -4046, "msg": "No need to change margin type."}
    config = client.ok("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")[0]
    assert (config["leverage"], config["marginType"]) == (125, "ISOLATED")
    more = {"symbol": "BTCUSDT", "amount": "10", "type": 1}
    assert client.post("/fapi/v1/positionMargin", **more)[1]["code"] == -4054
    client.ok("POST", ORDER, **MARKET)
    assert client.ok("POST", "/fapi/v1/positionMargin", **more)["code"] == 200
    assert client.ok("GET", "/fapi/v1/positionMargin/history", symbol="BTCUSDT")[0]["amount"] == "10"
    crossed = client.post("/fapi/v1/marginType", symbol="BTCUSDT", marginType="CROSSED")
    assert crossed[1] == {"code": -4048, "msg": "Margin type cannot be changed if there exists position."}


def test_what_a_position_earned_is_told_to_the_last_digit():
    box = Box((Segment.LINEAR,))
    client = box.client()
    before = D(client.ok("GET", "/fapi/v3/balance")[0]["balance"])
    client.ok("POST", ORDER, **MARKET)
    box.exchanges[Segment.LINEAR].set_level("BTCUSDT", Side.BUY, D("50010"), D("5"))
    client.ok("POST", ORDER, **MARKET | {"side": "SELL"}, reduceOnly="true")
    trades = client.ok("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    profit = sum(D(one["realizedPnl"]) for one in trades)
    fees = sum(D(one["commission"]) for one in trades)
    assert profit == (D(trades[1]["price"]) - D(trades[0]["price"])) * D("0.010")
    assert D(client.ok("GET", "/fapi/v3/balance")[0]["balance"]) == before + profit - fees
    rows = client.ok("GET", "/fapi/v1/income")
    kinds = [one["incomeType"] for one in rows]
    assert kinds.count("COMMISSION") == 2
    assert sum(D(one["income"]) for one in rows if one["incomeType"] != "TRANSFER") == profit - fees


def test_money_is_moved_between_spot_and_futures():
    client = Box((Segment.SPOT, Segment.LINEAR)).client()
    path = "/sapi/v1/asset/transfer"
    moved = client.ok("POST", path, type="MAIN_UMFUTURE", asset="USDT", amount="1000")
    assert moved["tranId"] == 1
    assert D(client.ok("GET", "/fapi/v3/balance")[0]["balance"]) == D("1001000")
    assert client.post(path, type="UMFUTURE_MAIN", asset="USDT", amount="99999999")[1]["code"] == -5013
    assert client.post(path, type="MAIN_MARGIN", asset="USDT", amount="1")[1]["code"] == -1130


def test_depth_is_asked_for_in_some_sizes_alone(client):
    assert client.public("/fapi/v1/depth", symbol="BTCUSDT", limit=7) == (
        400,
        {"code": -4021, "msg": "7 is not valid depth limit."},
    )


def test_a_position_that_is_out_of_margin_is_closed_by_the_venue_and_told_of():
    box = Box((Segment.LINEAR,))
    exchange = box.exchanges[Segment.LINEAR]
    poor = box.users.add("poor")
    exchange.deposit(poor, "USDT", D("300"))
    client = box.client(poor)
    client.ok("POST", ORDER, **MARKET | {"quantity": "0.050"})
    assert client.ok("GET", "/fapi/v1/forceOrders") == []
    at = D(client.ok("GET", "/fapi/v3/positionRisk")[0]["liquidationPrice"])
    assert D("40000") < at < D("50000")
    exchange.set_level("BTCUSDT", Side.BUY, D("44100"), D("10"))
    exchange.set_mark("BTCUSDT", at + 1)
    assert client.ok("GET", "/fapi/v1/forceOrders") == []
    exchange.set_mark("BTCUSDT", at - 1)
    (closed,) = client.ok("GET", "/fapi/v1/forceOrders", symbol="BTCUSDT")
    assert closed["clientOrderId"].startswith("autoclose-")
    assert (closed["side"], closed["status"]) == ("SELL", "FILLED")
    assert client.ok("GET", "/fapi/v3/positionRisk") == []


def test_candles_of_a_pair_are_those_of_its_contract(client):
    window = {"interval": "1m", "limit": 3}
    of_pair = client.public("/fapi/v1/continuousKlines", pair="BTCUSDT", contractType="PERPETUAL", **window)
    assert of_pair == client.public("/fapi/v1/klines", symbol="BTCUSDT", **window)
    assert client.public("/fapi/v1/continuousKlines", pair="BTCUSDT", contractType="X", **window)[1]["code"] == -4104


def test_coinm_has_the_first_version_of_things_alone():
    client = Box((Segment.INVERSE,)).client()
    assert client.ok("GET", "/dapi/v1/account")["assets"]
    for path in ("/dapi/v2/account", "/dapi/v3/positionRisk", "/dapi/v1/multiAssetsMargin"):
        assert client.get(path)[0] == 404
