"""Ends the sessions of a live run's instruments: day orders expire, and orders for the close go to the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.timers import NEVER
from cambist.model.orders import OrderType, TimeInForce

if TYPE_CHECKING:
    from cambist.engine.sessions import Sessions
    from cambist.live.orders import LiveOrders
    from cambist.live.watched import Watched

__all__ = ["SessionEnds"]


class SessionEnds:
    """Tells orders when a session is over; nothing before it knows when that is.

    That is when the engine's clock says so, or when market data of a later time comes, whichever is first: what a
    strategy orders in answer to the last bar of a session belongs to the next, as in a backtest.

    Parameters
    ----------
    orders
        Of the run.

    Attributes
    ----------
    due
        When the next session ends, ns: its first moment outside; later than any time before `begin`.
    """

    def __init__(self, orders: LiveOrders) -> None:
        self._orders = orders
        self._sessions: Sessions | None = None
        self.due = NEVER

    def know(self, sessions: Sessions) -> None:
        """Take when they end."""
        self._sessions = sessions
        self._orders.missed = lambda order, now: sessions.end_after(order.instrument.symbol, order.created_at) <= now

    def begin(self, now: int) -> None:
        """Go by them from now on; what belongs to one that has ended meanwhile ends first."""
        if self._sessions is None:
            return
        self._sessions.start(now)
        self.due = self._sessions.next_end
        for watched in self._orders.register:
            if self._orders.missed(watched.order, now):
                self._miss(watched, now)

    def passed(self, until: int, now: int) -> None:
        """End the sessions that were over by `until`, ns; `now` is the engine's time."""
        while self._sessions is not None and self.due <= until:
            _, symbols = self._sessions.take()
            self.due = self._sessions.next_end
            for symbol in symbols:
                self._end(symbol, now)

    def _end(self, symbol: str, now: int) -> None:
        """End the session of an instrument."""
        orders = self._orders
        orders.act(orders.emulator.on_session_end(symbol, now), now)
        for watched in orders.register:
            if watched.order.time_in_force is TimeInForce.DAY and watched.order.instrument.symbol == symbol:
                orders.evidence.expire(watched, now)

    def _miss(self, watched: Watched, now: int) -> None:
        """End an order whose session is over without it: nothing trades at a close that was long ago."""
        orders, order = self._orders, watched.order
        if order.type is OrderType.MARKET_ON_CLOSE and watched.sent_at is None:
            orders.act(orders.emulator.end([order.id], "session_over", now), now)
        elif order.time_in_force is TimeInForce.DAY:
            orders.act(orders.emulator.expire(order.id, now), now)
            orders.evidence.expire(watched, now)
