"""The analysis of a run against backtrader's analyzers, on the same scenario in both engines.

Where an analyzer of backtrader is wrong, or means something else, the page on analysis says so; those statements are
tests here too, so that nobody is told a difference that is none.
"""

from __future__ import annotations

import inspect
import re
from math import expm1, isnan
from pathlib import Path
from random import Random
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest
from differential_engines import Report, backtrader, backtrader_engine, run_cambist
from differential_scenarios import MARKET, Action, Ask, Scenario, random_bars

from cambist.analysis import trade_statistics

FRAMES = {
    "day": backtrader.TimeFrame.Days,
    "week": backtrader.TimeFrame.Weeks,
    "month": backtrader.TimeFrame.Months,
    "year": backtrader.TimeFrame.Years,
}
ANALYZERS = backtrader.analyzers


@attrs.frozen
class Ran:
    """One scenario in both engines."""

    analyzers: dict[str, Any]
    result: Any

    def theirs(self, name: str) -> Any:
        return self.analyzers[name].get_analysis()

    @property
    def ours(self) -> Any:
        return self.result.analysis


def run_both(scenario, analyzers) -> Ran:
    engine = backtrader_engine(scenario, Report())
    engine.addobserver(backtrader.observers.Broker)  # AnnualReturn reads its line
    for name, (analyzer, options) in analyzers.items():
        engine.addanalyzer(analyzer, _name=name, **options)
    strategy = engine.run()[0]
    result = run_cambist(scenario, Report(), rules="backtrader", periods_per_year=252)
    return Ran({name: getattr(strategy.analyzers, name) for name in analyzers}, result)


def analyzers_of_daily_bars() -> dict[str, tuple[Any, dict[str, Any]]]:
    chosen: dict[str, tuple[Any, dict[str, Any]]] = {
        "annual": (ANALYZERS.AnnualReturn, {}),
        "drawdown": (ANALYZERS.DrawDown, {}),
        "sqn": (ANALYZERS.SQN, {}),
        "trades": (ANALYZERS.TradeAnalyzer, {}),
        "leverage": (ANALYZERS.GrossLeverage, {}),
        "values": (ANALYZERS.PositionsValue, {"cash": True}),
        "transactions": (ANALYZERS.Transactions, {}),
        "vwr": (ANALYZERS.VWR, {"timeframe": FRAMES["day"]}),
        "calmar": (ANALYZERS.Calmar, {"timeframe": FRAMES["day"], "period": 36}),
        "sharpe": (ANALYZERS.SharpeRatio, {}),
        "sharpe_a": (ANALYZERS.SharpeRatio_A, {}),
    }
    for word, frame in FRAMES.items():
        chosen[f"time_{word}"] = (ANALYZERS.TimeReturn, {"timeframe": frame})
        chosen[f"stats_{word}"] = (ANALYZERS.PeriodStats, {"timeframe": frame})
        chosen[f"returns_{word}"] = (ANALYZERS.Returns, {"timeframe": frame})
        chosen[f"fall_{word}"] = (ANALYZERS.TimeDrawDown, {"timeframe": frame})
        chosen[f"log_{word}"] = (ANALYZERS.LogReturnsRolling, {"timeframe": frame, "compression": 3})
        for sample in (False, True):
            options = {"timeframe": frame, "riskfreerate": 0.02, "annualize": True, "stddev_sample": sample}
            chosen[f"sharpe_{word}_{sample}"] = (ANALYZERS.SharpeRatio, options)
    return chosen


def round_trips(seed: int, count: int, markets: int = 1, **options: Any) -> Scenario:
    """Draw a scenario that enters, adds, reverses and closes, at times with orders of both sides for one bar."""
    chance = Random(seed)
    bars = [random_bars(chance, count) for _ in range(markets)]
    held = [0.0] * markets
    script: dict[int, list[Action]] = {}
    for number in range(count - 1):
        market, face = chance.randrange(markets), chance.randrange(8)
        if face > 2:
            continue
        size = chance.choice((-20.0, -10.0, -5.0, -1.0, 1.0, 5.0, 10.0, 20.0))
        sizes = {0: [size], 1: [size, -2.0 if size > 0 else 2.0], 2: [-held[market]]}[face]
        if abs(held[market]) > 40.0:
            sizes = [-held[market]]
        script[number] = [Ask(one > 0.0, MARKET, abs(one), market=market) for one in sizes if one]
        held[market] += sum(sizes)
    return Scenario(bars=bars[0], others=tuple(bars[1:]), script=script, **options)


