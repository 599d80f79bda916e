"""The holds on trading: what halts or restricts it, where, since when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.trading_state import TradingState, scopes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cambist.model.trading_state import TradingChange

__all__ = ["Holds"]


class Holds:
    """Every hold by its scope and the rule that asked for it; the hold of operators has no rule.

    Iterating yields the holds in the order in which their scopes and rules first had one, which a hold that is taken
    anew keeps.
    """

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], TradingChange] = {}

    def __iter__(self) -> Iterator[TradingChange]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def take(self, change: TradingChange) -> None:
        """Note a change: a new hold in place of the one with its scope and rule, or the end of that."""
        key = change.scope, change.rule
        if change.state is TradingState.ACTIVE:
            self._by_key.pop(key, None)
        else:
            self._by_key[key] = change

    def find(self, scope: str, rule: str) -> TradingChange | None:
        """Return the hold of a rule in a scope; None where it has none."""
        return self._by_key.get((scope, rule))

    def of_scope(self, scope: str) -> Sequence[TradingChange]:
        """Return every hold of exactly that scope."""
        return [hold for hold in self if hold.scope == scope]

    def strictest(self, account: str, strategy: str, symbol: str) -> TradingChange | None:
        """Return the strictest hold on an order, of several alike the first; None where it may do anything."""
        scopes = frozenset(scopes_of(account, strategy, symbol))
        found = [hold for hold in self if hold.scope in scopes]
        return max(found, key=lambda hold: hold.state.strictness, default=None)
