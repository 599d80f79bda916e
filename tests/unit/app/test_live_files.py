"""The tables of a live run and of a paper run: every setting that there is, and nothing unchecked."""

from __future__ import annotations

from types import ModuleType

import attrs
import pytest

from cambist.api import SessionSpec, hookimpl
from cambist.app.live_file import read_live_file
from cambist.config.environments import CONSENT
from cambist.config.models import AccountTable, ControlTable, LiveTable, PaperTable, VenueTable
from cambist.errors import ConfigError
from cambist.live import BarHandling, LiveSettings, OnStop, Policy
from cambist.live.control import ControlSettings
from cambist.live.paper import PaperSettings
from cambist.live.resending import Resend
from cambist.plugins.registry import Registry

STRATEGY = "from cambist import Strategy\n\n\nclass Mine(Strategy):\n    pass\n"
HEAD = """
[strategy]
use = "my.py"

[[data]]
symbol = "BTC/USDT"
timeframe = "1m"
"""


@pytest.fixture(scope="module")
def registry():
    return Registry.discover()


@pytest.fixture
def read(tmp_path, registry, monkeypatch):
    monkeypatch.setenv("KEY", "a-key")
    (tmp_path / "my.py").write_text(STRATEGY)

    def run(text, *, paper=False, strategies=True):
        head = HEAD if strategies else HEAD[HEAD.index("[[data]]") :]
        (tmp_path / "run.toml").write_text(head + text)
        return read_live_file(tmp_path / "run.toml", registry, paper=paper)

    return run


def fields(cls):
    return {one.name: one.default for one in attrs.fields(cls)}


def test_the_tables_have_every_setting_with_its_default():
    # [run], [[risk]], [account], [[strategy]]; a default that depends on others
    elsewhere = {"seed", "calendar", "risk", "leverage", "strategy_bars", "currency"}
    for name, default in fields(LiveSettings).items():
        if isinstance(default, attrs.Factory) and name not in elsewhere:
            assert LiveTable.model_fields[name].default_factory() == default.factory(), name
        elif name not in elsewhere:
            said = LiveTable.model_fields[name].default
            assert (tuple(said) if isinstance(said, list) else said) == default, name
    for name, default in fields(ControlSettings).items():
        assert ControlTable.model_fields[name].default == default, name
    tables = {**VenueTable.model_fields, **AccountTable.model_fields, **PaperTable.model_fields}
    assert {name for name in fields(PaperSettings) if name not in tables} <= {"seed", "calendar"}


def test_what_a_file_says_reaches_the_run(read, tmp_path):
    plan = read("""
[account]
leverage = 2
[[risk]]
use = "max-position"
limit = 1
[run]
seed = 5
[live]
venue = "binance-usdm"
environment = "testnet"
journal = "kept"
currency = "USDC"
on_position = "adopt"
on_stop = "flatten"
audit_every = 5
practice_every = 0.005
record = true
resend = { entry = { attempts = 2 }, stop = { within = 60 }, reduce = {} }
[live.control]
exit_after = 30
[live.settings]
key = "${env:KEY}"
secret = "${env:KEY}"
countdown = 60
[[notify]]
use = "log"
name = "screen"
only = ["fill"]
at_least = "info"
burst = 3
""")
    live = plan.live
    assert (live.currency, live.seed, live.leverage, live.audit_every) == ("USDC", 5, 2, 5)
    assert (live.on_position, live.on_stop) == (Policy.ADOPT, OnStop.FLATTEN)
    assert [rule.name for rule in live.risk] == ["max-position"]
    assert live.resend == {"entry": Resend(2), "stop": Resend(None, 60), "reduce": Resend(0)}
    assert live.record
    assert live.practice_every == 0.005
    assert plan.control.exit_after == 30
    assert plan.journal == tmp_path / "kept"
    assert (plan.options["environment"], plan.options["countdown"]) == ("testnet", 60)
    (channel,) = plan.channels
    assert (channel.name, channel.only, channel.burst) == ("screen", frozenset({"fill"}), 3)
    assert "a-key" not in repr(plan)


def test_production_is_the_main_net_with_a_consent(read):
    plan = read(f"""
[live]
venue = "binance-spot"
environment = "production"
consent = "{CONSENT}"
[live.settings]
key = "${{env:KEY}}"
secret = "${{env:KEY}}"
""")
    assert plan.options["environment"] == "mainnet"


