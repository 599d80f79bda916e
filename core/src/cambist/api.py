"""What plugin authors import: the hook marker, the records, the promises behind them, errors to raise, and the repair.

Importing this costs neither pandas nor TA-Lib nor any library of the command line, and a plugin's module should not
either: give factories as ``"package.module:attribute"``. The values that cross the border (`Order`, `Instrument`,
`Bars` and the rest) are in ``cambist.model``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist.app.by_name import BacktestInFile, backtest_in_file, open_storage, strategy_named
    from cambist.config.environments import Environment
    from cambist.config.secrets import Secret
    from cambist.data.series import choose_instrument
    from cambist.data.sources.fetched import FetchedHistory
    from cambist.data.sources.tables import TableHistory, rows_as_table
    from cambist.data.tidying import RepairReport, tidy
    from cambist.errors import (
        CambistError,
        ConfigError,
        DataError,
        DeliveryError,
        InputError,
        MissingDependencyError,
        ParameterError,
        ResultError,
        StateUnusableError,
        StorageError,
        VenueError,
        did_you_mean,
    )
    from cambist.indicators.sharing import SharedIndicators
    from cambist.plugins.hookspecs import hookimpl
    from cambist.plugins.specs import (
        AnalyzerSpec,
        BrokerSpec,
        CommandSpec,
        DataRuleSpec,
        FeedSpec,
        IndicatorSpec,
        NotifierSpec,
        ReportSpec,
        RiskRuleSpec,
        SecretProviderSpec,
        SessionSpec,
        SimulationModelSpec,
        SinkSpec,
        Spec,
        StorageSpec,
        StrategySpec,
    )
    from cambist.ports import (
        ROWS,
        AccountMoment,
        AccountRow,
        BarBroker,
        BarKey,
        BarStore,
        BarsWritten,
        Broker,
        BrokerAccount,
        BrokerFactory,
        CashFlowRow,
        DailyRow,
        Deliver,
        EquityRule,
        EventRow,
        EventSink,
        FeedFactory,
        FillRow,
        HistoryFetcher,
        HistorySource,
        JournalCursor,
        JournalEntry,
        JournalReader,
        MarketSource,
        MeasureRow,
        Notice,
        NoticeLevel,
        Notifier,
        OrderEventRow,
        OrderRow,
        PositionRow,
        PositionSnapshotRow,
        Refusal,
        RiskRule,
        RiskView,
        Row,
        RunEvent,
        RunRecord,
        RunStore,
        SignalRow,
        StatefulRule,
        StateRow,
        StateStore,
        Storage,
        StoredBars,
        TradeRow,
        TradingRequest,
    )
    from cambist.ports.data_rules import DataRule, Finding, SeriesView, Severity, Stage
    from cambist.ports.secrets import SecretProvider
    from cambist.ports.venue import (
        Answered,
        BarReport,
        BatchingSession,
        CashHistory,
        CashSession,
        Declined,
        FundingRate,
        MarginSession,
        NativeSession,
        OrderKey,
        OrderRequest,
        Outcome,
        PerpetualMarket,
        PracticingSession,
        PreparingSession,
        PromptSession,
        ReloadingSession,
        StreamReport,
        Subscription,
        Unanswered,
        VenueSession,
        VenueTerms,
    )
    from cambist.storage.urls import path_in_url
    from cambist.strategies.signal_columns import Comparison, SignalColumns, SignalReader, signal_columns
    from cambist.strategies.sizers import PercentOfCash, Target

__all__ = [
    "ROWS",
    "AccountMoment",
    "AccountRow",
    "AnalyzerSpec",
    "Answered",
    "BacktestInFile",
    "BarBroker",
    "BarKey",
    "BarReport",
    "BarStore",
    "BarsWritten",
    "BatchingSession",
    "Broker",
    "BrokerAccount",
    "BrokerFactory",
    "BrokerSpec",
    "CambistError",
    "CashFlowRow",
    "CashHistory",
    "CashSession",
    "CommandSpec",
    "Comparison",
    "ConfigError",
    "DailyRow",
    "DataError",
    "DataRule",
    "DataRuleSpec",
    "Declined",
    "Deliver",
    "DeliveryError",
    "Environment",
    "EquityRule",
    "EventRow",
    "EventSink",
    "FeedFactory",
    "FeedSpec",
    "FetchedHistory",
    "FillRow",
    "Finding",
    "FundingRate",
    "HistoryFetcher",
    "HistorySource",
    "IndicatorSpec",
    "InputError",
    "JournalCursor",
    "JournalEntry",
    "JournalReader",
    "MarginSession",
    "MarketSource",
    "MeasureRow",
    "MissingDependencyError",
    "NativeSession",
    "Notice",
    "NoticeLevel",
    "Notifier",
    "NotifierSpec",
    "OrderEventRow",
    "OrderKey",
    "OrderRequest",
    "OrderRow",
    "Outcome",
    "ParameterError",
    "PercentOfCash",
    "PerpetualMarket",
    "PositionRow",
    "PositionSnapshotRow",
    "PracticingSession",
    "PreparingSession",
    "PromptSession",
    "Refusal",
    "ReloadingSession",
    "RepairReport",
    "ReportSpec",
    "ResultError",
    "RiskRule",
    "RiskRuleSpec",
    "RiskView",
    "Row",
    "RunEvent",
    "RunRecord",
    "RunStore",
    "Secret",
    "SecretProvider",
    "SecretProviderSpec",
    "SeriesView",
    "SessionSpec",
    "Severity",
    "SharedIndicators",
    "SignalColumns",
    "SignalReader",
    "SignalRow",
    "SimulationModelSpec",
    "SinkSpec",
    "Spec",
    "Stage",
    "StateRow",
    "StateStore",
    "StateUnusableError",
    "StatefulRule",
    "Storage",
    "StorageError",
    "StorageSpec",
    "StoredBars",
    "StrategySpec",
    "StreamReport",
    "Subscription",
    "TableHistory",
    "Target",
    "TradeRow",
    "TradingRequest",
    "Unanswered",
    "VenueError",
    "VenueSession",
    "VenueTerms",
    "backtest_in_file",
    "choose_instrument",
    "did_you_mean",
    "hookimpl",
    "open_storage",
    "path_in_url",
    "rows_as_table",
    "signal_columns",
    "strategy_named",
    "tidy",
]

#: Where each name lives, by module: imported when somebody asks for it.
_HOMES = {
    name: module
    for module, names in {
        "cambist.app.by_name": "BacktestInFile backtest_in_file open_storage strategy_named",
        "cambist.config.environments": "Environment",
        "cambist.config.secrets": "Secret",
        "cambist.data.series": "choose_instrument",
        "cambist.data.sources.fetched": "FetchedHistory",
        "cambist.data.sources.tables": "TableHistory rows_as_table",
        "cambist.data.tidying": "RepairReport tidy",
        "cambist.errors": (
            "CambistError ConfigError DataError DeliveryError InputError MissingDependencyError ParameterError "
            "ResultError StateUnusableError StorageError VenueError did_you_mean"
        ),
        "cambist.indicators.sharing": "SharedIndicators",
        "cambist.plugins.hookspecs": "hookimpl",
        "cambist.plugins.specs": (
            "AnalyzerSpec BrokerSpec CommandSpec DataRuleSpec FeedSpec IndicatorSpec NotifierSpec ReportSpec "
            "RiskRuleSpec SecretProviderSpec SessionSpec SimulationModelSpec SinkSpec Spec StorageSpec StrategySpec"
        ),
        "cambist.ports": (
            "AccountMoment AccountRow BarBroker BarKey BarStore BarsWritten Broker BrokerAccount BrokerFactory "
            "CashFlowRow DailyRow Deliver EquityRule EventRow EventSink FeedFactory FillRow HistoryFetcher "
            "HistorySource JournalCursor JournalEntry JournalReader MarketSource MeasureRow Notice NoticeLevel "
            "Notifier OrderEventRow OrderRow PositionRow PositionSnapshotRow ROWS Refusal RiskRule RiskView "
            "Row RunEvent RunRecord RunStore SignalRow StateRow StateStore StatefulRule Storage StoredBars "
            "TradeRow TradingRequest"
        ),
        "cambist.ports.data_rules": "DataRule Finding SeriesView Severity Stage",
        "cambist.ports.secrets": "SecretProvider",
        "cambist.ports.venue": (
            "Answered BarReport BatchingSession CashHistory CashSession Declined FundingRate MarginSession "
            "NativeSession OrderKey "
            "OrderRequest Outcome PerpetualMarket PracticingSession PreparingSession PromptSession ReloadingSession "
            "StreamReport Subscription Unanswered VenueSession VenueTerms"
        ),
        "cambist.storage.urls": "path_in_url",
        "cambist.strategies.signal_columns": "Comparison SignalColumns SignalReader signal_columns",
        "cambist.strategies.sizers": "PercentOfCash Target",
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
