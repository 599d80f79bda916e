"""What a client may ask of a venue, and who goes first when it is scarce."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

import attrs

from cambist_ccxt.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist_ccxt.shared import SharedUse

__all__ = ["Budget", "Priority", "Turn", "Window"]

_SECOND = 1_000_000_000


class Priority(IntEnum):
    """Who goes first."""

    CANCEL = 0
    #: An order that only makes a position smaller.
    REDUCE = 1
    ENTRY = 2
    #: Truth about orders, and all market data.
    DATA = 3


#: How much of a window each may use up; the rest is for those before it.
SHARES: Final = {Priority.CANCEL: 1.0, Priority.REDUCE: 0.95, Priority.ENTRY: 0.9, Priority.DATA: 0.7}


@attrs.define(slots=True)
class Window:
    """What a venue counts over a span of time that begins anew at its multiples.

    Attributes
    ----------
    limit
        Per span.
    interval
        The span, ns.
    used
        By the venue's count, or ours where it tells none.
    pending
        Of requests that are on their way.
    elsewhere
        Of those of other processes, by the last look.
    """

    name: str
    limit: int
    interval: int
    used: int = 0
    pending: int = 0
    began: int = 0
    elsewhere: int = 0

    def refresh(self, now: int) -> None:
        """Begin a new span where the last one is over."""
        start = now - now % self.interval
        if start != self.began:
            self.began, self.used = start, 0

    def wait(self, cost: int, share: float, now: int) -> int:
        """Return ns until `cost` fits, 0 where it does; it was brought up to date by `now`."""
        taken = self.used + self.pending + self.elsewhere
        # Alone, even a request that is larger than its share may go.
        if taken + cost <= self.limit * share or taken == 0:
            return 0
        return self.began + self.interval - now


class Budget:
    """Lets requests go in the order of their priorities, as fast as the venue allows.

    Parameters
    ----------
    windows
        What the venue counts.
    clock
        Answers the venue's time, ns: its windows begin by its own clock.
    shared
        What other processes have used up; None to count this one alone.
    """

    def __init__(self, windows: Iterable[Window], clock: Callable[[], int], shared: SharedUse | None = None) -> None:
        self.windows = {window.name: window for window in windows}
        self._clock, self._shared = clock, shared
        self._paused_until = self._renewed_at = 0
        self._queue: list[tuple[Priority, int, Mapping[str, int], asyncio.Future[None]]] = []
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, costs: Mapping[str, int], priority: Priority) -> int:
        """Return ns until a request may go; 0 for now."""
        now = self._begin()
        wait = self._wait(costs, priority, now)
        self._end(now)
        return wait

    def _wait(self, costs: Mapping[str, int], priority: Priority, now: int) -> int:
        if self._renewed_at and now >= self._renewed_at:
            self._renewed_at = 0
            for counted in self.windows.values():
                counted.used = 0
        longest = max(0, self._paused_until - now)
        share, windows = SHARES[priority], self.windows
        for name, cost in costs.items():
            window = windows.get(name)
            if window is not None and (wait := window.wait(cost, share, now)) > longest:
                longest = wait
        return longest

    def charge(self, costs: Mapping[str, int]) -> None:
        """Count a request that leaves."""
        now = self._begin()
        self._charge(costs)
        self._end(now)

    def _charge(self, costs: Mapping[str, int]) -> None:
        windows = self.windows
        for name, cost in costs.items():
            if (window := windows.get(name)) is not None:
                window.pending += cost

    def settle(self, costs: Mapping[str, int], told: Mapping[str, int]) -> None:
        """Take the end of a request, with what the venue says is used up by now."""
        now = self._begin()
        for name, cost in costs.items():
            if (window := self.windows.get(name)) is not None:
                window.pending = max(0, window.pending - cost)
                if name not in told:
                    window.used += cost
        for name, used in told.items():
            if (window := self.windows.get(name)) is not None:
                window.used = used
        self._end(now)
        self._pump()

    def pause(self, span: int, *, renews: bool = False) -> None:
        """Let nothing go for `span` ns.

        Parameters
        ----------
        renews
            Whether the venue itself said for how long: then it counts anew afterwards, whatever our clock says.
        """
        now = self._begin()
        self._paused_until = max(self._paused_until, now + span)
        if renews:
            self._renewed_at = self._paused_until
        self._end(now)

    def close(self) -> None:
        """Let go of what is shared."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    # Between these two, looking and counting is one, beside other processes.

    def _begin(self) -> int:
        """Bring the windows up to date, and return the time, ns."""
        now, shared = self._clock(), self._shared
        if shared is None:
            for window in self.windows.values():
                window.refresh(now)
        else:
            self._paused_until = max(self._paused_until, shared.load(self.windows.values(), now))
        return now

    def _end(self, now: int) -> None:
        if self._shared is not None:
            self._shared.store(self.windows.values(), self._paused_until - now)

    @property
    def paused(self) -> int:
        """For how long nothing may go, ns; 0 for none."""
        return max(0, self._paused_until - self._clock())

    def metrics(self) -> dict[str, dict[str, int]]:
        """Return what is used up and the limit, by window."""
        return {one.name: {"used": one.used + one.pending, "limit": one.limit} for one in self.windows.values()}

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._queue)

    def acquire_now(self, costs: Mapping[str, int], priority: Priority) -> bool:
        """Count a request whose turn it is; tell whether it is."""
        return self._take(costs, priority) is None

    def reserve(self, costs: Mapping[str, int], priority: Priority, span: float) -> Turn | None:
        """Count a request that is about to leave, where it is its turn; None, and nothing was counted, where it is not.

        Parameters
        ----------
        span
            For how long the turn is kept, seconds.
        """
        return Turn(self, costs, span) if self.acquire_now(costs, priority) else None

    def _take(self, costs: Mapping[str, int], priority: Priority) -> int | None:
        """Count a request whose turn it is; return None, or else how long there is no room for it, ns."""
        now = self._begin()
        wait = self._wait(costs, priority, now)
        ahead = bool(self._queue) and self._queue[0][0] <= priority
        if not wait and not ahead:
            self._charge(costs)
            self._end(now)
            return None
        self._end(now)
        return wait

    async def acquire(self, costs: Mapping[str, int], priority: Priority, within: float) -> None:
        """Wait for the turn of a request, and count it.

        Parameters
        ----------
        within
            How long it may wait, seconds.

        Raises
        ------
        BusyError
            It would have to wait longer; it has not been counted.
        """
        wait = self._take(costs, priority)
        if wait is None:
            return
        if wait > within * _SECOND:
            raise BusyError(
                f"the venue's limits leave no room for {wait / _SECOND:.1f} s; ask less, or later.",
                wait,
                code="rate_limit",
            )
        turn = asyncio.get_running_loop().create_future()
        self._number += 1
        heappush(self._queue, (priority, self._number, costs, turn))
        self._pump()
        try:
            async with asyncio.timeout(within):
                await turn
        except BaseException as error:
            came = turn.done() and not turn.cancelled()
            turn.cancel()
            if came:  # as it gave up
                self.release(costs)
            else:
                self._pump()
            if isinstance(error, TimeoutError):
                left = self.wait(costs, priority)
                raise BusyError(
                    f"the venue's limits left no room within {within:g} s.", left, code="rate_limit"
                ) from None
            raise

    def release(self, costs: Mapping[str, int]) -> None:
        """Count a request no more that did not leave after all."""
        now = self._begin()
        for name, cost in costs.items():
            if (window := self.windows.get(name)) is not None:
                window.pending = max(0, window.pending - cost)
        self._end(now)
        self._pump()

    def _pump(self) -> None:
        """Let go whoever may, first things first, and come back when the next may."""
        while self._queue:
            priority, _, costs, turn = self._queue[0]
            if turn.done():
                heappop(self._queue)
                continue
            now = self._begin()
            wait = self._wait(costs, priority, now)
            if not wait:
                self._charge(costs)
            self._end(now)
            if wait:
                self._come_back(wait)
                return
            heappop(self._queue)
            turn.set_result(None)

    def _come_back(self, wait: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait / _SECOND, self._pump)


class Turn:
    """The turn of a request that was counted before it may leave; see `Budget.reserve`.

    It lapses by itself: whoever does not send after all has nothing to undo.
    """

    __slots__ = ("_budget", "_costs", "_is_kept", "_lapse")

    def __init__(self, budget: Budget, costs: Mapping[str, int], span: float) -> None:
        self._budget, self._costs, self._is_kept = budget, costs, True
        self._lapse = asyncio.get_running_loop().call_later(span, self.give_back)

    def take(self) -> bool:
        """Use the turn; False where there is none any more: it has lapsed, or nothing may go now."""
        if self._is_kept and self._budget.paused:
            self.give_back()
        kept, self._is_kept = self._is_kept, False
        self._lapse.cancel()
        return kept

    def give_back(self) -> None:
        """Count the request no more, unless the turn was used."""
        if self._is_kept:
            self._is_kept = False
            self._lapse.cancel()
            self._budget.release(self._costs)
