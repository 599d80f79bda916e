"""What may be traded: the states of trading, where they hold, and a change from one to another."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCOPES", "TradingChange", "TradingState", "WorkingOrders", "scope_of", "scopes_of"]

#: What a scope names, save ``""``, which is everything: ``"strategy:Trend"``.
SCOPES = ("account", "strategy", "symbol")


class TradingState(StrEnum):
    """What the orders of a scope may do; the strictest of all that hold for an order decides."""

    #: Anything.
    ACTIVE = "active"
    #: Make a position smaller, and nothing else.
    REDUCING = "reducing"
    #: Nothing: what works may be canceled, no order leaves.
    HALTED = "halted"

    @property
    def strictness(self) -> int:
        """0 for active, 1 for reducing, 2 for halted."""
        return _STRICTNESS[self]


_STRICTNESS = {state: number for number, state in enumerate(TradingState)}


class WorkingOrders(StrEnum):
    """What becomes of the orders at work when a scope is halted, or may only reduce."""

    #: All of them are canceled.
    CANCEL = "cancel"
    #: Those are canceled that could open a position or make one larger; protective stops stay.
    CANCEL_OPENING = "cancel_opening"
    #: They work on.
    KEEP = "keep"


@attrs.frozen(slots=True)
class TradingChange:
    """What may be traded in a scope has changed.

    Attributes
    ----------
    ts
        When, ns, UTC.
    state
        What it is now.
    scope
        ``""`` for everything, or ``"account:NAME"``, ``"strategy:NAME"``, ``"symbol:SYMBOL"``.
    reason
        For people.
    by
        Who said so: a risk rule, or an operator.
    rule
        The risk rule, or watch of the driver, whose hold this is or was; ``""`` for the hold of operators. Holds of one
        scope by several of them stand beside each other.
    """

    ts: int
    state: TradingState
    scope: str = ""
    reason: str = ""
    by: str = ""
    rule: str = ""

    @property
    def told(self) -> str:
        """Return it in words: who, where, and why."""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.scope or 'all trading'} is {self.state} by {self.by or 'nobody named'}{reason}"


def scope_of(kind: str, name: str) -> str:
    """Return the scope of an account, a strategy or a symbol; that of the sole account, ``""``, is everything."""
    return f"{kind}:{name}" if name else ""


def scopes_of(account: str, strategy: str, symbol: str) -> Iterator[str]:
    """Yield every scope that an order is in, the widest first."""
    yield ""
    for kind, name in zip(SCOPES, (account, strategy, symbol), strict=True):
        if name:
            yield f"{kind}:{name}"
