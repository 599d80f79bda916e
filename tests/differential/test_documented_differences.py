"""Each difference that the documentation names is one: both engines play it, and both do what the page says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd
import pytest
from differential_engines import Report, backtrader, differences, play_backtrader, play_cambist
from differential_scenarios import LIMIT, MARKET, STOP, STOP_LIMIT, Ask, Bar, Cancel, Close, Scenario

import cambist
import cambist.indicators
import cambist.strategies
from cambist import BacktestSettings, OrderError, simulation

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "differences-from-backtrader.md"
FLAT = Bar(100.0, 101.0, 99.0, 100.0)
BUY, SELL = True, False


def facts(report: Report) -> list[tuple[int, int, float, float]]:
    """Return bar, order, size and price of each fill."""
    return [(done.bar, done.order, done.size, round(done.price, 9)) for done in report.fills]


@attrs.frozen(kw_only=True)
class Case:
    """One row: what is played, the fills in backtrader and by the default rules, and what else of them is different.

    ``ends`` are of orders, ``first_equity`` is that at the first close, of backtrader and of the default rules.
    ``reproduced`` is whether ``rules="backtrader"`` does what backtrader does.
    """

    scenario: Scenario
    theirs: list[tuple[int, int, float, float]]
    ours: list[tuple[int, int, float, float]]
    their_ends: dict[int, tuple[str, int]] = attrs.field(factory=dict)
    our_ends: dict[int, tuple[str, int]] = attrs.field(factory=dict)
    first_equity: tuple[float, float] = (10_000.0, 10_000.0)
    reproduced: bool = True

    def check(self) -> None:
        theirs, ours = play_backtrader(self.scenario), play_cambist(self.scenario)
        assert facts(theirs) == self.theirs
        assert facts(ours) == self.ours
        assert {number: theirs.outcomes[number] for number in self.their_ends} == self.their_ends
        assert {number: ours.outcomes[number] for number in self.our_ends} == self.our_ends
        assert (theirs.equity[0], ours.equity[0]) == self.first_equity
        assert differences(theirs, ours)
        assert (not differences(theirs, play_cambist(self.scenario, rules="backtrader"))) is self.reproduced


def play(bars: list[Bar], *asks: list[Any], **options: Any) -> Scenario:
    """Return a scenario that asks for one list of actions at each of the first closes."""
    options.setdefault("cash", 10_000.0)
    return Scenario(bars=bars, script=dict(enumerate(asks)), **options)


WIDE = Bar(100.0, 104.0, 97.0, 101.0)
LOSS = [FLAT, FLAT, Bar(400.0, 401.0, 399.0, 400.0), Bar(400.0, 401.0, 399.0, 400.0)]

CASES: dict[str, Case] = {
    "several orders in one bar": Case(
        scenario=play([FLAT, WIDE], [Ask(BUY, STOP, 1, stop=103.0), Ask(BUY, LIMIT, 2, limit=98.0)]),
        theirs=[(1, 0, 1.0, 103.0), (1, 1, 2.0, 98.0)],
        ours=[(1, 1, 2.0, 98.0), (1, 0, 1.0, 103.0)],
    ),
    "an order sent when a fill is heard of": Case(
        scenario=play([FLAT, WIDE, WIDE], [Ask(BUY, MARKET, 1)], reactions={0: [Ask(SELL, LIMIT, 1, limit=103.0)]}),
        theirs=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 103.0)],
        ours=[(1, 0, 1.0, 100.0), (1, 1, 1.0, 103.0)],
    ),
    "a cancel at the close at which the order was sent": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, LIMIT, 1, limit=99.5), Cancel()]),
        theirs=[(1, 0, 1.0, 99.5)],
        ours=[],
        our_ends={0: ("canceled", -1)},
    ),
    "when a refusal is known": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 200)]),
        theirs=[],
        ours=[],
        their_ends={0: ("no money", 1)},
        our_ends={0: ("no money", 0)},
    ),
    "slippage at the edge of the bar": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 1)], percent_slippage=0.02),
        theirs=[(1, 0, 1.0, 101.0)],
        ours=[(1, 0, 1.0, 102.0)],
    ),
    "slippage of a limit passed by a gap": Case(
        scenario=play(
            [FLAT, FLAT, Bar(95.0, 97.0, 94.0, 95.0)], [Ask(BUY, LIMIT, 1, limit=98.0)], percent_slippage=0.01
        ),
        theirs=[(2, 0, 1.0, 95.95)],
        ours=[(2, 0, 1.0, 95.0)],
    ),
    "a stop-limit and its limit": Case(
        scenario=play([FLAT, WIDE], [Ask(BUY, STOP_LIMIT, 1, stop=103.0, limit=103.2)], fixed_slippage=0.5),
        theirs=[(1, 0, 1.0, 103.5)],
        ours=[(1, 0, 1.0, 103.2)],
    ),
    "a stop-limit that comes back to its limit": Case(
        scenario=play(
            [FLAT, WIDE, Bar(102.0, 103.0, 102.0, 102.0)], [Ask(BUY, STOP_LIMIT, 1, stop=103.0, limit=101.5)]
        ),
        theirs=[],
        ours=[(1, 0, 1.0, 101.5)],
        their_ends={0: ("working", -1)},
    ),
    "a stop that traded in part": Case(
        scenario=play(
            [FLAT, Bar(100.0, 104.0, 99.0, 103.0, 50.0), FLAT, FLAT], [Ask(BUY, STOP, 8, stop=103.0)], volume_limit=0.1
        ),
        theirs=[(1, 0, 5.0, 103.0)],
        ours=[(1, 0, 5.0, 103.0), (2, 0, 3.0, 100.0)],
        their_ends={0: ("working", -1)},
    ),
    "two orders and the volume of a bar": Case(
        scenario=play(
            [FLAT, attrs.evolve(FLAT, volume=100.0), FLAT], [Ask(BUY, MARKET, 8), Ask(BUY, MARKET, 8)], volume_limit=0.1
        ),
        theirs=[(1, 0, 8.0, 100.0), (1, 1, 8.0, 100.0)],
        ours=[(1, 0, 8.0, 100.0), (1, 1, 2.0, 100.0), (2, 1, 6.0, 100.0)],
    ),
    "the share of a small volume": Case(
        scenario=play([FLAT, attrs.evolve(FLAT, volume=55.0)], [Ask(BUY, MARKET, 8)], volume_limit=0.1),
        theirs=[(1, 0, 5.0, 100.0)],
        ours=[(1, 0, 5.5, 100.0)],
    ),
    "an order beside one that cannot be paid": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 200), Ask(BUY, MARKET, 1)]),
        theirs=[],
        ours=[(1, 1, 1.0, 100.0)],
        their_ends={1: ("no money", 1)},
    ),
    "selling short": Case(
        scenario=play([FLAT, FLAT], [Ask(SELL, MARKET, 1_000)]),
        theirs=[(1, 0, 1_000.0, 100.0)],
        ours=[],
        our_ends={0: ("no money", 0)},
    ),
    "turning a position without money for the new side": Case(
        scenario=play(
            [FLAT, FLAT, Bar(250.0, 251.0, 249.0, 250.0)],
            [Ask(SELL, MARKET, 50)],
            [Ask(BUY, STOP, 70, stop=110.0)],
        ),
        theirs=[(1, 0, 50.0, 100.0), (2, 1, 50.0, 250.0)],
        ours=[(1, 0, 50.0, 100.0)],
        their_ends={1: ("no money", 2)},
        our_ends={1: ("no money", 2)},
    ),
    "closing a short that lost more than there is cash": Case(
        scenario=play(LOSS, [Ask(SELL, MARKET, 50)], [], [Ask(BUY, MARKET, 50)]),
        theirs=[(1, 0, 50.0, 100.0)],
        ours=[(1, 0, 50.0, 100.0), (3, 1, 50.0, 400.0)],
        their_ends={1: ("no money", 3)},
    ),
    "a market order with an end": Case(
        scenario=play(
            [FLAT, attrs.evolve(FLAT, volume=50.0), FLAT], [Ask(BUY, MARKET, 8, last_bar=1)], volume_limit=0.1
        ),
        theirs=[(1, 0, 5.0, 100.0), (2, 0, 3.0, 100.0)],
        ours=[(1, 0, 5.0, 100.0)],
        our_ends={0: ("expired", 2)},
    ),
    "a day order on daily bars": Case(
        scenario=play([FLAT, FLAT], [Ask(BUY, LIMIT, 1, limit=99.5, last_bar="day")], daily=True),
        theirs=[],
        ours=[(1, 0, 1.0, 99.5)],
        their_ends={0: ("expired", 1)},
    ),
    "market orders at this close": Case(
        # The strategy has done with the first bar when it trades, so both hear of it as of the second.
        scenario=play([FLAT, FLAT], [Ask(BUY, MARKET, 1)], this_close=True, unit_fee=0.5),
        theirs=[(1, 0, 1.0, 100.0)],
        ours=[(1, 0, 1.0, 100.0)],
        first_equity=(10_000.0, 9_999.5),
    ),
    "closing what a stop has closed already": Case(
        scenario=play(
            [FLAT, FLAT, Bar(98.0, 99.0, 97.0, 98.0)], [Ask(BUY, MARKET, 1)], [Ask(SELL, STOP, 1, stop=98.5), Close()]
        ),
        theirs=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 98.0), (2, 2, 1.0, 98.0)],
        ours=[(1, 0, 1.0, 100.0), (2, 1, 1.0, 98.0)],
        our_ends={2: ("canceled", -1)},
        reproduced=False,
    ),
}

CHECKS: dict[str, Callable[[], None]] = {name: case.check for name, case in CASES.items()}


def check_of(row: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Name the row that a function checks."""

    def add(check: Callable[[], None]) -> Callable[[], None]:
        CHECKS[row] = check
        return check

    return add


