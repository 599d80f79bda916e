"""Run files over run files, the environment and the command line over both: what counts, and how mistakes are told."""

from __future__ import annotations

import pytest

from cambist.config.layers import parse_way, read_document, read_value
from cambist.config.problems import Problem, path_text, raise_problems
from cambist.errors import ConfigError

BASE = """\
[strategy]
use = "a.py"
parameters = { fast = 5, slow = 9 }
[[data]]
source = "one.csv"
[[data]]
source = "two.csv"
[account]
cash = { USD = 5 }
currency = "USD"
[venue]
fees = { maker = 0.1, taker = 0.2 }
volume_limit = 0.5
[sizer]
use = "percent"
fraction = 0.5
[live.owners]
"BTC/USDT" = "A"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "base.toml").write_text(BASE)
    return tmp_path


@pytest.fixture
def read(folder):
    def run(text="", *assigned, name="run.toml", **environ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        return read_document(folder / name, assigned, environ)

    return run


def over(text):
    return f'extends = "base.toml"\n{text}'


def test_tables_are_merged_and_lists_and_single_values_are_replaced(read):
    tables = read(
        over(
            '[strategy]\nparameters = { fast = 7 }\n[[data]]\nsource = "mine.csv"\n[account]\ncash = { EUR = 1 }\n'
            "[venue]\nfees = { per_unit = 1 }\n[live.owners]\nETH = 'B'\n"
        )
    ).tables
    assert tables["strategy"] == {"use": "a.py", "parameters": {"fast": 7, "slow": 9}}
    assert tables["data"] == [{"source": "mine.csv"}]
    assert tables["account"] == {"cash": {"EUR": 1}, "currency": "USD"}
    assert tables["venue"] == {"fees": {"per_unit": 1}, "volume_limit": 0.5}
    assert tables["live"]["owners"] == {"BTC/USDT": "A", "ETH": "B"}
    assert "extends" not in tables


def test_another_component_starts_anew_and_the_same_one_goes_on(read):
    assert read(over('[sizer]\nuse = "fixed"\nunits = 3')).tables["sizer"] == {"use": "fixed", "units": 3}
    assert read(over('[sizer]\nuse = "percent"\n')).tables["sizer"] == {"use": "percent", "fraction": 0.5}
    assert read(over("[sizer]\nfraction = 1")).tables["sizer"] == {"use": "percent", "fraction": 1}
    assert read(over(""), "sizer.units=3", "sizer.use=fixed").tables["sizer"] == {"use": "fixed", "units": 3}


def test_what_is_below_can_be_left_out(read):
    tables = read('extends = "base.toml"\nunset = ["venue.volume_limit", "sizer", "data[2]"]').tables
    assert tables["venue"] == {"fees": {"maker": 0.1, "taker": 0.2}}
    assert "sizer" not in tables
    assert tables["data"] == [{"source": "one.csv"}]
    with pytest.raises(ConfigError, match=r"run\.toml, line 2, unset: nothing below says 'venue\.volume'"):
        read('extends = "base.toml"\nunset = ["venue.volume"]')


def test_files_below_are_laid_in_their_order_and_from_their_own_folders(read, folder):
    (folder / "shared").mkdir()
    (folder / "shared" / "desk.toml").write_text(
        'extends = "../base.toml"\n[output]\ndir = "results"\n[run]\nseed = 1\n'
    )
    (folder / "other.toml").write_text("[run]\nseed = 2\n")
    document = read('extends = ["shared/desk.toml", "other.toml"]\n[run]\nblocks = true\n')
    assert document.tables["run"] == {"seed": 2, "blocks": True}
    assert document.folder_of(("output", "dir")) == folder / "shared"
    assert document.folder_of(("data", 0, "source")) == folder
    assert str(document.origin_of(("output", "dir"))) == f"{folder / 'shared' / 'desk.toml'}:3"
    assert [one.path.name for one in document.sources] == ["base.toml", "desk.toml", "other.toml", "run.toml"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'extends = "bse.toml"',
            r"run\.toml, line 1, extends: there is no file .*bse\.toml\. Did you mean 'base\.toml'",
        ),
        ("extends = 5", r'line 1, extends: it takes a file, such as extends = "base\.toml"'),
        ('extends = "run.toml"', r"run\.toml extends itself in the end: run\.toml -> run\.toml"),
        ('extends = "base.toml"\nunset = "x"', r"line 2, unset: it takes a list of keys"),
        ('extends = "base.toml"\nunset = ["a..b"]', r"'a\.\.b' names no place in a run file"),
    ],
)
def test_what_cannot_lie_below(read, text, told):
    with pytest.raises(ConfigError, match=told):
        read(text)


def test_the_environment_lies_over_files_and_the_command_line_over_both(read):
    document = read(
        over(""),
        "data[2].source=three.csv",
        'live.owners."BTC/USDT"=B',
        "account.currency=EUR",
        CAMBIST__DATA__1__SOURCE="env.csv",
        CAMBIST__ACCOUNT__CURRENCY="GBP",
        CAMBIST__RUN__BLOCKS="true",
        CAMBIST__VENUE__FEES="{ use = 'per-order', minimum = 1.0 }",
        CAMBIST_PLUGINS="none",
    )
    assert [one["source"] for one in document.tables["data"]] == ["env.csv", "three.csv"]
    assert document.tables["account"]["currency"] == "EUR"
    assert document.tables["run"] == {"blocks": True}
    assert document.tables["venue"]["fees"] == {"use": "per-order", "minimum": 1.0}
    assert document.tables["live"]["owners"] == {"BTC/USDT": "B"}
    assert str(document.origin_of(("data", 0, "source"))) == "CAMBIST__DATA__1__SOURCE"
    assert str(document.origin_of(("data", 1, "source"))) == "--set data[2].source"
    assert document.origin_of(("data",)).line == 4


def test_one_table_alone_and_a_list_of_one_are_the_same_to_who_sets_them(read):
    for text in ('[data]\nsource = "x"', '[[data]]\nsource = "x"'):
        for key in ("data.source", "data[1].source"):
            data = read(text, f"{key}=y").tables["data"]
            assert (data if isinstance(data, dict) else data[0]) == {"source": "y"}
    assert read("", "data[1].source=y", "data[2].source=z").tables["data"] == [{"source": "y"}, {"source": "z"}]
    assert read("", "strategy.use=a.py").tables == {"strategy": {"use": "a.py"}}


@pytest.mark.parametrize(
    ("assigned", "told"),
    [
        ("account", "is not of the form KEY=VALUE, such as account.cash=5000"),
        ("=5", "is not of the form KEY=VALUE"),
        ("a b=5", "'a b' names no place in a run file"),
        ("data[0].source=x", "entries of a list are counted from 1"),
        ("data.source=x", r"--set data.source: data is a list of 2. Say which, such as data\[1\]"),
        ("data[4].source=x", r"data has 2 entries, and no entry 4"),
        ("account[2].cash=5", "account is one table, and has no entry 2"),
        ("account[1]=5", r"--set account\[1\]: account is a table. Say which of its keys"),
    ],
)
def test_what_cannot_be_set(read, assigned, told):
    with pytest.raises(ConfigError, match=told):
        read(over(""), assigned)


def test_a_variable_that_names_nothing_is_told(read):
    for name in ("CAMBIST__", "CAMBIST__ACCOUNT____CASH", "CAMBIST__DATA__0__SOURCE"):
        with pytest.raises(ConfigError, match=f"the environment variable {name} names no place"):
            read("", **{name: "5"})


def test_a_secret_is_a_text_and_not_seen_on_a_command_line(read):
    assert read("", CAMBIST__LIVE__SETTINGS__SECRET="12345").tables["live"]["settings"]["secret"] == "12345"
    with pytest.raises(ConfigError, match=r"--set live\.settings\.secret: everybody on this machine") as told:
        read("", "live.settings.secret=hunter2")
    assert "hunter2" not in str(told.value)
    assert read("", "live.settings.secret=${env:KEY}").tables["live"]["settings"]["secret"] == "${env:KEY}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("5.0", 5.0), ("true", True), ("[1, 'a']", [1, "a"]), ("'5'", "5"), ("1d", "1d"), ("", ""),
        ("bars.csv", "bars.csv"), ("{ a = 1 }", {"a": 1}), ("5\ny = 3", "5\ny = 3"), ("BTC/USDT", "BTC/USDT"),
    ],
)  # fmt: skip
def test_a_text_is_read_as_toml_and_else_is_a_text(text, value):
    assert read_value(text, ("account", "cash")) == value


def test_ways_are_read_as_they_are_told():
    for way in (("a",), ("data", 0, "source"), ("live", "owners", "BTC/USDT"), ("a", 1, 2, "b-c")):
        assert parse_way(path_text(way)) == way


def test_a_mistake_is_told_with_the_layer_it_is_in(read, folder):
    document = read(over("[account]\nb = 1"), "run.c=1", CAMBIST__RUN__D="1")
    with pytest.raises(ConfigError) as told:
        raise_problems(
            document,
            [
                Problem(way, "no.")
                for way in (("run", "c"), ("venue", "volume_limit"), ("run", "d"), ("account", "b"), ())
            ],
        )
    assert str(told.value).splitlines()[1:] == [
        "  no.",
        "  line 3, account.b: no.",
        f"  {folder / 'base.toml'}, line 13, venue.volume_limit: no.",
        "  --set run.c: no.",
        "  the environment variable CAMBIST__RUN__D, run.d: no.",
    ]
