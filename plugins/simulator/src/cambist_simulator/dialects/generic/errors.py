"""What the generic protocol says when it refuses something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.server.wire import Response

if TYPE_CHECKING:
    from cambist.api import CambistError

__all__ = ["FailedError", "error_body", "failed", "refused"]

_NOT_FOUND = frozenset({Why.UNKNOWN_ORDER, Why.UNKNOWN_SYMBOL})
_USUAL = {
    400: ("bad_request", "The request cannot be understood."),
    401: ("unauthorized", "The key, the time or the signature is wrong."),
    403: ("forbidden", "The key does not permit this."),
    404: ("not_found", "There is nothing here."),
    413: ("too_large", "The request is too large."),
    418: ("banned", "Too many requests were made in spite of refusals."),
    429: ("too_many_requests", "Too many requests."),
    500: ("internal", "The venue failed; what became of the request is not known."),
    503: ("unavailable", "The venue is not available."),
}


class FailedError(Exception):
    """A request fails; `status` is that of HTTP."""

    def __init__(self, status: int, code: str = "", message: str = "", /, **details: Any) -> None:
        usual = _USUAL.get(status, ("failed", "The request failed."))
        self.status, self.code = status, code or usual[0]
        self.message = message or usual[1]
        self.details = details
        super().__init__(self.message)


def refused(error: CambistError) -> FailedError:
    """Return the failure of a request that the exchange refuses."""
    if isinstance(error, RefusedError):
        status = 404 if error.why in _NOT_FOUND else 400
        details = {name: _plain(value) for name, value in error.details.items() if value is not None}
        return FailedError(status, str(error.why), str(error).replace("_", " "), **details)
    return FailedError(400, "bad_request", str(error))


def error_body(error: FailedError) -> dict[str, Any]:
    """Return what is sent: ``code`` for programs, ``message`` for people, ``details``."""
    return {"error": {"code": error.code, "message": error.message, "details": error.details}}


def failed(status: int) -> Response:
    """Return the answer of an HTTP error that no request is to blame for."""
    return Response(status=status, body=msgspec.json.encode(error_body(FailedError(status))))


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int) else str(value)
