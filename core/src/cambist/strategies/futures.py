"""What a strategy can do in an account on margin beside orders: the sides of positions, their margin, leverage."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from cambist.errors import InputError
from cambist.strategies.legs import leg
from cambist.strategies.order_options import read_side
from cambist.strategies.trading import Trading

if TYPE_CHECKING:
    from cambist.indicators.series import BarView, Series
    from cambist.model.instrument import Instrument
    from cambist.model.orders import PositionSide
    from cambist.model.portfolio import MarginChange, Position

__all__ = ["FuturesTrading"]


class FuturesTrading(Trading):
    """Sides, margin and leverage of positions; see `cambist.strategies.strategy.Strategy`."""

    def position_of(
        self, data: Series | BarView | Instrument | str | None = None, side: PositionSide | str | None = None
    ) -> Position:
        """Return the position in an instrument; in a hedged account that of one side, net without.

        Parameters
        ----------
        data
            As for `buy`.
        side
            ``"long"``, or ``"short"`` whose size is 0 or below.

        Raises
        ------
        OrderError
            For a side in an account that has one position in the instrument.
        """
        desk = self._desk
        instrument = desk.current if data is None else self._instrument(data)
        return desk.positions[instrument.symbol] if side is None else leg(desk, instrument, side)

    def on_margin(self, change: MarginChange) -> None:
        """Learn what became of a change of margin or leverage in this strategy's account.

        ``change.reason`` is ``""`` where it was made, by whomever; else it says, code first, why it was not, or
        ``unknown`` where the venue's answer was lost. What is refused at once is returned by `add_margin` and
        `set_leverage`, and not told here.
        """

    def add_margin(
        self,
        amount: float,
        data: Series | BarView | Instrument | str | None = None,
        *,
        position_side: PositionSide | str | None = None,
    ) -> MarginChange:
        """Add money to the margin of an isolated position, or take some out (negative), when this callback is over.

        Parameters
        ----------
        amount
            In the account's currency.
        data
            Whose position. Default: that of the instrument whose bar, order or fill is being delivered.
        position_side
            Which one, in a hedged account.

        Returns
        -------
        MarginChange
            Its `reason` says why it was refused, beginning with ``insufficient_funds`` where less is free,
            ``margin_in_use`` where the position needs it, ``no_position`` or ``margin_not_isolated``; ``""`` where it
            was not.

        Raises
        ------
        InputError
            For an amount that is 0 or not finite.
        OrderError
            For an account without margin, or a side that there is not.
        """
        if amount == 0.0 or not -inf < amount < inf:
            raise InputError(f"a margin of {amount} cannot be added; give an amount, negative to take out.")
        instrument = self._desk.current if data is None else self._instrument(data)
        side = read_side(position_side)
        if side is not None:
            leg(self._desk, instrument, side)
        return self._desk.change_margin(instrument, side, amount=float(amount))

    def set_leverage(self, leverage: float, data: Series | BarView | Instrument | str | None = None) -> MarginChange:
        """Trade a margined instrument at another leverage, from when this callback is over.

        What is held follows: in cross margin it ties up the new initial margin, in isolated margin so much more or
        less of the account's money is set aside for it, at its entry price. What was added by hand stays.

        Returns
        -------
        MarginChange
            Its `reason` says why it was refused, beginning with ``leverage_above_limit`` where instrument or tier allow
            less, ``insufficient_funds`` where what is held would need more than is free, or ``margin_in_use`` where it
            could not be kept with less; ``""`` where it was not.

        Raises
        ------
        InputError
            For a leverage that is no number above 0.
        OrderError
            For an account without margin.
        """
        if not 0.0 < leverage < inf:
            raise InputError(f"a leverage of {leverage} cannot be set; give a number above 0.")
        instrument = self._desk.current if data is None else self._instrument(data)
        return self._desk.change_margin(instrument, leverage=float(leverage))
