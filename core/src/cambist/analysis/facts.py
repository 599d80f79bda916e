"""What every measure is computed from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.analysis.curve import EquityCurve
    from cambist.model import Trade

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
    flows
        Deposits less withdrawals.
    money
        What the account was worth in money, where `curve` says something else.
    """

    curve: EquityCurve
    trades: Sequence[Trade] = ()
    fees: float = 0.0
    notional_traded: float = 0.0
    flows: float = 0.0
    money: EquityCurve | None = None

    @property
    def worth(self) -> EquityCurve:
        """The curve of the account in money."""
        return self.curve if self.money is None else self.money

    @cached_property
    def closed(self) -> tuple[Trade, ...]:
        """The trades that are over. Only these count in the measures of trades."""
        return tuple(trade for trade in self.trades if not trade.is_open)

    @cached_property
    def nets(self) -> NDArray[np.float64]:
        """Profit after fees of each closed trade, in the account's currency, shape ``(len(closed),)``."""
        return np.array([trade.net for trade in self.closed], np.float64)

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """Simple returns of the sampled curve, ``e[i] / e[i - 1] - 1``, shape ``(m - 1,)``.

        Empty when equity was ever zero or below: a return on nothing is no number.
        """
        if self.curve.ruined:
            return np.empty(0)
        equity = self.curve.equity
        return equity[1:] / equity[:-1] - 1.0
