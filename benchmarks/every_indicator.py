"""What each indicator costs: TA-Lib's functions beside the bare call, and every indicator bar by bar.

Run with ``python -m benchmarks.every_indicator``, with names or parts of names for some of them; ``--write`` writes the
page of the documentation anew. CPU time of the process, medians of interleaved rounds.
"""

from __future__ import annotations

import inspect
import platform
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from unittest import mock

import attrs
import numpy as np
import talib

from cambist.indicators import catalog, steps
from cambist.indicators.series import Series
from cambist.indicators.soundness import as_sound
from cambist.indicators.talib_functions import described
from cambist.model.bars import Bar, Bars
from cambist.model.instrument import Instrument
from cambist.model.timeframe import Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.indicators.technical import TalibFunction, Technical

SIZES = (1_000, 10_000, 1_000_000)
ROUNDS = 7
#: Bars before those that are measured, and these.
WARM, STEPS = 1_000, 2_000
BATCH_GOAL, UPDATE_GOAL = 1.3, 2.0
INSTRUMENT = Instrument(symbol="BENCH")
PRICES = ("open", "high", "low", "close", "volume")
PAGE = Path(__file__).parents[1] / "docs/reference/indicator-costs.md"


def market(rows: int) -> Bars:
    """Return a market that wanders, in bars of a minute."""
    chance = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 1e-3, rows)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.0005, np.minimum(opened, close) * 0.9995
    times = 1_700_000_000_000_000_000 + np.arange(rows) * 60_000_000_000
    volume = chance.integers(1, 100, rows) * 1.0
    return Bars(INSTRUMENT, Timeframe.parse("1m"), times, opened, high, low, close, volume)


# Whole columns.


@attrs.frozen
class Batch:
    """How many times as long as the bare call a function of TA-Lib takes.

    Attributes
    ----------
    ratios
        Over the columns of a run, by size.
    unseen
        Over arrays of the last size at which nobody has looked.
    floor
        The bare call at that size, ns for each row.
    """

    ratios: list[float]
    unseen: float
    floor: float


def columns_of(function: TalibFunction, bars: Bars) -> list[np.ndarray]:
    """Return what a function is computed from, as arrays of their own."""
    of = {name: getattr(bars, name) for name in PRICES}
    of |= {"price": bars.close, "price0": bars.close, "price1": bars.open, "periods": bars.volume % 20 + 2}
    share = bars.close / bars.close.max()
    if function.name in {"ACOS", "ASIN"}:
        of["price"] = share
    if function.name in {"COSH", "EXP", "SINH"}:
        of["price"] = share * 5
    return [of[name].copy() for name in function.inputs]


