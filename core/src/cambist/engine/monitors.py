"""The risk rules of a run that remember: shows them the accounts, and keeps what they remember."""

from __future__ import annotations

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

#: Under this name stands what the rules have not been shown yet; no rule has it.
_UNSEEN = ""


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
    """An account, and how many of its movements of cash and of its closed trades the rules have been shown."""

    name: str
    books: Books
    moved: int
    closed: int


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
        self._accounts = [
            _Watched(name, books, len(books.transfers), len(books.trades.closed))
            for name, books in kernel.accounts.items()
        ]
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
            equity = account.books.equity
            if equity != equity:  # noqa: PLR0124 - NaN: something that is held has no price yet
                continue
            moved, closed = self._news(account)
            moment = AccountMoment(kernel.clock.read(), account.name, equity, moved, closed)
            for name, rule in self._watching.items():
                asked = rule.on_equity(moment)
                if asked is not None:
                    kernel.trading.request_by_rule(name, asked)

    def _news(self, account: _Watched) -> tuple[float, Sequence[Trade]]:
        """Return what the rules have not been shown yet, and take it for shown."""
        transfers, closed = account.books.transfers, account.books.trades.closed
        news = sum((amount for _, amount in transfers[account.moved :]), 0.0), closed[account.closed :]
        account.moved, account.closed = len(transfers), len(closed)
        return news

    def name_of(self, rule: RiskRule) -> str:
        """Return the name of a rule in this run."""
        return self._names[id(rule)]

    def _lifted(self, rule: str, scope: str) -> None:
        if rule in self._rules:
            self._rules[rule].on_resume(scope)

    # Over a restart.

    def states(self) -> dict[str, bytes]:
        """Return what the rules remember, and what they have not been shown yet, as bytes by name.

        It is empty where no rule remembers anything.
        """
        if not self._rules:
            return {}
        unseen = {
            one.name: [len(one.books.transfers) - one.moved, len(one.books.trades.closed) - one.closed]
            for one in self._accounts
        }
        kept = {_UNSEEN: encode_state("what risk rules have not seen", {"unseen": unseen})}
        return kept | {name: encode_state(name, rule.save_state()) for name, rule in self._rules.items()}

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Go on from what `states` returned before a restart; the accounts are as they were then."""
        for name, rule in self._rules.items():
            if name in states:
                rule.load_state(decode_state(states[name]))
        unseen = decode_state(states[_UNSEEN])["unseen"] if _UNSEEN in states else {}
        for one in self._accounts:
            moved, closed = unseen.get(one.name, (0, 0))
            one.moved = len(one.books.transfers) - moved
            one.closed = len(one.books.trades.closed) - closed
