"""Promises: what each kind of plugin must be able to do, as small protocols, and the values they exchange."""

from cambist.ports.bars import BarKey, BarStore, BarsWritten, StoredBars
from cambist.ports.broker import BarBroker, Broker, BrokerAccount, BrokerFactory, Deliver
from cambist.ports.feed import FeedFactory
from cambist.ports.fetching import HistoryFetcher
from cambist.ports.history import HistorySource, MarketSource
from cambist.ports.journal import Draft, JournalCursor, JournalEntry, JournalReader
from cambist.ports.notifier import Notice, NoticeLevel, Notifier
from cambist.ports.risk import (
    AccountMoment,
    EquityRule,
    Refusal,
    RiskRule,
    RiskView,
    StatefulRule,
    TradingRequest,
)
from cambist.ports.rows import (
    ROWS,
    AccountRow,
    CashFlowRow,
    DailyRow,
    EventRow,
    FillRow,
    MeasureRow,
    OrderEventRow,
    OrderRow,
    PositionRow,
    PositionSnapshotRow,
    Row,
    SignalRow,
    StateRow,
    TradeRow,
)
from cambist.ports.sink import EventSink, RunEvent
from cambist.ports.storage import RunRecord, RunStore, StateStore, Storage

__all__ = [
    "ROWS",
    "AccountMoment",
    "AccountRow",
    "BarBroker",
    "BarKey",
    "BarStore",
    "BarsWritten",
    "Broker",
    "BrokerAccount",
    "BrokerFactory",
    "CashFlowRow",
    "DailyRow",
    "Deliver",
    "Draft",
    "EquityRule",
    "EventRow",
    "EventSink",
    "FeedFactory",
    "FillRow",
    "HistoryFetcher",
    "HistorySource",
    "JournalCursor",
    "JournalEntry",
    "JournalReader",
    "MarketSource",
    "MeasureRow",
    "Notice",
    "NoticeLevel",
    "Notifier",
    "OrderEventRow",
    "OrderRow",
    "PositionRow",
    "PositionSnapshotRow",
    "Refusal",
    "RiskRule",
    "RiskView",
    "Row",
    "RunEvent",
    "RunRecord",
    "RunStore",
    "SignalRow",
    "StateRow",
    "StateStore",
    "StatefulRule",
    "Storage",
    "StoredBars",
    "TradeRow",
    "TradingRequest",
]
