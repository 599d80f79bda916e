"""User data: which events come, in which order, and to whom."""

from __future__ import annotations

import pytest
from venue_box import SIZES, SYMBOLS, Box, D, Segment

from cambist.model import Side

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


@pytest.fixture
def spot():
    return Box((Segment.SPOT,))


def listen(box, client):
    socket = box.socket("/ws-api/v3")
    socket.say(id=1, method="userDataStream.subscribe.signature", params=client.ws_params())
    return socket


def told(socket):
    """Return (event, execution, status, name) of what was told since the last call."""
    events = (one.get("event", one.get("data", one)) for one in socket.taken())
    return [(one["e"], one["x"], one["X"]) if one["e"] == "executionReport" else one["e"] for one in events]


def test_an_order_is_reported_before_the_balances_that_it_changed(spot):
    client = spot.client()
    user = listen(spot, client)
    order = client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **LIMIT, quantity="0.01", price="49000")
    assert told(user) == [("executionReport", "NEW", "NEW"), "outboundAccountPosition"]
    client.ok("POST", "/api/v3/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="1.5")
    assert told(user) == [
        ("executionReport", "NEW", "NEW"),
        ("executionReport", "TRADE", "PARTIALLY_FILLED"),
        ("executionReport", "TRADE", "FILLED"),
        "outboundAccountPosition",
    ]
    client.ok("PUT", "/api/v3/order/amend/keepPriority", symbol="BTCUSDT", orderId=order["orderId"], newQty="0.009")
    assert told(user)[0] == ("executionReport", "REPLACED", "NEW")
    client.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert told(user) == [("executionReport", "CANCELED", "CANCELED"), "outboundAccountPosition"]


def test_a_cancel_is_told_under_its_own_name_with_the_orders_beside(spot):
    client = spot.client()
    user = listen(spot, client)
    client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **LIMIT, quantity="0.01", price="49000", newClientOrderId="o1")
    user.taken()
    client.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="o1", newClientOrderId="c1")
    report = user.taken()[0]["event"]
    assert (report["c"], report["C"]) == ("c1", "o1")


def test_an_amendment_is_told_under_the_new_name_with_the_old_one_beside(spot):
    client = spot.client()
    user = listen(spot, client)
    client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **LIMIT, quantity="0.01", price="49000", newClientOrderId="o1")
    user.taken()
    client.ok(
        "PUT",
        "/api/v3/order/amend/keepPriority",
        symbol="BTCUSDT",
        origClientOrderId="o1",
        newClientOrderId="o2",
        newQty="0.005",
    )
    report = user.taken()[0]["event"]
    assert (report["c"], report["C"], report["q"]) == ("o2", "o1", "0.00500000")


