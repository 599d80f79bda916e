"""Each difference that the documentation names is one: both engines play it, and both do what the page says."""

from __future__ import annotations

import inspect
import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd
import pytest
from differential_cases import BUY, CASES, FLAT, SELL, WIDE, play
from differential_engines import backtrader, play_backtrader
from differential_scenarios import LIMIT, MARKET, Ask, Bar

import cambist
import cambist.indicators
import cambist.strategies
from cambist import BacktestSettings, OrderError, simulation
from cambist.strategies.order_options import OrderOptions

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "explanation" / "differences-from-backtrader.md"
NAMES = DOCS / "how-to" / "move-from-backtrader.md"

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


@check_of("what is seen at an open that is cheated on")
def a_look_ahead() -> None:
    bar = Bar(105.0, 109.0, 104.0, 108.0)
    frame, shown = minutes(FLAT, bar), []

    class Theirs(backtrader.Strategy):  # type: ignore[misc]
        def next_open(self) -> None:
            shown.append((self.data.open[0], self.data.close[0]))

    class Ours(cambist.Strategy):
        def on_open(self, series: Any, price: float) -> None:
            shown.append((price, series.open[0], series.close[0], self.positions[series.symbol].last_price))

    cerebro = backtrader.Cerebro(stdstats=False, cheat_on_open=True)
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Theirs)
    cerebro.run()
    assert shown == [(bar.open, bar.close)]
    cambist.backtest(Ours, frame, cheat_on_open=True)
    assert shown[1:] == [(bar.open, FLAT.open, FLAT.close, bar.open)]


@check_of("an order that ends on a date")
def an_end_on_a_date() -> None:
    today = date(2021, 3, 1)
    ends: list[str] = []

    class Theirs(backtrader.Strategy):
        def next(self) -> None:
            if len(self) == 1:
                self.sell(size=1, exectype=backtrader.Order.Limit, price=100.5, valid=today)

        def notify_order(self, order: Any) -> None:
            ends.append(order.getstatusname())

    def play_ours(end: date | datetime, rules: str) -> str:
        class Ours(cambist.Strategy):
            def on_start(self) -> None:
                self.sent: list[Any] = []

            def on_bar(self, bar: Any) -> None:
                if not self.sent:
                    self.sent.append(self.sell(1, limit=100.5, expires_at=end))

        return str(cambist.backtest(Ours, minutes(FLAT, FLAT, FLAT), rules=rules).order_records[0].status)

    run_backtrader(Theirs, [minutes(FLAT, FLAT, FLAT)])
    assert ends[-1] == "Expired"
    for rules in ("cambist", "backtrader"):
        assert play_ours(today, rules) == "filled"
    assert play_ours(datetime(2021, 3, 1), "backtrader") == "expired"  # noqa: DTZ001 - naive times are UTC


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


def tables(page: Path = PAGE, head: str = "|") -> list[list[list[str]]]:
    """Return the cells of each row of each table of a page that begins with `head`, without it."""
    found: list[list[list[str]]] = []
    last_was_row = False
    for line in page.read_text(encoding="utf-8").splitlines():
        is_row = line.startswith("|")
        if is_row and not last_was_row:
            found.append([])
        if is_row:
            found[-1].append([cell.strip() for cell in line.strip("|").split(" | ")])
        last_was_row = is_row
    return [rows[2:] for rows in found if "| " + " | ".join(rows[0]) + " |" == head or head == "|"]


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
        *(cambist, cambist.data, cambist.indicators, cambist.strategies, simulation, cambist.Bar),
        *(cambist.Strategy, cambist.SignalStrategy, cambist.Order, cambist.Position, cambist.Result),
    )
    calls = (
        cambist.Strategy.buy,
        cambist.Strategy.buy_bracket,
        cambist.backtest,
        BacktestSettings,
        cambist.FixedFee,
        simulation.BacktraderSlippage,
        simulation.RangeFiller,
        cambist.Interest,
        cambist.SignalStrategy.of,
        cambist.resample,
        cambist.Instrument,
    )
    known = {name for space in spaces for name in dir(space)}
    known |= {name for call in calls for name in inspect.signature(call).parameters}
    known |= set(OrderOptions.__annotations__)
    words = {
        "cambist",
        "indicators",
        "close",
        "self",
        "data",
        "order",
        "result",
        "int",
        "dict",
        "True",
        "False",
        "None",
    }
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
        "note",
    }
    rows = [row for table in tables(NAMES, "| backtrader | Cambist |") for row in table]
    assert len(rows) > 80
    unknown = {
        f"{theirs}: {code}"
        for theirs, ours in rows
        for code in re.findall(r"`([^`]+)`", ours)
        for name in set(re.findall(r"\b[A-Za-z]\w*", code)) - known - words - placeholders
        if not hasattr(cambist.indicators, name)  # TA-Lib's are made when they are asked for
    }
    assert not unknown


def test_an_order_of_no_size_is_an_error():
    class Nothing(cambist.Strategy):
        def on_bar(self, bar: Any) -> None:
            with pytest.raises(OrderError):
                self.buy(0)

    cambist.backtest(Nothing, minutes(FLAT, FLAT))
