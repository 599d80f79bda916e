"""An account in which the proceeds of a sale wait before they pay for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.portfolio.one_asset import FUNDS_TOLERANCE
from cambist.portfolio.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.model.instrument import Instrument

__all__ = ["SettlingPortfolio"]


def _nothing() -> float:
    return 0.0


class SettlingPortfolio(Portfolio):
    """`Portfolio` that holds back money which has not settled; it belongs to the account, and to its equity, at once.

    Attributes
    ----------
    unsettled
        Answers how much waits now.
    """

    def __init__(self, instruments: Iterable[Instrument], cash: float, leverage: float = 1.0) -> None:
        super().__init__(instruments, cash, leverage)
        self.unsettled: Callable[[], float] = _nothing

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = FUNDS_TOLERANCE
    ) -> float:
        """Return the money that would be missing after a fill, could it spend settled money alone."""
        # What is held back counts like one more fee: it lowers what is there to pay with, and nothing else.
        return super().missing_funds(instrument, signed, price, fee + self.unsettled(), tolerance)

    def free_notional(self, instrument: Instrument) -> float:
        """Return the value of `instrument` that could still be opened at last prices, in the account's currency."""
        rate = 1.0 / self.leverage if instrument.is_cash else instrument.margin_rate
        return max(0.0, self.free_cash) / rate

    @property
    def free_cash(self) -> float:
        """Settled money that no position needs as margin."""
        return super().free_cash - self.unsettled()
