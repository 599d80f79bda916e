"""The two positions of a hedged account, as a strategy names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.errors import OrderError
from cambist.model.legs import SIDES, leg_key
from cambist.model.orders import Instructions, PositionSide
from cambist.strategies.order_options import read_side

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.portfolio import Position
    from cambist.strategies.desk import TradingDesk

__all__ = ["leg", "leg_to_close", "leg_with_target"]


def leg(desk: TradingDesk, instrument: Instrument, side: PositionSide | str) -> Position:
    """Return one side of a hedged position.

    Raises
    ------
    OrderError
        For a side that is none, or an account that has one position in the instrument.
    """
    found = desk.legs.get(leg_key(instrument.symbol, read_side(side)))
    if found is None:
        raise OrderError(
            f"{instrument.symbol} has one position and no {side} side; leave the side out, or run with "
            "Margin(position_mode='hedge')."
        )
    return found


def leg_to_close(
    desk: TradingDesk, instrument: Instrument, side: PositionSide | str | None
) -> tuple[Position, Instructions]:
    """Return the side that is to be closed, and the instructions of the order that does it."""
    if side is None:
        opened = [one for one in SIDES if leg(desk, instrument, one)]
        if len(opened) > 1:
            raise OrderError(
                f"a long and a short position in {instrument.symbol} are open; name the one to close: "
                "self.close(position_side='long')."
            )
        side = opened[0] if opened else SIDES[0]
    return leg(desk, instrument, side), Instructions(position_side=read_side(side))


def leg_with_target(
    desk: TradingDesk, instrument: Instrument, side: PositionSide | str, target: float
) -> tuple[Position, Instructions]:
    """Return the side that is to get a size, and the instructions of the order that does it.

    Raises
    ------
    OrderError
        For a size of the other side.
    """
    position, chosen = leg(desk, instrument, side), read_side(side)
    if target and (target > 0.0) is not (chosen is PositionSide.LONG):
        raise OrderError(
            f"a {chosen} position in {instrument.symbol} cannot have a size of {target:g}: a long one has 0 or more, a "
            "short one 0 or less."
        )
    return position, Instructions(position_side=chosen)
