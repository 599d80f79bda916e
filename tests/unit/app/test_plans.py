"""Run file and command line together make a plan, and a plan makes a run whose result says how it was made."""

from __future__ import annotations

import json
import re
import types
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

import cambist
from cambist import Deleveraging, Interest, MarginTier
from cambist.api import FeedSpec, RiskRuleSpec, SimulationModelSpec, hookimpl
from cambist.app.assemble import assemble, make_plan
from cambist.app.plan import Overrides
from cambist.app.runfile import SIZERS
from cambist.config.explain import _models
from cambist.config.models import RunFile
from cambist.data.load import open_source
from cambist.errors import ConfigError, ParameterError, StrategyError
from cambist.model.times import to_ns
from cambist.plugins.registry import Registry
from cambist.risk.rules.open_orders import MaxOpenOrdersRule
from cambist.risk.rules.position import MaxPositionRule
from cambist.simulation import (
    FeesBySymbol,
    FixedFee,
    FixedSlippage,
    InstrumentFees,
    MakerTakerFee,
    PercentFee,
    PerOrderFee,
    TieredFee,
)
from cambist.strategies import AtrRisk, Kelly, VolatilityTarget

ROOT = Path(__file__).resolve().parents[3]
STRATEGY = """
    from cambist import Strategy, param

    class Mine(Strategy):
        every: int = param(3, ge=1)
        label: str = param("x")

        def on_start(self):
            self.count = 0

        def on_bar(self, bar):
            self.count += 1
            if self.count % self.every == 0:
                self.close() if self.position else self.buy()
"""
FULL = """
    [strategy]
    use = "mine.py:Mine"
    name = "first"
    [strategy.parameters]
    every = 2

    [[data]]
    source = "bars.csv"
    symbol = "ACME"
    timeframe = "1d"
    [data.instrument]
    kind = "equity"
    tick_size = "0.01"
    step_size = 1
    taker_fee = 0.002

    [account]
    cash = 50_000
    leverage = 2

    [venue]
    fees = { maker = 0.0001, taker = 0.0005 }
    slippage = { amount = 0.02 }
    rules = "cambist"
    market_fill = "this_close"
    path = "pessimistic"
    volume_limit = 0.5
    fill_on_touch = false

    [[risk]]
    use = "max-position"
    limit = 100
    [[risk]]
    use = "max-open-orders"
    limit = 7

    [sizer]
    use = "percent"
    fraction = 0.25

    [output]
    dir = "results/one"

    [run]
    seed = 11
    blocks = true
    benchmark = false
    periods_per_year = 252
"""


REMEMBERING = """
    [strategy]
    use = "mine.py"
    [[data]]
    source = "bars.csv"
    [[risk]]
    use = "max-daily-loss"
    share = 0.03
    then = "reduce"
    until = "resumed"
    time_zone = "America/Chicago"
    day_starts = "17:00"
    orders = "keep"
    [[risk]]
    use = "max-drawdown"
    amount = 250
    [[risk]]
    use = "max-order-rate"
    limit = 5
    window = "10m"
    per = "symbol"
    [[risk]]
    use = "max-consecutive-losses"
    limit = 4
    pause = "1d"
"""


@pytest.fixture
def plan(folder, registry):
    folder.write("mine.py", STRATEGY)
    folder.bars()

    def make(text=None, *, known=registry, **overrides):
        run_file = None if text is None else folder.write("run.toml", text)
        return make_plan(known, Overrides(**overrides), run_file)

    return make


def test_rules_that_remember_are_made_of_their_tables(plan):
    assert [(rule.name, rule._settings) for rule in plan(REMEMBERING).settings["risk"]] == [
        ("max-daily-loss", (None, 0.03, "reduce", "resumed", "America/Chicago", "17:00", "keep")),
        ("max-drawdown", (250, None, "halt", "cancel_opening")),
        ("max-order-rate", (5, "10m", "symbol", "refuse", "cancel_opening")),
        ("max-consecutive-losses", (4, "1d", "halt", "cancel_opening")),
    ]
    with pytest.raises(ConfigError) as caught:
        plan(REMEMBERING.replace('"reduce"', '"stop"').replace('"1d"', "-1").replace("share", "shared"))
    told = str(caught.value)
    assert "risk[1].shared" in told
    assert "max-consecutive-losses: pause is -1; it must be longer than nothing" in told


