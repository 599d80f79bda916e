"""Promises: what each kind of plugin must be able to do, as small protocols, and the values they exchange."""

from cambist.ports.broker import Broker, BrokerAccount, BrokerFactory, Deliver
from cambist.ports.feed import FeedFactory
from cambist.ports.history import HistorySource, MarketSource
from cambist.ports.journal import Draft, JournalCursor, JournalEntry, JournalReader
from cambist.ports.notifier import Notice, NoticeLevel, Notifier
from cambist.ports.risk import Refusal, RiskRule, RiskView
from cambist.ports.storage import RunRecord, RunStore, StateStore, Storage

__all__ = [
    "Broker",
    "BrokerAccount",
    "BrokerFactory",
    "Deliver",
    "Draft",
    "FeedFactory",
    "HistorySource",
    "JournalCursor",
    "JournalEntry",
    "JournalReader",
    "MarketSource",
    "Notice",
    "NoticeLevel",
    "Notifier",
    "Refusal",
    "RiskRule",
    "RiskView",
    "RunRecord",
    "RunStore",
    "StateStore",
    "Storage",
]
