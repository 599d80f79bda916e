"""Effects: what the engine wants done. A driver carries them out, in order.

An `ApprovedOrder` is an effect by itself: to hand it to a driver is to ask for it to be sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cambist.model.orders import ApprovedOrder

if TYPE_CHECKING:
    from cambist.model.portfolio import CashFlow, MarginChange
    from cambist.model.trading_state import TradingChange

__all__ = [
    "AmendOrder",
    "CancelOrder",
    "ChangeMargin",
    "Effect",
    "MoveCash",
    "ReportRefusal",
    "ReportTradingState",
    "SetTimer",
    "StopRun",
]


class CancelOrder(msgspec.Struct, eq=False):
    """Withdraw what remains of an order."""

    order_id: int


class AmendOrder(msgspec.Struct, eq=False):
    """Give an order new terms; NaN keeps a price the type does not have."""

    order_id: int
    size: float
    limit_price: float
    stop_price: float


class ReportRefusal(msgspec.Struct, eq=False):
    """Hand `OrderRefused` back to the engine, so that the strategy learns of it after the call that asked."""

    order_id: int
    reason: str


class ReportTradingState(msgspec.Struct, eq=False):
    """Hand `TradingStateChanged` back to the engine, so that strategies learn of it after the call that led to it."""

    change: TradingChange


class SetTimer(msgspec.Struct, eq=False):
    """Deliver `TimerFired` for `name` at the first instant not before `due` (ns, UTC); None forgets it."""

    name: str
    due: int | None


class StopRun(msgspec.Struct, eq=False):
    """End the run after this instant."""

    reason: str


class MoveCash(msgspec.Struct, eq=False):
    """Hand `CashMoved` back to the engine: a strategy brings money, or takes some out."""

    flow: CashFlow


class ChangeMargin(msgspec.Struct, eq=False):
    """Hand `MarginChanged` back to the engine: a strategy moves margin of a position, or sets another leverage."""

    change: MarginChange


Effect = (
    ApprovedOrder
    | CancelOrder
    | AmendOrder
    | ReportRefusal
    | ReportTradingState
    | SetTimer
    | StopRun
    | MoveCash
    | ChangeMargin
)
