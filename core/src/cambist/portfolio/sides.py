"""Two positions in each margined instrument, in a portfolio that would have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.model.legs import SIDES, leg_key
from cambist.model.portfolio import HedgedPosition, Position
from cambist.portfolio.ledger import Ledger

if TYPE_CHECKING:
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["keep_sides"]


def keep_sides(portfolio: Portfolio) -> None:
    """Have a portfolio, before its first fill, keep a long and a short position in each margined instrument.

    `legs` has them afterwards, and `positions` their sums; what is paid in full keeps its one position.
    """
    legs: dict[str, Position] = {}
    for symbol, position in portfolio.positions.items():
        if position.instrument.is_cash:
            legs[symbol] = position
            continue
        pair = [Position(position.instrument) for _ in SIDES]
        legs |= {leg_key(symbol, side): leg for side, leg in zip(SIDES, pair, strict=True)}
        portfolio.positions[symbol] = HedgedPosition(*pair)
    portfolio.legs = legs
    portfolio.ledger = Ledger(legs)
