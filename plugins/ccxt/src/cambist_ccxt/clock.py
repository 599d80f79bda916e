"""The venue's clock, as far as it can be told from here."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from cambist_ccxt.errors import NotSentError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VenueClock", "watch_clock"]

_MS = 1_000_000
_SECOND = 1_000_000_000
_KEPT = 8


class VenueClock:
    """Tells the venue's time by a clock of this machine that nobody sets.

    The offset is that of the question with the shortest way among the last few. It is counted from the monotonic clock,
    so that a step of the machine's wall clock changes no stamp.

    Parameters
    ----------
    most_skew
        How far the wall clock may be from the venue's before signed requests are refused, ns.
    monotonic, wall
        Clocks, ns.
    """

    def __init__(
        self,
        most_skew: int = 30 * _SECOND,
        *,
        monotonic: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        self._most_skew, self._monotonic, self._wall = most_skew, monotonic, wall
        self._samples: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self._offset = wall() - monotonic()
        #: Half of the shortest way there and back, ns: how far the estimate may be wrong.
        self.uncertainty = 0

    def begin(self) -> int:
        """Return the stamp at which a question leaves, for `answered`."""
        return self._monotonic()

    def answered(self, sent: int, server: int) -> None:
        """Take the venue's time (ns, UTC) in answer to a question that left at `sent`."""
        now = self._monotonic()
        way = now - sent
        self._samples.append((way, server - (sent + way // 2)))
        shortest, self._offset = min(self._samples)
        self.uncertainty = shortest // 2

    def forget(self) -> None:
        """Drop what was measured: the venue says that it is wrong."""
        self._samples.clear()

    @property
    def known(self) -> bool:
        """Whether the venue was asked since anything was forgotten."""
        return bool(self._samples)

    def now(self) -> int:
        """Return the venue's time, ns, UTC."""
        return self._monotonic() + self._offset

    def now_ms(self) -> int:
        """Return the venue's time for a request's stamp, ms.

        It is the earliest that the venue's clock may show: stamps from the future are refused sooner than old ones.
        """
        return (self._monotonic() + self._offset - min(self.uncertainty, 500 * _MS)) // _MS

    @property
    def skew(self) -> int:
        """How far the wall clock of this machine is ahead of the venue's, ns."""
        return self._wall() - self.now()

    def problem(self) -> str:
        """Return what is wrong with this machine's clock, and the remedy; ``""`` where it is near enough."""
        skew = self.skew
        if abs(skew) <= self._most_skew:
            return ""
        way = "ahead of" if skew > 0 else "behind"
        return (
            f"the clock of this machine is {abs(skew) / _SECOND:.1f} s {way} the venue's; set it (by NTP), or "
            f"allow more than {self._most_skew / _SECOND:g} s with max_clock_skew."
        )

    def check(self) -> None:
        """Refuse to sign with a clock that is off by more than is allowed.

        Raises
        ------
        NotSentError
            With the skew and the remedy.
        """
        problem = self.problem()
        if problem:
            raise NotSentError(problem, code="clock_skew")


async def watch_clock(clock: VenueClock, tell: Callable[[str, str], None], every: float = 1.0) -> None:
    """Look at a clock again and again, and tell when it goes wrong, and when it is right again.

    Parameters
    ----------
    tell
        Takes ``"down"`` with the problem, or ``"up"``.
    every
        Seconds between looks.
    """
    was_wrong = False
    while True:
        await asyncio.sleep(every)
        problem = clock.problem()
        if bool(problem) != was_wrong:
            was_wrong = bool(problem)
            tell("down" if was_wrong else "up", problem or "the clock of this machine is right again")
