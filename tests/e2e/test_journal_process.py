"""``cambist journal`` as a process, on the journal of a backtest."""

from __future__ import annotations

import csv
import json
import os
import signal

import pytest

from cambist.model import to_ns


@pytest.fixture
def journal(desk):
    done = desk.run("backtest", "my.py:Cross", "--data", "bars.csv", "--fees", "0.001", "--journal", "journal")
    assert done.returncode == 0, done.stderr
    return desk.path / "journal"


def test_a_whole_journal_is_verified_and_rebuilt_to_one_state(desk, journal):
    done = desk.run("journal", "verify", "journal")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "whole: everything is what was written")
    report = json.loads(desk.run("journal", "verify", "journal", "--json").stdout)
    assert report["whole"]
    assert report["problems"] == []
    states = [
        json.loads(desk.run("journal", "rebuild", "journal", "--json", "--out", name, *more).stdout)
        for name, more in (("one", []), ("two", ["--no-snapshot"]))
    ]
    assert states[0] == states[1]
    assert states[0]["digest"] == report["state"]
    assert (desk.path / "one").read_bytes() == (desk.path / "two").read_bytes()
    assert states[0]["ended"]
    told = desk.run("journal", "rebuild", "journal").stdout
    assert f"digest     {report['state']}" in told
    assert "balance    USD" in told


def test_the_rebuilt_cash_is_that_of_the_result(desk, journal):
    command = ("backtest", "my.py:Cross", "--data", "bars.csv", "--fees", "0.001", "--json", "--out", "result")
    result = json.loads(desk.run(*command).stdout)
    state = json.loads(desk.run("journal", "rebuild", "journal", "--json").stdout)
    with (desk.path / "result" / "fills.csv").open() as file:
        assert state["fills"] == len(list(csv.DictReader(file)))
    assert float(state["balances"]["USD"]) == pytest.approx(result["account"]["cash"], rel=1e-12)


def test_what_halted_a_run_is_told(desk, journal):
    desk.write("halt.toml", HALT)
    done = desk.run("backtest", "halt.toml")
    assert done.returncode == 0, done.stderr
    state = json.loads(desk.run("journal", "rebuild", "halted", "--json").stdout)
    (hold,) = state["trading"]
    assert (hold["state"], hold["scope"], hold["by"], hold["rule"]) == ("halted", "", "max-drawdown", "max-drawdown")
    assert hold["reason"].startswith("the drawdown is ")
    ((_, last, tripped),) = state["rules"]["max-drawdown"]["peaks"].values()
    assert tripped
    assert last > 0
    (first,) = state["anchors"].values()
    with (desk.path / "bars.csv").open() as file:
        assert to_ns(next(csv.DictReader(file))["time"]) == first
    told = desk.run("journal", "rebuild", "halted").stdout
    assert "trading    all halted since " in told
    assert f", by max-drawdown: {hold['reason']}" in told
    shown = desk.run("journal", "show", "halted", "--kind", "trading_state").stdout
    assert f"state=halted reason={hold['reason']} by=max-drawdown rule=max-drawdown" in shown


HALT = """
    [strategy]
    use = "my.py:Cross"
    [[data]]
    source = "bars.csv"
    [[risk]]
    use = "max-drawdown"
    amount = 1
    [run]
    events = true
    journal = "halted"
"""


def test_the_life_of_an_order_is_one_command(desk, journal):
    done = desk.run("journal", "show", "journal", "--order", "1", "--json")
    life = json.loads(done.stdout)
    assert [one["kind"] for one in life] == ["order_submitted", "order_accepted", "order_filled"]
    assert life[0]["fields"]["client_id"].endswith("-1")
    lines = desk.run("journal", "show", "journal", "--order", "1").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [str(one["sequence"]) for one in life]
    assert len(desk.run("journal", "show", "journal").stdout.splitlines()) == 20
    few = json.loads(desk.run("journal", "show", "journal", "--from", "3", "--to", "5", "--json").stdout)
    assert [one["sequence"] for one in few] == [3, 4, 5]


