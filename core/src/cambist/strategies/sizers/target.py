"""What lacks to a position of a size, a value or a share of the equity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import ParameterError
from cambist.model.orders import Side
from cambist.strategies.sizers.affordable import CUSHION, affordable, reference_price
from cambist.strategies.sizers.checks import check_buffer, check_number

if TYPE_CHECKING:
    from cambist.model.instrument import Instrument
    from cambist.strategies.desk import TradingDesk

__all__ = ["Target"]

_AIMS = ("units", "value", "percent")


@attrs.frozen
class Target:
    """Brings the position to a target: long for a buy, short for a sell, turning an opposite one; exactly one is given.

    It goes as far as the account can pay for, and sends nothing where the target is reached or passed: to come down
    to one, close, or use ``order_target_percent``.

    Parameters
    ----------
    units
        Size of the position, in units of the instrument.
    value
        Its value at the order's price, in the settlement asset.
    percent
        That value as a fraction of the equity: 0.5 is half of it.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.
    """

    units: float | None = None
    value: float | None = None
    percent: float | None = None
    buffer: float = attrs.field(default=CUSHION, kw_only=True)

    def __attrs_post_init__(self) -> None:
        given = [name for name in _AIMS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ParameterError(
                f"Target is given {' and '.join(given) or 'nothing'}; give one of units=10, value=5_000, percent=0.5."
            )
        check_number(self, given[0], "a target is above zero; buy for a long position, sell for a short one.")
        check_buffer(self)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return what lacks to the target, or as much of it as can be paid for."""
        price = reference_price(desk, instrument, price)
        if not price > 0.0:
            return 0.0
        held = desk.expected_position(instrument)
        lacking = self._target(desk, instrument, price) - (held if side is Side.BUY else -held)
        return affordable(desk, instrument, side, price, self.buffer, most=lacking) if lacking > 0.0 else 0.0

    def _target(self, desk: TradingDesk, instrument: Instrument, price: float) -> float:
        if self.units is not None:
            return self.units
        value = self.value if self.value is not None else desk.equity_in(instrument) * (self.percent or 0.0)
        return value / instrument.notional(1.0, price)
