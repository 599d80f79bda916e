"""What of a run is kept in a database: one record for each row, with money as exact decimals.

A backtest's result and the journal of a live run are told in the same rows, so that they can be compared by a query.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a store reads the types of the fields to make columns of them
from decimal import Decimal  # noqa: TC003
from typing import Any, ClassVar

import attrs

__all__ = [
    "ROWS",
    "AccountRow",
    "CashFlowRow",
    "DailyRow",
    "EventRow",
    "FillRow",
    "MeasureRow",
    "OrderEventRow",
    "OrderRow",
    "PositionRow",
    "PositionSnapshotRow",
    "Row",
    "SignalRow",
    "StateRow",
    "TradeRow",
]


@attrs.frozen(kw_only=True)
class Row:
    """Base of the rows. Times are ns since the epoch, UTC; None stands for what there is not.

    Attributes
    ----------
    table
        Name of the table.
    key
        Fields that tell rows of one run apart: a row replaces the one of equal key.
    """

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]


@attrs.frozen(kw_only=True)
class OrderRow(Row):
    """An order as it stands last.

    Attributes
    ----------
    client_id
        What the venue knows it by; ``""`` in a backtest.
    expires_at
        For orders good till a date.
    average_price, fees
        Of what was filled; fees in the settlement asset.
    decision_price
        What the market was at when the strategy decided: of a journalled run the last price at that moment, of a
        stored result the last close at or before the order's time, which of an order that was made inside a bar, as
        from `on_fill`, is that bar's own.
    parent, oco
        See `cambist.Order`; 0 for none.
    info
        The sender's own notes.
    """

    table: ClassVar[str] = "orders"
    key: ClassVar[tuple[str, ...]] = ("id",)

    id: int
    client_id: str = ""
    strategy: str
    symbol: str
    venue: str = ""
    side: str
    type: str
    status: str
    size: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: str
    expires_at: int | None = None
    reduce_only: bool = False
    filled: Decimal
    average_price: Decimal | None = None
    fees: Decimal
    decision_price: Decimal | None = None
    created_at: int
    updated_at: int
    reason: str = ""
    tag: str = ""
    parent: int = 0
    oco: int = 0
    info: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class OrderEventRow(Row):
    """One thing that happened to an order: its whole life is the rows of its id.

    Attributes
    ----------
    sequence
        Number of the journal's record.
    kind
        Name of the event, such as ``"OrderAccepted"``.
    status
        Of the order afterwards.
    detail
        What else the event says.
    """

    table: ClassVar[str] = "order_events"
    key: ClassVar[tuple[str, ...]] = ("sequence",)

    sequence: int
    order_id: int
    ts: int
    kind: str
    status: str
    detail: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class FillRow(Row):
    """One execution.

    Attributes
    ----------
    id
        The venue's trade id, or a backtest's number; unique together with the symbol.
    fee
        In `fee_asset`; positive when paid.
    """

    table: ClassVar[str] = "fills"
    key: ClassVar[tuple[str, ...]] = ("symbol", "id")

    id: str
    order_id: int
    symbol: str
    side: str
    size: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: str
    ts: int


@attrs.frozen(kw_only=True)
class TradeRow(Row):
    """One round trip; see `cambist.Trade`. `closed_at` is None while it is open."""

    table: ClassVar[str] = "trades"
    key: ClassVar[tuple[str, ...]] = ("id",)

    id: int
    strategy: str
    symbol: str
    side: str
    size: Decimal
    opened_at: int
    closed_at: int | None = None
    entry_price: Decimal
    exit_price: Decimal | None = None
    gross: Decimal
    fees: Decimal
    net: Decimal
    tag: str = ""
    reason: str = ""


@attrs.frozen(kw_only=True)
class PositionRow(Row):
    """What was held of an instrument from `ts` on.

    Attributes
    ----------
    account
        Name of the account, in a run that has several; else ``""``.
    """

    table: ClassVar[str] = "positions"
    key: ClassVar[tuple[str, ...]] = ("account", "symbol", "ts")

    account: str = ""
    symbol: str
    ts: int
    size: Decimal
    average_price: Decimal | None = None


@attrs.frozen(kw_only=True)
class AccountRow(Row):
    """The account at a time: cash, and what everything was worth.

    Attributes
    ----------
    account
        Name of a sub-account; ``""`` for the whole.
    asset
        Which of several assets is meant, counted in itself; ``""`` for all of them.
    margin, free
        Initial margin that open positions need, and the equity beyond it.
    drawdown
        Below the highest equity so far, a fraction, 0 or below.
    """

    table: ClassVar[str] = "account_snapshots"
    key: ClassVar[tuple[str, ...]] = ("account", "asset", "ts")

    account: str = ""
    asset: str = ""
    ts: int
    currency: str
    equity: Decimal
    cash: Decimal | None = None
    margin: Decimal | None = None
    free: Decimal | None = None
    drawdown: float | None = None


@attrs.frozen(kw_only=True)
class PositionSnapshotRow(Row):
    """What was held of an instrument at the time of an account's snapshot.

    Attributes
    ----------
    account
        As in `AccountRow`.
    side
        ``"long"`` or ``"short"`` in a hedged account, else ``""``.
    price
        At which it was valued.
    unrealized
        Profit of what is open at that price, in the settlement asset.
    """

    table: ClassVar[str] = "position_snapshots"
    key: ClassVar[tuple[str, ...]] = ("account", "symbol", "side", "ts")

    account: str = ""
    symbol: str
    side: str = ""
    ts: int
    size: Decimal
    average_price: Decimal | None = None
    price: Decimal | None = None
    unrealized: Decimal | None = None


@attrs.frozen(kw_only=True)
class DailyRow(Row):
    """How a run stood when a UTC day was over.

    Attributes
    ----------
    day
        The day as ISO 8601; a bar that closes at midnight belongs to the day that ends there.
    ts
        Close of its last bar.
    equity
        At that close.
    daily_return
        From the day before, a fraction; of a share of the account where money was brought in or taken out, as all
        that follows.
    sharpe
        Of the daily returns so far, a year, see `cambist.analysis.measures.sharpe.sharpe`.
    drawdown, max_drawdown
        Below the highest equity so far, and the deepest that ever was; fractions, 0 or below.
    """

    table: ClassVar[str] = "daily_performance"
    key: ClassVar[tuple[str, ...]] = ("account", "day")

    account: str = ""
    day: str
    ts: int
    equity: Decimal
    daily_return: float | None = None
    sharpe: float | None = None
    drawdown: float | None = None
    max_drawdown: float | None = None


@attrs.frozen(kw_only=True)
class CashFlowRow(Row):
    """Money that moved without a fill; see `cambist.model.portfolio.CashFlow`.

    What another asset paid of a fee is none of them: the fill says that.
    """

    table: ClassVar[str] = "cash_flows"
    key: ClassVar[tuple[str, ...]] = ("number", "account")

    number: int
    account: str = ""
    ts: int
    kind: str
    symbol: str = ""
    asset: str
    amount: Decimal
    reason: str = ""


@attrs.frozen(kw_only=True)
class MeasureRow(Row):
    """A measure of the run's performance.

    Attributes
    ----------
    value
        None where there is no number.
    unit
        As in `cambist.api.AnalyzerSpec`.
    """

    table: ClassVar[str] = "measures"
    key: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    value: float | None
    unit: str = ""


@attrs.frozen(kw_only=True)
class EventRow(Row):
    """What people may want to know of: risk events, alerts, notifications, what an operator did.

    Attributes
    ----------
    number
        Unique within the run; the journal's sequence number where it came from there.
    kind
        ``"risk"``, ``"alert"``, ``"notification"``, ``"audit"`` or ``"warning"``.
    level
        ``"info"``, ``"warning"`` or ``"critical"``.
    source
        Who said so: a strategy, a rule, a person; of a notification its channel.
    detail
        By kind. Risk: ``state, scope, reason``. Alert: ``code, scope``. Notification: ``outcome, attempts, alert``
        (number of the alert's event)``, error``. Audit: ``arguments, outcome``.
    """

    table: ClassVar[str] = "events"
    key: ClassVar[tuple[str, ...]] = ("number",)

    number: int
    ts: int
    kind: str
    level: str = "info"
    source: str = ""
    message: str
    detail: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class StateRow(Row):
    """What a strategy saved of itself; each version is kept."""

    table: ClassVar[str] = "strategy_states"
    key: ClassVar[tuple[str, ...]] = ("strategy", "sequence")

    strategy: str
    sequence: int
    ts: int
    data: bytes


@attrs.frozen(kw_only=True)
class SignalRow(Row):
    """A value that a strategy wants remembered: a signal, or an indicator's value.

    Attributes
    ----------
    symbol
        Of the instrument that it is about; ``""`` where it is about none.
    value
        The number; None where `text` was noted.
    """

    table: ClassVar[str] = "signals"
    key: ClassVar[tuple[str, ...]] = ("strategy", "name", "symbol", "ts")

    strategy: str
    name: str
    symbol: str = ""
    ts: int
    value: float | None
    text: str = ""


#: Every kind of row, in an order in which they may be written.
ROWS: tuple[type[Row], ...] = (
    OrderRow,
    OrderEventRow,
    FillRow,
    TradeRow,
    PositionRow,
    AccountRow,
    PositionSnapshotRow,
    DailyRow,
    CashFlowRow,
    MeasureRow,
    EventRow,
    StateRow,
    SignalRow,
)
