"""Makes the clock and the web server importable by the tests of this folder, and offers them as fixtures."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from loopback import ManualClock, Site


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.close()
