"""`cambist backtest` as a user runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_FILE = """
    [strategy]
    use = "my.py:Cross"
    parameters = { fast = 4 }
    [[data]]
    source = "bars.csv"
    symbol = "ACME"
    [account]
    cash = 5000
    [venue]
    fees = 0.001
    [output]
    dir = "out of it"
"""


def test_a_strategy_file_on_a_data_file_prints_a_table(desk):
    done = desk.run(
        "backtest", "my.py:Cross", "--data", "bars.csv", "--param", "fast=4", "--cash", "5e3", "--fees", "0.001"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Cross on bars 1d\n2024-01-01 00:00:00 UTC to 2024-07-19 00:00:00 UTC, 200 bars in ")
    for label in ("Return", "CAGR", "Sharpe ratio", "Sortino ratio", "Max drawdown", "Win rate", "Profit factor",
                  "Exposure", "Fees paid (USD)", "Buy and hold", "5,000.00"):  # fmt: skip
        assert label in done.stdout


def test_opens_are_shown_to_a_strategy_that_asks_for_them(desk):
    desk.write(
        "opens.py",
        """
        from cambist import Strategy

        class AtOpen(Strategy):
            def on_open(self, series, price):
                self.close() if self.position else self.order_target_percent(1.0)
        """,
    )
    words = ("backtest", "opens.py", "--data", "bars.csv", "--cash", "5000")
    done = desk.run(*words, "--cheat-on-open", "--out", "told")
    assert (done.returncode, done.stderr) == (0, "written to told/\n")
    fills = pd.read_csv(desk.path / "told" / "fills.csv")
    bars = desk.frame()
    assert len(fills) == len(bars) - 1
    assert fills["price"].tolist() == bars["open"].tolist()[1:]
    head = '[strategy]\nuse = "opens.py"\n[data]\nsource = "bars.csv"\n[account]\ncash = 5000\n'
    desk.write("run.toml", head + "[venue]\ncheat_on_open = true\n")
    assert desk.run("backtest", "run.toml", "--out", "read").returncode == 0
    assert (desk.path / "read" / "fills.csv").read_bytes() == (desk.path / "told" / "fills.csv").read_bytes()
    done = desk.run(*words)
    assert "on_open of AtOpen was never called: that takes cheat_on_open=True." in done.stderr


def test_the_files_of_a_result(desk):
    done = desk.run("backtest", "my.py", "--data", "bars.csv", "--out", "deep/er out")
    assert done.returncode == 0, done.stderr
    assert "written to deep/er out/" in done.stderr
    out = desk.path / "deep" / "er out"
    assert sorted(one.name for one in out.iterdir()) == [
        "bars_1.csv", "benchmark.csv", "cash.csv", "closes.csv", "equity.csv", "fills.csv", "open_trades.csv",
        "orders.csv", "positions.csv", "result.json", "trades.csv",
    ]  # fmt: skip
    document = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert document["tables"]["equity"]["rows"] == len(pd.read_csv(out / "equity.csv")) == 200
    assert document["settings"]["strategy"] == [{"use": "my.py", "parameters": {}}]
    assert document["settings"]["data"] == [{"source": "bars.csv"}]


@pytest.mark.parametrize("name", ["csv", "parquet", "json"])
def test_a_saved_result_is_shown_as_it_was(desk, name):
    run = desk.run("backtest", "my.py", "--data", "bars.csv", "--fees", "0.001", "--out", "out", "--format", name)
    assert (desk.path / "out" / f"orders.{name}").is_file()
    shown = desk.run("show", "out")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout == run.stdout
    printed = desk.run("show", "out", "--json").stdout
    assert printed == (desk.path / "out" / "result.json").read_text(encoding="utf-8")


def test_a_folder_that_holds_no_result_is_named(desk):
    desk.write("other/result.json", "{}")
    for folder, code, told in (
        ("nowhere", 2, "there is no folder 'nowhere'. Give one with a result or a journal in it, or a storage "),
        (".", 1, "result.json: there is no such file. Give a folder that "),
        ("other", 1, "other/result.json: this is JSON, but not of a result of Cambist. Give a folder that "),
    ):
        done = desk.run("show", folder)
        assert (done.returncode, done.stdout) == (code, "")
        assert told in done.stderr


def test_an_unknown_format_is_refused_before_the_run(desk):
    done = desk.run("backtest", "my.py", "--data", "bars.csv", "--out", "out", "--format", "xlsx")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: format is 'xlsx'. Known: csv, json, parquet.\n"
    assert not (desk.path / "out").exists()


def test_the_format_of_a_run_file(desk):
    desk.write("run.toml", RUN_FILE + '    format = "json"\n')
    assert desk.run("backtest", "run.toml").returncode == 0
    assert (desk.path / "out of it" / "equity.json").is_file()
    assert desk.run("backtest", "run.toml", "--format", "parquet").returncode == 0
    assert sorted(path.suffix for path in (desk.path / "out of it").iterdir()) == [".json", *[".parquet"] * 10]


def test_a_run_file_and_options_that_win(desk):
    desk.write("sub/run.toml", RUN_FILE)
    desk.write("sub/my.py", (desk.path / "my.py").read_bytes())
    (desk.path / "bars.csv").rename(desk.path / "sub" / "bars.csv")
    done = desk.run("backtest", "sub/run.toml", "--cash", "7000", "--param", "slow=9", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads((desk.path / "sub" / "out of it" / "result.json").read_text(encoding="utf-8"))
    assert (document["settings"]["cash"], document["settings"]["fees"]) == (7000, 0.001)
    assert document["strategies"][0]["parameters"] == {"fast": 4, "slow": 9}
    assert document["instruments"][0]["symbol"] == "ACME"


def test_json_goes_to_stdout_and_notes_to_stderr(desk):
    desk.write("limit.py", """
        from cambist import Strategy

        class Limit(Strategy):
            def on_bar(self, bar):
                if not self.open_orders and not self.position:
                    self.buy(limit=bar.close - 0.123)
    """)  # fmt: skip
    desk.write(
        "run.toml", '[strategy]\nuse = "limit.py"\n[data]\nsource = "bars.csv"\ninstrument = { tick_size = 0.5 }\n'
    )
    done = desk.run("backtest", "run.toml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["warnings"]
    assert "note: " in done.stderr
    assert "off its tick of 0.5" in done.stderr


def test_several_instruments_and_a_registered_strategy(desk):
    desk.bars("one.csv")
    desk.bars("two.csv")
    done = desk.run(
        "backtest", "donchian-breakout", "-d", "one.csv", "-d", "two.csv", "--symbol", "ONE", "--symbol", "TWO"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DonchianBreakout on ONE, TWO 1d\n")


def test_the_samples(desk):
    done = desk.run("backtest", "my.py", "--data", "samples:BTC-USD-15m", "--no-progress")
    assert done.returncode == 0, done.stderr
    assert "note: samples:BTC-USD-15m: sorted " in done.stderr
    assert "repeats" in done.stderr
    assert done.stdout.startswith("Cross on BTC-USD 15m\n")


def test_the_fees_of_each_instrument(desk):
    desk.write(
        "run.toml",
        """
        [strategy]
        use = "my.py"
        [data]
        source = "bars.csv"
        instrument = { taker_fee = 0.01 }
        [venue]
        fees = 0
        """,
    )
    paid = {
        fees: json.loads(desk.run("backtest", "run.toml", "--json", *fees).stdout)["summary"]["fees_paid"]
        for fees in ((), ("--fees", "instrument"), ("--fees", "0.01"))
    }
    assert paid[()] == 0 < paid["--fees", "instrument"] == paid["--fees", "0.01"]


def test_data_in_blocks_gives_the_same_trades(desk):
    whole = desk.run("backtest", "my.py", "--data", "bars.csv", "--json")
    blocks = desk.run("backtest", "my.py", "--data", "bars.csv", "--json", "--blocks")
    assert json.loads(whole.stdout)["summary"]["trades"] == json.loads(blocks.stdout)["summary"]["trades"] > 0
    assert json.loads(blocks.stdout)["settings"]["blocks"] is True


def test_progress_is_shown_when_it_is_asked_for_and_not_into_a_file(desk):
    quiet = desk.run("backtest", "my.py", "--data", "bars.csv")
    assert quiet.stderr == ""
    shown = desk.run("backtest", "my.py", "--data", "bars.csv", "--progress")
    assert "200/200" in shown.stderr
    assert shown.stdout.splitlines()[0] == "Cross on bars 1d"


def test_a_closed_pipe_is_no_disaster(desk):
    """``cambist backtest ... | head -1``: the files are written all the same."""
    line = subprocess.run(
        ["bash", "-c", f"{shlex.quote(sys.executable)} -m cambist backtest my.py --data bars.csv --out out | head -1"],
        cwd=desk.path, env=desk.environment(), capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert line.stdout == "Cross on bars 1d\n"
    assert "Traceback" not in line.stderr
    assert (desk.path / "out" / "result.json").is_file()


def test_an_output_that_knows_ascii_only(desk):
    desk.bars("börse.csv")
    done = desk.run(
        "backtest", "my.py", "--data", "börse.csv", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C.UTF-8"
    )
    assert done.returncode == 0, done.stderr
    assert "b\\xf6rse" in done.stdout
    assert "Sharpe ratio" in done.stdout


def test_the_console_script_is_the_same_command(desk):
    script = Path(sys.executable).with_name("cambist")
    done = subprocess.run([script, "version"], capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.stdout == desk.run("version").stdout != ""


def test_log_records_of_a_strategy_reach_stderr_as_asked(desk):
    desk.write("talk.py", """
        from cambist import Strategy

        class Talk(Strategy):
            def on_start(self):
                self.log.info("starting with api_secret=hunter2")

            def on_bar(self, bar):
                pass
    """)  # fmt: skip
    silent = desk.run("backtest", "talk.py", "--data", "bars.csv")
    assert silent.stderr == ""
    told = desk.run("--log-level", "info", "backtest", "talk.py", "--data", "bars.csv", "--log-json")
    record = json.loads(told.stderr)
    assert record["logger"] == "cambist.strategy.Talk"
    assert record["event"] == "starting with api_secret=***"


def test_the_core_by_itself_works_and_says_what_to_install(desk, tmp_path):
    """As after ``pip install ./core``: every package of this environment save the plugins."""
    site = tmp_path / "site"
    site.mkdir()
    found = next(Path(one) for one in sys.path if (Path(one) / "click").is_dir())
    for entry in found.iterdir():
        if not entry.name.startswith(("cambist_", "cambist-", "__editable__")) or entry.name.startswith("cambist-0"):
            (site / entry.name).symlink_to(entry)
    paths = os.pathsep.join([str(ROOT / "core" / "src"), str(site)])

    def run(*words):
        return subprocess.run(
            [sys.executable, "-S", "-m", "cambist", *words],
            cwd=desk.path, env=desk.environment(PYTHONPATH=paths), capture_output=True, encoding="utf-8", timeout=120,
            check=False,
        )  # fmt: skip

    plugins = json.loads(run("plugins", "list", "--json").stdout)["plugins"]
    assert [one["name"] for one in plugins] == ["cambist"]
    for words in (["data", "samples"], ["backtest", "my.py", "--data", "samples:AAPL"]):
        done = run(*words)
        assert done.returncode == 3
        assert done.stderr == (
            "error: no plugin offers the feed 'samples'. It comes with cambist-samples: pip install cambist-samples.\n"
        )
    done = run("backtest", "my.py", "--data", "bars.csv")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["sma_cross.toml"])
def test_the_run_files_among_the_examples_run(desk, name):
    done = desk.run("backtest", ROOT / "examples" / name, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["summary"]["trades"] > 10
    assert document["warnings"] == []


def test_every_run_file_among_the_examples_is_run_here():
    assert [path.name for path in sorted((ROOT / "examples").glob("*.toml"))] == ["sma_cross.toml"]