def test_a_run_file_says_everything(plan, folder):
    made = plan(FULL)
    (strategy,) = made.strategies
    assert (strategy.cls.__name__, strategy.name, strategy.parameters) == ("Mine", "first", {"every": 2})
    (series,) = made.series
    assert series.timeframe == "1d"
    assert series.instrument == cambist.Instrument(
        symbol="ACME", kind="equity", tick_size="0.01", step_size="1", taker_fee=0.002
    )
    settings = dict(made.settings)
    rules = settings.pop("risk")
    assert [(rule.name, rule.limit) for rule in rules] == [("max-position", 100.0), ("max-open-orders", 7)]
    assert settings.pop("sizer") == cambist.PercentOfEquity(0.25)
    assert settings == {
        "cash": 50_000, "leverage": 2, "fees": MakerTakerFee(0.0001, 0.0005), "slippage": FixedSlippage(0.02),
        "rules": "cambist", "market_fill": "this_close", "path": "pessimistic", "volume_limit": 0.5,
        "fill_on_touch": False, "seed": 11, "blocks": True, "benchmark": False, "periods_per_year": 252,
    }  # fmt: skip
    assert made.output == folder.path / "results" / "one"


@pytest.mark.parametrize(
    ("said", "fees"),
    [
        ("0.001", 0.001),
        ('"instrument"', InstrumentFees()),
        ("{ per_unit = 0.005 }", FixedFee(0.005)),
        ("0", 0.0),
        ('{ use = "per-order", minimum = 1.0 }', PerOrderFee(minimum=1.0)),
        ('{ use = "per_order_fee" }', PerOrderFee()),
        (
            '{ use = "tiered", tiers = [[0, 0.001, 0.001], [1e6, 0, 0.0005]] }',
            TieredFee([(0, 0.001, 0.001), (1e6, 0, 0.0005)]),
        ),
        (
            '{ use = "by-symbol", models = { bars = { maker = 0, taker = 0.1 } }, default = 0.001 }',
            FeesBySymbol({"bars": MakerTakerFee(0, 0.1)}, 0.001),
        ),
    ],
)
def test_the_forms_of_fees(plan, said, fees):
    made = plan(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[venue]\nfees = {said}\n')
    assert made.settings["fees"] == fees


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ('"y"', "line 6, venue.fees: there is no fee model 'y'. Known: by-symbol, fixed"),
        ('{ use = "per-ordr" }', "line 6, venue.fees.use: there is no fee model 'per-ordr'. Did you mean 'per-order'?"),
        (
            '{ use = "per-order", minmum = 1 }',
            "line 6, venue.fees.minmum: there is no such key here. Did you mean 'minimum'?",
        ),
        ('{ use = "percent" }', "venue.fees.rate: it is missing, and there is no default for it."),
        ('{ use = "per-order", minimum = -1 }', "line 6, venue.fees: PerOrderFee: minimum is -1"),
    ],
)
def test_mistakes_in_the_model_of_fees(plan, said, mistake):
    with pytest.raises(ConfigError) as caught:
        plan(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[venue]\nfees = {said}\n')
    assert mistake in str(caught.value)


def test_a_plugins_model_can_be_named_and_the_result_tells_of_it(plan, folder):
    module = types.ModuleType("models")

    @hookimpl
    def offer():
        return [SimulationModelSpec(name="dear-fee", model="fee", factory=lambda rate: PercentFee(rate * 2))]

    module.cambist_simulation_models = offer
    text = '[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[venue]\nfees = { use = "dear", rate = 0.01 }\n'
    made = plan(text, known=Registry.of([module], core=True))
    assert made.settings["fees"] == PercentFee(0.02)
    assert made.describe()["fees"] == {"use": "dear", "rate": 0.01}


def test_a_plugins_market_rules_can_be_named(plan, folder):
    module = types.ModuleType("markets")

    @hookimpl
    def offer():
        make = lambda lot=50: cambist.MarketRules(name="moon", lot=lot)  # noqa: E731
        return [SimulationModelSpec(name="moon-market-rules", model="market-rules", factory=make)]

    module.cambist_simulation_models = offer
    text = '[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[venue]\nmarket_rules = '
    known = Registry.of([module], core=True)
    assert plan(text + '"moon"', known=known).settings["market_rules"].lot == 50
    made = plan(text + '{ use = "moon", lot = 7 }', known=known)
    assert made.settings["market_rules"].lot == 7
    assert made.describe()["market_rules"] == {"use": "moon", "lot": 7}


@pytest.mark.parametrize("name", SIZERS)
def test_every_sizer_can_be_named(plan, name):
    needed = "percent = 0.5" if name == "target" else ""
    made = plan(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[sizer]\nuse = "{name}"\n{needed}\n')
    assert type(made.settings["sizer"]) is SIZERS[name]


@pytest.mark.parametrize(
    ("said", "sizer"),
    [
        ('use = "fixed"\nunits = 6\ntranches = 3', cambist.FixedSize(6, 3)),
        ('use = "all-in"\nbuffer = 0\nwhole = true', cambist.AllIn(0, whole=True)),
        ('use = "risk"\nfraction = 0.02\npercent = 0.05', cambist.RiskPerTrade(0.02, percent=0.05)),
        ('use = "atr-risk"\nmultiple = 3\nperiod = 20', AtrRisk(multiple=3, period=20)),
        ('use = "kelly"\nscale = 1\nwin_rate = 0.6\npayoff = 1.5', Kelly(1, win_rate=0.6, payoff=1.5)),
        ('use = "volatility-target"\nannual = 0.1\nperiods_per_year = 252', VolatilityTarget(0.1, 60, 252)),
    ],
)
def test_settings_of_sizers(plan, said, sizer):
    made = plan(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[sizer]\n{said}\n')
    assert made.settings["sizer"] == sizer


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('use = "al-in"', "line 6, sizer.use: there is no sizer 'al-in'. Did you mean 'all-in'?"),
        ('use = "target"', "line 5, sizer: Target is given nothing; give one of units=10"),
        ('use = "kelly"\nscal = 1', "line 7, sizer.scal: there is no such key here. Did you mean 'scale'?"),
        ('use = "kelly"\nwin_rate = 0.6', "sizer: Kelly: win_rate is 0.6 and payoff None; give both"),
        ('use = "risk"\nstop = -5', "sizer: RiskPerTrade: stop is -5"),
        ('use = "risk"\nstop = 5\npercent = 0.1', "sizer: RiskPerTrade: stop and percent are given"),
    ],
)
def test_wrong_settings_of_sizers(plan, said, message):
    with pytest.raises(ConfigError) as caught:
        plan(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[sizer]\n{said}\n')
    assert message in str(caught.value)


def test_several_strategies_and_series(plan, folder):
    folder.bars("other.csv")
    made = plan(
        """
        [[strategy]]
        use = "mine.py"
        [[strategy]]
        use = "sma-cross"
        parameters = { fast = 3 }
        [[data]]
        source = "bars.csv"
        [[data]]
        source = "other.csv"
        """
    )
    assert [strategy.cls.__name__ for strategy in made.strategies] == ["Mine", "SmaCross"]
    assert [series.source for series in made.series] == ["bars.csv", "other.csv"]


def test_the_command_line_alone(plan):
    made = plan(strategy="mine.py", data=("bars.csv",), parameters={"every": "4"}, settings={"cash": 5.0})
    assert made.strategies[0].parameters == {"every": 4}
    assert made.settings == {"cash": 5.0}


def test_the_command_line_wins(plan, folder):
    folder.bars("other.csv")
    made = plan(
        FULL,
        data=("other.csv",),
        symbols=("OTHER",),
        timeframe="2d",
        parameters={"label": "y"},
        settings={"fees": 0.5, "cash": 1.0},
        output=folder.path / "elsewhere",
    )
    assert made.strategies[0].parameters == {"every": 2, "label": "y"}
    assert [(one.source, one.symbol, one.timeframe, one.instrument) for one in made.series] == [
        ("other.csv", "OTHER", "2d", None)
    ]
    assert (made.settings["fees"], made.settings["cash"], made.settings["leverage"]) == (0.5, 1.0, 2)
    assert "fees" not in made.tables
    assert made.output == folder.path / "elsewhere"


def test_what_the_command_line_replaces_need_not_be_right(plan):
    made = plan(
        '[strategy]\nuse = "gone.py"\n[data]\nsource = "gone:x"\nodd = 1\n', strategy="mine.py", data=("bars.csv",)
    )
    assert made.strategies[0].use == "mine.py"


def test_a_symbol_given_to_an_instrument_renames_it(plan):
    assert plan(FULL, symbols=("NEW",)).series[0].instrument.symbol == "NEW"


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        (None, {"data": ("bars.csv",)}, r"there is no strategy\. Name one, such as my_file\.py:SmaCross\.$"),
        (None, {"strategy": "mine.py"}, r"there is no data\. Give --data FILE or --data samples:AAPL\.$"),
        ("", {"strategy": "mine.py"}, r"there is no data\..*or add \[\[data\]\] to .*run\.toml"),
        (
            None,
            {"strategy": "mine.py", "data": ("bars.csv",), "symbols": ("A", "B")},
            "--symbol was given 2 times for 1",
        ),
        (
            '[[strategy]]\nuse="mine.py"\n[[strategy]]\nuse="sma-cross"\n[data]\nsource="bars.csv"',
            {"parameters": {"fast": "5"}},
            r"--param cannot tell which of 2 strategies it is for: mine\.py, sma-cross",
        ),
    ],
)
def test_what_does_not_go_together(plan, text, overrides, message):
    with pytest.raises(ConfigError, match=message):
        plan(text, **overrides)


