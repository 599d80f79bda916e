"""What a request asks: its parameters as text, checked as the venue checks them, one after another."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar
from urllib.parse import unquote_plus

import msgspec

from cambist_simulator.dialects.binance.errors import (
    ApiError,
    bad_precision,
    duplicate_parameter,
    illegal,
    invalid,
    missing,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Parameters", "Reference", "check_precision", "from_json", "from_request"]

T = TypeVar("T")

_NUMBER: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_INTEGER: Final = "^[0-9]{1,20}$"
_is_number = re.compile(_NUMBER, re.ASCII).match
_is_integer = re.compile(_INTEGER, re.ASCII).match
_SPOT_SYMBOL: Final = r"^[A-Z0-9-_.]{1,20}$"
_is_spot_symbol = re.compile(r"^[\w\-._]{1,50}$").match
_LONG_MAX: Final = 2**63 - 1
_decode_json = msgspec.json.Decoder(float_hook=str).decode
_encode_json = msgspec.json.Encoder().encode


class Reference(TypedDict, total=False):
    """How a request names an order: by number, or by its client id."""

    order_id: int
    client_id: str


class Parameters:
    """The parameters of a request.

    Parameters
    ----------
    values
        Text by name; one that was sent empty is ``""``.
    spot
        Whether the spot API's rules about symbols hold.
    """

    __slots__ = ("spot", "values")

    def __init__(self, values: dict[str, str], *, spot: bool = True) -> None:
        self.values = values
        self.spot = spot

    def __contains__(self, name: str) -> bool:
        return bool(self.values.get(name))

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter as it came, or `default` where it is not there."""
        return self.values.get(name) or default

    def need(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.values.get(name)
        if not value:
            raise missing(name)
        return value

    def need_one_of(self, first: str, second: str) -> None:
        """Let one of two be there at least."""
        if not self.values.get(first) and not self.values.get(second):
            raise one_of(first, second)

    def symbol(self, name: str = "symbol") -> str:
        """Return the symbol, which must be there."""
        value = self.need(name)
        if self.spot and (not _is_spot_symbol(value) or value != value.upper()):
            raise illegal(name, _SPOT_SYMBOL)
        return value

    def symbols(self) -> list[str] | None:
        """Return the list that ``symbols`` is, or the ``symbol``; None where neither was sent."""
        if "symbol" in self.values and "symbols" in self.values:
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        if self.values.get("symbol"):
            return [self.symbol()]
        if "symbols" not in self.values:
            return None
        names = self.json("symbols")
        if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
            raise illegal("symbols", r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$')
        if len(set(names)) != len(names):
            raise ApiError(-1151, "Symbol is present multiple times in the list.")
        return names

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None where it is not there."""
        value = self.values.get(name)
        if value is None:
            return None
        if not _is_integer(value):
            raise illegal(name, _INTEGER)
        number = int(value)
        if number > _LONG_MAX:
            raise ApiError(-1108, f"Parameter '{name}' overflowed.")
        return number

    def need_integer(self, name: str) -> int:
        """Return a whole number that must be there."""
        self.need(name)
        number = self.integer(name)
        assert number is not None
        return number

    def limit(self, default: int, most: int) -> int:
        """Return how many the client wants, `most` at most."""
        number = self.integer("limit")
        if number is None:
            return default
        if number == 0:
            raise invalid("limit")
        return min(number, most)

    def decimal(self, name: str) -> Decimal | None:
        """Return a number without sign and exponent, or None where it is not there."""
        value = self.values.get(name)
        if value is None:
            return None
        if not _is_number(value):
            raise illegal(name, _NUMBER)
        return Decimal(value)

    def need_decimal(self, name: str) -> Decimal:
        """Return a number that must be there."""
        self.need(name)
        number = self.decimal(name)
        assert number is not None
        return number

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean; any case."""
        value = self.values.get(name)
        if not value:
            return default
        word = value.lower()
        if word not in {"true", "false"}:
            raise invalid(name)
        return word == "true"

    def choice(self, name: str, words: Mapping[str, T], error: tuple[int, str] | None = None) -> T:
        """Return what a word stands for that must be there; `error` is code and text where there is no such word."""
        value = self.need(name)
        if value not in words:
            raise invalid(name) if error is None else ApiError(*error)
        return words[value]

    def json(self, name: str) -> Any:
        """Return what a parameter says in JSON; numbers with a point stay text."""
        try:
            return _decode_json(self.need(name))
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise ApiError(-1135, f"JSON sent for parameter '{name}' is not valid") from None

    def window(self) -> tuple[int | None, int | None]:
        """Return ``startTime`` and ``endTime`` in ms."""
        start, end = self.integer("startTime"), self.integer("endTime")
        if start is not None and end is not None and start > end:
            if self.spot:
                raise ApiError(-1100, "Illegal characters found in a parameter.")
            raise ApiError(-1023, "Start time is greater than end time.")
        return start, end


def check_precision(name: str, value: Decimal, most: int, *, spot: bool) -> None:
    """Refuse more than `most` decimals."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > most and value != round(value, most):
        raise bad_precision(name) if spot else ApiError(-1111, "Precision is over the maximum defined for this asset.")


def from_request(query: str, body: bytes, *, spot: bool) -> Parameters:
    """Return the parameters of a REST request; those of the query go before those of the body."""
    values: dict[str, str] = {}
    if query:
        _split(query, values)
    if body:
        if not query:
            _split(body.decode("utf-8", "replace"), values)
        else:
            more: dict[str, str] = {}
            _split(body.decode("utf-8", "replace"), more)
            values = more | values
    return Parameters(values, spot=spot)


def _split(raw: str, into: dict[str, str]) -> None:
    for pair in raw.split("&"):
        name, _, value = pair.partition("=")
        if not name:
            continue
        if "%" in pair or "+" in pair:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in into:
            raise duplicate_parameter()
        into[name] = value


def from_json(params: Mapping[str, Any], *, spot: bool) -> Parameters:
    """Return the parameters of a WebSocket request, whose numbers with a point were kept as text."""
    values: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, str):
            values[name] = value
        elif isinstance(value, bool):
            values[name] = "true" if value else "false"
        elif value is None:
            values[name] = ""
        elif isinstance(value, int):
            values[name] = str(value)
        else:
            values[name] = _encode_json(value).decode()
    return Parameters(values, spot=spot)
