"""What spot says has the keys, types and number forms of what the venue said."""

from __future__ import annotations

import pytest
import shapes
from venue_box import Box, D, Segment

#: What is different on purpose, and why.
EXPECTED = {
    # Recorded in 2021: fields that came since; permissions moved to `permissionSets` and are empty nowadays.
    "spot_rest_exchange_info_small": {"symbols.permissions.empty"}
    | {
        "+symbols." + key
        for key in (
            "allowTrailingStop",
            "allowedSelfTradePreventionModes",
            "amendAllowed",
            "cancelReplaceAllowed",
            "defaultSelfTradePreventionMode",
            "opoAllowed",
            "otoAllowed",
            "pegInstructionsAllowed",
            "permissionSets",
        )
    },
    # Pegged and one-pays-other orders came after the recording.
    "spot_rest_exchange_info": {"+symbols.opoAllowed", "+symbols.pegInstructionsAllowed"},
    # Documented examples in which an order was prevented from trading with its owner's own.
    "spot_user_execution_report_new": {"-event.v"},
    # Recorded by way of a client that keeps what it reads; the venue sends all fields of `executionReport`.
    "spot_user_execution_report_trade": {"+F", "+I", "+M", "+Q", "+V", "+W", "+Y", "+g"},
    "spot_user_execution_report_canceled": {"+F", "+I", "+M", "+Q", "+V", "+W", "+Y", "+g"},
    "spot_user_execution_report_expired": {"+F", "+I", "+M", "+Q", "+V", "+W", "+Y", "+g"},
    "spot_user_execution_report_stop_loss": {"+F", "+I", "+M", "+Q", "+V", "+Y", "+g"},
}


