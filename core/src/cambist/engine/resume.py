"""From the state of a run, as its journal tells it, to a kernel that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.recorded import RecordingRecorder
from cambist.engine.strategy_state import decode_state
from cambist.model.events import RunStarted, TradingStateRequested
from cambist.model.trading_state import TradingState, WorkingOrders

if TYPE_CHECKING:
    from collections.abc import Container

    from cambist.engine.fold import RunState
    from cambist.engine.journaled import Journaling
    from cambist.engine.step import Kernel
    from cambist.model.bars import Bar
    from cambist.model.effects import Effect

__all__ = ["feed_history", "give_back", "go_live", "resume", "take_over"]


def resume(kernel: Journaling, state: RunState, ts: int, over: Container[str] = ()) -> list[Effect]:
    """Start a kernel where a run left off; return what it wants done.

    It must be made with ``state.portfolio`` and the run's strategies, and have a recorder. The start is journalled: the
    run is the one it was, under its old token.

    Parameters
    ----------
    ts
        Engine time, ns, UTC.
    over
        Rules whose holds on trading were about the end of the run before this one: they are lifted before the
        strategies start.
    """
    take_over(kernel, state)
    effects: list[Effect] = []
    for hold in [one for one in kernel.trading.holds if one.rule in over]:
        asked = (TradingState.ACTIVE, hold.scope, "the run goes on", hold.by, WorkingOrders.KEEP, hold.rule)
        effects += kernel.step(TradingStateRequested(ts, *asked))
    effects += kernel.step(RunStarted(ts, state.token, state.seed))
    give_back(kernel, state)
    return effects


def go_live(kernel: Kernel) -> None:
    """Have strategies know that the run trades as time goes by."""
    for seat in kernel.seats:
        seat.desk.is_live = True


def take_over(kernel: Journaling, state: RunState) -> None:
    """Have a kernel know what a run knew, before it is started."""
    kernel.book.go_on_from(state.book)
    kernel.fills.extend(state.fills)
    kernel.splits.extend(state.splits)
    if state.shares is not None:
        kernel.shares.go_on_from(state.shares)
    newest = state.book.orders[-1].id if state.book.orders else 0
    kernel.trading.restore(state.trading)
    kernel.monitors.restore(state.rules)
    kernel.recorder.go_on_from(state.sequence, newest, state.states, state.anchors)
    kernel.recorder.keeps_states = False  # what strategies begin with is not what they had


def give_back(kernel: Journaling, state: RunState) -> None:
    """Have strategies know what they kept, once the kernel was started; from now on it is journalled."""
    for seat in kernel.seats:
        kept = state.states.get(seat.strategy.name)
        if kept is not None:
            seat.strategy.load_state(decode_state(kept))
    kernel.recorder.keeps_states = True


def feed_history(kernel: Journaling, number: int, bar: Bar) -> None:
    """Let the lines of series `number` take a bar of before the run, which no strategy trades on.

    It is shown to `on_warmup_bar` while the indicators are not known, like any other.
    """
    if isinstance(kernel.recorder, RecordingRecorder):
        kernel.recorder.fed(number, bar)
    for seat in kernel.seats:
        seat.cursors[number].push(bar)
        seat.seen[number] += 1
        if seat.seen[number] <= seat.warm_after[number]:
            kernel.bar(seat, number, warm=False)
