"""How large an order is where the strategy does not say."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Protocol

import attrs

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Side
    from cambist.strategies.desk import TradingDesk

__all__ = ["AllIn", "FixedSize", "PercentOfEquity", "Sizer"]


class Sizer(Protocol):
    """Answers the size of an order that comes without one."""

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return a size in units of the instrument; 0 or less sends nothing.

        Parameters
        ----------
        desk
            Account and positions.
        price
            The order's own price; NaN for a market order, which is reckoned at ``desk.price(instrument)``.
        """
        ...


@attrs.frozen
class FixedSize:
    """Always the same size.

    Parameters
    ----------
    units
        In units of the instrument.
    """

    units: float = attrs.field(default=1.0)

    def __attrs_post_init__(self) -> None:
        if not self.units > 0:
            raise ParameterError(f"FixedSize: units is {self.units!r}; it must be above zero.")

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:  # noqa: ARG002
        """Return `units`."""
        return self.units


@attrs.frozen
class PercentOfEquity:
    """A share of the account's equity, at the order's price.

    Parameters
    ----------
    fraction
        0.2 is a fifth of the equity.
    """

    fraction: float = 0.2

    def __attrs_post_init__(self) -> None:
        if not self.fraction > 0:
            raise ParameterError(f"PercentOfEquity: fraction is {self.fraction!r}; 0.2 means a fifth of the equity.")

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:  # noqa: ARG002
        """Return the size whose value is the share."""
        return _units(desk, instrument, desk.equity * self.fraction, price)


@attrs.frozen
class AllIn:
    """Everything the account can pay for, with some left over for fees and a gap before the fill.

    Parameters
    ----------
    buffer
        Fraction of the free money that stays: an order priced at the close fills at the next open.
    """

    buffer: float = 0.01

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.buffer < 1:
            raise ParameterError(f"AllIn: buffer is {self.buffer!r}; 0.01 leaves one percent of the money.")

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:  # noqa: ARG002
        """Return the size that the free money pays for."""
        return _units(desk, instrument, desk.free_funds(instrument) * (1.0 - self.buffer), price)


def _units(desk: TradingDesk, instrument: Instrument, value: float, price: float) -> float:
    """Return how many units are worth `value`; 0 where the price is not known yet."""
    if isnan(price):
        price = desk.price(instrument)
    unit = instrument.notional(1.0, price)
    return instrument.round_size(value / unit) if unit > 0 and value > 0 else 0.0
