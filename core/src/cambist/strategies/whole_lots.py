"""Sizes that a market takes, in place of those that sizers answer and targets ask for."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING

from cambist.model.orders import Side
from cambist.strategies.legs import leg

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.indicators.series import BarView, Series
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order, PositionSide
    from cambist.strategies.sizers import Sizer
    from cambist.strategies.trading import Trading

    Whole = Callable[[Instrument, Side, float], float]

__all__ = ["use_lots"]

_BUY, _SELL = Side.BUY, Side.SELL


def use_lots(strategy: Trading, whole: Whole) -> None:
    """Have what a strategy's sizers answer, and what its targets ask for, rounded down to sizes that the market takes.

    A size that it gives as a number stays as it is.

    Parameters
    ----------
    whole
        ``(instrument, side, size) -> size``; 0 where there is none.
    """
    # Replaced for this strategy alone: no order of any other run pays for a look at lots.
    strategy._units = _whole_units(strategy, whole)  # type: ignore[assignment,method-assign]  # noqa: SLF001
    strategy.order_target_size = _whole_target(strategy, whole)  # type: ignore[method-assign]


def _whole_units(
    strategy: Trading, whole: Whole
) -> Callable[[float | Sizer | None, Instrument, Side, float], float | None]:
    units_of = strategy._units  # noqa: SLF001

    def units(size: float | Sizer | None, instrument: Instrument, side: Side, price: float) -> float | None:
        answered = units_of(size, instrument, side, price)
        return answered if answered is None or isinstance(size, Number) else whole(instrument, side, answered) or None

    return units


def _whole_target(strategy: Trading, whole: Whole) -> Callable[..., Order | None]:
    target_size = strategy.order_target_size

    def order_target_size(
        target: float,
        data: Series | BarView | Instrument | str | None = None,
        *,
        position_side: PositionSide | str | None = None,
        tag: str = "",
    ) -> Order | None:
        desk = strategy._desk  # noqa: SLF001
        instrument = desk.current if data is None else strategy._instrument(data)  # noqa: SLF001
        named = desk.positions[instrument.symbol] if position_side is None else leg(desk, instrument, position_side)
        held = named.size
        if target == target:  # noqa: PLR0124 - NaN is refused by the method itself
            size = whole(instrument, _BUY if target > held else _SELL, abs(target - held))
            target = held + size if target > held else held - size
        return target_size(target, instrument, position_side=position_side, tag=tag)

    return order_target_size
