"""What each indicator costs: TA-Lib's functions beside the bare call, and every indicator bar by bar.

Run with ``python -m benchmarks.every_indicator``, with names or parts of names for some of them. CPU time, medians of
interleaved rounds.
"""

from __future__ import annotations

import inspect
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import talib

from cambist.indicators import catalog
from cambist.indicators.series import Series
from cambist.indicators.soundness import as_sound
from cambist.indicators.talib_functions import described
from cambist.model.bars import Bar, Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cambist.indicators.technical import TalibFunction

SIZES = (1_000, 10_000, 1_000_000)
SOUND = "--unseen" not in sys.argv
ROUNDS = 5
WARM, STEPS = 1_000, 2_000
INSTRUMENT = Instrument(symbol="BENCH")
PRICES = ("open", "high", "low", "close", "volume")


def market(rows: int) -> Bars:
    """A market that wanders, in bars of a minute."""
    chance = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 1e-3, rows)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.0005, np.minimum(opened, close) * 0.9995
    times = 1_700_000_000_000_000_000 + np.arange(rows) * 60_000_000_000
    return Bars(INSTRUMENT, Timeframe.parse("1m"), times, opened, high, low, close, chance.integers(1, 100, rows) * 1.0)


# Whole columns.


def columns_of(function: TalibFunction, bars: Bars) -> list[np.ndarray]:
    """Return what a function is computed from, as arrays that anybody may write to, so that each call looks at them."""
    of = {name: getattr(bars, name) for name in PRICES}
    of |= {"price": bars.close, "price0": bars.close, "price1": bars.open, "periods": bars.volume % 20 + 2}
    if function.name in {"ACOS", "ASIN"}:
        of["price"] = bars.close / bars.close.max()
    if function.name in {"COSH", "EXP", "SINH"}:
        of["price"] = bars.close / bars.close.max() * 5
    columns = [of[name].copy() for name in function.inputs]
    return [as_sound(column) for column in columns] if SOUND else columns


def ratio(function: TalibFunction, bars: Bars) -> tuple[float, float]:
    """Return ns for each row of the bare call, and how many times as long ours takes."""
    computation = function()
    columns, keywords = columns_of(function, bars), computation.keywords()
    bare: Callable[..., Any] = getattr(talib, function.name)
    rows = len(columns[0])
    calls = max(1, 20_000 // rows)
    took: tuple[list[int], list[int]] = ([], [])
    for _ in range(ROUNDS * (3 if rows < 100_000 else 1)):
        began = time.process_time_ns()
        for _ in range(calls):
            bare(*columns, **keywords)
        between = time.process_time_ns()
        for _ in range(calls):
            computation.batch(*columns)
        took[0].append(between - began)
        took[1].append(time.process_time_ns() - between)
    floor, ours = map(statistics.median, took)
    return floor / calls / rows, ours / floor


# Bar by bar.

#: What must be given to those that have no default for it.
GIVEN: dict[str, dict[str, Any]] = {
    "all_of": {"period": 3},
    "any_of": {"period": 3},
    "applied": {"function": max, "period": 7},
    "reduced": {"function": max, "period": 7},
    "since_highest": {"period": 9},
    "since_lowest": {"period": 9},
    "weighted": {"weights": (0.5, 1.0, 2.0)},
    "anchored_vwap": {"since": "2023-11-14"},
    "backtrader.ApplyN": {"func": max, "period": 7},
    "backtrader.ReduceN": {"function": min, "period": 7},
    "backtrader.WeightedAverage": {"weights": (0.5, 1.0, 2.0), "period": 3},
}
LINES = catalog._LINES | {"indicator": "open"}


def make(entry: catalog.Entry, data: Series) -> None:
    """Make the lines of an indicator with its defaults."""
    given = GIVEN.get(entry.name, {})
    positional, named = [], dict(given)
    for name, parameter in inspect.signature(entry.factory).parameters.items():
        if name == "data":
            positional.append(data)
        elif parameter.default is parameter.empty and name in LINES and name not in given:
            line = getattr(data, LINES[name])
            if name == "alpha":
                line = line / 1_000.0
            (named.__setitem__(name, line) if parameter.kind is parameter.KEYWORD_ONLY else positional.append(line))
    if entry.name == "backtrader.Oscillator":
        named["indicator"] = data.open
    entry.factory(*positional, **named)


def pushing(entry: catalog.Entry | None, rows: list[Bar]) -> float:
    """Return the ns that a bar takes in a series with an indicator, warm."""
    series = Series(INSTRUMENT, Timeframe.parse("1m"))
    if entry is not None:
        make(entry, series)
    push = series._cursor.push
    for row in rows[:WARM]:
        push(row)
    began = time.process_time_ns()
    for row in rows[WARM:]:
        push(row)
    return (time.process_time_ns() - began) / (len(rows) - WARM)


def update(entry: catalog.Entry, rows: list[Bar]) -> float:
    """Return the ns that an indicator adds to a bar."""
    both = [(pushing(entry, rows), pushing(None, rows)) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in both) - statistics.median(none for _, none in both)


def chosen(entries: Iterable[catalog.Entry], words: list[str]) -> list[catalog.Entry]:
    """Return those that are named."""
    return [one for one in entries if not words or any(word.lower() in one.name.lower() for word in words)]


def main(words: list[str]) -> None:
    """Print two tables."""
    batch, bars_too = "--bars" not in words, "--batch" not in words
    words = [word for word in words if not word.startswith("--")]
    entries = [one for one in chosen(catalog.entries(), words) if one.name not in {"flow_imbalance", "applied"}]
    if batch:
        print(f"{'batch, x the bare call':24}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'ns a row':>12}")
        markets = [market(size) for size in SIZES]
        for entry in entries:
            if entry.source == "talib":
                costs = [ratio(described()[entry.name], bars) for bars in markets]
                told = "".join(f"{one:12.2f}" for _, one in costs)
                print(f"{entry.name:24}{told}{costs[-1][0]:12.2f}", flush=True)
    rows = [
        Bar(*row) for row in zip(*(getattr(market(WARM + STEPS), one).tolist() for one in ("ts", *PRICES)), strict=True)
    ]
    if not bars_too:
        return
    print("\nus for each bar")
    for entry in entries:
        few = rows[: WARM + 50] if "oint" in entry.name else rows
        print(f"{entry.name:40}{update(entry, few) / 1000:10.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
