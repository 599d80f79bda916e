"""Events: what happened. The engine is a fold over these and nothing else.

Events that happen once an order or rarer are attrs records; nothing is made per bar on the fast path of a
backtest, see ``cambist.backtest``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from cambist.model.bars import Bar
    from cambist.model.orders import Fill

__all__ = [
    "AmendRejected",
    "BarClosed",
    "CancelRejected",
    "Event",
    "InstantClosed",
    "OrderAccepted",
    "OrderAmended",
    "OrderCanceled",
    "OrderEvent",
    "OrderExpired",
    "OrderFilled",
    "OrderRefused",
    "OrderRejected",
    "OrderTriggered",
    "OutcomeUnknown",
    "RunStarted",
    "RunStopped",
    "TimerFired",
]


@attrs.define(eq=False, slots=True)
class Event:
    """Something that happened at `ts` (ns, UTC, the driver's monotone time)."""

    ts: int


@attrs.define(eq=False, slots=True)
class RunStarted(Event):
    """The run begins. `token` makes ids unique across runs; `seed` feeds the only source of chance."""

    token: str
    seed: int


@attrs.define(eq=False, slots=True)
class RunStopped(Event):
    """The run ends: no further event follows."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class BarClosed(Event):
    """A bar of series number `series` (in declared order) has closed at `ts`."""

    series: int
    bar: Bar


@attrs.define(eq=False, slots=True)
class InstantClosed(Event):
    """Every bar of the instant `ts` has been delivered (or, live, its time-out has passed)."""


@attrs.define(eq=False, slots=True)
class TimerFired(Event):
    """The timer `name` is due; `due` is when it was to fire, which may be earlier than `ts`."""

    name: str
    due: int


@attrs.define(eq=False, slots=True)
class OrderEvent(Event):
    """Something that happened to the order `order_id`."""

    order_id: int


@attrs.define(eq=False, slots=True)
class OrderAccepted(OrderEvent):
    """The venue works the order."""


@attrs.define(eq=False, slots=True)
class OrderRejected(OrderEvent):
    """The venue refuses the order; nothing of it ever traded."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class OrderRefused(OrderEvent):
    """The risk gate refused the order: it never left us, and ended when it was asked for."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class OrderTriggered(OrderEvent):
    """The stop price was reached: the order now works as a market or limit order."""


@attrs.define(eq=False, slots=True)
class OrderFilled(OrderEvent):
    """Some or all of the order traded."""

    fill: Fill


@attrs.define(eq=False, slots=True)
class OrderCanceled(OrderEvent):
    """The order, or what remained of it, is withdrawn."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class OrderExpired(OrderEvent):
    """The order's time has passed; what was filled stays filled."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class OrderAmended(OrderEvent):
    """The order now has these terms."""

    size: float
    limit_price: float
    stop_price: float


@attrs.define(eq=False, slots=True)
class CancelRejected(OrderEvent):
    """The venue could not cancel; the order stands as before."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class AmendRejected(OrderEvent):
    """The venue could not amend; the order stands as before."""

    reason: str = ""


@attrs.define(eq=False, slots=True)
class OutcomeUnknown(OrderEvent):
    """A submit got no usable answer: the order may or may not exist. Only evidence ends this."""

    reason: str = ""
