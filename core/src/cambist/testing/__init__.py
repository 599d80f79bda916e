"""Conformance suites: what every plugin of a kind has to pass, its own and the ones that ship with Cambist.

A suite is a class of tests. Inherit it in a test file of the plugin and say, in a fixture or two, how to make what is
to be tested::

    from cambist.testing import BarStoreTests


    class TestMyStore(BarStoreTests):
        @pytest.fixture
        def open_store(self, tmp_path):
            return lambda: MyStore(tmp_path)

They need pytest and hypothesis: ``pip install 'cambist[testing]'``.
"""

import pytest

# Before they are imported: a failing assertion of a suite then shows its values, as one in a test file does.
pytest.register_assert_rewrite(*(f"cambist.testing.{name}" for name in ("bars", "journal", "runs", "state")))

from cambist.testing.bars import BarStoreTests  # noqa: E402
from cambist.testing.faults import Crash, CrashingFiles, FaultyFiles  # noqa: E402
from cambist.testing.journal import JournalTests  # noqa: E402
from cambist.testing.runs import RunStoreTests  # noqa: E402
from cambist.testing.state import StateStoreTests  # noqa: E402

__all__ = [
    "BarStoreTests",
    "Crash",
    "CrashingFiles",
    "FaultyFiles",
    "JournalTests",
    "RunStoreTests",
    "StateStoreTests",
]