def test_every_mistake_of_every_part_is_told_at_once(plan):
    with pytest.raises(ConfigError) as caught:
        plan(
            """
            [strategy]
            use = "mine.py"
            parameters = { evry = 1, every = 0, label = 5 }
            [[data]]
            source = "bars.csv"
            smybol = "X"
            [[data]]
            source = "smples:AAPL"
            [[data]]
            source = "bars.csv"
            symbol = "A"
            instrument = { symbol = "B" }
            [[data]]
            source = "bars.csv"
            instrument = { min_size = 5, max_size = 1 }
            [account]
            cash = 0
            [[risk]]
            use = "max-postion"
            [[risk]]
            use = "max-position"
            limt = 5
            [[risk]]
            use = "max-position"
            limit = -5
            [sizer]
            use = "percent"
            fraction = 0
            """
        )
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert [line.partition(": ")[0] for line in lines[1:]] == [
        "line 4, strategy.parameters.evry",
        "line 4, strategy.parameters.every",
        "line 4, strategy.parameters.label",
        "line 7, data[1].smybol",
        "line 9, data[2].source",
        "line 12, data[3].symbol",
        "line 16, data[4].instrument",
        "line 18, account.cash",
        "line 20, risk[1].use",
        "line 21, risk[2].limit",
        "line 23, risk[2].limt",
        "line 24, risk[3]",
        "line 27, sizer",
    ]
    told = dict(line.partition(": ")[::2] for line in lines[1:])
    assert told["line 4, strategy.parameters.evry"] == "Mine has no such parameter. Did you mean 'every'?"
    assert told["line 4, strategy.parameters.every"] == "it is 0; it takes an int, at least 1."
    assert told["line 7, data[1].smybol"] == "there is no such key here. Did you mean 'symbol'?"
    assert "max_size 1" in told["line 16, data[4].instrument"]
    assert "Did you mean 'max-position'?" in told["line 20, risk[1].use"]
    assert told["line 24, risk[3]"].startswith("max-position: limit is -5.0; it must be a positive size.")


