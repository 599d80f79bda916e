"""Brings a live run in step with its venue, so that its orders may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.failures import strategy_error
from cambist.errors import StrategyError
from cambist.live.holds import PASSING
from cambist.live.warming import warm_up
from cambist.model.effects import SetTimer
from cambist.ports.venue import SimulatingSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.live.patience import Patience
    from cambist.live.run import LiveRun
    from cambist.live.setup import Prepared
    from cambist.live.streams import PrivateStream
    from cambist.model.effects import Effect

__all__ = ["get_ready", "start"]


async def get_ready(
    run: LiveRun, prepared: Prepared, private: PrivateStream, patience: Patience, before: Iterable[Callable[[], None]]
) -> None:
    """Start the kernel, learn what there is to know, and let orders leave; none does before that.

    Parameters
    ----------
    private
        Kept back until the run knows its orders.
    patience
        On how long the venue may take.
    before
        Called once run and venue are in step, before anything is traded on.

    Raises
    ------
    VenueError, ConfigError
        As `LiveRun.run`.
    StoppedEarlyError
        If the run is told to stop meanwhile.
    """
    await patience.wait_for(private.up.wait(), "waiting for the private stream")
    await patience.wait_for(_warm_up(run, prepared), "asking for the bars to warm up with")
    await patience.wait_for(run.market.priced(run.settings.step_timeout), "waiting for prices")
    if prepared.state is not None:
        run.engine.resume_orders()
        if not isinstance(run.session, SimulatingSession):  # of which the journal tells all that has been
            run.engine.account.resume(prepared.state.asked_margin, run.now())
    private.begin()
    await patience.wait_for(run.account.begin(patience), "asking for orders, executions and balances")
    run.holds.lift_all(PASSING, "the run goes on")
    for call in before:
        call()
    run.engine.begin_trading()
    run.engine.sessions.begin(run.now())


async def _warm_up(run: LiveRun, prepared: Prepared) -> None:
    """Start the kernel and let its lines take the bars that they need."""
    now, state = run.now(), prepared.state
    effects = start(prepared, now)
    run.begun = True
    run.quarantine.resume()
    anchors = {} if state is None else state.anchors
    warmed = await warm_up(run.truth, prepared.kernel, run.listening, anchors, now, run.settings.anchor_bars, run.alarm)
    for joint, bars in zip(run.market.joints, warmed, strict=True):
        joint.warmed(bars)
    if state is not None:
        # What a rule sets anew at the start is not to fire for a time before.
        renewed = {one.name for one in effects if isinstance(one, SetTimer)}
        run.engine.set_timers({name: due for name, due in state.timers.items() if name not in renewed})
    prepared.shield.armed = True
    run.engine.put(effects)


def start(prepared: Prepared, ts: int) -> list[Effect]:
    """Start the kernel, or let it go on; return what it wants done.

    Raises
    ------
    StrategyError
        If a strategy raises.
    """
    try:
        return prepared.start(ts)
    except Exception as error:
        explained = strategy_error(error, prepared.kernel)
        if explained is None or isinstance(error, StrategyError):
            raise
        raise explained from error
