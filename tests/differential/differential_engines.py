"""Plays one scenario in backtrader and in Cambist and writes down the same facts about both."""

from __future__ import annotations

from math import isclose
from typing import Any

import attrs
import backtrader
import numpy as np
import pandas as pd
from differential_scenarios import LIMIT, MARKET, STOP, Ask, Cancel, Scenario

import cambist
from cambist.model.times import DAY_NS, MINUTE_NS

#: Start of the first bar; minutes late in a day, so that a run goes over midnight.
START = pd.Timestamp("2021-03-01 23:15")
FIRST_DAY = pd.Timestamp("2021-03-01")


@attrs.frozen
class Done:
    """A fill: in the matching of which bar, of which order (from 0), dated to which bar."""

    bar: int
    order: int
    size: float
    price: float
    fee: float
    dated: int


@attrs.define
class Report:
    """What happened: fills, how each order stood at the end and since which bar, cash and equity at each close."""

    fills: list[Done] = attrs.field(factory=list)
    outcomes: dict[int, tuple[str, int]] = attrs.field(factory=dict)
    cash: list[float] = attrs.field(factory=list)
    equity: list[float] = attrs.field(factory=list)


def times(scenario: Scenario) -> pd.DatetimeIndex:
    """Return the times by which the bars are known."""
    first, spacing = (FIRST_DAY, "D") if scenario.daily else (START, "min")
    return pd.date_range(first, periods=len(scenario.bars), freq=spacing)


def frame(scenario: Scenario) -> pd.DataFrame:
    """Return the bars as both engines take them."""
    rows = [attrs.astuple(bar) for bar in scenario.bars]
    return pd.DataFrame(rows, columns=["open", "high", "low", "close", "volume"], index=times(scenario))


# backtrader.

_KINDS = {
    MARKET: backtrader.Order.Market,
    LIMIT: backtrader.Order.Limit,
    STOP: backtrader.Order.Stop,
}
#: Said of an order that is at work, whatever was said of it last.
_ALIVE = {"Submitted": "submitted", "Accepted": "working", "Partial": "working"}
_ENDED = {"Completed": "filled", "Canceled": "canceled", "Expired": "expired", "Margin": "no money"}


class _Script(backtrader.Strategy):
    params = (("scenario", None), ("report", None))

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.by_ref: dict[int, int] = {}
        self.times = times(self.p.scenario)

    def next(self) -> None:
        number = len(self) - 1
        for action in self.p.scenario.script.get(number, ()):
            if isinstance(action, Cancel):
                self.cancel(self.sent[action.number])
            else:
                self._send(action)
        self.p.report.cash.append(self.broker.getcash())
        self.p.report.equity.append(self.broker.getvalue())

    def _send(self, ask: Ask) -> None:
        valid: Any = None
        if ask.last_bar == "day":
            valid = backtrader.Order.DAY
        elif isinstance(ask.last_bar, int):
            valid = until(self.p.scenario, ask.last_bar)
        send = self.buy if ask.buys else self.sell
        if ask.type in _KINDS:
            price = ask.limit if ask.type == LIMIT else ask.stop
            order = send(size=ask.size, exectype=_KINDS[ask.type], price=price, valid=valid)
        else:
            kind = backtrader.Order.StopLimit
            order = send(size=ask.size, exectype=kind, price=ask.stop, plimit=ask.limit, valid=valid)
        self.by_ref[order.ref] = len(self.sent)
        self.sent.append(order)

    def notify_order(self, order: Any) -> None:
        bar, number = len(self) - 1, self.by_ref[order.ref]
        for bit in order.executed.iterpending():
            # A float of days, some microseconds off.
            dated = int(self.times.searchsorted(pd.Timestamp(self.data.num2date(bit.dt)).round("s")))
            fee = bit.closedcomm + bit.openedcomm
            self.p.report.fills.append(Done(bar, number, abs(bit.size), bit.price, fee, dated))
        name = order.getstatusname()
        if name in _ENDED:
            self.p.report.outcomes[number] = (_ENDED[name], bar)

    def stop(self) -> None:
        for number, order in enumerate(self.sent):
            name = order.getstatusname()
            if name == "Canceled":  # heard of a bar later, or never
                self.p.report.outcomes[number] = ("canceled", -1)
            elif name in _ALIVE:
                self.p.report.outcomes[number] = (_ALIVE[name], -1)


def until(scenario: Scenario, last_bar: int) -> Any:
    """Return the moment up to which an order is good that may trade in bar `last_bar` and no later one."""
    first, spacing = (FIRST_DAY, pd.Timedelta(days=1)) if scenario.daily else (START, pd.Timedelta(minutes=1))
    return (first + last_bar * spacing).to_pydatetime()


def play_backtrader(scenario: Scenario) -> Report:
    """Run the scenario in backtrader."""
    report = Report()
    cerebro = backtrader.Cerebro(stdstats=False)
    timeframe = backtrader.TimeFrame.Days if scenario.daily else backtrader.TimeFrame.Minutes
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frame(scenario), timeframe=timeframe, compression=1))
    cerebro.addstrategy(_Script, scenario=scenario, report=report)
    broker = cerebro.broker
    broker.setcash(scenario.cash)
    if scenario.percent_fee:
        broker.setcommission(commission=scenario.percent_fee)
    if scenario.unit_fee:
        fixed = backtrader.CommInfoBase.COMM_FIXED
        broker.setcommission(commission=scenario.unit_fee, commtype=fixed, stocklike=True)
    if scenario.percent_slippage:
        broker.set_slippage_perc(scenario.percent_slippage)
    if scenario.fixed_slippage:
        broker.set_slippage_fixed(scenario.fixed_slippage)
    if scenario.volume_limit is not None:
        broker.set_filler(backtrader.fillers.FixedBarPerc(perc=round(scenario.volume_limit * 100, 6)))
    if scenario.this_close:
        broker.set_coc(True)
    cerebro.run()
    return report


