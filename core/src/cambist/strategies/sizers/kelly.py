"""The Kelly criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.strategies.sizers.affordable import CUSHION, value_size
from cambist.strategies.sizers.checks import check_buffer, check_number, check_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.model.portfolio import Trade
    from cambist.strategies.desk import TradingDesk

__all__ = ["Kelly", "kelly_fraction"]


def kelly_fraction(win_rate: float, payoff: float) -> float:
    """Return the fraction of the equity that grows it fastest: ``win_rate - (1 - win_rate) / payoff``.

    Parameters
    ----------
    win_rate
        Fraction of trades that win.
    payoff
        Average win over average loss, infinite where nothing loses.

    Returns
    -------
    float
        At most 1; 0 or less where the odds are against it.

    Notes
    -----
    J. L. Kelly, "A New Interpretation of Information Rate", Bell System Technical Journal 35 (1956), for a bet that
    loses its stake or wins `payoff` times it.
    """
    return win_rate - (1.0 - win_rate) / payoff if payoff > 0.0 else -1.0


@attrs.frozen
class Kelly:
    """The share of the equity that the Kelly criterion names, from given odds or from the trades of the run so far.

    Parameters
    ----------
    scale
        Of the criterion's fraction: 1 is full Kelly, 0.5 half. Half of it grows three quarters as fast and swings
        half as much.
    win_rate, payoff
        Fraction of trades that win, and average win over average loss; both, or neither to measure them.
    minimum_trades
        Closed trades of the strategy before the measured odds count.
    initial
        Fraction of the equity until then.
    last
        How many of the latest closed trades are measured; None for all, which takes longer the more there are.
    least
        Fraction that is traded however bad the odds, so that a bad spell can end. With 0, a strategy whose measured
        odds are against it trades no more in this run.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.

    Notes
    -----
    Wins and losses are returns, net of fees, on what a trade put in, so that they compare while sizes grow. A trade
    that comes out even counts as one that did not win, and not into the average loss.
    """

    scale: float = 0.5
    win_rate: float | None = attrs.field(default=None, kw_only=True)
    payoff: float | None = attrs.field(default=None, kw_only=True)
    minimum_trades: int = attrs.field(default=30, kw_only=True)
    initial: float = attrs.field(default=0.1, kw_only=True)
    last: int | None = attrs.field(default=200, kw_only=True)
    least: float = attrs.field(default=0.0, kw_only=True)
    buffer: float = attrs.field(default=CUSHION, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_number(self, "scale", "1 is full Kelly, 0.5 half.", at_most=1.0)
        if (self.win_rate is None) != (self.payoff is None):
            raise ParameterError(
                f"Kelly: win_rate is {self.win_rate!r} and payoff {self.payoff!r}; "
                "give both, or neither to measure them."
            )
        if self.win_rate is not None:
            check_number(self, "win_rate", "it is a fraction of the trades: 0.55.", at_most=1.0)
            check_number(self, "payoff", "it is the average win over the average loss: 1.5.")
        check_whole(self, "minimum_trades", "it counts trades, at least 1.")
        check_number(self, "initial", "0.1 trades a tenth of the equity until the odds are known.", at_most=1.0)
        check_number(self, "least", "0 trades nothing against the odds, 0.01 a hundredth.", at_most=1.0, zero=True)
        if self.last is not None:
            hint = f"it counts trades, at least the {self.minimum_trades} of minimum_trades; None is all."
            check_whole(self, "last", hint, at_least=self.minimum_trades)
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the size whose value is the share."""
        return value_size(desk, instrument, side, desk.equity_in(instrument) * self.fraction(desk), price, self.buffer)

    def fraction(self, desk: TradingDesk) -> float:
        """Return the fraction of the equity that an order is for now."""
        if self.win_rate is not None and self.payoff is not None:
            odds = kelly_fraction(self.win_rate, self.payoff)
        else:
            trades = desk.closed_trades
            if len(trades) < self.minimum_trades:
                return self.initial
            odds = _measured(trades if self.last is None else trades[-self.last :])
        return max(self.least, self.scale * odds)


def _measured(trades: Sequence[Trade]) -> float:
    """Return the Kelly fraction of closed trades."""
    returns = [trade.net / trade.instrument.notional(trade.entered, trade.entry_price) for trade in trades]
    wins = [one for one in returns if one > 0.0]
    losses = [-one for one in returns if one < 0.0]
    if not wins:
        return -1.0
    win_rate = len(wins) / len(returns)
    if not losses:
        return win_rate
    return kelly_fraction(win_rate, (sum(wins) / len(wins)) / (sum(losses) / len(losses)))