def run_backtrader(strategy: type, frames: list[pd.DataFrame], cash: float = 10_000.0) -> Any:
    cerebro = backtrader.Cerebro(stdstats=False)
    for frame in frames:
        minutes = backtrader.TimeFrame.Minutes
        cerebro.adddata(backtrader.feeds.PandasData(dataname=frame, timeframe=minutes, compression=1))
    cerebro.addstrategy(strategy)
    cerebro.broker.setcash(cash)
    return cerebro.run()[0]


def minutes(*bars: Bar, every: int = 1) -> pd.DataFrame:
    index = pd.date_range("2021-03-01 10:00", periods=len(bars), freq=f"{every}min")
    return pd.DataFrame([attrs.astuple(bar) for bar in bars], index, ["open", "high", "low", "close", "volume"])


@check_of("sizes in tenths")
def sizes_in_tenths() -> None:
    asks = [(BUY, 0.1), (BUY, 0.2), (SELL, 0.3)]

    class Theirs(backtrader.Strategy):
        def next(self) -> None:
            if len(self) == 1:
                for buys, size in asks:
                    (self.buy if buys else self.sell)(size=size)

    class Ours(cambist.Strategy):
        def on_start(self) -> None:
            self.bars = 0

        def on_bar(self, bar: Any) -> None:
            self.bars += 1
            if self.bars == 1:
                for buys, size in asks:
                    (self.buy if buys else self.sell)(size)

    frame = minutes(FLAT, FLAT, FLAT)
    assert 0.0 < run_backtrader(Theirs, [frame]).position.size < 1e-12
    for rules in ("cambist", "backtrader"):
        result = cambist.backtest(Ours, frame, rules=rules)
        assert [trade.is_open for trade in result.trade_records] == [False]


