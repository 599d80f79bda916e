"""Strategies that know the future are caught, and those that do not are left alone."""

from __future__ import annotations

import random
import sys

import checked_strategies as checked
import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import AllIn, InputError, ParameterError, PercentOfEquity, Strategy, StrategyError
from cambist.backtest.checking.cuts import choose_cuts
from cambist.indicators import indicator, talib_lines
from cambist.indicators.talib_functions import arguments, described, names
from cambist.strategies.examples.donchian_breakout import DonchianBreakout
from cambist.strategies.examples.rsi_reversal import RsiReversal
from cambist.strategies.examples.sma_cross import SmaCross
from cambist.strategies.sizers import AtrRisk, Kelly, VolatilityTarget
from cambist.testing import check_lookahead

BARS = checked.frame()


def holding(cls, table):
    """Return a class with a table of its own."""
    return type(cls.__name__, (cls,), {"table": table})


# Known bad.


@pytest.mark.parametrize(
    ("strategy", "ahead"),
    [(checked.CenteredMean, 2), (checked.ShiftedBack, 1), (checked.WholeColumnNormalized, 100)],
    ids=["centered mean", "shift(-1)", "whole column"],
)
def test_lines_made_of_later_bars_are_caught(strategy, ahead):
    report = check_lookahead(strategy, BARS)
    line = report.findings[0]
    assert (line.kind, line.strategy, line.name, line.symbol) == ("line", strategy.__name__, "signal", "ASSET")
    assert line.ahead == ahead if ahead < 100 else line.ahead > ahead
    assert line.cut >= line.time > BARS.index[150].value
    # Both values, at the bar that is named, are those that pandas and NumPy give.
    function = {
        "CenteredMean": checked.centered_mean,
        "ShiftedBack": checked.next_change,
        "WholeColumnNormalized": checked.normalized,
    }[strategy.__name__]
    close, hour = BARS.close.to_numpy(), pd.Timedelta("1h").value
    row, rows = ((ts - BARS.index[0].value) // hour for ts in (line.time - hour, line.cut))
    assert float(line.whole) == pytest.approx(function(close)[row], rel=1e-8)
    assert float(line.known) == pytest.approx(function(close[:rows])[row], rel=1e-8, abs=1e-12)


def test_what_a_run_refuses_by_itself_is_a_finding():
    @indicator(lookback=0)
    def centered(values):
        return checked.centered_mean(values)

    class Centered(checked.Trend):
        def line(self):
            return centered(self.data.close)

    class Reads(Strategy):
        def on_bar(self, bar):
            if self.data.close[1] > bar.close:
                self.buy()

    for strategy, words in ((Centered, "centered"), (Reads, r"close\[1\]")):
        (found,) = check_lookahead(strategy, BARS).findings
        assert found.kind == "refused"
        with pytest.raises(AssertionError, match=words):
            check_lookahead(strategy, BARS).raise_if_found()


@pytest.mark.parametrize("strategy", [checked.NextBar, checked.NextBarUnguarded])
def test_the_next_bar_of_a_table_is_caught(strategy):
    report = check_lookahead(holding(strategy, BARS), BARS)
    assert {one.kind for one in report.findings} <= {"order", "error"}
    assert not report.clean
    assert report.findings[0].ahead == 1
    assert any("table" in name for name in report.coverage.outside)


def test_tables_are_found_wherever_a_strategy_may_have_them():
    table = BARS

    class Around(checked.NextBar):
        def on_start(self):
            self.table = table

    class Parameter(checked.NextBar):
        given = cambist.param(None)

        def on_start(self):
            self.table = self.given["AAPL"]

    assert not check_lookahead(Around, BARS).clean
    assert not check_lookahead(Parameter(given={"AAPL": BARS}), BARS).clean
    assert table is BARS  # put back


def test_a_file_that_a_strategy_reads_is_shortened(tmp_path):
    BARS.to_csv(tmp_path / "bars.csv", index_label="ts")

    class Reads(checked.NextBar):
        def on_start(self):
            self.table = pd.read_csv(tmp_path / "bars.csv", index_col=0, parse_dates=True)

    class ReadsBars(Strategy):
        def on_start(self):
            self.bars = cambist.load(tmp_path / "bars.csv")

        def on_bar(self, bar):
            self.record_signal("last", float(self.bars.close[-1]))

    read = pd.read_csv
    report = check_lookahead(Reads, BARS)
    assert report.findings[0].kind == "order"
    assert any(name.startswith("read_csv(") for name in report.coverage.outside)
    assert pd.read_csv is read
    vars(cambist).pop("load", None)  # as before anybody has asked for it
    assert check_lookahead(ReadsBars, BARS).findings[0].kind == "signal"
    assert cambist.load is sys.modules["cambist.data.load"].load
    assert cambist.load.__module__ == "cambist.data.load"


def test_an_array_that_goes_by_the_bars_is_shortened():
    strategy = type("Array", (checked.ArrayOfCloses,), {"closes": BARS.close.to_numpy()[:100]})
    bars = BARS.iloc[:100]
    (found,) = check_lookahead(strategy, bars, every=True).findings
    assert (found.kind, found.name, found.ahead) == ("signal", "ahead", 1)
    assert found.cuts == len(bars) - 1


def test_what_was_computed_beforehand_takes_a_function():
    def make(known):
        rises = known.close.shift(-1) > known.close  # of the whole column, before the run

        class Knows(Strategy):
            def on_bar(self, bar):
                self.order_target_size(1 if rises.get(pd.Timestamp(bar.time), False) else 0)

        return Knows

    assert check_lookahead(make(BARS), BARS).clean  # which is why there is the other way
    assert not check_lookahead(make, BARS).clean
    assert not check_lookahead(lambda known: make(known["AAA"]), {"AAA": BARS}).clean


def test_an_hour_that_is_not_over_is_caught_and_one_that_is_passes():
    minutes = checked.frame(120, freq="5min")
    report = check_lookahead(holding(checked.HourBeforeItsClose, minutes), minutes)
    assert report.findings[0].kind == "order"
    assert check_lookahead(holding(checked.HourThatIsOver, minutes), minutes, every=True).clean


def test_todays_high_at_the_open_is_caught_and_yesterdays_passes():
    bars = BARS.iloc[:100]
    report = check_lookahead(holding(checked.TodaysHigh, bars), bars, cheat_on_open=True)
    assert report.findings[0].kind == "order"
    assert "limit" in report.findings[0].whole
    assert check_lookahead(holding(checked.YesterdaysHigh, bars), bars, cheat_on_open=True, every=True).clean


def test_times_in_tables_may_be_those_of_the_close():
    closes = BARS.set_axis(BARS.index + pd.Timedelta("1h"))

    class AtTheClose(Strategy):
        table = closes

        def on_bar(self, bar):
            self.record_signal("same", float(self.table.close[self.table.index <= self.time].iloc[-1]))

    assert check_lookahead(AtTheClose, BARS, stamps="close").clean
    assert not check_lookahead(AtTheClose, BARS, stamps="open").clean
    assert check_lookahead(holding(checked.NextBar, BARS), BARS, stamps="ignore").clean


# Known good.


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        (SmaCross, {}),
        (RsiReversal, {}),
        (DonchianBreakout, {}),
        (checked.KeepsState, {}),
        (checked.Brackets, {"leverage": 2.0}),
        (checked.ByChance, {"seed": 5}),
        (SmaCross, {"sizer": PercentOfEquity(50), "fees": 0.001, "slippage": 0.0005}),
        (SmaCross, {"sizer": AllIn(), "volume_limit": 0.5, "latency": "1s"}),
        (SmaCross, {"sizer": Kelly()}),
        (SmaCross, {"sizer": VolatilityTarget(0.2, periods_per_year=24 * 365)}),
        (SmaCross, {"sizer": AtrRisk(0.01)}),
        (SmaCross, {"market_fill": "this_close", "rules": "backtrader"}),
        ([SmaCross(fast=5), RsiReversal()], {}),
    ],
    ids=str,
)
def test_what_knows_no_more_than_it_may_passes(strategy, options):
    report = check_lookahead(strategy, BARS, **options)
    assert report.clean, str(report)
    assert report.coverage.decisions > 0
    assert report.coverage.decided_cut >= 9