@pytest.fixture(scope="module", params=[3, 4])
def daily(request):
    scenario = round_trips(request.param, 900, percent_fee=0.001, cash=12_000.0, daily=True)
    ran = run_both(scenario, analyzers_of_daily_bars())
    assert len(ran.result.trades) > 60
    assert not ran.result.curve.ruined
    return ran


@pytest.mark.parametrize("period", FRAMES)
def test_time_return(daily, period):
    theirs, ours = daily.theirs(f"time_{period}"), daily.ours.period_returns(period)
    assert list(ours) == pytest.approx(list(theirs.values()), rel=1e-9, abs=1e-13)
    # backtrader's keys are the last days of the periods.
    assert [pd.Timestamp(key).date() for key in theirs] == [label.end_time.date() for label in ours.index]


def test_annual_return(daily):
    theirs = daily.theirs("annual")
    assert dict(daily.ours.annual_returns) == pytest.approx(dict(theirs), rel=1e-9)
    assert len(theirs) == 3
    assert list(daily.ours.monthly_returns["Year"]) == pytest.approx(list(theirs.values()), rel=1e-9)


@pytest.mark.parametrize("period", FRAMES)
def test_log_returns_rolling(daily, period):
    ours = daily.ours.rolling_returns(3, period, log=True)
    assert list(ours) == pytest.approx(list(daily.theirs(f"log_{period}").values()), rel=1e-9, abs=1e-13, nan_ok=True)


@pytest.mark.parametrize("period", FRAMES)
def test_period_statistics(daily, period):
    theirs, ours = daily.theirs(f"stats_{period}"), daily.ours.period_statistics(period, ddof=0)
    assert (ours.positive, ours.negative, ours.unchanged) == (
        theirs["positive"],
        theirs["negative"],
        theirs["nochange"],
    )
    assert [ours.average, ours.deviation, ours.best, ours.worst] == pytest.approx(
        [theirs["average"], theirs["stddev"], theirs["best"], theirs["worst"]], rel=1e-9
    )


@pytest.mark.parametrize("period", FRAMES)
@pytest.mark.parametrize("sample", [False, True])
def test_sharpe_ratio(daily, period, sample):
    ours = daily.ours.measure("sharpe", risk_free=0.02, period=period, ddof=int(sample))
    assert ours == pytest.approx(daily.theirs(f"sharpe_{period}_{sample}")["sharperatio"], rel=1e-9)


def test_sharpe_ratio_as_backtrader_defaults_it(daily):
    settings = {"risk_free": 0.01, "period": "year", "ddof": 0}
    ours = daily.ours.measure("sharpe", annualized=False, **settings)
    assert ours == pytest.approx(daily.theirs("sharpe")["sharperatio"], rel=1e-9)
    ours = daily.ours.measure("sharpe", **settings)
    assert ours == pytest.approx(daily.theirs("sharpe_a")["sharperatio"], rel=1e-9)


def test_returns(daily):
    theirs = daily.theirs("returns_day")
    assert daily.ours.measure("log_return") == pytest.approx(theirs["rtot"], rel=1e-9)
    assert daily.ours.measure("cagr") == pytest.approx(theirs["rnorm"], rel=1e-9)
    ours = daily.ours.period_returns("day", log=True).mean()
    assert ours == pytest.approx(theirs["ravg"], rel=1e-9)


def test_drawdown(daily):
    theirs, ours = daily.theirs("drawdown"), daily.ours.drawdown_statistics
    assert [-100 * ours.fraction, -ours.money, ours.bars] == pytest.approx(
        [theirs.drawdown, theirs.moneydown, theirs.len], rel=1e-9
    )
    assert [-100 * ours.max_fraction, -ours.max_money, ours.max_bars] == pytest.approx(
        [theirs.max.drawdown, theirs.max.moneydown, theirs.max.len], rel=1e-9
    )
    table = daily.ours.drawdowns
    assert -100 * table["depth"].iloc[0] == pytest.approx(theirs.max.drawdown, rel=1e-9)
    assert table["bars"].max() == theirs.max.len
    assert -table["money"].min() == pytest.approx(theirs.max.moneydown, rel=1e-9)


