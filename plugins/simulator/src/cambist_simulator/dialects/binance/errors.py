"""Binance's error codes and texts, and which of them a refusal of the exchange becomes.

Codes and texts are those of the venue's documentation (spot ``errors.md``; derivatives "Error Code" pages). One code
can mean different things on spot and on futures: -2021 and -2022 above all.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cambist.api import CambistError
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.listing import Segment

__all__ = [
    "ApiError",
    "bad_key",
    "bad_key_format",
    "bad_precision",
    "bad_signature",
    "duplicate_parameter",
    "illegal",
    "invalid",
    "invalid_symbol",
    "missing",
    "no_such_order",
    "not_required",
    "one_of",
    "refusal",
    "unread",
]

_encode = msgspec.json.Encoder().encode


class ApiError(CambistError):
    """A request that fails with a code of the venue.

    Parameters
    ----------
    code, text
        As in the answer's body.
    status
        Of HTTP.
    data
        Further content of the body, such as the two results of a cancel-replace.
    retry_after
        Seconds; goes to the header of that name.
    socket_data
        Further content that only the WebSocket APIs tell.
    """

    def __init__(
        self,
        code: int,
        text: str,
        *,
        status: int = 400,
        data: Any = None,
        retry_after: int | None = None,
        socket_data: Any = None,
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status
        self.data = data
        self.retry_after = retry_after
        self.socket_data = socket_data

    def payload(self) -> dict[str, Any]:
        """Return the error as the venue writes it."""
        payload: dict[str, Any] = {"code": self.code, "msg": self.text}
        if self.data is not None:
            payload["data"] = self.data
        return payload

    def body(self, *, socket: bool = False) -> bytes:
        """Return the JSON of it, as REST or as a WebSocket API tells it."""
        payload = self.payload()
        if socket and self.socket_data is not None:
            payload["data"] = self.socket_data
        return _encode(payload)


def missing(name: str) -> ApiError:
    """-1102: a parameter that must be there is not, or is empty, or makes no sense."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def one_of(first: str, second: str) -> ApiError:
    """-1102: neither of two was sent."""
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def illegal(name: str, legal: str) -> ApiError:
    """-1100: characters that the parameter may not have."""
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter() -> ApiError:
    """-1101: sent twice."""
    return ApiError(-1101, "Duplicate values for a parameter detected.")


def unread(read: int, sent: int, *, signed: bool) -> ApiError:
    """-1104 or -1101: parameters that the endpoint does not know."""
    if signed:
        return ApiError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")
    return ApiError(-1101, f"Too many parameters; expected '{read}' and received '{sent}'.")


def not_required(name: str) -> ApiError:
    """-1106: sent, but has no place in this request."""
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def bad_precision(name: str) -> ApiError:
    """-1111: more decimals than the asset has."""
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def invalid(name: str) -> ApiError:
    """-1130: a value that the parameter cannot have."""
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def invalid_symbol() -> ApiError:
    """-1121."""
    return ApiError(-1121, "Invalid symbol.")


def no_such_order() -> ApiError:
    """-2013: a query for an order that is not there."""
    return ApiError(-2013, "Order does not exist.")


def bad_key_format() -> ApiError:
    """-2014: no key, or nothing like one."""
    return ApiError(-2014, "API-key format invalid.", status=401)


def bad_key(ip: str = "") -> ApiError:
    """-2015: unknown key, wrong address, or lacking permission; futures name the address."""
    text = "Invalid API-key, IP, or permissions for action"
    return ApiError(-2015, f"{text}, request ip: {ip}" if ip else f"{text}.", status=401)


def bad_signature() -> ApiError:
    """-1022."""
    return ApiError(-1022, "Signature for this request is not valid.")


_CLOSED_FUTURES: Final = (-4108, "Symbol is on delivering or delivered or settling or closed or pre-trading.")

_SPOT: Final[dict[Why, tuple[int, str]]] = {
    Why.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Why.MARKET_CLOSED: (-2010, "Market is closed."),
    Why.CANCEL_ONLY: (-2010, "Market is closed."),
    Why.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Why.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Why.INSUFFICIENT_FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Why.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Why.WOULD_TRIGGER: (-2010, "Order would trigger immediately."),
    Why.NO_LIQUIDITY: (-2010, "Order book liquidity is less than symbol minimum quantity."),
    Why.TOO_MANY_ORDERS: (-1013, "Filter failure: MAX_NUM_ORDERS"),
    Why.BAD_LIST: (-2010, "The relationship of the prices for the orders is not correct."),
    Why.NOTHING_TO_CHANGE: (-2038, "The requested action would change no state; rejecting."),
    Why.CANNOT_AMEND: (-2038, "Order amend (quantity increase) is not supported."),
    Why.MAX_POSITION: (-1013, "Filter failure: MAX_POSITION"),
    Why.UNSUPPORTED: (-1014, "Unsupported order combination."),
    Why.BAD_TERMS: (-1014, "Unsupported order combination."),
}

