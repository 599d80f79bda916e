"""Where the venue is, by market and world."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Endpoints", "Market", "endpoints"]


class Market(StrEnum):
    """The three markets."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"

    @property
    def futures(self) -> bool:
        """Whether it has positions."""
        return self is not Market.SPOT

    @property
    def venue(self) -> str:
        """What sessions of it are called."""
        return f"binance-{self}"


@attrs.frozen
class Endpoints:
    """Addresses without the path of a request.

    Attributes
    ----------
    rest
        Base addresses by ccxt's names of the parts of the API.
    streams
        Base of market streams; USD-M has several below it.
    ws_api
        ``""`` where there is none.
    """

    rest: Mapping[str, str]
    streams: str
    ws_api: str


#: REST host, stream host, WebSocket API, by market and world.
_HOSTS: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("spot", "mainnet"): ("api.binance.com", "stream.binance.com:9443", "ws-api.binance.com:443/ws-api/v3"),
    ("spot", "testnet"): (
        "testnet.binance.vision",
        "stream.testnet.binance.vision",
        "ws-api.testnet.binance.vision/ws-api/v3",
    ),
    ("spot", "demo"): ("demo-api.binance.com", "demo-stream.binance.com", "demo-ws-api.binance.com/ws-api/v3"),
    ("usdm", "mainnet"): ("fapi.binance.com", "fstream.binance.com", "ws-fapi.binance.com/ws-fapi/v1"),
    ("usdm", "testnet"): (
        "testnet.binancefuture.com",
        "fstream.binancefuture.com",
        "testnet.binancefuture.com/ws-fapi/v1",
    ),
    ("usdm", "demo"): ("demo-fapi.binance.com", "demo-fstream.binance.com", "testnet.binancefuture.com/ws-fapi/v1"),
    ("coinm", "mainnet"): ("dapi.binance.com", "dstream.binance.com", "ws-dapi.binance.com/ws-dapi/v1"),
    ("coinm", "testnet"): ("testnet.binancefuture.com", "dstream.binancefuture.com", ""),
    ("coinm", "demo"): ("demo-dapi.binance.com", "demo-dstream.binance.com", ""),
}
_WS_API_PATHS = {"spot": "ws-api/v3", "usdm": "ws-fapi/v1", "coinm": "ws-dapi/v1"}


def endpoints(market: Market, environment: str, url: str = "") -> Endpoints:
    """Return where a market is.

    Parameters
    ----------
    url
        Address of an exchange simulator; it goes before `environment`.

    Raises
    ------
    ParameterError
        `url` is none.
    """
    _, stream_host, ws_api = _HOSTS[market, "mainnet"]
    if url:
        base = url.rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ParameterError(f"url is {url!r}; give the address of a simulator, such as 'http://127.0.0.1:8800'.")
        sockets = ("wss" if parts.scheme == "https" else "ws") + base.removeprefix(parts.scheme)
        name = stream_host.partition(":")[0]
        return Endpoints(_rest(market, base, base), f"{sockets}/{name}", f"{sockets}/{_WS_API_PATHS[market]}")
    host, stream_host, ws_api = _HOSTS[market, environment]
    # Wallet and key services exist on the main net alone.
    wallet = "https://api.binance.com" if environment == "mainnet" else ""
    return Endpoints(
        _rest(market, f"https://{host}", wallet), f"wss://{stream_host}", f"wss://{ws_api}" if ws_api else ""
    )


def _rest(market: Market, base: str, wallet: str) -> dict[str, str]:
    if market is Market.SPOT:
        parts = {"public": f"{base}/api/v3", "private": f"{base}/api/v3"}
    elif market is Market.USDM:
        parts = {"fapiPublic": f"{base}/fapi/v1", "fapiPrivate": f"{base}/fapi/v1"}
        parts |= {"fapiPrivateV2": f"{base}/fapi/v2", "fapiPrivateV3": f"{base}/fapi/v3"}
    else:
        parts = {"dapiPublic": f"{base}/dapi/v1", "dapiPrivate": f"{base}/dapi/v1"}
    return parts | ({"sapi": f"{wallet}/sapi/v1"} if wallet else {})
