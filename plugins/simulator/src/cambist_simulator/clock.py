"""The two clocks of a simulated venue: that of its servers, and that of its market."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cambist.api import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "VenueClock"]

_MS = 1_000_000


class Clock:
    """A clock that can be shifted, stepped, slowed down, sped up and frozen; times are ns since the epoch, UTC.

    Parameters
    ----------
    start
        What it shows at first; None for the time of day.
    speed
        How many seconds it goes on in a second; 0 stands still until it is stepped.
    now
        What it is driven by: ns that never go back. Tests put their own function here.
    """

    def __init__(
        self, start: int | None = None, speed: float = 1.0, *, now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._source = now
        self._speed = _checked(speed)
        self._shown = time.time_ns() if start is None else start
        self._since = self._source()
        self._held: int | None = None

    @property
    def speed(self) -> float:
        """Seconds that it goes on in a second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        speed = _checked(speed)
        self._shown, self._since = self.now(), self._source()
        self._speed = speed

    def now(self) -> int:
        """Return the time, ns."""
        if self._held is not None:
            return self._held
        if self._speed == 0.0:
            return self._shown
        passed = self._source() - self._since
        return self._shown + (passed if self._speed == 1.0 else round(passed * self._speed))

    def now_ms(self) -> int:
        """Return the time, ms."""
        return self.now() // _MS

    def hold(self, at: int) -> None:
        """Let it show `at` until it is released; a market does so while it does what was due then."""
        self._held = at

    def release(self) -> None:
        """Let it show the time again, which went on; a clock that stands still goes on to where it was held."""
        held, self._held = self._held, None
        if held is not None and self._speed == 0.0 and held > self._shown:
            self._shown = held

    def shift(self, by: int) -> None:
        """Let it show `by` ns more, or less, from now on."""
        self._shown += by

    def step_to(self, at: int) -> None:
        """Let it show `at` now; it goes on from there."""
        self._shown, self._since = at, self._source()


class VenueClock:
    """Both clocks of a venue.

    Attributes
    ----------
    server
        Decides about signatures, limits, and how long a connection or a key lives; it keeps the pace of the clients'
        clocks whatever the market does, since no client could sign a request otherwise.
    market
        Time stamps of bars, trades, orders and fills; a market that is replayed at 600 times its pace has a clock to
        match. At speed 1 from now on, both show the same.
    """

    def __init__(self, server: Clock | None = None, market: Clock | None = None) -> None:
        self.server = server or Clock()
        self.market = market or self.server


def _checked(speed: float) -> float:
    if not 0.0 <= speed < float("inf"):
        raise ParameterError(f"the speed of a clock is {speed}; give a number from 0 (stands still) up.")
    return float(speed)
