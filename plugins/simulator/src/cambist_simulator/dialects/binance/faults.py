"""Faults that only the venue itself can do, and what it says with an HTTP error that no request is to blame for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cambist_simulator.dialects.binance.errors import ApiError
from cambist_simulator.server.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_simulator.dialects.binance.sessions import Sessions
    from cambist_simulator.dialects.binance.venue import Venue

__all__ = ["apply", "failure"]

_ADVICE: Final = "Please use WebSocket Streams for live updates to avoid"
_ERRORS: Final[dict[int, tuple[int, str]]] = {
    401: (-2015, "Invalid API-key, IP, or permissions for action."),
    408: (-1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
    500: (-1001, "Internal error; unable to process your request. Please try again."),
    502: (-1001, "Internal error; unable to process your request. Please try again."),
    503: (-1008, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    504: (-1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
}


def failure(venue: Venue, status: int) -> Response:
    """Return what the venue says with an HTTP error."""
    now = venue.now()
    headers: dict[str, str] = {}
    if status == 403:
        page = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
        return Response(status=403, body=page, content_type="text/html")
    if status == 429:
        most = venue.spot_weights.limit.most
        error = ApiError(
            -1003,
            f"Too much request weight used; current limit is {most} request weight per 1 MINUTE. "
            f"{_ADVICE} polling the API.",
        )
        headers["Retry-After"] = str(60 - now // 1_000 % 60)
    elif status == 418:
        until = now + 120_000
        error = ApiError(-1003, f"Way too much request weight used; IP banned until {until}. {_ADVICE} bans.")
        headers["Retry-After"] = "120"
    else:
        code, text = _ERRORS.get(status, (-1000, "An unknown error occurred while processing the request."))
        error = ApiError(code, text)
    return Response(status=status, body=error.body(), headers=headers)


def apply(venue: Venue, sessions: Sessions, action: str, arguments: Mapping[str, Any]) -> bool:
    """Do a fault; False where the venue has no such thing."""
    found = _ACTIONS.get(action)
    if found is None:
        return False
    found(venue, sessions, arguments)
    return True


def _expire_listen_keys(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:
    venue.listen_keys.expire_all(arguments.get("user"))
    sessions.on_timer()


def _end_user_streams(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:
    for api in tuple(sessions.apis):
        api.terminate(arguments.get("user"))
    venue.listen_keys.expire_all(arguments.get("user"))
    sessions.on_timer()


def _maintenance(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    venue.maintenance = bool(arguments.get("on", True))


def _announce_shutdown(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    sessions.shut_down()


def _ban(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    lasting = arguments.get("seconds")
    venue.bans.ban(
        str(arguments.get("ip", "127.0.0.1")), venue.now(), None if lasting is None else int(lasting * 1_000)
    )


def _lift_bans(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    venue.bans.lift()


def _use_up_weight(venue: Venue, sessions: Sessions, arguments: Mapping[str, Any]) -> None:  # noqa: ARG001
    ip, now = str(arguments.get("ip", "127.0.0.1")), venue.now()
    for weights in (venue.spot_weights, venue.futures_weights):
        left = weights.limit.most - weights.used(ip, now)
        weights.charge(ip, max(0, left), now)


_ACTIONS: Final[dict[str, Callable[[Venue, Sessions, Mapping[str, Any]], None]]] = {
    "expire_listen_keys": _expire_listen_keys,
    "end_user_streams": _end_user_streams,
    "maintenance": _maintenance,
    "announce_shutdown": _announce_shutdown,
    "ban": _ban,
    "lift_bans": _lift_bans,
    "use_up_weight": _use_up_weight,
}
