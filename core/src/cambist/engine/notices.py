"""What people may want to know of a run, as rows: risk events, alerts, notifications, and what operators did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cambist.ports.rows import EventRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.engine.records import AlertRaised, FillEntry, NotificationSent, OperatorCommand, TradingState
    from cambist.model import Order
    from cambist.ports.journal import JournalEntry

__all__ = ["NOTICES", "venue_closing"]


def _trading_state(entry: JournalEntry, said: TradingState) -> EventRow:
    scope = said.scope or "everything"
    return EventRow(
        number=entry.sequence,
        ts=entry.ts,
        kind="risk",
        level="info" if said.state == "active" else "warning",
        source=said.by,
        message=f"{scope} is {said.state}{f': {said.reason}' if said.reason else ''}",
        detail={"state": said.state, "scope": said.scope, "reason": said.reason},
    )


def venue_closing(entry: JournalEntry, filled: FillEntry, order: Order) -> EventRow:
    """Return the risk event of a position that the venue closed by itself."""
    symbol = order.instrument.symbol
    return EventRow(
        number=entry.sequence,
        ts=entry.ts,
        kind="risk",
        level="critical",
        source=order.instrument.venue,
        message=f"{symbol}: {filled.size} closed by the venue at {filled.price} ({filled.closed_by})",
        detail={
            "scope": symbol,
            "reason": filled.closed_by,
            "order_id": filled.order_id,
            "mark": None if filled.mark is None else str(filled.mark),
        },
    )


def _alert(entry: JournalEntry, said: AlertRaised) -> EventRow:
    return EventRow(
        number=entry.sequence,
        ts=entry.ts,
        kind="alert",
        level=said.severity,
        source=said.source,
        message=said.text,
        detail={"code": said.code, "scope": said.scope},
    )


def _notification(entry: JournalEntry, said: NotificationSent) -> EventRow:
    return EventRow(
        number=entry.sequence,
        ts=entry.ts,
        kind="notification",
        level="info" if said.outcome == "delivered" else "warning",
        source=said.channel,
        message=said.text,
        detail={"outcome": said.outcome, "attempts": said.attempts, "alert": said.alert, "error": said.error},
    )


def _command(entry: JournalEntry, said: OperatorCommand) -> EventRow:
    return EventRow(
        number=entry.sequence,
        ts=entry.ts,
        kind="audit",
        source=said.by,
        message=said.name,
        detail={"arguments": msgspec.to_builtins(said.arguments), "outcome": said.outcome},
    )


#: By kind of record.
NOTICES: dict[str, Callable[[JournalEntry, Any], EventRow]] = {
    "trading_state": _trading_state,
    "alert_raised": _alert,
    "notification_sent": _notification,
    "operator_command": _command,
}
