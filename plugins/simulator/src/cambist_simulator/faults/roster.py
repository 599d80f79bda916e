"""The faults at work, and the record of those that struck."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from cambist.api import ParameterError, did_you_mean
from cambist_simulator.faults.rules import Fired, Rule

if TYPE_CHECKING:
    from cambist_simulator.faults.fault import Fault
    from cambist_simulator.faults.occasions import Ground

__all__ = ["Roster"]

#: What a fault at a time must name.
_TARGETS = {
    "foreign_order": ("user", "symbol"),
    "foreign_cancel": ("user",),
    "liquidation": ("user", "symbol"),
    "dead_man": ("user",),
    "halt": ("symbol",),
    "rule_change": ("symbol",),
    "price_jump": ("symbol",),
    "crossed_book": ("symbol",),
}


class Roster(ABC):
    """Keeps faults; what they do is its heir's business.

    Parameters
    ----------
    ground
        The venue.
    seed
        Of all draws.
    keep
        How many fired faults are kept for those who ask.

    Attributes
    ----------
    fired
        The latest faults that struck, oldest first.
    """

    def __init__(self, ground: Ground, *, seed: int = 0, keep: int = 10_000) -> None:
        self._ground = ground
        self._seed = seed
        self._rules: dict[int, Rule] = {}
        self._next_id = 1
        self._number = 0
        self.fired: deque[Fired] = deque(maxlen=keep)

    def add(self, fault: Fault) -> int:
        """Put a fault to work; returns its number.

        Raises
        ------
        ParameterError
            It names a label, a symbol or a user that the venue has not.
        """
        self._check(fault)
        clock = self._ground.clock.market if fault.clock == "market" else self._ground.clock.server
        rule = Rule(self._next_id, fault, self._ground.clock, clock.now(), self._seed)
        self._rules[rule.id] = rule
        self._next_id += 1
        self._arrange()
        return rule.id

    def remove(self, number: int) -> None:
        """Take a fault away; what it has done stays done.

        Raises
        ------
        ParameterError
            There is none of that number.
        """
        if self._rules.pop(number, None) is None:
            known = ", ".join(map(str, self._rules)) or "none"
            raise ParameterError(f"there is no fault number {number}; at work: {known}.")
        self._arrange()

    def clear(self) -> None:
        """Take all away."""
        self._rules.clear()
        self._arrange()

    @property
    def count(self) -> int:
        """How many faults have struck."""
        return self._number

    def rules(self) -> list[Rule]:
        """Return those at work, in the order in which they came."""
        return list(self._rules.values())

    @abstractmethod
    def _arrange(self) -> None:
        """Take note that other faults are at work."""

    def _check(self, fault: Fault) -> None:
        """Refuse a fault that could never strike."""
        where = f"of the fault {fault.action.name!r}"
        label = fault.chosen("label")
        labels = [one for dialect in self._ground.server.dialects for one in dialect.labels()]
        if label is not None and label not in labels and fault.on == "request":
            raise ParameterError(f"'label' {where} is {label!r}.{did_you_mean(label, labels)}")
        symbol = fault.chosen("symbol")
        symbols = [one for exchange in self._ground.exchanges.values() for one in exchange.listings]
        if symbol is not None and symbol.partition(":")[0].upper() not in map(str.upper, symbols):
            raise ParameterError(f"'symbol' {where} is {symbol!r}.{did_you_mean(symbol, symbols)}")
        user = fault.chosen("user")
        if user is not None and self._ground.user_id(user) is None:
            raise ParameterError(f"'user' {where} is {user!r}; there is no such user.")
        dialect = fault.chosen("dialect")
        names = [one.name for one in self._ground.server.dialects]
        if dialect is not None and dialect not in names:
            raise ParameterError(f"'dialect' {where} is {dialect!r}.{did_you_mean(dialect, names)}")
        needs = [name for name in _TARGETS.get(fault.action.name, ()) if fault.on == "time" and not fault.chosen(name)]
        if needs:
            raise ParameterError(f"the fault {fault.action.name!r} at a time needs {needs[0]!r}.")

    def _note(self, rule: Rule, target: str, note: str = "") -> None:
        self._number += 1
        clock = self._ground.clock
        self.fired.append(
            Fired(
                number=self._number,
                fault=rule.id,
                name=rule.name,
                action=rule.fault.action.name,
                at=clock.server.now(),
                market_at=clock.market.now(),
                target=target,
                note=note,
            )
        )