def test_time_drawdown_where_each_bar_is_a_period(daily):
    theirs, ours = daily.theirs("fall_day"), daily.ours.period_drawdown("day")
    assert -100 * ours.fraction == pytest.approx(theirs["maxdrawdown"], rel=1e-9)
    assert ours.periods == theirs["maxdrawdownperiod"]


def test_time_drawdown_looks_a_bar_too_late_and_not_at_the_end(daily):
    equity = daily.result.equity["equity"]
    # By what is said of backtrader: the account at the first bar of each period, and no look at the end of the last.
    months = (equity.index - pd.Timedelta(days=1)).tz_localize(None).to_period("M")
    firsts = equity[~months.duplicated()].to_numpy()
    peaks = np.maximum.accumulate(firsts)
    assert daily.theirs("fall_month")["maxdrawdown"] == pytest.approx(100 * (1 - firsts / peaks).max(), rel=1e-9)
    assert daily.theirs("fall_month")["maxdrawdown"] != pytest.approx(-100 * daily.ours.period_drawdown().fraction)


def test_sqn(daily):
    assert daily.ours.measure("sqn") == pytest.approx(daily.theirs("sqn")["sqn"], rel=1e-9)


def test_vwr_measures_each_period_from_the_one_before_and_swaps_its_parameters(daily):
    returns = daily.ours.returns.to_numpy()
    growth = np.log1p(returns).mean()
    theirs = daily.theirs("vwr")["vwr"]
    apart = (1 + returns) / np.exp(growth * np.arange(1, len(returns) + 1)) - 1
    # The documentation says tau 2.0 and sdev_max 0.20.
    assert theirs == pytest.approx(100 * expm1(growth * 252) * (1 - (apart.std(ddof=1) / 2.0) ** 0.20), rel=1e-9)
    path = np.cumprod(1 + returns) / np.exp(growth * np.arange(1, len(returns) + 1)) - 1
    wanted = expm1(growth * 252) * (1 - (path.std(ddof=1) / 0.2) ** 2.0)
    ours = daily.ours.measure("vwr")
    assert ours == pytest.approx(wanted, rel=1e-9) if path.std(ddof=1) <= 0.2 else isnan(ours)


def test_calmar_divides_a_log_return_of_one_period_less_by_percent(daily):
    theirs = np.array(list(daily.theirs("calmar").values()))[:-1]  # at the end it counts the last value twice
    equity = daily.result.equity["equity"].to_numpy()
    falls = 100 * np.maximum.accumulate(1 - equity / np.maximum.accumulate(equity))
    # What it calls 36 periods are 35, divided by 36, over the drawdown of the whole run so far.
    wanted = np.log(equity[35:-1] / equity[:-36]) / 36 / falls[35:-1]
    np.testing.assert_allclose(theirs[35:], wanted, rtol=1e-9)
    windows = daily.ours.rolling_calmar(36, "day")
    last = equity[-37:]
    wanted = ((last[-1] / last[0]) ** (252 / 36) - 1) / (1 - last / np.maximum.accumulate(last)).max()
    assert windows.iloc[-1] == pytest.approx(wanted, rel=1e-9)


def same_tree(theirs, ours, path=""):
    """Compare every number of backtrader's tree with that of the same name here, and return how many there were."""
    count = 0
    for name, value in theirs.items():
        mine = getattr(ours, {"len": "bars"}.get(name, name))
        where = f"{path}{name}"
        if isinstance(value, dict):
            count += same_tree(value, mine, f"{where}.")
            continue
        if isnan(mine):  # no trade of that kind: backtrader has 0, or the largest integer for the shortest
            assert value == 0.0 or value >= 2**31 - 1, where
        elif name == "min" and mine == 0:  # backtrader passes over trades that ended in the bar in which they began
            assert value > 0, where
        else:
            assert mine == pytest.approx(value, rel=1e-9), where
        count += 1
    return count


def test_trade_analyzer(daily):
    assert 0.0 not in set(daily.result.trades["net"])  # the one case in which the two count differently
    compared = same_tree(daily.theirs("trades"), daily.ours.trade_statistics)
    assert compared == len(daily.ours.trade_statistics.flat()) - 1  # all but `even`, which backtrader does not have


def test_trade_analyzer_without_a_trade():
    scenario = attrs.evolve(round_trips(1, 20, daily=True), script={})
    ran = run_both(scenario, {"trades": (ANALYZERS.TradeAnalyzer, {})})
    assert dict(ran.theirs("trades")) == {"total": {"total": 0}}
    ours = ran.ours.trade_statistics
    assert str(ours) == str(trade_statistics([]))
    assert (ours.total.total, ours.streak.won.longest, ours.pnl.net.total) == (0, 0, 0.0)
    assert isnan(ours.won.pnl.average)


