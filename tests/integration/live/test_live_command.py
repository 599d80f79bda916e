"""`cambist live`, `paper`, `rehearse` and `doctor` at an exchange on loopback, and what can be wrong with them."""

from __future__ import annotations

import gc
import json
import sys
from decimal import Decimal

import pytest
from live_room import Room, changes_asked

from cambist.cli.exits import Exit
from cambist.engine.rebuild import rebuild
from cambist.notify import LogNotifier
from cambist.ports.rows import FillRow
from cambist.storage.journal import JournalFolder
from cambist_simulator import ExchangeSimulator
from cambist_storage.sql.storage import SqlStorage

ORDERS = """
    from pathlib import Path

    from cambist import Strategy


    class Trader(Strategy):
        def on_start(self):
            self.bars = 0

        def on_bar(self, bar):
            self.bars += 1
            DO

        def on_order(self, order):
            with Path("heard.txt").open("a") as heard:
                heard.write(f"{order.status} {order.reason}\\n")
"""


@pytest.fixture
def simulator():
    with ExchangeSimulator("binance", symbols=["BTCUSDT"], seed=7, history=60, cash=20_000, speed=120) as made:
        yield made


@pytest.fixture
def room(tmp_path, simulator, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    key = simulator.credentials()
    monkeypatch.setenv("VENUE_KEY", key.key)
    monkeypatch.setenv("VENUE_SECRET", key.secret)
    made = Room(tmp_path, simulator, capsys)
    made.strategy()
    made.run_file()
    return made


def ledger(room, folder="journal"):
    return rebuild(JournalFolder(room.path / folder)).ledger


# From a run file to an account.


@pytest.mark.usefixtures("thawed")
def test_a_run_trades_ends_by_its_policy_and_goes_on(room, simulator, monkeypatch):
    spared: list[int] = []
    turns = [sys.getswitchinterval()]
    freeze = gc.freeze

    def freeze_and_look():
        freeze()
        spared.append(gc.get_freeze_count())
        turns.append(sys.getswitchinterval())

    monkeypatch.setattr(gc, "freeze", freeze_and_look)
    code, out, err = room.call("live", "run.toml", "--for", "3s")
    assert code == Exit.OK, err
    assert len(spared) == 1  # once it trades, the collector looks through nothing that was there before
    assert spared[0] > 100_000
    assert not gc.get_freeze_count()
    assert turns[1] < 0.001 < turns[0] == sys.getswitchinterval()  # meanwhile no thread waits long for another
    assert out.splitlines()[0] == "connecting to binance-spot (dev); journal journal: a new run"
    assert "trading BTC/USDT 1m; no differences settled" in out
    assert "stopping (its time is over): orders are canceled" in out
    before = len(simulator.fills())
    assert before
    code, out, err = room.call("live", "run.toml", "--for", "3s", "--json")
    assert code == Exit.OK, err
    events = [json.loads(line) for line in out.splitlines()]
    assert [one["phase"] for one in events if one["event"] == "phase"] == [
        "connect",
        "reconcile",
        "run",
        "drain",
        "closed",
    ]
    assert events[-1]["event"] == "ended"
    assert events[-1]["fills"] == len(simulator.fills()) - before
    there = simulator.balances()["binance-spot"]
    for asset in ("USDT", "BTC"):
        assert ledger(room).balance(asset) == there[asset].free + there[asset].locked


def test_paper_needs_no_key_and_sends_nothing(room, simulator):
    room.run_file(settings=f'url = "{simulator.url}"', more="[account]\ncash = 5_000\n[venue]\nfees = 0.001")
    code, out, err = room.call("paper", "run.toml", "--for", "4s", "--json")
    assert code == Exit.OK, err
    ended = json.loads(out.splitlines()[-1])
    assert ended["fills"] > 0
    assert not simulator.orders()
    assert not changes_asked(simulator)
    first = ledger(room, "paper-journal")
    assert first.balance("USDT") < 5_000
    code, out, err = room.call("paper", "run.toml", "--for", "3s")
    assert code == Exit.OK, err
    assert "its run goes on" in out
    state = rebuild(JournalFolder(room.path / "paper-journal"))
    assert len(state.fills) > ended["fills"]


PAIR = """
    from cambist import Strategy


    class Pair(Strategy):
        persistent = ("opened",)

        def on_start(self):
            self.opened = False

        def on_bar(self, bar):
            if not self.opened:
                self.opened = True
                self.buy(position_side="long")
                self.sell(0.01, position_side="short")
                self.buy(0.02, limit=round(bar.close * 0.9, 1), position_side="long")
"""
FUTURES = """
[account]
cash = 5_000

[account.margin]
leverage = 10
position_mode = "hedge"

[sizer]
use = "fixed"
units = 0.03

[paper]
on_stop = "keep"
"""


def test_futures_on_paper_are_hedged_and_go_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made = ExchangeSimulator("binance", symbols=["BTCUSDT:linear"], seed=7, history=60, speed=120)
    with made as simulator:
        room = Room(tmp_path, simulator, capsys)
        room.strategy(PAIR)
        file = room.run_file(
            data="symbol = 'BTC/USDT:USDT'\ntimeframe = '1m'", settings=f'url = "{simulator.url}"', more=FUTURES
        )
        file.write_text(file.read_text().replace("binance-spot", "binance-usdm"))
        for seconds in ("4s", "2s"):
            code, out, err = room.call("paper", "run.toml", "--record", "--for", seconds)
            assert code == Exit.OK, err
        assert "its run goes on" in out
        assert not simulator.orders()
    state = rebuild(JournalFolder(tmp_path / "paper-journal"))
    assert {key: leg.size for key, leg in state.portfolio.legs.items()} == {
        "BTC/USDT:USDT long": 0.03,
        "BTC/USDT:USDT short": -0.01,
    }
    assert [order.remaining for order in state.book.open.values()] == [0.02]
    code, out, err = room.call("replay", "paper-journal", "run.toml")
    assert code == Exit.OK, out + err


def test_one_file_is_backtested_and_traded(room, simulator):
    rows = "".join(f"2024-01-01T00:{minute:02}:00Z,100,101,99,100,1\n" for minute in range(10))
    (room.path / "bars.csv").write_text(f"time,open,high,low,close,volume\n{rows}")
    room.run_file(data="source = 'bars.csv'\nsymbol = 'BTC/USDT'\ntimeframe = '1m'")
    code, out, err = room.call("backtest", "run.toml", "--json")
    assert code == Exit.OK, err
    assert [one["symbol"] for one in json.loads(out)["instruments"]] == ["BTC/USDT"]
    code, _, err = room.call("live", "run.toml", "--for", "2s")
    assert code == Exit.OK, err
    assert simulator.orders()


def test_a_database_follows_the_journal_of_a_run(room):
    room.run_file(
        live="environment = 'dev'\nkeep_segments = 3",
        more='[storage]\nurl = "sqlite:///runs.db"',
    )
    code, _, err = room.call("live", "run.toml", "--for", "2s")
    assert code == Exit.OK, err
    state = rebuild(JournalFolder(room.path / "journal"))
    storage = SqlStorage(f"sqlite:///{room.path / 'runs.db'}")
    (run,) = storage.runs.runs()
    assert run.mode == "live"
    assert len(list(storage.runs.rows(run.id, FillRow))) == len(state.fills)
    storage.close()


def test_a_storage_that_keeps_no_runs_is_told_with_the_other_mistakes(room):
    room.run_file(live="environment = 'dev'\non_stop = 'cancle'", more='[storage]\nurl = "parquet:///bars"')
    code, _, err = room.call("live", "run.toml")
    assert code == Exit.BAD_INPUT
    assert "storage.url: storage by parquet does not keep runs." in err
    assert "live.on_stop" in err


def test_a_backtest_of_a_file_for_live_alone_says_what_it_lacks(room):
    code, _, err = room.call("backtest", "run.toml")
    assert code == Exit.BAD_INPUT
    assert "data[1].source: it is missing: a backtest takes its bars from a file or a feed." in err


# What is wrong before anything is connected.


def test_all_mistakes_are_told_at_once(room, simulator):
    room.run_file(
        data="timeframe = '1m'",
        live="environment = 'produktion'\non_stop = 'cancle'\njornal = 'x'",
        settings='kee = "hunter2hunter2"\n' + room.settings(),
        more='[[notify]]\nuse = "webhok"\n\n[[notify]]\nuse = "log"\nat_leats = "info"',
    )
    code, out, err = room.call("live", "run.toml")
    assert (code, out) == (Exit.BAD_INPUT, "")
    for word in (
        "data[1].symbol: it is missing",
        "live.environment: there is no environment 'produktion'. Did you mean 'production'?",
        "live.on_stop: it is 'cancle'. Did you mean 'cancel'?",
        "live.jornal: there is no such key here. Did you mean 'journal'?",
        "live.settings.kee: there is no such key here. Did you mean 'key'?",
        "notify[1].use: no plugin offers the notifier 'webhok'. Did you mean 'webhook'?",
        "notify[2].at_leats: there is no such key here. Did you mean 'at_least'?",
    ):
        assert word in err, word
    assert "hunter2" not in err
    assert not simulator.requests()
    assert not (room.path / "journal").exists()


@pytest.mark.parametrize(
    ("live", "settings", "words"),
    [
        ("environment = 'dev'", {"url": None}, "in dev the venue is an exchange simulator on this machine"),
        ("environment = 'dev'", {"url": "https://api.example.com"}, "in dev the venue is an exchange simulator"),
        ("environment = 'testnet'", {}, "url leads to a simulator, and the run trades in testnet"),
        (
            "environment = 'testnet'",
            {"url": None, "environment": "mainnet"},
            "environment = 'mainnet' is not of testnet, where the venue has testnet and demo",
        ),
        (
            "environment = 'production'\nconsent = 'i trade real money'",
            {"url": None, "environment": "demo"},
            "environment = 'demo' is not of production",
        ),
        ("environment = 'production'", {"url": None}, 'write consent = "i trade real money"'),
        ("environment = 'production'\nconsent = 'yes'", {"url": None}, "consent is 'yes', which agrees to nothing"),
        ("environment = 'dev'\nconsent = 'i trade real money'", {}, "agrees to real money"),
        ("environment = 'dev'", {"key": "${env:NO_KEY}"}, "live.settings.key, the secret ${env:NO_KEY}"),
        ("environment = 'dev'", {"key": None, "secret": None}, "there is no key, and a live run trades an account"),
        ("environment = 'dev'", {"secret": None}, "the secret is missing: give key and secret"),
    ],
)
def test_environment_and_account_have_to_go_together(room, simulator, live, settings, words):
    room.run_file(live=live, settings=room.settings(**settings))
    code, out, err = room.call("live", "run.toml")
    assert (code, out) == (Exit.BAD_INPUT, "")
    assert words in err
    assert err.count("\n") == 1, "one line"
    assert not simulator.requests()


def test_a_key_of_another_environment_is_not_used(room, simulator):
    tied = f'url = "{simulator.url}"\nkey = {{ value = "${{env:VENUE_KEY}}", environment = "production" }}\n'
    room.run_file(settings=tied + 'secret = "${env:VENUE_SECRET}"')
    code, _, err = room.call("live", "run.toml")
    assert code == Exit.BAD_INPUT
    assert "is of the environment 'production', and the run is in 'dev'" in err
    assert not simulator.requests()


# What the venue says when a run starts.


def restrict(simulator, *permissions):
    def change(venue):
        user = venue.users.get(venue.user(None))
        next(iter(user.keys.values())).permissions = frozenset(permissions)

    simulator.call(change)


def skew(simulator):
    simulator.shift("3m")


def away(simulator):
    simulator.stop()


@pytest.mark.parametrize(
    ("prepare", "changes", "code", "word", "words"),
    [
        (None, {"key": "wrong-key-of-somebody-else"}, Exit.VENUE, "api_key", "does not take this API key"),
        (None, {"secret": "wrong-secret-of-somebody"}, Exit.VENUE, "signature", "the secret does not belong to"),
        (lambda one: restrict(one, "read"), {}, Exit.VENUE, "permission", "this API key may not trade here"),
        (
            lambda one: restrict(one, "read", "spot", "withdraw"),
            {},
            Exit.VENUE,
            "key_may_withdraw",
            "may withdraw funds",
        ),
        (skew, {}, Exit.VENUE, "clock_skew", "the clock of this machine is"),
        (away, {}, Exit.VENUE, "unreachable", "cannot be reached"),
    ],
)
def test_what_the_venue_refuses_is_one_line_with_a_word(room, simulator, prepare, changes, code, word, words):
    if prepare is not None:
        prepare(simulator)
    room.run_file(settings=room.settings(**changes))
    ended, out, err = room.call("live", "run.toml", "--log-level", "error", "--json")
    told = [line for line in err.splitlines() if line.startswith("error: ")]
    assert ended == code
    assert len(told) == 1
    assert words in told[0]
    assert told[0].endswith(f"[{word}]")
    failed = [one for one in map(json.loads, out.splitlines()) if one["event"] == "failed"]
    assert [one["code"] for one in failed] == [word]


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("BTCUSDT", "Did you mean 'BTC/USDT'?"),
        ("BTC/USD", "There are BTC/USDT."),
        ("DOGE/USDT", "binance-spot does not trade 'DOGE/USDT'"),
    ],
)
def test_a_symbol_that_is_not_traded_is_told_with_what_is_near(room, symbol, words):
    room.run_file(data=f"symbol = '{symbol}'\ntimeframe = '1m'")
    code, _, err = room.call("live", "run.toml", "--log-level", "error")
    assert code == Exit.BAD_INPUT
    assert words in err
    assert "[unknown_symbol]" in err


