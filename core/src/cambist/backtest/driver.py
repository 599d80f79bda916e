"""Plays bars to a kernel and carries out what it wants; holds no trading rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.failures import strategy_error
from cambist.backtest.feeds import windows
from cambist.backtest.timers import Timers
from cambist.model.effects import (
    AmendOrder,
    CancelOrder,
    ChangeMargin,
    MoveCash,
    ReportRefusal,
    ReportTradingState,
    SetTimer,
    StopRun,
)
from cambist.model.events import (
    CashMoved,
    MarginChanged,
    OrderCanceled,
    OrderRefused,
    RunStarted,
    RunStopped,
    TimerFired,
    TradingStateChanged,
)
from cambist.model.orders import ApprovedOrder
from cambist.simulation import Reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cambist.backtest.actions import ActionCalendar
    from cambist.backtest.snapshots import Snapshots
    from cambist.engine.step import Kernel
    from cambist.model.effects import Effect
    from cambist.model.events import OrderEvent
    from cambist.simulation.bar_venue import BarVenue

__all__ = ["Driver", "StopRequest"]


class StopRequest:
    """Asks a run to stop after the bar it is at; may be called from another thread or a signal handler.

    Attributes
    ----------
    requested, reason
        Whether and why.
    from_outside
        Whether it was called, and no strategy asked for the stop.
    """

    __slots__ = ("_effects", "from_outside", "reason", "requested")

    def __init__(self) -> None:
        self.requested = False
        self.reason = ""
        self.from_outside = False
        self._effects: list[Effect] = []

    def __call__(self, reason: str = "stopped from outside") -> None:
        """Ask for the stop; the first reason stands."""
        if not self.requested:
            self.reason = reason
            self.requested = self.from_outside = True
            # What waits to be carried out is looked at after every bar: there is no second flag to look at.
            self._effects.append(StopRun(reason))

    def attach(self, effects: list[Effect]) -> None:
        """Say where the run looks for what is to be done."""
        self._effects = effects
        if self.requested:
            effects.append(StopRun(self.reason))


class Driver:
    """Moves a kernel and a simulated venue through bars, window by window.

    Parameters
    ----------
    kernel, venue
        Joined by this driver: the kernel's effects go to the venue, the venue's events to the kernel.
    feeds
        The bars, in declared order.
    play
        Plays one window: ``(driver, window, first instant) -> instants played``. Less than the window's are
        played when the run is stopped.
    stop
        Ends the run after the bar at which it is called.
    loads_columns
        Whether `play` wants whole columns in the lines; one that steps through events pushes bar by bar instead.
    """

    def __init__(
        self,
        kernel: Kernel,
        feeds: Sequence[Any],
        play: Callable[[Any, Any, int], int],
        stop: StopRequest,
        *,
        loads_columns: bool = True,
    ) -> None:
        self.kernel = kernel
        self.venue: BarVenue
        self.feeds = feeds
        self.stop = stop
        stop.attach(kernel.effects)
        self.timers = Timers()
        self.actions: ActionCalendar | None = None
        self.snapshots: Snapshots | None = None
        self._play = play
        self._unsent: set[int] = set()
        self._withdrawn: set[int] = set()
        self._loads_columns = loads_columns
        self._actions: dict[type, Callable[[Any], None]] = {
            CancelOrder: self._cancel,
            AmendOrder: self._amend,
            ReportRefusal: self._report_refusal,
            ReportTradingState: self._report_trading_state,
            SetTimer: self._set_timer,
            StopRun: self._stop_run,
            MoveCash: self._move_cash,
            ChangeMargin: self._change_margin,
        }

    def connect(self, venue: BarVenue) -> None:
        """Take the venue that gets the kernel's orders; it was made with `deliver` and `clock`."""
        self.venue = venue
        venue.know_orders(self.kernel.book.find)
        if self._loads_columns:
            venue.report_to(self._direct_reports())
        self._actions[ApprovedOrder] = venue.submit

    def _direct_reports(self) -> Reports:
        """Return what a venue is to call where no event need be made."""
        kernel = self.kernel
        if not kernel.listens:  # then what is no fill is the book's business alone
            book = kernel.book
            return Reports(self.deliver, book.accept, kernel.order_filled, book.cancel, book.trigger)
        told = (kernel.order_accepted, kernel.order_filled, kernel.order_canceled)
        accepted, filled, canceled = (self._followed(tell) for tell in told)
        return Reports(self.deliver, accepted, filled, canceled, Reports.as_events(self.deliver).triggered)

    def _followed(self, tell: Callable[..., None]) -> Callable[..., None]:
        """Return what also carries out, at once, what a strategy makes of it."""
        kernel, effects = self.kernel, self.kernel.effects

        def tell_and_carry_out(*what: Any) -> None:
            tell(*what)
            if effects:
                self.carry_out(kernel.collect())

        return tell_and_carry_out

    def deliver(self, event: OrderEvent) -> None:
        """Hand an order event to the kernel, and carry out at once what comes of it."""
        effects = self.kernel.step(event)
        if effects:
            self.carry_out(effects)

    def clock(self) -> int:
        """Return the kernel's time, ns."""
        return self.kernel.clock.read()

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Do what the kernel wants, in order."""
        if len(effects) > 1 and self.kernel.listens:
            self._carry_out_several(effects)
            return
        actions = self._actions
        for effect in effects:
            actions[type(effect)](effect)

    def _carry_out_several(self, effects: Sequence[Effect]) -> None:
        """Do what the kernel wants, where the answer to one order may be to cancel another that was not sent yet."""
        actions, unsent = self._actions, self._unsent
        unsent.update(effect.order.id for effect in effects if isinstance(effect, ApprovedOrder))
        for effect in effects:
            if isinstance(effect, ApprovedOrder):
                order = effect.order
                unsent.discard(order.id)
                if order.id in self._withdrawn:
                    self._withdrawn.remove(order.id)
                    self.deliver(OrderCanceled(self.clock(), order.id, "canceled before it was sent"))
                    continue
            actions[type(effect)](effect)

    def settle(self) -> None:
        """Carry out what the kernel wants done by now."""
        effects = self.kernel.effects
        taken = effects[:]
        del effects[: len(taken)]  # not clear(): another thread may have asked for a stop meanwhile
        if len(taken) > 1 and self.kernel.listens:
            self._carry_out_several(taken)
            return
        actions = self._actions
        for effect in taken:
            actions[type(effect)](effect)

    def fire_timers(self, now: int) -> None:
        """Hand the kernel the timers due at `now`; what is set meanwhile waits for the next instant."""
        for due, name in self.timers.due(now):
            if self.timers.take(due, name):
                self.carry_out(self.kernel.step(TimerFired(now, name, due)))

    def run(self, token: str, seed: int, after: Callable[[Any, int], None]) -> None:
        """Play every bar.

        Parameters
        ----------
        token, seed
            Of the run; see `RunStarted`.
        after
            Called after each window with the number of its instants that were played.

        Raises
        ------
        StrategyError
            If a strategy raises; what was played until then stands.
        """
        kernel = self.kernel
        start = self.begins_at()
        try:
            self.carry_out(kernel.step(RunStarted(start, token, seed)))
            now = start if self.stop.requested else self._play_all(start, after)
            self._finish()
            self.carry_out(kernel.step(RunStopped(now, self.stop.reason)))
        except Exception as error:
            explained = strategy_error(error, kernel)
            if explained is None:
                raise
            self._finish()
            raise explained from error

    def _finish(self) -> None:
        """Take the last snapshot: nothing more is played."""
        if self.snapshots is not None:
            self.snapshots.finish()

    def begins_at(self) -> int:
        """Return the time at which the run begins, ns."""
        return min(int(feed.block.ts[0]) for feed in self.feeds)

    def _before(self, window: Any, instant: int) -> None:
        """Have take effect what is due before a window that begins with `instant`."""
        if self.actions is not None:
            self.actions.take_effect(self, window, instant)

    def _windows(self) -> Iterator[Any]:
        """Yield the stretches of the run, in time order."""
        return windows(self.feeds, self.kernel.seats if self._loads_columns else (), self._cut())

    def _cut(self) -> Callable[[int], int] | None:
        """Return what says how far a window may go; None where nothing does."""
        cuts = [one.horizon for one in (self.actions, self.snapshots) if one is not None]
        if len(cuts) < 2:
            return cuts[0] if cuts else None
        return lambda horizon: min(cut(horizon) for cut in cuts)

    @property
    def series(self) -> Sequence[Any]:
        """Everything that has events of its own."""
        return self.feeds

    def _play_all(self, start: int, after: Callable[[Any, int], None]) -> int:
        """Play window after window; return the time of the last instant."""
        kernel, instant, now = self.kernel, 0, start
        snapshots = self.snapshots
        for window in self._windows():
            try:
                if snapshots is not None:
                    snapshots.turn(int(window.instants[0]))
                self._before(window, instant)
                played = self._play(self, window, instant)
            except Exception:
                # The bars up to the one at which a strategy raised were played, and the result is to tell of them.
                played = kernel.instant - instant + 1
                after(window, played)
                if snapshots is not None and played:
                    snapshots.seen(int(window.instants[played - 1]))
                raise
            instant += played
            if played:
                now = int(window.instants[played - 1])
                after(window, played)
                if snapshots is not None:
                    snapshots.seen(now)
            if self.stop.requested:
                break
        return now

    def _cancel(self, effect: CancelOrder) -> None:
        if effect.order_id in self._unsent:
            self._withdrawn.add(effect.order_id)  # it is canceled when its turn to be sent comes
        else:
            self.venue.cancel(effect.order_id)

    def _amend(self, effect: AmendOrder) -> None:
        self.venue.amend(effect.order_id, effect.size, effect.limit_price, effect.stop_price)

    def _report_refusal(self, effect: ReportRefusal) -> None:
        self.deliver(OrderRefused(self.kernel.clock.read(), effect.order_id, effect.reason))

    def _report_trading_state(self, effect: ReportTradingState) -> None:
        self.carry_out(self.kernel.step(TradingStateChanged(self.kernel.clock.read(), effect.change)))

    def _set_timer(self, effect: SetTimer) -> None:
        self.timers.set(effect.name, effect.due)

    def _move_cash(self, effect: MoveCash) -> None:
        self.carry_out(self.kernel.step(CashMoved(self.kernel.clock.read(), effect.flow)))

    def _change_margin(self, effect: ChangeMargin) -> None:
        self.carry_out(self.kernel.step(MarginChanged(self.kernel.clock.read(), effect.change)))

    def _stop_run(self, effect: StopRun) -> None:
        if not self.stop.requested:
            self.stop.reason = effect.reason
            self.stop.requested = True
