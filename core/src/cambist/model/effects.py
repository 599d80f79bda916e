"""Effects: what the engine wants done. A driver carries them out, in order.

An `ApprovedOrder` is an effect by itself: to hand it to a driver is to ask for it to be sent.
"""

from __future__ import annotations

import attrs

from cambist.model.orders import ApprovedOrder

__all__ = ["AmendOrder", "CancelOrder", "Effect", "ReportRefusal", "SetTimer", "StopRun"]


@attrs.define(eq=False, slots=True)
class CancelOrder:
    """Withdraw what remains of an order."""

    order_id: int


@attrs.define(eq=False, slots=True)
class AmendOrder:
    """Give an order new terms; NaN keeps a price the type does not have."""

    order_id: int
    size: float
    limit_price: float
    stop_price: float


@attrs.define(eq=False, slots=True)
class ReportRefusal:
    """Hand `OrderRefused` back to the engine, so that the strategy learns of it after the call that asked."""

    order_id: int
    reason: str


@attrs.define(eq=False, slots=True)
class SetTimer:
    """Deliver `TimerFired` for `name` at the first instant not before `due` (ns, UTC); None forgets it."""

    name: str
    due: int | None


@attrs.define(eq=False, slots=True)
class StopRun:
    """End the run after this instant."""

    reason: str


Effect = ApprovedOrder | CancelOrder | AmendOrder | ReportRefusal | SetTimer | StopRun
