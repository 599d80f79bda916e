"""Under ``rules="backtrader"`` the sizers size as backtrader's seven do, save for the documented differences."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd
import pytest
from differential_engines import backtrader
from differential_scenarios import random_bars

import cambist
from cambist import AllIn, FixedSize
from cambist.strategies import FixedReverser, FixedSizeTarget, PercentOfCash

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 60
#: What the script asks for at a bar, by the sign of the position.
ANY_SIDE, NEVER_ADDS, MOSTLY_BUYS = "any side", "never adds", "mostly buys"


@attrs.frozen(kw_only=True)
class Case:
    """A sizer of theirs and ours, and the orders that it is asked for.

    ``targets`` has backtrader trade what the sizer answers as a target, which is what it is for there.
    """

    theirs: type
    params: dict[str, Any]
    ours: Any
    habit: str = NEVER_ADDS
    targets: bool = False
    step: str = "1"
    fee: float = 0.0


SIZERS = backtrader.sizers
CASES = {
    "FixedSize": Case(
        theirs=SIZERS.FixedSize, params={"stake": 7}, ours=FixedSize(7), habit=ANY_SIDE, step="0.1", fee=0.001
    ),
    "FixedSize in tranches": Case(
        theirs=SIZERS.FixedSize, params={"stake": 11, "tranches": 3}, ours=FixedSize(11, tranches=3), habit=ANY_SIDE
    ),
    "FixedReverser": Case(theirs=SIZERS.FixedReverser, params={"stake": 4}, ours=FixedReverser(4), fee=0.001),
    "FixedSizeTarget": Case(
        theirs=SIZERS.FixedSizeTarget, params={"stake": 9}, ours=FixedSizeTarget(9), habit=MOSTLY_BUYS, targets=True
    ),
    "FixedSizeTarget in tranches": Case(
        theirs=SIZERS.FixedSizeTarget,
        params={"stake": 11, "tranches": 3},
        ours=FixedSizeTarget(11, tranches=3),
        habit=MOSTLY_BUYS,
        targets=True,
    ),
    "PercentSizer": Case(theirs=SIZERS.PercentSizer, params={}, ours=PercentOfCash(), step="1e-9", fee=0.001),
    "PercentSizer of 70": Case(
        theirs=SIZERS.PercentSizer, params={"percents": 70}, ours=PercentOfCash(0.7), step="1e-9", fee=0.001
    ),
    "PercentSizerInt": Case(
        theirs=SIZERS.PercentSizerInt, params={"percents": 35}, ours=PercentOfCash(0.35, whole=True), step="1e-8"
    ),
    "AllInSizerInt": Case(theirs=SIZERS.AllInSizerInt, params={}, ours=AllIn(buffer=0.0, whole=True), step="1e-8"),
}


@attrs.define
class Facts:
    """Sizes that were asked for by bar, fills as (bar, signed size, price), and equity at each close."""

    asked: list[tuple[int, float]] = attrs.field(factory=list)
    fills: list[tuple[int, float, float]] = attrs.field(factory=list)
    equity: list[float] = attrs.field(factory=list)


class _Script:
    """Says at each bar whether to buy or sell, the same in both engines while their positions are the same."""

    def __init__(self, case: Case, seed: int) -> None:
        self.habit = case.habit
        self.chance = Random(seed)

    def side(self, held: float) -> str:
        draw, against = self.chance.random(), self.chance.random()
        if draw < 0.5:
            return ""
        if self.habit == MOSTLY_BUYS:
            return "buy" if against < 0.7 else "sell two"
        if self.habit == NEVER_ADDS and held:
            return "sell" if held > 0 else "buy"
        return "buy" if against < 0.5 else "sell"


def bars_of(seed: int) -> pd.DataFrame:
    bars = random_bars(Random(seed), COUNT)
    rows = [attrs.astuple(bar) for bar in bars]
    index = pd.date_range("2021-03-01 10:00", periods=COUNT, freq="min")
    return pd.DataFrame(rows, index, ["open", "high", "low", "close", "volume"])


class _Theirs(backtrader.Strategy):
    params = (("case", None), ("seed", 0), ("facts", None))

    def __init__(self) -> None:
        self.script = _Script(self.p.case, self.p.seed)

    def next(self) -> None:
        facts = self.p.facts
        facts.equity.append(self.broker.getvalue())
        side = self.script.side(self.position.size)
        if side == "sell two":
            order = self.sell(size=2)
        elif side == "buy" and self.p.case.targets:
            order = self.order_target_size(target=self.getsizing())
        else:
            order = getattr(self, side)() if side else None
        if order is not None:
            facts.asked.append((len(self) - 1, abs(order.size)))

    def notify_order(self, order: Any) -> None:
        for bit in order.executed.iterpending():
            self.p.facts.fills.append((len(self) - 1, bit.size, bit.price))


class _Ours(cambist.Strategy):
    case: Case
    seed: int
    facts: Facts

    def on_start(self) -> None:
        self.script, self.number = _Script(self.case, self.seed), -1

    def on_bar(self, bar: Any) -> None:
        self.number += 1
        side = self.script.side(self.position.size)
        order = self.sell(2) if side == "sell two" else getattr(self, side)() if side else None
        if order is not None:
            self.facts.asked.append((self.number, order.size))

    def on_fill(self, fill: Any) -> None:
        self.facts.fills.append((self.number + 1, fill.size if fill.side == "buy" else -fill.size, fill.price))


def play(case: Case, seed: int, cash: float) -> tuple[Facts, Facts]:
    theirs, ours = Facts(), Facts()
    frame = bars_of(seed)
    cerebro = backtrader.Cerebro(stdstats=False)
    minutes = backtrader.TimeFrame.Minutes
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frame, timeframe=minutes, compression=1))
    cerebro.addstrategy(_Theirs, case=case, seed=seed, facts=theirs)
    cerebro.addsizer(case.theirs, **case.params)
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission=case.fee)
    cerebro.run()
    result = cambist.backtest(
        type("Sized", (_Ours,), {"case": case, "seed": seed, "facts": ours}),
        frame,
        instrument=cambist.Instrument(symbol="M", step_size=case.step),
        cash=cash,
        fees=case.fee,
        sizer=case.ours,
        rules="backtrader",
        benchmark=False,
    )
    assert result.curve.all_equity is not None
    ours.equity = result.curve.all_equity.tolist()
    return theirs, ours


@pytest.mark.parametrize("cash", [1e6, 1_500.0])
@pytest.mark.parametrize("name", CASES)
def test_the_same_sizes_fills_and_equity(name, cash):
    case = CASES[name]
    sides = set()
    for seed in range(6):
        theirs, ours = play(case, seed, cash)
        assert len(theirs.asked) > 10
        near: Callable[..., Any] = lambda pairs: [pytest.approx(pair, rel=1e-9, abs=1e-8) for pair in pairs]  # noqa: E731
        assert ours.asked == near(theirs.asked), seed
        assert ours.fills == near(theirs.fills), seed
        # A size rounded to its step moves the equity by as much as the price moves that step.
        assert ours.equity == pytest.approx(theirs.equity, rel=1e-9), seed
        sides |= {size > 0 for _, size, _ in theirs.fills}
    assert sides == {True, False}


def test_an_all_in_order_of_any_fraction_has_the_same_size():
    """Of sizes alone: where size times price comes out a hair above the cash, backtrader refuses its own order."""
    case = Case(theirs=SIZERS.AllInSizer, params={}, ours=AllIn(buffer=0.0), step="1e-9")
    for seed in range(6):
        theirs, ours = play(case, seed, 10_000.0)
        assert ours.asked[0] == pytest.approx(theirs.asked[0], rel=1e-9)
