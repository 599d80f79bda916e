"""The nouns of trading: values that every room and every plugin shares. Imports nothing but numpy and attrs."""

from cambist.model.bars import COLUMNS, Bar, Bars, check_columns
from cambist.model.instrument import Instrument, InstrumentKind
from cambist.model.margin import Margin, MarginMode, MarginTier
from cambist.model.market import Quote, Tick
from cambist.model.orders import ApprovedOrder, Fill, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.portfolio import Account, Position, Trade
from cambist.model.timeframe import Timeframe
from cambist.model.times import format_ns, to_datetime, to_ns

__all__ = [
    "COLUMNS",
    "Account",
    "ApprovedOrder",
    "Bar",
    "Bars",
    "Fill",
    "Instrument",
    "InstrumentKind",
    "Liquidity",
    "Margin",
    "MarginMode",
    "MarginTier",
    "Order",
    "OrderStatus",
    "OrderType",
    "Position",
    "Quote",
    "Side",
    "Tick",
    "TimeInForce",
    "Timeframe",
    "Trade",
    "check_columns",
    "format_ns",
    "to_datetime",
    "to_ns",
]
