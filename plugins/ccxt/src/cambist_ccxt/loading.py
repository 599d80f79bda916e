"""ccxt, imported when an exchange is opened and not before: it costs seconds and a hundred megabytes."""

from __future__ import annotations

import asyncio
import importlib
import socket
from typing import TYPE_CHECKING, Any, Final

import attrs

from cambist.api import MissingDependencyError, ParameterError, did_you_mean
from cambist_ccxt.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist_ccxt.credentials import Credentials

__all__ = ["FAMILIES", "Answer", "Network", "keep_to_ip", "load_exchange", "raw_client"]


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
    ip
        4 or 6 for that version of the Internet protocol alone, 0 for whichever answers.
    """

    timeout: float = 10.0
    proxy: str = ""
    ip: int = 0


#: Address families by version of the protocol.
FAMILIES: Final = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


def keep_to_ip(client: Any, ip: int) -> Any:
    """Have a client of ccxt connect by one version of the Internet protocol alone; return it."""
    if ip:
        usual = client.open

        def open_session(lazy: bool = False) -> None:
            if client.session is None and client.own_session:
                aiohttp = importlib.import_module("aiohttp")
                client.tcp_connector = aiohttp.TCPConnector(ssl=client.ssl_context, family=FAMILIES[ip])
                client.session = aiohttp.ClientSession(
                    connector=client.tcp_connector, trust_env=client.aiohttp_trust_env
                )
            usual(lazy)

        client.open = open_session
    return client


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
    tls_context()  # read here, in the thread
    if name not in module.exchanges:
        raise ParameterError(f"ccxt has no exchange {name!r}.{did_you_mean(name, module.exchanges)}")
    return getattr(module, name)


def config_of(credentials: Credentials, network: Network, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that ccxt's classes take."""
    config: dict[str, Any] = {
        "timeout": round(network.timeout * 1000),
        "number": str,
        "options": {**options},
        "ssl_context": tls_context(),
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
    keep_to_ip(client, network.ip)
    if urls is not None:
        client.urls["api"] = {**client.urls["api"], **urls}
    return client