def test_a_strategy_file_that_does_not_import_is_one_of_the_mistakes(plan, folder):
    folder.write("broken.py", "1 / 0\n")
    with pytest.raises(
        ConfigError, match=r"line 2, strategy\.use: broken\.py does not import: ZeroDivisionError at broken"
    ):
        plan('[strategy]\nuse = "broken.py"\n')


def test_a_parameter_without_a_default_is_missed_unless_the_command_line_gives_it(plan, folder):
    folder.write("mine.py", STRATEGY.replace('param("x")', "param(doc='required')"))
    text = '[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n'
    with pytest.raises(ConfigError, match=r"line 1, strategy\.parameters\.label: Mine needs a value here"):
        plan(text)
    assert plan(text, parameters={"label": "y"}).strategies[0].parameters == {"label": "y"}


class LimitConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")
    most: float = Field(gt=0)
    unit: str = "lots"


class PluginRule:
    name = "plugin-rule"

    def __init__(self, most, unit):
        self.most, self.unit = most, unit

    def concerns(self, instrument):
        return True

    def review(self, order, view):
        return None


@pytest.fixture
def plugged():
    module = types.ModuleType("acme_mixed")

    @hookimpl
    def cambist_risk_rules():
        return [RiskRuleSpec(name="plugin-rule", factory=PluginRule, config=LimitConfig)]

    @hookimpl
    def cambist_feeds():
        def open_feed(source, *, depth: int = 1, timeframe: str = "1d"):
            return open_source(f"{source}.csv")

        return [FeedSpec(name="acme", factory=open_feed, capabilities={"history"})]

    module.cambist_risk_rules = cambist_risk_rules
    module.cambist_feeds = cambist_feeds
    return Registry.of([module], core=True)


