"""A book around a price, for markets of which only trades or bars are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.api import ParameterError
from cambist.model import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_simulator.market.hand import Hand

__all__ = ["BookShape", "Quoter"]

_BUY, _SELL = Side.BUY, Side.SELL
#: Knuth's multiplicative hash: sizes look irregular, and are the same for the same price.
_HASH, _MASK = 2_654_435_761, 0xFFFF_FFFF


class BookShape(msgspec.Struct, frozen=True, kw_only=True):
    """What is displayed around a price.

    Attributes
    ----------
    levels
        Prices on each side.
    spread
        Ticks from the best bid to the best ask, at least 1.
    gap
        Ticks from one level to the next, at least 1.
    share
        Size of a level: a share of the volume of the bar, or of the trade, that is being played; between half and
        one and a half of it, by price.
    least
        Lots that a level has at least.

    Raises
    ------
    ParameterError
        If a number is too small.
    """

    levels: int = 10
    spread: int = 1
    gap: int = 1
    share: float = 0.2
    least: int = 10

    def __post_init__(self) -> None:
        for name in ("levels", "spread", "gap", "least"):
            value = getattr(self, name)
            if value < 1:
                raise ParameterError(f"the {name} of a book is {value}; give at least 1.")
        if not 0.0 <= self.share < float("inf"):
            raise ParameterError(f"the share of a book is {self.share}; give a number from 0 up.")

    def lots(self, ticks: int, volume: int) -> int:
        """Return the size of the level at a price, where `volume` lots are being traded."""
        chance = (ticks * _HASH & _MASK) / _MASK
        return max(self.least, round(volume * self.share * (0.5 + chance)))


class Quoter:
    """Keeps a book around a price.

    Parameters
    ----------
    hand
        What the book is changed through.
    shape
        What it looks like.
    """

    def __init__(self, hand: Hand, shape: BookShape) -> None:
        self._hand, self._shape = hand, shape
        self._shown: dict[Side, dict[int, int]] = {_BUY: {}, _SELL: {}}
        self._volume = 0

    def quote(self, bid: int, ask: int, volume: int | None = None, *, best: Mapping[Side, int] | None = None) -> None:
        """Let `bid` and `ask` (ticks) be the best prices of the market.

        Parameters
        ----------
        volume
            Lots, what sizes are a share of; None for what it was.
        best
            Lots at the best prices, where they are known; these trade with users' orders that they reach. What is made
            up does not, and is not displayed where it would.
        """
        if volume is not None:
            self._volume = volume
        shape = self._shape
        wanted = {
            _BUY: [bid - number * shape.gap for number in range(shape.levels)],
            _SELL: [ask + number * shape.gap for number in range(shape.levels)],
        }
        changes: list[tuple[Side, int, int]] = []
        for side, prices in wanted.items():
            target = {ticks: shape.lots(ticks, self._volume) for ticks in self._free(side, prices)}
            if best is not None:
                target[prices[0]] = best[side]
            shown = self._shown[side]
            changes.extend((side, ticks, 0) for ticks in shown if ticks not in target)
            changes.extend(
                (side, ticks, lots) for ticks, lots in target.items() if self._hand.lots_at(side, ticks) != lots
            )
            self._shown[side] = target
        self._hand.show(changes)

    def _free(self, side: Side, prices: list[int]) -> list[int]:
        """Return the prices that can be displayed without a trade: those that cross no order of a user."""
        limit = self._hand.reached(side.opposite)
        if limit is None:
            return [ticks for ticks in prices if ticks > 0]
        return [ticks for ticks in prices if ticks > 0 and (limit - ticks) * side.sign > 0]

    def around(self, ticks: int, side: Side, volume: int | None = None) -> None:
        """Let the best price of those who face a taker of `side` be `ticks`."""
        spread = self._shape.spread
        if side is _BUY:
            self.quote(ticks - spread, ticks, volume)
        else:
            self.quote(ticks, ticks + spread, volume)
