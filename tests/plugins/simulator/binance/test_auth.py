"""Keys, signatures over the raw bytes, and time stamps."""

from __future__ import annotations

import base64

import pytest
from venue_box import MS, Box, Segment, sign

from cambist_simulator.dialects.binance.auth import parameters_text, signed_text, verified
from cambist_simulator.exchange.users import ApiKey

#: The key of the venue's documentation ("SIGNED Endpoint Examples", "SIGNED request example").
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
ORDER = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
FIRST, SECOND = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
    "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
)
WHOLE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
MIXED = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
SOCKET = "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"


@pytest.fixture
def documented():
    return ApiKey(key=KEY, kind="hmac", secret=SECRET, private=SECRET)


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        ("", f"{ORDER}&signature={WHOLE}", WHOLE),
        (f"{ORDER}&signature={WHOLE}", "", WHOLE),
        (FIRST, f"{SECOND}&signature={MIXED}", MIXED),
        # The signature is not case sensitive, and may stand anywhere.
        (f"{ORDER}&signature={WHOLE.upper()}", "", WHOLE.upper()),
        (f"signature={WHOLE}&{ORDER}", "", WHOLE),
    ],
)
def test_documented_examples_of_rest_are_valid(documented, query, body, signature):
    assert verified(documented, signed_text(query, body.encode()), signature)


def test_the_documented_example_of_the_websocket_api_is_valid(documented):
    params = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "newOrderRespType": "ACK",
        "recvWindow": 100,
        "timestamp": 1645423376532,
        "apiKey": KEY,
        "signature": SOCKET,
    }
    assert verified(documented, parameters_text(params), SOCKET)
    assert not verified(documented, parameters_text(params | {"recvWindow": 101}), SOCKET)


def test_a_signature_over_other_bytes_is_none(documented):
    assert not verified(documented, signed_text(f"{ORDER}0", b""), WHOLE)
    # There is no "&" between query and body.
    assert not verified(documented, f"{FIRST}&{SECOND}".encode(), MIXED)


def test_the_ed25519_vector_of_rfc_8032_is_valid():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    # RFC 8032, 7.1, test 2.
    public = Ed25519PublicKey.from_public_bytes(
        bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    )
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    key = ApiKey(key="k", kind="ed25519", secret=pem, private=b"")
    assert verified(key, b"\x72", base64.b64encode(signature).decode())
    assert not verified(key, b"\x73", base64.b64encode(signature).decode())
    assert not verified(key, b"\x72", "no base64!")


@pytest.mark.parametrize("kind", ["hmac", "rsa", "ed25519"])
def test_each_kind_of_key_signs_requests_of_rest_and_websockets(kind):
    box = Box((Segment.SPOT,))
    client = box.client(key=box.users.add_key(box.alice, kind=kind))
    assert client.get("/api/v3/account")[0] == 200
    socket = box.socket("/ws-api/v3")
    assert socket.say(id=1, method="account.status", params=client.ws_params())[0]["status"] == 200
    other = client.ws_params(omitZeroBalances=True) | {"omitZeroBalances": False}
    answer = socket.say(id=2, method="account.status", params=other)[0]
    assert (answer["status"], answer["error"]["code"]) == (400, -1022)


def test_text_that_is_not_ascii_is_signed_percent_encoded():
    box = Box((Segment.SPOT,))
    client = box.client()
    stamp = box.clock.server.now() // MS
    encoded = f"symbol=%E5%B8%81USDT&timestamp={stamp}"
    status, answer = client.raw(
        "GET", "/api/v3/openOrders", f"{encoded}&signature={sign(client.key, encoded.encode())}"
    )
    assert (status, answer["code"]) == (400, -1121)
    plain = f"symbol=币USDT&timestamp={stamp}"
    status, answer = client.raw("GET", "/api/v3/openOrders", f"{encoded}&signature={sign(client.key, plain.encode())}")
    assert (status, answer["code"]) == (400, -1022)


@pytest.fixture
def box():
    return Box((Segment.SPOT,))


@pytest.mark.parametrize(
    ("shift_ms", "window", "code"),
    [
        (0, None, None),
        (-5_000, None, None),
        (-5_001, None, -1021),
        (999, None, None),
        (1_000, None, -1021),
        (-59_000, 60_000, None),
        (-101, 100, -1021),
        (0, 60_001, -1131),
        (0, 0, -1131),
    ],
)
def test_a_time_stamp_is_judged_by_the_server_clock(box, shift_ms, window, code):
    client = box.client()
    stamp = box.clock.server.now() // MS + shift_ms
    status, answer = client.get("/api/v3/account", timestamp=stamp, recvWindow=window)
    assert (status, answer.get("code")) == ((200, None) if code is None else (400, code))


def test_microseconds_are_understood(box):
    stamp = box.clock.server.now() // 1_000
    assert box.client().get("/api/v3/account", timestamp=stamp - 4_999_000)[0] == 200
    assert box.client().get("/api/v3/account", timestamp=stamp - 5_001_000)[1]["code"] == -1021


def test_a_clock_that_is_shifted_decides(box):
    client = box.client()
    stamp = box.clock.server.now() // MS
    box.clock.server.shift(6_000 * MS)
    assert client.get("/api/v3/account", timestamp=stamp)[1]["code"] == -1021
    assert client.get("/api/v3/account")[0] == 200


def test_keys_are_refused_by_name_address_permission_and_switch(box):
    users = box.users
    known = box.client()
    status, answer = known.raw("GET", "/api/v3/account", headers={})
    assert (status, answer["code"]) == (401, -2014)
    status, answer = known.raw("GET", "/api/v3/account", headers={"x-mbx-apikey": "x" * 64})
    assert (status, answer["code"]) == (401, -2015)
    bound = box.client(key=users.add_key(box.alice, ips=["10.0.0.1"]))
    assert bound.get("/api/v3/account")[1]["code"] == -2015
    bound.ip = "10.0.0.1"
    assert bound.get("/api/v3/account")[0] == 200
    reader = box.client(key=users.add_key(box.alice, permissions=["read"]))
    assert reader.get("/api/v3/account")[0] == 200
    terms = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    assert reader.post("/api/v3/order", **terms)[1]["code"] == -2015
    known.key.enabled = False
    assert known.get("/api/v3/account") == (
        401,
        {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    )


def test_what_must_be_sent_is_missed_before_the_signature_is_checked(box):
    client = box.client()
    assert client.raw("GET", "/api/v3/account", "signature=00")[1] == {
        "code": -1102,
        "msg": "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.",
    }
    assert client.raw("GET", "/api/v3/account", "timestamp=1")[1]["msg"].startswith("Mandatory parameter 'signature'")
