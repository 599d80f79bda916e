"""The base class of every strategy."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any, ClassVar

from cambist.errors import InputError, OrderError, ParameterError, did_you_mean
from cambist.model.instrument import Instrument
from cambist.model.orders import OrderType, Side, TimeInForce
from cambist.model.times import duration_ns, to_datetime, to_ns
from cambist.strategies.parameters import MISSING, read_parameters
from cambist.strategies.sizers import FixedSize

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, timedelta
    from logging import Logger

    from cambist.indicators.series import BarView, Series
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Position, Trade
    from cambist.strategies.data import DataSet
    from cambist.strategies.desk import TradingDesk
    from cambist.strategies.parameters import Parameter
    from cambist.strategies.sizers import Sizer

__all__ = ["Strategy"]

_MARKET, _LIMIT, _STOP, _STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
_BUY, _SELL = Side.BUY, Side.SELL
_GTC = TimeInForce.GTC


class Strategy:
    """Subclass this, declare parameters, build indicators in `on_start`, trade in `on_bar`.

    Attributes
    ----------
    data
        The bars: ``self.data.close`` is a line of the first instrument, ``self.data["ETHUSDT"].close`` of a
        named one, and iterating gives every series.
    sizer
        Answers the size of orders that come without one; one unit by default.
    log
        A logger whose records carry strategy and run. Logging for each bar is the slowest thing a strategy
        can do.
    parameters
        The class's declared parameters by name; ``self.params`` has the values.

    Notes
    -----
    A run works on a fresh copy made from the parameters, so one instance can be run many times. Whatever a
    strategy keeps between bars belongs in attributes set in `on_start`.
    """

    parameters: ClassVar[Mapping[str, Parameter]] = {}
    name: str
    data: DataSet
    log: Logger
    sizer: Sizer = FixedSize(1.0)
    _desk: TradingDesk

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        inherited = {name: known for name, known in cls.parameters.items() if name not in vars(cls)}
        cls.parameters = {**inherited, **read_parameters(cls)}
        reserved = sorted(set(cls.parameters) & set(dir(Strategy)))
        if reserved:
            raise ParameterError(
                f"{cls.__name__}: {', '.join(reserved)} cannot be a parameter, the base class uses the name. Rename it."
            )

    def __init__(self, **values: Any) -> None:
        cls = type(self)
        for name in values:
            if name not in cls.parameters:
                hint = did_you_mean(name, cls.parameters) or " It has no parameters."
                raise ParameterError(f"{cls.__name__} has no parameter {name!r}.{hint}")
        self.params: dict[str, Any] = {}
        for name, parameter in cls.parameters.items():
            value = values.get(name, parameter.default)
            if value is MISSING:
                raise ParameterError(f"{cls.__name__}: parameter {name!r} needs a value: {parameter.describe()}.")
            self.params[name] = parameter.validate(value, cls.__name__)
            setattr(self, name, self.params[name])
        self.name = cls.__name__

    def fresh(self) -> Strategy:
        """Return a new strategy with the same parameters and sizer, and nothing else of this one."""
        copy = type(self)(**self.params)
        copy.name = self.name
        if "sizer" in vars(self):
            copy.sizer = self.sizer
        return copy

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{type(self).__name__}({values})"

    # What the engine calls, in this order.

    def on_start(self) -> None:
        """Build indicators; called once, before the first bar."""

    def on_warmup_bar(self, bar: BarView) -> None:
        """See a bar while the indicators of its instrument are not yet known; orders are refused here."""

    def on_bar(self, bar: BarView) -> None:
        """Trade: called when a bar closes, once the indicators of its instrument are known."""

    def on_step(self) -> None:
        """Trade across instruments: called once per instant, after every `on_bar` of it."""

    def on_order(self, order: Order) -> None:
        """Learn that an order's status changed; ``order.reason`` says why it ended."""

    def on_fill(self, fill: Fill) -> None:
        """Learn that an order traded; orders sent from here join what remains of the bar."""

    def on_trade(self, trade: Trade) -> None:
        """Learn that a round trip closed."""

    def on_timer(self, name: str) -> None:
        """Learn that a timer is due; see `set_timer`."""

    def on_stop(self) -> None:
        """Clean up; called once, after the last bar. Orders are refused here."""

    # What a strategy calls.

    def buy(
        self,
        size: float | None = None,
        *,
        limit: float | None = None,
        stop: float | None = None,
        data: Series | BarView | Instrument | str | None = None,
        time_in_force: TimeInForce | str = _GTC,
        expires_at: int | str | date | datetime | None = None,
        reduce_only: bool = False,
        tag: str = "",
    ) -> Order | None:
        """Send a buy order.

        Parameters
        ----------
        size
            In units of the instrument; without it the sizer decides. Rounded down to the instrument's step.
        limit, stop
            Neither: market. `limit`: at that price or better. `stop`: market once that price is reached.
            Both: limit once the stop is reached. A limit is rounded to the tick in your favor, a stop to the
            nearest tick.
        data
            For which instrument: a series, a bar, an instrument or its symbol. Default: the one whose bar,
            order or fill is being delivered.
        time_in_force
            ``"gtc"``, ``"day"``, ``"gtd"``, ``"ioc"`` or ``"fok"``; see `TimeInForce`.
        expires_at
            Last moment of a GTD order; giving it implies ``"gtd"``.
        reduce_only
            Never open or turn a position.
        tag
            A note of your own, kept with order and trade.

        Returns
        -------
        Order or None
            A handle that follows the order. It may be REJECTED already: the risk gate answers at once. None
            where the sizer answered zero.

        Raises
        ------
        OrderError
            For a size or price that is zero, negative or NaN, or when no instrument is named and none is
            being delivered.
        """
        return self._send(_BUY, size, limit, stop, data, time_in_force, expires_at, reduce_only, tag)

    def sell(
        self,
        size: float | None = None,
        *,
        limit: float | None = None,
        stop: float | None = None,
        data: Series | BarView | Instrument | str | None = None,
        time_in_force: TimeInForce | str = _GTC,
        expires_at: int | str | date | datetime | None = None,
        reduce_only: bool = False,
        tag: str = "",
    ) -> Order | None:
        """Send a sell order; everything is as for `buy`."""
        return self._send(_SELL, size, limit, stop, data, time_in_force, expires_at, reduce_only, tag)

    def close(self, data: Series | BarView | Instrument | str | None = None, *, tag: str = "") -> Order | None:
        """Close the position with a reduce-only market order; None when flat."""
        desk = self._desk
        instrument = (desk.instrument or desk.current) if data is None else self._instrument(data)
        held = desk.positions[instrument.symbol].size
        if held == 0.0:
            return None
        side = _SELL if held > 0.0 else _BUY
        return desk.send(instrument, side, _MARKET, abs(held), nan, nan, _GTC, 0, True, tag)

    def cancel(self, order: Order) -> None:
        """Withdraw what remains of an order; one that has ended already is left alone."""
        self._desk.cancel(order)

    def cancel_all(self, data: Series | BarView | Instrument | str | None = None) -> None:
        """Withdraw every working order of this strategy, or those of one instrument."""
        symbol = None if data is None else self._instrument(data).symbol
        for order in list(self._desk.open_orders()):
            if symbol is None or order.instrument.symbol == symbol:
                self._desk.cancel(order)

    def modify(
        self, order: Order, *, size: float | None = None, limit: float | None = None, stop: float | None = None
    ) -> None:
        """Give a working order a new size (in total, what is filled included) or new prices.

        Raises
        ------
        OrderError
            For a price that the order's type does not have, or a number that is zero, negative or NaN.
        """
        if limit is not None and order.type in (_MARKET, _STOP):
            raise OrderError(f"order {order.id} is a {order.type} order and has no limit price to modify.")
        if stop is not None and order.type in (_MARKET, _LIMIT):
            raise OrderError(f"order {order.id} is a {order.type} order and has no stop price to modify.")
        self._desk.modify(
            order,
            order.size if size is None else _positive("size", size),
            order.limit_price if limit is None else _positive("limit", limit),
            order.stop_price if stop is None else _positive("stop", stop),
        )

    def order_target_size(
        self, target: float, data: Series | BarView | Instrument | str | None = None, *, tag: str = ""
    ) -> Order | None:
        """Trade the difference between the position and `target` (negative is short) at market.

        Returns None where the difference is less than one step. Working orders are not counted.
        """
        desk = self._desk
        instrument = desk.current if data is None else self._instrument(data)
        if not -inf < target < inf:
            raise OrderError(f"a target of {target} is no size; give a finite number, negative to be short.")
        difference = target - desk.positions[instrument.symbol].size
        size = instrument.round_size(abs(difference))
        if size == 0.0:
            return None
        side = _BUY if difference > 0.0 else _SELL
        return desk.send(instrument, side, _MARKET, size, nan, nan, _GTC, 0, False, tag)

    def order_target_value(
        self, target: float, data: Series | BarView | Instrument | str | None = None, *, tag: str = ""
    ) -> Order | None:
        """Trade at market until the position is worth `target` at the last close (negative is short)."""
        desk = self._desk
        instrument = desk.current if data is None else self._instrument(data)
        unit = instrument.notional(1.0, desk.price(instrument))
        if not unit > 0.0:
            raise OrderError(f"{instrument.symbol} has no price yet, so a value cannot be turned into a size.")
        return self.order_target_size(target / unit, instrument, tag=tag)

    def order_target_percent(
        self, target: float, data: Series | BarView | Instrument | str | None = None, *, tag: str = ""
    ) -> Order | None:
        """Trade at market until the position is worth `target` times the equity: 0.5 is half of it."""
        return self.order_target_value(target * self._desk.equity, data, tag=tag)

    def set_timer(
        self,
        name: str,
        at: int | str | date | datetime | None = None,
        *,
        after: int | timedelta | None = None,
    ) -> None:
        """Have ``on_timer(name)`` called once, at the first instant not before `at`, or `after` from now.

        Setting a name again replaces its timer. Integers are nanoseconds.
        """
        if (at is None) == (after is None):
            raise InputError(f"timer {name!r}: give either a time (at=...) or a delay (after=...).")
        due = to_ns(at) if at is not None else self._desk.now + duration_ns(after if after is not None else 0)
        self._desk.set_timer(name, due)

    def clear_timer(self, name: str) -> None:
        """Forget a timer; one that is not set is no error."""
        self._desk.set_timer(name, None)

    def stop(self, reason: str = "stopped by the strategy") -> None:
        """End the run after this instant; the result says why."""
        self._desk.stop(reason)

    # What a strategy may look at.

    @property
    def position(self) -> Position:
        """Position of the instrument whose bar, order or fill is being delivered."""
        desk = self._desk
        return desk.positions[(desk.instrument or desk.current).symbol]

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol."""
        return self._desk.positions

    @property
    def cash(self) -> float:
        """Cash of the account."""
        return self._desk.cash

    @property
    def equity(self) -> float:
        """Equity of the account at last prices."""
        return self._desk.equity

    @property
    def open_orders(self) -> list[Order]:
        """Working orders of this strategy, oldest first."""
        return list(self._desk.open_orders())

    @property
    def now(self) -> int:
        """Engine time, ns since the epoch, UTC; in `on_bar` the close time of the bar."""
        return self._desk.now

    @property
    def time(self) -> datetime:
        """Engine time, UTC."""
        return to_datetime(self._desk.now)

    # The rest is ours.

    def _send(
        self,
        side: Side,
        size: float | None,
        limit: float | None,
        stop: float | None,
        data: Series | BarView | Instrument | str | None,
        time_in_force: TimeInForce | str,
        expires_at: int | str | date | datetime | None,
        reduce_only: bool,
        tag: str,
    ) -> Order | None:
        desk = self._desk
        instrument = (desk.instrument or desk.current) if data is None else self._instrument(data)
        kind = _MARKET
        limit_price = stop_price = nan
        if limit is not None:
            kind, limit_price = _LIMIT, limit if 0.0 < limit < inf else _positive("limit", limit)
        if stop is not None:
            kind, stop_price = _STOP if limit is None else _STOP_LIMIT, _positive("stop", stop)
        if size is None:
            size = self.sizer.size(desk, instrument, side, stop_price if limit is None else limit_price)
            if not size > 0.0:
                return None
        elif not 0.0 < size < inf:
            raise OrderError(f"a {side} of size {size} cannot be sent; a size is a positive number.")
        if time_in_force is not _GTC or expires_at is not None:
            time_in_force, expires = _validity(time_in_force, expires_at)
        else:
            expires = 0
        return desk.send(
            instrument, side, kind, size, limit_price, stop_price, time_in_force, expires, reduce_only, tag
        )

    def _instrument(self, data: Series | BarView | Instrument | str) -> Instrument:
        if isinstance(data, Instrument):
            return self.data[data.symbol].instrument
        if isinstance(data, str):
            return self.data[data].instrument
        return data.instrument


def _positive(name: str, value: float) -> float:
    if not 0.0 < value < inf:
        raise OrderError(f"{name} is {value}; it must be a positive number.")
    return float(value)


def _validity(
    time_in_force: TimeInForce | str, expires_at: int | str | date | datetime | None
) -> tuple[TimeInForce, int]:
    try:
        chosen = TimeInForce(time_in_force)
    except ValueError:
        known = [str(choice) for choice in TimeInForce]
        raise OrderError(f"time_in_force is {time_in_force!r}.{did_you_mean(str(time_in_force), known)}") from None
    if expires_at is None:
        if chosen is TimeInForce.GTD:
            raise OrderError("a 'gtd' order needs expires_at, the last moment at which it may trade.")
        return chosen, 0
    if chosen not in (TimeInForce.GTC, TimeInForce.GTD):
        raise OrderError(f"expires_at goes with 'gtd'; a {str(chosen)!r} order ends by itself.")
    return TimeInForce.GTD, to_ns(expires_at)
