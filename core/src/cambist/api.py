"""What plugin authors import: the hook marker, the records, the promises behind them, errors to raise, and the repair.

Importing this costs neither pandas nor TA-Lib nor any library of the command line, and a plugin's module should not
either: give factories as ``"package.module:attribute"``. The values that cross the border (`Order`, `Instrument`,
`Bars` and the rest) are in ``cambist.model``.
"""

from cambist.data.repair import RepairReport, tidy
from cambist.errors import CambistError, DataError, InputError, MissingDependencyError, ParameterError, did_you_mean
from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import (
    AnalyzerSpec,
    BrokerSpec,
    FeedSpec,
    IndicatorSpec,
    NotifierSpec,
    RiskRuleSpec,
    SimulationModelSpec,
    Spec,
    StorageSpec,
    StrategySpec,
)
from cambist.ports import (
    Broker,
    BrokerAccount,
    BrokerFactory,
    Deliver,
    FeedFactory,
    HistorySource,
    MarketSource,
    Notice,
    NoticeLevel,
    Notifier,
    Refusal,
    RiskRule,
    RiskView,
    RunRecord,
    RunStore,
    StateStore,
    Storage,
)

__all__ = [
    "AnalyzerSpec",
    "Broker",
    "BrokerAccount",
    "BrokerFactory",
    "BrokerSpec",
    "CambistError",
    "DataError",
    "Deliver",
    "FeedFactory",
    "FeedSpec",
    "HistorySource",
    "IndicatorSpec",
    "InputError",
    "MarketSource",
    "MissingDependencyError",
    "Notice",
    "NoticeLevel",
    "Notifier",
    "NotifierSpec",
    "ParameterError",
    "Refusal",
    "RepairReport",
    "RiskRule",
    "RiskRuleSpec",
    "RiskView",
    "RunRecord",
    "RunStore",
    "SimulationModelSpec",
    "Spec",
    "StateStore",
    "Storage",
    "StorageSpec",
    "StrategySpec",
    "did_you_mean",
    "hookimpl",
    "tidy",
]
