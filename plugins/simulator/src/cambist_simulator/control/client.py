"""A small client of the control port."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from cambist.api import ParameterError

__all__ = ["SimulatorClient"]


class SimulatorClient:
    """Looks into a simulator that runs elsewhere, and acts on it.

    Parameters
    ----------
    url
        Base address of the server, such as ``"http://127.0.0.1:8600"``.
    timeout
        Seconds to wait for an answer.

    Examples
    --------
    ::

        simulator = SimulatorClient("http://127.0.0.1:8600")
        simulator.add_fault("disconnect", at="30s")
        simulator.orders(user="trader", open_only=True)
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ParameterError(f"{url!r} is no address of a simulator; give such as 'http://127.0.0.1:8600'.")
        self._host, self._port, self._timeout = parts.hostname, parts.port or 80, timeout

    def state(self) -> dict[str, Any]:
        """Return where everything stands."""
        return self._table("GET", "/state")

    def keys(self) -> list[dict[str, Any]]:
        """Return the keys of all users, secrets included."""
        return self._rows("GET", "/keys")

    def requests(self, *, after: int = 0, limit: int = 1_000, **wanted: str) -> list[dict[str, Any]]:
        """Return what came in, with its raw bytes; `wanted` as in `RequestLog.entries`."""
        return self._rows("GET", "/requests", after=after, limit=limit, **wanted)

    def orders(
        self, *, user: str | None = None, symbol: str | None = None, open_only: bool = False
    ) -> list[dict[str, Any]]:
        """Return orders as the venue has them."""
        return self._rows("GET", "/orders", user=user, symbol=symbol, open="true" if open_only else None)

    def fills(self, *, user: str | None = None, symbol: str | None = None) -> list[dict[str, Any]]:
        """Return executions."""
        return self._rows("GET", "/fills", user=user, symbol=symbol)

    def balances(self, user: str | None = None) -> dict[str, Any]:
        """Return what a user has, by exchange and asset."""
        return self._table("GET", "/balances", user=user)

    def positions(self, user: str | None = None) -> dict[str, Any]:
        """Return a user's positions, by exchange."""
        return self._table("GET", "/positions", user=user)

    def connections(self) -> list[dict[str, Any]]:
        """Return open WebSockets."""
        return self._rows("GET", "/connections")

    def close_connections(self, number: int | None = None, *, code: int = 1001, reset: bool = False) -> list[int]:
        """Close one WebSocket, or all; return which."""
        found = self._table("POST", "/connections/close", {"id": number, "code": code, "reset": reset})
        closed: list[int] = found["closed"]
        return closed

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults at work."""
        return self._rows("GET", "/faults")

    def add_fault(self, action: str, **settings: Any) -> int:
        """Put a fault to work, see `cambist_simulator.Fault`; return its number."""
        given = {name.removesuffix("_"): value for name, value in settings.items()}
        return int(self._table("POST", "/faults", {"action": action, **given})["ids"][0])

    def add_script(self, toml: str) -> list[int]:
        """Put the faults of a script to work; return their numbers."""
        ids: list[int] = self._table("POST", "/faults", {"toml": toml})["ids"]
        return ids

    def remove_fault(self, number: int | None = None) -> None:
        """Take one fault away, or all."""
        self._ask("DELETE", "/faults", id=number)

    def fired(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the faults that struck."""
        return self._rows("GET", "/faults/fired", after=after)

    def clock(self, **change: Any) -> dict[str, Any]:
        """Return both clocks; with ``shift="2s"``, ``step="1m"`` or ``speed=0`` after that was done."""
        return self._table("POST", "/clock", change) if change else self._table("GET", "/clock")

    def set_symbol(self, symbol: str, **rules: Any) -> dict[str, Any]:
        """Halt a symbol (``status="halt"``), resume it (``"trading"``), or give it other rules."""
        return self._table("POST", "/symbols", {"symbol": symbol, **rules})

    def jump(self, symbol: str, by: float) -> None:
        """Move a price by a share of it."""
        self._ask("POST", "/prices", {"symbol": symbol, "by": by})

    def trade(self, symbol: str, side: str, size: Any, price: Any) -> None:
        """Let somebody from outside trade."""
        self._ask("POST", "/trades", {"symbol": symbol, "side": side, "size": str(size), "price": str(price)})

    def place(self, symbol: str, side: str, size: Any, price: Any = None, **more: Any) -> dict[str, Any]:
        """Place an order as another client of the account would."""
        limit = None if price is None else str(price)
        terms = {"symbol": symbol, "side": side, "size": str(size), "price": limit, **more}
        return self._table("POST", "/orders", terms)

    def deposit(
        self, asset: str, amount: Any, *, user: str | None = None, exchange: str | None = None
    ) -> dict[str, Any]:
        """Give a user money; a negative amount takes it away."""
        given = {"asset": asset, "amount": str(amount), "user": user, "exchange": exchange}
        return self._table("POST", "/deposits", given)

    def add_user(self, name: str, kind: str = "hmac") -> list[dict[str, Any]]:
        """Add a user; return his keys."""
        return self._rows("POST", "/users", {"name": name, "kind": kind})

    def restart(self, down: Any = 0) -> None:
        """End the venue and start it again after a while."""
        self._ask("POST", "/restart", {"down": down})

    def _table(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(method, path, body, **query)
        return found

    def _rows(self, method: str, path: str, body: Any = None, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask(method, path, body, **query)
        return found

    def _ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            payload = None if body is None else msgspec.json.encode(body)
            connection.request(method, f"/_sim{path}" + (f"?{asked}" if asked else ""), payload)
            answer = connection.getresponse()
            found = msgspec.json.decode(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ParameterError(found["error"])
        return found
