"""Checking the tables of a run file: each mistake with its place, its value and a hint, and all of them at once."""

from __future__ import annotations

import subprocess
import sys

import attrs
import pytest
from pydantic import BaseModel, ConfigDict, Field

from cambist.backtest import BacktestSettings
from cambist.backtest.settings import RULES
from cambist.config.document import Document
from cambist.config.models import AccountTable, InstrumentTable, RunFile, RunTable, StorageTable, VenueTable
from cambist.config.problems import Problem, path_text, raise_problems, shown
from cambist.config.read import check_tables
from cambist.config.settings import check_settings
from cambist.errors import ConfigError
from cambist.model import Instrument, InstrumentKind
from cambist.simulation.rules import MarketFill


@pytest.fixture
def check(tmp_path):
    """Check a text; gives the problems by place."""

    def run(text):
        path = tmp_path / "run.toml"
        path.write_text(text, encoding="utf-8")
        _, problems = check_tables(Document.read(path))
        return {path_text(problem.where): problem.message for problem in problems}

    return run


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("[acount]", "acount", "there is no such key here. Did you mean 'account'?"),
        ("[account]\ncsh = 1", "account.csh", "there is no such key here. Did you mean 'cash'?"),
        ("[account]\ncash = 0", "account.cash", "it is 0; it must be above 0."),
        ("[account]\ncash = -1.5", "account.cash", "it is -1.5; it must be above 0."),
        ("[account]\ncash = inf", "account.cash", "it is inf; it takes a finite number."),
        ("[account]\ncash = nan", "account.cash", "it is nan; it takes a finite number."),
        ('[account]\ncash = "1000"', "account.cash", "it is '1000'; it takes a number. Write it without quotes."),
        ('[account]\ncash = "much"', "account.cash", "it is 'much'; it takes a number."),
        ("[account]\ncash = true", "account.cash", "it is true; it takes a number."),
        ("account = 5", "account", "it is 5; it takes a table."),
        ('[venue]\nrules = "backtradr"', "venue.rules", "it is 'backtradr'. Did you mean 'backtrader'?"),
        ('[venue]\nmarket_fill = "now"', "venue.market_fill", "it is 'now'. Known: next_open, this_close."),
        ("[venue]\nvolume_limit = 2", "venue.volume_limit", "it is 2; it must be at most 1."),
        ("[venue]\nfees = 5", "venue.fees", "it is 5; it must be below 1."),
        ('[venue]\nfees = ""', "venue.fees", "it is empty."),
        ("[venue]\nfees = { use = 5 }", "venue.fees.use", "it is 5; it takes a text in quotes."),
        ("[venue]\nfees = { maker = 0.1 }", "venue.fees.taker", "it is missing, and there is no default for it."),
        ("[venue]\nfees = { maker = 0.1, takr = 0.1, taker = 0 }", "venue.fees.takr",
         "there is no such key here. Did you mean 'taker'?"),
        ("[venue]\nfees = { per_uint = 1 }", "venue.fees.per_uint",
         "there is no such key here. Did you mean 'per_unit'?"),
        ("[venue]\nslippage = { rate = -1 }", "venue.slippage.rate", "it is -1; it must be at least 0."),
        ('[venue]\nfill_on_touch = "true"', "venue.fill_on_touch",
         "it is 'true'; it takes true or false. Write it without quotes."),
        ("[run]\nseed = 1.5", "run.seed", "it is 1.5; it takes a whole number."),
        ("[strategy]\nparameters = {}", "strategy.use", "it is missing, and there is no default for it."),
        ('[strategy]\nuse = ""', "strategy.use", "it is empty."),
        ('[strategy]\nuse = "x"\nparameter = {}', "strategy.parameter",
         "there is no such key here. Did you mean 'parameters'?"),
        ('[[data]]\nsource = "a"\n[[data]]\nsource = 3', "data[2].source", "it is 3; it takes a text in quotes."),
        ('[[data]]\nsource = "a"\ntimeframe = "1 month"', "data[1].timeframe",
         "'1 month' is no timeframe. Write a count and one of s, m (minutes), h, d, w: '1m', '4h', '1d'."),
        ('[data]\nsource = "a"\ninstrument = { tick_size = "abc" }', "data.instrument.tick_size",
         "it is 'abc'; it takes a number, such as 0.01."),
        ('[data]\nsource = "a"\ninstrument = { tick_size = 0 }', "data.instrument.tick_size",
         "it is 0; it must be above 0."),
        ('[data]\nsource = "a"\ninstrument = { tik_size = 1 }', "data.instrument.tik_size",
         "there is no such key here. Did you mean 'tick_size'?"),
        ('[data]\nsource = "a"\ninstrument = { kind = "stock" }', "data.instrument.kind",
         "it is 'stock'. Known: equity, future, fx, inverse_perpetual, linear_perpetual, spot."),
        ('risk = "none"', "risk", "it is 'none'; it takes a list."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_place_value_and_hint(check, text, place, message):
    assert check(text) == {place: message}


def test_a_sound_file_has_no_problems_and_its_values_are_read(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(
        '[[strategy]]\nuse="a.py"\n[data]\nsource="x.csv"\ninstrument={tick_size="0.10", step_size=0.001}\n'
        "[venue]\nfees={maker=-0.0001, taker=0.0005}\nslippage={amount=0.01}\n"
    )
    file, problems = check_tables(Document.read(path))
    assert problems == []
    assert str(file.data[0].instrument.tick_size) == "0.10"
    assert str(file.data[0].instrument.step_size) == "0.001"
    assert (file.venue.fees.maker, file.venue.slippage.amount) == (-0.0001, 0.01)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[account]\ncash = 0\nlevrage = 2\n[venue]\nrules = "x"\nfees = 5\n[run]\nseed = "1"\n')
    document = Document.read(path)
    _, problems = check_tables(document)
    with pytest.raises(ConfigError) as caught:
        raise_problems(document, reversed(problems))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path} has 5 mistakes:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "line 2, account.cash", "line 3, account.levrage", "line 5, venue.rules", "line 6, venue.fees",
        "line 8, run.seed",
    ]  # fmt: skip


