"""A whole Binance in a box: three exchanges with a book each, clocks that stand still, and clients without a wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from functools import partial
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cambist.model import Side
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.dialects.binance import BinanceDialect, default_listings
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Segment
from cambist_simulator.exchange.users import Users
from cambist_simulator.market.markets import Markets
from cambist_simulator.server.wire import Limits, Request, Response, frame_text

D = Decimal
START = 1_760_000_000_000_000_000
MS = 1_000_000
NAMES = {Segment.SPOT: "spot", Segment.LINEAR: "usdm", Segment.INVERSE: "coinm"}
SYMBOLS = {Segment.SPOT: "BTCUSDT", Segment.LINEAR: "BTCUSDT", Segment.INVERSE: "BTCUSD_PERP"}
#: Size of each level, in the units of the segment.
SIZES = {Segment.SPOT: D("1"), Segment.LINEAR: D("1"), Segment.INVERSE: D("1000")}


class FakeConnection:
    """A WebSocket that keeps what was sent."""

    def __init__(self, path="/ws", query="", ip="127.0.0.1", headers=None):
        self.id, self.ip, self.path, self.query = 1, ip, path, query
        self.headers = headers or {}
        self.opened_at = START
        self.limits, self.user, self.label = Limits(), "", ""
        self.sent, self.kinds, self.closed_with = [], [], None

    def send(self, data, *, kind="", symbol=""):
        self.sent.append(json.loads(data))
        self.kinds.append(kind)

    def send_frame(self, frame, *, kind="", symbol=""):
        self.send(frame_text(frame), kind=kind, symbol=symbol)

    def close(self, code=1000, reason=""):
        self.closed_with = code

    def reset(self):
        self.closed_with = -1

    def taken(self):
        """Return what was sent since the last call."""
        sent = self.sent[:]
        self.sent.clear()
        self.kinds.clear()
        return sent


class Box:
    """The venue; both clocks stand still until `step`."""

    def __init__(self, segments=(Segment.SPOT, Segment.LINEAR, Segment.INVERSE), *, seed=7, users=None, **options):
        server, market = Clock(START, 0.0), Clock(START, 0.0)
        self.clock = VenueClock(server, market)
        self.users = Users(seed)
        self.exchanges = {
            one: Exchange(NAMES[one], one, self.clock, listings=default_listings(one), users=self.users, seed=seed)
            for one in segments
        }
        self.markets = Markets(self.clock, self.exchanges.values())
        self.dialect = BinanceDialect(
            [(one, partial(self.markets.data, one.name)) for one in self.exchanges.values()],
            self.users,
            self.clock,
            seed=seed,
            **options,
        )
        self.alice = self.user("alice")
        for segment in segments:
            self.fill_book(segment)

    def user(self, name, **amounts):
        user = self.users.add(name)
        for segment, exchange in self.exchanges.items():
            assets = {"USDT": "1000000", "BTC": "100", "BNB": "1000"}
            if segment is Segment.LINEAR:
                assets = {"USDT": "1000000"}
            elif segment is Segment.INVERSE:
                assets = {"BTC": "100"}
            for asset, amount in assets.items():
                exchange.deposit(user, asset, D(amount))
        return user

    def fill_book(self, segment, middle="50000.0", levels=20):
        """Put levels of one tick distance around a price, and let a trade be printed at it."""
        exchange, symbol = self.exchanges[segment], SYMBOLS[segment]
        tick, size = exchange.listing(symbol).tick_size, SIZES[segment]
        for number in range(1, levels + 1):
            exchange.set_level(symbol, Side.BUY, D(middle) - number * tick, size)
            exchange.set_level(symbol, Side.SELL, D(middle) + number * tick, size)
        exchange.market_trade(symbol, Side.BUY, size / 10, D(middle) + tick)
        if segment is not Segment.SPOT:
            exchange.set_mark(symbol, D(middle), D(middle), D("0.0001"), START + 3_600_000 * MS)
        exchange.flush()

    def step(self, ms):
        """Let both clocks go on, and do what is due."""
        for clock in (self.clock.server, self.clock.market):
            clock.step_to(clock.now() + ms * MS)
        self.markets.advance(self.clock.market.now())
        self.dialect.on_timer()

    def client(self, user=None, **options):
        return Client(self, user or self.alice, **options)

    def socket(self, path, query="", **options):
        connection = FakeConnection(path, query, **options)
        session = self.dialect.connect(connection)
        assert not isinstance(session, Response), session
        return Socket(connection, session)


class Socket:
    """A client's end of a WebSocket."""

    def __init__(self, connection, session):
        self.connection, self.session = connection, session

    def say(self, **message):
        """Send a message; return what came back."""
        return self.say_text(json.dumps(message))

    def say_text(self, text):
        self.connection.taken()
        self.session.received(text)
        return self.connection.taken()

    def taken(self):
        return self.connection.taken()


def sign(key, text):
    """Return the signature of `text` (bytes) with an API key, as a client makes it."""
    if key.kind == "hmac":
        return hmac.new(key.private, text, hashlib.sha256).hexdigest()
    private = load_pem_private_key(key.private, None)
    rsa = isinstance(private, RSAPrivateKey)
    raw = private.sign(text, PKCS1v15(), SHA256()) if rsa else private.sign(text)
    return base64.b64encode(raw).decode()


class Client:
    """A client of REST that signs for itself."""

    def __init__(self, box, user, *, key=None, ip="127.0.0.1"):
        self.box, self.ip = box, ip
        self.key = key or next(iter(user.keys.values()))
        self.headers = {}

    def raw(self, method, path, query="", body=b"", headers=None):
        """Send a request as it is; return status, answer and headers."""
        named = {"x-mbx-apikey": self.key.key} if headers is None else headers
        response = self.box.dialect.handle(
            Request(
                method=method,
                path=path,
                query=query,
                body=body,
                headers=named,
                ip=self.ip,
                received_at=self.box.clock.server.now(),
            )
        )
        self.headers = response.headers
        self.response = response
        if response.content_type != "application/json":
            return response.status, response.body
        return response.status, json.loads(response.body)

    def public(self, path, **params):
        return self.raw("GET", path, urlencode(params), headers={})

    def signed(self, method, path, **params):
        """Send a signed request."""
        params.setdefault("timestamp", self.box.clock.server.now() // MS)
        text = urlencode({name: value for name, value in params.items() if value is not None})
        whole = f"{text}&signature={quote(sign(self.key, text.encode()), safe='')}"
        if method in {"POST", "PUT"}:
            return self.raw(method, path, body=whole.encode())
        return self.raw(method, path, whole)

    def get(self, path, **params):
        return self.signed("GET", path, **params)

    def post(self, path, **params):
        return self.signed("POST", path, **params)

    def put(self, path, **params):
        return self.signed("PUT", path, **params)

    def delete(self, path, **params):
        return self.signed("DELETE", path, **params)

    def ok(self, method, path, **params):
        """Send a signed request that must succeed; return the answer."""
        status, answer = self.signed(method, path, **params)
        assert status == 200, answer
        return answer

    def ws_params(self, **params):
        """Return signed parameters of a request on a WebSocket."""
        params.setdefault("timestamp", self.box.clock.server.now() // MS)
        params["apiKey"] = self.key.key
        text = "&".join(f"{name}={_plain(params[name])}" for name in sorted(params))
        return params | {"signature": sign(self.key, text.encode())}


def _plain(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
