"""`cambist check lookahead` and `cambist check warmup`."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cambist.cli.check.group import check
from cambist.errors import CambistError, ParameterError

READS_AT_IMPORT = """
import pandas as pd
from pathlib import Path
from cambist import Strategy

TABLE = pd.read_csv(Path(__file__).parent / "bars.csv", parse_dates=["ts"]).set_index("ts")
TABLE["next"] = TABLE["close"].shift(-1)

class Peeks(Strategy):
    def on_bar(self, bar):
        rises = TABLE["next"].get(pd.Timestamp(bar.time), float("nan")) > bar.close
        self.order_target_size(1 if rises else 0)
"""
READS_BESIDE = """
import pandas as pd
import table_of_bars
from cambist import Strategy

class Peeks(Strategy):
    def on_bar(self, bar):
        table = table_of_bars.TABLE
        later = table.close[table.index > pd.Timestamp(bar.time)]
        self.record_signal("next", float(later.iloc[0]) if len(later) else 0.0)
"""
TABLE_BESIDE = """
import pandas as pd
from pathlib import Path

TABLE = pd.read_csv(Path(__file__).parent / "bars.csv", parse_dates=["ts"]).set_index("ts")
"""
RUN_FILE = """
[strategy]
use = "sma-cross"
parameters = {fast = 5, slow = 15}

[[data]]
source = "bars.csv"

[venue]
fees = 0.001
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working directory, with bars in it."""
    chance = np.random.default_rng(4)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.01, 300)))
    index = pd.date_range("2024-01-01", periods=300, freq="1D", tz="UTC", name="ts")
    frame = pd.DataFrame({"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}, index=index)
    frame.to_csv(tmp_path / "bars.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    ran = CliRunner().invoke(check, arguments, catch_exceptions=True)
    if isinstance(ran.exception, CambistError):
        raise ran.exception
    return ran.exit_code, ran.stdout


def test_a_strategy_that_is_honest_ends_with_0(folder):
    code, told = run("lookahead", "sma-cross", "--data", "bars.csv")
    assert code == 0
    assert told.startswith("no look-ahead found\ncut at 20 of 299 places (seed 0)")


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"peeks.py": READS_AT_IMPORT}, "order"),
        ({"peeks.py": READS_BESIDE, "table_of_bars.py": TABLE_BESIDE}, "signal"),
    ],
    ids=["its own file", "the one beside it"],
)
def test_tables_that_a_file_reads_when_it_is_imported_are_shortened(folder, files, kind):
    for name, text in files.items():
        (folder / name).write_text(text)
    code, told = run("lookahead", "peeks.py", "--data", "bars.csv", "--json", "--cuts", "10")
    said = json.loads(told)
    assert code == 1
    assert not said["clean"]
    assert {one["kind"] for one in said["findings"]} == {kind}
    assert said["findings"][0]["ahead"] == 1
    assert said["coverage"]["cuts"] == 10
    assert said["coverage"]["outside"]
    assert run("lookahead", "peeks.py", "--data", "bars.csv", "--stamps", "ignore")[0] == 0


def test_a_run_file_is_checked_as_it_stands(folder):
    (folder / "run.toml").write_text(RUN_FILE)
    assert run("lookahead", "run.toml", "--all")[0] == 0
    code, told = run("warmup", "run.toml", "--json")
    said = json.loads(told)
    assert code == 0
    assert said["recommended"] == 15
    assert {one["name"] for one in said["settlings"]} == {"SMA(5)", "SMA(15)", "cross", "decisions"}
    code, told = run("warmup", "run.toml", "--within", "10")
    assert code == 1
    assert "TOO LITTLE" in told
    assert run("warmup", "run.toml", "--param", "slow=20", "--within", "20")[0] == 0


def test_what_cannot_be_used_is_told(folder):
    assert run("lookahead")[0] == 2
    assert run("lookahead", "one.py", "two.py")[0] == 2
    assert run("lookahead", "sma-cross", "--data", "bars.csv", "--cuts", "0")[0] == 2
    with pytest.raises(ParameterError, match="no parameter 'fats'"):
        run("warmup", "sma-cross", "--data", "bars.csv", "--param", "fats=3")