def test_records_are_exported_to_the_last_digit(desk, journal):
    for name, count in (("records.jsonl", None), ("fills.csv", "order_filled")):
        more = ["--kind", count] if count else []
        done = desk.run("journal", "export", "journal", name, *more)
        assert done.returncode == 0
    lines = [json.loads(line) for line in (desk.path / "records.jsonl").read_text().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    with (desk.path / "fills.csv").open() as file:
        rows = list(csv.DictReader(file))
    fills = [line["fields"] for line in lines if line["kind"] == "order_filled"]
    assert [(row["price"], row["fee"]) for row in rows] == [(fill["price"], fill["fee"]) for fill in fills]
    again = desk.run("journal", "export", "journal", "fills.csv")
    assert (again.returncode, "there already" in again.stderr) == (2, True)


def test_a_damaged_journal_is_told_with_place_and_remedy(desk, journal):
    segment = max(journal.glob("*.cbj"))
    os.truncate(segment, segment.stat().st_size - 3)
    done = desk.run("journal", "verify", "journal")
    assert done.returncode == 1
    assert "torn_record: journal/" in done.stdout
    problem = json.loads(desk.run("journal", "verify", "journal", "--json").stdout)["problems"][0]
    assert problem["left_by_a_crash"]
    assert problem["offset"] > 0
    data = bytearray(segment.read_bytes())
    data[300] ^= 4
    segment.write_bytes(data)
    done = desk.run("journal", "rebuild", "journal")
    assert (done.returncode, done.stderr[:7]) == (1, "error: ")
    assert "last_good" in done.stderr


def test_no_journal_is_bad_input(desk):
    for words in (("verify", "."), ("show", "nowhere"), ("tail", ".")):
        assert desk.run("journal", *words).returncode == 2


def test_tail_shows_the_newest_and_follows(desk, journal):
    last = desk.run("journal", "tail", "journal", "-n", "2", "--json").stdout.splitlines()
    kinds = [json.loads(line)["kind"] for line in last]
    assert kinds[-1] == "run_stopped"
    process = desk.start("journal", "tail", "journal", "-n", "1", "--follow", "--every", "0.05", "--json")
    try:
        first = json.loads(process.stdout.readline())
        from cambist.engine.codec import CODEC
        from cambist.engine.records import OperatorCommand
        from cambist.storage.journal import Journal

        with Journal(journal) as opened:
            opened.append([CODEC.encode("operator_command", 5, OperatorCommand("flatten"))])
        following = json.loads(process.stdout.readline())
        assert following["sequence"] == first["sequence"] + 1
        assert following["fields"] == {"name": "flatten"}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        process.stdout.close()
        process.stderr.close()


def test_a_run_file_names_its_journal(desk):
    desk.write(
        "runs/run.toml",
        """
        [[strategy]]
        use = "../my.py:Cross"
        [[data]]
        source = "../bars.csv"
        [run]
        events = true
        journal = "kept"
        """,
    )
    done = desk.run("backtest", "runs/run.toml")
    assert done.returncode == 0, done.stderr
    assert desk.run("journal", "verify", "runs/kept").returncode == 0
    assert desk.run("backtest", "runs/run.toml").returncode == 2, "a journal is of one run"


COUNTING = """
    from cambist import Strategy

    class Counting(Strategy):
        persistent = ("sent",)

        def on_start(self):
            self.sent = 0

        def on_bar(self, bar):
            self.buy() if self.position.is_flat else self.close()
            self.sent += 1
"""


COUNTED = """
    [strategy]
    use = "counting.py"
    [[data]]
    source = "many.csv"
    [[risk]]
    use = "max-order-rate"
    limit = 3
    window = "1s"
    [run]
    events = true
"""


def test_a_run_that_is_killed_leaves_orders_and_strategy_state_of_one_moment(desk):
    from cambist.engine.rebuild import rebuild
    from cambist.engine.strategy_state import decode_state
    from cambist.storage.journal import Journal

    desk.write("counting.py", COUNTING)
    desk.write("counting.toml", COUNTED)
    desk.bars("many.csv", 20_000)
    counts = []
    for number, enough in enumerate((1, 30_000, 200_000, 700_000)):
        name = f"journal {number}"
        process = desk.start("backtest", "counting.toml", "--journal", name)
        folder = desk.path / name
        while process.poll() is None and sum(path.stat().st_size for path in folder.glob("*.cbj")) < enough:
            pass
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        with Journal(folder) as journal:
            assert journal.recovery.problem is None or journal.recovery.problem.code.startswith("torn")
            state = rebuild(journal)
        assert desk.run("journal", "verify", name).returncode == 0
        assert state.stopped is None
        kept = decode_state(state.states["Counting"]) if state.states else {"sent": 0}
        assert kept["sent"] == len(state.book.orders), "the state is not of the same commit as the orders"
        counts.append(kept["sent"])
        sent = [order.created_at for order in state.book.orders if not order.reason]
        if "max-order-rate" in state.rules:
            remembered = decode_state(state.rules["max-order-rate"])["sent"].get("", [])
            assert remembered == sent[-3:], "what a rule remembers is not of the same commit as the orders"
        else:
            assert not sent
    assert counts[-1] > 500, "it was killed before it had begun"


ACCOUNTS = """
from cambist import Strategy

class Main(Strategy):
    def on_start(self):
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 2:
            self.convert(100.0, "USD", "EUR")
            self.transfer(50.0, to="Own")
        if self.bars % 7 == 3:
            self.buy(1)
        elif self.bars % 7 == 6:
            self.close()

class Own(Main):
    def on_bar(self, bar):
        self.bars += 1
        if self.bars % 5 == 1:
            self.order_target_size(self.bars % 2)
"""


def test_accounts_and_assets_are_shown_each_by_itself(desk):
    import cambist

    desk.write("accounts.py", ACCOUNTS)
    desk.bars("some.csv", 120)
    names = {}
    exec(ACCOUNTS, names)  # the file that the command reads
    result = cambist.backtest(
        [names["Main"], names["Own"]],
        desk.path / "some.csv",
        cash={"USD": 10_000, "EUR": 10},
        accounts={"Own": 5_000},
        rates={"EUR/USD": 1.25},
        fees=0.001,
        events=True,
        journal=desk.path / "many",
        record=True,
    )
    assert desk.run("journal", "verify", "many").returncode == 0
    state = json.loads(desk.run("journal", "rebuild", "many", "--json").stdout)
    assert list(state["accounts"]) == ["main", "Own"]
    for name, account in state["accounts"].items():
        for asset, snapshot in result.accounts[name].assets.items():
            assert float(account["balances"][asset]) == pytest.approx(snapshot.cash, rel=1e-12)
    assert state["accounts"]["main"]["balances"]["EUR"] == "90.0"
    told = desk.run("journal", "rebuild", "many").stdout.splitlines()
    assert [line for line in told if line.startswith("account ")] == ["account    main", "account    Own"]
    moved = json.loads(desk.run("journal", "show", "many", "--kind", "cash_moved", "--last", "0", "--json").stdout)
    kinds = [(one["fields"]["kind"], one["fields"]["asset"], one["fields"]["account"]) for one in moved]
    assert kinds == [
        ("conversion", "USD", "main"),
        ("conversion", "EUR", "main"),
        ("transfer", "USD", "main"),
        ("transfer", "USD", "Own"),
    ]
    assert cambist.replay(desk.path / "many", [names["Main"], names["Own"]]).complete