@check_of("what is seen when a fill is heard of")
def what_is_seen() -> None:
    theirs: list[float] = []
    ours: list[float] = []

    class Theirs(backtrader.Strategy):
        def next(self) -> None:
            if len(self) == 1:
                self.buy(size=1)
                self.buy(size=2)

        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                theirs.append(self.position.size)

    class Ours(cambist.Strategy):
        def on_start(self) -> None:
            ours.clear()

        def on_bar(self, bar: Any) -> None:
            if not ours:
                self.buy(1)
                self.buy(2)

        def on_fill(self, fill: cambist.Fill) -> None:
            ours.append(self.position.size)

    frame = minutes(FLAT, FLAT)
    run_backtrader(Theirs, [frame])
    assert theirs == [3, 3]
    for rules in ("cambist", "backtrader"):
        cambist.backtest(Ours, frame, rules=rules)
        assert ours == [1.0, 3.0]


@check_of("an instrument whose bar has not come yet")
def an_old_bar() -> None:
    fast = minutes(*[FLAT] * 12)
    slow = minutes(*[Bar(50.0, 52.0, 48.0, 50.0)] * 3, every=5)
    theirs: list[tuple[float, pd.Timestamp]] = []

    class Theirs(backtrader.Strategy):
        def next(self) -> None:
            if len(self) == 3:
                self.buy(data=self.data1, size=1, exectype=backtrader.Order.Limit, price=49.0)

        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                moment = backtrader.num2date(order.executed.dt)
                theirs.append((order.executed.price, pd.Timestamp(moment).round("s")))

    class Ours(cambist.Strategy):
        def on_start(self) -> None:
            self.bars = 0

        def on_bar(self, bar: Any) -> None:
            self.bars += bar.instrument.symbol == "fast"
            if self.bars == 3 and bar.instrument.symbol == "fast":
                self.buy(1, limit=49.0, data="slow")

    run_backtrader(Theirs, [fast, slow])
    # Sent at 10:02, and traded in the bar of 10:00.
    assert theirs == [(49.0, pd.Timestamp("2021-03-01 10:00"))]
    for rules in ("cambist", "backtrader"):
        result = cambist.backtest(Ours, {"fast": fast, "slow": slow}, rules=rules)
        assert [fill.price for fill in result.fill_records] == [49.0]
        # Sent at 10:03, when the third bar closed; the bar of 10:05 is the first after it, and known at 10:10.
        assert result.fills["ts"].tolist() == [pd.Timestamp("2021-03-01 10:10", tz="UTC")]