def test_execution_numbers_count_and_sums_agree_with_trades(spot):
    client = spot.client()
    user = listen(spot, client)
    client.ok("POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="2.5")
    reports = [one["event"] for one in user.taken() if one["event"]["e"] == "executionReport"]
    assert [one["I"] for one in reports] == sorted({one["I"] for one in reports})
    trades = client.ok("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    fills = reports[1:]
    assert [(one["t"], one["l"], one["L"], one["n"], one["N"]) for one in fills] == [
        (one["id"], one["qty"], one["price"], one["commission"], one["commissionAsset"]) for one in trades
    ]
    assert D(fills[-1]["Z"]) == sum(D(one["quoteQty"]) for one in trades)
    assert D(fills[-1]["z"]) == sum(D(one["qty"]) for one in trades) == D("2.5")


def test_one_leg_of_an_oco_ends_the_other_and_the_list(spot):
    client = spot.client()
    user = listen(spot, client)
    terms = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
    above = {"aboveType": "LIMIT_MAKER", "abovePrice": "50000.10"}
    below = {"belowType": "STOP_LOSS", "belowStopPrice": "49000"}
    made = client.ok("POST", "/api/v3/orderList/oco", **terms, **above, **below)
    assert (made["contingencyType"], made["listStatusType"], made["listOrderStatus"]) == (
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
    )
    assert [one["type"] for one in made["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS"]
    news = told(user)
    assert news.count(("executionReport", "NEW", "NEW")) == 2
    assert "listStatus" in news
    spot.exchanges[Segment.SPOT].market_trade("BTCUSDT", Side.BUY, D("15"), D("50000.15"))
    news = told(user)
    expired = news.index(("executionReport", "EXPIRED", "EXPIRED"))
    filled = news.index(("executionReport", "TRADE", "FILLED"))
    assert expired < filled < news.index("listStatus")
    over = client.ok("GET", "/api/v3/orderList", orderListId=made["orderListId"])
    assert (over["listStatusType"], over["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert client.ok("GET", "/api/v3/openOrderList") == []
    assert [one["orderListId"] for one in client.ok("GET", "/api/v3/allOrderList")] == [made["orderListId"]]


def test_a_pending_order_is_sent_when_the_working_one_is_filled(spot):
    client = spot.client()
    user = listen(spot, client)
    made = client.ok(
        "POST",
        "/api/v3/orderList/oto",
        symbol="BTCUSDT",
        workingType="LIMIT",
        workingSide="BUY",
        workingPrice="49999.99",
        workingQuantity="0.01",
        workingTimeInForce="GTC",
        pendingType="LIMIT",
        pendingSide="SELL",
        pendingPrice="51000",
        pendingQuantity="0.01",
        pendingTimeInForce="GTC",
    )
    assert [one["status"] for one in made["orderReports"]] == ["NEW", "PENDING_NEW"]
    user.taken()
    spot.exchanges[Segment.SPOT].market_trade("BTCUSDT", Side.SELL, D("5"), D("49999.98"))
    reports = [one["event"] for one in user.taken() if one["event"]["e"] == "executionReport"]
    assert [(one["S"], one["x"], one["X"]) for one in reports] == [("BUY", "TRADE", "FILLED"), ("SELL", "NEW", "NEW")]


def test_money_from_outside_is_told_as_a_change_then_as_a_balance(spot):
    user = listen(spot, spot.client())
    spot.exchanges[Segment.SPOT].deposit(spot.alice, "BTC", D("0.5"))
    change, balance = (one["event"] for one in user.taken())
    assert (change["e"], change["a"], change["d"]) == ("balanceUpdate", "BTC", "0.50000000")
    assert balance["B"] == [{"a": "BTC", "f": "100.50000000", "l": "0.00000000"}]
    spot.exchanges[Segment.SPOT].withdraw(spot.alice, "BTC", D("0.25"))
    assert user.taken()[0]["event"]["d"] == "-0.25000000"


def test_everybody_is_told_of_his_own_alone(spot):
    alice, bob = spot.client(), spot.client(spot.user("bob"))
    hers, his = listen(spot, alice), listen(spot, bob)
    alice.ok("POST", "/api/v3/order", symbol="BTCUSDT", **LIMIT, quantity="0.01", price="50000")
    assert told(hers)
    assert his.taken() == []
    bob.ok("POST", "/api/v3/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
    assert ("executionReport", "TRADE", "FILLED") in told(hers)
    assert ("executionReport", "TRADE", "FILLED") in told(his)


def test_self_trade_prevention_is_told_with_what_it_took_off(spot):
    client = spot.client()
    user = listen(spot, client)
    client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **LIMIT, quantity="0.01", price="50000")
    user.taken()
    sell = {"side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "50000"}
    taken = client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **sell, selfTradePreventionMode="EXPIRE_MAKER")
    assert taken["selfTradePreventionMode"] == "EXPIRE_MAKER"
    reports = [one["event"] for one in user.taken() if one["event"]["e"] == "executionReport"]
    ended = next(one for one in reports if one["x"] == "TRADE_PREVENTION")
    assert (ended["X"], ended["A"], ended["B"]) == ("EXPIRED_IN_MATCH", "0.01000000", "0.01000000")


def test_a_trailing_stop_is_told_with_its_distance(spot):
    client = spot.client()
    user = listen(spot, client)
    terms = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "trailingDelta": 50}
    placed = client.ok("POST", "/api/v3/order", **terms, newOrderRespType="RESULT")
    assert (placed["type"], placed["trailingDelta"]) == ("STOP_LOSS", 50)
    report = user.taken()[0]["event"]
    assert (report["o"], report["d"]) == ("STOP_LOSS", 50)
    exchange = spot.exchanges[Segment.SPOT]
    exchange.market_trade("BTCUSDT", Side.SELL, D("1"), D("49800"), takes=False)
    assert [one for one in told(user) if one[1] == "TRADE"] == []
    exchange.market_trade("BTCUSDT", Side.SELL, D("1"), D("49700"), takes=False)
    reports = [one for one in told(user) if one[0] == "executionReport"]
    assert reports[-1] == ("executionReport", "TRADE", "FILLED")


def test_a_replacement_that_is_refused_is_told_of_after_the_cancel(spot):
    import shapes

    client = spot.client()
    user = listen(spot, client)
    order = client.ok("POST", "/api/v3/order", symbol="BTCUSDT", **LIMIT, quantity="0.01", price="49000")
    user.taken()
    replace = {"symbol": "BTCUSDT", "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": order["orderId"]}
    client.post("/api/v3/order/cancelReplace", **replace, **LIMIT, quantity="150", price="49000")
    reports = [one["event"] for one in user.taken() if one["event"]["e"] == "executionReport"]
    assert [(one["x"], one["X"], one["r"]) for one in reports] == [
        ("CANCELED", "CANCELED", "NONE"),
        ("REJECTED", "REJECTED", "INSUFFICIENT_BALANCES"),
    ]
    theirs = shapes.recorded("spot_user_execution_report_rejected")["data"]
    # Recorded with a working time, though it never worked.
    assert shapes.differences(theirs, reports[-1], eight=True) == {"-W"}


# Futures.


@pytest.fixture(params=[Segment.LINEAR, Segment.INVERSE], ids=["usdm", "coinm"])
def futures(request):
    box = Box((request.param,))
    box.segment = request.param
    box.prefix = "/fapi/v1" if request.param is Segment.LINEAR else "/dapi/v1"
    box.symbol = SYMBOLS[request.param]
    box.size = str(SIZES[request.param] / 100)
    return box


def listen_futures(box, client, query=""):
    key = client.ok("POST", f"{box.prefix}/listenKey")["listenKey"]
    if box.segment is Segment.LINEAR:
        return key, box.socket("/private/ws", f"listenKey={key}{query}")
    return key, box.socket(f"/dstream.binance.com/ws/{key}")


def kinds(socket):
    return [
        (one["e"], one["o"]["x"], one["o"]["X"])
        if one["e"] == "ORDER_TRADE_UPDATE"
        else (one["e"], one["o"]["X"])
        if one["e"] == "ALGO_UPDATE"
        else one["e"]
        for one in socket.taken()
    ]


def test_a_futures_trade_is_told_in_the_venues_order(futures):
    client = futures.client()
    _, user = listen_futures(futures, client)
    client.ok(
        "POST", f"{futures.prefix}/order", symbol=futures.symbol, side="BUY", type="MARKET", quantity=futures.size
    )
    # COIN-M has no short form of a trade.
    lite = ["TRADE_LITE"] if futures.segment is Segment.LINEAR else []
    assert kinds(user) == [
        ("ORDER_TRADE_UPDATE", "NEW", "NEW"),
        "ACCOUNT_UPDATE",
        *lite,
        ("ORDER_TRADE_UPDATE", "TRADE", "FILLED"),
    ]


def test_an_account_update_tells_wallet_and_position_together(futures):
    client = futures.client()
    _, user = listen_futures(futures, client)
    client.ok(
        "POST", f"{futures.prefix}/order", symbol=futures.symbol, side="SELL", type="MARKET", quantity=futures.size
    )
    update = next(one for one in user.taken() if one["e"] == "ACCOUNT_UPDATE")["a"]
    assert update["m"] == "ORDER"
    assert [row["s"] for row in update["P"]] == [futures.symbol]
    assert D(update["P"][0]["pa"]) == -D(futures.size)
    wallet = (
        client.ok("GET", f"{futures.prefix.replace('v1', 'v2')}/balance") if futures.segment is Segment.LINEAR else None
    )
    if wallet:
        assert D(wallet[0]["balance"]) == D(update["B"][0]["wb"])


def test_a_conditional_order_is_told_by_the_algo_service_and_its_child_as_an_order(futures):
    client = futures.client()
    _, user = listen_futures(futures, client)
    terms = {"algoType": "CONDITIONAL", "symbol": futures.symbol, "side": "BUY", "type": "STOP_MARKET"}
    placed = client.ok(
        "POST", f"{futures.prefix}/algoOrder", **terms, quantity=futures.size, triggerPrice="50001", clientAlgoId="stop"
    )
    assert kinds(user) == [("ALGO_UPDATE", "NEW")]
    exchange = futures.exchanges[futures.segment]
    tick = exchange.listing(futures.symbol).tick_size
    exchange.market_trade(futures.symbol, Side.BUY, SIZES[futures.segment] * 100, D("50000") + 15 * tick)
    exchange.set_mark(futures.symbol, D("50002"))
    if D("50000") + 15 * tick < 50_001:
        exchange.market_trade(futures.symbol, Side.BUY, SIZES[futures.segment], D("50001"), takes=False)
    news = kinds(user)
    assert news[0] == ("ALGO_UPDATE", "TRIGGERED")
    assert news[1] == ("ORDER_TRADE_UPDATE", "NEW", "NEW")
    assert ("ORDER_TRADE_UPDATE", "TRADE", "FILLED") in news
    assert news[-1] == ("ALGO_UPDATE", "FINISHED")
    done = client.ok("GET", f"{futures.prefix}/algoOrder", algoId=placed["algoId"])
    assert (done["algoStatus"], done["clientAlgoId"]) == ("FINISHED", "stop")
    child = client.ok("GET", f"{futures.prefix}/order", symbol=futures.symbol, orderId=int(done["actualOrderId"]))
    assert child["status"] == "FILLED"


def test_a_listen_key_is_good_for_an_hour_and_longer_when_it_is_kept_alive(futures):
    client = futures.client()
    key, user = listen_futures(futures, client)
    path = f"{futures.prefix}/listenKey"
    assert client.ok("POST", path)["listenKey"] == key
    futures.step(59 * 60_000)
    assert client.ok("PUT", path) == {"listenKey": key}
    futures.step(59 * 60_000)
    assert [one for one in kinds(user) if one == "listenKeyExpired"] == []
    futures.step(2 * 60_000)
    over = [one for one in user.taken() if one["e"] == "listenKeyExpired"]
    assert [one["listenKey"] for one in over] == [key]
    client.ok(
        "POST", f"{futures.prefix}/order", symbol=futures.symbol, side="BUY", type="MARKET", quantity=futures.size
    )
    assert user.taken() == []
    assert client.put(path) == (400, {"code": -1125, "msg": "This listenKey does not exist."})
    assert client.ok("POST", path)["listenKey"] != key


def test_a_listen_key_that_is_taken_back_opens_nothing(futures):
    client = futures.client()
    key, user = listen_futures(futures, client)
    assert client.ok("DELETE", f"{futures.prefix}/listenKey") == {}
    late = futures.socket(
        "/private/ws" if futures.segment is Segment.LINEAR else "/dstream.binance.com/ws", f"listenKey={key}"
    )
    client.ok(
        "POST", f"{futures.prefix}/order", symbol=futures.symbol, side="BUY", type="MARKET", quantity=futures.size
    )
    assert late.taken() == []
    assert user is not late


def test_a_private_connection_may_ask_for_some_events_alone():
    box = Box((Segment.LINEAR,))
    box.segment, box.prefix = Segment.LINEAR, "/fapi/v1"
    client = box.client()
    _, user = listen_futures(box, client, "&events=ACCOUNT_UPDATE/TRADE_LITE")
    client.ok("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
    assert set(kinds(user)) == {"ACCOUNT_UPDATE", "TRADE_LITE"}


def test_funding_is_told_as_a_balance_without_positions_in_cross_margin(futures):
    client = futures.client()
    _, user = listen_futures(futures, client)
    client.ok(
        "POST", f"{futures.prefix}/order", symbol=futures.symbol, side="BUY", type="MARKET", quantity=futures.size
    )
    user.taken()
    futures.exchanges[futures.segment].settle_funding(futures.symbol, D("0.001"))
    futures.dialect.on_timer()
    update = user.taken()[-1]["a"]
    assert (update["m"], update["P"]) == ("FUNDING_FEE", [])
    assert D(update["B"][0]["bc"]) < 0
    rows = client.ok("GET", f"{futures.prefix}/income", incomeType="FUNDING_FEE")
    assert D(rows[0]["income"]) == D(update["B"][0]["bc"])
