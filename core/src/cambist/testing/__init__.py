"""Conformance suites: what every plugin of a kind has to pass, its own and the ones that ship with Cambist.

A suite is a class of tests. Inherit it in a test file of the plugin and say, in a fixture, how to make what is to be
tested::

    from cambist.testing import RunStoreTests, StateStoreTests


    @pytest.fixture
    def open_storage(tmp_path):
        return lambda: MyStorage(f"mine:{tmp_path / 'storage'}")


    class TestMyRuns(RunStoreTests): ...


    class TestMyState(StateStoreTests): ...

They need pytest and hypothesis: ``pip install 'cambist[testing]'``.

`check_lookahead` and `check_warmup` are for strategies, and need neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist.backtest.checking import check_lookahead, check_warmup
    from cambist.testing.analyzers import AnalyzerTests
    from cambist.testing.bars import BarStoreTests
    from cambist.testing.conformance import Card, Suite, cards_of, overrides
    from cambist.testing.faults import Crash, CrashingFiles, FaultyFiles
    from cambist.testing.histories import HistoryTests
    from cambist.testing.indicators import IndicatorTests
    from cambist.testing.journal import JournalTests
    from cambist.testing.local_brokers import LocalBrokerTests
    from cambist.testing.notifiers import NotifierTests
    from cambist.testing.plugin_modules import PluginTests
    from cambist.testing.risk_rules import RiskRuleTests, StillView, order_to
    from cambist.testing.runs import RunStoreTests
    from cambist.testing.secret_providers import SecretProviderTests
    from cambist.testing.sessions import SessionTests
    from cambist.testing.sinks import SinkTests
    from cambist.testing.state import StateStoreTests
    from cambist.testing.strategies import StrategyTests
    from cambist.testing.venue_feeds import FeedTests
    from cambist.testing.venue_margin import MarginTests
    from cambist.testing.venue_orders import BrokerTests

__all__ = [
    "AnalyzerTests",
    "BarStoreTests",
    "BrokerTests",
    "Card",
    "Crash",
    "CrashingFiles",
    "FaultyFiles",
    "FeedTests",
    "HistoryTests",
    "IndicatorTests",
    "JournalTests",
    "LocalBrokerTests",
    "MarginTests",
    "NotifierTests",
    "PluginTests",
    "RiskRuleTests",
    "RunStoreTests",
    "SecretProviderTests",
    "SessionTests",
    "SinkTests",
    "StateStoreTests",
    "StillView",
    "StrategyTests",
    "Suite",
    "cards_of",
    "check_lookahead",
    "check_warmup",
    "order_to",
    "overrides",
]

_HOMES = {
    "AnalyzerTests": "cambist.testing.analyzers",
    "BarStoreTests": "cambist.testing.bars",
    "BrokerTests": "cambist.testing.venue_orders",
    "Card": "cambist.testing.conformance",
    "Crash": "cambist.testing.faults",
    "CrashingFiles": "cambist.testing.faults",
    "FaultyFiles": "cambist.testing.faults",
    "FeedTests": "cambist.testing.venue_feeds",
    "HistoryTests": "cambist.testing.histories",
    "IndicatorTests": "cambist.testing.indicators",
    "JournalTests": "cambist.testing.journal",
    "LocalBrokerTests": "cambist.testing.local_brokers",
    "MarginTests": "cambist.testing.venue_margin",
    "NotifierTests": "cambist.testing.notifiers",
    "PluginTests": "cambist.testing.plugin_modules",
    "RiskRuleTests": "cambist.testing.risk_rules",
    "RunStoreTests": "cambist.testing.runs",
    "SecretProviderTests": "cambist.testing.secret_providers",
    "SessionTests": "cambist.testing.sessions",
    "SinkTests": "cambist.testing.sinks",
    "StateStoreTests": "cambist.testing.state",
    "StillView": "cambist.testing.risk_rules",
    "StrategyTests": "cambist.testing.strategies",
    "Suite": "cambist.testing.conformance",
    "cards_of": "cambist.testing.conformance",
    "check_lookahead": "cambist.backtest.checking",
    "check_warmup": "cambist.backtest.checking",
    "order_to": "cambist.testing.risk_rules",
    "overrides": "cambist.testing.conformance",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
