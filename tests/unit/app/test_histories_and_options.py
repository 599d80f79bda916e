"""Recorded fills and orders, and options that say what a run file says, from the command line and a run file."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

import cambist
from cambist import AllIn, FillHistory, OrderHistory, PercentOfEquity
from cambist.app.assemble import assemble, make_plan
from cambist.app.plan import HistoryPlan, Overrides
from cambist.app.strategies import load_strategy
from cambist.cli.backtest import _overrides, backtest
from cambist.cli.main import root
from cambist.errors import ConfigError, DataError
from cambist.simulation import RandomRejection, UniformLatency

MINE = """
    from cambist import Strategy

    class Mine(Strategy):
        def on_bar(self, bar):
            self.close() if self.position else self.buy()
"""
FILLS = "time,size,price,fee\n2024-01-03,10,103.5,1\n2024-01-10,-10,111,1\n"


@pytest.fixture
def work(folder):
    folder.bars()
    folder.write("mine.py", MINE)
    folder.write("fills.csv", FILLS)
    folder.write("orders.csv", "time,side,size,limit\n2024-01-03,buy,2,\n2024-01-05,sell,2,112\n")
    return folder


@pytest.fixture
def call(work):
    """Call the command line and give its answer."""

    def run(*words):
        return CliRunner().invoke(root, ["backtest", *words], catch_exceptions=True)

    return run


def failure(done):
    """What the command line would print of an error."""
    return done.output if isinstance(done.exception, SystemExit) else str(done.exception)


# Histories.


def test_recorded_fills_run_without_a_strategy(call, work):
    done = call("--fills", "fills.csv", "--data", "bars.csv", "--json")
    told = json.loads(done.stdout)
    expected = cambist.backtest(FillHistory(work.path / "fills.csv"), work.path / "bars.csv")
    assert told["account"]["cash"] == expected.account.cash == 100_000.0 + 10 * (111 - 103.5) - 2
    assert told["settings"]["history"] == [{"fills": "fills.csv"}]
    assert [one["class"] for one in told["strategies"]] == ["FillHistory"]


def test_recorded_orders_and_fills_run_beside_a_strategy(call):
    done = call("mine.py", "--orders", "orders.csv", "--fills", "fills.csv", "-d", "bars.csv", "--json")
    told = json.loads(done.stdout)
    assert [one["name"] for one in told["strategies"]] == ["Mine", "FillHistory", "OrderHistory"]
    assert told["tables"]["fills"]["rows"] > 4


def test_a_run_file_names_histories_beside_it(work, registry, tmp_path, monkeypatch):
    saved = cambist.backtest(OrderHistory(work.path / "orders.csv", name="broker"), work.path / "bars.csv")
    saved.save(work.path / "kept")
    file = work.write(
        "run.toml",
        """
        [[history]]
        fills = "fills.csv"
        name = "statement"
        [[history]]
        orders = "kept"
        strategy = "broker"
        [data]
        source = "bars.csv"
        """,
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    plan = make_plan(registry, Overrides(), file)
    result = assemble(plan, registry).run()
    assert [one.name for one in result.strategies] == ["statement", "broker"]
    assert len(result.fill_records) == 2 + len(saved.fill_records)
    assert result.settings["history"] == [
        {"fills": "fills.csv", "name": "statement"},
        {"orders": "kept", "strategy": "broker"},
    ]
    other = HistoryPlan(kind="orders", source="kept", folder=work.path)
    replaced = make_plan(registry, Overrides(histories=(other,)), file)
    assert [one.kind for one in replaced.histories] == ["orders"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('fills = "a.csv"\norders = "b.csv"', "line 1, history: a history is of one thing: give fills or orders"),
        ('name = "x"', "line 1, history: a history is of one thing"),
        ("fills = 5", "line 2, history.fills: it is 5"),
        ('fils = "a.csv"', "line 2, history.fils: .*Did you mean 'fills'"),
    ],
)
def test_mistakes_in_a_history_are_told_with_their_lines(work, registry, table, message):
    file = work.path / "run.toml"
    file.write_text(f'[history]\n{table}\n[data]\nsource = "bars.csv"\n')
    with pytest.raises(ConfigError, match=message):
        make_plan(registry, Overrides(), file)


def test_without_strategy_and_history_there_is_nothing_to_run(call, work, registry):
    assert "name a strategy, such as my_file.py:SmaCross, or a run file" in failure(call("--data", "bars.csv"))
    with pytest.raises(ConfigError, match="there is no strategy"):
        make_plan(registry, Overrides(data=("bars.csv",)))
    alone = HistoryPlan(kind="fills", source="fills.csv")
    with pytest.raises(ConfigError, match="there is no strategy"):
        make_plan(registry, Overrides(data=("bars.csv",), parameters={"a": "1"}, histories=(alone,)))


def test_a_history_that_is_not_there_is_an_error_of_the_data(call):
    done = call("--fills", "fill.csv", "--data", "bars.csv")
    assert isinstance(done.exception, DataError)
    assert re.search(r"fill\.csv: there is no such file", failure(done))


# Options in the words of a run file.


def settings_of(registry, **said):
    plan = make_plan(registry, Overrides(strategy="mine.py", data=("bars.csv",), said=said))
    return plan.settings, plan.tables


@pytest.mark.parametrize(
    ("said", "written", "made"),
    [
        ({"latency": "50ms"}, '[venue]\nlatency = "50ms"', "50ms"),
        (
            {"latency": {"use": "uniform", "least": "1ms", "most": "9ms"}},
            '[venue]\nlatency = { use = "uniform", least = "1ms", most = "9ms" }',
            UniformLatency("1ms", "9ms"),
        ),
        ({"rejection": 0.02}, "[venue]\nrejection = 0.02", 0.02),
        (
            {"rejection": {"use": "random", "rate": 0.1, "cancels": 0.2}},
            '[venue]\nrejection = { use = "random", rate = 0.1, cancels = 0.2 }',
            RandomRejection(0.1, cancels=0.2),
        ),
        ({"sizer": "all-in"}, '[sizer]\nuse = "all-in"', AllIn()),
        (
            {"sizer": {"use": "percent", "fraction": 0.5}},
            '[sizer]\nuse = "percent"\nfraction = 0.5',
            PercentOfEquity(0.5),
        ),
        ({"calendar": "24/7"}, '[run]\ncalendar = "24/7"', "24/7"),
    ],
)
def test_an_option_means_what_a_run_file_means_by_it(work, registry, said, written, made):
    settings, tables = settings_of(registry, **said)
    file = work.path / "run.toml"
    file.write_text(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n{written}\n')
    plan = make_plan(registry, Overrides(), file)
    (name,) = said
    assert settings[name] == plan.settings[name] == made
    assert tables == plan.tables


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"latency": "-1s"}, "the command line, --latency: .*'-1s', which is negative"),
        ({"latency": "fast"}, "the command line, --latency: there is no latency model 'fast'. Known: constant"),
        ({"latency": {"use": "uniform"}}, r"--latency\.least: it is missing"),
        ({"rejection": 2.0}, "--rejection: it is 2.0; it must be at most 1"),
        ({"sizer": "all-inn"}, "--sizer: there is no sizer 'all-inn'. Did you mean 'all-in'"),
        ({"sizer": {"use": "percent", "fraction": "x"}}, r"--sizer\.fraction: it is 'x'; it takes a number"),
        ({"sizer": {"fraction": 0.5}}, r"--sizer\.use: "),
        ({"calendar": ""}, "--calendar: "),
        ({"latency": "fast", "sizer": "all-inn"}, "the command line has 2 mistakes:"),
    ],
)
def test_a_mistake_in_an_option_names_the_option(work, registry, said, message):
    with pytest.raises(ConfigError, match=message):
        settings_of(registry, **said)


def test_an_option_wins_over_the_run_file_and_the_result_says_so(work, registry):
    file = work.write(
        "run.toml",
        """
        [strategy]
        use = "mine.py"
        [data]
        source = "bars.csv"
        [venue]
        latency = { use = "uniform", least = "1ms", most = "2ms" }
        [sizer]
        use = "fixed"
        units = 3.0
        """,
    )
    overrides = Overrides(said={"latency": "7ms", "sizer": {"use": "percent", "fraction": 0.5}})
    plan = make_plan(registry, overrides, file)
    assert (plan.settings["latency"], plan.settings["sizer"]) == ("7ms", PercentOfEquity(0.5))
    result = assemble(plan, registry).run()
    assert (result.settings["latency"], result.settings["sizer"]) == ("7ms", {"use": "percent", "fraction": 0.5})


def test_the_command_line_reads_names_numbers_and_tables(call):
    words = ["mine.py", "-d", "bars.csv", "--latency", '{use = "uniform", most = "80ms"}', "--rejection", "0.02"]
    words += ["--sizer", "all-in", "--calendar", "XNYS", "--magnify", "fine.csv", "--magnify", "none"]
    read, _ = _overrides(("mine.py",), backtest.make_context("backtest", words).params)
    assert read.said == {
        "latency": {"use": "uniform", "most": "80ms"},
        "rejection": 0.02,
        "sizer": "all-in",
        "calendar": "XNYS",
    }
    assert read.magnify == ("fine.csv", "")
    done = call("mine.py", "-d", "bars.csv", "--latency", "{use")
    assert done.exit_code == 2
    assert "'{use' is no table as TOML has them, such as" in done.output


def test_the_result_of_the_command_line_is_that_of_the_function(call, work, registry):
    words = ["mine.py", "-d", "bars.csv", "--latency", "3h", "--rejection", "0.3", "--sizer", "all-in", "--seed", "5"]
    told = json.loads(call(*words, "--calendar", "24/7", "--json").stdout)
    mine = load_strategy("mine.py", registry)
    options = {"latency": "3h", "rejection": 0.3, "sizer": AllIn(), "seed": 5, "calendar": "24/7"}
    expected = cambist.backtest(mine, work.path / "bars.csv", **options)
    assert told["account"]["equity"] == expected.account.equity
    assert told["tables"]["orders"]["rows"] == len(expected.order_records)
    assert any(order.reason == "random_rejection" for order in expected.order_records)


def test_finer_bars_come_from_the_command_line(call, work, registry):
    rows = []
    for line in (work.path / "bars.csv").read_text().splitlines()[1:]:
        day, open_, high, low, close, volume = line.split(",")
        rows.append(f"{day} 00:00,{open_},{open_},{low},{low},{float(volume) / 2}")
        rows.append(f"{day} 12:00,{low},{high},{low},{close},{float(volume) / 2}")
    work.write("fine.csv", "\n".join(["time,open,high,low,close,volume", *rows, ""]))
    told = json.loads(call("mine.py", "-d", "bars.csv", "--magnify", "fine.csv", "--json").stdout)
    assert told["settings"]["magnify"] == {"bars": "12h"}
    assert told["settings"]["data"] == [{"source": "bars.csv", "magnify": "fine.csv"}]
    two = Overrides(strategy="mine.py", data=("bars.csv",), magnify=("fine.csv", ""))
    with pytest.raises(ConfigError, match="--magnify was given 2 times for 1 series"):
        make_plan(registry, two)
    file = work.write("sub/run.toml", '[strategy]\nuse = "../mine.py"\n[data]\nsource = "../bars.csv"\n')
    plan = make_plan(registry, Overrides(magnify=("fine.csv",)), file)
    assert assemble(plan, registry).run().settings["magnify"] == {"bars": "12h"}
