"""What clients ask for in the generic protocol, read and checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from cambist.model import OrderType, Side, TimeInForce
from cambist_simulator.dialects.generic.errors import FailedError
from cambist_simulator.exchange.orders import AmendTerms, OrderTerms, PriceSource

__all__ = ["TYPES", "AmendRequest", "Lookup", "OrderRequest", "decoded", "query_of", "whole"]

T = TypeVar("T")

#: By the protocol's name.
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "market_if_touched": OrderType.MARKET_IF_TOUCHED,
    "limit_if_touched": OrderType.LIMIT_IF_TOUCHED,
    "trailing_stop": OrderType.TRAILING_STOP,
    "trailing_stop_limit": OrderType.TRAILING_STOP_LIMIT,
}
_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_TIMES = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK, "gtd": TimeInForce.GTD}
_MS = 1_000_000
#: Digits before and after the point that a number may have.
_DIGITS = 24


class OrderRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new order; see `cambist_simulator.exchange.orders.OrderTerms`. Times in ms."""

    symbol: str
    side: str
    type: str
    size: Decimal | None = None
    quote_size: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    trigger: str = "last"
    time_in_force: str = "gtc"
    expires: int = 0
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    position_side: str = ""
    display: Decimal | None = None
    client_id: str = ""

    def terms(self) -> OrderTerms:
        """Return it as the exchange takes it."""
        _check_numbers(self)
        _check_name(self.client_id)
        return OrderTerms(
            symbol=self.symbol,
            side=_word(self.side, "side", _SIDES),
            type=_word(self.type, "type", TYPES),
            size=self.size,
            quote_size=self.quote_size,
            price=self.price,
            stop_price=self.stop_price,
            trail=self.trail,
            trigger=_word(self.trigger, "trigger", {one.value: one for one in PriceSource}),
            time_in_force=_word(self.time_in_force, "time_in_force", _TIMES),
            expires_at=_time(self.expires),
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            close_position=self.close_position,
            position_side=_word(self.position_side, "position_side", {one: one for one in ("", "long", "short")}),
            display=self.display,
            client_id=self.client_id,
        )


class Lookup(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An order that is there: by `id`, or by `client_id`."""

    symbol: str = ""
    id: int | None = None
    client_id: str | None = None

    def where(self) -> dict[str, Any]:
        """Return what the exchange looks it up by."""
        if self.id is None and not self.client_id:
            raise FailedError(400, "bad_request", "Give id or client_id.")
        return {"order_id": self.id, "client_id": self.client_id or None}


class AmendRequest(Lookup, forbid_unknown_fields=True, kw_only=True):
    """New terms of a working order."""

    size: Decimal | None = None
    price: Decimal | None = None

    def terms(self) -> AmendTerms:
        """Return it as the exchange takes it."""
        _check_numbers(self)
        return AmendTerms(size=self.size, price=self.price)


def decoded(body: bytes, kind: type[T]) -> T:
    """Read JSON; what does not fit is told with its place."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise FailedError(400, "bad_request", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FailedError(400, "bad_json", f"The body is no JSON: {error}") from error


def query_of(text: str, *known: str) -> dict[str, str]:
    """Read a query; names that are not known are refused."""
    try:
        found = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=50))
    except ValueError as error:
        raise FailedError(400, "bad_request", f"The query cannot be read: {error}") from error
    for name in found:
        if name not in known:
            raise FailedError(400, "bad_request", f"There is no parameter {name!r} here.", known=", ".join(known))
    return found


def whole(query: dict[str, str], name: str, default: int, most: int = 1 << 62) -> int:
    """Return a whole number of a query, from 0 to `most`."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > most:
        raise FailedError(400, "bad_request", f"{name} is {text[:40]!r}; give a whole number from 0 to {most}.")
    return int(text)


def _check_numbers(request: msgspec.Struct) -> None:
    for name in request.__struct_fields__:
        value = getattr(request, name)
        if isinstance(value, Decimal) and (
            not value.is_finite() or abs(value.adjusted()) > _DIGITS or len(value.as_tuple().digits) > 2 * _DIGITS
        ):
            raise FailedError(400, "bad_request", f"{name} is no number that can be traded.")


def _check_name(client_id: str) -> None:
    if len(client_id) > 64 or not client_id.isascii() or not client_id.isprintable():
        raise FailedError(400, "bad_request", "client_id has up to 64 printable ASCII characters.")


def _word(value: str, name: str, known: dict[str, T]) -> T:
    if value not in known:
        raise FailedError(400, "bad_request", f"{name} is {value[:40]!r}.", known=", ".join(known))
    return known[value]


def _time(ms: int) -> int:
    if not 0 <= ms < 10**14:
        raise FailedError(400, "bad_request", "expires is a time in milliseconds since the epoch.")
    return ms * _MS
