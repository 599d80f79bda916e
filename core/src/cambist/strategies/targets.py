"""The orders of a strategy that bring a position to a size."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING

from cambist.errors import OrderError
from cambist.model.instrument import Instrument
from cambist.model.orders import OrderType, Side, TimeInForce
from cambist.model.portfolio import HedgedPosition
from cambist.strategies.legs import leg_to_close, leg_with_target

if TYPE_CHECKING:
    from cambist.indicators.series import BarView, Series
    from cambist.model.orders import Order, PositionSide
    from cambist.strategies.data import DataSet
    from cambist.strategies.desk import TradingDesk

__all__ = ["Targets"]

_MARKET, _GTC = OrderType.MARKET, TimeInForce.GTC
_BUY, _SELL = Side.BUY, Side.SELL


class Targets:
    """Market orders by what is to be held; see `cambist.strategies.strategy.Strategy`.

    Attributes
    ----------
    data
        The series of the run.
    """

    data: DataSet
    _desk: TradingDesk

    def close(
        self,
        data: Series | BarView | Instrument | str | None = None,
        *,
        position_side: PositionSide | str | None = None,
        tag: str = "",
    ) -> Order | None:
        """Close the position with a reduce-only market order; None when flat.

        In a hedged account `position_side` names the position; while one of the two alone is open, that one is meant.

        Raises
        ------
        OrderError
            If a long and a short position are open and none is named.
        """
        desk = self._desk
        instrument = (desk.instrument or desk.current) if data is None else self._instrument(data)
        position, instructions = desk.positions[instrument.symbol], None
        if position_side is not None or isinstance(position, HedgedPosition):
            position, instructions = leg_to_close(desk, instrument, position_side)
        held = position.size
        if held == 0.0:
            return None
        side = _SELL if held > 0.0 else _BUY
        return desk.send(instrument, side, _MARKET, abs(held), nan, nan, _GTC, 0, True, tag, instructions)

    def order_target_size(
        self,
        target: float,
        data: Series | BarView | Instrument | str | None = None,
        *,
        position_side: PositionSide | str | None = None,
        tag: str = "",
    ) -> Order | None:
        """Trade the difference between the position and `target` (negative is short) at market.

        Returns None where the difference is less than one step. Working orders are not counted. In a hedged account
        `position_side` names the position, and the target of a long one is 0 or above, of a short one 0 or below.
        """
        desk = self._desk
        instrument = desk.current if data is None else self._instrument(data)
        if not -inf < target < inf:
            raise OrderError(f"a target of {target} is no size; give a finite number, negative to be short.")
        position, instructions = desk.positions[instrument.symbol], None
        if position_side is not None:
            position, instructions = leg_with_target(desk, instrument, position_side, target)
        difference = target - position.size
        size = instrument.round_size(abs(difference))
        if size == 0.0:
            return None
        side = _BUY if difference > 0.0 else _SELL
        return desk.send(instrument, side, _MARKET, size, nan, nan, _GTC, 0, False, tag, instructions)

    def order_target_value(
        self,
        target: float,
        data: Series | BarView | Instrument | str | None = None,
        *,
        position_side: PositionSide | str | None = None,
        tag: str = "",
    ) -> Order | None:
        """Trade at market until the position is worth `target` at the last close (negative is short)."""
        desk = self._desk
        instrument = desk.current if data is None else self._instrument(data)
        unit = instrument.notional(1.0, desk.price(instrument))
        if not unit > 0.0:
            raise OrderError(f"{instrument.symbol} has no price yet, so a value cannot be turned into a size.")
        return self.order_target_size(target / unit, instrument, position_side=position_side, tag=tag)

    def order_target_percent(
        self,
        target: float,
        data: Series | BarView | Instrument | str | None = None,
        *,
        position_side: PositionSide | str | None = None,
        tag: str = "",
    ) -> Order | None:
        """Trade at market until the position is worth `target` times the equity: 0.5 is half of it."""
        desk = self._desk
        instrument = desk.current if data is None else self._instrument(data)
        value = target * desk.equity_in(instrument)
        return self.order_target_value(value, instrument, position_side=position_side, tag=tag)

    def _instrument(self, data: Series | BarView | Instrument | str) -> Instrument:
        if isinstance(data, Instrument):
            return self.data[data.symbol].instrument
        if isinstance(data, str):
            return self.data[data].instrument
        return data.instrument
