"""Order requests as bytes, signed ahead of the run."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MAKERS", "write_requests"]

#: So many orders are open at a time: each is canceled when so many more have been placed.
OPEN = 100
_SEPARATOR = b"\n\x1e\n"


def binance(key: str, secret: str, count: int) -> Iterator[bytes]:
    """Yield limit orders that rest, and the cancels of those before, as Binance spot wants them."""

    def signed(method: str, query: str) -> bytes:
        query = f"{query}&recvWindow=60000&timestamp={time.time_ns() // 1_000_000}"
        signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        head = (
            f"{method} /api/v3/order?{query}&signature={signature} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-MBX-APIKEY: {key}"
        )
        return f"{head}\r\nContent-Length: 0\r\n\r\n".encode()

    for number in range(count // 2):
        side, price = ("BUY", 40_000 + number % 1_000) if number % 2 else ("SELL", 80_000 - number % 1_000)
        yield signed(
            "POST",
            f"symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&quantity=0.001&price={price}"
            f"&newClientOrderId=bench{number}",
        )
        if number >= OPEN:
            yield signed("DELETE", f"symbol=BTCUSDT&origClientOrderId=bench{number - OPEN}")


def generic(key: str, secret: str, count: int) -> Iterator[bytes]:
    """Yield the same in the generic protocol."""

    def signed(method: str, target: str, body: bytes = b"") -> bytes:
        at = time.time_ns() // 1_000_000
        text = f"{at}{method}{target}".encode() + body
        signature = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Key: {key}\r\nX-Time: {at}\r\nX-Sign: {signature}"
        return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    for number in range(count // 2):
        side, price = ("buy", 40_000 + number % 1_000) if number % 2 else ("sell", 80_000 - number % 1_000)
        terms = {"symbol": "BTCUSDT", "side": side, "type": "limit", "size": "0.001", "price": str(price)}
        yield signed("POST", "/v1/order", json.dumps(terms | {"client_id": f"bench{number}"}).encode())
        if number >= OPEN:
            yield signed("DELETE", f"/v1/order?symbol=BTCUSDT&client_id=bench{number - OPEN}")


MAKERS = {"binance": binance, "generic": generic}


def write_requests(path: Path, venue: str, key: str, secret: str, count: int) -> None:
    """Write `count` requests, about half of them orders and half cancels."""
    with path.open("wb") as file:
        for request in MAKERS[venue](key, secret, count):
            file.write(request + _SEPARATOR)
