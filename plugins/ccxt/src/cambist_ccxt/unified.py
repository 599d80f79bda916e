"""A client with ccxt's unified methods whose errors tell a refusal from an answer that never came."""

from __future__ import annotations

import contextvars
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cambist_ccxt.apart import apart
from cambist_ccxt.budget import Priority
from cambist_ccxt.errors import BusyError, NoAnswerError, RefusedError, failure_of
from cambist_ccxt.loading import config_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from cambist_ccxt.budget import Budget
    from cambist_ccxt.credentials import Credentials
    from cambist_ccxt.loading import Network

__all__ = ["Unified", "unified_client"]

_SECOND = 1_000_000_000
#: What the request that is being made is for: ccxt has no place for it in its calls.
_priority: contextvars.ContextVar[Priority] = contextvars.ContextVar("priority", default=Priority.DATA)

#: Stable words for ccxt's classes that certainly say "no"; the first in an error's ancestry that is here counts.
_REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "InsufficientFunds": "insufficient_funds",
        "OrderNotFound": "unknown_order",
        "DuplicateOrderId": "duplicate_client_id",
        "OrderImmediatelyFillable": "post_only",
        "OrderNotFillable": "fill_or_kill",
        "ContractUnavailable": "symbol_halted",
        "MarketClosed": "symbol_halted",
        "BadSymbol": "unknown_symbol",
        "NoChange": "no_change",
        "PermissionDenied": "permission",
        "AccountNotEnabled": "permission",
        "AccountSuspended": "permission",
        "AuthenticationError": "api_key",
        "InvalidNonce": "clock_skew",
        "OnMaintenance": "closed",
        "NotSupported": "unsupported",
        "InvalidOrder": "rejected",
        "ArgumentsRequired": "parameter",
        "BadRequest": "parameter",
        "OperationRejected": "rejected",
    }
)
_BUSY: Final = frozenset({"RateLimitExceeded", "DDoSProtection"})
#: Words in an exchange's text that say more than ccxt's class, which may depend on the address that was asked.
_TEXTS: Final = (
    ("duplicate", "duplicate_client_id"),
    ("immediately match", "post_only"),
    ("post only", "post_only"),
    ("post-only", "post_only"),
    ("insufficient", "insufficient_funds"),
)


def refusal_of(error: BaseException, status: int) -> Exception | None:
    """Return what an error of ccxt about an answer of the exchange means; None where that stays open.

    ccxt's classes are not always right. Those that could be either count as open, save where HTTP itself says that
    the request was refused.
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    text = str(error)
    if status in {401, 403} and "DDoSProtection" in names:
        return RefusedError("api_key", text)
    if _BUSY & set(names):
        return BusyError(text, 5 * _SECOND, code="rate_limit")
    for name in names:
        if name in _REFUSALS:
            reason = _REFUSALS[name]
            return RefusedError(_by_text(text) if reason == "rejected" else reason, text)
    if 400 <= status < 500 and status != 408 and "OperationFailed" not in names:
        return RefusedError(_by_text(text), text)
    return None


def _by_text(text: str) -> str:
    lowered = text.lower()
    return next((word for part, word in _TEXTS if part in lowered), "rejected")


def unified_client(
    base: Any,
    credentials: Credentials,
    network: Network,
    budget: Budget,
    *,
    options: Mapping[str, Any],
    urls: Mapping[str, str],
    stamp: Callable[[], int],
) -> Any:
    """Make a client with ccxt's unified methods, whose requests wait for their turn in a budget.

    Parameters
    ----------
    stamp
        Answers the time for requests, ms.
    """

    class UnifiedClient(base):  # type: ignore[misc]
        def milliseconds(self) -> int:
            return stamp()

        async def throttle(self, _cost: Any = None) -> None:
            costs = {"requests": 1}
            await budget.acquire(costs, _priority.get(), network.timeout)
            budget.settle(costs, {})

        def handle_errors(
            self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any
        ) -> Any:
            if code in {418, 429}:
                after = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
                span = round(float(after) * _SECOND) if after.replace(".", "", 1).isdigit() else 5 * _SECOND
                budget.pause(span)
                raise BusyError(f"HTTP {code}: asked too much", span, code=str(code))
            if code >= 500 or code == 408:
                raise NoAnswerError(f"HTTP {code} {body[:120]}")
            if rest[0] is None and code == 200:
                raise NoAnswerError(f"an answer that is no JSON: {body[:80]!r}")
            try:
                return super().handle_errors(code, reason, url, method, headers, body, *rest)
            except Exception as error:
                raise refusal_of(error, code) or NoAnswerError(str(error)) from error

    UnifiedClient.__name__ = base.__name__
    client = UnifiedClient(config_of(credentials, network, options) | {"enableRateLimit": True})
    if urls:
        client.urls["api"] = {**client.urls["api"], **urls} if isinstance(client.urls["api"], dict) else urls
    return client


class Unified:
    """Calls unified methods with a priority, and gives their errors a meaning.

    Parameters
    ----------
    client
        What `unified_client` made.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def has(self, name: str) -> bool:
        """Whether the exchange can do something, by ccxt's name for it."""
        return bool(self.client.has.get(name))

    async def call(self, name: str, *args: Any, priority: Priority = Priority.DATA, **named: Any) -> Any:
        """Call a method.

        Raises
        ------
        BusyError, NotSentError, RefusedError
            The exchange certainly did nothing.
        NoAnswerError
            Nobody knows whether it did.
        """
        token = _priority.set(priority)
        try:
            return await self._awaited(getattr(self.client, name)(*args, **named), name)
        finally:
            _priority.reset(token)

    async def _awaited(self, asked: Coroutine[Any, Any, Any], name: str) -> Any:
        try:
            return await apart(asked)
        except (NoAnswerError, BusyError, RefusedError):
            raise
        except Exception as error:
            # Raised before anything was sent (a wrong argument), or while sending and receiving.
            if error.__cause__ is None and (refusal := refusal_of(error, 0)) is not None:
                raise refusal from error
            raise failure_of(name, error) from error
