"""What happens before a session trades: the client, the clock, the instruments, the key."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from cambist.api import VenueError
from cambist_binance.hosts import Market
from cambist_binance.transport import decoded, usage_of
from cambist_binance.wire.answers import decode_rights, decode_time
from cambist_binance.wire.info import decode_info, symbols_of, windows_of
from cambist_ccxt.budget import Budget, Window
from cambist_ccxt.errors import RefusedError
from cambist_ccxt.loading import Network, load_exchange, raw_client
from cambist_ccxt.rest import RestClient
from cambist_ccxt.shared import shared_use

if TYPE_CHECKING:
    from cambist_binance.config import BinanceSettings
    from cambist_binance.hosts import Endpoints
    from cambist_binance.margining import Margining
    from cambist_binance.transport import Transport
    from cambist_binance.wire.info import BinanceSymbols
    from cambist_ccxt.clock import VenueClock
    from cambist_ccxt.credentials import Credentials
    from cambist_ccxt.symbols import Symbols

__all__ = ["check_key", "connect_rest", "keep_time", "load_symbols", "measure_clock", "set_margin"]

_log = logging.getLogger("cambist.binance")
_CLASSES = {Market.SPOT: "binance", Market.USDM: "binanceusdm", Market.COINM: "binancecoinm"}
_MINUTE = 60 * 10**9
#: Until the venue has told its own.
_FIRST_LIMITS = {Market.SPOT: 6_000, Market.USDM: 2_400, Market.COINM: 2_400}
_MS = 1_000_000
_ASKED = 3
#: Between measurements of the venue's clock, seconds.
_MEASURE_EVERY = 600.0


async def connect_rest(
    market: Market, settings: BinanceSettings, credentials: Credentials, where: Endpoints, clock: VenueClock
) -> tuple[RestClient, Budget]:
    """Make the client of REST and the budget of the account."""
    base = await load_exchange(_CLASSES[market])
    client = raw_client(
        base,
        credentials,
        Network(timeout=settings.timeout, proxy=settings.proxy, ip=settings.ip),
        stamp=clock.now_ms,
        options={"recvWindow": settings.recv_window},
        urls=where.rest,
    )
    shared = None
    if settings.shared_limits:
        shared = shared_use(market.venue, next(iter(where.rest.values())), credentials.key)
    budget = Budget([Window("weight-1m", _FIRST_LIMITS[market], _MINUTE)], clock.now, shared)
    return RestClient(client, budget, usage_of), budget


async def measure_clock(transport: Transport, clock: VenueClock) -> None:
    """Ask the venue for its time, several times."""
    for _ in range(_ASKED):
        sent = clock.begin()
        server = (await decoded(transport.ask("time", {}), decode_time)).server_time
        clock.answered(sent, server * _MS)


async def keep_time(transport: Transport, clock: VenueClock, skewed: asyncio.Event) -> None:
    """Measure the venue's clock now and then, and at once when `skewed` says that a stamp was off."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MEASURE_EVERY):
                await skewed.wait()
        if skewed.is_set():
            clock.forget()
        skewed.clear()
        try:
            await measure_clock(transport, clock)
        except VenueError as error:
            _log.warning("the venue's clock could not be read: %s", error)
            await asyncio.sleep(1.0)


async def load_symbols(
    market: Market, transport: Transport, settings: BinanceSettings, *, again: bool = False
) -> BinanceSymbols:
    """Load the instruments, and put the venue's limits into the budget.

    Parameters
    ----------
    again
        Whether they were loaded before: by now it may be that none is traded.
    """
    info = await decoded(transport.ask("info", {}), decode_info)
    windows = transport.budget.windows
    for window in windows_of(info.rate_limits):
        known = windows.get(window.name)
        if known is None:
            windows[window.name] = window
        else:
            known.limit = window.limit
    symbols = symbols_of(info, market, (settings.maker_fee, settings.taker_fee))
    if not symbols.instruments and not again:
        raise VenueError(f"{market.venue} trades nothing at the moment: no symbol is open.", code="closed")
    return symbols


async def check_key(
    market: Market, transport: Transport, settings: BinanceSettings, margining: Margining | None
) -> None:
    """See that the key is good for trading here, and for nothing worse.

    Parameters
    ----------
    margining
        Of a futures account, which is asked for it anyway.

    Raises
    ------
    VenueError
        The venue does not take it, it may withdraw, or it may not trade this market.
    """
    try:
        data: Any = await decoded(_rights(transport, margining), lambda body: decode_rights(body) if body else None)
    except RefusedError as error:
        raise VenueError(_advice(error, settings), code=error.reason) from error
    if data is None:
        _log.info("this environment does not tell what a key may do; it is not checked for withdrawals.")
        return
    if data.enable_withdrawals and not settings.allow_withdrawals:
        raise VenueError(
            "this API key may withdraw funds, which trading needs not: whoever steals it takes all. Make one without "
            "withdrawals, limited to your addresses.",
            code="key_may_withdraw",
        )
    allowed = data.enable_futures if market.futures else data.enable_spot_and_margin_trading
    if not allowed:
        what = "futures" if market.futures else "spot and margin trading"
        raise VenueError(f"this API key may not trade here: enable {what} for it.", code="permission")
    if not data.ip_restrict:
        _log.warning("this API key may be used from any address; limit it to those of this machine.")


async def _rights(transport: Transport, margining: Margining | None) -> bytes:
    """Ask what the key may do; where nobody tells, see at least that it is taken."""
    if transport.tells_rights:
        return await transport.ask("rights", {})
    if margining is None:
        await transport.ask("account", {})
    else:
        await margining.hedged()
    return b""


def _advice(error: RefusedError, settings: BinanceSettings) -> str:
    where = "the simulator" if settings.url else settings.environment
    if error.reason == "signature":
        return f"the venue does not take the signature ({error.code}): the secret does not belong to this API key."
    if error.reason == "api_key":
        return (
            f"the venue does not take this API key ({error.code}): it is not one of {where}, or it may not do "
            "this, or not from this address."
        )
    return f"the venue refuses this API key: {error}"


async def set_margin(transport: Transport, symbols: Symbols, settings: BinanceSettings) -> None:
    """Set what backs positions, and the leverage, of the symbols for which it was said.

    Raises
    ------
    VenueError
        The venue does not take it: there is a position or an open order, or it allows no such leverage.
    """
    for symbol, kind in settings.margin.items():
        word = "ISOLATED" if kind == "isolated" else "CROSSED"
        try:
            await transport.call("margin", {"symbol": symbols.theirs(symbol), "marginType": word})
        except RefusedError as error:
            if error.reason != "no_change":
                raise VenueError(f"the margin of {symbol} cannot be {kind}: {error}", code=error.reason) from error
    for symbol, leverage in settings.leverage.items():
        try:
            await transport.call("leverage", {"symbol": symbols.theirs(symbol), "leverage": leverage})
        except RefusedError as error:
            raise VenueError(f"the leverage of {symbol} cannot be {leverage}: {error}", code=error.reason) from error
