"""A fraction of the equity, lost if the price goes some average true ranges against the order."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.strategies.sizers.affordable import CUSHION, reference_price
from cambist.strategies.sizers.checks import check_buffer, check_number, check_whole
from cambist.strategies.sizers.risk_per_trade import risk_size

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["AtrRisk"]

#: Bars read, in periods: what lies before them weighs less than a ten-thousandth in the average.
_PERIODS = 10


@attrs.frozen
class AtrRisk:
    """So much that a fraction of the equity is lost if the price goes `multiple` average true ranges against it.

    Parameters
    ----------
    fraction
        Of the equity: 0.01 risks one percent.
    multiple
        How many average true ranges away the stop is reckoned.
    period
        Bars of the average, 1 to 1,000.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.

    Notes
    -----
    It needs no indicator of the strategy's: when an order is sent it reads the last ``10 * period`` bars, over which
    the average is that of `cambist.indicators.ATR`. What an average begun earlier would add is below a ten-thousandth
    of it, and the same bars give the same size wherever a run began. Before ``period + 1`` bars the range is not
    known, and nothing is sent. To size by a line of the strategy's own, give it to `RiskPerTrade` as its distance.
    """

    fraction: float = 0.01
    multiple: float = 2.0
    period: int = 14
    buffer: float = CUSHION

    def __attrs_post_init__(self) -> None:
        check_number(self, "fraction", "0.01 risks one percent of the equity.", at_most=1.0)
        check_number(self, "multiple", "2 reckons with a stop two average true ranges away.")
        check_whole(self, "period", "it counts bars, 1 to 1,000.", at_most=1_000)
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the largest size that loses no more than the fraction."""
        price = reference_price(desk, instrument, price)
        distance = self.multiple * self._range(desk, instrument)
        return risk_size(desk, instrument, side, price, distance, self.fraction, self.buffer)

    def _range(self, desk: TradingDesk, instrument: Instrument) -> float:
        """Return the average true range of the last bars; NaN where there are too few."""
        bars = desk.history(instrument, _PERIODS * self.period)
        if bars is None or len(bars) <= self.period:
            return nan
        from cambist.indicators.talib_functions import described  # TA-Lib takes its time to load

        ranges = described()["ATR"](period=self.period).batch(bars.high, bars.low, bars.close)[0]
        return float(ranges[-1])