def test_no_money_in_the_currency_of_the_run(room, simulator):
    simulator.deposit("USDT", -20_000)
    code, _, err = room.call("live", "run.toml", "--log-level", "error")
    assert code == Exit.BAD_INPUT
    assert "has no USDT; it has nothing. Fund it, or set currency. [no_funds]" in err


def test_a_journal_that_is_in_use_is_told(room):
    from cambist.storage.journal import Journal

    with Journal(room.path / "journal"):
        code, _, err = room.call("live", "run.toml", "--log-level", "error")
    assert code == Exit.FAILED
    assert "is open for writing in process" in err


# What the strategy is told while the run lives on.


@pytest.mark.parametrize(
    ("do", "fault", "words"),
    [
        ("self.bars == 2 and self.buy(0.00001)", None, "rejected notional_below_minimum"),
        ("self.bars == 2 and self.buy(5)", None, "rejected insufficient_funds"),
        ("self.bars == 2 and self.sell(0.01)", None, "rejected insufficient_funds: Account has insufficient balance"),
        ("self.buy(0.001)", ("halt", {"symbol": "BTCUSDT"}), "rejected symbol_halted"),
        ("self.buy(0.001)", ("rule_change", {"symbol": "BTCUSDT", "min_notional": 100.0}), "rejected min_notional"),
        (
            "self.buy(0.15)",
            ("foreign_order", {"user": "trader", "symbol": "BTCUSDT", "side": "buy", "size": 0.1}),
            "rejected insufficient_funds: Account has insufficient balance",
        ),
    ],
)
def test_an_order_that_cannot_be_is_told_to_the_strategy_and_the_run_lives_on(room, simulator, do, fault, words):
    if fault is not None:
        simulator.add_fault(fault[0], label="order.place", nth=1, **fault[1])
    room.strategy(ORDERS.replace("DO", do))
    code, out, err = room.call("live", "run.toml", "--for", "4s")
    assert code == Exit.OK, err
    assert any(line.startswith(words) for line in room.heard()), room.heard()
    assert "ended: its time is over" in out


