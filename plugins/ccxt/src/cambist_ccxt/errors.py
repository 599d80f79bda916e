"""Why a request has no usable answer: what an order manager must tell apart."""

from __future__ import annotations

from cambist.api import VenueError

__all__ = ["BusyError", "NoAnswerError", "NotSentError", "RefusedError", "failure_of"]


class NotSentError(VenueError):
    """The request never left, or never reached the venue: it certainly did nothing."""


class NoAnswerError(VenueError):
    """The request left, and whether the venue has done it nobody knows."""


class BusyError(NotSentError):
    """The budget, or the venue, does not allow the request now; it did nothing.

    Parameters
    ----------
    what
        What happened.
    retry_after
        ns after which it may be tried again.
    """

    def __init__(self, what: str, retry_after: int, *, code: str = "") -> None:
        super().__init__(what, code=code, retry_after=max(1, retry_after))


class RefusedError(VenueError):
    """The venue refused a request, with a code of its own.

    Parameters
    ----------
    reason
        A stable word.
    text
        The venue's.
    code
        The venue's.
    """

    def __init__(self, reason: str, text: str, *, code: str = "") -> None:
        super().__init__(f"{text} ({code}, {reason})" if code else f"{text} ({reason})", code=code)
        self.reason, self.text = reason, text


#: aiohttp's errors while connecting: refused, no such host, no route, a certificate that is not trusted.
_BEFORE_SENDING = frozenset({"ClientConnectorError", "gaierror", "ConnectionTimeoutError", "InvalidURL"})


def failure_of(what: str, error: BaseException) -> NotSentError | NoAnswerError:
    """Tell what never left from what may have arrived, by the cause that ccxt wraps.

    Parameters
    ----------
    what
        Was asked.
    error
        What ccxt raised; one that is not its own is raised again.
    """
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__
    told = f"{what}: {str(chain[-1]) or type(chain[-1]).__name__}"
    kinds = [kind for one in chain for kind in type(one).__mro__]
    if {kind.__name__ for kind in kinds} & _BEFORE_SENDING:
        return NotSentError(f"the venue cannot be reached: {told}", code="unreachable")
    if any(kind.__module__.startswith("ccxt.") for kind in type(error).__mro__):
        return NoAnswerError(told)
    raise error