# Cambist.


class _Played(cambist.Strategy):
    """Follows a script; the runs put it and the report on the class made for them."""

    scenario: Scenario
    report: Report

    def on_start(self) -> None:
        self.number = 0
        self.sent: list[cambist.Order] = []
        self.by_id: dict[int, int] = {}

    def on_bar(self, bar: Any) -> None:
        for action in self.scenario.script.get(self.number, ()):
            if isinstance(action, Cancel):
                self.cancel(self.sent[action.number])
            else:
                self._ask(action)
        self.report.cash.append(self.cash)
        self.report.equity.append(self.equity)
        self.number += 1

    def _ask(self, ask: Ask) -> None:
        terms: dict[str, Any] = {}
        if ask.last_bar == "day":
            terms["time_in_force"] = "day"
        elif ask.last_bar is not None:
            terms["expires_at"] = until(self.scenario, ask.last_bar)
        order = (self.buy if ask.buys else self.sell)(ask.size, limit=ask.limit, stop=ask.stop, **terms)
        assert order is not None
        self.by_id[order.id] = len(self.sent)
        self.sent.append(order)

    def on_fill(self, fill: cambist.Fill) -> None:
        length = DAY_NS if self.scenario.daily else MINUTE_NS
        dated = (fill.ts - times(self.scenario)[0].value) // length - 1
        self.report.fills.append(Done(self.number, self.by_id[fill.order_id], fill.size, fill.price, fill.fee, dated))

    def on_order(self, order: cambist.Order) -> None:
        self.report.outcomes[self.by_id[order.id]] = (outcome(order), -1 if order.is_open else self.number)


def outcome(order: cambist.Order) -> str:
    """Return in the words of this comparison how an order stands."""
    if order.reason == "insufficient_funds":
        return "no money"
    if order.is_open:
        return "working" if order.accepted else "submitted"
    return str(order.status)


def fees_of(scenario: Scenario) -> Any:
    """Return the fee model."""
    return cambist.FixedFee(scenario.unit_fee) if scenario.unit_fee else scenario.percent_fee


def slippage_of(scenario: Scenario) -> Any:
    """Return the slippage model."""
    return cambist.FixedSlippage(scenario.fixed_slippage) if scenario.fixed_slippage else scenario.percent_slippage


def play_cambist(scenario: Scenario, **options: Any) -> Report:
    """Run the scenario in Cambist; the options are those of `cambist.backtest`."""
    report = Report()
    strategy = type("Played", (_Played,), {"scenario": scenario, "report": report})
    options = {"market_fill": "this_close" if scenario.this_close else "next_open", **options}
    result = cambist.backtest(
        strategy,
        frame(scenario),
        cash=scenario.cash,
        fees=fees_of(scenario),
        slippage=slippage_of(scenario),
        volume_limit=scenario.volume_limit,
        benchmark=False,
        **options,
    )
    for number, order in enumerate(result.order_records):
        name = outcome(order)
        report.outcomes[number] = (name, -1 if name in ("submitted", "working", "canceled") else report.outcomes[number][1])
    # The curve that the user gets, not what the strategy saw of it.
    report.equity = [float(value) for value in result.curve.all_equity]
    return report


# Both.


def differences(theirs: Report, ours: Report, *, dates: bool = True) -> list[str]:
    """Return what differs by more than 1e-9 of its value, one line each; `dates` compares what fills are dated to."""
    found = []
    for number in range(max(len(theirs.fills), len(ours.fills))):
        one = theirs.fills[number] if number < len(theirs.fills) else None
        other = ours.fills[number] if number < len(ours.fills) else None
        if one is None or other is None or not _same(one, other, dates=dates):
            found.append(f"fill {number}: backtrader {one}, Cambist {other}")
    for number in sorted({*theirs.outcomes, *ours.outcomes}):
        if theirs.outcomes.get(number) != ours.outcomes.get(number):
            found.append(f"order {number}: backtrader {theirs.outcomes.get(number)}, Cambist {ours.outcomes.get(number)}")
    for name in ("cash", "equity"):
        one, other = np.array(getattr(theirs, name)), np.array(getattr(ours, name))
        if one.shape != other.shape:
            found.append(f"{name}: {one.shape} and {other.shape} bars")
            continue
        for bar in np.flatnonzero(~np.isclose(one, other, rtol=1e-9, atol=1e-9)):
            found.append(f"{name} at bar {bar}: backtrader {one[bar]!r}, Cambist {other[bar]!r}")
    return found


def _same(one: Done, other: Done, *, dates: bool) -> bool:
    numbers = zip((one.size, one.price, one.fee), (other.size, other.price, other.fee), strict=True)
    where = (one.bar, one.order) == (other.bar, other.order)
    when = one.dated == other.dated or not dates
    return where and when and all(isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in numbers)