# What differs at the start.


def test_a_position_that_nobody_knows_ends_the_start_until_somebody_decides(room, simulator):
    simulator.deposit("BTC", Decimal("0.5"))
    before = changes_asked(simulator)
    code, _, err = room.call("live", "run.toml", "--log-level", "error")
    assert code == Exit.UNDECIDED
    assert "BTC/USDT: this run holds 0, the venue 0.5" in err
    assert "[undecided]" in err
    code, out, _ = room.call("rehearse", "run.toml")
    assert code == Exit.UNDECIDED
    assert "differs: BTC/USDT: this run holds 0, the venue 0.5" in out
    assert changes_asked(simulator) == before
    code, out, err = room.call("live", "run.toml", "--yes", "--for", "1s")
    assert code == Exit.OK, err
    assert "1 difference settled" in out
    (settled,) = [one for one in room.records("alert_raised") if one["code"] == "reconciled"]
    assert "adopt" in settled["text"]


def test_a_rehearsal_shows_a_restart_and_changes_neither_venue_nor_journal(room, simulator):
    room.run_file(parameters="limit = 0.9", live="environment = 'dev'\non_stop = 'keep'\non_order = 'close'")
    code, _, err = room.call("live", "run.toml", "--for", "2s")
    assert code == Exit.OK, err
    (ours,) = simulator.orders(open_only=True)
    theirs = simulator.place("BTCUSDT", "buy", "0.01", "40000", client_id="somebody")
    journal = {one.name: one.read_bytes() for one in (room.path / "journal").glob("*.journal*")}
    before = changes_asked(simulator)
    code, out, err = room.call("rehearse", "run.toml", "--json")
    assert code == Exit.OK, err
    found = json.loads(out)
    assert found["goes_on"]
    assert found["asked"] == {ours.client_id: {"status": "open", "filled": "0"}} or ours.client_id in found["asked"]
    (difference,) = found["differences"]
    assert (difference["kind"], difference["policy"]) == ("order", "close")
    assert found["would_send"] == [f"cancel {theirs.client_id} in BTC/USDT"]
    assert changes_asked(simulator) == before
    assert {one.client_id for one in simulator.orders(open_only=True)} == {ours.client_id, "somebody"}
    assert {one.name: one.read_bytes() for one in (room.path / "journal").glob("*.journal*")} == journal


