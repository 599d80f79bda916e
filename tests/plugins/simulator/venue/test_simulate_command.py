"""`cambist simulate`: as a command, and as a process that is ended by a signal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from generic_client import GenericClient

from cambist.cli.main import main, root
from cambist_simulator.faults.vocabulary import ACTIONS, MATCHING, SELECTORS

COMMAND = [sys.executable, "-m", "cambist", "simulate"]


def run(*words):
    return CliRunner().invoke(root, ["simulate", *words], catch_exceptions=False)


def test_the_list_of_faults_has_all_of_them():
    said = run("--list-faults").stdout
    for name, action in ACTIONS.items():
        assert f"  {name}: {action.meaning}" in said
    for name in (*MATCHING, *SELECTORS):
        assert f"  {name}: " in said
    assert "labels of" not in said


def test_the_list_of_a_venue_shows_its_labels():
    assert "order.place" in run("generic", "--list-faults").stdout.rpartition("labels of generic: ")[2]
    told = json.loads(run("generic", "--list-faults", "--json").stdout)
    assert [one["name"] for one in told["faults"]] == list(ACTIONS)
    assert "order.place" in told["labels"]["generic"]


def test_it_prints_addresses_keys_and_lines_and_ends_by_itself():
    said = run("generic", "--symbols", "BTCUSDT", "--for", "300ms", "--seed", "9").stdout.splitlines()
    assert said[0].startswith("rest: http://127.0.0.1:")
    assert said[1].startswith("stream: ws://127.0.0.1:")
    assert said[2].startswith("control: http://127.0.0.1:")
    assert said[3].startswith("user trader: key ")
    assert said[-1].startswith("ended: ")
    assert "BTCUSDT " in said[-1]
    again = run("generic", "--symbols", "BTCUSDT", "--for", "100ms", "--seed", "9").stdout.splitlines()
    assert again[3:5] == said[3:5]


def test_options_reach_the_venue(tmp_path):
    script = tmp_path / "storm.toml"
    script.write_text("[[fault]]\naction = 'halt'\nsymbol = 'ETHUSDT'\n", encoding="utf-8")
    words = ["--symbols", "BTCUSDT, ETHUSDT", "--user", "ann", "--user", "bob", "--cash", "5", "--balance", "btc=2"]
    more = ["--faults", str(script), "--start", "2024-03-01", "--speed", "60", "--history", "30", "--json"]
    lines = [json.loads(one) for one in run("generic", *words, *more, "--for", "500ms").stdout.splitlines()]
    assert [one["user"] for one in lines[0]["keys"]] == ["ann", "bob"]
    state = lines[-1]
    assert state["symbols"]["ETHUSDT"]["status"] == "halt"
    assert state["fired"] == 1
    assert 0 <= state["clock"]["market"] - 1_709_251_200_000_000_000 < 120_000_000_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a venue: generic, binance"),
        (["generc"], "Did you mean 'generic'?"),
        (["generic", "--speed", "fast"], "give a number from 0 up, or 'max'"),
        (["generic", "--cash", "-1"], "give an amount from 0 up"),
        (["generic", "--balance", "BTC"], "write such as BTC=1.5"),
        (["generic", "--data", "a.csv", "--data", "b.csv"], "write --data BTCUSDT=FILE"),
        (["generic", "--data", "a.csv"], "needs symbols=[...] of one symbol"),
        (["generic", "--symbols", "BTCUSDT", "--data", "BTCUSDT=none.csv"], "there is no file 'none.csv'"),
        (["generic", "--faults", "none.toml"], "the script of faults 'none.toml' cannot be read"),
        (["generic", "--for", "long"], "--for is 'long'"),
        (["generic", "--port", "70000"], "70000 is not in the range"),
    ],
)
def test_what_cannot_be_is_told(words, told, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *words])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly(number):
    with subprocess.Popen([*COMMAND, "generic", "--json"], stdout=subprocess.PIPE, text=True) as process:
        start = json.loads(process.stdout.readline())
        who = start["keys"][0]
        client = GenericClient.of(start["endpoints"], who["key"], who["secret"])
        assert client.place().json()["status"] == "filled"
        process.send_signal(number)
        rest = process.stdout.read().splitlines()
        assert process.wait(20) == 0
    assert [json.loads(one) for one in rest]


def test_a_terminal_shows_tables():
    here, there = pty.openpty()
    words = ["generic", "--symbols", "BTCUSDT", "--for", "1500ms", "--seed", "1"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "60"}
    with subprocess.Popen([*COMMAND, *words], stdout=there, stderr=there, env=environment) as process:
        os.close(there)
        said = b""
        while True:
            try:
                piece = os.read(here, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            said += piece
        assert process.wait(20) == 0
    os.close(here)
    text = said.decode("utf-8", "replace")
    for title in ("Symbols", "WebSockets: 0", "Orders: 0", "Faults: 0", "ended: "):
        assert title in text
