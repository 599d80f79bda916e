"""What engines must agree on before their times may be compared."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Outcome", "differences"]

#: Money: engines add up in different orders.
TOLERANCE = 1e-6


@attrs.frozen
class Outcome:
    """What a run came to.

    Attributes
    ----------
    fills, sells
        How many orders traded, and how many of them sold.
    turnover
        Sum of size times price over all fills.
    equity
        Of the account at the last close.
    """

    fills: int
    sells: int
    turnover: float
    equity: float

    @classmethod
    def of(cls, fills: Iterable[tuple[float, float]], equity: float) -> Outcome:
        """Return the outcome of fills, each a signed size and a price."""
        count = sells = 0
        turnover = 0.0
        for size, price in fills:
            count += 1
            sells += size < 0.0
            turnover += abs(size) * price
        return cls(count, sells, turnover, float(equity))


def differences(reference: Outcome, other: Outcome) -> list[str]:
    """Return what `other` came to that `reference` did not, as text; empty where they agree."""
    found = []
    for name, expected in attrs.asdict(reference).items():
        got: Any = getattr(other, name)
        if not isclose(got, expected, rel_tol=1e-12, abs_tol=TOLERANCE):
            found.append(f"{name} is {got!r} instead of {expected!r}")
    return found
