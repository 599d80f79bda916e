"""A fee that an order pays once, within bounds."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.simulation.checks import check_amount, check_rate

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Liquidity, Order

__all__ = ["PerOrderFee"]


@attrs.frozen(kw_only=True)
class PerOrderFee:
    """One fee for a whole order, however many fills it takes, with a least and a most.

    Each fill pays what the order owes with it and has not paid before.

    Parameters
    ----------
    per_order
        Money for each order that trades.
    per_unit
        Money for each unit traded.
    rate
        Fraction of the value traded.
    minimum, maximum
        Least and most that one order pays, money; None for no bound.
    maximum_rate
        Most that one order pays, as a fraction of the value it traded, whatever the minimum; None for no bound.

    Notes
    -----
    What an order owes is ``min(max(per_order + per_unit * size + rate * value, minimum), maximum, maximum_rate *
    value)``. ``PerOrderFee(per_unit=0.005, minimum=1.0, maximum_rate=0.01)`` is the fixed price plan of Interactive
    Brokers for US stocks. The value of earlier fills is taken at the order's average price.
    """

    per_order: float = 0.0
    per_unit: float = 0.0
    rate: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    maximum_rate: float | None = None

    def __attrs_post_init__(self) -> None:
        model = "PerOrderFee"
        for name in ("per_order", "per_unit"):
            check_amount(model, name, getattr(self, name), "an amount of money, not negative", least=0.0)
        check_rate(model, "rate", self.rate)
        check_amount(model, "rate", self.rate, "a fraction of the value traded, not negative", least=0.0)
        for name in ("minimum", "maximum", "maximum_rate"):
            if getattr(self, name) is not None:
                check_amount(model, name, getattr(self, name), "a bound, not negative, or None", least=0.0)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ParameterError(f"{model}: minimum {self.minimum!r} is above maximum {self.maximum!r}.")

    def fee(self, instrument: Instrument, size: float, price: float, liquidity: Liquidity) -> float:  # noqa: ARG002
        """Return what an order owes that trades `size` at `price`."""
        return self._owed(size, instrument.notional(size, price))

    def fresh(self) -> PerOrderFee:
        """Return the scheme itself: all it needs to know is in the order."""
        return self

    def charge(
        self,
        order: Order,
        size: float,
        price: float,
        liquidity: Liquidity,  # noqa: ARG002
        ts: int,  # noqa: ARG002
    ) -> float:
        """Return what the order owes with this fill, less what it has paid."""
        instrument, before = order.instrument, order.filled
        value = instrument.notional(size, price)
        if before:
            value += instrument.notional(before, order.average_price)
        return max(self._owed(before + size, value) - order.fees, 0.0)

    def traded(self, fill: Fill) -> None:
        """Do nothing: the order remembers what it paid."""

    def _owed(self, size: float, value: float) -> float:
        owed = self.per_order + self.per_unit * size + self.rate * value
        if self.minimum is not None:
            owed = max(owed, self.minimum)
        cap = inf if self.maximum_rate is None else self.maximum_rate * value
        return min(owed, cap, inf if self.maximum is None else self.maximum)
