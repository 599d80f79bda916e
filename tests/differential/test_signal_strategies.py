"""`SignalStrategy` under ``rules="backtrader"`` trades as backtrader's does: same orders, fills and equity.

The signals are random and lie in the volumes of the bars, in digits of three, where both engines read them.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd
import pytest
from differential_engines import backtrader
from differential_scenarios import random_bars

import cambist
from cambist import FixedSize, SignalStrategy
from cambist.strategies import SignalKind

if TYPE_CHECKING:
    from cambist.indicators import Line

KINDS = list(SignalKind)
FLAGS = list(product([False, True], repeat=2))
COUNT = 36


@attrs.frozen(kw_only=True)
class Signals:
    """Kinds of the signals, one for each digit, and how they are traded.

    ``target`` is the number of the market that is traded; the signals are in the first. ``one_way`` signals never turn:
    they are of this sign or zero. ``volume_limit`` is the share of a bar's volume, which is a few units then, that an
    order may take.
    """

    seed: int
    kinds: tuple[SignalKind, ...]
    accumulate: bool = False
    concurrent: bool = False
    cash: float = 1e6
    this_close: bool = False
    markets: int = 1
    target: int = 0
    one_way: int = 0
    volume_limit: float | None = None

    def frames(self) -> list[pd.DataFrame]:
        chance = Random(self.seed)
        index = pd.date_range("2021-03-01 10:00", periods=COUNT, freq="min")
        found = []
        for _ in range(self.markets):
            # Long stretches of one opinion are what positions grow in, and quiet ones what they are held in.
            views = [(-1, 0, 1), (0, 0, 1), (0, 0, -1), (-1, 1)]
            moods = [(0, self.one_way) if self.one_way else chance.choice(views) for _ in self.kinds]
            digits = [[chance.choice(mood) for mood in moods] for _ in range(COUNT)]
            rows = [(bar.open, bar.high, bar.low, bar.close) for bar in random_bars(chance, COUNT)]
            frame = pd.DataFrame(rows, index, ["open", "high", "low", "close"])
            volume = [float(sum((one + 1) * 3**place for place, one in enumerate(row))) for row in digits]
            # Digits that nobody reads.
            frame["volume"] = [one + 3.0 ** len(self.kinds) * chance.randint(0, 4) for one in volume]
            found.append(frame)
        return found


@attrs.define
class Facts:
    """Orders as (bar, buys, size, how it ended), fills as (bar, signed size, price), and equity at each close."""

    orders: list[tuple[int, bool, float, str]] = attrs.field(factory=list)
    fills: list[tuple[int, float, float]] = attrs.field(factory=list)
    equity: list[float] = attrs.field(factory=list)


# backtrader.


class _Digit(backtrader.Indicator):
    lines = ("signal",)
    params = (("place", 0),)

    def next(self) -> None:
        self.lines.signal[0] = int(self.data.volume[0]) // 3**self.p.place % 3 - 1


class _Theirs(backtrader.SignalStrategy):
    params = (("scenario", None), ("facts", None))

    def __init__(self) -> None:
        self.sent: dict[int, tuple[int, bool, float]] = {}
        self.ends: dict[int, str] = {}
        for place, kind in enumerate(self.p.scenario.kinds):
            self.signal_add(getattr(backtrader, f"SIGNAL_{kind.name}"), _Digit(self.data0, place=place))

    def _keep(self, order: Any) -> Any:
        if order is not None:
            self.sent[order.ref] = (len(self) - 1, order.isbuy(), abs(order.size))
        return order

    def buy(self, *given: Any, **terms: Any) -> Any:
        return self._keep(super().buy(*given, **terms))

    def sell(self, *given: Any, **terms: Any) -> Any:
        return self._keep(super().sell(*given, **terms))

    def next(self) -> None:
        self.p.facts.equity.append(self.broker.getvalue())

    def notify_order(self, order: Any) -> None:
        for bit in order.executed.iterpending():
            self.p.facts.fills.append((len(self) - 1, bit.size, bit.price))
        self.ends[order.ref] = order.getstatusname()

    def stop(self) -> None:
        names = {"Completed": "filled", "Margin": "rejected"} | dict.fromkeys(
            ("Submitted", "Accepted", "Partial"), "open"
        )
        self.p.facts.orders = [(*terms, names[self.ends.get(ref, "Submitted")]) for ref, terms in self.sent.items()]


def play_backtrader(scenario: Signals) -> Facts:
    facts = Facts()
    cerebro = backtrader.Cerebro(stdstats=False)
    for frame in scenario.frames():
        minutes = backtrader.TimeFrame.Minutes
        cerebro.adddata(backtrader.feeds.PandasData(dataname=frame, timeframe=minutes, compression=1))
    cerebro.addstrategy(
        _Theirs,
        scenario=scenario,
        facts=facts,
        _accumulate=scenario.accumulate,
        _concurrent=scenario.concurrent,
        _data=scenario.target,
    )
    cerebro.addsizer(backtrader.sizers.FixedSize, stake=3)
    cerebro.broker.setcash(scenario.cash)
    cerebro.broker.setcommission(commission=0.001)
    if scenario.this_close:
        cerebro.broker.set_coc(True)
    if scenario.volume_limit is not None:
        cerebro.broker.set_filler(backtrader.fillers.FixedBarPerc(perc=scenario.volume_limit * 100))
    cerebro.run()
    return facts


# Cambist.


def digit(volume: Line, place: int) -> Line:
    return volume // 3**place % 3 - 1


def play_cambist(scenario: Signals, **options: Any) -> Facts:
    facts = Facts()
    sources: dict[str, Any] = {}
    for place, kind in enumerate(scenario.kinds):
        sources.setdefault(kind.value, []).append(place)
    strategy = SignalStrategy.of(
        accumulate=scenario.accumulate,
        concurrent=scenario.concurrent,
        symbol=f"M{scenario.target}",
        sizer=FixedSize(3.0),
        **{
            kind: lambda data, places=places: [digit(data["M0"].volume, place) for place in places]
            for kind, places in sources.items()
        },
    )
    frames = scenario.frames()
    bars = {f"M{number}": frame for number, frame in enumerate(frames)}
    result = cambist.backtest(
        strategy,
        bars,
        cash=scenario.cash,
        fees=0.001,
        market_fill="this_close" if scenario.this_close else "next_open",
        volume_limit=scenario.volume_limit,
        benchmark=False,
        **options,
    )
    closes = frames[0].index.tz_localize("UTC") + pd.Timedelta(minutes=1)
    ends = dict.fromkeys(("accepted", "submitted", "partially_filled"), "open")
    facts.orders = [
        (
            int(closes.get_loc(pd.Timestamp(order.created_at, tz="UTC"))),
            order.is_buy,
            order.size,
            ends.get(str(order.status), str(order.status)),
        )
        for order in result.order_records
    ]
    # A fill at this close is dated back, and heard of a bar later, when the order ends.
    ended = {order.id: order.updated_at for order in result.order_records}
    facts.fills = [
        (
            int(closes.get_loc(pd.Timestamp(ended[fill.order_id] if scenario.this_close else fill.ts, tz="UTC"))),
            fill.size if fill.side == "buy" else -fill.size,
            fill.price,
        )
        for fill in result.fill_records
    ]
    assert result.curve.all_equity is not None
    facts.equity = result.curve.all_equity.tolist()
    return facts


def agree(scenario: Signals, **options: Any) -> Counter[str]:
    """Play a scenario in both; return how orders ended, and what became of the position, once nothing differs."""
    theirs, ours = play_backtrader(scenario), play_cambist(scenario, rules="backtrader", **options)
    assert ours.orders == theirs.orders, scenario
    assert ours.fills == theirs.fills, scenario
    np.testing.assert_allclose(ours.equity, theirs.equity, rtol=1e-12, err_msg=str(scenario))
    held, seen = 0.0, Counter(end for *_, end in theirs.orders)
    for _, size, _ in theirs.fills:
        seen["long" if held + size > 0 else "short" if held + size < 0 else "flat"] += 1
        seen["added"] += held * size > 0
        held += size
    return seen


@pytest.mark.parametrize(("accumulate", "concurrent"), FLAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone_and_twice(kind, accumulate, concurrent):
    seen = Counter()
    for seed, times in ((1, 1), (2, 2)):
        scenario = Signals(seed=seed, kinds=(kind,) * times, accumulate=accumulate, concurrent=concurrent)
        seen += agree(scenario)
    # An exit alone never enters.
    assert bool(seen["filled"]) is ("exit" not in kind)


@pytest.mark.parametrize(("accumulate", "concurrent"), FLAGS)
@pytest.mark.parametrize("entry", [SignalKind.LONGSHORT, SignalKind.LONG, SignalKind.SHORT])
@pytest.mark.parametrize("other", [kind for kind in KINDS if kind is not SignalKind.LONGSHORT])
def test_each_pair_of_an_entry_and_another(entry, other, accumulate, concurrent):
    agree(Signals(seed=3, kinds=(entry, other), accumulate=accumulate, concurrent=concurrent))


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_any_combination(first):
    for seed in range(first, first + 20):
        chance = Random(seed)
        kinds = tuple(chance.choice(KINDS) for _ in range(chance.randint(3, 7)))
        accumulate, concurrent = FLAGS[seed % 4]
        cash = chance.choice([1e6, 1e6, 900.0])
        agree(Signals(seed=seed, kinds=kinds, accumulate=accumulate, concurrent=concurrent, cash=cash))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("this_close", [False, True])
def test_signals_of_one_market_traded_in_another(seed, this_close):
    chance = Random(seed)
    kinds = (SignalKind.LONGSHORT, *(chance.choice(KINDS) for _ in range(2)))
    flags = {"accumulate": seed % 2 == 1, "concurrent": seed % 4 > 1}
    agree(Signals(seed=seed, kinds=kinds, markets=2, target=seed % 2, this_close=this_close, **flags))


@pytest.mark.parametrize(("accumulate", "concurrent"), FLAGS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("kind", "sign"),
    [("longshort", 1), ("longshort", -1), ("long", 1), ("long_inv", -1), ("short", -1), ("short_inv", 1)],
)
def test_entries_that_take_several_bars_to_fill(kind, sign, seed, accumulate, concurrent):
    flags = {"accumulate": accumulate, "concurrent": concurrent}
    seen = agree(Signals(seed=seed, kinds=(SignalKind(kind),), one_way=sign, volume_limit=0.2, **flags))
    assert seen["filled"] + seen["open"] > (accumulate and concurrent) * 10


@pytest.mark.parametrize("seed", range(8))
def test_the_path_through_events_agrees_as_well(seed):
    kinds = (SignalKind.LONG, SignalKind.SHORT, KINDS[seed])
    agree(Signals(seed=seed, kinds=kinds, accumulate=True, concurrent=seed % 2 == 1), events=True)


def test_the_scenarios_have_what_they_are_to_prove():
    seen = Counter()
    for seed in range(12):
        chance = Random(seed)
        kinds = (SignalKind.LONG, SignalKind.SHORT, chance.choice(KINDS))
        seen += agree(Signals(seed=seed, kinds=kinds, accumulate=True, concurrent=seed % 2 == 1, cash=1_500.0))
    assert {"filled", "rejected", "open", "long", "short", "flat", "added"} <= set(+seen)
