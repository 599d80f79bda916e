"""A request on its way: who asks, what for, at what weight, and whether he may.

The checks go in the venue's order: bans and weight, the key, time and signature, permissions, unknown parameters, order
limits; then the request's own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist_simulator.dialects.binance.auth import parameters_text, signed_text, verified
from cambist_simulator.dialects.binance.errors import (
    ApiError,
    bad_key,
    bad_key_format,
    bad_signature,
    illegal,
    missing,
    unread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.dialects.binance.parameters import Parameters
    from cambist_simulator.dialects.binance.venue import Desk, Venue
    from cambist_simulator.exchange.users import ApiKey, User

__all__ = ["Call", "Route", "Security", "authenticate", "check_open", "key_of"]

_MOST_WINDOW: Final = 60_000
_SIGNED: Final = frozenset({"timestamp", "recvWindow", "signature", "apiKey"})


class Security(IntEnum):
    """What a request needs."""

    NONE = 0
    #: A key.
    KEY = 1
    #: A key and a signature.
    READ = 2
    #: The same of a key that may trade.
    TRADE = 3


class Call(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """A request and what is known of it.

    Attributes
    ----------
    desk
        None for wallet and account services.
    now
        Server time, ms.
    counts
        Of the account's orders, once they were counted.
    """

    venue: Venue
    desk: Desk | None
    params: Parameters
    now: int
    ip: str
    user: User | None = None
    key: ApiKey | None = None
    counts: list[int] | None = None

    @property
    def at(self) -> Desk:
        """The desk of a request that has one."""
        assert self.desk is not None
        return self.desk

    @property
    def who(self) -> User:
        """The user of a request that has one."""
        assert self.user is not None
        return self.user


class Route(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What answers requests of one kind.

    Attributes
    ----------
    label
        What faults and logs know them by.
    handler
        Takes the call and returns what the answer's body is.
    weight
        Of a request, or what tells it from the parameters.
    names
        Parameters it knows; None where unknown ones are ignored.
    orders
        How many orders a request counts as, or what tells it from the parameters.
    free
        Whether it weighs nothing where it succeeds.
    """

    label: str
    handler: Callable[[Call], Any]
    weight: int | Callable[[Parameters], int] = 1
    security: Security = Security.NONE
    names: frozenset[str] | None = None
    orders: int | Callable[[Parameters], int] = 0
    free: bool = False

    def weighs(self, params: Parameters) -> int:
        """Return the weight of a request."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)

    def places(self, params: Parameters) -> int:
        """Return how many orders a request counts as."""
        return self.orders if isinstance(self.orders, int) else self.orders(params)


def key_of(call: Call, name: str | None) -> tuple[User, ApiKey]:
    """Return user and key of a name that came with a request."""
    if not name:
        raise bad_key_format()
    found = call.venue.users.by_key(name)
    ip = "" if call.desk is None or call.desk.spot else call.ip
    if found is None:
        if len(name) > 1_024 or not name.isascii():
            raise bad_key_format()
        raise bad_key(ip)
    user, key = found
    if not key.enabled or not key.allows(call.ip):
        raise bad_key(ip)
    return user, key


def _permit(call: Call, security: Security) -> None:
    key = call.key
    assert key is not None
    needed = "read"
    if security is Security.TRADE:
        needed = "spot" if call.desk is None or call.desk.spot else "futures"
    if needed not in key.permissions:
        raise bad_key("" if call.desk is None or call.desk.spot else call.ip)


def authenticate(
    call: Call, route: Route, key: str | None, signed: tuple[str, bytes] | Mapping[str, Any] | None
) -> None:
    """Check key, time, signature and parameters of a request, and put user and key into the call.

    Parameters
    ----------
    key
        Its name as it came.
    signed
        Query and body of a REST request, the parameters of one on a WebSocket; None where the connection has logged
        on and the request needs no signature of its own.
    """
    security = route.security
    if security >= Security.KEY and call.key is None:
        call.user, call.key = key_of(call, key)
    params = call.params
    if security >= Security.READ:
        values = params.values
        if not values.get("timestamp"):
            raise missing("timestamp")
        if signed is not None and not values.get("signature"):
            raise missing("signature")
        _check_time(call)
        if signed is not None:
            text = signed_text(*signed) if isinstance(signed, tuple) else parameters_text(signed)
            assert call.key is not None
            if not verified(call.key, text, values["signature"]):
                raise bad_signature()
    if security >= Security.KEY:
        _permit(call, security)
    if route.names is not None and not params.values.keys() <= route.names:
        _check_names(params, route)


def _check_time(call: Call) -> None:
    values = call.params.values
    stamp = values["timestamp"]
    if not stamp.isdecimal() or not stamp.isascii() or len(stamp) > 20:
        raise illegal("timestamp", "^[0-9]{1,20}$")
    window = 5_000.0
    if "recvWindow" in values:
        number = call.params.decimal("recvWindow")
        if not number or number > _MOST_WINDOW:
            raise ApiError(-1131, "recvWindow must be less than 60000.")
        window = float(number)
    at = int(stamp)
    # Microseconds are told from milliseconds by their size.
    sent = at / 1_000 if at >= 10**15 else float(at)
    now = call.venue.clock.server.now() / 1_000_000
    if sent >= now + 1_000:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - sent > window:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _check_names(params: Parameters, route: Route) -> None:
    signed = route.security >= Security.READ
    assert route.names is not None
    known = route.names | _SIGNED if signed else route.names
    read = sum(name in known for name in params.values)
    if read != len(params.values):
        raise unread(read, len(params.values), signed=signed)


def check_open(venue: Venue, route: Route) -> None:
    """Refuse what a closed venue does not do."""
    if venue.maintenance and route.security >= Security.READ:
        raise ApiError(-1016, "This service is no longer available.", status=503)