def test_a_paper_run_takes_the_venue_of_the_live_run_without_its_keys(read):
    plan = read(
        """
[account]
cash = 5_000
[venue]
fees = 0.001
latency = "50ms"
[live]
venue = "binance-spot"
environment = "testnet"
drain_within = 7
[live.settings]
key = "${env:NOT_THERE}"
secret = "${env:NOT_THERE}"
quiet_after = 5
[paper]
match_by = ["ticks", "quotes"]
""",
        paper=True,
    )
    assert plan.options["key"] is None
    assert (plan.options["environment"], plan.options["quiet_after"]) == ("testnet", 5)
    assert (plan.paper.cash, plan.paper.fees, tuple(plan.paper.match_by)) == (5_000, 0.001, ("ticks", "quotes"))
    assert (plan.environment, plan.journal.name, plan.live.drain_within) == ("paper", "paper-journal", 7)
    assert plan.account() == ""


def test_a_paper_run_needs_a_venue_and_nothing_more(read):
    plan = read('[paper]\nvenue = "binance-spot"', paper=True)
    assert plan.options["environment"] == "mainnet"
    with pytest.raises(ConfigError, match=r"there is no venue\. Add \[paper\]"):
        read("", paper=True)
    with pytest.raises(ConfigError, match="a paper account is kept in one asset"):
        read('[account]\ncash = { USDT = 1, BTC = 2 }\n[paper]\nvenue = "binance-spot"', paper=True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("environment = 'testnet'\n[live.settings]\nexchange = 'kraken'\nsandbox = false", "sandbox = false is real"),
        ("environment = 'dev'\n[live.settings]\nexchange = 'kraken'", "in dev the venue is a simulator"),
        (
            "environment = 'testnet'\n[live.settings]\nexchange = 'kraken'\nurls = { public = 'http://localhost:1' }",
            "urls leads to this machine",
        ),
        (
            f"environment = 'production'\nconsent = '{CONSENT}'\n[live.settings]\nexchange = 'kraken'\nsandbox = true",
            "sandbox = true is play money",
        ),
        ("environment = 'testnet'\n[live.settings]\nkey = 'k'\nsecret = 's'", "live.settings.exchange: it is missing"),
    ],
)
def test_any_exchange_by_polling_has_environments_too(read, said, words):
    with pytest.raises(ConfigError) as raised:
        read(f"[live]\nvenue = 'ccxt'\n{said}")
    assert words in str(raised.value)


def test_strategies_may_want_bars_handled_otherwise_than_the_run(read):
    second = '[[strategy]]\nuse = "my.py"\n'
    tables = f'missing_bars = "fill"\n{second}name = "two"\nbar_policy = {{ unit = "rescale" }}\n'
    head = f'[run]\ncalendar = "24/7"\n[[strategy]]\nuse = "my.py"\n{second}{tables}[paper]\nvenue = "binance-spot"\n'
    plan = read(head, paper=True, strategies=False)
    assert plan.live.strategy_bars == {
        "Mine-2": BarHandling(missing_bars="fill"),
        "two": BarHandling(bar_policy={"unit": "rescale"}),
    }
    assert plan.live.calendar == plan.paper.calendar == "24/7"
    with pytest.raises(ConfigError, match=r"bar_policy.*live bars are not held against a rule 'gap'"):
        read(head.replace("unit", "gap"), paper=True, strategies=False)


def test_a_venue_that_knows_no_play_money_takes_production_alone(tmp_path):
    @hookimpl
    def cambist_sessions():
        return [SessionSpec(name="acme", factory=lambda: None, summary="made up")]

    plugin = ModuleType("acme")
    plugin.cambist_sessions = cambist_sessions
    (tmp_path / "my.py").write_text(STRATEGY)
    (tmp_path / "run.toml").write_text(HEAD + "[live]\nvenue = 'acme'\nenvironment = 'testnet'\n")
    registry = Registry.of([plugin], core=True)
    with pytest.raises(ConfigError, match=r"does not say that it has play money\. It takes 'production' alone"):
        read_live_file(tmp_path / "run.toml", registry)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ('{ gap = "fill" }', "live bars are not held against a rule 'gap'"),
        ('{ unit = "interpolate" }', "unit=interpolate: unit cannot be answered so on a stream"),
        ('{ spike = "drop" }', "spike=drop"),
    ],
)
def test_a_policy_for_bars_that_cannot_be_followed_is_told_with_its_place(read, policy, message):
    table = '[live]\nvenue = "binance-spot"\nenvironment = "testnet"\nbar_policy = '
    with pytest.raises(ConfigError, match="bar_policy") as told:
        read(f"{table}{policy}\n[live.settings]\nkey = '${{env:KEY}}'\nsecret = '${{env:KEY}}'\n")
    assert message in str(told.value)
