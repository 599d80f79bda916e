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
    from cambist.testing.bars import BarStoreTests
    from cambist.testing.faults import Crash, CrashingFiles, FaultyFiles
    from cambist.testing.journal import JournalTests
    from cambist.testing.notifiers import NotifierTests
    from cambist.testing.runs import RunStoreTests
    from cambist.testing.sessions import SessionTests
    from cambist.testing.state import StateStoreTests
    from cambist.testing.venue_feeds import FeedTests
    from cambist.testing.venue_orders import BrokerTests

__all__ = [
    "BarStoreTests",
    "BrokerTests",
    "Crash",
    "CrashingFiles",
    "FaultyFiles",
    "FeedTests",
    "JournalTests",
    "NotifierTests",
    "RunStoreTests",
    "SessionTests",
    "StateStoreTests",
    "check_lookahead",
    "check_warmup",
]

_HOMES = {
    "BarStoreTests": "cambist.testing.bars",
    "Crash": "cambist.testing.faults",
    "CrashingFiles": "cambist.testing.faults",
    "FaultyFiles": "cambist.testing.faults",
    "JournalTests": "cambist.testing.journal",
    "NotifierTests": "cambist.testing.notifiers",
    "RunStoreTests": "cambist.testing.runs",
    "SessionTests": "cambist.testing.sessions",
    "StateStoreTests": "cambist.testing.state",
    "FeedTests": "cambist.testing.venue_feeds",
    "BrokerTests": "cambist.testing.venue_orders",
    "check_lookahead": "cambist.backtest.checking",
    "check_warmup": "cambist.backtest.checking",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
