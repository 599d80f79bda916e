"""What USD-M and COIN-M say has the keys, types and number forms of what the venue said."""

from __future__ import annotations

import json

import msgspec
import pytest
import shapes
from venue_box import MS, START, Box, D, Segment

from cambist.model import OrderType, Side, TimeInForce
from cambist_simulator.dialects.binance.futures_encode import order_trade_update
from cambist_simulator.dialects.binance.listings import default_listings
from cambist_simulator.exchange.events import OrderChanged
from cambist_simulator.exchange.orders import Execution, ExecutionType, OrderTerms, Status, VenueOrder

#: Acknowledgements have had neither average price nor cumulative money since July 2026.
_ACK = {"-avgPrice", "-cumQuote"}
#: COIN-M has had the fields of USD-M since both share a back end, mid 2026.
_INTEGRATED = {"+goodTillDate", "+priceMatch", "+selfTradePreventionMode"}
#: What user events have had for long, and the recordings (of a client that drops what it does not read) lack.
_DROPPED = {"+o.er", "+o.gtd", "+o.pm"}
#: Shown for trailing stops alone, which live in the algo service now.
_TRAILING = {"-o.AP", "-o.cr"}

#: What is different on purpose, and why.
EXPECTED = {
    "usdm_rest_new_order": _ACK | {"-activatePrice", "-priceRate"},
    "usdm_rest_cancel_order": {"-cumQuote", "-activatePrice", "-priceRate"},
    "usdm_rest_query_order": {"-activatePrice", "-priceRate"},
    # Recorded from COIN-M's documentation under the name of USD-M.
    "usdm_rest_modify_order": {"-avgPrice", "-cumBase", "-pair"},
    "usdm_rest_batch_new": _ACK | {"-activatePrice", "-priceRate", "+closePosition"},
    "coinm_rest_new_order": {"-avgPrice", "-cumBase", "-activatePrice", "-priceRate"} | _INTEGRATED,
    "coinm_rest_query_order": {"-activatePrice", "-priceRate", "+positionSide"} | _INTEGRATED,
    "usdm_user_order_new": _DROPPED | _TRAILING | {"-o.N", "-o.n"},
    "usdm_user_order_partial": _DROPPED | _TRAILING,
    "usdm_user_order_filled": _DROPPED | _TRAILING,
    # Recorded before there were break-even prices.
    "usdm_rest_position_risk_one_way": {"+breakEvenPrice", "+isolatedWallet", "+notional"},
    "usdm_rest_exchange_info": {"+symbols.maxMoveOrderLimit", "+symbols.permissionSets"},
    # Maintenance amounts have decimals; the documented one is zero.
    "usdm_rest_leverage_bracket": {"brackets.cum: integer not float"},
    # Quantity without retail price improvement came with those orders, 2025.
    "usdm_ws_agg_trade": {"+nq"},
    # The recording calls the stream "123".
    "usdm_user_account_config": {"stream: number in text not text"},
    "usdm_user_margin_call": {"stream: number in text not text"},
}


@pytest.fixture(scope="module")
def said():
    """What the venue says in one session, by the name of the recording it is to be like."""
    box = Box((Segment.LINEAR, Segment.INVERSE))
    said = {}
    usdm(box, said)
    coinm(box, said)
    return said


