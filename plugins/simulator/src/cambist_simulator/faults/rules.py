"""A fault at work: which occasions it has seen, which of them count, and what was done."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_simulator.clock import VenueClock
    from cambist_simulator.faults.fault import Fault

__all__ = ["Fired", "Rule"]


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that struck.

    Attributes
    ----------
    at, market_at
        ns, server and market time.
    target
        What it struck: ``"request 17 order.place"``, ``"connection 3"``, ``"BTCUSDT"``.
    note
        What came of it, where it is not plain.
    """

    number: int
    fault: int
    name: str
    action: str
    at: int
    market_at: int
    target: str = ""
    note: str = ""


class Rule:
    """Counts the occasions of one fault.

    Parameters
    ----------
    id
        Of the fault in its engine.
    clock
        The venue's.
    started
        ns by the clock of the fault, which times since the start count from.
    seed
        Of its draws.

    Attributes
    ----------
    seen, fired
        Occasions that matched, and those at which it struck.
    burst
        So many of the next matching frames are struck without further asking.
    """

    def __init__(self, id: int, fault: Fault, clock: VenueClock, started: int, seed: int) -> None:  # noqa: A002
        self.id = id
        self.fault = fault
        self.seen = self.fired = self.burst = 0
        self._clock = clock.market if fault.clock == "market" else clock.server
        self._random = random.Random(f"{seed} {id}")  # noqa: S311 -- chance with a seed, no secret
        self._since = _absolute(fault.at, started)
        self._until = _absolute(fault.until, started)
        #: When a fault at a time is due next.
        self.due: int | None = None
        if fault.on == "time":
            self.due = self._since if self._since is not None else self._clock.now()

    @property
    def name(self) -> str:
        """Of the fault, its action where it has none."""
        return self.fault.name or self.fault.action.name

    @property
    def over(self) -> bool:
        """Whether it cannot strike any more."""
        if self.fault.count is not None and self.fired >= self.fault.count:
            return True
        return self._until is not None and self._clock.now() >= self._until

    def strikes(self, facts: Mapping[str, Any]) -> bool:
        """Whether it strikes at this occasion; counts it where it matches."""
        fault = self.fault
        if self.over or (self._since is not None and self._clock.now() < self._since) or not fault.matches(facts):
            return False
        self.seen += 1
        if fault.nth is not None and self.seen != fault.nth:
            return False
        if fault.every is not None and self.seen % fault.every:
            return False
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        self.fired += 1
        return True

    def strikes_now(self) -> bool:
        """Whether a fault at a time is due; sets when it is due again."""
        fault = self.fault
        if self.due is None or self.over or self._clock.now() < self.due:
            return False
        self.due = None if fault.repeat is None else self.due + fault.repeat
        self.seen += 1
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        self.fired += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "id": self.id,
            **self.fault.as_dict(),
            "on": self.fault.on,
            "seen": self.seen,
            "fired": self.fired,
            "over": self.over,
        }


def _absolute(moment: tuple[bool, int] | None, started: int) -> int | None:
    if moment is None:
        return None
    relative, at = moment
    return started + at if relative else at
