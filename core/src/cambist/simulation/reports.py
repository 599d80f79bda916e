"""How a simulated venue says what became of an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.model.events import OrderAccepted, OrderCanceled, OrderFilled, OrderTriggered

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.model.events import OrderEvent
    from cambist.model.orders import Fill, Order

__all__ = ["Reports"]


@attrs.frozen
class Reports:
    """What a venue calls, at once, before anything else happens.

    The four things that happen to most orders have calls of their own: whoever listens in the same process
    can take them without an event being made, see `Kernel.order_filled`.

    Attributes
    ----------
    deliver
        Takes everything else, as an event.
    accepted
        ``(order, ts)``: the venue works the order.
    filled
        ``(order, ts, fill)``: some of it traded, which is known at `ts` (ns, UTC).
    canceled
        ``(order, ts, reason)``: what remained of it is withdrawn.
    triggered
        ``(order, ts)``: its stop was reached.
    """

    deliver: Callable[[OrderEvent], None]
    accepted: Callable[[Order, int], object]
    filled: Callable[[Order, int, Fill], None]
    canceled: Callable[[Order, int, str], object]
    triggered: Callable[[Order, int], object]

    @classmethod
    def as_events(cls, deliver: Callable[[OrderEvent], None]) -> Reports:
        """Return reports that make an event of everything."""
        return cls(
            deliver,
            lambda order, ts: deliver(OrderAccepted(ts, order.id)),
            lambda order, ts, fill: deliver(OrderFilled(ts, order.id, fill)),
            lambda order, ts, reason: deliver(OrderCanceled(ts, order.id, reason)),
            lambda order, ts: deliver(OrderTriggered(ts, order.id)),
        )
