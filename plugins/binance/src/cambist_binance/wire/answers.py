"""What all answers share: errors, the frames of the WebSocket API, times, limits, what a key may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ApiFrame",
    "ErrorBody",
    "KeyRights",
    "LimitUse",
    "decode_error",
    "decode_frame",
    "decode_head",
    "decode_listen_key",
    "decode_rights",
    "decode_time",
    "used_up",
]


class _ErrorData(msgspec.Struct, rename="camel", gc=False):
    """What a refusal says besides: until when nothing more may be asked, ms."""

    retry_after: int = 0


class ErrorBody(msgspec.Struct, gc=False):
    """A refusal in the venue's words."""

    code: int
    msg: str = ""
    data: _ErrorData | None = None


class LimitUse(msgspec.Struct, rename="camel", gc=False):
    """How much of a limit is used up."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int = 0


class ApiFrame(msgspec.Struct, rename="camel", gc=False):
    """A frame of the WebSocket API: the answer to a request, or an event of the account."""

    id: int | str | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"")
    error: ErrorBody | None = None
    rate_limits: list[LimitUse] = []
    event: msgspec.Raw = msgspec.Raw(b"")
    #: Of events that concern the connection: ``serverShutdown``.
    e: str = ""


class _Head(msgspec.Struct, gc=False):
    """What kind of event something is."""

    e: str = ""


class _Time(msgspec.Struct, rename="camel", gc=False):
    server_time: int


class _ListenKey(msgspec.Struct, rename="camel", gc=False):
    listen_key: str


class KeyRights(msgspec.Struct, rename="camel", gc=False):
    """What a key may do."""

    ip_restrict: bool = False
    enable_reading: bool = True
    enable_withdrawals: bool = False
    enable_spot_and_margin_trading: bool = False
    enable_futures: bool = False


decode_error = msgspec.json.Decoder(ErrorBody, strict=False).decode
decode_frame = msgspec.json.Decoder(ApiFrame, strict=False).decode
decode_time = msgspec.json.Decoder(_Time, strict=False).decode
decode_rights = msgspec.json.Decoder(KeyRights, strict=False).decode
_head = msgspec.json.Decoder(_Head).decode
_listen_key = msgspec.json.Decoder(_ListenKey).decode


def decode_head(data: bytes | msgspec.Raw) -> str:
    """Return the kind of an event, ``""`` where it says none."""
    return _head(data).e


def decode_listen_key(data: bytes) -> str:
    """Return the key of a user stream."""
    return _listen_key(data).listen_key


#: Names of windows in headers and here: the venue's letter for a span.
_LETTERS = {"SECOND": "s", "MINUTE": "m", "HOUR": "h", "DAY": "d"}


def window_name(kind: str, interval: str, number: int) -> str:
    """Return the name of a window: ``"weight-1m"``, ``"orders-10s"``, ``"raw-5m"``."""
    what = {"REQUEST_WEIGHT": "weight", "ORDERS": "orders", "RAW_REQUESTS": "raw"}.get(kind, kind.lower())
    return f"{what}-{number}{_LETTERS.get(interval, interval.lower())}"


def used_up(limits: Sequence[LimitUse]) -> dict[str, int]:
    """Return what is used up, by window."""
    return {window_name(one.rate_limit_type, one.interval, one.interval_num): one.count for one in limits}
