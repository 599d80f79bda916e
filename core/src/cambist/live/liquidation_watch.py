"""Tells when a position comes close to the price at which the venue closes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.reports import AccountReport, PositionReport

__all__ = ["LiquidationWatch"]

#: A level is passed again only after the distance was so many times as large.
_RECOVERED = 1.1


class LiquidationWatch:
    """Compares prices with liquidation prices as the venue tells them.

    Parameters
    ----------
    levels
        Distances as fractions of the price, at each of which a person is told once, and again after a recovery.
    price_of
        Answers the last price of an instrument; NaN where none is known.
    alarm
        Told of what a person should know.

    Attributes
    ----------
    distances
        Of each position that has a liquidation price, by symbol and side: the fraction by which the price must move to
        get there.
    """

    def __init__(
        self, levels: Sequence[float], price_of: Callable[[str], float], alarm: Callable[[str, str], None]
    ) -> None:
        self._levels = sorted(levels, reverse=True)
        self._price_of, self._alarm = price_of, alarm
        self._positions: Sequence[PositionReport] = ()
        self._passed: dict[tuple[str, str], int] = {}
        self.distances: dict[tuple[str, str], float] = {}

    def told(self, account: AccountReport) -> None:
        """Take what the venue says of positions, all of them."""
        self._positions = account.positions
        self.look()

    def look(self) -> None:
        """Compare prices as they are now."""
        self.distances = {}
        for one in self._positions:
            price = self._price_of(one.symbol)
            if one.liquidation_price is None or not one.size or not price > 0.0:
                continue
            # On whichever side: a hedged pair has one price, which is against one of the two alone.
            self.distances[one.symbol, one.position_side] = abs(price - float(one.liquidation_price)) / price
        for key in self._passed.keys() - self.distances.keys():
            del self._passed[key]
        for key, distance in self.distances.items():
            self._compare(key, distance)

    def _compare(self, key: tuple[str, str], distance: float) -> None:
        before = self._passed.get(key, 0)
        now = sum(distance <= level for level in self._levels)
        if now > before:
            symbol, side = key
            of = f"{symbol} ({side})" if side else symbol
            self._alarm(
                "liquidation_near",
                f"{of} is {distance:.2%} away from its liquidation price; warned below "
                f"{self._levels[now - 1]:.0%}. Add margin, or make the position smaller.",
            )
            self._passed[key] = now
        while before > now and distance > self._levels[before - 1] * _RECOVERED:
            before -= 1
            self._passed[key] = before

    async def keep_on(self, every: float = 1.0) -> None:
        """Look once in so many seconds, until canceled."""
        while True:
            await asyncio.sleep(every)
            self.look()
