"""Plays one scenario in backtrader and in Cambist and writes down the same facts about both."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from functools import lru_cache
from math import isclose
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd
from differential_scenarios import (
    LIMIT,
    MARKET,
    ON_CLOSE,
    STOP,
    STOP_LIMIT,
    TRAIL,
    TRAIL_LIMIT,
    Action,
    Ask,
    Bracket,
    Close,
    Family,
    Scenario,
)

import cambist
from cambist.model.times import DAY_NS, MINUTE_NS
from cambist.simulation import BacktraderSlippage, FixedFiller, RangeFiller

if TYPE_CHECKING:
    from collections.abc import Sequence

with warnings.catch_warnings():
    # Its sources hold escape sequences that newer Pythons warn of when they compile them.
    warnings.simplefilter("ignore", (SyntaxWarning, DeprecationWarning))
    import backtrader

#: Open of the first bar, by the spacing of bars; minutes late in a day, so that a run goes over midnight.
STARTS = {
    "min": pd.Timestamp("2021-03-01 23:50"),
    "4h": pd.Timestamp("2021-03-01 12:00"),
    "D": pd.Timestamp("2021-03-01"),
}
LENGTHS = {"min": MINUTE_NS, "4h": 4 * 60 * MINUTE_NS, "D": DAY_NS}


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
    return _times(len(scenario.bars), scenario.spacing)


@lru_cache
def _times(count: int, spacing: str) -> pd.DatetimeIndex:
    return pd.date_range(STARTS[spacing], periods=count, freq=spacing)


def frames(scenario: Scenario) -> list[pd.DataFrame]:
    """Return the bars of each market."""
    names = ["open", "high", "low", "close", "volume"]
    return [pd.DataFrame([attrs.astuple(bar) for bar in bars], times(scenario), names) for bars in scenario.markets]


def until(scenario: Scenario, last_bar: int) -> Any:
    """Return the moment up to which an order is good that may trade in bar `last_bar` and no later one."""
    spacing = scenario.spacing
    return (STARTS[spacing] + pd.Timedelta(last_bar * LENGTHS[spacing])).to_pydatetime()


class _Script:
    """Follows a scenario; the strategies of both engines are one, and say how to send, withdraw and look."""

    scenario: Scenario
    report: Report
    sent: list[Any]

    def act(self, number: int) -> None:
        """Ask for what the script holds for the close of bar `number`."""
        self._ask(self.scenario.script.get(number, ()))

    def act_at_open(self, number: int) -> None:
        """Ask for what the script holds for the open of bar `number`."""
        self._ask(self.scenario.openings.get(number, ()))

    def _ask(self, actions: Sequence[Action]) -> None:
        for action in actions:
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
        elif isinstance(action, Family):
            self.send_family(action)
        elif isinstance(action, Bracket):
            self.send_bracket(action)
        elif isinstance(action, Close):
            self.close_position()
        elif action.back < len(self.sent):
            self.cancel(self.sent[-1 - action.back])

    def ties(self, ask: Ask) -> dict[str, Any]:
        """Return the keywords that tie an order to those sent before it, as far as there are any."""
        named = {"oco": ask.oco, "parent": ask.parent}
        return {
            name: self.sent[-1 - back] for name, back in named.items() if back is not None and back < len(self.sent)
        }

    def works(self, order: Any) -> bool:
        raise NotImplementedError

    def send(self, ask: Ask) -> None:
        raise NotImplementedError

    def send_family(self, family: Family) -> None:
        raise NotImplementedError

    def send_bracket(self, bracket: Bracket) -> None:
        raise NotImplementedError

    def close_position(self) -> None:
        raise NotImplementedError


# backtrader.

_KINDS = {
    MARKET: backtrader.Order.Market,
    ON_CLOSE: backtrader.Order.Close,
    LIMIT: backtrader.Order.Limit,
    STOP: backtrader.Order.Stop,
    STOP_LIMIT: backtrader.Order.StopLimit,
    TRAIL: backtrader.Order.StopTrail,
    TRAIL_LIMIT: backtrader.Order.StopTrailLimit,
}
_STANDS = {
    "Submitted": "submitted",
    "Accepted": "working",
    "Partial": "working",
    "Completed": "filled",
    "Canceled": "canceled",
    "Expired": "expired",
    "Margin": "no money",
    "Rejected": "rejected",
}


class _Columns(backtrader.feed.DataBase):  # type: ignore[misc]
    """Bars from memory, dated as `PandasData` dates those of a DataFrame, at a fraction of its cost."""

    params = (("rows", ()),)

    def start(self) -> None:
        super().start()
        self.coming = iter(self.p.rows)

    def _load(self) -> bool:
        row = next(self.coming, None)
        if row is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0], lines.volume[0] = row
        lines.openinterest[0] = 0.0
        return True


@lru_cache
def _stamps(count: int, spacing: str) -> list[float]:
    """Return the times of bars as backtrader keeps them."""
    return [backtrader.date2num(time.to_pydatetime()) for time in _times(count, spacing)]


class _Theirs(backtrader.Strategy, _Script):
    params = (("scenario", None), ("report", None))

    def __init__(self) -> None:
        self.scenario, self.report = self.p.scenario, self.p.report
        self.sent: list[Any] = []
        self.by_ref: dict[int, int] = {}
        self.stamps = _stamps(len(self.scenario.bars), self.scenario.spacing)

    def next_open(self) -> None:
        self.act_at_open(len(self))  # which counts the bars before

    def next(self) -> None:
        self.act(len(self) - 1)
        self.report.cash.append(self.broker.getcash())
        self.report.equity.append(self.broker.getvalue())

    def works(self, order: Any) -> bool:
        return order.alive()

    def send(self, ask: Ask) -> None:
        self._note((self.buy if ask.buys else self.sell)(**self.terms(ask), **self.ties(ask)))

    def send_family(self, family: Family) -> None:
        parent = family.parent
        terms = self.terms(parent) | self.ties(parent)
        first = (self.buy if parent.buys else self.sell)(**terms, transmit=False)
        self._note(first)
        for number, child in enumerate(family.children):
            send, is_last = self.buy if child.buys else self.sell, number == len(family.children) - 1
            self._note(send(**self.terms(child), **self.ties(child), parent=first, transmit=is_last))

    def send_bracket(self, bracket: Bracket) -> None:
        entry = self.terms(bracket.entry)
        sides: dict[str, Any] = {}
        for name, leg in (("stop", bracket.stop), ("limit", bracket.target)):
            sides[f"{name}exec"] = None
            if leg is not None:
                terms = self.terms(leg)
                kept = ("plimit", "trailamount", "trailpercent", "valid")
                sides[f"{name}exec"], sides[f"{name}price"] = terms["exectype"], terms["price"]
                sides[f"{name}args"] = {key: terms[key] for key in kept} | self.ties(leg)
        send = self.buy_bracket if bracket.entry.buys else self.sell_bracket
        for order in send(**entry, oargs=self.ties(bracket.entry), **sides):
            if order is not None:
                self._note(order)

    def terms(self, ask: Ask) -> dict[str, Any]:
        """Return an order in backtrader's words."""
        data = self.datas[ask.market]
        valid: Any = None
        if ask.last_bar == "day":
            valid = backtrader.Order.DAY
        elif isinstance(ask.last_bar, int):
            valid = until(self.scenario, ask.last_bar)
        price = {LIMIT: ask.limit, TRAIL: ask.start, TRAIL_LIMIT: ask.start}.get(ask.type, ask.stop)
        plimit = ask.limit if ask.type == STOP_LIMIT else None
        if ask.behind is not None:  # the limit keeps the distance that it has from the price named here
            price = data.close[0] if price is None else price
            plimit = price + ask.behind if ask.buys else price - ask.behind
        trail = {"trailamount": ask.trail, "trailpercent": ask.trail_percent}
        kind = _KINDS[ask.type]
        return (
            {"data": data, "size": ask.size, "exectype": kind, "price": price, "plimit": plimit}
            | trail
            | {"valid": valid}
        )

    def close_position(self) -> None:
        self._note(self.close())

    def _note(self, order: Any) -> None:
        self.by_ref[order.ref] = len(self.sent)
        self.sent.append(order)

    def notify_order(self, order: Any) -> None:
        bar, number = len(self) - 1, self.by_ref[order.ref]
        for bit in order.executed.iterpending():
            dated = bisect_left(self.stamps, bit.dt)
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
    cerebro = backtrader.Cerebro(stdstats=False, cheat_on_open=bool(scenario.openings))
    timeframe = backtrader.TimeFrame.Days if scenario.daily else backtrader.TimeFrame.Minutes
    for bars in scenario.markets:
        stamps = _stamps(len(bars), scenario.spacing)
        rows = [(stamp, *attrs.astuple(bar)) for stamp, bar in zip(stamps, bars, strict=True)]
        cerebro.adddata(_Columns(rows=rows, timeframe=timeframe, compression=1))
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
        self._note((self.buy if ask.buys else self.sell)(ask.size, **self.terms(ask, len(self.sent)), **self.ties(ask)))

    def send_family(self, family: Family) -> None:
        parent = family.parent
        terms = self.terms(parent, len(self.sent)) | self.ties(parent)
        first = (self.buy if parent.buys else self.sell)(parent.size, **terms)
        self._note(first)
        for child in family.children:
            send = self.buy if child.buys else self.sell
            self._note(send(child.size, **self.terms(child, len(self.sent)), **self.ties(child), parent=first))

    def send_bracket(self, bracket: Bracket) -> None:
        number = len(self.sent)
        entry = self.terms(bracket.entry, number) | self.ties(bracket.entry)
        sides: dict[str, Any] = {}
        for name, leg in (("stop_loss", bracket.stop), ("take_profit", bracket.target)):
            if leg is not None:
                number += 1
                sides[name] = self.terms(leg, number) | self.ties(leg)
        send = self.buy_bracket if bracket.entry.buys else self.sell_bracket
        for order in send(bracket.entry.size, **entry, **sides):
            if order is not None:
                self._note(order)

    def terms(self, ask: Ask, number: int) -> dict[str, Any]:
        """Return an order in Cambist's words."""
        terms: dict[str, Any] = {"data": self.symbols[ask.market], "tag": str(number)}
        if ask.last_bar == "day":
            terms["time_in_force"] = "day"
        elif ask.last_bar is not None:
            terms["expires_at"] = until(self.scenario, ask.last_bar)
        stop = ask.stop
        if ask.start is not None:
            distance = ask.start * (ask.trail_percent or 0.0) if ask.trail is None else ask.trail
            stop = ask.start + distance if ask.buys else ask.start - distance
        given = {
            "limit": ask.limit,
            "stop": stop,
            "trail": ask.trail,
            "trail_percent": ask.trail_percent,
            "trail_limit": ask.behind,
            "on_close": True if ask.type == ON_CLOSE else None,
        }
        return terms | {name: value for name, value in given.items() if value is not None}

    def _note(self, order: cambist.Order | None) -> None:
        assert order is not None
        if not order.is_open:
            self.report.outcomes[len(self.sent)] = (outcome(order), self.number)
        self.sent.append(order)

    def close_position(self) -> None:
        self._note(self.close(self.symbols[0], tag=str(len(self.sent))))

    def on_fill(self, fill: cambist.Fill) -> None:
        spacing = self.scenario.spacing
        dated = (fill.ts - STARTS[spacing].value) // LENGTHS[spacing] - 1
        self.report.fills.append(Done(self.number, fill.order_id - 1, fill.size, fill.price, fill.fee, dated))

    def on_order(self, order: cambist.Order) -> None:
        number = int(order.tag)
        if self.report.outcomes.get(number, ("", -1))[1] < 0:  # the word that it was refused comes after the refusal
            self.report.outcomes[number] = (outcome(order), -1 if order.is_open else self.number)
        if order.status is cambist.OrderStatus.FILLED:
            self.react(number)


class _OursAtOpen(_Ours):
    def on_open(self, series: Any, price: float) -> None:
        if series.symbol == self.symbols[-1]:  # backtrader asks once, when every market is open
            self.act_at_open(self.number)


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
    kind = _OursAtOpen if scenario.openings else _Ours
    strategy = type("Played", (kind,), {"scenario": scenario, "report": report})
    bars = {f"M{number}": frame for number, frame in enumerate(frames(scenario))}
    given = {
        "fees": cambist.FixedFee(scenario.unit_fee) if scenario.unit_fee else scenario.percent_fee,
        "slippage": _slippage(scenario),
        "volume_limit": scenario.volume_limit,
        "market_fill": "this_close" if scenario.this_close else "next_open",
        "cheat_on_open": bool(scenario.openings),
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
