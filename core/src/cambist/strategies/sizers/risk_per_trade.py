"""A fraction of the equity, lost if the price reaches a stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import attrs

from cambist.errors import OrderError, ParameterError
from cambist.indicators.lines import Line
from cambist.model.instrument import Instrument
from cambist.model.orders import Side
from cambist.strategies.sizers.affordable import CUSHION, affordable, largest, reference_price
from cambist.strategies.sizers.checks import check_buffer, check_number, is_number

if TYPE_CHECKING:
    from cambist.strategies.desk import TradingDesk

__all__ = ["Level", "RiskPerTrade", "risk_size"]

#: A number, a line whose current value is meant, or a function of instrument, side and the order's price.
Level: TypeAlias = float | Line | Callable[[Instrument, Side, float], float]
_WAYS = ("stop", "distance", "percent")


@attrs.frozen
class RiskPerTrade:
    """So much that a fraction of the equity is lost if the price reaches a stop, the fees of both ways included.

    The stop is told in one of three ways, by the sizer or by the call that sends the order:
    ``self.buy(RiskPerTrade(0.01, stop=95.0))``, or ``self.buy(self.risk.at(95.0))`` of one without a stop. It sends
    no order: the protective stop itself is the strategy's to place.

    Parameters
    ----------
    fraction
        Of the equity: 0.01 risks one percent.
    stop
        Price of the stop: a number, a line such as ``lowest(self.data.low, 10)``, or a function
        ``(instrument, side, price) -> price``.
    distance
        How far the stop is from the order's price, in price: a number, a line such as ``2 * ATR(self.data)``, or a
        function as for `stop`.
    percent
        The same as a fraction of the order's price: 0.05 is five percent.
    buffer
        How far the price may move before the fill with the order still paid for; see `AllIn`.

    Notes
    -----
    Never more than the account can pay for. Where the stop is not known yet (NaN), or lies on the wrong side of the
    price or at it, the size is 0 and nothing is sent. A gap beyond the stop loses more than the fraction.
    """

    fraction: float = 0.01
    stop: Level | None = attrs.field(default=None, kw_only=True)
    distance: Level | None = attrs.field(default=None, kw_only=True)
    percent: float | None = attrs.field(default=None, kw_only=True)
    buffer: float = attrs.field(default=CUSHION, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_number(self, "fraction", "0.01 risks one percent of the equity.", at_most=1.0)
        given = [name for name in _WAYS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ParameterError(f"RiskPerTrade: {' and '.join(given)} are given; a stop is told in one way.")
        for name in ("stop", "distance"):
            level = getattr(self, name)
            if is_number(level):
                check_number(self, name, "it must be above zero.")
            elif level is not None and not (isinstance(level, Line) or callable(level)):
                raise ParameterError(
                    f"RiskPerTrade: {name} is {level!r}; give a number, a line, or a function of "
                    "(instrument, side, price)."
                )
        if self.percent is not None:
            check_number(self, "percent", "0.05 puts the stop five percent from the price.", at_most=1.0)
        check_buffer(self)

    def at(self, stop: Level) -> RiskPerTrade:
        """Return the same sizer with its stop at a price."""
        return attrs.evolve(self, stop=stop, distance=None, percent=None)

    def size(self, desk: TradingDesk, instrument: Instrument, side: Side, price: float) -> float:
        """Return the largest size that loses no more than the fraction at the stop.

        Raises
        ------
        OrderError
            If no stop was told.
        """
        price = reference_price(desk, instrument, price)
        away = self._distance(instrument, side, price)
        return risk_size(desk, instrument, side, price, away, self.fraction, self.buffer)

    def _distance(self, instrument: Instrument, side: Side, price: float) -> float:
        """Return how far the price must go against an order to reach the stop."""
        if self.stop is not None:
            away = price - _now(self.stop, instrument, side, price)
            return away if side is Side.BUY else -away
        if self.distance is not None:
            return _now(self.distance, instrument, side, price)
        if self.percent is not None:
            return self.percent * price
        raise OrderError(
            "RiskPerTrade does not know the stop: give it stop=, distance= or percent=, or name the price with the "
            "order: self.buy(sizer.at(95.0))."
        )


def risk_size(
    desk: TradingDesk,
    instrument: Instrument,
    side: Side,
    price: float,
    distance: float,
    fraction: float,
    buffer: float,
) -> float:
    """Return the largest affordable size that loses at most a fraction of the equity `distance` from `price`.

    Fees of entry and exit count as lost. A stop that lies at or below a price of zero is never reached: the whole
    value is at risk then. 0 where price, distance or equity are not above zero.
    """
    sign = 1.0 if side is Side.BUY else -1.0
    risk = desk.equity_in(instrument) * fraction
    if not (price > 0.0 and distance > 0.0 and risk > 0.0):
        return 0.0
    stop = price - sign * distance
    if stop <= 0.0:
        loss, stop = instrument.notional(1.0, price), price
    else:
        loss = -instrument.profit(sign, price, stop)

    def excess(size: float) -> float:
        fees = desk.expected_fee(instrument, size, price) + desk.expected_fee(instrument, size, stop)
        return size * loss + fees - risk

    size = largest(instrument, excess, risk / loss)
    return affordable(desk, instrument, side, price, buffer, most=size) if size > 0.0 else 0.0


def _now(level: Level, instrument: Instrument, side: Side, price: float) -> float:
    """Return what a level is at this bar."""
    if isinstance(level, Line):
        return level[0]
    return float(level(instrument, side, price)) if callable(level) else level
