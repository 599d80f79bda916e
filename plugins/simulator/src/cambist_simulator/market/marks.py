"""Mark prices, index prices and funding of a futures symbol."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cambist_simulator.market.candles import CandleSeries
from cambist_simulator.market.intervals import MINUTE

if TYPE_CHECKING:
    from cambist_simulator.exchange.events import MarkChanged
    from cambist_simulator.market.intervals import Interval

__all__ = ["FundingPayment", "MarkHistory"]

_ZERO = Decimal(0)


class FundingPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of funding that took place.

    Attributes
    ----------
    at
        ns.
    rate
        Share of the position's value that longs paid to shorts.
    mark
        Price by which positions were valued.
    """

    at: int
    rate: Decimal
    mark: Decimal


class MarkHistory:
    """What a futures symbol was marked at.

    Attributes
    ----------
    latest
        The last change; None before the first.
    payments
        Of funding, oldest first; the newest `keep`.
    """

    def __init__(self, keep: int = 2_000) -> None:
        self.latest: MarkChanged | None = None
        self.payments: deque[FundingPayment] = deque(maxlen=keep)
        self._keep = keep
        self._marks = {MINUTE: CandleSeries(MINUTE, keep)}
        self._indices = {MINUTE: CandleSeries(MINUTE, keep)}
        self._count = 0

    def add(self, event: MarkChanged) -> None:
        """Take a change."""
        self.latest = event
        self._count += 1
        for series in self._marks.values():
            series.add(self._count, event.mark, _ZERO, _ZERO, False, event.at)
        for series in self._indices.values():
            series.add(self._count, event.index, _ZERO, _ZERO, False, event.at)

    def paid(self, at: int, rate: Decimal) -> None:
        """Remember a payment of funding."""
        mark = _ZERO if self.latest is None else self.latest.mark
        self.payments.append(FundingPayment(at=at, rate=rate, mark=mark))

    def marks(self, interval: Interval) -> CandleSeries:
        """Return candles of the mark price; kept from the first call on."""
        return self._series(self._marks, interval)

    def indices(self, interval: Interval) -> CandleSeries:
        """Return candles of the index price; kept from the first call on."""
        return self._series(self._indices, interval)

    def _series(self, kept: dict[Interval, CandleSeries], interval: Interval) -> CandleSeries:
        found = kept.get(interval)
        if found is None:
            found = kept[interval] = CandleSeries.of(interval, kept.values(), self._keep)
        return found

    def roll(self, now: int) -> None:
        """Close what is over at `now` (ns)."""
        for series in (*self._marks.values(), *self._indices.values()):
            series.roll(now)
