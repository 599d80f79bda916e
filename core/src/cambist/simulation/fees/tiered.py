"""Rates that fall as an account trades more."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any

import attrs

from cambist.errors import ParameterError
from cambist.model.orders import Liquidity
from cambist.model.times import DAY_NS
from cambist.simulation.checks import check_amount, check_rate, is_number
from cambist.simulation.fees.traded_volume import TradedVolume

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order

__all__ = ["TieredFee"]

_KEYS = ("volume", "maker", "taker")


def _tiers(said: Any) -> tuple[tuple[float, float, float], ...]:
    """Take tiers as rows or as tables with the keys volume, maker and taker."""
    rows = list(said) if isinstance(said, list | tuple) else []
    made: list[tuple[float, float, float]] = []
    for row in rows:
        values = [row[key] for key in _KEYS] if isinstance(row, dict) and set(row) == set(_KEYS) else row
        if not isinstance(values, list | tuple) or len(values) != 3 or not all(map(is_number, values)):
            raise ParameterError(f"TieredFee: a tier is {row!r}; it is (volume from which it counts, maker, taker).")
        volume, maker, taker = map(float, values)
        made.append((volume, maker, taker))
    if not made or made[0][0] != 0.0 or any(not one[0] < other[0] for one, other in pairwise(made)):
        raise ParameterError(
            f"TieredFee: tiers is {said!r}; give (volume, maker, taker) of each tier, the first from volume 0, "
            "the others from rising ones: [(0, 0.001, 0.001), (1_000_000, 0.0009, 0.001)]."
        )
    return tuple(made)


@attrs.frozen
class TieredFee:
    """Maker and taker rates by the value that the account traded in the last days.

    Parameters
    ----------
    tiers
        ``(volume, maker, taker)`` of each: the value traded from which it counts, in the settlement asset and over all
        instruments, and its rates; a negative rate is a rebate. The first counts from 0.
    window_days
        Length of the window, which ends with each fill.

    Notes
    -----
    A fill pays by what was traded before it. A run begins with nothing traded. Venues reckon the tier once a day; here
    it moves with every fill.
    """

    tiers: Any = attrs.field(converter=_tiers)
    window_days: float = 30.0
    _volumes: tuple[float, ...] = attrs.field(init=False, repr=False, eq=False)
    _traded: TradedVolume = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        check_amount("TieredFee", "window_days", self.window_days, "a positive number of days", least=1e-9)
        for volume, maker, taker in self.tiers:
            check_amount("TieredFee", "volume", volume, "a value traded", least=0.0, most=inf)
            check_rate("TieredFee", "maker", maker)
            check_rate("TieredFee", "taker", taker)
        object.__setattr__(self, "_volumes", tuple(tier[0] for tier in self.tiers))
        object.__setattr__(self, "_traded", TradedVolume(round(self.window_days * DAY_NS)))

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:
        """Return the fee by the tier after the last fill."""
        return instrument.notional(size, price) * self._rate(self._traded.latest(), liquidity)

    def fresh(self) -> TieredFee:
        """Return the scheme with nothing traded."""
        return TieredFee(self.tiers, self.window_days)

    def charge(self, order: Order, size: float, price: float, liquidity: Liquidity, ts: int) -> float:
        """Return the fee by the tier at `ts`, before this fill."""
        return order.instrument.notional(size, price) * self._rate(self._traded.at(ts), liquidity)

    def traded(self, fill: Fill) -> None:
        """Add a fill to the value traded."""
        self._traded.add(fill.ts, fill.instrument.notional(fill.size, fill.price))

    def _rate(self, volume: float, liquidity: Liquidity) -> float:
        tier = self.tiers[bisect_right(self._volumes, volume) - 1]
        return float(tier[1] if liquidity is Liquidity.MAKER else tier[2])
