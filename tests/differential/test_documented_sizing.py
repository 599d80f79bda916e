"""Each difference of sizers and signals that the documentation names is one: both engines do what the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from differential_engines import backtrader
from differential_scenarios import Bar
from test_documented_differences import FLAT, minutes, tables

import cambist
from cambist import AllIn, FixedSize, Instrument, SignalStrategy
from cambist.strategies import FixedReverser, FixedSizeTarget, PercentOfCash

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

theirs = backtrader.sizers
HIGHER = Bar(100.5, 101.0, 99.0, 100.5)
CHECKS: dict[str, Callable[[], None]] = {}


def check_of(row: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Name the row that a function checks."""

    def add(check: Callable[[], None]) -> Callable[[], None]:
        CHECKS[row] = check
        return check

    return add


@attrs.define
class Sent:
    """Signed sizes of the orders that were sent, and of those that traded in full."""

    sent: list[float] = attrs.field(factory=list)
    filled: list[float] = attrs.field(factory=list)


def both(
    sizer: Any, ours: Any, sides: str, *bars: Bar, fee: float = 0.0, rules: str = "backtrader"
) -> tuple[Sent, Sent]:
    """Ask both engines for one order a bar, ``b`` or ``s``, with 10,000 in cash; two letters are of one bar."""
    asks = sides.split()
    frame = minutes(*(bars or [FLAT] * (len(asks) + 1)))
    one, other = Sent(), Sent()

    class Theirs(backtrader.Strategy):
        def next(self) -> None:
            for side in asks[len(self) - 1] if len(self) <= len(asks) else "":
                order = self.buy() if side == "b" else self.sell()
                if order is not None:
                    one.sent.append(order.size)

        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                one.filled.append(order.size)

    class Ours(cambist.Strategy):
        def on_start(self) -> None:
            self.number = 0

        def on_bar(self, bar: Any) -> None:
            for side in asks[self.number] if self.number < len(asks) else "":
                order = self.buy() if side == "b" else self.sell()
                if order is not None:
                    other.sent.append(order.size if side == "b" else -order.size)
            self.number += 1

        def on_order(self, order: Any) -> None:
            if order.status == "filled":
                other.filled.append(order.size if order.is_buy else -order.size)

    cerebro = backtrader.Cerebro(stdstats=False)
    timeframe = backtrader.TimeFrame.Minutes
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frame, timeframe=timeframe, compression=1))
    cerebro.addstrategy(Theirs)
    cerebro.addsizer(sizer[0], **sizer[1])
    cerebro.broker.setcash(10_000.0)
    cerebro.broker.setcommission(commission=fee)
    cerebro.run()
    whole = Instrument(symbol="X", step_size=1)
    cambist.backtest(Ours, frame, cash=10_000.0, fees=fee, sizer=ours, rules=rules, instrument=whole, benchmark=False)
    return one, other


@check_of("an all-in order and its fee")
def the_fee() -> None:
    one, other = both((theirs.AllInSizerInt, {}), AllIn(buffer=0.0), "b", fee=0.001)
    assert (one.sent, one.filled) == ([100.0], [])
    assert (other.sent, other.filled) == ([99.0], [99.0])


@check_of("an all-in order and a gap")
def the_gap() -> None:
    for ours, sent, filled in ((AllIn(), [99.0], [99.0]), (AllIn(buffer=0), [100.0], [])):
        for rules in ("cambist", "backtrader"):
            one, other = both((theirs.AllInSizerInt, {}), ours, "b", FLAT, HIGHER, HIGHER, rules=rules)
            assert (one.sent, one.filled) == ([100.0], [])
            assert (other.sent, other.filled) == (sent, filled)


@check_of("orders of one close, sized by money")
def one_close() -> None:
    one, other = both((theirs.PercentSizerInt, {"percents": 60}), PercentOfCash(0.6, buffer=0.0), "bb")
    assert (one.sent, one.filled) == ([60.0, 60.0], [60.0])
    assert (other.sent, other.filled) == ([60.0, 40.0], [60.0, 40.0])


