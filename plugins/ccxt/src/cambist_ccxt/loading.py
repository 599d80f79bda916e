"""ccxt, imported when an exchange is opened and not before: it costs seconds and a hundred megabytes."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

import attrs

from cambist.api import MissingDependencyError, ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_ccxt.credentials import Credentials

__all__ = ["Answer", "Network", "load_exchange", "raw_client"]


class Answer(Exception):  # noqa: N818 - it is how a whole answer leaves ccxt, not an error
    """What came back over HTTP, before ccxt reads anything into it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        super().__init__(status)
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}


@attrs.frozen(kw_only=True)
class Network:
    """How to get to a venue.

    Attributes
    ----------
    timeout
        Of a request, seconds.
    proxy
        Address of an HTTP proxy, for requests and streams; ``""`` for none.
    """

    timeout: float = 10.0
    proxy: str = ""


async def load_exchange(name: str) -> Any:
    """Return ccxt's asynchronous class of an exchange; it is imported in a thread.

    Raises
    ------
    MissingDependencyError
        ccxt is not installed.
    ParameterError
        It has no such exchange.
    """
    return await asyncio.to_thread(_load, name)


def _load(name: str) -> Any:
    try:
        module = importlib.import_module("ccxt.async_support")
    except ModuleNotFoundError as error:
        raise MissingDependencyError("this venue needs ccxt, which is not installed: pip install ccxt.") from error
    if name not in module.exchanges:
        raise ParameterError(f"ccxt has no exchange {name!r}.{did_you_mean(name, module.exchanges)}")
    return getattr(module, name)


def config_of(credentials: Credentials, network: Network, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that ccxt's classes take."""
    config: dict[str, Any] = {
        "timeout": round(network.timeout * 1000),
        "number": str,
        "options": {**options},
    }
    if credentials:
        config |= {"apiKey": credentials.key, "secret": credentials.secret, "password": credentials.password or None}
    if network.proxy:
        config["aiohttp_proxy"] = network.proxy
    return config


def raw_client(
    base: Any,
    credentials: Credentials,
    network: Network,
    *,
    stamp: Callable[[], int],
    options: Mapping[str, Any] | None = None,
    urls: Mapping[str, str] | None = None,
) -> Any:
    """Make a client that signs and sends as ccxt does, and hands over answers as they came: `Answer` is raised.

    Parameters
    ----------
    base
        ccxt's class.
    stamp
        Answers the time for requests, ms.
    urls
        Base address by ccxt's name of the part of the API, instead of the venue's own.
    """

    class RawClient(base):  # type: ignore[misc]
        def nonce(self) -> int:
            return stamp()

        def parse_json(self, text: str) -> None:
            """Leave it to those who know what it is."""

        def handle_errors(
            self, code: int, _reason: str, _url: str, _method: str, headers: Any, body: str, *_: Any
        ) -> None:
            raise Answer(code, headers, body)

    # ccxt names its loggers and messages by the class.
    RawClient.__name__ = base.__name__
    client = RawClient(config_of(credentials, network, options or {}) | {"enableRateLimit": False})
    if urls is not None:
        client.urls["api"] = {**client.urls["api"], **urls}
    return client
