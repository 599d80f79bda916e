"""Keys and signatures of the generic protocol."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from cambist_simulator.dialects.generic.errors import FailedError

if TYPE_CHECKING:
    from cambist_simulator.clock import Clock
    from cambist_simulator.exchange.users import ApiKey, User, Users
    from cambist_simulator.server.wire import Request

__all__ = ["Auth", "sign"]

_MS = 1_000_000
_WINDOW, _AHEAD = 5_000, 1_000


def sign(secret: bytes, time_ms: int | str, method: str, target: str, body: bytes = b"") -> str:
    """Return the signature of a request.

    Parameters
    ----------
    time_ms
        As in the header ``X-Time``.
    target
        Path with query, as it is sent.

    Returns
    -------
    str
        HMAC-SHA256 of time, method, target and body, one after the other; hexadecimal.
    """
    return hmac.new(secret, f"{time_ms}{method}{target}".encode() + body, hashlib.sha256).hexdigest()


class Auth:
    """Finds out who sent a request.

    Parameters
    ----------
    users
        Whose keys count.
    clock
        Of the venue's servers: a request is good from 1 s ahead of it to 5 s behind it.
    """

    def __init__(self, users: Users, clock: Clock) -> None:
        self._users, self._clock = users, clock

    def of_request(self, request: Request) -> tuple[User, ApiKey]:
        """Return whose request it is.

        Raises
        ------
        FailedError
            401 where key, time or signature is missing or wrong, 403 where the address may not use the key.
        """
        headers = request.headers
        target = f"{request.path}?{request.query}" if request.query else request.path
        return self.of(
            headers.get("x-key", ""),
            headers.get("x-time", ""),
            headers.get("x-sign", ""),
            (request.method, target, request.body),
            request.ip,
        )

    def of(
        self, key: str, time_ms: str, signature: str, signed: tuple[str, str, bytes], ip: str
    ) -> tuple[User, ApiKey]:
        """Return whose key it is; see `of_request`."""
        found = self._users.by_key(key)
        if found is None or not found[1].enabled or found[1].kind != "hmac":
            raise FailedError(401, "unknown_key", "There is no such key.")
        user, api_key = found
        if not api_key.allows(ip):
            raise FailedError(403, "ip_not_allowed", "The key cannot be used from this address.", ip=ip)
        if not (time_ms.isascii() and time_ms.isdigit()) or len(time_ms) > 15:
            raise FailedError(401, "bad_time", "X-Time is the time in milliseconds since the epoch.")
        now = self._clock.now() // _MS
        behind = now - int(time_ms)
        if behind > _WINDOW or behind < -_AHEAD:
            raise FailedError(401, "bad_time", "X-Time is too far from the time of the venue.", venue_time=now)
        expected = sign(api_key.secret, time_ms, *signed)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise FailedError(401, "bad_signature", "The signature does not fit the request.")
        return user, api_key

    def user_of(self, key: str) -> str:
        """Return the id of the user of a key; ``""`` for nobody's."""
        found = self._users.by_key(key)
        return "" if found is None else found[0].id