@check_of("a sizer by cash, asked to add to a position")
def adding_by_cash() -> None:
    one, other = both((theirs.PercentSizerInt, {"percents": 20}), PercentOfCash(0.2), "b b s")
    assert one.sent == [20.0, 20.0, -40.0]
    assert other.sent == [20.0, 16.0, -36.0]


@check_of("`FixedReverser`, asked to add to a position")
def adding_by_the_reverser() -> None:
    one, other = both((theirs.FixedReverser, {"stake": 3}), FixedReverser(3), "b b s")
    assert one.sent == [3.0, 6.0, -6.0]
    assert other.sent == [3.0, 3.0, -9.0]


@check_of("a fixed size in tranches")
def tranches() -> None:
    one, other = both((theirs.FixedSize, {"stake": 11, "tranches": 4}), FixedSize(11, tranches=4), "b")
    assert one.sent == other.sent == [2.0]

    class Ours(cambist.Strategy):
        def on_bar(self, bar: Any) -> None:
            self.buy()

    result = cambist.backtest(Ours, minutes(FLAT, FLAT), sizer=FixedSize(11, tranches=4))
    assert result.order_records[0].size == 2.75


@check_of("`FixedSizeTarget` and a plain buy")
def target() -> None:
    one, other = both((theirs.FixedSizeTarget, {"stake": 5}), FixedSizeTarget(5), "b b s")
    assert one.sent == [5.0, 5.0, -5.0]
    assert other.sent == [5.0, -10.0]


def signals(frame: pd.DataFrame, kind: str, ours: Any, **options: Any) -> tuple[list[float], list[float]]:
    """Return the signed sizes that both sent for signals that a function makes of the closes."""
    one: list[float] = []

    class Theirs(backtrader.SignalStrategy):
        def __init__(self) -> None:
            self.signal_add(getattr(backtrader, f"SIGNAL_{kind.upper()}"), ours(self.data0))

        def buy(self, *given: Any, **terms: Any) -> Any:
            one.append(terms.get("size") or 5.0)
            return super().buy(*given, **terms)

        def sell(self, *given: Any, **terms: Any) -> Any:
            one.append(-(terms.get("size") or 5.0))
            return super().sell(*given, **terms)

    cerebro = backtrader.Cerebro(stdstats=False)
    timeframe = backtrader.TimeFrame.Minutes
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frame, timeframe=timeframe, compression=1))
    cerebro.addstrategy(Theirs)
    cerebro.addsizer(theirs.FixedSize, stake=5)
    if "volume_limit" in options:
        cerebro.broker.set_filler(backtrader.fillers.FixedBarPerc(perc=options["volume_limit"] * 100))
    cerebro.run()
    made = SignalStrategy.of(sizer=FixedSize(5.0), **{kind: ours})
    result = cambist.backtest(made, frame, rules="backtrader", benchmark=False, **options)
    return one, [order.size if order.is_buy else -order.size for order in result.order_records]


@check_of("a signal that is not known (NaN)")
def unknown() -> None:
    class Nothing(backtrader.Indicator):
        lines = ("signal",)

        def next(self) -> None:
            self.lines.signal[0] = float("nan")

    def nan(data: Any) -> Any:
        if isinstance(data, backtrader.LineRoot):
            return Nothing(data)
        return (data.close - data.close) / (data.close - data.close)

    one, other = signals(minutes(FLAT, FLAT), "long_any", nan)
    assert one
    assert other == []


@check_of("a signal to leave while a close waits")
def a_close_that_waits() -> None:
    up, down = attrs.evolve(FLAT, close=100.5, volume=50.0), attrs.evolve(FLAT, close=99.5, volume=20.0)
    frame = minutes(up, up, down, down, down, down)
    one, other = signals(frame, "long", lambda data: data.close - 100.0, volume_limit=0.1)
    # Of the five bought at once, two are sold in the next bar; backtrader sends the three that are left once more, and
    # ends up three short.
    assert one == [5.0, -5.0, -3.0]
    assert other == [5.0, -5.0]


@pytest.mark.parametrize("row", CHECKS)
def test_a_difference_is_as_documented(row):
    CHECKS[row]()


def test_every_row_of_the_page_has_its_test():
    assert {row[0] for row in tables()[1]} == set(CHECKS)
