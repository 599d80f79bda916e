"""As much as brings a position to a volatility."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError
from cambist.model.times import DAY_NS
from cambist.strategies.sizers.affordable import CUSHION, value_size
from cambist.strategies.sizers.checks import check_buffer, check_number, check_whole

if TYPE_CHECKING:
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["VolatilityTarget"]

_YEAR_NS = 365.25 * DAY_NS


@attrs.frozen
class VolatilityTarget:
    """The share of the equity at which it would swing by a given annual volatility: ``annual / volatility``.

    Parameters
    ----------
    annual
        Volatility to aim at, a fraction a year: 0.15 is 15 %.
    lookback
        How many returns between closes the volatility is measured from, 2 to 10,000.
    periods_per_year
        Bars of a year: 252 for daily bars of a stock exchange, ``365 * 24`` for hours of a market that never closes.
        For bars of a day and longer it may be left out, and is told from their times; how much of a day a market
        trades cannot be.
    most
        Largest fraction of the equity, however quiet the market; above 1 needs leverage.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.

    Notes
    -----
    The volatility is the sample deviation (``ddof=1``) of the logarithmic returns, times the square root of the
    bars of a year. Before ``lookback + 1`` closes it is not known, and nothing is sent.
    """

    annual: float = 0.15
    lookback: int = 60
    periods_per_year: float | None = None
    most: float = 1.0
    buffer: float = CUSHION

    def __attrs_post_init__(self) -> None:
        check_number(self, "annual", "it is a fraction a year: 0.15 is 15 %.")
        check_whole(self, "lookback", "it counts returns, 2 to 10,000.", at_least=2, at_most=10_000)
        if self.periods_per_year is not None:
            check_number(self, "periods_per_year", "it counts the bars of a year: 252 for days of a stock exchange.")
        check_number(self, "most", "1 is the whole equity.")
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the size whose value is the share.

        Raises
        ------
        ParameterError
            For bars shorter than a day, if `periods_per_year` was left out.
        """
        bars = desk.history(instrument, self.lookback + 1)
        if bars is None or len(bars) <= self.lookback:
            return 0.0
        volatility = float(np.std(np.diff(np.log(bars.close)), ddof=1)) * sqrt(self._per_year(bars))
        share = self.most if volatility * self.most <= self.annual else self.annual / volatility
        return value_size(desk, instrument, side, desk.equity_in(instrument) * share, price, self.buffer)

    def _per_year(self, bars: Bars) -> float:
        if self.periods_per_year is not None:
            return self.periods_per_year
        if bars.timeframe.ns < DAY_NS:
            raise ParameterError(
                f"VolatilityTarget: how many bars of {bars.timeframe} a year has depends on the hours of the market of "
                f"{bars.instrument.symbol}. Give periods_per_year, such as 365 * 24 for hours around the clock."
            )
        return self.lookback * _YEAR_NS / float(bars.ts[-1] - bars.ts[0])
