"""Interest on positions and the value of fund shares against backtrader, on bars with weekends, nights and holes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from differential_engines import backtrader

import cambist
from cambist import Interest


def frame(seed: int, count: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2022-01-03", periods=count * 2)
    days = days[np.sort(rng.choice(len(days), count, replace=False))]
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    open_ = np.concatenate(([50.0], close[:-1]))
    spread = np.abs(rng.normal(0.0, 0.3, (2, count)))
    high, low = np.maximum(open_, close) + spread[0], np.minimum(open_, close) - spread[1]
    return pd.DataFrame({"open": open_, "high": high, "low": low, "close": close, "volume": 1e6}, index=days)


def script(seed: int, count: int = 120) -> dict[int, tuple[str, float]]:
    """What is done at which bar: a signed size to trade, or money to move."""
    rng = random.Random(seed)
    steps: dict[int, tuple[str, float]] = {}
    for bar in range(1, count - 1):
        if rng.random() < 0.25:
            steps[bar] = ("trade", rng.choice([-1, 1]) * rng.randrange(1, 60))
        elif rng.random() < 0.1:
            steps[bar] = ("cash", rng.choice([5_000.0, 800.0, -400.0]))
    return steps


class Theirs(backtrader.Strategy):
    params = (("steps", None), ("seen", None))

    def next(self) -> None:
        self.p.seen.append((self.broker.getvalue(), self.broker.fundvalue))
        what, amount = self.p.steps.get(len(self) - 1, ("", 0.0))
        if what == "trade":
            (self.buy if amount > 0 else self.sell)(size=abs(amount))
        elif what == "cash":
            self.broker.add_cash(amount)


class Ours(cambist.Strategy):
    steps = cambist.param({})

    def on_start(self) -> None:
        self.number = -1

    def on_bar(self, bar: Any) -> None:
        self.number += 1
        what, amount = self.steps.get(self.number, ("", 0.0))
        if what == "trade":
            (self.buy if amount > 0 else self.sell)(abs(amount))
        elif what == "cash":
            self.add_cash(amount)


def play_theirs(
    data: pd.DataFrame, steps: dict[int, tuple[str, float]], cheat: bool = False, **commission: Any
) -> list[tuple[float, float]]:
    seen: list[tuple[float, float]] = []
    cerebro = backtrader.Cerebro(stdstats=False)
    cerebro.adddata(backtrader.feeds.PandasData(dataname=data, timeframe=backtrader.TimeFrame.Days, compression=1))
    cerebro.addstrategy(Theirs, steps=steps, seen=seen)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.set_coc(cheat)
    cerebro.broker.setcommission(**commission)
    cerebro.run()
    return seen


def play_ours(data: pd.DataFrame, steps: dict[int, tuple[str, float]], **options: Any) -> Any:
    given = {"timeframe": "1d", "cash": 100_000.0, "rules": "backtrader", "benchmark": False} | options
    return cambist.backtest(Ours(steps=steps), data, **given)


@pytest.mark.parametrize("long_too", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_interest_is_that_of_backtrader(seed, long_too):
    trades = {bar: one for bar, one in script(seed).items() if one[0] == "trade"}
    data, steps = frame(seed), {0: ("trade", -30.0), **trades}
    theirs = play_theirs(data, steps, commission=0.001, interest=0.2, interest_long=long_too)
    interest = Interest(short=0.2, long=0.2 if long_too else 0.0, value="entry")
    result = play_ours(data, steps, fees=0.001, interest=interest)
    assert result.equity["equity"].tolist() == pytest.approx([value for value, _ in theirs], rel=1e-10)
    assert any(flow.kind == "interest" for flow in result.flow_records)


def shorter(seed: int, count: int = 120) -> tuple[pd.DataFrame, str]:
    """Bars within days: some around the clock, some with nights, all with holes."""
    rng = np.random.default_rng(1_000 + seed)
    spacing, timeframe = [("h", "1h"), ("4h", "4h"), ("30min", "30m"), ("15min", "15m")][seed % 4]
    times = pd.date_range("2022-01-03 20:00", periods=count * 4, freq=spacing)
    if seed % 3 == 0:
        times = times[(times.hour >= 9) & (times.hour < 17)]
    times = times[np.sort(rng.choice(len(times), min(count, len(times)), replace=False))]
    data = frame(seed, len(times))
    return data.set_index(times), timeframe


@pytest.mark.parametrize("this_close", [False, True])
@pytest.mark.parametrize("seed", range(24))
def test_interest_within_days_is_that_of_backtrader(seed, this_close):
    data, timeframe = shorter(seed)
    count = len(data)
    trades = {bar: one for bar, one in script(seed, count).items() if one[0] == "trade"}
    steps = {0: ("trade", -30.0), **trades}
    theirs = play_theirs(data, steps, cheat=this_close, commission=0.001, interest=0.2, interest_long=seed % 2 == 0)
    interest = Interest(short=0.2, long=0.2 if seed % 2 == 0 else 0.0, value="entry")
    when = {"market_fill": "this_close"} if this_close else {}
    result = play_ours(data, steps, fees=0.001, interest=interest, timeframe=timeframe, **when)
    assert result.equity["equity"].tolist() == pytest.approx([value for value, _ in theirs], rel=1e-10)
    assert any(flow.kind == "interest" for flow in result.flow_records)


@pytest.mark.parametrize("seed", range(8))
def test_the_value_of_a_share_is_that_of_backtrader(seed):
    data, steps = frame(seed), script(seed)
    steps = {1: ("trade", 40.0), 5: ("cash", 5_000.0), **steps}
    theirs = play_theirs(data, steps, commission=0.001)
    result = play_ours(data, steps, fees=0.001)
    assert result.equity["nav"].tolist() == pytest.approx([value for _, value in theirs], rel=1e-10)
    # backtrader counts the money from the next bar on; both agree wherever none was moved.
    quiet = [bar for bar in range(len(data)) if steps.get(bar, ("",))[0] != "cash"]
    assert [result.equity["equity"].iloc[bar] for bar in quiet] == pytest.approx([theirs[bar][0] for bar in quiet])
    assert result.summary["total_return"] == pytest.approx(theirs[-1][1] / 100.0 - 1.0)
