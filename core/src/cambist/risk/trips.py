"""What becomes of trading when a rule trips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError, did_you_mean
from cambist.model.trading_state import TradingState, WorkingOrders
from cambist.ports.risk import TradingRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["STATES", "Bound", "Trip", "at_least_one", "one_of", "read_bound"]

#: What a rule may do with trading, by the word for it.
STATES = {"halt": TradingState.HALTED, "reduce": TradingState.REDUCING}


def one_of(rule: str, name: str, value: Any, known: Sequence[str]) -> str:
    """Return a setting that is one of a few words.

    Raises
    ------
    ParameterError
        If it is none of them.
    """
    if value in known:
        return str(value)
    raise ParameterError(f"{rule}: {name} is {value!r}.{did_you_mean(str(value), known)}")


def at_least_one(rule: str, name: str, value: Any) -> int:
    """Return a setting that is a count.

    Raises
    ------
    ParameterError
        If it is no whole number, or below 1.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ParameterError(f"{rule}: {name} is {value!r}; it must be a whole number, at least 1.")


@attrs.frozen(slots=True)
class Trip:
    """Makes the requests of a rule.

    Attributes
    ----------
    state
        What trading becomes.
    orders
        What becomes of the orders at work.
    """

    state: TradingState
    orders: WorkingOrders

    @classmethod
    def read(cls, rule: str, then: str, orders: str) -> Trip:
        """Return what the settings of a rule say: ``then="halt"`` or ``"reduce"``, and what becomes of the orders.

        Raises
        ------
        ParameterError
            If they say something else.
        """
        state = STATES[one_of(rule, "then", then, list(STATES))]
        return cls(state, WorkingOrders(one_of(rule, "orders", orders, list(WorkingOrders))))

    def request(self, scope: str, reason: str) -> TradingRequest:
        """Return the request to halt, or to reduce only."""
        return TradingRequest(self.state, scope, reason, self.orders)

    @staticmethod
    def lift(scope: str, reason: str) -> TradingRequest:
        """Return the request to take that back."""
        return TradingRequest(TradingState.ACTIVE, scope, reason)


@attrs.frozen(slots=True)
class Bound:
    """How much may be lost: an amount of money, or a share of something."""

    amount: float | None
    share: float | None

    def breach(self, lost: float, base: float) -> str:
        """Return in words how a loss breaks the bound; ``""`` where it does not.

        Parameters
        ----------
        lost
            Money, positive.
        base
            What a share is of; where nothing is left of it, any loss breaks the bound.
        """
        if self.amount is not None:
            return f"{lost:.8g}, which reaches the limit of {self.amount:.8g}" if lost >= self.amount else ""
        assert self.share is not None
        if lost <= 0.0 or lost < self.share * base:
            return ""
        part = f"{lost / base:.2%} of {base:.8g}" if base > 0.0 else f"of an equity of {base:.8g}"
        return f"{lost:.8g}, {part}, which reaches the limit of {self.share:.2%}"


def read_bound(rule: str, amount: float | None, share: float | None) -> Bound:
    """Return the bound that the settings of a rule say.

    Raises
    ------
    ParameterError
        If they say none, or both, or one that cannot be.
    """
    if (amount is None) == (share is None):
        raise ParameterError(f"{rule}: amount is {amount!r} and share {share!r}; give one of them.")
    if amount is not None and not amount > 0.0:
        raise ParameterError(f"{rule}: amount is {amount!r}; it must be a positive amount of money.")
    if share is not None and not 0.0 < share <= 1.0:
        raise ParameterError(f"{rule}: share is {share!r}; it is a fraction above 0 and at most 1, such as 0.05.")
    return Bound(amount, share)
