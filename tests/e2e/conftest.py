"""``cambist`` as a process, in a folder whose path has a space, with files to run on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import attrs
import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the programs beside the tests

STRATEGY = """
    from cambist import Strategy, param
    from cambist.indicators import SMA, crossover

    class Cross(Strategy):
        fast: int = param(3, ge=2)
        slow: int = param(8, ge=3)

        def on_start(self):
            self.cross = crossover(SMA(self.data.close, self.fast), SMA(self.data.close, self.slow))

        def on_bar(self, bar):
            if self.cross[0] > 0:
                self.buy()
            elif self.cross[0] < 0:
                self.close()
"""


@attrs.define
class Desk:
    """A folder to work in, and the command."""

    path: object

    def write(self, name, text):
        """Write a file; bytes as they are, a text without its indentation."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return target

    def frame(self, count=200):
        """Return bars of a price that swings, so that averages cross."""
        when = np.arange(count)
        close = (100 + 10 * np.sin(when / 7) + when / 50).round(2)
        open_ = np.concatenate(([100.0], close[:-1]))
        frame = {
            "open": open_,
            "high": np.maximum(open_, close) + 1,
            "low": np.minimum(open_, close) - 1,
            "close": close,
        }
        index = pd.date_range("2024-01-01", periods=count, freq="D", name="time")
        return pd.DataFrame({**frame, "volume": 1000.0}, index=index)

    def bars(self, name="bars.csv", count=200):
        """Write bars as CSV."""
        self.frame(count).to_csv(self.path / name)

    def command(self, *words):
        return [sys.executable, "-m", "cambist", *map(str, words)]

    def environment(self, **changes):
        """The environment of a process; None takes a variable out."""
        settled = {"COLUMNS": "110", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
        merged = {**os.environ, **settled, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def run(self, *words, **environment):
        """Run ``cambist`` to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=self.path,
            env=self.environment(**environment),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    def start(self, *words):
        """Start ``cambist`` and return the process."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.path,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )


@pytest.fixture
def desk(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    desk = Desk(folder)
    desk.write("my.py", STRATEGY)
    desk.bars()
    return desk
