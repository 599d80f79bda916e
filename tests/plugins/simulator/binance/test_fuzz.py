"""Whatever comes in, the answer is the venue's: no exception of ours, no answer of 500."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from venue_box import Box, sign

_WORDS = """
BTCUSDT BTCUSD_PERP BUY SELL LIMIT MARKET STOP_MARKET STOP_LOSS_LIMIT GTC GTD 0 1 0.01 50000 -1 1e400 NaN Infinity true
[] {} [[[[ % %zz é 🙂 null CONDITIONAL LIMIT_MAKER TRAILING_STOP_MARKET 1m STOP_ON_FAILURE BOTH LONG ISOLATED
UMFUTURE_MAIN ["BTCUSDT"] [{"symbol":"BTCUSDT"}] [1,2] 00000000000000000000000000 999999999999999999999999999999999999
"""
_JUNK = st.one_of(
    st.text(max_size=20),
    st.sampled_from([*_WORDS.split(), "\x00", "[" * 2_000]),
    st.integers().map(str),
    st.decimals().map(str),
)
_NAMES = """
symbol symbols side type timeInForce quantity price stopPrice orderId interval origClientOrderId newClientOrderId limit
startTime endTime fromId leverage marginType amount positionSide batchOrders orderIdList countdownTime algoType
triggerPrice algoId quoteOrderQty icebergQty trailingDelta cancelReplaceMode cancelOrderId newQty callbackRate aboveType
belowType abovePrice belowStopPrice workingType workingSide pendingType asset recvWindow goodTillDate closePosition
reduceOnly dualSidePosition pair newOrderRespType selfTradePreventionMode orderListId activatePrice clientAlgoId
multiAssetsMargin workingQuantity
"""
_PARAMS = st.dictionaries(st.one_of(st.sampled_from(_NAMES.split()), st.text(max_size=8)), _JUNK, max_size=12)

BOX = Box(enforced=False)
CLIENT = BOX.client()
ROUTES = sorted(BOX.dialect._routes)


def _fair(status, answer):
    assert status < 500, answer
    if status != 200 and not isinstance(answer, bytes):
        assert isinstance(answer["code"], int)
        assert isinstance(answer["msg"], str)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ROUTES), _PARAMS, st.booleans())
def test_any_signed_request_is_answered(route, params, in_body):
    BOX.step(61_000)
    BOX.dialect.apply("lift_bans", {})
    method, path = route
    params = params | {"timestamp": str(BOX.clock.server.now() // 1_000_000)}
    text = "&".join(f"{quote(name)}={quote(value)}" for name, value in params.items())
    signed = f"{text}&signature={sign(CLIENT.key, text.encode())}"
    if in_body and method != "GET":
        _fair(*CLIENT.raw(method, path, body=signed.encode()))
    else:
        _fair(*CLIENT.raw(method, path, signed))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ROUTES), st.text(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_answered(route, query, body):
    BOX.step(61_000)
    BOX.dialect.apply("lift_bans", {})
    _fair(*CLIENT.raw(*route, query, body))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _JUNK,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_METHODS = sorted(
    {
        "order.place",
        "order.cancel",
        "session.logon",
        "userDataStream.subscribe",
        "depth",
        "SUBSCRIBE",
        "algoOrder.place",
    }
    | {"UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY", "orderList.place.oco", "account.status"}
)
_PATHS = ["/ws-api/v3", "/ws-fapi/v1", "/ws-dapi/v1", "/ws", "/stream", "/public/ws", "/market/stream", "/private/ws"]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(_PATHS),
    st.text(max_size=40)
    | st.fixed_dictionaries(
        {"method": st.sampled_from(_METHODS) | _JSON},
        optional={"id": _JSON, "params": _JSON | _PARAMS},
    ).map(json.dumps),
)
def test_any_message_is_answered_or_ends_the_connection(path, text):
    BOX.step(61_000)
    BOX.dialect.apply("lift_bans", {})
    socket = BOX.socket(path)
    socket.session.describe(text)
    answers = socket.say_text(text)
    assert answers or socket.connection.closed_with is not None or path == "/private/ws"
    socket.session.closed()


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(_PATHS), st.text(max_size=30))
def test_any_path_and_query_opens_a_connection_or_is_refused(path, text):
    for where, query in (
        (f"{path}/{text}", ""),
        (path, f"streams={text}"),
        (f"/{text}", ""),
        (path, f"listenKey={text}"),
    ):
        from venue_box import FakeConnection

        session = BOX.dialect.connect(FakeConnection(where, query))
        if hasattr(session, "closed"):
            session.closed()
