"""What tells positions apart: the symbol, and in a hedged account the side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.orders import PositionSide

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from cambist.model.instrument import Instrument

__all__ = ["SIDES", "leg_key", "legs_of", "side_in"]

SIDES = (PositionSide.LONG, PositionSide.SHORT)


def leg_key(symbol: str, position_side: PositionSide | None = None) -> str:
    """Return the key of a position: ``"BTCUSDT"``, or ``"BTCUSDT long"`` for one side of a hedged one."""
    return symbol if position_side is None else f"{symbol} {position_side}"


def side_in(key: str, symbol: str) -> PositionSide | None:
    """Return the side that the key of a position in `symbol` names; the reverse of `leg_key`."""
    named = key.removeprefix(symbol).strip()
    return PositionSide(named) if named else None


def legs_of(instruments: Iterable[Instrument], known: Container[str]) -> list[tuple[str, Instrument]]:
    """Return the keys under which an account keeps its positions, in the order of the instruments.

    Parameters
    ----------
    known
        Every key there is: an instrument whose symbol is none of them has two positions.
    """
    return [
        (key, one)
        for one in instruments
        for key in ((one.symbol,) if one.symbol in known else tuple(leg_key(one.symbol, side) for side in SIDES))
    ]
