"""Between decimals and the whole numbers of an order book."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import InstrumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from cambist.model.instrument import Instrument

__all__ = ["BookUnits"]

#: An array's value may be this far off the grid, in steps: doubles are no decimals.
_TOLERANCE = 1e-4


class BookUnits:
    """Converts prices to ticks and sizes to lots of one instrument, and back; exact, or an error.

    Parameters
    ----------
    instrument
        With a tick size.

    Raises
    ------
    InstrumentError
        If the instrument has no tick size.
    """

    def __init__(self, instrument: Instrument) -> None:
        if instrument.tick_size is None:
            raise InstrumentError(
                f"{instrument.symbol} has no tick size, and a book counts prices in ticks. Give it one: tick_size=0.01."
            )
        self.instrument = instrument
        self._tick, self._step = instrument.tick_size, instrument.step_size

    def ticks(self, price: Decimal | str | float) -> int:
        """Return a price as ticks.

        Raises
        ------
        InstrumentError
            If it is not on the grid.
        """
        return _count(price, self._tick, f"{self.instrument.symbol}: the price")

    def lots(self, size: Decimal | str | float) -> int:
        """Return a size as lots.

        Raises
        ------
        InstrumentError
            If it is not on the grid.
        """
        return _count(size, self._step, f"{self.instrument.symbol}: the size")

    def price(self, ticks: int) -> Decimal:
        """Return the price of so many ticks."""
        return ticks * self._tick

    def size(self, lots: int) -> Decimal:
        """Return the size of so many lots."""
        return lots * self._step

    def ticks_of(self, prices: ArrayLike) -> NDArray[np.int64]:
        """Return float prices of any shape as ticks; see `ticks`."""
        return _counts(prices, self._tick, f"{self.instrument.symbol}: a price")

    def lots_of(self, sizes: ArrayLike) -> NDArray[np.int64]:
        """Return float sizes of any shape as lots; see `lots`."""
        return _counts(sizes, self._step, f"{self.instrument.symbol}: a size")


def _count(value: Decimal | str | float, step: Decimal, what: str) -> int:
    """Count steps; a float is the decimal it prints as."""
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
        whole = int(exact / step)
    except (ArithmeticError, ValueError):
        raise InstrumentError(f"{what} {value!r} is no finite number.") from None
    if whole * step != exact:
        raise InstrumentError(f"{what} {value} is not a multiple of {step}. Round it to the grid first.")
    return whole


def _counts(values: ArrayLike, step: Decimal, what: str) -> NDArray[np.int64]:
    given = np.asarray(values, np.float64)
    steps = given / float(step)
    whole = np.rint(steps)
    with np.errstate(invalid="ignore"):
        off = ~(np.abs(steps - whole) <= _TOLERANCE)  # NaN and infinities are off as well
    if off.any():
        raise InstrumentError(f"{what}, {given[off].flat[0]}, is not a multiple of {step}. Round it to the grid first.")
    return whole.astype(np.int64)
