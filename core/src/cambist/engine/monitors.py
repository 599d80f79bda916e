"""The risk rules of a run that remember: shows them the accounts, and keeps what they remember."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.strategy_state import decode_state, encode_state
from cambist.ports.risk import AccountMoment, EquityRule, StatefulRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cambist.engine.step import Kernel
    from cambist.model.portfolio import Trade
    from cambist.portfolio import Books
    from cambist.ports.risk import RiskRule

__all__ = ["Monitors", "looking_after", "looking_first", "rule_names"]

#: Under this name stands what the rules have been shown of the accounts; no rule has it.
_SEEN = ""


def rule_names(rules: Iterable[RiskRule]) -> dict[str, StatefulRule]:
    """Return the rules that remember, each by a name of its own: the second of a name has a number."""
    named: dict[str, StatefulRule] = {}
    for rule in rules:
        if isinstance(rule, StatefulRule):
            name, number = rule.name, 1
            while name in named:
                number += 1
                name = f"{rule.name}-{number}"
            named[name] = rule
    return named


def looking_first(look: Callable[[], None], act: Callable[[], None]) -> Callable[[], None]:
    """Return what shows the rules the accounts and then does something."""

    def look_and_act() -> None:
        look()
        act()

    return look_and_act


def looking_after(act: Callable[[Any], object], look: Callable[[], None]) -> Callable[[Any], None]:
    """Return what does something with what it is given, and then shows the rules the accounts."""

    def act_and_look(given: Any) -> None:
        act(given)
        look()

    return act_and_look


@attrs.define(eq=False, slots=True)
class _Watched:
    """An account, and what of it the rules were shown: the money that came and went, by asset, and closed trades."""

    name: str
    books: Books
    flows: dict[str, float]
    closed: int

    @classmethod
    def of(cls, name: str, books: Books) -> _Watched:
        return cls(name, books, {asset: pocket.flows for asset, pocket in books.pockets.items()}, 0)

    @property
    def is_priced(self) -> bool:
        """Whether all that is held has a price; after a restart it has none before its first bar."""
        held = (one for pocket in self.books.pockets.values() for one in pocket.legs.values() if one.size)
        return not any(isnan(one.price_source()) for one in held)

    def take_moved(self) -> float:
        """Return the money that came (positive) or went and was not shown yet, in the account's currency."""
        moved = 0.0
        for asset, pocket in self.books.pockets.items():
            amount = pocket.flows - self.flows[asset]
            if amount:
                moved += amount if asset == self.books.currency else amount * self.books.rate(asset)
                self.flows[asset] = pocket.flows
        return moved

    def take_closed(self) -> Sequence[Trade]:
        """Return the trades that were closed and not shown yet."""
        closed = self.books.trades.closed[self.closed :]
        self.closed += len(closed)
        return closed


class Monitors:
    """Shows the rules each account, at moments that the driver's way of playing decides alike.

    Parameters
    ----------
    kernel
        Of the run.

    Attributes
    ----------
    looks
        What shows the rules every account as it stands; None where no rule wants to see any.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._rules = kernel, rule_names(kernel.gate.rules)
        rules = self._rules
        self._watching = {name: rule for name, rule in rules.items() if isinstance(rule, EquityRule)}
        self._accounts = [_Watched.of(name, books) for name, books in kernel.accounts.items()]
        self._names = {id(rule): name for name, rule in rules.items()}
        kernel.trading.on_lift = self._lifted
        self.looks: Callable[[], None] | None = None
        if self._watching:
            self.looks = self._look
            kernel.close_instant = looking_first(self._look, kernel.close_instant)  # type: ignore[method-assign]

    def begin(self) -> None:
        """Show the rules the accounts at the start of a run."""
        if self.looks is not None:
            self.looks()

    def _look(self) -> None:
        kernel = self._kernel
        for account in self._accounts:
            if not account.is_priced:
                continue
            moved, closed = account.take_moved(), account.take_closed()
            moment = AccountMoment(kernel.clock.read(), account.name, account.books.equity, moved, closed)
            for name, rule in self._watching.items():
                asked = rule.on_equity(moment)
                if asked is not None:
                    kernel.trading.request_by_rule(name, asked)

    def forgotten(self, trades: Mapping[str, int]) -> None:
        """Learn how many of the oldest closed trades are kept no more, by account."""
        for one in self._accounts:
            one.closed = max(0, one.closed - trades.get(one.name, 0))

    def name_of(self, rule: RiskRule) -> str:
        """Return the name of a rule in this run."""
        return self._names[id(rule)]

    def _lifted(self, rule: str, scope: str) -> None:
        if rule in self._rules:
            self._rules[rule].on_resume(scope)

    # Over a restart.

    def states(self) -> dict[str, bytes]:
        """Return what the rules remember, and what they have been shown, as bytes by name.

        It is empty where no rule remembers anything.
        """
        if not self._rules:
            return {}
        seen = {one.name: [one.flows, len(one.books.trades.closed) - one.closed] for one in self._accounts}
        kept = {_SEEN: encode_state("what risk rules have seen", {"accounts": seen})}
        return kept | {name: encode_state(name, rule.save_state()) for name, rule in self._rules.items()}

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Go on from what `states` returned before a restart; the accounts are as they were then."""
        for name, rule in self._rules.items():
            if name in states:
                rule.load_state(decode_state(states[name]))
        seen = decode_state(states[_SEEN])["accounts"] if _SEEN in states else {}
        for one in self._accounts:
            flows, unseen = seen.get(one.name, (_Watched.of(one.name, one.books).flows, 0))
            one.flows = dict(flows)
            one.closed = len(one.books.trades.closed) - unseen  # a restart brings back the newest of them alone
