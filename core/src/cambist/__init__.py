"""Cambist: one strategy, one risk gate, one order machine and one portfolio, from backtest to live.

The names below are what most people need; each is imported when it is first used, so that ``import cambist``
costs next to nothing. Plugin authors import `cambist.api`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist.app.results import load_run
    from cambist.backtest import BacktestSettings, Result, StopRequest, backtest
    from cambist.backtest.comparing import compare
    from cambist.backtest.load import load_result
    from cambist.backtest.optimizing import optimize
    from cambist.backtest.records.histories import FillHistory, OrderHistory
    from cambist.backtest.replay import replay
    from cambist.data.calendars import load_calendar, weekly_calendar
    from cambist.data.load import load
    from cambist.data.market import open_book, open_quotes, open_ticks
    from cambist.data.resample import resample
    from cambist.data.tick_bars import tick_bars
    from cambist.errors import (
        CambistError,
        ConfigError,
        DataError,
        InputError,
        LookAheadError,
        OrderError,
        ParameterError,
        PluginError,
        StrategyError,
    )
    from cambist.model import (
        Account,
        Bar,
        Bars,
        BookUpdates,
        Calendar,
        Deleveraging,
        Fill,
        Instrument,
        InstrumentKind,
        Margin,
        MarginTier,
        Order,
        OrderStatus,
        OrderType,
        Position,
        Quote,
        Quotes,
        Side,
        Tick,
        Ticks,
        Timeframe,
        TimeInForce,
        Trade,
    )
    from cambist.portfolio import Interest
    from cambist.simulation import FixedFee, FixedSlippage, MakerTakerFee, PercentFee, PercentSlippage
    from cambist.strategies import (
        AllIn,
        At,
        Cron,
        Every,
        FixedSize,
        OnSession,
        PercentOfEquity,
        RiskPerTrade,
        SignalStrategy,
        Strategy,
        param,
    )

__version__ = "0.1.0"

_HOMES = {
    "cambist.backtest": ("BacktestSettings", "Result", "StopRequest", "backtest"),
    "cambist.backtest.comparing": ("compare",),
    "cambist.app.results": ("load_run",),
    "cambist.backtest.load": ("load_result",),
    "cambist.backtest.optimizing": ("optimize",),
    "cambist.backtest.records.histories": ("FillHistory", "OrderHistory"),
    "cambist.backtest.replay": ("replay",),
    "cambist.data.calendars": ("load_calendar", "weekly_calendar"),
    "cambist.data.load": ("load",),
    "cambist.data.market": ("open_book", "open_quotes", "open_ticks"),
    "cambist.data.resample": ("resample",),
    "cambist.data.tick_bars": ("tick_bars",),
    "cambist.errors": (
        "CambistError",
        "ConfigError",
        "DataError",
        "InputError",
        "LookAheadError",
        "OrderError",
        "ParameterError",
        "PluginError",
        "StrategyError",
    ),
    "cambist.model": (
        "Account",
        "Bar",
        "Bars",
        "BookUpdates",
        "Calendar",
        "Deleveraging",
        "Fill",
        "Instrument",
        "InstrumentKind",
        "Margin",
        "MarginTier",
        "MarketRules",
        "Order",
        "OrderStatus",
        "OrderType",
        "Position",
        "Quote",
        "Quotes",
        "Side",
        "Tick",
        "Ticks",
        "TimeInForce",
        "Timeframe",
        "Trade",
    ),
    "cambist.portfolio": ("Interest",),
    "cambist.simulation": ("FixedFee", "FixedSlippage", "MakerTakerFee", "PercentFee", "PercentSlippage"),
    "cambist.strategies": (
        "AllIn",
        "At",
        "Cron",
        "Every",
        "FixedSize",
        "OnSession",
        "PercentOfEquity",
        "RiskPerTrade",
        "SignalStrategy",
        "Strategy",
        "param",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Account",
    "AllIn",
    "At",
    "BacktestSettings",
    "Bar",
    "Bars",
    "BookUpdates",
    "Calendar",
    "CambistError",
    "ConfigError",
    "Cron",
    "DataError",
    "Deleveraging",
    "Every",
    "Fill",
    "FillHistory",
    "FixedFee",
    "FixedSize",
    "FixedSlippage",
    "InputError",
    "Instrument",
    "InstrumentKind",
    "Interest",
    "LookAheadError",
    "MakerTakerFee",
    "Margin",
    "MarginTier",
    "MarketRules",
    "OnSession",
    "Order",
    "OrderError",
    "OrderHistory",
    "OrderStatus",
    "OrderType",
    "ParameterError",
    "PercentFee",
    "PercentOfEquity",
    "PercentSlippage",
    "PluginError",
    "Position",
    "Quote",
    "Quotes",
    "Result",
    "RiskPerTrade",
    "Side",
    "SignalStrategy",
    "StopRequest",
    "Strategy",
    "StrategyError",
    "Tick",
    "Ticks",
    "TimeInForce",
    "Timeframe",
    "Trade",
    "__version__",
    "backtest",
    "compare",
    "load",
    "load_calendar",
    "load_result",
    "load_run",
    "open_book",
    "open_quotes",
    "open_ticks",
    "optimize",
    "param",
    "replay",
    "resample",
    "tick_bars",
    "weekly_calendar",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'cambist' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
