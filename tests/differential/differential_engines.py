"""Plays one scenario in backtrader and in Cambist and writes down the same facts about both."""

from __future__ import annotations

import warnings
from math import isclose
from typing import Any

import attrs
import numpy as np
import pandas as pd
from differential_scenarios import LIMIT, MARKET, STOP, Action, Ask, Close, Scenario

import cambist
from cambist.model.times import DAY_NS, MINUTE_NS
from cambist.simulation import BacktraderSlippage, FixedFiller, RangeFiller

with warnings.catch_warnings():
    # Its sources hold escape sequences that newer Pythons warn of when they compile them.
    warnings.simplefilter("ignore", (SyntaxWarning, DeprecationWarning))
    import backtrader

#: Open of the first bar; minutes late in a day, so that a run goes over midnight.
START = pd.Timestamp("2021-03-01 23:15")
FIRST_DAY = pd.Timestamp("2021-03-01")


@attrs.frozen
class Done:
    """A fill: heard of in which bar, of which order (from 0), and dated to which bar."""

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


def frames(scenario: Scenario) -> list[pd.DataFrame]:
    """Return the bars of each market as both engines take them."""
    names = ["open", "high", "low", "close", "volume"]
    index = times(scenario)
    return [pd.DataFrame([attrs.astuple(bar) for bar in bars], index, names) for bars in scenario.markets]


def until(scenario: Scenario, last_bar: int) -> Any:
    """Return the moment up to which an order is good that may trade in bar `last_bar` and no later one."""
    first, spacing = (FIRST_DAY, pd.Timedelta(days=1)) if scenario.daily else (START, pd.Timedelta(minutes=1))
    return (first + last_bar * spacing).to_pydatetime()


class _Script:
    """Follows a scenario; the strategies of both engines are one, and say how to send, withdraw and look."""

    scenario: Scenario
    report: Report
    sent: list[Any]

    def act(self, number: int) -> None:
        """Ask for what the script holds for bar `number`."""
        for action in self.scenario.script.get(number, ()):
            if not (isinstance(action, Ask) and self.scenario.patient and any(map(self.works, self.sent))):
                self.do(action)

    def react(self, order: int) -> None:
        """Ask for what follows on the fill of an order."""
        for action in self.scenario.reactions.get(order, ()):
            self.do(action)

    def do(self, action: Action) -> None:
        """Send or withdraw."""
        if isinstance(action, Ask):
            self.send(action)
        elif isinstance(action, Close):
            self.close_position()
        elif action.back < len(self.sent):
            self.cancel(self.sent[-1 - action.back])

    def works(self, order: Any) -> bool:
        raise NotImplementedError

    def send(self, ask: Ask) -> None:
        raise NotImplementedError

    def close_position(self) -> None:
        raise NotImplementedError


# backtrader.

_KINDS = {MARKET: backtrader.Order.Market, LIMIT: backtrader.Order.Limit, STOP: backtrader.Order.Stop}
_STANDS = {
    "Submitted": "submitted",
    "Accepted": "working",
    "Partial": "working",
    "Completed": "filled",
    "Canceled": "canceled",
    "Expired": "expired",
    "Margin": "no money",
}


class _Theirs(backtrader.Strategy, _Script):
    params = (("scenario", None), ("report", None))

    def __init__(self) -> None:
        self.scenario, self.report = self.p.scenario, self.p.report
        self.sent: list[Any] = []
        self.by_ref: dict[int, int] = {}
        self.times = times(self.scenario)

    def next(self) -> None:
        self.act(len(self) - 1)
        self.report.cash.append(self.broker.getcash())
        self.report.equity.append(self.broker.getvalue())

    def works(self, order: Any) -> bool:
        return order.alive()

    def send(self, ask: Ask) -> None:
        valid: Any = None
        if ask.last_bar == "day":
            valid = backtrader.Order.DAY
        elif isinstance(ask.last_bar, int):
            valid = until(self.scenario, ask.last_bar)
        terms = {"data": self.datas[ask.market], "size": ask.size, "valid": valid}
        send = self.buy if ask.buys else self.sell
        if ask.type in _KINDS:
            price = ask.limit if ask.type == LIMIT else ask.stop
            order = send(exectype=_KINDS[ask.type], price=price, **terms)
        else:
            order = send(exectype=backtrader.Order.StopLimit, price=ask.stop, plimit=ask.limit, **terms)
        self._note(order)

    def close_position(self) -> None:
        self._note(self.close())

    def _note(self, order: Any) -> None:
        self.by_ref[order.ref] = len(self.sent)
        self.sent.append(order)

    def notify_order(self, order: Any) -> None:
        bar, number = len(self) - 1, self.by_ref[order.ref]
        for bit in order.executed.iterpending():
            # A float of days, some microseconds off.
            dated = int(self.times.searchsorted(pd.Timestamp(self.data.num2date(bit.dt)).round("s")))
            fee = bit.closedcomm + bit.openedcomm
            self.report.fills.append(Done(bar, number, abs(bit.size), bit.price, fee, dated))
        self.report.outcomes[number] = (_STANDS[order.getstatusname()], -1 if order.alive() else bar)
        if order.status == order.Completed:
            self.react(number)

    def stop(self) -> None:
        for number, order in enumerate(self.sent):
            stands = _STANDS[order.getstatusname()]
            if order.alive() or stands == "canceled":  # a cancel is heard of a bar later, or never
                self.report.outcomes[number] = (stands, -1)