def test_one_mistake_is_one_line(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[account]\ncash = 0\n")
    document = Document.read(path)
    with pytest.raises(ConfigError, match=r"run\.toml, line 2, account\.cash: it is 0; it must be above 0\.$"):
        raise_problems(document, check_tables(document)[1])
    raise_problems(document, [])


def test_a_value_whose_name_is_that_of_a_secret_is_not_shown():
    assert shown(("data", 0, "api_secret"), "hunter2") == "the value (not shown)"
    assert shown(("account", "cash"), "x" * 100).endswith(" ...")
    assert Problem(("a",), "b") == Problem(("a",), "b")


# What is written down twice, in the models and where it is used, must not drift apart.


#: Data beside the bars: no run file gives these.
PYTHON_ONLY = {"marks", "funding", "actions"}


def test_the_models_know_every_setting_and_its_default():
    tables = {"account": AccountTable, "venue": VenueTable, "run": RunTable}
    known = {name: field for table in tables.values() for name, field in table.model_fields.items()}
    settings = {field.name: field for field in attrs.fields(BacktestSettings)}
    known |= {"snapshots": StorageTable.model_fields["snapshots"]}  # which stands where it is used
    assert set(known) | {"sizer", "risk", "broker", "sinks"} | PYTHON_ONLY | {"stop_trigger", "book_cancels"} == set(
        settings
    )
    for name, field in known.items():
        assert (field.default or None) == (settings[name].default or None), name


def test_the_models_know_every_field_of_an_instrument_and_its_default():
    own = {field.name: field for field in attrs.fields(Instrument) if field.init}
    assert set(InstrumentTable.model_fields) == set(own)
    for name, field in InstrumentTable.model_fields.items():
        if name not in {"symbol", "settle"}:
            assert field.default == own[name].default, name
    assert set(InstrumentTable.model_fields["kind"].annotation.__args__) == set(InstrumentKind)


def test_the_models_know_every_choice():
    choices = {name: set(VenueTable.model_fields[name].annotation.__args__) for name in ("rules", "market_fill")}
    assert choices == {"rules": set(RULES), "market_fill": set(MarketFill)}


def test_a_schema_for_editors_can_be_made():
    schema = RunFile.model_json_schema()
    assert set(schema["properties"]) == {
        "strategy", "history", "data", "account", "venue", "risk", "sizer", "output", "storage", "run", "live", "paper",
        "notify", "broker", "analyzer", "sink",
    }  # fmt: skip


# Settings of components.


class Rule:
    def __init__(self, limit: float, *, copy: bool = False, names: list[str] | None = None) -> None:
        self.limit = limit


class RuleConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limit: float = Field(gt=0)
    unit: str = "lots"


def settings(table, config=None, factory=Rule, given=0):
    made, problems = check_settings(table, config, factory, given, ("risk", 0))
    return made, {path_text(problem.where): problem.message for problem in problems}


def test_settings_come_from_the_factory_where_there_is_no_model():
    assert settings({"limit": 5}) == ({"limit": 5.0}, {})
    assert settings({"limit": 5, "copy": True}) == ({"limit": 5.0, "copy": True}, {})
    assert settings({}) == ({}, {"risk[1].limit": "it is missing, and there is no default for it."})
    assert settings({"limt": 5, "limit": "5", "names": [1]})[1] == {
        "risk[1].limt": "there is no such key here. Did you mean 'limit'?",
        "risk[1].limit": "it is '5'; it takes a number. Write it without quotes.",
        "risk[1].names[1]": "it is 1; it takes a text in quotes.",
    }


def test_settings_come_from_the_component_s_own_model_with_its_defaults():
    assert settings({"limit": 5}, RuleConfig) == ({"limit": 5.0, "unit": "lots"}, {})
    assert settings({"limit": 0, "unti": "x"}, RuleConfig)[1] == {
        "risk[1].limit": "it is 0; it must be above 0.",
        "risk[1].unti": "there is no such key here. Did you mean 'unit'?",
    }


def test_what_the_core_gives_is_no_setting_and_an_open_factory_takes_anything():
    def feed(source, *, depth: int = 1, **more):
        return source, depth, more

    assert settings({"depth": 2, "other": "x"}, factory=feed, given=1) == ({"depth": 2, "other": "x"}, {})


def test_pydantic_is_not_loaded_before_a_run_file_is_read():
    program = (
        "import sys\n"
        "import cambist.config, cambist.config.document, cambist.config.problems, cambist.app.assemble\n"
        "assert 'pydantic' not in sys.modules\n"
        "import cambist.config.models\n"
        "assert 'pydantic' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