def test_a_plugin_s_own_settings_are_checked_with_the_rest(plan, plugged):
    text = '[strategy]\nuse = "mine.py"\n[data]\nsource = "acme:bars"\n{data}\n[[risk]]\nuse = "plugin-rule"\n{risk}\n'
    with pytest.raises(ConfigError) as caught:
        plan(text.replace("{data}", 'dpth = 1\ntimeframe = "1d"').replace("{risk}", "most = 0"), known=plugged)
    assert "data.dpth: there is no such key here. Did you mean 'depth'?" in str(caught.value)
    assert "risk[1].most: it is 0; it must be above 0." in str(caught.value)
    made = plan(text.replace("{data}", "depth = 4").replace("{risk}", "most = 3"), known=plugged)
    assert made.series[0].settings["depth"] == 4
    (rule,) = made.settings["risk"]
    assert (rule.most, rule.unit) == (3.0, "lots")
    assert len(assemble(made, plugged).run().fills) > 0


def test_the_page_about_run_files_shows_every_key_and_what_it_shows_can_be_read(plan, folder):
    page = (ROOT / "docs" / "how-to" / "run-file.md").read_text(encoding="utf-8")
    text = max(re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL), key=len)
    folder.write("my_cross.py", STRATEGY.replace("class Mine", "class SmaCross"))
    made = plan(text.replace("sqlite:///runs.db", "memory:"))  # the core alone knows no other storage
    assert [rule.name for rule in made.settings["risk"]] == ["max-position", "max-daily-loss"]

    def keys(model):
        for name, field in model.model_fields.items():
            yield name
            for inner in _models(field.annotation):
                yield from keys(inner[1])

    shown = set(re.findall(r"\b(\w+) = ", text))
    shown |= {name for pair in re.findall(r"\[+(\w+)(?:\.(\w+))?\]", text) for name in pair}
    assert set(keys(RunFile)) <= shown


# Runs.


def test_a_run_gives_the_same_as_the_function(plan, registry, folder):
    result = assemble(plan(FULL.replace("blocks = true", "")), registry).run()
    from cambist.app.strategies import load_strategy

    mine = load_strategy("mine.py", registry)
    instrument = cambist.Instrument(symbol="ACME", kind="equity", tick_size="0.01", step_size="1", taker_fee=0.002)
    direct = cambist.backtest(
        mine(every=2), cambist.load("bars.csv", instrument=instrument, timeframe="1d"), cash=50_000, leverage=2,
        fees=MakerTakerFee(0.0001, 0.0005), slippage=FixedSlippage(0.02), market_fill="this_close", path="pessimistic",
        volume_limit=0.5, fill_on_touch=False, sizer=cambist.PercentOfEquity(0.25), benchmark=False,
        periods_per_year=252, seed=11, risk=[MaxPositionRule(100), MaxOpenOrdersRule(7)],
    )  # fmt: skip
    assert len(direct.fills) > 2
    assert result.fills.equals(direct.fills)
    assert result.equity.equals(direct.equity)


def test_a_run_file_with_every_model_gives_the_same_as_the_function(registry, folder):
    from cambist.simulation import HalfSpread, PerOrderFee, RandomRejection, RangeFiller, UniformLatency

    folder.write("mine.py", STRATEGY)
    folder.bars()
    halves = ["time,open,high,low,close,volume"]
    for day in range(1, 32):  # each day in two halves: down first, then up
        low, high = 100 + day, 101 + day
        halves.append(f"2024-01-{day:02d} 00:00,{low},{low},{low - 2},{low},400")
        halves.append(f"2024-01-{day:02d} 12:00,{low},{high + 1},{low},{high},600")
    folder.write("halves.csv", "\n".join([*halves, ""]))
    text = """
        [strategy]
        use = "mine.py"
        [data]
        source = "bars.csv"
        magnify = "halves.csv"
        [venue]
        fees = { use = "per-order", per_unit = 0.01, minimum = 1.0 }
        slippage = { use = "half-spread", spread = 0.2 }
        volume_limit = { use = "range", share = 0.5 }
        path = { use = "pessimistic" }
        latency = { use = "uniform", least = "1ms", most = "20h" }
        rejection = { use = "random", rate = 0.2 }
        [run]
        seed = 5
    """
    made = assemble(make_plan(registry, Overrides(), folder.write("models.toml", text)), registry)
    result = made.run()
    direct = cambist.backtest(
        made.strategies[0], "bars.csv", magnify="halves.csv", seed=5, path="pessimistic",
        fees=PerOrderFee(per_unit=0.01, minimum=1.0), slippage=HalfSpread(0.2), volume_limit=RangeFiller(0.5),
        latency=UniformLatency("1ms", "20h"), rejection=RandomRejection(0.2),
    )  # fmt: skip
    assert len(direct.fills) > 2
    assert result.fills.equals(direct.fills)
    assert "random_rejection" in set(result.orders["reason"])
    assert any(fill.ts % (24 * 3600 * 10**9) for fill in result.fill_records)
    assert result.settings["latency"] == {"use": "uniform", "least": "1ms", "most": "20h"}
    assert result.settings["data"][0]["magnify"] == "halves.csv"


