"""Reaches the venue of a live run, and makes its kernel of what the venue says and of what the journal holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from cambist.engine.step import named
from cambist.indicators.technical import load as load_indicators
from cambist.live.account_requests import what_is_missing
from cambist.live.opening import ask_opening
from cambist.live.recording import RunRecording, about_run
from cambist.live.setup import prepare
from cambist.live.subscriptions import resolve
from cambist.ports.venue import SimulatingSession
from cambist.simulation import FeeInKind, fee_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.engine.fold import RunState
    from cambist.live.patience import Patience
    from cambist.live.run import LiveRun
    from cambist.live.setup import Prepared
    from cambist.live.subscriptions import Listening, Named
    from cambist.strategies import Strategy

__all__ = ["begin_recording", "connect"]


async def connect(
    run: LiveRun, strategies: Sequence[Strategy], wanted: Sequence[Named], state: RunState | None, patience: Patience
) -> tuple[Listening, Prepared]:
    """Open the session of a run; return what it listens to, and its kernel.

    Parameters
    ----------
    strategies
        Fresh ones are made of them.
    wanted
        What the run is to listen to.
    state
        Of the run that goes on; None where it begins.
    patience
        On how long the venue may take.

    Raises
    ------
    VenueError
        If the venue cannot be reached in time, or refuses the account.
    ConfigError
        If the run does not fit venue, account or journal.
    """
    session, settings = run.session, run.settings
    loading = asyncio.create_task(asyncio.to_thread(load_indicators))  # meanwhile
    await patience.wait_for(session.open(), "connecting")
    await loading
    listening = resolve(session, wanted)
    asked = ask_opening(run.truth, run.now(), going_on=state is not None)
    opening = await patience.wait_for(asked, "asking for the account")
    fresh = named([strategy.fresh() for strategy in strategies])
    for strategy in fresh:
        run.hook_times.measure(strategy)
    simulating = session if isinstance(session, SimulatingSession) else None
    if simulating is not None:
        in_kind = isinstance(fee_model(simulating.fees), FeeInKind)
        opening = attrs.evolve(opening, margin=simulating.margin, in_kind=in_kind)
    fee = None if simulating is None else simulating.expected_fee
    prepared = prepare(fresh, listening, run.journal, state, opening, settings, run.alarm, fee)
    prepared.kernel.cannot = what_is_missing(session)
    if simulating is not None:
        simulating.pace(run.is_busy)
        prepared.kernel.queue_ahead = simulating.queue_ahead
    return listening, prepared


def begin_recording(run: LiveRun, prepared: Prepared) -> RunRecording:
    """Begin to keep what the market does, from the last record of the journal on."""
    session = run.session
    about = about_run(prepared.kernel, run.settings, session.fees if isinstance(session, SimulatingSession) else None)
    recording = RunRecording(prepared.kernel, run.journal, about, run.alarm)
    recording.begin(0 if prepared.state is None else prepared.state.sequence, run.now())
    return recording