def test_several_instruments_with_gaps_pass():
    bars = {
        "AAA": checked.frame(seed=1),
        "BBB": checked.frame(seed=2).drop(index=BARS.index[100:140]),
        "CCC": checked.frame(seed=3).iloc[50:],
    }
    report = check_lookahead(checked.Several, bars, cuts=40)
    assert report.clean, str(report)
    assert report.coverage.bars == 600 + 560 + 550


def test_a_run_with_finer_bars_passes():
    hours = BARS.iloc[:100]
    finer = checked.frame(100 * 60, freq="1min")
    hours = finer.resample("1h").agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    assert check_lookahead(checked.Brackets, hours, magnify=finer).clean


def make_all(strategy, chosen):
    for name in chosen:
        function = described()[name]
        given = [strategy.data if one == "data" else None for one in arguments(function)]
        lines = iter((strategy.data.close, strategy.data.open))
        given = [next(lines) if one is None else one for one in given]
        if name == "MAVP":
            given[1] = strategy.data.close * 0.0 + 10.0
        made = getattr(talib_lines, name)(*given)
        setattr(strategy, name.lower(), made)


def test_every_function_of_talib_passes():
    class Every(Strategy):
        def on_start(self):
            make_all(self, names())

        def on_bar(self, bar):
            self.record_signal("close", bar.close)

    report = check_lookahead(Every, checked.frame(900, seed=7), cuts=6)
    assert report.clean, str(report)
    assert {f"Every.{name.lower()}" for name in names()} <= {name.partition("(")[0] for name in looked_at(report)}


