"""How long the hooks of strategies take in a live run: one that is slow holds up everything behind it."""

from __future__ import annotations

import functools
import time
from math import inf
from typing import TYPE_CHECKING, Any

import attrs

from cambist.strategies import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HookTime", "HookTimes"]

#: A slow hook is told of once in so many seconds.
_TELL_EVERY = 60.0


@attrs.define
class HookTime:
    """Of one hook of one strategy: how often it was called, for how long in all and at most, and how often too long."""

    calls: int = 0
    total: float = 0.0
    longest: float = 0.0
    slow: int = 0
    told_at: float = attrs.field(default=float("-inf"), repr=False)


class HookTimes:
    """Measures hooks by standing before them, for strategies of live runs alone: a backtest calls them as they are.

    Parameters
    ----------
    limit
        How long a hook may take, s.
    alarm
        Told of one that takes longer, once a minute.

    Attributes
    ----------
    times
        By the names of strategy and hook.
    """

    def __init__(self, limit: float, alarm: Callable[[str, str], None]) -> None:
        self._limit, self._alarm = limit, alarm
        self.times: dict[tuple[str, str], HookTime] = {}

    def measure(self, strategy: Strategy) -> None:
        """Measure the hooks that a strategy has written, from now on; before a kernel is made of it."""
        for name in dir(Strategy):
            written = getattr(type(strategy), name)
            if name.startswith("on_") and written is not getattr(Strategy, name):
                setattr(strategy, name, self._measured(strategy.name, name, getattr(strategy, name)))

    def _measured(self, strategy: str, name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
        times = self.times[strategy, name] = HookTime()
        # Nothing waits for how a strategy begins and ends.
        now, limit = time.perf_counter, inf if name in {"on_start", "on_stop"} else self._limit

        @functools.wraps(hook)
        def measured(*arguments: Any) -> Any:
            began = now()
            try:
                return hook(*arguments)
            finally:
                took = now() - began
                times.calls += 1
                times.total += took
                times.longest = max(times.longest, took)
                if took > limit:
                    self._slow(strategy, name, times, took)

        return measured

    def _slow(self, strategy: str, name: str, times: HookTime, took: float) -> None:
        times.slow += 1
        now = time.monotonic()
        if now - times.told_at >= _TELL_EVERY:
            times.told_at = now
            self._alarm(
                "slow_strategy",
                f"{name} of {strategy} took {took:.3f} s, and {self._limit:g} s are allowed: everything else waits "
                f"meanwhile, orders too. It was too slow {times.slow} of {times.calls} times.",
            )
