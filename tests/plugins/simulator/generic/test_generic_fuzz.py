"""Anything at all, said to the generic protocol: it answers in its own words, with faults at work and without."""

from __future__ import annotations

import hashlib
import hmac
import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist_simulator.dialects.generic.dialect import GenericDialect
from cambist_simulator.dialects.generic.rest import LABELS
from cambist_simulator.server.wire import Limits, Request, Response
from cambist_simulator.venue.settings import VenueSettings
from cambist_simulator.venue.venue import SimulatedVenue

PATHS = [
    "/v1/order",
    "/v1/orders",
    "/v1/depth",
    "/v1/klines",
    "/v1/trades",
    "/v1/fills",
    "/v1/leverage",
    "/v1/dead-man",
]
PATHS += [
    "/v1/margin",
    "/v1/position-mode",
    "/v1/account",
    "/v1/positions",
    "/v1/ticker",
    "/v1/order/test",
    "/v1/time",
    "/",
    "/v1/stream",
    "/v1/order/",
]
NAMES = ["symbol", "id", "client_id", "limit", "from_id", "order_id", "interval", "start", "end", "open", "levels", "x"]
WORDS = ["BTCUSDT", "", "1m", "1M", "0", "-1", "1e9", "NaN", "9" * 30, "true", "\u202e", "\x00", "💥", "%ff", "a&b=c"]
ORDER = ["symbol", "side", "type", "size", "price", "stop_price", "trail", "display", "quote_size", "client_id"]
ORDER += ["time_in_force", "expires", "post_only", "reduce_only", "close_position", "position_side", "trigger", "id"]
VALUES = ["buy", "sell", "limit", "market", "stop", "trailing_stop", "ioc", "gtd", "0.1", "60000", "1e-30", "Infinity"]
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(VALUES + WORDS) | st.text(max_size=20)
BODIES = st.dictionaries(st.sampled_from([*ORDER, "leverage", "after_ms", "x"]), SCALARS, max_size=9)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(WORDS)), max_size=4)


@pytest.fixture(scope="module")
def venue():
    found = SimulatedVenue(
        VenueSettings(symbols=("BTCUSDT", "ETHUSDT:linear"), start=1_704_067_200_000_000_000, speed=0)
    )
    found.step(1_000_000_000)
    return found


@pytest.fixture(scope="module")
def dialect(venue):
    return next(one for one in venue.server.dialects if isinstance(one, GenericDialect))


def request(venue, method, path, query, body):
    key = next(iter(venue.users.get("trader").keys.values()))
    at = str(venue.clock.server.now() // 1_000_000)
    target = f"{path}?{query}" if query else path
    signed = f"{at}{method}{target}".encode("utf-8", "surrogatepass") + body
    sign = hmac.new(key.secret, signed, hashlib.sha256).hexdigest()
    headers = {"x-key": key.key, "x-time": at, "x-sign": sign}
    return Request(method=method, path=path, query=query, body=body, headers=headers, ip="127.0.0.1", received_at=0)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "BREW"]),
    path=st.sampled_from(PATHS) | st.text(max_size=10),
    query=QUERIES | st.text(max_size=30),
    body=BODIES | st.binary(max_size=40) | st.recursive(SCALARS, lambda one: st.lists(one, max_size=3), max_leaves=6),
)
def test_every_request_has_an_answer(venue, dialect, method, path, query, body):
    text = query if isinstance(query, str) else "&".join(f"{name}={value}" for name, value in query)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = request(venue, method, path, text.encode("utf-8", "replace").decode(), raw)
    label, facts = dialect.describe(asked)
    assert not label or label in LABELS
    assert all(isinstance(name, str) for name in facts)
    answer = dialect.handle(asked)
    assert isinstance(answer, Response)
    assert answer.status in {200, 400, 401, 403, 404, 405}
    told = msgspec.json.decode(answer.body)
    assert answer.status == 200 or (told["error"]["code"] and told["error"]["message"])


class Line:
    """What a session needs of a connection."""

    id, ip, path, query, opened_at, user, label = 1, "127.0.0.1", "/v1/stream", "", 0, "", ""

    def __init__(self):
        self.headers, self.limits, self.said = {}, Limits(), []

    def send(self, data, *, kind="", symbol=""):
        self.said.append((kind, data))

    def send_frame(self, frame, *, kind="", symbol=""):
        self.said.append((kind, frame))


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    message=st.fixed_dictionaries(
        {},
        optional={
            "op": st.sampled_from(["ping", "login", "subscribe", "unsubscribe", "place", "amend", "cancel", "x"])
            | SCALARS,
            "id": SCALARS,
            "channels": st.lists(
                st.sampled_from(
                    ["trades:BTCUSDT", "depth:BTCUSDT", "klines:BTCUSDT:1m", "klines:BTCUSDT:9x", "private"]
                )
                | st.text(max_size=12),
                max_size=3,
            )
            | SCALARS,
            "order": BODIES | SCALARS,
            "key": SCALARS,
            "time": SCALARS,
            "sign": SCALARS,
        },
    )
    | st.text(max_size=40),
    logged_in=st.booleans(),
)
def test_every_message_has_one_answer(venue, dialect, message, logged_in):
    line = Line()
    session = dialect.connect(line)
    if logged_in:
        session._who = (venue.users.get("trader"), next(iter(venue.users.get("trader").keys.values())))
    text = message if isinstance(message, str) else json.dumps(message)
    label, facts = session.describe(text)
    assert isinstance(label, str)
    assert isinstance(facts, dict)
    session.received(text)
    answers = [msgspec.json.decode(data) for kind, data in line.said if kind == "answer"]
    assert len(answers) == 1
    assert answers[0]["ok"] in {True, False}
    session.closed()
