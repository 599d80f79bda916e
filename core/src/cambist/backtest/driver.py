"""Plays bars to a kernel and carries out what it wants; holds no trading rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.failures import strategy_error
from cambist.backtest.feeds import windows
from cambist.backtest.timers import Timers
from cambist.model.effects import AmendOrder, CancelOrder, ReportRefusal, SetTimer, StopRun
from cambist.model.events import OrderRefused, RunStarted, RunStopped, TimerFired
from cambist.model.orders import ApprovedOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.backtest.feeds import Feed, Window
    from cambist.engine.step import Kernel
    from cambist.model.effects import Effect
    from cambist.model.events import OrderEvent
    from cambist.simulation.venue import SimulatedVenue

__all__ = ["Driver", "StopRequest"]


class StopRequest:
    """Asks a run to stop after the bar it is at; may be called from another thread or a signal handler.

    Attributes
    ----------
    requested, reason
        Whether and why.
    """

    __slots__ = ("reason", "requested")

    def __init__(self) -> None:
        self.requested = False
        self.reason = ""

    def __call__(self, reason: str = "stopped from outside") -> None:
        if not self.requested:
            self.reason = reason
            self.requested = True


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
        Looked at after every bar.
    """

    def __init__(
        self,
        kernel: Kernel,
        feeds: Sequence[Feed],
        play: Callable[[Driver, Window, int], int],
        stop: StopRequest,
    ) -> None:
        self.kernel = kernel
        self.venue: SimulatedVenue
        self.feeds = feeds
        self.stop = stop
        self.timers = Timers()
        self._play = play
        self._actions: dict[type, Callable[[Any], None]] = {
            CancelOrder: self._cancel,
            AmendOrder: self._amend,
            ReportRefusal: self._report_refusal,
            SetTimer: self._set_timer,
            StopRun: self._stop_run,
        }

    def connect(self, venue: SimulatedVenue) -> None:
        """Take the venue that gets the kernel's orders; it was made with `deliver` and `clock`."""
        self.venue = venue
        self._actions[ApprovedOrder] = venue.submit

    def deliver(self, event: OrderEvent) -> None:
        """Hand an order event to the kernel, and carry out at once what comes of it."""
        effects = self.kernel.step(event)
        if effects:
            self.carry_out(effects)

    def clock(self) -> int:
        """Return the kernel's time, ns."""
        return self.kernel.now()

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Do what the kernel wants, in order."""
        actions = self._actions
        for effect in effects:
            actions[type(effect)](effect)

    def fire_timers(self, now: int) -> None:
        """Hand the kernel the timers due at `now`."""
        while self.timers.next_due <= now:
            for due, name in self.timers.take(now):
                self.carry_out(self.kernel.step(TimerFired(now, name, due)))

    def run(self, token: str, seed: int, after: Callable[[Window, int], None]) -> None:
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
        instant = 0
        start = now = min(int(feed.block.ts[0]) for feed in self.feeds)
        try:
            self.carry_out(kernel.step(RunStarted(start, token, seed)))
            for window in windows(self.feeds, kernel.seats):
                played = self._play(self, window, instant)
                instant += played
                if played:
                    now = int(window.instants[played - 1])
                    after(window, played)
                if self.stop.requested:
                    break
            kernel.step(RunStopped(now, self.stop.reason))
        except Exception as error:  # noqa: BLE001 - a strategy may raise anything; ours passes on unchanged
            explained = strategy_error(error, kernel)
            if explained is None:
                raise
            raise explained from error

    def _cancel(self, effect: CancelOrder) -> None:
        self.venue.cancel(effect.order_id)

    def _amend(self, effect: AmendOrder) -> None:
        self.venue.amend(effect.order_id, effect.size, effect.limit_price, effect.stop_price)

    def _report_refusal(self, effect: ReportRefusal) -> None:
        self.deliver(OrderRefused(self.kernel.now(), effect.order_id, effect.reason))

    def _set_timer(self, effect: SetTimer) -> None:
        self.timers.set(effect.name, effect.due)

    def _stop_run(self, effect: StopRun) -> None:
        self.stop(effect.reason)
