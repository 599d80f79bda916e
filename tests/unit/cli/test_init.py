"""`cambist init`: what it writes runs, what is there stays, and what cannot be run is not written."""

from __future__ import annotations

import json
import tomllib

import pytest
from click.testing import CliRunner

from cambist.cli.main import main, root


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file() and one.suffix != ".pyc")


def ended(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(list(words))
    told = capsys.readouterr()
    return left.value.code or 0, told.out, told.err


def test_what_it_writes_runs(folder, capsys):
    code, out, _ = ended(capsys, "init", "--yes", "--storage", "none", "--data", "random:gbm")
    assert code == 0
    assert out.splitlines()[:2] == ["  run.toml", "  my_strategy.py"]
    assert "cambist backtest run.toml" in out
    assert files_in(folder) == ["my_strategy.py", "run.toml"]
    code, out, _ = ended(capsys, "backtest", "run.toml", "--json")
    assert code == 0
    result = json.loads(out)
    assert result["strategies"][0]["name"] == "MyStrategy"
    assert (result["settings"]["cash"], result["settings"]["seed"]) == (100_000, 0)
    assert ended(capsys, "config", "check", "run.toml")[1] == "run.toml can be used for: backtest\n"
    # Each line that is a comment of a setting is one that may be said.
    text = (folder / "run.toml").read_text()
    said = "".join(line.removeprefix("# ") + "\n" for line in text.splitlines()[2:])
    (folder / "all.toml").write_text(said)
    assert ended(capsys, "config", "check", "all.toml")[0] == 0, said


def test_what_is_installed_and_what_lies_there_is_proposed(folder, capsys):
    (folder / "btc.csv").write_text("time,open,high,low,close,volume\n2024-01-01,1,2,1,2,5\n2024-01-02,2,3,2,3,5\n")
    assert ended(capsys, "init", "--yes", "--venue", "binance-spot", "--strategy", "sma-cross")[0] == 0
    tables = tomllib.loads((folder / "run.toml").read_text())
    assert tables["data"] == [{"source": "btc.csv", "symbol": "BTC/USDT", "timeframe": "1m"}]
    assert tables["strategy"]["parameters"] == {"fast": 10, "slow": 30}
    assert tables["storage"] == {"url": "sqlite:///runs.db"}
    assert (tables["live"]["venue"], tables["live"]["environment"]) == ("binance-spot", "testnet")
    assert tables["live"]["settings"] == {"key": "${env:BINANCE_SPOT_KEY}", "secret": "${env:BINANCE_SPOT_SECRET}"}
    assert tables["notify"] == [{"use": "log"}]
    assert "consent" not in tables["live"]
    assert files_in(folder) == ["btc.csv", "run.toml"]


def test_nothing_is_written_over_unless_that_is_said(folder, capsys):
    (folder / "run.toml").write_text("mine")
    (folder / "my_strategy.py").write_text("from cambist import Strategy\nclass Mine(Strategy):\n    pass\n")
    code, _, err = ended(capsys, "init", "--yes", "--data", "random:gbm")
    assert code == 2
    assert "run.toml is there already. Name another file, or say --force to write over it." in err
    assert (folder / "run.toml").read_text() == "mine"
    assert ended(capsys, "init", "--yes", "--data", "random:gbm", "--force")[0] == 0
    assert 'use = "my_strategy.py"' in (folder / "run.toml").read_text()
    assert "class Mine" in (folder / "my_strategy.py").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--strategy", "sma-crss"], "no plugin offers the strategy 'sma-crss'. Did you mean 'sma-cross'?"),
        (["--data", "smples:AAPL"], "data[1].source: no plugin offers the feed 'smples'"),
        (["--cash", "-5"], "account.cash: it is -5; it must be above 0."),
        (["--venue", "binance-spt"], "no plugin offers the session 'binance-spt'"),
        (["--venue", "ccxt"], "live.settings.exchange: it is missing"),
        (["--notify", "pigeon", "--venue", "binance-spot"], "notify[1].use: no plugin offers the notifier 'pigeon'"),
        (["--storage", "sqlte:///x"], "storage.url: no plugin offers the storage 'sqlte'"),
        (["run.tml"], "run.tml does not end in .toml"),
    ],
)
def test_what_cannot_be_run_is_not_written(folder, capsys, words, told):
    code, _, err = ended(capsys, "init", "--yes", *words)
    assert code in (2, 3)
    assert told in err
    assert files_in(folder) == []


def test_at_a_terminal_it_asks_for_what_no_option_says(folder, monkeypatch):
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    (folder / "mine.toml").write_text("old")
    said = ["y", "sma-cross", "ccxt", "kraken", "ETH/EUR", "5m", "", "", "5000", "0.002", "none"]
    done = CliRunner().invoke(
        root, ["init", "mine.toml", "--data", "random:walk"], input="\n".join(said[:6] + said[7:]) + "\n"
    )
    assert done.exit_code == 0, done.output
    assert "mine.toml is there already. Write over it?" in done.output
    assert "sma-cross, rsi-reversal" in done.output
    assert "ccxt needs exchange" in done.output
    tables = tomllib.loads((folder / "mine.toml").read_text())
    assert tables["data"] == [{"source": "random:walk", "bars": 2_000, "symbol": "ETH/EUR", "timeframe": "5m"}]
    assert (tables["account"]["cash"], tables["venue"]["fees"]) == (5_000, 0.002)
    assert tables["live"]["settings"]["exchange"] == "kraken"
    assert "storage" not in tables
    refused = CliRunner().invoke(root, ["init", "mine.toml"], input="n\n")
    assert refused.exit_code == 1
    assert tomllib.loads((folder / "mine.toml").read_text()) == tables
