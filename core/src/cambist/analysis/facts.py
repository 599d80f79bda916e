"""What every measure is computed from."""

from __future__ import annotations

from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.analysis.period_equity import equity_by_period
from cambist.analysis.periods import Period, periods_per_year
from cambist.analysis.trade_columns import TradeColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.analysis.curve import EquityCurve
    from cambist.analysis.holdings import Holdings
    from cambist.analysis.period_equity import PeriodEquity
    from cambist.model import Fill, Trade

__all__ = ["RunFacts"]


@attrs.frozen(eq=False, slots=True)
class RunFacts:
    """The facts of a run that measures are computed from.

    Attributes
    ----------
    curve
        What the account was worth; where money was brought in or taken out, what its shares were, from the initial
        cash on, so that returns and drawdowns are those of the trading.
    trades
        Round trips, closed and still open ones.
    fees
        All fees paid, in the account's currency.
    notional_traded
        Value of everything bought plus everything sold, in the account's currency, positive.
    fills
        What was traded, in order.
    holdings
        What was held when, and at which prices; None where nobody wrote it down.
    benchmark
        What to compare the run with, buying and holding as a rule; None where there is nothing.
    flows
        Deposits less withdrawals.
    money
        What the account was worth in money, where `curve` says something else.
    """

    curve: EquityCurve
    trades: Sequence[Trade] = ()
    fees: float = 0.0
    notional_traded: float = 0.0
    fills: Sequence[Fill] = ()
    holdings: Holdings | None = None
    benchmark: EquityCurve | None = None
    flows: float = 0.0
    money: EquityCurve | None = None

    @property
    def worth(self) -> EquityCurve:
        """The curve of the account in money."""
        return self.curve if self.money is None else self.money

    @cached_property
    def closed(self) -> tuple[Trade, ...]:
        """The trades that are over. Only these count in the measures of trades."""
        return tuple([trade for trade in self.trades if trade.closed_bar >= 0])

    @property
    def closed_count(self) -> int:
        """How many trades are over."""
        return self.trades.closed_count if isinstance(self.trades, TradeColumns) else len(self.closed)

    @cached_property
    def nets(self) -> NDArray[np.float64]:
        """Profit after fees of each closed trade, in the account's currency, shape ``(len(closed),)``."""
        nets: NDArray[np.float64] = self.column("gross") - self.column("fees")
        return nets

    @cached_property
    def nets_by_close(self) -> NDArray[np.float64]:
        """`nets` in the order in which the trades were closed."""
        return self.nets[np.lexsort([self.column(name, np.int64) for name in _CLOSING])]

    def column(self, name: str, dtype: type[Any] = np.float64) -> NDArray[Any]:
        """Return a field of each closed trade as an array, shape ``(len(closed),)``."""
        if isinstance(self.trades, TradeColumns):
            return self.trades.column(name, dtype)
        return np.fromiter(map(attrgetter(name), self.closed), dtype, len(self.closed))

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """Simple returns of the sampled curve, ``e[i] / e[i - 1] - 1``, shape ``(m - 1,)``.

        Empty when equity was ever zero or below: a return on nothing is no number.
        """
        if self.curve.ruined:
            return np.empty(0)
        equity = self.curve.equity
        return equity[1:] / equity[:-1] - 1.0

    def period_equity(self, period: Period | str) -> PeriodEquity:
        """Return equity at the end of each period, from the sampled curve.

        Raises
        ------
        ParameterError
            If `period` is none.
        """
        return equity_by_period(self.curve, period)

    def period_returns(self, period: Period | str) -> NDArray[np.float64]:
        """Return the simple returns of `period`, shape ``(n,)``; empty when equity was ever zero or below.

        Raises
        ------
        ParameterError
            If `period` is none.
        """
        if Period.of(period) is Period.DAY or self.curve.ruined:
            return self.returns
        return self.period_equity(period).returns

    def periods_per_year(self, period: Period | str) -> float:
        """Return how many of the returns of `period` make a year."""
        return periods_per_year(Period.of(period), self.curve.periods_per_year)


#: Fields of a trade by which it was closed earlier, the weightiest last.
_CLOSING = ("id", "closed_at", "closed_bar")
