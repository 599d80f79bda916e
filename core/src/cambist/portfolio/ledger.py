"""What fills changed, as steps in time: enough to value the account at any instant afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HeldSteps", "Ledger"]


@attrs.define(eq=False, slots=True)
class HeldSteps:
    """Steps of one position, one for each fill.

    Attributes
    ----------
    at
        Instants of the run, ascending.
    sizes, average_prices
        From then on; the last of an instant counts.
    """

    at: list[int] = attrs.field(factory=list)
    sizes: list[float] = attrs.field(factory=list)
    average_prices: list[float] = attrs.field(factory=list)


class Ledger:
    """Steps of cash and positions not yet valued.

    Lists side by side and not rows: a fill appends numbers, and a valuation makes arrays of them.

    Attributes
    ----------
    cash_at, cash
        Instants of the run and the cash from then on, one for each fill.
    held
        Steps of each position, by symbol.
    """

    __slots__ = ("cash", "cash_at", "held")

    def __init__(self, symbols: Iterable[str]) -> None:
        self.cash_at: list[int] = []
        self.cash: list[float] = []
        self.held = {symbol: HeldSteps() for symbol in symbols}

    def clear(self) -> None:
        """Forget the steps: they have been valued."""
        if not self.cash_at:
            return
        self.cash_at.clear()
        self.cash.clear()
        for steps in self.held.values():
            steps.at.clear()
            steps.sizes.clear()
            steps.average_prices.clear()
