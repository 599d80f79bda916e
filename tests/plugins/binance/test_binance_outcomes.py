"""What the venue's answers mean for an order: done, certainly not done, or nobody knows."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hmac
import json

import msgspec
import pytest
from payloads import content, needs_payloads
from websockets.asyncio.server import serve

from cambist.api import Answered, Declined, Unanswered
from cambist_binance.hosts import Market
from cambist_binance.quirks import is_open_outcome, reason_of
from cambist_binance.signing import Signer, payload
from cambist_binance.transport import Transport, usage_of
from cambist_binance.ws_api import WsApi
from cambist_ccxt.budget import Budget, Priority, Window
from cambist_ccxt.clock import VenueClock
from cambist_ccxt.credentials import Credentials
from cambist_ccxt.errors import NoAnswerError
from cambist_ccxt.link import LinkSettings
from cambist_ccxt.outcomes import outcome_of

SPOT, USDM = Market.SPOT, Market.USDM
# From the venue's documentation of signed requests.
DOCUMENTED = Credentials(
    "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
)


@pytest.mark.parametrize(
    ("market", "code", "text", "reason"),
    [
        (SPOT, -2010, "Account has insufficient balance for requested action.", "insufficient_funds"),
        (SPOT, -2010, "Duplicate order sent.", "duplicate_client_id"),
        (SPOT, -2010, "Order would immediately match and take.", "post_only"),
        (SPOT, -2010, "Market is closed.", "symbol_halted"),
        (SPOT, -2010, "Stop price would trigger immediately.", "would_trigger"),
        (SPOT, -2010, "Something that nobody has seen yet.", "rejected"),
        (SPOT, -2011, "Unknown order sent.", "unknown_order"),
        (SPOT, -2013, "Order does not exist.", "unknown_order"),
        (SPOT, -1013, "Filter failure: LOT_SIZE", "size"),
        (SPOT, -1013, "Filter failure: PRICE_FILTER", "price"),
        (SPOT, -1013, "Filter failure: NOTIONAL", "min_notional"),
        (SPOT, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "price_band"),
        (SPOT, -1013, "Filter failure: MAX_NUM_ORDERS", "max_orders"),
        (SPOT, -1013, "Market is closed.", "symbol_halted"),
        (SPOT, -1021, "Timestamp for this request is outside of the recvWindow.", "clock_skew"),
        (SPOT, -1022, "Signature for this request is not valid.", "signature"),
        (SPOT, -1121, "Invalid symbol.", "unknown_symbol"),
        (SPOT, -2015, "Invalid API-key, IP, or permissions for action.", "api_key"),
        (USDM, -2019, "Margin is insufficient.", "insufficient_funds"),
        (USDM, -2021, "Order would immediately trigger.", "would_trigger"),
        (USDM, -2022, "ReduceOnly Order is rejected.", "reduce_only"),
        (USDM, -4116, "ClientOrderId is duplicated.", "duplicate_client_id"),
        (USDM, -4120, "Order type not supported for this endpoint.", "order_type"),
        (USDM, -4164, "Order's notional must be no smaller than 5", "min_notional"),
        (USDM, -5022, "Due to the order could not be executed as maker...", "post_only"),
        (USDM, -9999, "A code of next year.", "code_9999"),
    ],
)
def test_refusals_have_stable_words(market, code, text, reason):
    assert reason_of(code, text, market) == reason


@needs_payloads
def test_documented_errors_have_words():
    for one in content("rest_errors"):
        body = one["body"]
        if isinstance(body, dict) and "code" in body and not is_open_outcome(one["http"], body["code"]):
            assert not reason_of(body["code"], body["msg"], SPOT).startswith("code_")


@pytest.mark.parametrize(
    ("status", "code", "open_"),
    [
        (400, -1006, True),
        (400, -1007, True),
        (400, -1001, True),
        (400, -1000, True),
        (408, -1, True),
        (500, -2010, True),
        (503, -1008, True),
        (504, 0, True),
        (400, -2010, False),
        (409, -2021, False),
        (401, -2015, False),
        (429, -1003, False),
    ],
)
def test_which_errors_leave_the_outcome_open(status, code, open_):
    assert is_open_outcome(status, code) is open_


def test_the_documented_signature():
    # The example of the REST documentation signs its parameters in the order sent, which here is not that of names;
    # what is signed on the WebSocket API is sorted, so the vector is signed as it stands.
    text = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
    )
    signer = Signer(DOCUMENTED)
    assert signer._sign(text.encode()) == "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def test_the_documented_signature_of_the_websocket_api():
    params = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "newOrderRespType": "ACK",
    }
    signed = Signer(DOCUMENTED).sign(params, 1645423376532, 100)
    assert payload({name: value for name, value in signed.items() if name != "signature"}) == (
        f"apiKey={DOCUMENTED.key}&newOrderRespType=ACK&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL"
        "&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT"
    )
    assert signed["signature"] == "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_a_secret_of_any_length_signs_as_the_standard_library_does(length):
    secret = "k" * length
    sign = Signer(Credentials("key", secret))._sign
    for text in (b"", b"symbol=BTCUSDT", b"x" * 500):
        assert sign(text) == hmac.digest(secret.encode(), text, "sha256").hex()


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_private_keys_sign_what_their_public_half_confirms(kind):
    import base64

    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()
    signed = Signer(Credentials("k", pem)).sign({"symbol": "BTCUSDT"}, 5, 100)
    signature = base64.b64decode(signed.pop("signature"))
    text = payload(signed).encode()
    if kind == "ed25519":
        key.public_key().verify(signature, text)
    else:
        key.public_key().verify(signature, text, padding.PKCS1v15(), SHA256())


def test_a_key_that_cannot_be_read_does_not_show():
    from cambist.api import ParameterError

    with pytest.raises(ParameterError) as raised:
        Signer(Credentials("k", "-----BEGIN PRIVATE KEY-----\nQQQ\n-----END PRIVATE KEY-----"))
    assert "QQQ" not in str(raised.value)


def test_headers_tell_what_is_used_up():
    headers = {"x-mbx-used-weight-1m": "412", "x-mbx-order-count-10s": "3", "x-mbx-uuid": "7", "content-length": "9"}
    assert usage_of(headers) == {"weight-1m": 412, "orders-10s": 3}


# Answers over the WebSocket API, said by a server that says what the test wants.


@contextlib.asynccontextmanager
async def connected(answer, within=0.5):
    """A transport whose requests are answered by ``answer(message)``: a frame, None for silence, "cut"."""

    async def handler(socket):
        async for text in socket:
            told = answer(json.loads(text))
            if told == "cut":
                socket.transport.abort()
            elif told is not None:
                await socket.send(told if isinstance(told, str) else json.dumps(told))

    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        clock = VenueClock()
        budget = Budget([Window("weight-1m", 6_000, 60 * 10**9)], clock.now)
        signer = Signer(DOCUMENTED)
        transport = Transport(SPOT, None, clock, budget, signer=signer, within=within)
        up = asyncio.Event()
        address, links = f"ws://127.0.0.1:{port}", LinkSettings(first_wait=5.0)
        api = transport.ws = WsApi(address, links, state=lambda state, _: up.set() if state == "up" else None)
        api.link.start()
        try:
            async with asyncio.timeout(20):
                await up.wait()
            yield transport
        finally:
            await api.link.close()


def outcome(answer):
    async def run():
        async with connected(answer) as transport:

            async def ask():
                await transport.call("place", {"symbol": "BTCUSDT"})

            told = await outcome_of(ask())
            assert transport.budget.windows["weight-1m"].pending == 0
            return told, transport.budget.paused

    return asyncio.run(run())


def refusal(status, code, text):
    return lambda message: {"id": message["id"], "status": status, "error": {"code": code, "msg": text}}


def takes(heard):
    """Answer that any order was taken, and note what was sent."""

    def answer(message):
        heard.append(message)
        return {"id": message["id"], "status": 200, "result": {"orderId": 1}}

    return answer


def test_an_order_that_was_taken():
    told, _ = outcome(lambda message: {"id": message["id"], "status": 200, "result": {"orderId": 1}})
    assert isinstance(told, Answered)


def test_what_was_made_ready_goes_out_as_it_is_unless_its_stamp_has_grown_old():
    heard = []

    async def run():
        async with connected(takes(heard), within=10.0) as transport:
            params = {"symbol": "BTCUSDT"}
            early, late = (transport.prepare("place", params) for _ in range(2))
            await transport.call("place", params, prepared=early)
            clock = transport._clock
            clock.answered(clock.begin(), clock.now() + 10**9)
            await transport.call("place", params, prepared=late)
            return [json.loads(one.request.text) for one in (early, late)]

    early, late = asyncio.run(run())
    assert heard[0] == early
    assert heard[1]["id"] not in {early["id"], late["id"]}
    assert heard[1]["params"]["timestamp"] > late["params"]["timestamp"]


def test_what_was_made_ready_leaves_at_once_where_there_is_room_and_its_stamp_is_young():
    def answer(message):
        return {"id": message["id"], "status": 200, "result": {"orderId": 1}}

    async def run():
        async with connected(answer, within=10.0) as transport:
            params, budget = {"symbol": "BTCUSDT"}, transport.budget
            ready = [transport.prepare("place", params) for _ in range(3)]
            asked = transport.call_now("place", Priority.ENTRY, ready[0])
            assert budget.windows["weight-1m"].pending == 1
            assert json.loads(await asked()) == {"orderId": 1}
            assert (budget.windows["weight-1m"].pending, budget.windows["weight-1m"].used) == (0, 1)
            budget.pause(10**9)
            assert transport.call_now("place", Priority.ENTRY, ready[1]) is None
            budget._paused_until = 0
            transport.read_only = True
            assert transport.call_now("place", Priority.ENTRY, ready[1]) is None
            transport.read_only = False
            clock = transport._clock
            clock.answered(clock.begin(), clock.now() + 10**9)
            assert transport.call_now("place", Priority.ENTRY, ready[1]) is None
            transport.ws.link._current = None
            fresh = msgspec.structs.replace(ready[2], at=clock.now())
            assert transport.call_now("place", Priority.ENTRY, fresh) is None
            assert budget.windows["weight-1m"].pending == 0

    asyncio.run(run())


def test_what_was_made_ready_has_its_turn_and_is_counted_once():
    heard = []

    async def run():
        async with connected(takes(heard), within=10.0) as transport:
            params, window = {"symbol": "BTCUSDT"}, transport.budget.windows["weight-1m"]
            window.limit = 1  # room for one request at a time
            transport.practice("place", params, Priority.ENTRY)
            assert window.pending == 0
            ready = transport.prepare("place", params, Priority.ENTRY)
            assert window.pending == 1
            await transport.call_now("place", Priority.ENTRY, ready)()
            assert (window.pending, window.used) == (0, 1)
            window.used = 0
            ready = transport.prepare("place", params, Priority.ENTRY)
            await transport.call("place", params, Priority.ENTRY, prepared=ready)
            assert (window.pending, window.used) == (0, 1)
            window.used = 0
            forgotten = transport.prepare("place", params, Priority.ENTRY)
            while window.pending:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert not forgotten.turn.take()

    asyncio.run(run())
    assert len(heard) == 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: "cut",
        lambda message: f'{{"id":{message["id"]},"status":200,"resu',
        lambda _: "upstream connect error",
        lambda message: {"id": message["id"], "status": 200},
        refusal(503, -1008, "Server is currently overloaded with other requests."),
        refusal(500, -1000, "An unknown error occurred while processing the request."),
        refusal(400, -1006, "An unexpected response was received from the message bus."),
        refusal(408, -1007, "Timeout waiting for response from backend server."),
        lambda _: {"id": None, "status": 400, "error": {"code": -1135, "msg": "Invalid JSON Request"}},
    ],
)
def test_what_leaves_the_outcome_open(answer):
    told, _ = outcome(answer)
    assert isinstance(told, Unanswered), told
    assert told.text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(400, -2010, "Account has insufficient balance for requested action."), "insufficient_funds"),
        (refusal(400, -2010, "Duplicate order sent."), "duplicate_client_id"),
        (refusal(400, -1021, "Timestamp for this request is outside of the recvWindow."), "clock_skew"),
        (refusal(401, -2015, "Invalid API-key, IP, or permissions for action."), "api_key"),
    ],
)
def test_what_the_venue_refuses(answer, reason):
    told, _ = outcome(answer)
    assert isinstance(told, Declined), told
    assert (told.reason, told.retry_after) == (reason, 0)


@pytest.mark.parametrize(("status", "least"), [(429, 4 * 10**9), (418, 100 * 10**9)])
def test_too_much_was_asked(status, least):
    told, paused = outcome(refusal(status, -1003, "Too much request weight used."))
    assert isinstance(told, Declined), told
    assert told.reason == "rate_limit"
    assert told.retry_after >= least
    assert paused > least / 2


def test_the_venue_says_itself_how_long_to_wait():
    def answer(message):
        import time

        error = {"code": -1003, "msg": "Way too much", "data": {"retryAfter": int(time.time() * 1000) + 30_000}}
        return {"id": message["id"], "status": 418, "error": error}

    told, paused = outcome(answer)
    assert 25 * 10**9 < told.retry_after <= 30 * 10**9
    assert paused > 20 * 10**9


def test_without_a_key_nothing_is_sent():
    async def run():
        clock = VenueClock()
        transport = Transport(SPOT, None, clock, Budget([], clock.now), signer=None)

        async def ask():
            await transport.call("place", {})

        return await outcome_of(ask())

    told = asyncio.run(run())
    assert isinstance(told, Declined)
    assert told.reason == "no_api_key"


def test_a_request_that_cannot_be_written_has_no_answer_and_leaves_no_noise():
    class Jammed:
        pending = 0

        def write(self, _text):
            return False

        async def send(self, _text):
            await asyncio.sleep(60)

    async def play():
        noise, api = [], WsApi("ws://nowhere", LinkSettings())
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noise.append(context))
        with pytest.raises(NoAnswerError):
            await api._ask(Jammed(), api.compose("order.place", {}), 0.01)
        gc.collect()
        return noise

    assert asyncio.run(play()) == []
