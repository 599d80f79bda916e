"""Mark prices and funding of a futures symbol."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from cambist.api import ParameterError
from cambist_simulator.market.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cambist_simulator.market.data import MarketData
    from cambist_simulator.market.hand import Hand

__all__ = ["Marks"]

_SECOND = 1_000_000_000
_PLACES = Decimal("0.00000001")
_RATE = Decimal("0.0001")


class Marks(Script):
    """Marks a futures symbol to its market, and announces what it pays as funding.

    Parameters
    ----------
    hand, data
        Of the symbol, and what is kept of it.
    every
        ns between two marks.
    basis
        What the mark is above the index, a share of it.
    rates
        Funding rates, by the number of the payment from 0 on: what longs pay shorts, a share of the position's value.
        Default: 0.01 % each time.

    Attributes
    ----------
    premium
        What is added to the mark, a share; a test moves the mark away from the market with it.

    Notes
    -----
    The mark is the middle of the book, clamped to within 0.5 % of the last trade, since one level far away must not
    liquidate anybody; the last price where a side is empty. Funding is paid at multiples of the listing's funding
    interval since the epoch, at the rate that was announced for it before.
    """

    def __init__(
        self,
        hand: Hand,
        data: MarketData,
        *,
        every: int = _SECOND,
        basis: Decimal = Decimal(0),
        rates: Callable[[int], Decimal] | None = None,
    ) -> None:
        super().__init__()
        if every <= 0:
            raise ParameterError(f"{hand.symbol}: marks every {every} ns; give more than 0.")
        self._hand, self._data = hand, data
        self._every, self._basis = every, basis
        self._rates = rates or (lambda _: _RATE)
        self._interval = hand.listing.funding_interval
        self._paid = 0
        self.premium = Decimal(0)

    def play(self, shift: int) -> Iterator[int]:
        """Yield the time of each mark; without an end."""
        at = shift
        funding = at - at % self._interval + self._interval if self._interval else 0
        while True:
            yield at
            if funding and at >= funding:
                # The exchange itself has paid what was announced, since its time has come.
                self._data.marks.paid(at, self._rates(self._paid))
                self._paid += 1
                funding += self._interval
            self._mark(funding)
            at += self._every
            if funding and at > funding > at - self._every:
                at = funding

    def _mark(self, funding: int) -> None:
        middle = self._middle()
        if middle is None:
            return
        mark = (middle * (1 + self.premium)).quantize(_PLACES, ROUND_HALF_EVEN)
        index = (mark / (1 + self._basis)).quantize(_PLACES, ROUND_HALF_EVEN)
        rate = self._rates(self._paid) if self._interval else Decimal(0)
        self._hand.mark(mark, index, rate, funding)

    def _middle(self) -> Decimal | None:
        last = self._data.last_price
        bid, ask = self._hand.best_prices()
        if bid is None or ask is None:
            return last
        middle = (bid + ask) / 2
        if last is None:
            return middle
        return min(max(middle, last * Decimal("0.995")), last * Decimal("1.005"))