_FILLERS: dict[str, Any] = {
    "fixed": lambda size: backtrader.fillers.FixedSize(size=size),
    "range": lambda step, share: backtrader.fillers.BarPointPerc(minmov=step, perc=share * 100),
    # A function of the user's own, of what both engines tell it.
    "function": lambda part: lambda order, price, ago: min(abs(order.executed.remsize), order.data.volume[ago] // part),
}


def backtrader_engine(scenario: Scenario, report: Report) -> Any:
    """Return a backtrader that plays the scenario when it runs."""
    cerebro = backtrader.Cerebro(stdstats=False)
    timeframe = backtrader.TimeFrame.Days if scenario.daily else backtrader.TimeFrame.Minutes
    for frame in frames(scenario):
        cerebro.adddata(backtrader.feeds.PandasData(dataname=frame, timeframe=timeframe, compression=1))
    cerebro.addstrategy(_Theirs, scenario=scenario, report=report)
    broker = cerebro.broker
    broker.setcash(scenario.cash)
    if scenario.percent_fee:
        broker.setcommission(commission=scenario.percent_fee)
    if scenario.unit_fee:
        fixed = backtrader.CommInfoBase.COMM_FIXED
        broker.setcommission(commission=scenario.unit_fee, commtype=fixed, stocklike=True)
    if scenario.percent_slippage:
        broker.set_slippage_perc(scenario.percent_slippage, **scenario.switches)
    if scenario.fixed_slippage:
        broker.set_slippage_fixed(scenario.fixed_slippage, **scenario.switches)
    if scenario.volume_limit is not None:
        broker.set_filler(backtrader.fillers.FixedBarPerc(perc=round(scenario.volume_limit * 100, 6)))
    if scenario.filler is not None:
        kind, *settings = scenario.filler
        broker.set_filler(_FILLERS[kind](*settings))
    if scenario.this_close:
        broker.set_coc(True)
    return cerebro


def play_backtrader(scenario: Scenario) -> Report:
    """Run the scenario in backtrader."""
    report = Report()
    backtrader_engine(scenario, report).run()
    return report


# Cambist.


class _Ours(cambist.Strategy, _Script):
    def on_start(self) -> None:
        self.number = 0
        self.sent: list[cambist.Order] = []
        self.by_id: dict[int, int] = {}
        self.symbols = [series.instrument.symbol for series in self.data]

    def on_step(self) -> None:
        self.act(self.number)
        self.report.cash.append(self.cash)
        self.number += 1

    def works(self, order: cambist.Order) -> bool:
        # A cancel takes effect after the strategy's call, backtrader's at once.
        return order.is_open and order.status is not cambist.OrderStatus.PENDING_CANCEL

    def send(self, ask: Ask) -> None:
        terms: dict[str, Any] = {"data": self.symbols[ask.market], "tag": str(len(self.sent))}
        if ask.last_bar == "day":
            terms["time_in_force"] = "day"
        elif ask.last_bar is not None:
            terms["expires_at"] = until(self.scenario, ask.last_bar)
        order = (self.buy if ask.buys else self.sell)(ask.size, limit=ask.limit, stop=ask.stop, **terms)
        assert order is not None
        if not order.is_open:
            self.report.outcomes[len(self.sent)] = (outcome(order), self.number)
        self.sent.append(order)

    def close_position(self) -> None:
        order = self.close(self.symbols[0], tag=str(len(self.sent)))
        assert order is not None
        self.sent.append(order)

    def on_fill(self, fill: cambist.Fill) -> None:
        length = DAY_NS if self.scenario.daily else MINUTE_NS
        dated = (fill.ts - times(self.scenario)[0].value) // length - 1
        self.report.fills.append(Done(self.number, fill.order_id - 1, fill.size, fill.price, fill.fee, dated))

    def on_order(self, order: cambist.Order) -> None:
        number = int(order.tag)
        if self.report.outcomes.get(number, ("", -1))[1] < 0:  # the word that it was refused comes after the refusal
            self.report.outcomes[number] = (outcome(order), -1 if order.is_open else self.number)
        if order.status is cambist.OrderStatus.FILLED:
            self.react(number)


def outcome(order: cambist.Order) -> str:
    """Return in the words of this comparison how an order stands."""
    if order.reason.startswith("insufficient_funds"):
        return "no money"
    if order.is_open:
        return "working" if order.accepted else "submitted"
    return str(order.status)


_OWN_FILLERS: dict[str, Any] = {
    "fixed": FixedFiller,
    "range": lambda step, share: RangeFiller(share, step),
    "function": lambda part: lambda order, price, bar: bar.volume // part,
}


def _slippage(scenario: Scenario) -> Any:
    if scenario.switches:
        return BacktraderSlippage(perc=scenario.percent_slippage, fixed=scenario.fixed_slippage, **scenario.switches)
    return cambist.FixedSlippage(scenario.fixed_slippage) if scenario.fixed_slippage else scenario.percent_slippage


def run_cambist(scenario: Scenario, report: Report, **options: Any) -> cambist.Result:
    """Run the scenario in Cambist; `options` are those of `cambist.backtest`."""
    strategy = type("Played", (_Ours,), {"scenario": scenario, "report": report})
    bars = {f"M{number}": frame for number, frame in enumerate(frames(scenario))}
    given = {
        "fees": cambist.FixedFee(scenario.unit_fee) if scenario.unit_fee else scenario.percent_fee,
        "slippage": _slippage(scenario),
        "volume_limit": scenario.volume_limit,
        "market_fill": "this_close" if scenario.this_close else "next_open",
        "benchmark": False,
    }
    if scenario.filler is not None:
        kind, *settings = scenario.filler
        given["volume_limit"] = _OWN_FILLERS[kind](*settings)
    return cambist.backtest(strategy, bars, cash=scenario.cash, **{**given, **options})


def play_cambist(scenario: Scenario, **options: Any) -> Report:
    """Run the scenario in Cambist and write down what the user gets; `options` are those of `cambist.backtest`."""
    report = Report()
    result = run_cambist(scenario, report, **options)
    for order in result.order_records:
        stands = outcome(order)
        if order.is_open or stands == "canceled":
            report.outcomes[order.id - 1] = (stands, -1)
    # The curve that the user gets, not what the strategy saw of it.
    assert result.curve.all_equity is not None
    report.equity = result.curve.all_equity.tolist()
    return report


# Both.


def differences(theirs: Report, ours: Report, *, dates: bool = True) -> list[str]:
    """Return what differs by more than 1e-9 of its value, one line each.

    `dates` compares what fills are dated to as well.
    """
    found = []
    for number in range(max(len(theirs.fills), len(ours.fills))):
        one = theirs.fills[number] if number < len(theirs.fills) else None
        other = ours.fills[number] if number < len(ours.fills) else None
        if one is None or other is None or not _same(one, other, dates=dates):
            found.append(f"fill {number}: backtrader {one}, Cambist {other}")
    for number in sorted({*theirs.outcomes, *ours.outcomes}):
        one, other = theirs.outcomes.get(number), ours.outcomes.get(number)
        if one != other:
            found.append(f"order {number}: backtrader {one}, Cambist {other}")
    for name in ("cash", "equity"):
        one, other = np.array(getattr(theirs, name)), np.array(getattr(ours, name))
        if one.shape != other.shape:
            found.append(f"{name}: {one.shape} and {other.shape} bars")
            continue
        apart = np.flatnonzero(~np.isclose(one, other, rtol=1e-9, atol=1e-9))
        found += [f"{name} at bar {bar}: backtrader {one[bar]!r}, Cambist {other[bar]!r}" for bar in apart]
    return found


def _same(one: Done, other: Done, *, dates: bool) -> bool:
    numbers = zip((one.size, one.price, one.fee), (other.size, other.price, other.fee), strict=True)
    where = (one.bar, one.order) == (other.bar, other.order)
    when = one.dated == other.dated or not dates
    return where and when and all(isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in numbers)
