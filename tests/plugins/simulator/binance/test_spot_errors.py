"""Spot refuses with the venue's codes and texts, in the venue's order."""

from __future__ import annotations

import pytest
from venue_box import Box, Segment

from cambist_simulator.exchange.listing import SymbolStatus

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "49000",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "48000"}
MAKER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "49000"}


def mandatory(name):
    return -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def not_required(name):
    return -1106, f"Parameter '{name}' sent when not required."


def number(name):
    return (
        -1100,
        f"Illegal characters found in parameter '{name}'; legal range is '^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'.",
    )


def characters(name, legal):
    return -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."


def one_of(first, second):
    return -1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!"


@pytest.fixture(scope="module")
def client():
    return Box((Segment.SPOT,)).client()


@pytest.mark.parametrize(
    ("terms", "change", "expected"),
    [
        (LIMIT, {"symbol": None}, mandatory("symbol")),
        (LIMIT, {"symbol": ""}, mandatory("symbol")),
        (LIMIT, {"symbol": "btcusdt"}, characters("symbol", "^[A-Z0-9-_.]{1,20}$")),
        (LIMIT, {"symbol": "NOPE"}, (-1121, "Invalid symbol.")),
        (LIMIT, {"side": None}, mandatory("side")),
        (LIMIT, {"side": "HOLD"}, (-1117, "Invalid side.")),
        (LIMIT, {"type": None}, mandatory("type")),
        (LIMIT, {"type": "STOP_MARKET"}, (-1116, "Invalid orderType.")),
        (LIMIT, {"timeInForce": None}, mandatory("timeInForce")),
        (LIMIT, {"timeInForce": "GTX"}, (-1115, "Invalid timeInForce.")),
        (LIMIT, {"quantity": None}, mandatory("quantity")),
        (LIMIT, {"price": None}, mandatory("price")),
        (LIMIT, {"price": "abc"}, number("price")),
        (LIMIT, {"price": "-1"}, number("price")),
        (LIMIT, {"price": "1e5"}, number("price")),
        (LIMIT, {"quantity": "0.123456789"}, (-1111, "Parameter 'quantity' has too much precision.")),
        (LIMIT, {"quantity": "0"}, (-1013, "Invalid quantity.")),
        (LIMIT, {"price": "0"}, (-1013, "Invalid price.")),
        (LIMIT, {"stopPrice": "1"}, not_required("stopPrice")),
        (LIMIT, {"price": "49000.001"}, (-1013, "Filter failure: PRICE_FILTER")),
        (LIMIT, {"price": "1000001"}, (-1013, "Filter failure: PRICE_FILTER")),
        (LIMIT, {"price": "9000"}, (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")),
        (LIMIT, {"quantity": "0.000001"}, (-1013, "Filter failure: LOT_SIZE")),
        (LIMIT, {"quantity": "0.00001"}, (-1013, "Filter failure: NOTIONAL")),
        (LIMIT, {"quantity": "100"}, (-2010, "Account has insufficient balance for requested action.")),
        (LIMIT, {"newClientOrderId": "a b"}, characters("newClientOrderId", "^[a-zA-Z0-9-_]{1,36}$")),
        (LIMIT, {"newOrderRespType": "ALL"}, (-1130, "Data sent for parameter 'newOrderRespType' is not valid.")),
        (LIMIT, {"strategyType": "7"}, (-1134, "strategyType was less than 1000000.")),
        (LIMIT, {"foo": "1"}, (-1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'.")),
        (LIMIT, {"icebergQty": "0.00001"}, (-1013, "Filter failure: ICEBERG_PARTS")),
        (MARKET, {"price": "50000"}, not_required("price")),
        (MARKET, {"timeInForce": "GTC"}, not_required("timeInForce")),
        (MARKET, {"quoteOrderQty": "100"}, not_required("quoteOrderQty")),
        (MARKET, {"quantity": None}, one_of("quantity", "quoteOrderQty")),
        (STOP, {"stopPrice": None}, one_of("stopPrice", "trailingDelta")),
        (STOP, {"stopPrice": "51000"}, (-2010, "Order would trigger immediately.")),
        (STOP, {"trailingDelta": "5", "stopPrice": None}, (-1013, "Filter failure: TRAILING_DELTA")),
        (MAKER, {"timeInForce": "GTC"}, not_required("timeInForce")),
        (MAKER, {"price": "50001"}, (-2010, "Order would immediately match and take.")),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused_in_the_venues_words(client, terms, change, expected):
    status, answer = client.post("/api/v3/order", **terms | change)
    assert (status, (answer["code"], answer["msg"])) == (400, expected)
    # The test of an order refuses likewise.
    assert client.post("/api/v3/order/test", **terms | change) == (status, answer)
    assert client.ok("GET", "/api/v3/openOrders") == []


@pytest.mark.parametrize("terms", [LIMIT, MARKET, STOP, MAKER])
def test_a_tested_order_is_not_placed(client, terms):
    assert client.post("/api/v3/order/test", **terms) == (200, {})
    rates = client.ok("POST", "/api/v3/order/test", **terms, computeCommissionRates="true")
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert client.ok("GET", "/api/v3/openOrders") == []


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("time", {"x": "1"}, (-1101, "Too many parameters; expected '0' and received '1'.")),
        ("depth", {}, mandatory("symbol")),
        ("depth", {"symbol": "BTCUSDT", "limit": "x"}, characters("limit", "^[0-9]{1,20}$")),
        ("depth", {"symbol": "BTCUSDT", "limit": "99999999999999999999"}, (-1108, "Parameter 'limit' overflowed.")),
        ("klines", {"symbol": "BTCUSDT"}, mandatory("interval")),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, (-1120, "Invalid interval.")),
        ("ticker/24hr", {"symbols": '["BTCUSDT","BTCUSDT"]'}, (-1151, "Symbol is present multiple times in the list.")),
        (
            "ticker/24hr",
            {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'},
            (-1128, "Combination of optional parameters invalid."),
        ),
        ("exchangeInfo", {"symbols": '["NOPE"]'}, (-1121, "Invalid symbol.")),
        ("exchangeInfo", {"symbols": "[1"}, (-1135, "JSON sent for parameter 'symbols' is not valid")),
    ],
)  # fmt: skip
def test_market_data_refuses_in_the_venues_words(client, path, params, expected):
    status, answer = client.public(f"/api/v3/{path}", **params)
    assert (status, (answer["code"], answer["msg"])) == (400, expected)


def test_duplicates_are_refused_and_the_query_goes_before_the_body(client):
    assert client.raw("GET", "/api/v3/depth", "symbol=BTCUSDT&symbol=BTCUSDT")[1]["code"] == -1101
    stamp = client.box.clock.server.now() // 1_000_000
    from venue_box import sign

    query = f"symbol=NOPE&timestamp={stamp}"
    body = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01"
    signature = sign(client.key, (query + body).encode())
    status, answer = client.raw("POST", "/api/v3/order", query, f"{body}&signature={signature}".encode())
    assert (status, answer["code"]) == (400, -1121)


def test_unknown_paths_and_what_spot_no_longer_has_are_not_found(client):
    for method, path in (("GET", "/api/v3/nope"), ("POST", "/api/v3/userDataStream"), ("GET", "/api/v3/order/test")):
        status, page = client.raw(method, path)
        assert (status, page[:6]) == (404, b"<html>")


def test_orders_are_found_by_number_and_name_or_not_at_all():
    client = Box((Segment.SPOT,)).client()
    placed = client.ok("POST", "/api/v3/order", **LIMIT, newClientOrderId="mine")
    twice = client.post("/api/v3/order", **LIMIT, newClientOrderId="mine")
    assert twice == (400, {"code": -2010, "msg": "Duplicate order sent."})
    path = "/api/v3/order"
    assert client.ok("GET", path, symbol="BTCUSDT", origClientOrderId="mine")["orderId"] == placed["orderId"]
    assert client.get(path, symbol="BTCUSDT") == (
        400,
        {"code": -1102, "msg": "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"},
    )
    missing = {"code": -2013, "msg": "Order does not exist."}
    assert client.get(path, symbol="ETHUSDT", orderId=placed["orderId"]) == (400, missing)
    bob = client.box.client(client.box.user("bob"))
    assert bob.get(path, symbol="BTCUSDT", orderId=placed["orderId"]) == (400, missing)
    unknown = {"code": -2011, "msg": "Unknown order sent."}
    assert bob.delete(path, symbol="BTCUSDT", orderId=placed["orderId"]) == (400, unknown)
    wrong = client.delete(path, symbol="BTCUSDT", orderId=placed["orderId"], origClientOrderId="other")
    assert wrong == (400, unknown)
    restricted = client.delete(
        path, symbol="BTCUSDT", orderId=placed["orderId"], cancelRestrictions="ONLY_PARTIALLY_FILLED"
    )
    assert restricted == (400, {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."})
    gone = client.ok("DELETE", path, symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="cancel-1")
    assert (gone["origClientOrderId"], gone["clientOrderId"], gone["status"]) == ("mine", "cancel-1", "CANCELED")
    assert client.delete(path, symbol="BTCUSDT", orderId=placed["orderId"]) == (400, unknown)
    # The name may be used again once its order has ended.
    client.ok("POST", path, **LIMIT, newClientOrderId="mine")


def test_a_closed_market_refuses():
    box = Box((Segment.SPOT,))
    client = box.client()
    placed = client.ok("POST", "/api/v3/order", **LIMIT)
    box.exchanges[Segment.SPOT].set_status("BTCUSDT", SymbolStatus.HALT)
    closed = (400, {"code": -2010, "msg": "Market is closed."})
    assert client.post("/api/v3/order", **LIMIT) == closed
    assert client.delete("/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"]) == closed
    assert client.public("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"][0]["status"] == "HALT"
    box.dialect.apply("maintenance", {"on": True})
    assert client.post("/api/v3/order", **LIMIT)[0] == 503


def test_cancel_replace_tells_which_half_failed():
    client = Box((Segment.SPOT,)).client()
    path = "/api/v3/order/cancelReplace"
    first = client.ok("POST", "/api/v3/order", **LIMIT)
    status, answer = client.post(
        path, **LIMIT | {"quantity": "150"}, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"]
    )
    assert (status, answer["code"], answer["msg"]) == (409, -2021, "Order cancel-replace partially failed.")
    assert (answer["data"]["cancelResult"], answer["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert answer["data"]["newOrderResponse"]["code"] == -2010
    status, answer = client.post(path, **LIMIT, cancelReplaceMode="ALLOW_FAILURE", cancelOrderId=first["orderId"])
    assert (status, answer["code"]) == (409, -2021)
    assert answer["data"]["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    assert answer["data"]["newOrderResponse"]["status"] == "NEW"
    status, answer = client.post(
        path, **LIMIT | {"quantity": "150"}, cancelReplaceMode="ALLOW_FAILURE", cancelOrderId=first["orderId"]
    )
    assert (status, answer["code"]) == (400, -2022)
    status, answer = client.post(path, **LIMIT, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=first["orderId"])
    assert (status, answer["code"], answer["data"]["newOrderResult"]) == (400, -2022, "NOT_ATTEMPTED")


def test_an_amended_order_keeps_its_place_and_may_only_shrink():
    client = Box((Segment.SPOT,)).client()
    order = client.ok("POST", "/api/v3/order", **LIMIT, newClientOrderId="mine")
    path = "/api/v3/order/amend/keepPriority"
    amended = client.ok("PUT", path, symbol="BTCUSDT", orderId=order["orderId"], newQty="0.005")["amendedOrder"]
    assert (amended["origClientOrderId"], amended["qty"]) == ("mine", "0.00500000")
    assert amended["clientOrderId"] != "mine"
    larger = client.put(path, symbol="BTCUSDT", orderId=order["orderId"], newQty="0.02")
    assert larger == (400, {"code": -2038, "msg": "Order amend (quantity increase) is not supported."})
    same = client.put(path, symbol="BTCUSDT", orderId=order["orderId"], newQty="0.005")
    assert same == (400, {"code": -2038, "msg": "The requested action would change no state; rejecting."})
    assert client.put(path, symbol="BTCUSDT", orderId=99, newQty="0.005")[1]["code"] == -2013


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ({"aboveType": "STOP_LOSS", "belowType": "LIMIT_MAKER"}, -1166),
        ({"aboveType": "LIMIT_MAKER", "belowType": "LIMIT_MAKER"}, -1168),
        ({"aboveType": "LIMIT_MAKER", "belowType": "TAKE_PROFIT"}, -1199),
        ({"aboveType": "MARKET", "belowType": "STOP_LOSS"}, -1158),
        ({"belowType": "STOP_LOSS"}, -1102),
    ],
)
def test_legs_of_a_list_that_make_no_pair_are_refused(client, legs, code):
    terms = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "abovePrice": "51000", "belowStopPrice": "48000"}
    status, answer = client.post("/api/v3/orderList/oco", **terms, **legs)
    assert (status, answer["code"]) == (400, code)
