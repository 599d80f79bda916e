"""An account in which the orders of one instrument change the position of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError, did_you_mean
from cambist.portfolio.one_asset import FUNDS_TOLERANCE
from cambist.portfolio.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Position, Trade

__all__ = ["CompensatedAccount", "CompensatingPortfolio"]

#: What both instruments must have in common, so that a unit of one is a unit of the other.
_ALIKE = ("kind", "multiplier", "margin_rate", "settle", "step_size")


class CompensatingPortfolio(Portfolio):
    """`Portfolio` with instruments that stand for others: two listings of one share, or two series of one contract.

    A fill of such an instrument is booked, at its own price and fee, as one of the other: it opens, grows, shrinks or
    turns that position and its trade. Its own position is always flat.

    Parameters
    ----------
    instruments, cash, leverage
        See `Portfolio`.
    compensates
        By symbol, the symbol of the instrument whose position it changes.

    Raises
    ------
    ParameterError
        For symbols that are not there, an instrument that stands for itself or for one that stands for another, and
        for two whose units are not the same.
    """

    def __init__(
        self, instruments: Iterable[Instrument], cash: float, leverage: float = 1.0, *, compensates: Mapping[str, str]
    ) -> None:
        super().__init__(instruments, cash, leverage)
        self._held_as = {symbol: self._other(symbol, other, compensates) for symbol, other in compensates.items()}

    def _other(self, symbol: str, other: str, compensates: Mapping[str, str]) -> Position:
        for one in (symbol, other):
            if one not in self.positions:
                raise ParameterError(f"compensates names {one!r}.{did_you_mean(str(one), self.positions)}")
        if other in compensates:
            raise ParameterError(
                f"compensates has orders of {symbol} change the position of {other}, which has none of its own: it is "
                f"on the left side too. Name the instrument that is held, such as {compensates[other]!r}."
            )
        mine, theirs = self.positions[symbol].instrument, self.positions[other].instrument
        for name in _ALIKE:
            if getattr(mine, name) != getattr(theirs, name):
                raise ParameterError(
                    f"compensates: {name} of {symbol} is {getattr(mine, name)}, and {getattr(theirs, name)} of "
                    f"{other}; a unit of one must be a unit of the other."
                )
        return self.positions[other]

    @property
    def held_as(self) -> Mapping[str, Instrument]:
        """By symbol, the instrument whose position orders of it change."""
        return {symbol: position.instrument for symbol, position in self._held_as.items()}

    def position_of(self, symbol: str) -> Position:
        """Return the position that orders of an instrument change."""
        held = self._held_as.get(symbol)
        return self.positions[symbol] if held is None else held

    def apply(self, fill: Fill, order: Order, instant: int, key: str = "") -> Trade | None:
        """Book one fill of `order`, in the run's instant number `instant`, where its instrument is held."""
        held = self._held_as.get(fill.instrument.symbol)
        booked = fill if held is None else attrs.evolve(fill, instrument=held.instrument)
        return super().apply(booked, order, instant, key)

    def missing_funds(
        self, instrument: Instrument, signed: float, price: float, fee: float, tolerance: float = FUNDS_TOLERANCE
    ) -> float:
        """Return the money that would be missing after a fill, or 0.0 where there is enough."""
        held = self.position_of(instrument.symbol)
        return super().missing_funds(held.instrument, signed, price, fee, tolerance)


class _Reached:
    """What an instrument's orders find: the size of the position that they change, and its own prices."""

    __slots__ = ("_held", "_own")

    def __init__(self, own: Position, held: Position) -> None:
        self._own, self._held = own, held

    @property
    def size(self) -> float:
        """Of the position that is changed."""
        return self._held.size

    @property
    def last_price(self) -> float:
        """Of the instrument itself."""
        return self._own.last_price

    @property
    def price_source(self) -> Callable[[], float]:
        """Answers the close of the instrument's last bar."""
        return self._own.price_source


class CompensatedAccount:
    """A `CompensatingPortfolio` as its venue sees it.

    Attributes
    ----------
    positions
        By symbol, what orders of that instrument grow or shrink.
    """

    def __init__(self, portfolio: CompensatingPortfolio) -> None:
        self._portfolio = portfolio
        self.positions: Mapping[str, _Reached] = {
            symbol: _Reached(own, portfolio.position_of(symbol)) for symbol, own in portfolio.positions.items()
        }

    @property
    def cash(self) -> float:
        """Cash of the account."""
        return self._portfolio.cash

    def missing_funds(self, instrument: Instrument, signed: float, price: float, fee: float) -> float:
        """Return the money that would be missing after a fill, or 0.0 where there is enough."""
        return self._portfolio.missing_funds(instrument, signed, price, fee)