def test_a_run_file_with_market_rules_gives_the_same_as_the_function(registry, folder):
    from cambist import MarketRules
    from cambist.simulation import a_shares

    folder.write("mine.py", STRATEGY)
    folder.bars()
    said = {
        '"us-cash"': "us-cash",
        '{ use = "a-shares", board = "star", listed = 2024-01-02, st = [["2024-01-03", "2024-02-01"]] }': a_shares(
            "star", listed="2024-01-02", st=[("2024-01-03", "2024-02-01")]
        ),
        '{ use = "custom", lot = 1, price_limit = { "2024-01-01" = inf, "2024-01-10" = 0.005 }, at_limit = "unlocked", '
        'ticks = { 0 = "0.0001" } }': MarketRules(
            lot=1, price_limit={"2024-01-01": None, "2024-01-10": 0.005}, at_limit="unlocked", ticks="0.0001"
        ),
        '{ use = "by-symbol", models = { bars = "a-shares" }, default = "none" }': {"bars": "a-shares"},
    }
    fills = []
    for text, rules in said.items():
        whole = f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[venue]\nmarket_rules = {text}\n'
        made = assemble(make_plan(registry, Overrides(), folder.write("ruled.toml", whole)), registry)
        result = made.run()
        direct = cambist.backtest(made.strategies[0], "bars.csv", market_rules=rules)
        assert result.orders.equals(direct.orders)
        assert result.equity.equals(direct.equity)
        fills.append(len(result.fill_records))
    # The default sizer asks for one unit, which is no lot of STAR or of the main boards.
    assert [count > 0 for count in fills] == [True, False, True, False]


def test_a_run_file_with_compensation(registry, folder):
    folder.write("mine.py", STRATEGY)
    folder.bars()
    folder.write("other.csv", (folder.path / "bars.csv").read_text())
    text = """
        [strategy]
        use = "mine.py"
        [[data]]
        source = "bars.csv"
        [[data]]
        source = "other.csv"
        [account]
        compensates = { bars = "other" }
    """
    made = assemble(make_plan(registry, Overrides(), folder.write("two.toml", text)), registry)
    result = made.run()
    assert {trade.instrument.symbol for trade in result.trade_records} == {"other"}
    assert result.settings["compensates"] == {"bars": "other"}


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ('market_rules = "a-share"', "there is no market-rules model 'a-share'. Did you mean 'a-shares'?"),
        ('market_rules = { use = "a-shares", bord = "star" }', "venue.market_rules.bord: there is no such key here."),
        ('market_rules = { use = "a-shares", board = "moon" }', "venue.market_rules: a_shares: board is 'moon'."),
        ('latency = "soon"', "venue.latency: there is no latency model 'soon'. Known: constant, lognormal"),
        ('latency = { use = "uniform", least = "2s", most = "1s" }', "venue.latency: UniformLatency: least"),
        ("rejection = 2", "venue.rejection: it is 2; it must be at most 1."),
        ('path = "pesimistic"', "venue.path: there is no path model 'pesimistic'. Did you mean 'pessimistic'?"),
        ('volume_limit = { use = "fixed" }', "venue.volume_limit.size: it is missing"),
        ('slippage = { use = "half-spread", spred = 1 }', "venue.slippage.spred: there is no such key here."),
    ],
)
def test_mistakes_in_other_models(plan, said, mistake):
    with pytest.raises(ConfigError) as caught:
        plan(f'[strategy]\nuse = "mine.py"\n[data]\nsource = "bars.csv"\n[venue]\n{said}\n')
    assert mistake in str(caught.value)


def as_toml(settings):
    """Write what a result says of its run as a run file, with nothing else to go by."""

    def value(one):
        if isinstance(one, dict):
            return "{ " + ", ".join(f"{name} = {value(inner)}" for name, inner in one.items()) + " }"
        return json.dumps(one)

    homes = {"account": ["cash", "leverage"], "run": ["seed", "blocks", "benchmark", "events", "periods_per_year"]}
    homes["venue"] = ["fees", "slippage", "rules", "market_fill", "cheat_on_open"]
    homes["venue"] += ["path", "volume_limit", "fill_on_touch"]
    lists = (f"{name} = [{', '.join(map(value, settings[name]))}]" for name in ("strategy", "data", "risk"))
    lines = [f"sizer = {value(settings['sizer'])}", *lists]
    for table, names in homes.items():
        lines += [f"[{table}]", *(f"{name} = {value(settings[name])}" for name in names if settings[name] is not None)]
    return "\n".join(lines)