def ratio(computation: Technical, columns: list[np.ndarray]) -> tuple[float, float]:
    """Return how many times as long as the bare call ours takes, and ns for each row of the bare call."""
    bare: Callable[..., Any] = getattr(talib, computation.function.name)
    keywords, rows = computation.keywords(), len(columns[0])
    calls = max(1, 20_000 // rows)
    floors, ratios = [], []
    for _ in range(ROUNDS * (3 if rows < 100_000 else 1)):
        began = time.process_time_ns()
        for _ in range(calls):
            bare(*columns, **keywords)
        between = time.process_time_ns()
        for _ in range(calls):
            computation.batch(*columns)
        ours, floor = time.process_time_ns() - between, max(1, between - began)
        floors.append(floor / calls / rows)
        ratios.append(ours / floor)
    return median(ratios), median(floors)


def batch(name: str, markets: list[Bars]) -> Batch:
    """Measure a function of TA-Lib over whole columns."""
    computation = described()[name]()
    columns = [columns_of(described()[name], bars) for bars in markets]
    costs = [ratio(computation, [as_sound(column) for column in each]) for each in columns]
    return Batch([one for one, _ in costs], ratio(computation, columns[-1])[0], costs[-1][1])


# Bar by bar.

#: What must be given to those that have no default for it.
GIVEN: dict[str, dict[str, Any]] = {
    "all_of": {"period": 20},
    "any_of": {"period": 20},
    "applied": {"function": max, "period": 7},
    "reduced": {"function": max, "period": 7},
    "since_highest": {"period": 20},
    "since_lowest": {"period": 20},
    "weighted": {"weights": (0.5, 1.0, 2.0)},
    "anchored_vwap": {"since": "2023-11-14"},
    "backtrader.ApplyN": {"func": max, "period": 7},
    "backtrader.ReduceN": {"function": min, "period": 7},
    "backtrader.WeightedAverage": {"weights": (0.5, 1.0, 2.0), "period": 3},
}
#: What stands for lines that have no default, as `cambist indicators show` has it.
LINES = catalog._LINES | {"indicator": "open"}


def make(entry: catalog.Entry, data: Series) -> None:
    """Make the lines of an indicator with its defaults."""
    positional: list[Any] = []
    named = dict(GIVEN.get(entry.name, {}))
    for name, parameter in inspect.signature(entry.factory).parameters.items():
        is_line = name in LINES and (parameter.default is parameter.empty or name == "indicator")
        if name == "data":
            positional.append(data)
        elif is_line and name not in named:
            line = getattr(data, LINES[name])
            line = line / 1_000.0 if name == "alpha" else line
            if parameter.kind is parameter.KEYWORD_ONLY:
                named[name] = line
            else:
                positional.append(line)
    entry.factory(*positional, **named)


def pushing(entry: catalog.Entry | None, rows: list[Bar], warm: int) -> float:
    """Return the us that a bar takes in a series with an indicator, after those that warm it up."""
    series = Series(INSTRUMENT, Timeframe.parse("1m"))
    if entry is not None:
        make(entry, series)
    push = series._cursor.push
    for row in rows[:warm]:
        push(row)
    began = time.process_time_ns()
    for row in rows[warm:]:
        push(row)
    return (time.process_time_ns() - began) / (len(rows) - warm) / 1_000


def update(entry: catalog.Entry, rows: list[Bar]) -> float:
    """Return the us that an indicator adds to a bar."""
    warm = WARM
    if "oint" in entry.name:  # of cointegration, which takes milliseconds
        rows, warm = rows[:200], 150
    return max(0.0, median(pushing(entry, rows, warm) - pushing(None, rows, warm) for _ in range(ROUNDS)))


def updates_of(entry: catalog.Entry, rows: list[Bar]) -> dict[str, float]:
    """Measure an indicator bar by bar; one that is compiled for single bars also as it is without numba."""
    costs = {entry.name: update(entry, rows)}
    if entry.name == "volume_profile":
        with mock.patch.object(steps, "_numba", return_value=None):
            costs[PLAIN] = update(entry, rows)
    return costs


# The page.

#: Why some take longer.
PLAIN = "volume_profile, without numba"
REASONS = {
    "hurst": "for each bar the deviations of eighteen lags over up to 38 changes each, in two passes: 2,700 operations",
    "cointegration": "a regression with several lags for each bar, by statsmodels",
    PLAIN: "the volume of twenty bars is spread over 24 prices anew with each bar; numba compiles the step",
}
REASONS |= {"backtrader.HurstExponent": "see hurst", "backtrader.CointN": "see cointegration"}


TEXT = """\
# What indicators cost

<!-- Written by `python -m benchmarks.every_indicator --write`. -->

CPU time of the process, medians of interleaved rounds, with the default parameters; Python {python}, NumPy {numpy},
TA-Lib {talib}, with the extra `fast` (numba). Ratios hold elsewhere, microseconds do not.

## Whole columns

How many times as long as the bare call of TA-Lib (`talib.SMA(close, timeperiod=30)`) its functions take here, checks of
the input included. Of {count} functions, within {goal} of it are {within}. Above, at one size or more: {above}.

Where columns are long, these are cheap functions whose numbers are whole: they become floats here, and eight bytes of
fresh memory for each row cost nearly as much as the function itself.

The columns of bars were looked at when the bars were made, and every line is looked at once, however many indicators
are made of it. *unseen* is the ratio over {largest:,} rows at which nobody has looked: looking for NaN and infinity
takes some 0.3 ns for each value of each input, which shows where the function itself takes a nanosecond or two.
{unseen} functions stay within {goal} of the bare call there as well.

{columns}

## Bar by bar

Microseconds that an indicator, with all that it is made of, adds to a bar in a live run, once it is known. {fast} of
{all} take less than {most:g}.{others}

{slow}

Sums, deviations and regressions grow with their window, by some 0.05 us for each of its bars. Functions of your own
(`applied`, `reduced`, `indicator`) take what they take; here it is Python's `max` over seven values.

{updates}
"""


def _table(header: str, rows: list[str]) -> str:
    cells = header.count("|") - 2
    return "\n".join([header, f"|---|{'---:|' * cells}", *rows])


def page(batches: dict[str, Batch], updates: dict[str, float]) -> str:
    """Return the page of the documentation."""
    over = [[name for name, one in batches.items() if round(one.ratios[at], 2) > BATCH_GOAL] for at in (0, 1, 2)]
    slow = {name: cost for name, cost in updates.items() if cost >= UPDATE_GOAL}
    columns = [
        f"| {name} | {' | '.join(f'{ratio:.2f}' for ratio in [*one.ratios, one.unseen, one.floor])} |"
        for name, one in batches.items()
    ]
    return TEXT.format(
        python=platform.python_version(),
        numpy=np.__version__,
        talib=talib.__version__,
        goal=BATCH_GOAL,
        count=len(batches),
        within=", ".join(f"{len(batches) - len(one)} at {size:,} bars" for size, one in zip(SIZES, over, strict=True)),
        above=", ".join(sorted({name for names in over for name in names})) or "none",
        largest=SIZES[-1],
        unseen=sum(one.unseen <= BATCH_GOAL for one in batches.values()),
        columns=_table(
            f"| function | {' | '.join(f'{size:,}' for size in SIZES)} | unseen | bare, ns a row |", columns
        ),
        fast=len(updates.keys() - slow.keys()),
        all=len(updates.keys() - {PLAIN}),
        most=UPDATE_GOAL,
        others=" The others, and why:" if slow else "",
        slow=_table("| indicator | us |", [f"| {name} | {cost:,.0f} |" for name, cost in slow.items()])
        + "\n\n"
        + "\n".join(f"* {name}: {REASONS[name]}." for name in slow if name in REASONS),
        updates=_table("| indicator | us |", [f"| {name} | {cost:,.2f} |" for name, cost in updates.items()]),
    )


def main(words: list[str]) -> None:
    """Measure, print, and write the page if asked to."""
    names = [word for word in words if not word.startswith("--")]
    entries = [
        one
        for one in catalog.entries()
        if one.name != "flow_imbalance" and (not names or any(name.lower() in one.name.lower() for name in names))
    ]
    batches: dict[str, Batch] = {}
    if "--bars" not in words:
        print(
            f"{'times the bare call':40}"
            + "".join(f"{size:>12,}" for size in SIZES)
            + f"{'unseen':>12}{'ns a row':>12}"
        )
        markets = [market(size) for size in SIZES]
        for entry in (one for one in entries if one.source == "talib"):
            batches[entry.name] = one = batch(entry.name, markets)
            told = "".join(f"{ratio:12.2f}" for ratio in [*one.ratios, one.unseen, one.floor])
            print(f"{entry.name:40}{told}", flush=True)
    bars = market(WARM + STEPS)
    rows = [Bar(*row) for row in zip(*(getattr(bars, one).tolist() for one in ("ts", *PRICES)), strict=True)]
    updates: dict[str, float] = {}
    if "--columns" not in words:
        print("\nus for each bar")
        for entry in entries:
            for name, cost in updates_of(entry, rows).items():
                updates[name] = cost
                print(f"{name:40}{cost:12.2f}", flush=True)
    if "--write" in words and batches and updates:
        PAGE.write_text(page(batches, updates), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
