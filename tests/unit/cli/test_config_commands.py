"""`cambist config`: what a run file comes to, whether it can be used, and the schema of it."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import pytest
from click.testing import CliRunner

from cambist.app.schema import run_file_schema
from cambist.cli.main import main, root
from cambist.plugins.registry import Registry

RUN = """\
[strategy]
use = "sma-cross"
parameters = { fast = 5 }
[[data]]
source = "random:gbm"
bars = 300
[[risk]]
use = "max-position"
limit = 100
"""
LIVE = """\
extends = "run.toml"
[[data]]
symbol = "BTC/USDT"
timeframe = "1m"
[live]
venue = "binance-spot"
environment = "testnet"
[live.settings]
key = "${env:TEST_NO_SUCH_KEY}"
secret = "hunter2-hunter2"
[[notify]]
use = "webhook"
url = "https://hooks.example/T0KEN-of-the-hook"
[storage]
url = "postgresql://trader:pa55word@host/runs"
"""
NO_SOURCE = (
    "it is missing: a backtest takes its bars from a file or a feed. A live run needs symbol and timeframe alone."
)
SECRETS = ("hunter2", "T0KEN", "pa55word")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "run.toml").write_text(RUN)
    (tmp_path / "run.live.toml").write_text(LIVE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words, **env):
    done = CliRunner().invoke(root, ["config", *words], env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not [one for one in SECRETS if one in done.output]
    return done


def test_show_tells_each_value_and_where_it_is_from(folder):
    done = call("show", "run.live.toml", "--set", "account.cash=5", "--json", CAMBIST__RUN__SEED="7")
    shown = json.loads(done.stdout)
    assert [one["place"] for one in shown["sources"]] == [
        "run.toml",
        "run.live.toml",
        "CAMBIST__RUN__SEED",
        "--set account.cash",
    ]
    values = {one["key"]: (one["value"], *one["origin"].values()) for one in shown["values"]}
    assert values["strategy.parameters.fast"] == (5, "file", "run.toml", 3)
    assert values["strategy.parameters.slow"] == (30, "default", "", None)
    assert values["data[1].symbol"] == ("BTC/USDT", "file", "run.live.toml", 3)
    assert values["account.cash"] == (5.0, "option", "--set account.cash", None)
    assert values["run.seed"] == (7, "environment", "CAMBIST__RUN__SEED", None)
    assert values["risk[1].limit"] == (100, "file", "run.toml", 9)
    assert values["live.on_stop"] == ("cancel", "default", "", None)
    assert values["live.settings.recv_window"][1] == "default"
    # Secrets: what is one by its type, by its name, or inside a URL; a reference is none.
    assert values["live.settings.key"][0] == "${env:TEST_NO_SUCH_KEY}"
    assert values["live.settings.secret"][0] == "***"
    assert values["notify[1].url"][0] == "***"
    assert values["storage.url"][0] == "postgresql://trader:***@host/runs"
    assert "data[1].bars" not in values  # the list is the other file's


def test_show_for_people_and_without_defaults(folder):
    done = call("show", "run.toml", "--no-defaults")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["strategy.use", '"sma-cross"', "run.toml:2"],
        ["strategy.parameters.fast", "5", "run.toml:3"],
        ["data[1].source", '"random:gbm"', "run.toml:5"],
        ["data[1].bars", "300", "run.toml:6"],
        ["risk[1].use", '"max-position"', "run.toml:8"],
        ["risk[1].limit", "100", "run.toml:9"],
    ]
    assert "account.cash" in call("show", "run.toml").stdout


def test_show_hides_all_that_may_be_secret_of_a_plugin_that_is_not_here(folder):
    (folder / "strange.toml").write_text('[[notify]]\nuse = "carrier-pigeon"\nhome = "hunter2"\nspeed = 3\n')
    values = {one["key"]: one["value"] for one in json.loads(call("show", "strange.toml", "--json").stdout)["values"]}
    assert (values["notify[1].home"], values["notify[1].speed"]) == ("***", 3)


def test_check_finds_what_the_tables_are_for(folder):
    done = call("check", "run.toml")
    assert (done.exit_code, done.stdout) == (0, "run.toml can be used for: backtest\n")
    # The keys of a live run need not be here to check the file.
    done = call("check", "run.live.toml", "--set", "storage.url=memory:", "--json")
    assert json.loads(done.stdout) == {"file": "run.live.toml", "uses": ["live"], "mistakes": []}
    done = call("check", "run.live.toml", "--set", "storage.url=memory:", "--secrets")
    assert done.exit_code == 2
    assert "line 9, live.settings.key: " in done.stdout
    assert "the environment variable TEST_NO_SUCH_KEY is not set" in done.stdout


def test_check_tells_every_mistake_with_its_layer_and_use(folder):
    words = ("check", "run.live.toml", "--for", "live", "--for", "backtest", "--set", "account.csh=1")
    done = call(*words, "--set", "storage.url=memory:", CAMBIST__VENUE__RULES="backtradr")
    assert done.exit_code == 2
    assert done.stdout.splitlines()[0] == "run.live.toml has 3 mistakes:"
    assert sorted(done.stdout.splitlines()[1:]) == [
        "  --set account.csh: there is no such key here. Did you mean 'cash'?",
        f"  line 2, data[1].source: {NO_SOURCE} (backtest)",
        "  the environment variable CAMBIST__VENUE__RULES, venue.rules: it is 'backtradr'. Did you mean 'backtrader'?",
    ]
    found = json.loads(call(*words, "--json").stdout)
    assert {one["key"]: one["uses"] for one in found["mistakes"]}["account.csh"] == ["live", "backtest"]


def test_a_run_takes_what_is_set(folder, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["backtest", "run.toml", "--set", "account.cash=1234", "--set", "strategy.parameters.fast=7", "--json"])
    assert not ended.value.code
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings["cash"] == 1234.0
    assert settings["strategy"][0]["parameters"] == {"fast": 7}
    with pytest.raises(SystemExit) as ended:
        main(["backtest", "sma-cross", "--data", "random:gbm", "--set", "account.cash=5"])
    assert ended.value.code == 2
    assert "--set sets keys of a run file, and there is none" in capsys.readouterr().err


@pytest.fixture(scope="module")
def validator():
    schema = run_file_schema(Registry.discover(environ={"CAMBIST_PLUGINS": "samples,binance"}))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize(
    "text",
    [
        RUN,
        LIVE,
        '[data]\nsource = "bars.csv"\ninstrument = { tick_size = "0.1", step_size = 0.001 }',
        '[[data]]\nsource = "binance:BTC/USDT:1m"\n[[data]]\nsymbol = "X"\nlisten = ["ticks"]',
        '[venue]\nfees = { use = "per-order", minimum = 1.0 }\nslippage = { amount = 1 }\nlatency = "50ms"',
        '[venue]\nfees = { maker = 0.1, taker = 0.2 }\n[sizer]\nuse = "percent"\nfraction = 0.5',
        '[live.settings]\nsecret = { value = "${env:X}", environment = "testnet" }',
        '[live]\nvenue = "of-another-machine"\nsettings = { anything = 1 }',
        '[strategy]\nuse = "my.py:Mine"\nparameters = { x = 1 }',
        'extends = ["a.toml", "b.toml"]\nunset = ["venue.fees"]',
        '[[sink]]\nuse = "json-lines"\npath = "x"\n[[analyzer]]\nuse = "sharpe"\n[secrets.mount]\nfolder = "x"',
    ],
)  # fmt: skip
def test_the_schema_takes_what_a_run_file_may_say(validator, text):
    assert [error.message for error in validator.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "[account]\ncsh = 1",
        "[account]\ncash = -1",
        "[[risk]]\nuse = 'max-position'\nlimt = 3",
        "[[risk]]\nuse = 'max-position'",
        "[[risk]]\nuse = 'max-positoin'\nlimit = 3",
        "[data]\nsource = 'samples:AAPL'\nstrt = 3",
        "[data]\nsource = 'bars.csv'\nstart = 3",
        "[strategy]\nuse = 'sma-cross'\nparameters = { fsat = 3 }",
        "[strategy]\nuse = 'sma-cross'\nparameters = { fast = 0 }",
        "[live]\nvenue = 'binance-spot'\nsettings = { kye = 'x' }",
        "[venue]\nfees = { use = 'per-order', minimum = 'x' }",
        "[venue]\nfees = { use = 'half-spread' }",
        "[sizer]\nuse = 'percnt'",
        "[[notify]]\nuse = 'webhook'\nurll = 'x'",
        "[[sink]]\nuse = 'json-lines'\npth = 'x'",
        "[[analyzer]]\nuse = 'sharp'",
        "[secrets.mount]\nfoldr = 'x'",
        "extends = 5",
    ],
)
def test_the_schema_refuses_what_a_run_refuses(validator, text):
    assert list(validator.iter_errors(tomllib.loads(text)))


def test_the_schema_is_written_with_what_stands_beside_the_run_file(folder, capsys):
    (folder / "cambist_plugins.py").write_text(
        "from cambist.api import NotifierSpec, hookimpl\nclass Bell:\n    def __init__(self, tone: int = 5): ...\n"
        "@hookimpl\ndef cambist_notifiers():\n    return [NotifierSpec(name='bell', factory=Bell, summary='Rings')]\n"
    )
    done = call("schema", "run.toml", "--out", "run.schema.json")
    assert "#:schema ./run.schema.json" in done.stderr
    validator = jsonschema.Draft7Validator(json.loads((folder / "run.schema.json").read_text()))
    assert not list(validator.iter_errors(tomllib.loads('[[notify]]\nuse = "bell"\ntone = 3')))
    assert list(validator.iter_errors(tomllib.loads('[[notify]]\nuse = "bell"\ntune = 3')))
    with pytest.raises(SystemExit) as ended:
        main(["config", "schema", "--out", "nowhere/run.schema.json"])
    assert ended.value.code == 2
    assert "--out nowhere/run.schema.json: there is no folder nowhere. Make it first." in capsys.readouterr().err
