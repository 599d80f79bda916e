"""The half of a strategy that sends orders."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import inf, nan
from numbers import Number
from typing import TYPE_CHECKING, Any, Unpack

from cambist.errors import OrderError, did_you_mean
from cambist.model.orders import LIMITED, TRIGGERED, OrderType, Side, TimeInForce
from cambist.model.times import DAY_NS, duration_ns, to_ns
from cambist.strategies.brackets import Bracket, send_bracket
from cambist.strategies.order_options import OrderOptions, positive, read_options
from cambist.strategies.sizers import FixedSize
from cambist.strategies.targets import Targets

if TYPE_CHECKING:
    from cambist.indicators.series import BarView, Series
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.strategies.desk import TradingDesk
    from cambist.strategies.sizers import Sizer

__all__ = ["Trading"]

_MARKET, _LIMIT, _STOP, _STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
_BUY, _SELL = Side.BUY, Side.SELL
_GTC = TimeInForce.GTC


class Trading(Targets):
    """Orders, as a strategy sends them; see `cambist.strategies.strategy.Strategy`.

    Attributes
    ----------
    sizer
        Answers the size of orders that come without one; one unit by default.
    """

    sizer: Sizer = FixedSize(1.0)

    @property
    def is_live(self) -> bool:
        """Whether the run trades as time goes by, live or on paper; False in a backtest alone.

        A replay answers as the run did that it repeats. Decisions that hang on it are no longer those of the backtest.
        """
        return self._desk.is_live

    def buy(
        self,
        size: float | Sizer | None = None,
        *,
        limit: float | None = None,
        stop: float | None = None,
        data: Series | BarView | Instrument | str | None = None,
        time_in_force: TimeInForce | str = _GTC,
        expires_at: int | str | date | datetime | timedelta | None = None,
        reduce_only: bool = False,
        tag: str = "",
        **options: Unpack[OrderOptions],
    ) -> Order | None:
        """Send a buy order.

        Parameters
        ----------
        size
            In units of the instrument, or a sizer for this order; without it the strategy's sizer decides. Rounded
            down to the instrument's step.
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
            Last moment of a GTD order; giving it implies ``"gtd"``. A date means through that day (UTC), a
            ``timedelta`` so long from now.
        reduce_only
            Never open or turn a position.
        tag
            A note of your own, kept with order and trade.
        **options
            Less common terms, such as ``trail_percent=0.02`` or ``oco=other``; see `OrderOptions`.

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
        return self._send(_BUY, size, limit, stop, data, time_in_force, expires_at, reduce_only, tag, options)

    def sell(
        self,
        size: float | Sizer | None = None,
        *,
        limit: float | None = None,
        stop: float | None = None,
        data: Series | BarView | Instrument | str | None = None,
        time_in_force: TimeInForce | str = _GTC,
        expires_at: int | str | date | datetime | timedelta | None = None,
        reduce_only: bool = False,
        tag: str = "",
        **options: Unpack[OrderOptions],
    ) -> Order | None:
        """Send a sell order; everything is as for `buy`."""
        return self._send(_SELL, size, limit, stop, data, time_in_force, expires_at, reduce_only, tag, options)

    def buy_bracket(
        self,
        size: float | None = None,
        *,
        take_profit: float | OrderOptions | None = None,
        stop_loss: float | OrderOptions | None = None,
        **entry: Any,
    ) -> Bracket:
        """Send a buy order together with the orders that close it: in profit, and in loss.

        The two rest until the entry trades, then may sell as much as it has bought, and cancel each other.

        Parameters
        ----------
        size
            As for `buy`.
        take_profit
            Limit price above the entry; or keywords of `sell`, such as ``{"trail": 2.0}``; None for none.
        stop_loss
            Stop price below the entry; or keywords of `sell`, such as ``{"stop": 95.0, "limit": 94.5}`` or
            ``{"trail_percent": 0.02}``; None for none.
        **entry
            Keywords of `buy` for the entry: ``limit``, ``stop``, ``data``, ``time_in_force``, ``tag``, ...

        Returns
        -------
        Bracket
            ``(entry, stop_loss, take_profit)``. What was not asked for is None, and so is what was not sent because
            the entry was refused.

        Raises
        ------
        OrderError
            For a price on the wrong side of the entry's, or as for `buy`.
        """
        return send_bracket(self, _BUY, size, take_profit, stop_loss, entry)

    def sell_bracket(
        self,
        size: float | None = None,
        *,
        take_profit: float | OrderOptions | None = None,
        stop_loss: float | OrderOptions | None = None,
        **entry: Any,
    ) -> Bracket:
        """Send a sell order together with the orders that close it; everything is as for `buy_bracket`."""
        return send_bracket(self, _SELL, size, take_profit, stop_loss, entry)

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
        if limit is not None and order.type not in LIMITED:
            raise OrderError(f"order {order.id} is a {order.type} order and has no limit price to modify.")
        if stop is not None and order.type not in TRIGGERED:
            raise OrderError(f"order {order.id} is a {order.type} order and has no stop price to modify.")
        self._desk.modify(
            order,
            order.size if size is None else positive("size", size),
            order.limit_price if limit is None else positive("limit", limit),
            order.stop_price if stop is None else positive("stop", stop),
        )

    def sizing(
        self,
        side: Side | str = _BUY,
        *,
        price: float | None = None,
        data: Series | BarView | Instrument | str | None = None,
    ) -> float:
        """Return what the strategy's sizer answers for an order, without sending one; not rounded to the step.

        Parameters
        ----------
        side
            ``"buy"`` or ``"sell"``.
        price
            Limit or stop of the order; without it a market order is meant.
        data
            As for `buy`.
        """
        desk = self._desk
        instrument = (desk.instrument or desk.current) if data is None else self._instrument(data)
        try:
            chosen = Side(side)
        except ValueError:
            raise OrderError(f"side is {side!r}.{did_you_mean(str(side), [str(one) for one in Side])}") from None
        return self.sizer.size(desk, instrument, chosen, nan if price is None else positive("price", price))

    def _send(
        self,
        side: Side,
        size: float | Sizer | None,
        limit: float | None,
        stop: float | None,
        data: Series | BarView | Instrument | str | None,
        time_in_force: TimeInForce | str,
        expires_at: int | str | date | datetime | timedelta | None,
        reduce_only: bool,
        tag: str,
        options: OrderOptions,
    ) -> Order | None:
        desk = self._desk
        instrument = (desk.instrument or desk.current) if data is None else self._instrument(data)
        kind = _MARKET
        limit_price = stop_price = nan
        if limit is not None:
            kind, limit_price = _LIMIT, float(limit) if 0.0 < limit < inf else positive("limit", limit)
        if stop is not None:
            kind, stop_price = _STOP if limit is None else _STOP_LIMIT, positive("stop", stop)
        instructions = None
        if options:
            special, trigger, instructions = read_options(options, limit, stop)
            if special is not None:
                kind, stop_price = special, trigger
        units = size if type(size) is float or type(size) is int else None
        if units is None:
            units = self._units(size, instrument, side, stop_price if limit is None else limit_price)
            if units is None:
                return None
        if not 0.0 < units < inf:
            raise OrderError(f"a {side} of size {units} cannot be sent; a size is a positive number.")
        if time_in_force is not _GTC or expires_at is not None:
            time_in_force, expires = _validity(time_in_force, expires_at, desk)
        else:
            expires = 0
        return desk.send(
            instrument,
            side,
            kind,
            units,
            limit_price,
            stop_price,
            time_in_force,
            expires,
            reduce_only,
            tag,
            instructions,
        )

    def _units(self, size: float | Sizer | None, instrument: Instrument, side: Side, price: float) -> float | None:
        """Return the size that a sizer answers, or a number that is neither int nor float; None to send nothing."""
        sizer = self.sizer if size is None else size
        if isinstance(sizer, Number):  # NumPy's and decimals
            return float(sizer)  # type: ignore[arg-type]
        if isinstance(sizer, type) or not callable(getattr(sizer, "size", None)):
            raise OrderError(f"the size is {sizer!r}; give a number, or a sizer such as FixedSize(10).")
        units: float = sizer.size(self._desk, instrument, side, price)  # type: ignore[union-attr]
        return units if units > 0.0 else None


def _validity(
    time_in_force: TimeInForce | str, expires_at: int | str | date | datetime | timedelta | None, desk: TradingDesk
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
    return TimeInForce.GTD, _last_moment(expires_at, desk)


def _last_moment(when: int | str | date | datetime | timedelta, desk: TradingDesk) -> int:
    """Return when an order ends, ns: a day's last moment for a date, so long from now for a length of time."""
    if isinstance(when, timedelta):
        return desk.now + duration_ns(when)
    if isinstance(when, str) and len(when.strip()) == len("2024-03-01"):
        return to_ns(when) + DAY_NS - 1
    if isinstance(when, date) and not isinstance(when, datetime):
        return to_ns(when) + DAY_NS - 1
    return to_ns(when)
