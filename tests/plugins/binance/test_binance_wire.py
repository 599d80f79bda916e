"""Every recorded message of the venue, read by our parsers; its own fields, as exact decimals, are the judge."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from payloads import BTC, MS, NAMES, SYMBOLS, content, needs_payloads, raw

from cambist.model import Liquidity, OrderType, ReportedStatus, Side, Timeframe
from cambist_binance.hosts import Market
from cambist_binance.wire import answers, futures, info, market, order_lists, spot

pytestmark = needs_payloads

#: What a session never asks or listens to; each is one less thing that can break.
NOT_READ = {
    "coinm_rest_countdown_cancel_all",
    "spot_rest_agg_trades",
    "spot_rest_cancel_replace_failed",
    "spot_rest_cancel_replace_ok",
    "spot_rest_commission",
    "spot_rest_rate_limit_order",
    "spot_rest_ticker_24h",
    "spot_user_balance_update",
    "spot_user_external_lock",
    "spot_user_list_status",
    "spot_user_stream_terminated",
    "spot_ws_mini_ticker",
    "spot_ws_partial_depth",
    "spot_ws_ticker",
    "spot_wsapi_session_logon_response",
    "spot_wsapi_subscribe_signature_request",
    "usdm_rest_account_v3",
    "usdm_rest_batch_new",
    "usdm_rest_cancel_all",
    "usdm_rest_commission_rate",
    "usdm_rest_countdown_cancel_all",
    "usdm_rest_leverage_bracket",
    "usdm_rest_premium_index",
    "usdm_rest_symbol_config",
    "usdm_user_account_config",
    "usdm_user_listen_key_expired",
    "usdm_user_margin_call",
    "usdm_user_trade_lite",
    "usdm_ws_force_order",
    "usdm_ws_mark_price",
}
READ: set[str] = set()


def read(*names):
    """Parametrize a test over files, and note them."""
    READ.update(names)
    return pytest.mark.parametrize("name", names)


def unwrap(name):
    """The event of a file, without the envelope of a combined stream or of the WebSocket API."""
    told = content(name)
    return told.get("event") or (told.get("data") if "stream" in told else None) or told


def body(event):
    return json.dumps(event, default=str).encode()


def side(word):
    return {"BUY": Side.BUY, "SELL": Side.SELL}[word]


def ours(symbol):
    return "BTC/USDT" if symbol == "BTCUSDT" else symbol


def quoted(value):
    """The same message with all numbers as text, as some recorders write them."""
    if isinstance(value, dict):
        return {name: quoted(one) for name, one in value.items()}
    if isinstance(value, list):
        return [quoted(one) for one in value]
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


# Orders and executions of streams.

SPOT_EVENTS = [name for name in NAMES if name.startswith("spot_user_execution_report")]
FUTURES_EVENTS = [name for name in NAMES if "user_order_" in name]


@read(*SPOT_EVENTS)
def test_execution_report(name):
    event = unwrap(name)
    for message in (event, quoted(event)):
        fill, order = spot.execution_of(body(message), SYMBOLS)
        assert order.symbol == ours(event["s"])
        assert order.client_id == (event["C"] or event["c"])
        assert (order.venue_id, order.side, order.ts) == (str(event["i"]), side(event["S"]), event["T"] * MS)
        assert (order.size, order.filled) == (Decimal(event["q"]), Decimal(event["z"]))
        assert order.limit_price == (Decimal(event["p"]) or None)
        assert order.stop_price == (Decimal(event["P"]) or None)
        traded = event["x"] == "TRADE"
        assert (fill is not None) is traded
        if traded:
            assert (fill.trade_id, fill.size, fill.price) == (str(event["t"]), Decimal(event["l"]), Decimal(event["L"]))
            assert (fill.fee, fill.fee_asset) == (Decimal(event["n"]), event["N"])
            assert fill.liquidity is (Liquidity.MAKER if event["m"] else Liquidity.TAKER)


def test_states_of_execution_reports():
    told = {name.rpartition("_")[2]: spot.execution_of(body(unwrap(name)), SYMBOLS)[1] for name in SPOT_EVENTS}
    assert told["new"].status is ReportedStatus.OPEN
    assert told["canceled"].status is ReportedStatus.CANCELED
    assert told["expired"].status is ReportedStatus.EXPIRED
    assert told["rejected"].status is ReportedStatus.REJECTED
    assert unwrap("spot_user_execution_report_stop_loss")["o"] == "STOP_LOSS_LIMIT"
    assert told["loss"].type is OrderType.STOP_LIMIT
    assert told["loss"].stop_price


@read(*FUTURES_EVENTS)
def test_order_trade_update(name):
    event = unwrap(name)
    one = event["o"]
    for message in (event, quoted(event)):
        fill, order = futures.trade_update_of(body(message), SYMBOLS)
        assert (order.symbol, order.client_id, order.venue_id) == (ours(one["s"]), one["c"], str(one["i"]))
        assert (order.size, order.filled, order.ts) == (Decimal(one["q"]), Decimal(one["z"]), one["T"] * MS)
        assert order.limit_price == (Decimal(one["p"]) or None)
        assert order.reduce_only is one["R"]
        assert (fill is not None) is (one["x"] in {"TRADE", "CALCULATED"})
        if fill is not None:
            assert (fill.trade_id, fill.size, fill.price) == (str(one["t"]), Decimal(one["l"]), Decimal(one["L"]))
            assert (fill.fee, fill.fee_asset) == (Decimal(one.get("n", 0)), one.get("N", ""))


@read("spot_rest_cancel_open_orders")
def test_a_list_that_was_canceled_is_told_of_order_by_order(name):
    recorded = next(one for one in content(name) if "orderReports" in one)
    answer = order_lists.decode_canceled(body(recorded))
    for one in recorded["orderReports"]:
        report = order_lists.report_of_canceled(answer, SYMBOLS, one["origClientOrderId"], "")
        assert (report.venue_id, report.status) == (str(one["orderId"]), ReportedStatus.CANCELED)
        assert order_lists.report_of_canceled(answer, SYMBOLS, "", str(one["orderId"])) == report
    assert order_lists.report_of_canceled(answer, SYMBOLS, "another", "") is None


def test_orders_that_the_venue_made_itself():
    _, adl = futures.trade_update_of(raw("usdm_user_order_adl"), SYMBOLS)
    # Its state is one that no table has: what was filled decides.
    assert (adl.system, adl.status) == ("adl", ReportedStatus.FILLED)
    fill, delivery = futures.trade_update_of(raw("coinm_user_order_delivery"), SYMBOLS)
    assert (delivery.system, delivery.status, fill.system) == ("settlement", ReportedStatus.FILLED, "settlement")


@read("usdm_user_algo_new", "usdm_user_algo_canceled")
def test_algo_update(name):
    one = content(name)["o"]
    order, child = futures.algo_update_of(raw(name), SYMBOLS)
    assert (order.client_id, order.venue_id, child) == (one["caid"], f"algo:{one['aid']}", one["ai"])
    assert (order.size, order.limit_price, order.stop_price) == (
        Decimal(one["q"]),
        Decimal(one["p"]) or None,
        Decimal(one["tp"]),
    )
    assert order.type is {"TAKE_PROFIT": OrderType.LIMIT_IF_TOUCHED, "STOP_MARKET": OrderType.STOP}[one["o"]]
    assert order.status is {"NEW": ReportedStatus.OPEN, "CANCELED": ReportedStatus.CANCELED}[one["X"]]


# Orders and executions of requests.

SPOT_ORDERS = ["spot_rest_new_order_ack", "spot_rest_new_order_full", "spot_rest_new_order_result"]
SPOT_ORDERS += ["spot_rest_query_order", "spot_rest_cancel_order", "spot_wsapi_order_place_ok"]
FUTURES_ORDERS = ["usdm_rest_new_order", "usdm_rest_query_order", "usdm_rest_cancel_order", "usdm_rest_modify_order"]
FUTURES_ORDERS += ["coinm_rest_new_order", "coinm_rest_query_order"]


def check_order(report, one):
    assert (report.symbol, report.venue_id) == (ours(one["symbol"]), str(one["orderId"]))
    assert report.client_id == (one.get("origClientOrderId") or one["clientOrderId"])
    if "origQty" in one:
        assert (report.size, report.filled) == (Decimal(one["origQty"]), Decimal(one["executedQty"]))
        assert report.limit_price == (Decimal(one["price"]) or None)
        assert report.side is side(one["side"])
        assert (
            report.status
            is {
                "NEW": ReportedStatus.OPEN,
                "PARTIALLY_FILLED": ReportedStatus.OPEN,
                "FILLED": ReportedStatus.FILLED,
                "CANCELED": ReportedStatus.CANCELED,
            }[one["status"]]
        )


@read(*SPOT_ORDERS)
def test_spot_orders(name):
    one = content(name)
    one = one.get("result", one)
    check_order(spot.order_of(spot.decode_order(body(one)), SYMBOLS), one)


@read("spot_rest_open_orders")
def test_open_spot_orders(name):
    for report, one in zip(spot.decode_orders(raw(name)), content(name), strict=True):
        check_order(spot.order_of(report, SYMBOLS), one)


@read("spot_rest_amend_keep_priority")
def test_an_amended_spot_order(name):
    one = content(name)["amendedOrder"] | {"side": "SELL"}
    order = spot.order_of(spot.decode_order(body(one | {"origQty": str(one["qty"])})), SYMBOLS)
    assert (order.size, order.limit_price) == (Decimal(one["qty"]), Decimal(one["price"]))


@read(*FUTURES_ORDERS)
def test_futures_orders(name):
    one = content(name)
    check_order(futures.order_of(futures.decode_order(raw(name)), SYMBOLS), one)


@read("usdm_rest_algo_order_new", "usdm_rest_algo_order_cancel", "usdm_rest_algo_open_orders")
def test_conditional_orders(name):
    told = content(name)
    listed = told if isinstance(told, list) else [told]
    for one in listed:
        report = futures.algo_of(futures.decode_algo(body(one)), SYMBOLS)
        assert (report.client_id, report.venue_id) == (one["clientAlgoId"], f"algo:{one['algoId']}")
        assert (report.size, report.stop_price) == (Decimal(one["quantity"]), Decimal(one["triggerPrice"]))
        assert report.position_side == {"BOTH": "", "LONG": "long", "SHORT": "short"}[one["positionSide"]]
        ends = one["algoStatus"] == "CANCELED"
        assert report.status is (ReportedStatus.CANCELED if ends else ReportedStatus.OPEN)


@read("spot_rest_my_trades", "usdm_rest_user_trades", "coinm_rest_user_trades")
def test_executions_of_requests(name):
    wire = spot if name.startswith("spot") else futures
    for row, one in zip(wire.decode_trades(raw(name)), content(name), strict=True):
        fill = wire.fill_of(row, SYMBOLS)
        assert (fill.trade_id, fill.venue_id, fill.ts) == (str(one["id"]), str(one["orderId"]), one["time"] * MS)
        assert (fill.size, fill.price) == (Decimal(one["qty"]), Decimal(one["price"]))
        assert (fill.fee, fill.fee_asset) == (Decimal(one["commission"]), one["commissionAsset"])
        buys = one["isBuyer"] if "isBuyer" in one else one["buyer"]
        assert fill.side is (Side.BUY if buys else Side.SELL)
        makes = one["isMaker"] if "isMaker" in one else one["maker"]
        assert (fill.liquidity is Liquidity.MAKER) is makes


# The account.


@read("spot_rest_account")
def test_spot_balances(name):
    report = spot.account_of(spot.decode_account(raw(name)), 5)
    assert {(one.asset, one.total, one.free) for one in report.balances} == {
        (one["asset"], Decimal(one["free"]) + Decimal(one["locked"]), Decimal(one["free"]))
        for one in content(name)["balances"]
    }
    assert (report.complete, report.ts) == (True, 5)


@read("spot_user_account_position")
def test_account_position(name):
    event = unwrap(name)
    report = spot.position_of(body(event))
    assert [(one.asset, one.total, one.free) for one in report.balances] == [
        (one["a"], Decimal(one["f"]) + Decimal(one["l"]), Decimal(one["f"])) for one in event["B"]
    ]
    assert (report.complete, report.ts) == (False, event["u"] * MS)


@read("usdm_rest_balance", "coinm_rest_balance")
def test_futures_balances(name):
    report = futures.account_of(futures.decode_balances(raw(name)), [], SYMBOLS, 5)
    assert [(one.asset, one.total, one.free) for one in report.balances] == [
        (one["asset"], Decimal(one["balance"]), Decimal(one["availableBalance"])) for one in content(name)
    ]


@read("usdm_rest_position_risk_one_way", "usdm_rest_position_risk_v3", "coinm_rest_position_risk")
def test_positions(name):
    report = futures.account_of([], futures.decode_positions(raw(name)), SYMBOLS, 5)
    held = [one for one in content(name) if Decimal(one["positionAmt"])]
    assert [(one.symbol, one.size, one.entry_price) for one in report.positions] == [
        (ours(one["symbol"]), Decimal(one["positionAmt"]), Decimal(one["entryPrice"])) for one in held
    ]
    for position, one in zip(report.positions, held, strict=True):
        assert position.liquidation_price == (Decimal(one["liquidationPrice"]) or None)


@read("usdm_user_account_update")
def test_account_update(name):
    event = content(name)
    report = futures.account_update_of(raw(name), SYMBOLS)
    assert [(one.asset, one.total) for one in report.balances] == [(b["a"], Decimal(b["wb"])) for b in event["a"]["B"]]
    assert [(one.size, one.entry_price, one.isolated) for one in report.positions] == [
        (Decimal(p["pa"]), Decimal(p["ep"]), p["mt"] == "isolated") for p in event["a"]["P"]
    ]
    assert not report.complete


# Answers.


@read("rest_errors")
def test_errors(name):
    for one in content(name):
        if isinstance(one["body"], dict) and "code" in one["body"]:
            error = answers.decode_error(body(one["body"]))
            assert (error.code, error.msg) == (one["body"]["code"], one["body"]["msg"])


@read("spot_wsapi_order_place_error", "spot_wsapi_subscribe_signature_response")
def test_frames_of_the_websocket_api(name):
    told = content(name)
    frame = answers.decode_frame(raw(name))
    assert (frame.id, frame.status) == (told["id"], told["status"])
    if "error" in told:
        assert (frame.error.code, frame.error.msg) == (told["error"]["code"], told["error"]["msg"])
    else:
        assert json.loads(bytes(frame.result)) == told["result"]
    letters = {"SECOND": "s", "MINUTE": "m", "DAY": "d"}
    kinds = {"ORDERS": "orders", "REQUEST_WEIGHT": "weight"}
    assert answers.used_up(frame.rate_limits) == {
        f"{kinds[one['rateLimitType']]}-{one['intervalNum']}{letters[one['interval']]}": one["count"]
        for one in told.get("rateLimits", [])
    }


@read("usdm_rest_listen_key")
def test_listen_key(name):
    assert answers.decode_listen_key(raw(name)) == content(name)["listenKey"]


@read("spot_rest_time")
def test_time(name):
    assert answers.decode_time(raw(name)).server_time == content(name)["serverTime"]


@read("spot_rest_exchange_info", "spot_rest_exchange_info_small", "usdm_rest_exchange_info", "coinm_rest_exchange_info")
def test_exchange_info(name):
    where = Market(name.partition("_")[0])
    told = content(name)
    symbols = info.symbols_of(info.decode_info(raw(name)), where)
    traded = {
        one["symbol"]: one for one in told["symbols"] if (one.get("status") or one["contractStatus"]) == "TRADING"
    }
    assert set(symbols.by_venue) == set(traded)
    for symbol, one in traded.items():
        instrument = symbols.by_venue[symbol]
        rules = {rule["filterType"]: rule for rule in one["filters"]}
        assert instrument.tick_size == Decimal(rules["PRICE_FILTER"]["tickSize"])
        assert instrument.step_size == Decimal(rules["LOT_SIZE"]["stepSize"])
        assert instrument.min_size == (Decimal(rules["LOT_SIZE"]["minQty"]) or None)
        assert instrument.symbol.startswith(f"{one['baseAsset']}/{one['quoteAsset']}")
        if where is Market.COINM:
            assert instrument.multiplier == float(one["contractSize"])
            assert instrument.settle == one["marginAsset"]
    assert len({one.symbol for one in symbols.instruments}) == len(traded)
    assert {window.limit for window in info.windows_of(info.decode_info(raw(name)).rate_limits)} == {
        one["limit"] for one in told.get("rateLimits", [])
    }


# The market.


@read("spot_ws_kline", "usdm_ws_kline_closed")
def test_kline(name):
    k = unwrap(name)["k"]
    for message in (unwrap(name), quoted(unwrap(name))):
        report = market.bar_of(body(message), BTC, Timeframe.parse("1m"))
        bar = report.bar
        assert (bar.ts, report.final) == (k["t"] * MS, k["x"])
        assert [bar.open, bar.high, bar.low, bar.close, bar.volume] == [float(k[letter]) for letter in "ohlcv"]


@read("spot_ws_trade", "spot_ws_agg_trade", "usdm_ws_agg_trade")
def test_trades(name):
    event = unwrap(name)
    tick, number = market.tick_of(body(event), BTC)
    assert (tick.ts, tick.price, tick.size) == (event["T"] * MS, float(event["p"]), float(event["q"]))
    assert number == event["t" if event["e"] == "trade" else "a"]
    assert tick.side is (Side.SELL if event["m"] else Side.BUY)


@read("spot_ws_book_ticker", "usdm_ws_book_ticker")
def test_book_ticker(name):
    event = unwrap(name)
    quote, number = market.quote_of(body(event), BTC, 77)
    assert number == event["u"]
    assert quote.ts == (event["T"] * MS if "T" in event else 77)
    assert [quote.bid, quote.bid_size, quote.ask, quote.ask_size] == [float(event[letter]) for letter in "bBaA"]


@read("spot_ws_depth_diff", "usdm_ws_depth")
def test_depth(name):
    event = unwrap(name)
    update = market.decode_depth(body(event))
    assert (update.first, update.last, update.previous) == (event["U"], event["u"], event.get("pu"))
    assert update.bids == [tuple(map(float, level)) for level in event["b"]]
    assert update.asks == [tuple(map(float, level)) for level in event["a"]]


@read("usdm_rest_depth")
def test_depth_snapshot(name):
    told = content(name)
    snapshot = market.decode_snapshot(raw(name))
    assert (snapshot.last, snapshot.at) == (told["lastUpdateId"], told["E"])
    assert snapshot.asks == [tuple(map(float, level)) for level in told["asks"]]


@read("spot_rest_klines")
def test_klines(name):
    bars = market.bars_of(market.decode_klines(raw(name)), BTC, Timeframe.parse("1m"))
    rows = content(name)
    assert bars.ts.tolist() == [int(row[0]) * MS for row in rows]
    assert bars.close.tolist() == [float(row[4]) for row in rows]
    assert bars.volume.tolist() == [float(row[5]) for row in rows]


@read("usdm_rec_kline_aggtrade_sushiusdt")
def test_a_recorded_stream(name):
    last, bars = 0, {}
    for one in content(name):
        envelope = market.decode_envelope(body(one["msg"]))
        assert envelope.stream == one["msg"]["stream"]
        if "aggTrade" in envelope.stream:
            _tick, number = market.tick_of(envelope.data, BTC)
            assert last in {0, number - 1}
            last = number
        else:
            report = market.bar_of(envelope.data, BTC, Timeframe.parse("1m"))
            bars[report.bar.ts] = report
    first, second = bars.values()
    assert (first.final, second.final) == (True, False)


@read("spot_ws_control")
def test_control_messages(name):
    frames = [market.decode_envelope(body(one["msg"])) for one in content(name) if one["dir"] == "in"]
    assert [frame.id for frame in frames[:3]] == [1, 312, 3]
    assert [frame.code for frame in frames] == [None, None, None, 2, None, None]
    assert frames[4].e == "serverShutdown"
    assert frames[5].stream == "!serverShutdown"


def test_every_recorded_message_is_read_or_known_not_to_be():
    books = {name for name in NAMES if "book_sync" in name}  # test_binance_books
    assert set(NAMES) - books - NOT_READ - READ == set()
    assert READ - set(NAMES) == set()
