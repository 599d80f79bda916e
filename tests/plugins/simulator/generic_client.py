"""A client of the generic protocol, written from its documentation: the standard library and `websockets` alone."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import time
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from websockets.sync.client import connect


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw

    def json(self):
        return json.loads(self.raw)


class GenericClient:
    def __init__(self, simulator, user=None, timeout=5.0, now=None):
        who = simulator.credentials(user)
        self._set(simulator.endpoints, who.key, who.secret, timeout, now)

    @classmethod
    def of(cls, endpoints, key, secret, timeout=5.0, now=None):
        """Make a client without a simulator at hand."""
        client = cls.__new__(cls)
        client._set(endpoints, key, secret, timeout, now)
        return client

    def _set(self, endpoints, key, secret, timeout, now):
        self.base, self.stream = endpoints["rest"], endpoints["stream"]
        self.key, self.secret, self.timeout = key, secret, timeout
        self.now = now or (lambda: time.time_ns() // 1_000_000)

    def signature(self, at, method, target, body=b""):
        text = f"{at}{method}{target}".encode() + body
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()

    def ask(self, method, path, body=None, *, signed=True, headers=None, **query):
        target = path + (f"?{urlencode(query)}" if query else "")
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = dict(headers or {})
        if signed:
            at = self.now()
            given |= {"X-Key": self.key, "X-Time": str(at), "X-Sign": self.signature(at, method, target, raw)}
        parts = urlsplit(self.base)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)
        try:
            connection.request(method, parts.path + target, raw or None, given)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def get(self, path, **query):
        return self.ask("GET", path, **query).json()

    def place(self, side="buy", size="0.1", price=None, symbol="BTCUSDT", **more):
        terms = {"symbol": symbol, "side": side, "size": size, "type": "market" if price is None else "limit"}
        if price is not None:
            terms["price"] = price
        return self.ask("POST", "/v1/order", terms | more)

    def cancel(self, number, symbol="BTCUSDT"):
        return self.ask("DELETE", "/v1/order", symbol=symbol, id=number)

    def query(self, number, symbol="BTCUSDT"):
        return self.ask("GET", "/v1/order", symbol=symbol, id=number)

    def open(self, *channels, login=True):
        return GenericStream(self, channels, login=login)


class GenericStream:
    def __init__(self, client, channels, *, login):
        self.client = client
        self.opened = connect(client.stream, compression=None, open_timeout=5, close_timeout=1)
        self.ws = self.opened.__enter__()
        self.last = 0
        self.kept = []
        if login:
            at = client.now()
            self.ask("login", key=client.key, time=at, sign=client.signature(at, "GET", "/v1/stream"))
        if channels:
            self.ask("subscribe", channels=list(channels))

    def send(self, op, **more):
        self.last += 1
        self.ws.send(json.dumps({"id": self.last, "op": op, **more}))
        return self.last

    def ask(self, op, **more):
        """Send, and wait for the answer; what comes before it is kept for `read`."""
        number = self.send(op, **more)
        while True:
            message = json.loads(self.ws.recv(timeout=5))
            if message.get("id") == number:
                return message
            self.kept.append(message)

    def read(self, timeout=5.0):
        return self.kept.pop(0) if self.kept else json.loads(self.ws.recv(timeout=timeout))

    def read_until(self, true, timeout=5.0):
        end = time.monotonic() + timeout
        while True:
            message = self.read(max(0.001, end - time.monotonic()))
            if true(message):
                return message

    def reads_nothing(self, timeout=0.2):
        try:
            self.kept.append(json.loads(self.ws.recv(timeout=timeout)))
        except TimeoutError:
            return not self.kept
        return False

    def close(self):
        self.opened.__exit__(None, None, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A connection that was cut on purpose has nothing to say goodbye to.
        with contextlib.suppress(OSError):
            self.ws.socket.shutdown(socket.SHUT_RDWR)
        self.close()