@pytest.fixture(scope="module")
def said():
    """What the venue says in one session, by the name of the recording it is to be like."""
    box = Box((Segment.SPOT,))
    client = box.client()
    said = {}
    user = box.socket("/ws-api/v3")
    answer = user.say(id="a1", method="userDataStream.subscribe.signature", params=client.ws_params())[0]
    said["spot_wsapi_subscribe_signature_response"] = {k: v for k, v in answer.items() if k != "rateLimits"}
    streams = box.socket("/stream.binance.com/ws")
    names = ["trade", "aggTrade", "kline_1m", "bookTicker", "depth@100ms", "depth5@100ms", "ticker", "miniTicker"]
    controls = [streams.say(method="SUBSCRIBE", params=[f"btcusdt@{one}" for one in names], id=1)[0]]
    controls += streams.say(method="UNSUBSCRIBE", params=["btcusdt@depth5"], id=312)
    controls += streams.say(method="LIST_SUBSCRIPTIONS", id=3)
    controls += streams.say(method="FOO", id=4)
    box.dialect.apply("announce_shutdown", {})
    controls += streams.taken()
    said["spot_ws_control"] = controls
    user.taken()

    def order(**params):
        return client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **params)

    limit = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    said["spot_rest_new_order_ack"] = order(**limit, quantity="0.01", price="49000", newOrderRespType="ACK")
    said["spot_user_execution_report_new"] = user.taken()[0]
    said["spot_rest_new_order_result"] = order(**limit, quantity="0.01", price="49001", newOrderRespType="RESULT")
    said["spot_rest_query_order"] = client.ok("GET", "/api/v3/order", symbol="BTCUSDT", orderId=1)
    said["spot_rest_open_orders"] = client.ok("GET", "/api/v3/openOrders", symbol="BTCUSDT")
    user.taken()
    said["spot_rest_new_order_full"] = order(side="SELL", type="MARKET", quantity="2.5")
    said["spot_user_execution_report_trade"] = user.taken()[-2]["event"]
    order(**limit | {"timeInForce": "IOC"}, quantity="0.02", price="49500")
    said["spot_user_execution_report_expired"] = next(
        one["event"] for one in user.taken() if one["event"].get("x") == "EXPIRED"
    )
    order(side="SELL", type="STOP_LOSS_LIMIT", quantity="0.01", price="48000", stopPrice="48500", timeInForce="GTC")
    said["spot_user_execution_report_stop_loss"] = user.taken()[0]["event"]
    said["spot_rest_amend_keep_priority"] = client.ok(
        "PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", orderId=2, newQty="0.009"
    )
    user.taken()
    said["spot_rest_cancel_order"] = client.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=1)
    said["spot_user_execution_report_canceled"] = user.taken()[0]["event"]
    said["spot_rest_cancel_replace_ok"] = client.ok(
        "POST",
        "/api/v3/order/cancelReplace",
        symbol="BTCUSDT",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=2,
        **limit,
        quantity="0.01",
        price="48999",
    )
    said["spot_rest_cancel_replace_failed"] = client.post(
        "/api/v3/order/cancelReplace",
        symbol="BTCUSDT",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=99,
        **limit,
        quantity="0.01",
        price="48999",
    )[1]
    user.taken()
    client.ok(
        "POST",
        "/api/v3/orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="51000",
        belowType="STOP_LOSS_LIMIT",
        belowPrice="48000",
        belowStopPrice="48100",
        belowTimeInForce="GTC",
    )
    said["spot_user_list_status"] = next(one for one in user.taken() if one["event"]["e"] == "listStatus")
    gone = client.ok("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    said["spot_rest_cancel_open_orders"] = [one for one in gone if "stopPrice" not in one]
    user.taken()
    box.exchanges[Segment.SPOT].deposit(box.alice, "BTC", D("0.5"))
    said["spot_user_balance_update"], said["spot_user_account_position"] = user.taken()
    said["spot_rest_account"] = client.ok("GET", "/api/v3/account")
    said["spot_rest_commission"] = client.ok("GET", "/api/v3/account/commission", symbol="BTCUSDT")
    said["spot_rest_my_trades"] = client.ok("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    said["spot_rest_rate_limit_order"] = client.ok("GET", "/api/v3/rateLimit/order")
    public(box, client, said)
    web_socket_api(client, user, said)
    box.step(2_500)
    events = {one.get("e", "bookTicker" if "u" in one else "partial"): one for one in streams.taken()}
    for kind, name in (
        ("aggTrade", "agg_trade"),
        ("trade", "trade"),
        ("kline", "kline"),
        ("bookTicker", "book_ticker"),
        ("depthUpdate", "depth_diff"),
        ("partial", "partial_depth"),
        ("24hrTicker", "ticker"),
        ("24hrMiniTicker", "mini_ticker"),
    ):
        said[f"spot_ws_{name}"] = events[kind]
    box.dialect.apply("end_user_streams", {})
    said["spot_user_stream_terminated"] = user.taken()[-1]
    return said


def public(box, client, said):
    for name, path, params in (
        ("time", "time", {}),
        ("exchange_info", "exchangeInfo", {}),
        ("exchange_info_small", "exchangeInfo", {"symbol": "BTCUSDT"}),
        ("klines", "klines", {"symbol": "BTCUSDT", "interval": "1m"}),
        ("agg_trades", "aggTrades", {"symbol": "BTCUSDT"}),
        ("ticker_24h", "ticker/24hr", {"symbol": "BTCUSDT"}),
    ):
        status, said[f"spot_rest_{name}"] = client.public(f"/api/v3/{path}", **params)
        assert status == 200


def web_socket_api(client, user, said):
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "newOrderRespType": "RESULT"}
    signed = client.ws_params(**params, quantity="0.01", price="48000")
    answers = user.say(id="b1", method="order.place", params=signed)
    said["spot_wsapi_order_place_ok"] = next(one for one in answers if "status" in one)
    signed = client.ws_params(**params, quantity="5000", price="48000")
    said["spot_wsapi_order_place_error"] = user.say(id="b2", method="order.place", params=signed)[0]


NAMES = """
rest_account rest_agg_trades rest_amend_keep_priority rest_cancel_open_orders rest_cancel_order
rest_cancel_replace_failed rest_cancel_replace_ok rest_commission rest_exchange_info rest_exchange_info_small
rest_klines rest_my_trades rest_new_order_ack rest_new_order_full rest_new_order_result rest_open_orders
rest_query_order rest_rate_limit_order rest_ticker_24h rest_time user_account_position user_balance_update
user_execution_report_canceled user_execution_report_expired user_execution_report_new
user_execution_report_stop_loss user_execution_report_trade user_list_status user_stream_terminated ws_agg_trade
ws_book_ticker ws_depth_diff ws_kline ws_mini_ticker ws_partial_depth ws_ticker ws_trade wsapi_order_place_error
wsapi_order_place_ok wsapi_subscribe_signature_response
"""


@pytest.mark.parametrize("name", [f"spot_{one}" for one in NAMES.split()])
def test_a_message_is_like_the_recorded_one(said, name):
    theirs = shapes.recorded(name)
    assert shapes.differences(theirs, said[name], eight=True) == EXPECTED.get(name, set())


def test_a_canceled_list_is_told_of_as_a_whole(said):
    theirs = next(one for one in shapes.recorded("spot_rest_cancel_open_orders") if "contingencyType" in one)
    ours = next(one for one in said["spot_rest_cancel_open_orders"] if "contingencyType" in one)
    # The recorded orders were icebergs.
    assert shapes.differences(theirs, ours, eight=True) <= {"-orderReports.icebergQty", "-orderReports.stopPrice"}
    assert [one["status"] for one in ours["orderReports"]] == ["CANCELED", "CANCELED"]


def test_filters_of_each_kind_are_like_the_recorded_ones(said):
    def by_kind(info):
        return {one["filterType"]: one for symbol in info["symbols"] for one in symbol["filters"]}

    theirs, ours = by_kind(shapes.recorded("spot_rest_exchange_info")), by_kind(said["spot_rest_exchange_info"])
    for kind in theirs.keys() & ours.keys():
        assert shapes.differences(theirs[kind], ours[kind], eight=True) == set(), kind
    assert {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "PERCENT_PRICE_BY_SIDE"} <= ours.keys()


def test_answers_about_subscriptions_are_like_the_recorded_ones(said):
    theirs = [one["msg"] for one in shapes.recorded("spot_ws_control") if one["dir"] == "in"]
    ours = said["spot_ws_control"]
    # The last recorded one is of a combined connection.
    for number, (their, our) in enumerate(zip(theirs[:-1], ours, strict=True)):
        assert shapes.differences(their, our) == set(), number


def test_a_combined_connection_is_told_of_a_shutdown_with_the_name_of_a_stream():
    box = Box((Segment.SPOT,))
    socket = box.socket("/stream", "streams=btcusdt@trade")
    box.dialect.apply("announce_shutdown", {})
    theirs = [one["msg"] for one in shapes.recorded("spot_ws_control")][-1]
    assert shapes.differences(theirs, socket.taken()[-1]) == set()


def test_the_log_on_is_like_the_recorded_one():
    box = Box((Segment.SPOT,))
    key = box.users.add_key(box.alice, kind="ed25519")
    client = box.client(key=key)
    socket = box.socket("/ws-api/v3")
    answer = socket.say(id="c1", method="session.logon", params=client.ws_params())[0]
    answer.pop("rateLimits")
    theirs = shapes.recorded("spot_wsapi_session_logon_response")
    theirs.pop("rateLimits", None)
    assert shapes.differences(theirs, answer) == set()
