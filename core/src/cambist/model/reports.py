"""Reports: what a venue says of orders, executions, balances and positions, in its own exact decimals.

A report is evidence, not yet an event: the same thing is said by the answer to a request, by the private stream and by
a query after a reconnect, in any order. `cambist.live.orders` makes events of reports.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - msgspec reads the annotations
from enum import StrEnum

import msgspec

from cambist.model.orders import Liquidity, OrderType, Side, TimeInForce

__all__ = [
    "AccountReport",
    "BalanceReport",
    "CashReport",
    "FillReport",
    "MarginReport",
    "MarkReport",
    "NoticeReport",
    "OrderReport",
    "PositionReport",
    "Report",
    "ReportedStatus",
]


class ReportedStatus(StrEnum):
    """Where a venue says an order stands, in words that all venues share."""

    #: In the book, or waiting for its trigger.
    OPEN = "open"
    #: Its trigger was reached; it works now, by itself or through another order.
    TRIGGERED = "triggered"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def ended(self) -> bool:
        """Whether nothing more will trade."""
        return self not in _LIVING


_LIVING = frozenset({ReportedStatus.OPEN, ReportedStatus.TRIGGERED})


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something a venue said.

    Attributes
    ----------
    ts
        When it happened by the venue's clock, ns, UTC.
    symbol
        Of the instrument, as the run knows it.
    """

    ts: int
    symbol: str = ""


class OrderReport(Report, frozen=True, kw_only=True, gc=False):
    """How an order stands.

    Attributes
    ----------
    client_id, venue_id
        What we, and what the venue calls it; either may be ``""`` where the venue left it out.
    size, filled
        In the instrument's units, in all.
    limit_price, stop_price
        None for those that it has not; the stop of a trailing order also where the venue does not tell where it is.
    reason
        Why it ended or was refused: a stable word such as ``"post_only"`` where we have one, else the venue's text.
    system
        ``"liquidation"``, ``"adl"`` or ``"settlement"`` for an order that the venue itself made.
    """

    client_id: str
    venue_id: str
    status: ReportedStatus
    side: Side
    type: OrderType
    size: Decimal
    filled: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    position_side: str = ""
    created_at: int = 0
    reason: str = ""
    system: str = ""


class FillReport(Report, frozen=True, kw_only=True, gc=False):
    """An execution.

    Attributes
    ----------
    client_id
        ``""`` where the venue tells executions by its own order ids alone, as queries often do.
    trade_id
        The venue's; with symbol and side it is unique.
    fee, fee_asset
        Positive when paid.
    profit
        What the venue booked as realized by it, before fees, in the settlement asset; None where it does not say.
    mark
        The mark price that led to it, of a liquidation; None where the venue does not say.
    """

    client_id: str
    venue_id: str
    trade_id: str
    side: Side
    size: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    position_side: str = ""
    system: str = ""
    profit: Decimal | None = None
    mark: Decimal | None = None


class CashReport(Report, frozen=True, kw_only=True, gc=False):
    """Money that moved without a trade.

    Attributes
    ----------
    reference
        What the venue knows it by, the same whoever tells of it; it is booked once.
    kind
        ``"deposit"``, ``"withdrawal"``, ``"funding"``, ``"interest"``, ``"insurance"``, ``"rebate"`` or
        ``"adjustment"``.
    amount
        Positive where the account got it.
    text
        The venue's own word for it.
    position_side
        ``"long"`` or ``"short"`` where it was for one side of a hedged position.
    """

    reference: str
    kind: str
    asset: str
    amount: Decimal
    text: str = ""
    position_side: str = ""


class MarkReport(Report, frozen=True, kw_only=True, gc=False):
    """By what price a venue values positions on margin in an instrument."""

    price: float


class NoticeReport(Report, frozen=True, kw_only=True, gc=False):
    """Something that a person should know: a stable word, and a sentence."""

    word: str
    text: str


class MarginReport(Report, frozen=True, kw_only=True, gc=False):
    """How an instrument is traded on margin: at what leverage, and whether each position stands for itself."""

    leverage: Decimal
    isolated: bool


class BalanceReport(Report, frozen=True, kw_only=True, gc=False):
    """What the account has of an asset: all of it, and what no order has reserved, or None where nobody says.

    Attributes
    ----------
    change
        By how much it changed without a trade; None where that is not told.
    """

    asset: str
    total: Decimal
    free: Decimal | None = None
    change: Decimal | None = None


class PositionReport(Report, frozen=True, kw_only=True, gc=False):
    """A position in contracts.

    Attributes
    ----------
    size
        Signed: negative for short.
    position_side
        ``"long"`` or ``"short"`` in hedge mode.
    """

    size: Decimal
    entry_price: Decimal
    position_side: str = ""
    leverage: Decimal | None = None
    isolated: bool | None = None
    liquidation_price: Decimal | None = None


class AccountReport(Report, frozen=True, kw_only=True, gc=False):
    """Balances and positions at one time.

    Attributes
    ----------
    complete
        Whether what is not named is zero; a stream tells only what has changed.
    reason
        Why it changed: ``"order"`` for trades and their fees, else the venue's own word; ``""`` where nobody says.
    hedged
        Whether there are a long and a short position of each instrument; None where nobody says.
    margins
        Of the instruments of which it was told.
    """

    balances: tuple[BalanceReport, ...] = ()
    positions: tuple[PositionReport, ...] = ()
    complete: bool = True
    reason: str = ""
    hedged: bool | None = None
    margins: tuple[MarginReport, ...] = ()
