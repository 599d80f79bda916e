"""What a live run does with orders and positions when it is told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.live.holds import STOP
from cambist.live.settings import OnStop
from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.model.instrument import Instrument

__all__ = ["in_time_or_told", "wind_down"]


async def wind_down(
    engine: LiveEngine, holds: OwnHolds, instruments: Iterable[Instrument], policy: OnStop, reason: str
) -> None:
    """Cancel what is open and close positions, as far as the policy says, and wait until that is done.

    There is no time limit here; who calls it has one.
    """
    if policy is OnStop.KEEP:
        return
    holds.hold(STOP, TradingState.HALTED, reason, orders=WorkingOrders.CANCEL)
    await _until_no_order_is_open(engine)
    if policy is OnStop.FLATTEN:
        for instrument in dict.fromkeys(instruments):
            engine.close_position(instrument)
        await _until_no_order_is_open(engine)


async def in_time_or_told(
    winding: Awaitable[None], seconds: float, engine: LiveEngine, alarm: Callable[[str, str], None]
) -> None:
    """Wait for a `wind_down` for so long, and alarm what it has left open then."""
    try:
        async with asyncio.timeout(seconds):
            await winding
    except TimeoutError:
        alarm(
            "stop_incomplete",
            f"{len(engine.orders.open)} orders are open after {seconds:g} s (drain_within); look at the venue. The "
            "next start asks about them.",
        )


async def _until_no_order_is_open(engine: LiveEngine) -> None:
    while engine.orders.open or engine.waiting:
        await asyncio.sleep(0.02)
        engine.time_passed()