def test_a_rehearsal_shows_what_becomes_of_money_that_came_in_meanwhile(room, simulator):
    code, _, err = room.call("live", "run.toml", "--for", "2s")
    assert code == Exit.OK, err
    simulator.deposit("USDT", "7")
    code, out, err = room.call("rehearse", "run.toml", "--json")
    assert code == Exit.OK, err
    kinds = [(one["kind"], one["policy"]) for one in json.loads(out)["differences"]]
    assert kinds == [("balance", "adopt")]


def test_a_recorded_run_can_be_replayed(room):
    code, _, err = room.call("live", "run.toml", "--record", "--for", "3s")
    assert code == Exit.OK, err
    assert room.records("order_submitted")
    code, out, err = room.call("replay", "journal", "run.toml")
    assert code == Exit.OK, out + err
    assert out.startswith("equal: ")


# People.


def test_alarms_and_what_became_of_them_are_in_the_journal(room, simulator):
    room.run_file(
        live="environment = 'dev'\nnotify_fills = true",
        more="""
[[notify]]
use = "log"
at_least = "info"

[[notify]]
use = "webhook"
name = "nobody"
url = "http://127.0.0.1:9/hook"
only = ["run_started"]
at_least = "info"
retry = 60
""",
    )
    code, _, err = room.call("live", "run.toml", "--for", "4s")
    assert code == Exit.OK, err
    alerts = room.records("alert_raised")
    assert {"run_started", "fill"} <= {one["code"] for one in alerts}
    sent = room.records("notification_sent")
    assert {one["channel"] for one in sent if one["outcome"] == "delivered"} == {"log"}
    assert "run started: binance-spot (dev)" in next(one["text"] for one in sent)
    assert all(one["alert"] for one in sent)
    assert "channel nobody" in err


