"""Order requests as bytes, signed ahead of the run."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["write_requests"]

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


def write_requests(path: Path, key: str, secret: str, count: int) -> None:
    """Write `count` requests, about half of them orders and half cancels."""
    with path.open("wb") as file:
        for request in binance(key, secret, count):
            file.write(request + _SEPARATOR)
