"""How a futures account trades on margin: asked for once, and again when something else may have been set."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cambist_binance.hosts import Market
from cambist_binance.transport import decoded
from cambist_binance.wire import futures
from cambist_ccxt.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model import MarginChange
    from cambist_binance.account_events import AccountEvents
    from cambist_binance.transport import Transport
    from cambist_ccxt.symbols import Symbols

__all__ = ["LASTING", "Margining", "change_margin"]

#: Seconds after which it is asked for again, whether anything hints at a change or not.
LASTING: Final = 60.0


class _Mode(msgspec.Struct, rename="camel"):
    """``accountConfig``, as far as it matters."""

    dual_side_position: bool


async def change_margin(transport: Transport, symbols: Symbols, events: AccountEvents, change: MarginChange) -> None:
    """Add to the margin of an isolated position, take some out, or set a leverage.

    Raises
    ------
    VenueError
        If the venue refuses it, or has no usable answer.
    """
    symbol = symbols.theirs(change.symbol)
    if change.leverage == change.leverage:
        leverage = int(change.leverage)
        if leverage != change.leverage:
            text = f"the leverage of {change.symbol} cannot be {change.leverage:g}; name a whole number"
            raise RefusedError("leverage", text)
        events.expect_leverage(change.symbol, leverage)
        await transport.call("leverage", {"symbol": symbol, "leverage": leverage})
        return
    side = {} if change.position_side is None else {"positionSide": str(change.position_side).upper()}
    amount = format(abs(Decimal(repr(change.amount))), "f")
    await transport.call(
        "position_margin", {"symbol": symbol, "amount": amount, "type": 2 if change.amount < 0.0 else 1, **side}
    )


_decode_mode = msgspec.json.Decoder(_Mode, strict=False).decode


class Margining:
    """Remembers what seldom changes: each answer weighs as much as the positions themselves.

    The venue tells of another leverage or margin type by the private stream. Of another position mode it tells nothing;
    positions show it, or an order that is refused for its side.

    Parameters
    ----------
    lasting
        How long an answer is good for, seconds.
    """

    def __init__(self, market: Market, transport: Transport, lasting: float = LASTING) -> None:
        self._market, self._transport, self.lasting = market, transport, lasting
        self._hedged: bool | None = None
        self._settings: Sequence[Any] = ()
        self._asked_at = {"mode": float("-inf"), "settings": float("-inf")}
        self._asking = asyncio.Lock()

    def forget(self) -> None:
        """Ask again next time: something may have changed."""
        self._asked_at = dict.fromkeys(self._asked_at, float("-inf"))

    async def positions(self) -> Sequence[Any]:
        """Return the venue's rows of positions; COIN-M tells the mode and the settings with them.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        rows: Sequence[Any] = await decoded(self._transport.ask("positions", {}), futures.decode_positions)
        shown = {one.position_side != "BOTH" for one in rows}
        if self._market is Market.COINM and shown:  # it has a row for each symbol, and for each side of a hedged one
            self._hedged = True in shown
            self._note("mode")
        elif self._hedged is not None and (not self._hedged) in shown:
            self.forget()
        return rows

    async def hedged(self) -> bool:
        """Tell whether the account has positions on both sides of an instrument.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        async with self._asking:
            if self._is_old("mode") and self._market is Market.COINM:
                await self.positions()
            if self._is_old("mode"):
                self._hedged = (await decoded(self._transport.ask("mode", {}), _decode_mode)).dual_side_position
                self._note("mode")
        return bool(self._hedged)

    async def settings(self) -> Sequence[Any]:
        """Return the venue's rows of leverage and margin type; none where positions tell.

        Raises
        ------
        VenueError
            If the venue cannot be asked.
        """
        if self._market is not Market.USDM:
            return ()
        async with self._asking:
            if self._is_old("settings"):
                self._note("settings")  # before: what changes while the venue answers is asked for once more
                try:
                    self._settings = await decoded(self._transport.ask("settings", {}), futures.decode_settings)
                except BaseException:
                    self.forget()
                    raise
        return self._settings

    def _is_old(self, what: str) -> bool:
        return time.monotonic() - self._asked_at[what] >= self.lasting

    def _note(self, what: str) -> None:
        self._asked_at[what] = time.monotonic()