@check_of("target percent")
def target_percent() -> None:
    class Theirs(backtrader.Strategy):
        def next(self) -> None:
            if len(self) == 1:
                self.order_target_percent(target=0.5)

    class Ours(cambist.Strategy):
        def on_bar(self, bar: Any) -> None:
            if not self.position:
                self.order_target_percent(0.5)

    frame = minutes(Bar(103.0, 104.0, 102.0, 103.0), Bar(103.0, 104.0, 102.0, 103.0))
    assert run_backtrader(Theirs, [frame]).position.size == 48
    free = cambist.backtest(Ours, frame, cash=10_000.0)
    assert free.fill_records[0].size == pytest.approx(5_000.0 / 103.0, abs=1e-8)
    whole = cambist.backtest(Ours, frame, cash=10_000.0, instrument=cambist.Instrument(symbol="X", step_size=1))
    assert whole.fill_records[0].size == 48.0


@check_of("the time of a fill")
def the_time_of_a_fill() -> None:
    scenario = play([FLAT, WIDE], [Ask(BUY, MARKET, 1), Ask(BUY, LIMIT, 1, limit=98.0)])
    assert [done.dated for done in play_backtrader(scenario).fills] == [1, 1]

    class Ours(cambist.Strategy):
        def on_bar(self, bar: Any) -> None:
            self.buy(1)
            self.buy(1, limit=98.0)

    frame = minutes(FLAT, WIDE)
    opened, closed = pd.Timestamp("2021-03-01 10:01", tz="UTC"), pd.Timestamp("2021-03-01 10:02", tz="UTC")
    assert cambist.backtest(Ours, frame).fills["ts"].tolist() == [opened, closed]
    assert cambist.backtest(Ours, frame, rules="backtrader").fills["ts"].tolist() == [closed, closed]


def tables() -> list[list[list[str]]]:
    """Return the cells of each row of each table of the page, without its head."""
    found: list[list[list[str]]] = []
    last_was_row = False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        is_row = line.startswith("|")
        if is_row and not last_was_row:
            found.append([])
        if is_row:
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        last_was_row = is_row
    return [rows[2:] for rows in found]


@pytest.mark.parametrize("row", CHECKS)
def test_a_difference_is_as_documented(row):
    CHECKS[row]()


def test_every_row_of_the_page_has_its_test():
    rows = {row[0]: row[-1] for row in tables()[0]}
    assert set(rows) == set(CHECKS)
    # An empty last column says that the compatible rules give the old behavior; only the rows played through a
    # scenario can show that, so the others say what else does, or that nothing does.
    assert {name for name, else_ in rows.items() if not else_} == {
        name for name, case in CASES.items() if case.reproduced
    }


def test_every_name_of_the_page_exists():
    spaces = (
        *(cambist, cambist.indicators, cambist.strategies, simulation),
        *(cambist.Strategy, cambist.SignalStrategy, cambist.Order, cambist.Position, cambist.Result),
    )
    calls = (
        cambist.Strategy.buy,
        cambist.backtest,
        BacktestSettings,
        cambist.FixedFee,
        simulation.BacktraderSlippage,
        simulation.RangeFiller,
        cambist.Interest,
        cambist.SignalStrategy.of,
    )
    known = {name for space in spaces for name in dir(space)}
    known |= {name for call in calls for name in inspect.signature(call).parameters}
    words = {"cambist", "self", "data", "order", "result", "int", "True", "False"}
    placeholders = {
        "p",
        "l",
        "a",
        "b",
        "moment",
        "period",
        "ETH",
        "day",
        "this_close",
        "line",
        "long",
        "function",
        "entry",
        "nav",
    }
    rows = tables()[-1]
    assert len(rows) > 25
    for theirs, ours in rows:
        for code in re.findall(r"`([^`]+)`", ours):
            names = set(re.findall(r"\b[A-Za-z]\w*", code))
            assert names <= known | words | placeholders, f"{theirs}: {code}"


def test_an_order_of_no_size_is_an_error():
    class Nothing(cambist.Strategy):
        def on_bar(self, bar: Any) -> None:
            with pytest.raises(OrderError):
                self.buy(0)

    cambist.backtest(Nothing, minutes(FLAT, FLAT))