_FUTURES: Final[dict[Why, tuple[int, str]]] = {
    Why.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Why.MARKET_CLOSED: _CLOSED_FUTURES,
    Why.CANCEL_ONLY: _CLOSED_FUTURES,
    Why.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Why.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Why.INSUFFICIENT_FUNDS: (-2019, "Margin is insufficient."),
    Why.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Why.WOULD_TAKE: (
        -5022,
        (
            "Due to the order could not be executed as maker, the Post Only order will be rejected. "
            "The order will not be recorded in the order history"
        ),
    ),
    Why.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Why.FOK_UNFILLABLE: (
        -5021,
        (
            "Due to the order could not be filled immediately, the FOK order has been rejected. "
            "The order will not be recorded in the order history"
        ),
    ),
    Why.NO_LIQUIDITY: (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    Why.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Why.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Why.TOO_MANY_ORDERS: (-2025, "Reach max open order limit."),
    Why.NOTHING_TO_CHANGE: (-5027, "No need to modify the order."),
    Why.CANNOT_AMEND: (-5025, "Only limit order is supported."),
    Why.LEVERAGE: (-4028, "Leverage {leverage} is not valid"),
    Why.HAS_POSITION: (-4048, "Margin type cannot be changed if there exists position."),
    Why.HAS_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Why.MAX_POSITION: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Why.UNSUPPORTED: (-1116, "Invalid orderType."),
    Why.BAD_TERMS: (-1102, "A mandatory parameter was not sent, was empty/null, or malformed."),
}

#: Filters of the exchange in the words of ``exchangeInfo``.
_FILTERS: Final = {
    "price": "PRICE_FILTER",
    "lot_size": "LOT_SIZE",
    "market_lot_size": "MARKET_LOT_SIZE",
    "notional": "NOTIONAL",
    "percent_price": "PERCENT_PRICE_BY_SIDE",
    "max_orders": "MAX_NUM_ORDERS",
    "max_conditional_orders": "MAX_NUM_ALGO_ORDERS",
    "iceberg_parts": "ICEBERG_PARTS",
    "trailing_delta": "TRAILING_DELTA",
    "max_position": "MAX_POSITION",
    "max_amends": "MAX_NUM_ORDER_AMENDS",
}
_LOT: Final[dict[str, tuple[int, str]]] = {
    "min": (-4004, "Quantity less than or equal to zero."),
    "max": (-4005, "Quantity greater than max quantity."),
    "step": (-4023, "Qty not increased by step size."),
}
#: By filter and rule.
_FUTURES_FILTERS: Final[dict[str, dict[str, tuple[int, str]]]] = {
    "price": {
        "min": (-4013, "Price less than min price."),
        "max": (-4002, "Price greater than max price."),
        "step": (-4014, "Price not increased by tick size."),
    },
    "lot_size": _LOT,
    "market_lot_size": _LOT,
    "percent_price": {
        "up": (-4016, "Limit price can't be higher than mark price multiplier cap."),
        "down": (-4024, "Limit price can't be lower than mark price multiplier floor."),
    },
    "trailing_delta": {"min": (-2007, "Invalid callBack rate."), "max": (-2007, "Invalid callBack rate.")},
    "max_orders": {"max": (-2025, "Reach max open order limit.")},
    "max_conditional_orders": {"max": (-4045, "Reach max stop order limit.")},
    "max_amends": {"max": (-5026, "Exceed maximum modify order limit.")},
    "max_position": {"max": (-2027, "Exceeded the maximum allowable position at current leverage.")},
}


def refusal(segment: Segment, error: RefusedError) -> ApiError:
    """Return what the venue says where the exchange refuses."""
    details = error.details
    if error.why is Why.FILTER:
        return _filter_failure(segment, details)
    if error.why is Why.TOO_MANY_ORDERS and details.get("conditional"):
        return _filter_failure(segment, {"filter": "max_conditional_orders", "rule": "max"})
    if error.why is Why.BAD_TERMS and segment is Segment.SPOT:
        field = str(details.get("field", ""))
        name = {"size": "quantity", "quote_size": "quoteOrderQty", "stop_price": "stopPrice"}.get(field, field)
        if name in {"quantity", "price", "stopPrice", "quoteOrderQty"}:
            return ApiError(-1013, f"Invalid {name}.")
    table = _SPOT if segment is Segment.SPOT else _FUTURES
    code, text = table.get(error.why, (-1000, "An unknown error occurred while processing the request."))
    return ApiError(code, text.format_map(_Details(details)))


def _filter_failure(segment: Segment, details: dict[str, Any]) -> ApiError:
    which, rule = str(details.get("filter")), str(details.get("rule"))
    if segment is Segment.SPOT:
        return ApiError(-1013, f"Filter failure: {_FILTERS.get(which, which.upper())}")
    if which == "notional":
        least = details.get("limit", "5")
        return ApiError(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")
    code, text = _FUTURES_FILTERS.get(which, {}).get(rule, (-1013, "Invalid message."))
    return ApiError(code, text)


class _Details(dict[str, Any]):
    """Numbers for a text; a number that nobody gave shows as ``0``."""

    def __missing__(self, key: str) -> str:
        return "0"
