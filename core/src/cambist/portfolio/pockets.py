"""The pockets of an account that holds several assets, before anything has happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.margin import Margin
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["margin_of", "open_pockets"]


def open_pockets(
    money: Mapping[str, float],
    instruments: Sequence[Instrument],
    make: Callable[[Sequence[Instrument], float], Portfolio],
) -> dict[str, Portfolio]:
    """Return an account for each asset, which trades what settles in it.

    Parameters
    ----------
    money
        At the start, by asset; 0 where there is none of one.
    make
        Makes an account of instruments and (positive) money.
    """
    return {
        asset: _pocket(make, [one for one in instruments if one.settle == asset], asset, float(cash))
        for asset, cash in money.items()
    }


def _pocket(
    make: Callable[[Sequence[Instrument], float], Portfolio], instruments: Sequence[Instrument], asset: str, cash: float
) -> Portfolio:
    made = make(instruments, cash or 1.0)  # a pocket may begin with nothing, which an account may not
    made.currency = asset
    made.cash = made.initial_cash = cash
    return made


def margin_of(margin: Margin, instruments: Sequence[Instrument]) -> Margin:
    """Return what terms by symbol say of some instruments."""
    symbols = {one.symbol for one in instruments}
    named = {"leverage": margin.leverage, "maintenance": margin.maintenance}
    own: dict[str, Any] = {
        name: {symbol: value for symbol, value in given.items() if symbol in symbols} or None
        for name, given in named.items()
        if isinstance(given, Mapping)
    }
    own["planned"] = [change for change in margin.planned if change[1] in symbols]
    return attrs.evolve(margin, deleveraging=None, **own)  # the venue deleverages, by the terms of the whole