def looked_at(report):
    """Return the lines of a report; of several in one attribute the attribute."""
    return {".".join(name.split(".")[:2]) for name in report.coverage.lines}


def test_the_examples_pass_on_real_bars(outside_data):
    bars = pd.read_parquet(outside_data / "stocks/us_daily/SPY.parquet")
    for strategy in (SmaCross, RsiReversal, DonchianBreakout):
        report = check_lookahead(strategy, bars, cuts=10)
        assert report.clean, str(report)
        assert report.coverage.decided_cut >= 5


# What a report says, and what is refused.


def test_a_strategy_that_decides_by_its_own_chance_cannot_be_checked():
    class Rolls(Strategy):
        def on_bar(self, bar):
            self.record_signal("roll", random.random())

    (found,) = check_lookahead(Rolls, BARS).findings
    assert found.kind == "chance"
    assert "self.chance" in str(found)


def test_coverage_says_what_was_looked_at():
    coverage = check_lookahead(SmaCross, BARS, cuts=7, seed=3).coverage
    assert (coverage.cuts, coverage.every, coverage.instants, coverage.bars) == (7, False, 600, 600)
    assert len(coverage.lines) == 3
    assert 3 * coverage.cuts < coverage.values < 3 * coverage.cuts * 600  # noqa: PD011 -- a count
    everything = check_lookahead(SmaCross, BARS.iloc[:80], every=True).coverage
    assert (everything.cuts, everything.every) == (79, True)
    assert everything.decided_cut == everything.decided
    assert everything.values == 3 * sum(range(1, 80))  # noqa: PD011 -- a count


def test_a_report_is_the_same_for_the_same_seed():
    one, other = (check_lookahead(holding(checked.NextBar, BARS), BARS, seed=4).document() for _ in range(2))
    assert one == other
    assert check_lookahead(holding(checked.NextBar, BARS), BARS, seed=5).document() != one


def test_cuts_are_where_something_was_decided_and_elsewhere():
    instants = np.arange(1000)
    rows = choose_cuts(instants, [100, 200, 300, 999], 10, 0, every=False)
    assert {100, 200, 300} < set(rows)
    assert len(rows) == len(set(rows)) == 10
    assert max(rows) < 999
    many = choose_cuts(instants, list(range(50, 550)), 10, 0, every=False)
    assert many[0] <= 50
    assert sum(50 <= row < 550 for row in many) >= 5
    assert choose_cuts(instants[:5], [], 50, 0, every=False) == [0, 1, 2, 3]


def test_a_strategy_that_fails_is_an_error_of_its_own():
    class Fails(Strategy):
        def on_bar(self, bar):
            raise KeyError("gone")

    with pytest.raises(StrategyError, match="gone"):
        check_lookahead(Fails, BARS)


def test_bad_input_is_refused():
    for options, words in (
        ({"cuts": 0}, "cuts is 0"),
        ({"tolerance": 2.0}, r"tolerance is 2\.0"),
        ({"stamps": "end"}, "stamps is 'end'"),
        ({"csah": 1.0}, "Did you mean 'cash'"),
    ):
        with pytest.raises(ParameterError, match=words):
            check_lookahead(SmaCross, BARS, **options)
    with pytest.raises(InputError, match="two bars"):
        check_lookahead(SmaCross, BARS.iloc[:1], timeframe="1h")
    with pytest.raises(InputError, match="is no strategy"):
        check_lookahead(lambda known: 7, BARS)


def test_a_normal_run_has_a_desk_of_the_usual_class():
    seen = []

    class Looks(Strategy):
        def on_bar(self, bar):
            seen.append(type(self._desk).__name__)

    check_lookahead(Looks, BARS.iloc[:20], cuts=1)
    seen.clear()
    cambist.backtest(Looks, BARS.iloc[:20])
    assert set(seen) == {"Desk"}
