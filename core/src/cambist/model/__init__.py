"""The nouns of trading: values that every room and every plugin shares. Imports nothing but numpy and attrs."""

from cambist.model.bars import COLUMNS, Bar, Bars, check_columns
from cambist.model.books import BookUpdate, BookUpdates
from cambist.model.calendar import Calendar
from cambist.model.deleveraging import Deleveraging
from cambist.model.instrument import Instrument, InstrumentKind
from cambist.model.margin import Margin, MarginMode, MarginTier, PositionMode
from cambist.model.market import Quote, Tick
from cambist.model.market_rules import MarketRules
from cambist.model.orders import (
    ApprovedOrder,
    Fill,
    Instructions,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    Trail,
)
from cambist.model.portfolio import Account, CashFlow, MarginChange, Position, Trade
from cambist.model.reports import (
    AccountReport,
    BalanceReport,
    CashReport,
    FillReport,
    MarginReport,
    MarkReport,
    NoticeReport,
    OrderReport,
    PositionReport,
    Report,
    ReportedStatus,
)
from cambist.model.ticks import Quotes, Ticks
from cambist.model.timeframe import Timeframe
from cambist.model.times import format_ns, to_datetime, to_ns
from cambist.model.trading_state import TradingChange, TradingState, WorkingOrders

__all__ = [
    "COLUMNS",
    "Account",
    "AccountReport",
    "ApprovedOrder",
    "BalanceReport",
    "Bar",
    "Bars",
    "BookUpdate",
    "BookUpdates",
    "Calendar",
    "CashFlow",
    "CashReport",
    "Deleveraging",
    "Fill",
    "FillReport",
    "Instructions",
    "Instrument",
    "InstrumentKind",
    "Liquidity",
    "Margin",
    "MarginChange",
    "MarginMode",
    "MarginReport",
    "MarginTier",
    "MarkReport",
    "MarketRules",
    "NoticeReport",
    "Order",
    "OrderReport",
    "OrderStatus",
    "OrderType",
    "Position",
    "PositionMode",
    "PositionReport",
    "PositionSide",
    "Quote",
    "Quotes",
    "Report",
    "ReportedStatus",
    "Side",
    "Tick",
    "Ticks",
    "TimeInForce",
    "Timeframe",
    "Trade",
    "TradingChange",
    "TradingState",
    "Trail",
    "WorkingOrders",
    "check_columns",
    "format_ns",
    "to_datetime",
    "to_ns",
]