def test_a_result_names_everything_that_made_it(plan, registry, folder):
    first = assemble(plan(FULL), registry).run()
    said = json.loads((first.save("out") / "result.json").read_text())
    text = as_toml({**said["settings"], "data": [{**said["settings"]["data"][0], "symbol": "ACME"}]})
    # The instrument is told in full in its own part of the result.
    fields = ", ".join(f"{key} = {json.dumps(one)}" for key, one in said["instruments"][0].items() if one is not None)
    text = text.replace('symbol = "ACME"', f"instrument = {{ {fields} }}")
    second = assemble(plan(text), registry).run()
    assert second.fills.equals(first.fills)
    again = json.loads((second.save("out2") / "result.json").read_text())
    assert again["strategies"] == said["strategies"]
    assert again["summary"] == said["summary"]
    ours = {name: one for name, one in said["settings"].items() if name != "data"}
    assert {name: one for name, one in again["settings"].items() if name != "data"} == ours
    assert said["settings"]["data"][0]["source"] == "bars.csv"
    assert ours["risk"] == [{"use": "max-position", "limit": 100}, {"use": "max-open-orders", "limit": 7}]


def test_a_run_that_fails_has_a_result_that_says_how_it_was_made(plan, registry, folder):
    folder.write("mine.py", STRATEGY + "            if self.count == 9:\n                1 / 0\n")
    made = assemble(plan(strategy="mine.py", data=("bars.csv",)), registry)
    with pytest.raises(
        StrategyError, match=r"Mine raised ZeroDivisionError at the bar of 2024-01-09.*mine\.py:"
    ) as caught:
        made.run()
    result = caught.value.result
    assert len(result.fills) > 0
    assert result.settings["strategy"] == [{"use": "mine.py", "parameters": {}}]


def test_a_strategy_may_import_what_lies_beside_it_while_it_runs(plan, registry, folder):
    folder.write("mine_lazy.py", "VALUE = 1\n")
    folder.write("mine.py", STRATEGY + "            import mine_lazy\n            assert mine_lazy.VALUE\n")
    assert assemble(plan(strategy="mine.py", data=("bars.csv",)), registry).run().stopped == ""


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cash": 0.0}, "cash is 0"),
        ({"rules": "backtradr"}, "Did you mean 'backtrader'"),
        ({"path": "pesimistic"}, "Did you mean 'pessimistic'"),
        ({"volume_limit": 2.0}, "volume_limit is 2"),
        ({"fees": 5.0}, "rate is 5"),
    ],
)
def test_settings_of_the_command_line_are_checked_before_data_is_read(plan, registry, folder, settings, message):
    made = plan(strategy="mine.py", data=("bars.csv",), settings=settings)
    (folder.path / "bars.csv").unlink()
    with pytest.raises(ParameterError, match=message):
        assemble(made, registry)


def test_margin_interest_and_cash_flows_of_a_run_file(plan, registry, folder):
    text = FULL.replace(
        "    [venue]\n",
        """
    [account.margin]
    mode = "isolated"
    leverages = { ACME = 1 }
    liquidation_fee = 0.01
    [[account.margin.tiers]]
    up_to = 1_000
    maintenance_rate = 0.01
    [[account.margin.tiers]]
    maintenance_rate = 0.02
    max_leverage = 5
    [account.interest]
    cash = 0.02
    [[account.cash_flows]]
    date = 2024-01-03
    amount = 250
    [[account.cash_flows]]
    date = "2024-01-04 12:00"
    amount = -50.5

    [venue]
""",
        1,
    )
    made = plan(text)
    margin, interest = made.settings["margin"], made.settings["interest"]
    assert (margin.mode, margin.leverage, margin.liquidation_fee) == ("isolated", {"ACME": 1.0}, 0.01)
    assert margin.maintenance == [
        MarginTier(up_to=1_000, maintenance_rate=0.01),
        MarginTier(maintenance_rate=0.02, max_leverage=5),
    ]
    assert interest == Interest(cash=0.02)
    assert [(str(when), amount) for when, amount in made.settings["cash_flows"]] == [
        ("2024-01-03", 250.0),
        ("2024-01-04 12:00", -50.5),
    ]
    assert made.tables["cash_flows"][0] == {"date": "2024-01-03", "amount": 250.0}
    assert made.tables["margin"]["leverages"] == {"ACME": 1.0}
    with pytest.raises(ConfigError) as caught:
        plan(
            text.replace("amount = 250", 'amount = "much"').replace("2024-01-03", '"soon"').replace("isolated", "both")
        )
    for place in ("account.margin.mode", "account.cash_flows[1].date", "account.cash_flows[1].amount"):
        assert place in str(caught.value)


