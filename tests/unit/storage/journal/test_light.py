"""A process that only journals loads nothing heavy: it has to be up again at once."""

from __future__ import annotations

import subprocess
import sys


def test_the_journal_is_light():
    program = "import sys, cambist.storage.journal; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"pandas", "talib", "pydantic", "click", "rich", "asyncio", "hypothesis", "pytest", "numba", "pyarrow"}
    assert heavy.isdisjoint(done.stdout.split())
