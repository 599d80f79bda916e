"""What a live run does with orders and positions when it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cambist.live.holds import STOP
from cambist.live.settings import OnStop
from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.live.run import LiveRun
    from cambist.model.instrument import Instrument
    from cambist.ports.venue import VenueSession

__all__ = ["close_session", "end_trading"]

_log = logging.getLogger("cambist.live")


async def end_trading(run: LiveRun, policy: OnStop) -> str:
    """Do what a stop asks for, within its time; return what is left, for people, ``""`` for nothing."""
    engine, settings, session = run.engine, run.settings, run.session
    if await wind_down(engine, run.holds, run.instruments, policy, run.reason, settings.drain_within):
        return ""
    flattened = run.instruments if policy is OnStop.FLATTEN else ()
    left = left_over(engine, flattened) or "records that the journal has not made safe"
    run.alarm(
        "stop_incomplete",
        f"the run ends after {settings.drain_within:g} s (drain_within), and {session.name} has not confirmed all that "
        f"{policy.value!r} asks for. Left: {left}. Look at the venue; the next start asks about these orders.",
    )
    return left


async def close_session(session: VenueSession, within: float, alarm: Callable[[str, str], None]) -> None:
    """Let go of the venue, within its time; what goes wrong is told, and how the run ended stays as it is."""
    try:
        async with asyncio.timeout(within):
            await session.close()
    except TimeoutError:
        alarm("close_failed", f"{session.name} was not closed within {within:g} s (close_within).")
    except Exception as error:  # noqa: BLE001 - it would stand in the place of how the run ended
        _log.exception("%s could not be closed", session.name)
        alarm("close_failed", f"{session.name} could not be closed: {error}")


async def wind_down(
    engine: LiveEngine, holds: OwnHolds, instruments: Iterable[Instrument], policy: OnStop, reason: str, within: float
) -> bool:
    """Cancel what is open and close positions, as far as the policy says; return whether all of that was done.

    Where positions are to be closed, orders whose cancels the venue does not confirm are waited for no longer than half
    of the time: what is held weighs more than they do.

    Parameters
    ----------
    within
        How long that may take, s.
    """
    if policy is OnStop.KEEP:
        return True
    holds.hold(STOP, TradingState.HALTED, reason, orders=WorkingOrders.CANCEL)
    if policy is OnStop.CANCEL:
        return await _until_no_order_is_open(engine, within)
    await _until_no_order_is_open(engine, within / 2.0)
    for instrument in dict.fromkeys(instruments):
        engine.positions.close(instrument)
    return await _until_no_order_is_open(engine, within / 2.0)


def left_over(engine: LiveEngine, instruments: Iterable[Instrument]) -> str:
    """Return the orders that are still open and what is held of some instruments, for people; ``""`` for nothing."""
    orders = [f"order {one.id} ({one.side} {one.remaining:g} {one.instrument.symbol})" for one in engine.orders.open]
    positions = engine.kernel.portfolio.positions
    held = [positions[one.symbol] for one in dict.fromkeys(instruments)]
    return ", ".join([*orders, *(f"a position of {one.size:g} {one.instrument.symbol}" for one in held if one.size)])


async def _until_no_order_is_open(engine: LiveEngine, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            while (engine.orders.open or engine.waiting) and not engine.is_lost:
                await asyncio.sleep(0.02)
                engine.time_passed()
    except TimeoutError:
        return False
    return True