def usdm(box, said):
    client = box.client()

    def ask(name, method, path, **params):
        said[f"usdm_rest_{name}"] = answer = client.ok(method, f"/fapi/{path}", **params)
        return answer

    key = ask("listen_key", "POST", "v1/listenKey")["listenKey"]
    user = box.socket("/private/ws", f"listenKey={key}")
    combined = box.socket("/private/stream", f"listenKey={key}")
    book = box.socket("/public/stream", "streams=btcusdt@depth@100ms/btcusdt@bookTicker")
    market = box.socket("/market/ws")
    names = ["aggTrade", "kline_1m", "markPrice@1s", "forceOrder"]
    market.say(method="SUBSCRIBE", params=[f"btcusdt@{one}" for one in names], id=1)
    terms = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    order = ask("new_order", "POST", "v1/order", **terms, quantity="0.010", price="49000")
    said["usdm_user_order_new"] = user.taken()[-1]
    number = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    ask("query_order", "GET", "v1/order", **number)
    ask("modify_order", "PUT", "v1/order", **number, side="BUY", quantity="0.011", price="49001")
    ask("cancel_order", "DELETE", "v1/order", **number)
    reduce = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01", "reduceOnly": "true"}
    rows = [terms | {"quantity": "0.01", "price": "48000"}, reduce]
    batch = ask("batch_new", "POST", "v1/batchOrders", batchOrders=json.dumps(rows))
    assert batch[1] == shapes.recorded("usdm_rest_batch_new")[1]
    ask("cancel_all", "DELETE", "v1/allOpenOrders", symbol="BTCUSDT")
    ask("countdown_cancel_all", "POST", "v1/countdownCancelAll", symbol="BTCUSDT", countdownTime="100000")
    user.taken()
    client.ok("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1.500")
    events = user.taken()
    said["usdm_user_trade_lite"] = next(one for one in events if one["e"] == "TRADE_LITE")
    said["usdm_user_account_update"] = next(one for one in events if one["e"] == "ACCOUNT_UPDATE")
    fills = [one for one in events if one["e"] == "ORDER_TRADE_UPDATE" and one["o"]["x"] == "TRADE"]
    said["usdm_user_order_partial"], said["usdm_user_order_filled"] = fills[0], fills[-1]
    ask("user_trades", "GET", "v1/userTrades", symbol="BTCUSDT")
    algo = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "TAKE_PROFIT", "quantity": "0.01"}
    algo |= {"price": "52000.00", "triggerPrice": "51000.00", "timeInForce": "GTC"}
    placed = ask("algo_order_new", "POST", "v1/algoOrder", **algo)
    said["usdm_user_algo_new"] = user.taken()[-1]
    ask("algo_open_orders", "GET", "v1/openAlgoOrders")
    ask("algo_order_cancel", "DELETE", "v1/algoOrder", algoId=placed["algoId"])
    said["usdm_user_algo_canceled"] = user.taken()[-1]
    for name, path, params in (
        ("account_v3", "v3/account", {}),
        ("balance", "v3/balance", {}),
        ("commission_rate", "v1/commissionRate", {"symbol": "BTCUSDT"}),
        ("exchange_info", "v1/exchangeInfo", {}),
        ("leverage_bracket", "v1/leverageBracket", {}),
        ("position_risk_one_way", "v2/positionRisk", {"symbol": "BTCUSDT"}),
        ("position_risk_v3", "v2/positionRisk", {"symbol": "BTCUSDT"}),
        ("premium_index", "v1/premiumIndex", {"symbol": "BTCUSDT"}),
        ("symbol_config", "v1/symbolConfig", {}),
        ("depth", "v1/depth", {"symbol": "BTCUSDT", "limit": 5}),
    ):
        ask(name, "GET", path, **params)
    combined.taken()
    client.ok("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=25)
    said["usdm_user_account_config"] = combined.taken()[-1]
    box.step(1_100)
    said["usdm_ws_depth"] = next(one["data"] for one in book.taken() if one["data"]["e"] == "depthUpdate")
    client.ok("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
    said["usdm_ws_book_ticker"] = next(one["data"] for one in book.taken() if one["data"]["e"] == "bookTicker")
    seen = {one["e"]: one for one in market.taken() if "e" in one}
    said["usdm_ws_agg_trade"], said["usdm_ws_mark_price"] = seen["aggTrade"], seen["markPriceUpdate"]
    liquidate(box, said)
    box.step(60_000)
    said["usdm_ws_kline_closed"] = next(one for one in market.taken() if one.get("k", {}).get("x"))
    box.dialect.apply("expire_listen_keys", {})
    said["usdm_user_listen_key_expired"] = user.taken()[-1]


def liquidate(box, said):
    """Let somebody with too little money be warned, then be liquidated."""
    exchange = box.exchanges[Segment.LINEAR]
    poor = box.users.add("poor")
    exchange.deposit(poor, "USDT", D("300"))
    client = box.client(poor)
    key = client.ok("POST", "/fapi/v1/listenKey")["listenKey"]
    user = box.socket("/private/stream", f"listenKey={key}")
    market = box.socket("/market/ws")
    market.say(method="SUBSCRIBE", params=["btcusdt@forceOrder"], id=1)
    client.ok("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.050")
    mark = D("50000")
    while "usdm_ws_force_order" not in said:
        mark -= 10
        assert mark > 30_000
        exchange.set_mark("BTCUSDT", mark)
        exchange.set_level("BTCUSDT", Side.BUY, mark, D("10"))
        for one in user.taken():
            if one["data"]["e"] == "MARGIN_CALL":
                said["usdm_user_margin_call"] = one
        for one in market.taken():
            said["usdm_ws_force_order"] = one


def coinm(box, said):
    client = box.client()

    def ask(name, method, path, **params):
        said[f"coinm_rest_{name}"] = answer = client.ok(method, f"/dapi/{path}", **params)
        return answer

    terms = {"symbol": "BTCUSD_PERP", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    order = ask("new_order", "POST", "v1/order", **terms, quantity="5", price="49000")
    ask("query_order", "GET", "v1/order", symbol="BTCUSD_PERP", orderId=order["orderId"])
    client.ok("POST", "/dapi/v1/order", symbol="BTCUSD_PERP", side="BUY", type="MARKET", quantity="10")
    for name, path, params in (
        ("user_trades", "v1/userTrades", {"symbol": "BTCUSD_PERP"}),
        ("balance", "v1/balance", {}),
        ("exchange_info", "v1/exchangeInfo", {}),
        ("position_risk", "v1/positionRisk", {"pair": "BTCUSD"}),
    ):
        ask(name, "GET", path, **params)
    ask("countdown_cancel_all", "POST", "v1/countdownCancelAll", symbol="BTCUSD_PERP", countdownTime="100000")


NAMES = """
usdm_rest_account_v3 usdm_rest_algo_open_orders usdm_rest_algo_order_cancel usdm_rest_algo_order_new usdm_rest_balance
usdm_rest_batch_new usdm_rest_cancel_all usdm_rest_cancel_order usdm_rest_commission_rate
usdm_rest_countdown_cancel_all usdm_rest_depth usdm_rest_exchange_info usdm_rest_leverage_bracket usdm_rest_listen_key
usdm_rest_modify_order usdm_rest_new_order usdm_rest_position_risk_one_way usdm_rest_position_risk_v3
usdm_rest_premium_index usdm_rest_query_order usdm_rest_symbol_config usdm_rest_user_trades usdm_user_account_config
usdm_user_account_update usdm_user_algo_canceled usdm_user_algo_new usdm_user_listen_key_expired usdm_user_margin_call
usdm_user_order_filled usdm_user_order_new usdm_user_order_partial usdm_user_trade_lite usdm_ws_agg_trade
usdm_ws_book_ticker usdm_ws_depth usdm_ws_force_order usdm_ws_kline_closed usdm_ws_mark_price
coinm_rest_balance coinm_rest_countdown_cancel_all coinm_rest_exchange_info coinm_rest_new_order
coinm_rest_position_risk coinm_rest_query_order coinm_rest_user_trades
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_a_message_is_like_the_recorded_one(said, name):
    theirs = shapes.recorded(name)
    assert shapes.differences(theirs, said[name]) == EXPECTED.get(name, set())


@pytest.mark.parametrize(
    ("name", "segment", "system", "what", "side", "position"),
    [
        ("usdm_user_order_adl", Segment.LINEAR, "adl", ExecutionType.CALCULATED, Side.BUY, "short"),
        ("coinm_user_order_delivery", Segment.INVERSE, "settlement", ExecutionType.TRADE, Side.SELL, "long"),
    ],
)
def test_an_order_of_the_venue_itself_is_like_the_recorded_one(name, segment, system, what, side, position):
    listing = default_listings(segment)[0]
    terms = OrderTerms(
        symbol=listing.symbol,
        side=side,
        type=OrderType.LIMIT,
        size=D("5"),
        price=D("42000"),
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        position_side=position,
    )
    one = Execution(
        trade_id=12,
        order_id=7,
        symbol=listing.symbol,
        side=side,
        size=D("5"),
        price=D("42000"),
        quote=D("5"),
        fee=D("0.1"),
        fee_asset=listing.settle,
        maker=False,
        at=START,
        profit=D("-2.5"),
        position_side=position,
    )
    order = VenueOrder(
        id=7,
        user="u",
        terms=terms,
        status=Status.FILLED,
        size=D("5"),
        price=D("42000"),
        filled=D("5"),
        price_filled=D("210000"),
        system=system,
        client_id="",
        executions=[one],
    )
    event = OrderChanged(at=START, order=order, what=what, execution=one)
    ours = json.loads(msgspec.json.encode(order_trade_update(event, listing, segment, now=START // MS)))
    theirs = shapes.recorded(name)
    missing = _TRAILING if segment is Segment.LINEAR else _TRAILING | {"+o.N", "+o.n", "+o.ma"}
    assert shapes.differences(theirs, ours) == _DROPPED | missing
    assert ours["o"]["c"].startswith({"adl": "adl_autoclose", "settlement": "settlement_autoclose-"}[system])
    if system == "adl":
        assert (ours["o"]["x"], ours["o"]["X"]) == (theirs["o"]["x"], theirs["o"]["X"])


def test_errors_have_the_recorded_codes_and_texts():
    known = {
        one["body"]["code"]: (one["http"], one["body"]["msg"], one["headers"]) for one in shapes.recorded("rest_errors")
    }
    box = Box((Segment.SPOT,))
    client = box.client()
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "49000"}
    for code, (status, answer) in {
        -2010: client.post("/api/v3/order", **order, quantity="100"),
        -1021: client.get("/api/v3/account", timestamp=1),
        -2011: client.delete("/api/v3/order", symbol="BTCUSDT", orderId=9),
        -2013: client.get("/api/v3/order", symbol="BTCUSDT", orderId=9),
        -1013: client.post("/api/v3/order", **order, quantity="0.00001"),
    }.items():
        assert (status, answer["msg"]) == known[code][:2]
    for status, code in ((503, -1008), (504, -1007)):
        answer = json.loads(box.dialect.failure(status).body)
        assert (answer["code"], answer["msg"]) == (code, known[code][1])