def test_gross_leverage_of_what_is_long(daily):
    theirs = pd.Series(list(daily.theirs("leverage").values()))
    sizes = daily.ours.position_sizes.iloc[:, 0].to_numpy()
    assert list(daily.ours.net_leverage) == pytest.approx(list(theirs), rel=1e-9, abs=1e-12)
    # Of a short position backtrader's is negative; what is owed is leverage all the same.
    assert list(daily.ours.gross_leverage) == pytest.approx(list(theirs.abs()), rel=1e-9, abs=1e-12)
    assert (sizes < 0).any() or (sizes > 0).any()


def test_positions_value(daily):
    theirs = pd.DataFrame(daily.theirs("values")).T
    ours = daily.ours.position_values(cash=True)
    np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(dtype=float), rtol=1e-9, atol=1e-9)
    assert ours.columns.tolist() == ["M0", "cash"]
    np.testing.assert_allclose(ours.sum(axis=1), daily.result.equity["equity"], rtol=1e-12)


def test_transactions(daily):
    """Market orders trade at the open, so the two sides of a bar, which backtrader nets, have one price."""
    table = daily.ours.transactions
    days = (table.index - pd.Timedelta(1)).tz_localize(None).normalize()
    theirs = daily.theirs("transactions")
    both_sides = 0
    for moment, [(size, price, _, _, value)] in theirs.items():
        mine = table[days == pd.Timestamp(moment).normalize()]
        assert mine["size"].sum() == pytest.approx(size, rel=1e-9)
        assert mine["value"].sum() == pytest.approx(value, rel=1e-9)
        np.testing.assert_allclose(mine["price"], price, rtol=1e-9)
        both_sides += len(mine) == 2
    assert both_sides > 20
    assert table["fees"].sum() == pytest.approx(daily.result.account.fees)


@pytest.fixture(scope="module")
def minutes():
    chosen = {
        "drawdown": (ANALYZERS.DrawDown, {}),
        "trades": (ANALYZERS.TradeAnalyzer, {}),
        "leverage": (ANALYZERS.GrossLeverage, {}),
        "values": (ANALYZERS.PositionsValue, {"cash": True}),
    }
    return run_both(round_trips(8, 300, markets=3, unit_fee=0.01, cash=20_000.0), chosen)


def test_every_bar_of_minutes_counts(minutes):
    theirs, ours = minutes.theirs("drawdown"), minutes.ours.drawdown_statistics
    assert [-100 * ours.max_fraction, -ours.max_money, ours.max_bars] == pytest.approx(
        [theirs.max.drawdown, theirs.max.moneydown, theirs.max.len], rel=1e-9
    )
    values = minutes.ours.position_values(cash=True)
    np.testing.assert_allclose(values, pd.DataFrame(minutes.theirs("values")).T.to_numpy(dtype=float), atol=1e-8)
    net = list(minutes.theirs("leverage").values())
    assert list(minutes.ours.net_leverage) == pytest.approx(net, rel=1e-9, abs=1e-12)
    gross = values[["M0", "M1", "M2"]].abs().sum(axis=1) / minutes.result.equity["equity"]
    np.testing.assert_allclose(minutes.ours.gross_leverage, gross, rtol=1e-12)
    assert (minutes.ours.gross_leverage > np.abs(net) + 0.001).any()


def test_trades_of_several_instruments_in_the_order_of_their_closing(minutes):
    assert minutes.theirs("trades").total.closed > 20
    same_tree(minutes.theirs("trades"), minutes.ours.trade_statistics)


def test_the_page_names_every_analyzer():
    page = Path(__file__).parents[2] / "docs" / "reference" / "analysis.md"
    table = page.read_text(encoding="utf-8").partition("| backtrader's analyzer |")[2].partition("\n\n")[0]
    named = {name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1:][0])}
    offered = {
        name
        for name, value in vars(ANALYZERS).items()
        if inspect.isclass(value)
        and issubclass(value, backtrader.Analyzer)
        and value.__module__.startswith(ANALYZERS.__name__)
    }
    aliases = {"VariabilityWeightedReturn"}
    assert named == offered - aliases
