"""Whatever a user gets wrong ends in one message that says what to do, and in the exit code that scripts rely on."""

from __future__ import annotations

import re

import pytest

HEAD = "time,open,high,low,close,volume\n"
GOOD = "2024-01-01,10,12,9,11,100\n2024-01-02,11,13,10,12,100\n2024-01-03,12,14,11,13,100\n"
ORDER = """
    from math import nan
    from cambist import Strategy

    class Order(Strategy):
        def on_bar(self, bar):
            self.buy({size})
"""


def failed(done, code, *words):
    """Check the shape of a failure: code, nothing on stdout, one message without a traceback, what it must say."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ") or "\nerror: " in done.stderr
    for word in words:
        assert re.search(word, done.stderr), f"{word!r} is not in: {done.stderr}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["bars.csv"]),
        (HEAD, ["bars.csv", "nothing below the first line"]),
        (HEAD + GOOD + "2023-12-31,10,12,9,11,100\n", ["2023-12-31", "Sort the bars"]),
        (HEAD + GOOD + "2024-01-03,12,14,11,13,100\n", ["2024-01-03", "(?i)repeat|drop"]),
        (HEAD + GOOD + "2024-01-04,nan,14,11,13,100\n", ["2024-01-04", "open", "(?i)nan"]),
        (HEAD + GOOD + "2024-01-04,-12,14,-13,13,100\n", ["2024-01-04", "-1[23]"]),
        (HEAD + GOOD + "2024-01-04,12,11,14,13,100\n", ["2024-01-04", "high"]),
        ("date,first,second\n2024-01-01,1,2\n", ["open"]),
        (HEAD + "2024-01-01,10,12,9,abc,100\n", ["abc"]),
        (HEAD + "yesterday,10,12,9,11,100\n", ["yesterday"]),
        (b"PAR1\x00\x01\x02\xff\xfe", ["bars.csv"]),
    ],
    ids=["nothing", "empty", "unsorted", "duplicated", "nan", "negative", "inverted", "unknown-columns", "no-number",
         "no-time", "binary"],
)  # fmt: skip
def test_bad_bars(desk, content, words):
    desk.write("bars.csv", content)
    failed(desk.run("backtest", "my.py", "--data", "bars.csv"), 2, *words)


def test_a_data_file_that_is_half_written(desk):
    whole = desk.path / "bars.parquet"
    desk.frame().reset_index().to_parquet(whole)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    failed(desk.run("backtest", "my.py", "--data", "bars.parquet"), 2, r"bars\.parquet", "(?i)not|cut|damaged")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "brs.csv"], [r"brs\.csv: there is no such file", r"Did you mean 'bars\.csv'"]),
        (["--data", "."], ["folder"]),
        (["--data", "my.py"], [r"my\.py", "csv"]),
        ([], ["there is no data", "--data"]),
        (["--data", "bars.csv", "--param", "fsat=5"], ["Cross has no parameter 'fsat'", "Did you mean 'fast'"]),
        (["--data", "bars.csv", "--param", "fast=1"], ["'fast' is 1", "at least 2"]),
        (["--data", "bars.csv", "--param", "fast=x"], ["'fast' is 'x'", "an int"]),
        (["--data", "bars.csv", "--param", "fast"], ["NAME=VALUE", "fast=5"]),
        (["--data", "bars.csv", "--cash", "0"], ["cash is 0"]),
        (["--data", "bars.csv", "--cash", "lots"], ["--cash", "lots"]),
        (["--data", "bars.csv", "--fees", "5"], ["5.0", "0.001 is 0.1 %"]),
        (["--data", "bars.csv", "--fees", "much"], ["'much' is neither a fraction"]),
        (["--data", "bars.csv", "--rules", "backtradr"], ["Did you mean 'backtrader'"]),
        (["--data", "bars.csv", "--timeframe", "1 month"], ["'1 month' is no timeframe"]),
        (["--data", "bars.csv", "--out", "bars.csv/out"], ["cannot be written to bars.csv/out", "--out"]),
        (["--data", "bars.csv", "--chas", "5"], ["No such option.*--chas", "--cash"]),
        (["other.py", "--data", "bars.csv"], ["one strategy and one run file at most"]),
    ],
)
def test_bad_options(desk, words, said):
    failed(desk.run("backtest", "my.py", *words), 2, *said)


def test_nothing_to_run(desk):
    failed(desk.run("backtest"), 2, "name a strategy", r"run\.toml", "cambist backtest --help")
    failed(desk.run("backtset"), 2, "No such command 'backtset'", "Did you mean 'backtest'")


@pytest.mark.parametrize(
    ("use", "content", "words"),
    [
        ("mine.py", None, [r"mine\.py: there is no such file"]),
        ("mine.py", "import pandsa\n", [r"mine\.py does not import", r"mine\.py:1", "No module named 'pandsa'"]),
        ("mine.py", "x = = 1\n", ["SyntaxError", r"mine\.py:1"]),
        ("mine.py", "x = 1\n", ["holds no strategy"]),
        (
            "mine.py",
            "from cambist import Strategy\nclass A(Strategy): pass\nclass B(Strategy): pass\n",
            ["holds 2 strategies: A, B", r"mine\.py:A"],
        ),
        ("my.py:Corss", None, ["no strategy 'Corss'", "Did you mean 'Cross'"]),
    ],
)
def test_bad_strategy_files(desk, use, content, words):
    if content is not None:
        desk.write("mine.py", content)
    failed(desk.run("backtest", use, "--data", "bars.csv"), 2, *words)


def test_a_strategy_that_raises_names_itself_the_bar_and_the_line_and_leaves_what_was_done(desk):
    desk.write("mine.py", """
        from cambist import Strategy

        class Typo(Strategy):
            def on_bar(self, bar):
                if not self.position:
                    self.buy()
                else:
                    self.colse()
    """)  # fmt: skip
    done = desk.run("backtest", "mine.py", "--data", "bars.csv", "--out", "out")
    failed(done, 1, r"error: Typo raised AttributeError at the bar of 2024-01-02 .*mine\.py:9, in on_bar", "colse")
    assert done.stderr.count("colse()") == 1, "it is told once"
    assert "written to out/" in done.stderr
    assert '"stopped": "Typo raised AttributeError' in (desk.path / "out" / "result.json").read_text()
    assert len((desk.path / "out" / "fills.csv").read_text().splitlines()) == 2


def test_debug_shows_the_traceback_before_the_message(desk):
    desk.write("mine.py", "import pandsa\n")
    for words in (["--debug", "backtest"], ["backtest", "--debug"]):
        done = desk.run(*words, "mine.py", "--data", "bars.csv")
        assert done.returncode == 2
        assert "Traceback (most recent call last)" in done.stderr
        assert done.stderr.splitlines()[-1].startswith("error: mine.py does not import")


@pytest.mark.parametrize(
    ("size", "word"), [("0", "0"), ("-1", "-1"), ("nan", "nan"), ("float('inf')", "inf"), ("'5'", "TypeError|'5'")]
)
def test_orders_that_could_never_be_sent(desk, size, word):
    desk.write("mine.py", ORDER.format(size=size))
    failed(
        desk.run("backtest", "mine.py", "--data", "bars.csv"),
        1,
        rf"Order raised \w+ at the bar of 2024-01-01 .*mine\.py:7, in on_bar.*({word})",
    )


def test_an_order_off_the_grid_is_told_of(desk):
    desk.write("mine.py", ORDER.format(size="0.4"))
    desk.write("run.toml", '[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\ninstrument = { step_size = 1 }\n')
    done = desk.run("backtest", "run.toml")
    assert done.returncode == 0, done.stderr
    assert re.search(r"note: 200 orders were rejected: size_\w+", done.stderr)


def test_a_run_file_with_many_mistakes(desk):
    desk.write(
        "run.toml", '[strategy]\nuse = "my.py"\nparameters = { fsat = 1 }\n[acount]\n[venue]\nfees = "x"\n[data]\n'
    )
    done = desk.run("backtest", "run.toml")
    failed(done, 2, r"run\.toml has 4 mistakes", "line 3, .*fast", "line 4, acount: .*account", "line 6", "line 7")


PLUGIN = "from cambist.api import hookimpl\n{body}\n"


@pytest.fixture
def broken_plugin(desk):
    """Install a plugin that raises at import; gives the environment that finds it."""
    site = desk.path / "site"
    desk.write("site/acme_broken.py", "raise RuntimeError('no licence')\n")
    desk.write("site/acme_broken-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme-broken\nVersion: 1.0\n")
    desk.write("site/acme_broken-1.0.dist-info/entry_points.txt", "[cambist.v1]\nbroken = acme_broken\n")
    return {"PYTHONPATH": str(site)}


def test_a_plugin_that_raises_is_told_of_and_costs_nothing_else(desk, broken_plugin):
    done = desk.run("backtest", "my.py", "--data", "bars.csv", **broken_plugin)
    assert done.returncode == 0
    assert "plugin 'broken' (acme-broken 1.0) is left out: RuntimeError: no licence" in done.stderr
    listed = desk.run("plugins", "list", **broken_plugin)
    assert listed.returncode == 0
    assert "RuntimeError: no licence" in listed.stdout


def test_a_plugin_that_raises_ends_the_run_where_plugins_are_strict_or_it_is_needed(desk, broken_plugin):
    strict = desk.run("--strict-plugins", "backtest", "my.py", "--data", "bars.csv", **broken_plugin)
    failed(strict, 3, r"plugin 'broken' \(acme-broken 1\.0\) cannot be used: RuntimeError: no licence")
    needed = desk.run("backtest", "my.py", "--data", "broken:X", **broken_plugin)
    failed(needed, 3, "no plugin offers the feed 'broken'", "RuntimeError: no licence", "cambist plugins list")