def test_accounts_and_assets_of_a_run_file(plan, registry, folder):
    text = FULL.replace(
        "    [venue]\n",
        """
    [account.accounts]
    other = 60_000
    many = { USD = 5, BTC = 0 }
    [[account.cash_flows]]
    date = 2024-01-03
    amount = 2
    account = "other"
    asset = "BTC"

    [venue]
""",
        1,
    )
    text = text.replace("[account]\n", '[account]\n    currency = "USD"\n    rates = { BTC = 100.0 }\n', 1)
    text = text.replace("[account]\n", "[account]\n    conversion_fee = 0.001\n", 1)
    settings = plan(text).settings
    assert settings["accounts"] == {"other": 60_000.0, "many": {"USD": 5.0, "BTC": 0.0}}
    assert (settings["currency"], settings["rates"], settings["conversion_fee"]) == ("USD", {"BTC": 100.0}, 0.001)
    assert [flow[1:] for flow in settings["cash_flows"]] == [(2.0, "other", "BTC")]
    wrong = (
        text.replace("other = 60_000", "other = -1")
        .replace("BTC = 100.0", 'BTC = "much"')
        .replace("USD = 5", "USD = -5")
    )
    with pytest.raises(ConfigError) as caught:
        plan(wrong)
    for place in ("account.accounts.other", "account.accounts.many.USD", "account.rates.BTC"):
        assert place in str(caught.value)


def test_a_hedged_account_of_a_run_file(plan):
    terms = """
    [account.margin]
    mode = "isolated"
    position_mode = "hedge"
    liquidation = "by_tier"
    planned = [{ date = 2024-01-03, symbol = "ACME long", amount = -25 }]
    [account.margin.deleveraging]
    probability = 0.25
    distance = 0.01
    events = [{ date = "2024-01-04 12:00", symbol = "ACME", share = 0.5 }]

    [venue]
"""
    margin = plan(FULL.replace("    [venue]\n", terms, 1)).settings["margin"]
    assert (margin.is_hedged, margin.is_isolated, margin.liquidation) == (True, True, "by_tier")
    assert margin.planned == ((to_ns("2024-01-03"), "ACME long", -25.0),)
    assert margin.deleveraging == Deleveraging(
        probability=0.25, distance=0.01, events=[("2024-01-04 12:00", "ACME", 0.5)]
    )
    with pytest.raises(ConfigError) as caught:
        plan(FULL.replace("    [venue]\n", terms.replace('"hedge"', '"both"').replace("= 0.5", "= 1.5"), 1))
    for place in ("account.margin.position_mode", "account.margin.deleveraging.events[1].share"):
        assert place in str(caught.value)


def test_trades_are_run_on_from_a_run_file_as_from_the_function(registry, folder):
    lines = [f"2024-03-01 09:30:{second:02},{100 + second * 7 % 11 / 10:.1f},{1 + second % 4}" for second in range(60)]
    folder.write("trades.csv", "\n".join(["time,price,size", *lines, ""]))
    folder.write("mine.py", STRATEGY)
    text = """
        [strategy]
        use = "mine.py"
        parameters.every = 2
        {rule}
        [data]
        source = "ticks:trades.csv"
        {timeframe}
    """

    def run(rule="", timeframe=""):
        path = folder.write("trades.toml", text.format(rule=rule, timeframe=timeframe))
        made = assemble(make_plan(registry, Overrides(), path), registry)
        return made.run(), made.strategies[0]

    trades = cambist.open_ticks(folder.path / "trades.csv")
    result, strategy = run(rule='parameters.bar_rule = "volume 10"')
    assert strategy.bar_rule == "volume 10"
    assert len(result.fills) > 3
    assert result.fills.equals(cambist.backtest(strategy, trades).fills)
    assert result.settings["data"][0]["source"] == "ticks:trades.csv"
    result, strategy = run(timeframe='timeframe = "5s"')
    assert result.fills.equals(cambist.backtest(strategy, trades, timeframe="5s").fills)
    with pytest.raises(ConfigError, match="magnify"):
        run(timeframe='magnify = "trades.csv"')
