"""What a live run does with orders and positions when it is told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cambist.live.holds import STOP
from cambist.live.settings import OnStop
from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.model.instrument import Instrument

__all__ = ["wind_down"]


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


async def _until_no_order_is_open(engine: LiveEngine) -> None:
    while engine.orders.open or engine.waiting:
        await asyncio.sleep(0.02)
        engine.time_passed()
