"""The series of a result are the lines of backtrader's observers on the same run, bar by bar."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from differential_engines import Report, backtrader, backtrader_engine, frames, run_cambist
from differential_scenarios import TYPES, Habits, Scenario, random_scenario

from cambist.backtest.series import AccountSeries

observers = backtrader.observers
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "results.md"
BARS = 90
VARIANTS = {
    "both ways": {"buys": None},
    "short": {"buys": False},
    "daily": {"buys": None, "daily": True},
    "fees": {"buys": None, "percent_fee": 0.002, "percent_slippage": 0.001},
}


def scenarios(variant: str) -> list[Scenario]:
    options = {**VARIANTS[variant]}
    habits = Habits(types=TYPES, buys=options.pop("buys"))
    return [random_scenario(seed, habits, count=BARS, **options) for seed in range(31, 36)]


def lines_of(scenario: Scenario) -> dict[str, np.ndarray]:
    """Run backtrader with its observers and return their lines, one value a bar."""
    engine = backtrader_engine(scenario, Report())
    wanted = {
        "cash": (observers.Cash, {}),
        "value": (observers.Value, {}),
        "drawdown": (observers.DrawDown, {}),
        "length": (observers.DrawDownLength, {}),
        "trades": (observers.Trades, {}),
        "returns": (observers.TimeReturn, {}),
        "months": (observers.TimeReturn, {"timeframe": backtrader.TimeFrame.Months}),
        "log": (observers.LogReturns, {}),
    }
    for name, (kind, options) in wanted.items():
        engine.addobserver(kind, obsname=name, **options)
    engine.addobserver(observers.Benchmark, obsname="benchmark", data=engine.datas[0], firstopen=True)
    engine.addobservermulti(observers.BuySell)
    (strategy,) = engine.run()
    made = {name: getattr(strategy.observers, name) for name in (*wanted, "benchmark")}
    made["buysell"] = strategy.observers.buysell[0]
    return {
        f"{name} {alias}": np.array(getattr(observer.lines, alias).array[:BARS])
        for name, observer in made.items()
        for alias in observer.lines.getlinealiases()
    }


def rows(series, name: str) -> np.ndarray:
    return getattr(series, name).to_numpy()


@pytest.mark.parametrize("variant", VARIANTS)
def test_series_by_bar(variant):
    under_water = 0
    for scenario in scenarios(variant):
        theirs = lines_of(scenario)
        series = run_cambist(scenario, Report(), rules="backtrader", benchmark=True).series
        close = {"rtol": 1e-9, "atol": 1e-9}
        assert np.allclose(rows(series, "cash"), theirs["cash cash"], **close)
        assert np.allclose(rows(series, "equity"), theirs["value value"], **close)
        assert np.allclose(-100.0 * rows(series, "drawdown"), theirs["drawdown drawdown"], **close)
        assert np.allclose(-100.0 * series.drawdown.cummin(), theirs["drawdown maxdrawdown"], **close)
        assert rows(series, "drawdown_length").tolist() == theirs["length len"].tolist()
        assert series.drawdown_length.cummax().tolist() == theirs["length maxlen"].tolist()
        assert np.allclose(rows(series, "returns"), theirs["returns timereturn"], rtol=1e-7, atol=1e-12)
        assert np.allclose(np.log(series.closes["M0"]).diff()[1:], theirs["log logret1"][1:], rtol=1e-7, atol=1e-12)
        assert np.allclose(series.returns_to_date("month"), theirs["months timereturn"], rtol=1e-7, atol=1e-12)
        assert np.allclose(rows(series, "benchmark_returns"), theirs["benchmark benchmark"], rtol=1e-7, atol=1e-12)
        under_water += int((series.drawdown_length > 3).sum())
    assert under_water > 50


@pytest.mark.parametrize("variant", VARIANTS)
def test_marks(variant):
    """At the bar at which backtrader draws them: mean price of what bought and what sold, result of what closed."""
    marks = trades = 0
    for scenario in scenarios(variant):
        theirs = lines_of(scenario)
        series = run_cambist(scenario, Report(), rules="backtrader").series
        for side in ("buys", "sells"):
            frame = getattr(series, side)
            ours = frame.price.groupby(level="ts").mean().reindex(series.index)
            assert np.allclose(ours, theirs[f"buysell {side[:-1]}"], rtol=1e-9, equal_nan=True)
            marks += len(frame)
        net = series.trades.net
        for won, line in ((net[net >= 0.0], "pnlplus"), (net[net < 0.0], "pnlminus")):
            # Of several in one bar it keeps the last.
            ours = won.groupby(level="ts").last().reindex(series.index)
            assert np.allclose(ours, theirs[f"trades {line}"], rtol=1e-9, atol=1e-9, equal_nan=True)
        trades += len(series.trades)
    assert marks > 50
    assert trades > 5


def test_the_closes_are_those_of_the_bars():
    (scenario, *_) = scenarios("both ways")
    closes = run_cambist(scenario, Report()).series.closes
    assert closes["M0"].tolist() == frames(scenario)[0]["close"].tolist()


def test_the_page_names_every_observer_and_what_exists():
    _, _, section = PAGE.read_text(encoding="utf-8").partition("## From backtrader")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    named = {name for theirs, _ in rows for name in re.findall(r"\w+", theirs)}
    kinds = {
        kind.__name__
        for kind in vars(observers).values()
        if isinstance(kind, type) and issubclass(kind, backtrader.Observer) and kind is not backtrader.Observer
    }
    assert len(kinds) >= 15
    assert kinds <= named
    ours = {name for _, cell in rows for name in re.findall(r"result\.series\.(\w+)", cell)}
    assert len(ours) > 8
    assert ours <= set(dir(AccountSeries))
