"""Recorded fills against backtrader's ``add_order_history``: cash and value at each close, fills, fees and trades.

backtrader executes an entry with the first bar whose time is not before it, at the recorded price, whatever the bar.
"""

from __future__ import annotations

import random
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pytest
from differential_engines import backtrader

import cambist
from cambist import FillHistory

SCENARIOS, CHUNK = 360, 60
CASH = 1_000_000.0


@attrs.frozen(kw_only=True)
class Scenario:
    """Bars of one or two markets, recorded entries, and what a strategy beside them trades.

    Attributes
    ----------
    entries
        Lists of ``(time, size, price, number of the market)``; each list is one history.
    script
        By bar: signed sizes at market in the first instrument.
    """

    frames: list[pd.DataFrame]
    entries: list[list[tuple[Any, float, float, int]]]
    script: dict[int, float]
    fee: float
    timeframe: str


def frame(rng: np.random.Generator, days: pd.DatetimeIndex) -> pd.DataFrame:
    close = np.round(50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, len(days)))), 2)
    open_ = np.round(np.concatenate(([50.0], close[:-1])) * np.exp(rng.normal(0.0, 0.01, len(days))), 2)
    spread = np.round(np.abs(rng.normal(0.0, 0.5, (2, len(days)))), 2)
    columns = {"open": open_, "high": np.maximum(open_, close) + spread[0], "low": np.minimum(open_, close) - spread[1]}
    return pd.DataFrame(columns | {"close": close, "volume": 1e6}, index=days)


def scenario(seed: int, *, at_bars: bool) -> Scenario:
    """Draw a scenario; entries are at the times of bars alone, or anywhere."""
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    count, spacing = rng.choice([6, 20, 40]), rng.choice(["D", "h", "min"])
    days = pd.date_range("2022-01-03", periods=count * 2, freq=spacing)
    days = days[np.sort(numbers.choice(len(days), count, replace=False))]
    frames = [frame(numbers, days) for _ in range(rng.choice([1, 1, 2]))]
    seconds = int((days[-1] - days[0]).total_seconds())
    entries = []
    for _ in range(rng.choice([1, 1, 2])):
        listed = []
        for _ in range(rng.randrange(1, 15)):
            when = rng.choice(days) if at_bars else days[0] + pd.Timedelta(seconds=rng.randrange(seconds + 1))
            size = float(rng.choice([-1, 1]) * rng.randrange(1, 40))
            listed.append((when.to_pydatetime(), size, round(rng.uniform(40.0, 60.0), 2), rng.randrange(len(frames))))
        entries.append(sorted(listed, key=lambda entry: entry[0]))
    script = {bar: float(rng.choice([-7, 5, 12])) for bar in range(count - 1) if rng.random() < 0.15}
    fee, timeframe = rng.choice([0.0, 0.001, 0.0025]), {"D": "1d", "h": "1h", "min": "1m"}[spacing]
    return Scenario(frames=frames, entries=entries, script=rng.choice([{}, script]), fee=fee, timeframe=timeframe)


class Theirs(backtrader.Strategy):
    params = (("script", None), ("seen", None))

    def next(self) -> None:
        self.p.seen["cash"].append(self.broker.getcash())
        self.p.seen["value"].append(self.broker.getvalue())
        size = self.p.script.get(len(self) - 1, 0.0)
        if size:
            (self.buy if size > 0 else self.sell)(size=abs(size))

    def number(self, data: Any) -> int:
        # Not `index`: data feeds are equal where their last values are.
        return next(number for number, one in enumerate(self.datas) if one is data)

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            number = self.number(order.data)
            done = order.executed
            self.p.seen["fills"].append((len(self) - 1, number, done.size, done.price, done.comm))

    def notify_trade(self, trade: Any) -> None:
        if trade.isclosed:
            self.p.seen["trades"].append((self.number(trade.data), trade.pnl, trade.pnlcomm, trade.barlen))


def play_theirs(given: Scenario) -> dict[str, list[Any]]:
    seen: dict[str, list[Any]] = {"cash": [], "value": [], "fills": [], "trades": []}
    cerebro = backtrader.Cerebro(stdstats=False)
    for data in given.frames:
        cerebro.adddata(backtrader.feeds.PandasData(dataname=data, timeframe=backtrader.TimeFrame.Minutes))
    cerebro.addstrategy(Theirs, script=given.script, seen=seen)
    for listed in given.entries:
        cerebro.add_order_history(listed, notify=True)
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=given.fee)
    cerebro.run()
    return seen


class Ours(cambist.Strategy):
    script = cambist.param({})

    def on_start(self) -> None:
        self.number = -1

    def on_step(self) -> None:
        self.number += 1
        size = self.script.get(self.number, 0.0)
        if size:
            (self.buy if size > 0 else self.sell)(abs(size), data="A")


def play_ours(given: Scenario, **options: Any) -> Any:
    histories = [FillHistory(listed, name=f"history {number}") for number, listed in enumerate(given.entries)]
    bars = dict(zip("AB", given.frames, strict=False))
    strategies = [*histories, Ours(script=given.script)] if given.script else histories
    given_too = {"timeframe": given.timeframe, "fees": given.fee, "benchmark": False}
    return cambist.backtest(strategies, bars, cash=CASH, **given_too, **options)


def facts(result: Any) -> dict[str, list[Any]]:
    """Write down of a result what the other engine tells of."""
    history = result.history.account
    closes = result.curve.all_times
    bars = {close: number for number, close in enumerate(closes.tolist())}
    steps = {symbol: iter(one.times.tolist()) for symbol, one in history.positions.items()}
    symbols = [one.symbol for one in result.instruments]
    fills = [
        (
            bars[next(steps[fill.instrument.symbol])],
            symbols.index(fill.instrument.symbol),
            fill.size * fill.side.sign,
            fill.price,
            fill.fee,
        )
        for fill in result.fill_records
    ]
    closed = sorted((one for one in result.trade_records if not one.is_open), key=lambda one: (one.closed_bar, one.id))
    trades = [(symbols.index(one.instrument.symbol), one.gross, one.net, one.bars) for one in closed]
    return {
        "cash": history.cash_at(closes).tolist(),
        "value": result.curve.all_equity.tolist(),
        "fills": fills,
        "trades": trades,
    }


def rounded(trade: tuple[Any, ...]) -> tuple[float, ...]:
    return tuple(round(number, 6) for number in trade)


def agree(given: Scenario, **options: Any) -> int:
    theirs, ours = play_theirs(given), facts(play_ours(given, **options))
    for name in ("cash", "value"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-12), name
    assert len(ours["fills"]) == len(theirs["fills"])
    for mine, yours in zip(ours["fills"], theirs["fills"], strict=True):
        assert mine == pytest.approx(yours, rel=1e-9, abs=1e-7)
    one, other = sorted(map(rounded, ours["trades"])), sorted(map(rounded, theirs["trades"]))  # told of in other orders
    assert one == other
    return len(ours["fills"])


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_entries_at_any_time_are_executed_as_in_backtrader(first):
    """With its rules: in the first bar that opens at or after them, after the orders of a strategy beside them."""
    filled = sum(agree(scenario(seed, at_bars=False), rules="backtrader") for seed in range(first, first + CHUNK))
    assert filled > 300


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_entries_at_the_times_of_bars_are_executed_alike_by_default(first):
    """Without other strategies, since what a short account may open differs."""
    filled = 0
    for seed in range(first, first + CHUNK):
        filled += agree(attrs.evolve(scenario(10_000 + seed, at_bars=True), script={}))
    assert filled > 300