def test_a_channel_that_hangs_delays_nothing(room, simulator, monkeypatch):
    import threading

    released = threading.Event()
    monkeypatch.setattr(LogNotifier, "send", lambda _self, _notice: released.wait(60))
    room.run_file(more='[[notify]]\nuse = "log"\nat_least = "info"')
    try:
        code, _, err = room.call("live", "run.toml", "--for", "4s")
    finally:
        released.set()
    assert code == Exit.OK, err
    assert len(simulator.orders()) > 1
    assert "channel log did not come back before the end and is left behind" in err


# The doctor.


def test_the_doctor_finds_a_run_healthy(room, simulator):
    room.run_file(live="environment = 'dev'\nnative_groups = true\nnative_trails = true")
    code, out, err = room.call("doctor", "run.toml", "--json")
    assert code == Exit.OK, err
    found = {(one["topic"], one["name"]): one for one in json.loads(out)["findings"]}
    wanted = ("connection", "clock", "key", "account", "symbols", "open orders", "account stream")
    for name in (*wanted, "native_groups", "native_trails"):
        assert found["Venue", name]["state"] == "ok", name
    assert found["Journal", "journal"]["text"].startswith("none in")
    assert not changes_asked(simulator)


def test_the_doctor_says_what_is_wrong(room, simulator, monkeypatch):
    skew(simulator)
    code, out, _ = room.call("doctor", "run.toml", "--json")
    failed = [one for one in json.loads(out)["findings"] if one["state"] == "failed"]
    assert code == Exit.FAILED
    assert [(one["name"], one["code"]) for one in failed] == [("clock", "clock_skew")]
    monkeypatch.delenv("VENUE_KEY")
    code, out, _ = room.call("doctor", "run.toml")
    assert code == Exit.FAILED
    assert "the environment variable VENUE_KEY is not set" in out
