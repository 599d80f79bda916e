"""The dead man's switch: the venue cancels what is open when it hears nothing from here."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from cambist.api import VenueError
from cambist_ccxt.budget import Priority

if TYPE_CHECKING:
    from cambist_binance.transport import Transport

__all__ = ["Countdown"]

_log = logging.getLogger("cambist.binance")


class Countdown:
    """Counts down at the venue, symbol by symbol, and is set back while this process lives.

    Parameters
    ----------
    span
        After which the venue cancels all open orders of a symbol, seconds.
    """

    def __init__(self, transport: Transport, span: float) -> None:
        self._transport, self._span = transport, span
        self._set_at: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def arm(self, symbol: str) -> None:
        """Let it count for a symbol, before the first order there leaves.

        Raises
        ------
        VenueError
            The venue did not take it; the order must not leave.
        """
        if symbol in self._set_at:
            return
        await self._set(symbol)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._beat(), name="dead man's switch")

    def armed(self) -> dict[str, Any]:
        """Return its span, and seconds since it was last set back, by symbol."""
        now = asyncio.get_running_loop().time()
        return {"span": self._span, "set_back": {name: now - at for name, at in self._set_at.items()}}

    async def close(self) -> None:
        """Stop it: what is open stays open."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for symbol in list(self._set_at):
            try:
                await self._count(symbol, 0)
            except VenueError as error:
                _log.warning("the dead man's switch of %s could not be stopped: %s", symbol, error)

    async def _beat(self) -> None:
        """Set it back three times in its span."""
        while True:
            await asyncio.sleep(self._span / 3)
            for symbol in list(self._set_at):
                try:
                    await self._set(symbol)
                except VenueError as error:
                    _log.warning("the dead man's switch of %s could not be set back: %s", symbol, error)

    async def _set(self, symbol: str) -> None:
        await self._count(symbol, round(self._span * 1000))
        self._set_at[symbol] = asyncio.get_running_loop().time()

    async def _count(self, symbol: str, ms: int) -> None:
        params = {"symbol": symbol, "countdownTime": ms}
        await self._transport.call("countdown", params, Priority.CANCEL)
