"""Random scenarios for the parity tests: bars, a venue, and strategies that do everything a strategy can do.

Everything random in a strategy comes from one generator that each callback draws from. Two runs that see the same
market call it alike and so stay alike; at the first difference their traces part.
"""

from __future__ import annotations

import random
import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import (
    AllIn,
    Bars,
    Deleveraging,
    FixedFee,
    FixedSize,
    FixedSlippage,
    Instrument,
    Interest,
    MakerTakerFee,
    Margin,
    MarginTier,
    PercentOfEquity,
    PercentSlippage,
    StopRequest,
    Strategy,
    StrategyError,
    param,
)
from cambist.errors import InputError
from cambist.indicators import EMA, SMA, crossover, highest
from cambist.model.times import MINUTE_NS, SECOND_NS, to_ns
from cambist.risk.rules.open_orders import MaxOpenOrdersRule
from cambist.risk.rules.order_value import MaxOrderValueRule
from cambist.risk.rules.position import MaxPositionRule
from cambist.simulation import FeeInAsset
from cambist.strategies import (
    AtrRisk,
    FixedReverser,
    FixedSizeTarget,
    Kelly,
    PercentOfCash,
    RiskPerTrade,
    Target,
    VolatilityTarget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

sys.path.insert(0, str(Path(__file__).parent))  # what several modules of this folder share is imported by name
sys.path.insert(0, str(Path(__file__).parents[1] / "integration" / "live"))  # and the markets of live runs

START = to_ns("2024-03-01")
TIMEFRAMES = {"1m": 1, "2m": 2, "5m": 5, "1h": 60, "1d": 1440}


@attrs.frozen(kw_only=True)
class Scenario:
    """One random run; every field can be made smaller on its own to find what a failure needs.

    Attributes
    ----------
    seed
        Of everything that is not said here.
    bars, series, traders
        Bars of the fastest series, instruments, strategies.
    activity
        Chance that a callback does something.
    fails_at
        Number of the callback in which a strategy raises; -1 for never.
    options
        Keywords of `cambist.backtest`.
    account
        What else the account does, by name; see `account_options`.
    """

    seed: int
    bars: int
    series: int
    traders: int
    activity: float
    options: dict[str, Any]
    fails_at: int = -1
    account: tuple[str, ...] = ()


def make_scenario(seed: int) -> Scenario:
    rng = random.Random(f"scenario {seed}")
    options: dict[str, Any] = {"cash": rng.choice([500.0, 10_000.0, 1e6]), "benchmark": rng.random() < 0.2}
    choices: dict[str, list[Any]] = {
        "fees": [0.001, MakerTakerFee(-0.0001, 0.0005), FixedFee(per_unit=0.01, per_fill=0.5), None],
        "slippage": [0.0005, FixedSlippage(0.02), PercentSlippage(0.01)],
        "market_fill": ["this_close"],
        "path": ["pessimistic"],
        "volume_limit": [0.05, 0.3],
        "fill_on_touch": [False],
        "leverage": [0.5, 4.0],
        "sizer": [
            *(AllIn(), AllIn(buffer=0.0), PercentOfEquity(0.3), PercentOfCash(0.5), FixedSize(3.0), FixedReverser(2.0)),
            *(FixedSizeTarget(6.0, tranches=3), Target(percent=0.4), Kelly(minimum_trades=2, last=5, least=0.05)),
            *(RiskPerTrade(0.02, percent=0.03), AtrRisk(0.02, period=2), VolatilityTarget(0.2, 4, 365.0)),
        ],
        "risk": [[MaxOpenOrdersRule(2)], [MaxOrderValueRule(2_000.0)], [MaxPositionRule(4.0)]],
    }
    options.update({name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.35})
    return Scenario(
        seed=seed,
        bars=rng.choice([8, 30, 60]),
        series=rng.choice([1, 1, 2, 3]),
        traders=rng.choice([1, 1, 2, 3]),
        activity=rng.choice([0.1, 0.3, 0.6]),
        options=options,
    )


def make_account_scenario(seed: int) -> Scenario:
    """Return a scenario in which some of what an account can do is asked for."""
    rng = random.Random(f"account {seed}")
    scenario = make_scenario(10_000 + seed)
    options = {name: value for name, value in scenario.options.items() if name not in ("risk", "volume_limit")}
    if rng.random() < 0.7:
        options |= {"cash": rng.choice([30.0, 100.0, 400.0]), "sizer": rng.choice([AllIn(), FixedSize(2.0)])}
    return attrs.evolve(
        scenario,
        bars=rng.choice([30, 60]),
        activity=rng.choice([0.1, 0.3]),
        options=options,
        account=tuple(name for name in ACCOUNT if rng.random() < 0.6),
    )


def make_sole_account_scenario(seed: int) -> Scenario:
    """Return one of these in which all trade in one account, and in one asset."""
    scenario = make_account_scenario(seed)
    kept = tuple(name for name in scenario.account if name not in ("accounts", "assets"))
    return attrs.evolve(scenario, account=kept)


def account_options(scenario: Scenario, series: list[Bars]) -> dict[str, Any]:
    """Return the keywords that the names in ``scenario.account`` stand for, made to fit the bars."""
    options: dict[str, Any] = {}
    for name in scenario.account:
        options |= (ACCOUNT | FUTURES)[name](random.Random(f"{name} {scenario.seed}"), series)
    if "margin" not in options:
        options.pop("marks", None)
    if "assets" in scenario.account and isinstance(options.get("interest"), Interest) and scenario.seed % 2:
        options["interest"] = {"BTC": options["interest"]}
    if "assets" in scenario.account and "all margin" in scenario.account:  # whose positions have no sides
        margin = options["margin"]
        planned = [(when, key.split()[0], amount) for when, key, amount in margin.planned]
        options["margin"] = attrs.evolve(margin, position_mode="one-way", planned=planned)
    return options


def some_margin(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    tiers = [
        MarginTier(up_to=50.0, maintenance_rate=0.02, max_leverage=10),
        MarginTier(up_to=rng.choice([150.0, 4_000.0]), maintenance_rate=0.05, max_leverage=rng.choice([None, 5])),
        MarginTier(maintenance_rate=0.1),
    ]
    return {
        "margin": Margin(
            mode=rng.choice(["cross", "isolated"]),
            leverage=rng.choice([None, None, 2]),
            maintenance=rng.choice([None, 0.09, tiers]),
            maintenance_on=rng.choice(["mark", "entry"]),
            closing_fee=rng.choice([0.0, 0.001]),
            liquidation_fee=rng.choice([0.0, 0.01]),
            liquidate_at=rng.choice(["mark", "bankruptcy"]),
        )
    }


def some_marks(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    chance = np.random.default_rng(rng.randrange(2**32))
    marks: dict[str, Any] = {}
    for bars in series:
        if rng.random() < 0.6:
            close = bars.close * np.exp(chance.normal(0.0, 0.01, len(bars)))
            marks[bars.instrument.symbol] = (bars.close_times, close)
    return {"marks": marks}


def some_funding(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    chance = np.random.default_rng(rng.randrange(2**32))
    funding: dict[str, Any] = {}
    for bars in series:
        if bars.instrument.kind in ("linear_perpetual", "inverse_perpetual"):
            start, end = int(bars.ts[0]), int(bars.close_times[-1])
            every = max((end - start) // rng.choice([7, 25]), SECOND_NS)
            every = min(every, 8 * 60 * MINUTE_NS)  # no perpetual pays less often than once a day
            times = np.arange(start - every, end + every, every)
            rates = chance.normal(0.0, 0.002, len(times))
            own = 20.0 * np.exp(chance.normal(0.0, 0.05, len(times)))
            funding[bars.instrument.symbol] = rng.choice([(times, rates), (times, rates, own), None])
    return {"funding": funding}


def some_interest(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    terms = {name: rng.choice([0.0, 0.3, 2.0]) for name in ("short", "long", "cash", "debit")}
    return {"interest": Interest(**terms, value=rng.choice(["market", "entry"]))}


def some_transfers(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    start, end = min(int(bars.ts[0]) for bars in series), max(int(bars.close_times[-1]) for bars in series)
    return {"cash_flows": [(rng.randrange(start, end), rng.choice([50.0, 300.0, -20.0, -500.0])) for _ in range(4)]}


def some_actions(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    actions: dict[str, Any] = {}
    for bars in series:
        if bars.instrument.is_cash:
            start, end = int(bars.ts[0]), int(bars.close_times[-1])
            some = [rng.choice(bars.ts.tolist()) for _ in range(3)] + [rng.randrange(start, end) for _ in range(2)]
            times = np.array(sorted(set(some)))
            splits = [rng.choice([0.0, 1.0, 2.0, 0.5, 1.5, 0.3]) for _ in times]
            actions[bars.instrument.symbol] = pd.DataFrame(
                {"dividend": [rng.choice([0.0, 0.3]) for _ in times], "split": splits}, index=times
            )
    return {"actions": actions}


def some_assets(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    """Return the keywords of an account that holds several assets; the instruments tell what BTC is worth in USD."""
    times = np.concatenate([bars.close_times for bars in series])
    times = np.unique(np.concatenate(([int(min(bars.ts[0] for bars in series))], times)))
    walk = 30.0 * np.exp(np.cumsum(np.random.default_rng(rng.randrange(2**32)).normal(0.0, 0.02, len(times))))
    rates: dict[str, Any] = {"BNB/USD": rng.choice([30.0, (times, walk)]), "USD/EUR": 0.9}
    starts = {int(bars.ts[0]) for bars in series}
    if len(starts) > 1 or rng.random() < 0.5:  # a market that opens later does not tell what BTC was worth at the start
        rates["BTC/USD"] = rng.choice([20.0, (times, walk)])
    return {
        "cash": {"USD": rng.choice([60.0, 900.0]), "BTC": rng.choice([0.0, 9.0]), "BNB": rng.choice([0.01, 0.5])},
        "currency": rng.choice([None, "USD", "BTC", "EUR"]),
        "rates": rates,
        "fees": rng.choice([0.001, FeeInAsset("BNB", 0.01, rng.choice([0.0, 0.25]))]),
        "conversion_fee": rng.choice([0.0, 0.002]),
    }


#: Name -> what makes the keywords, of a source of chance and the bars.
ACCOUNT: dict[str, Callable[[random.Random, list[Bars]], dict[str, Any]]] = {
    "margin": some_margin,
    "marks": some_marks,
    "funding": some_funding,
    "interest": some_interest,
    "transfers": some_transfers,
    "actions": some_actions,
    "strategy transfers": lambda rng, series: {},
    "accounts": lambda rng, series: {},
    "assets": some_assets,
}


def all_margin(rng: random.Random, series: list[Bars]) -> dict[str, Any]:
    """Return `some_margin` with two sides, liquidation by tiers, auto-deleveraging or planned margin."""
    margin = some_margin(rng, series)["margin"]
    hedged = rng.random() < 0.75
    adl = Deleveraging(probability=0.3, move=0.005, share=rng.choice([0.5, 1.0]), distance=0.01)
    # What is lost is soon below it, and a smaller position needs much less.
    steep = [MarginTier(up_to=20.0, maintenance_rate=0.01), MarginTier(up_to=60.0, maintenance_rate=0.05)]
    steep.append(MarginTier(maintenance_rate=0.098))
    symbol = next((bars.instrument.symbol for bars in series if not bars.instrument.is_cash), None)
    start, end = int(series[0].ts[0]), int(series[0].close_times[-1])
    planned = []
    if symbol is not None and margin.is_isolated:
        key = f"{symbol} {rng.choice(['long', 'short'])}" if hedged else symbol
        planned = [(rng.randrange(start, end), key, rng.choice([5.0, 40.0, -3.0])) for _ in range(4)]
    return {
        "margin": attrs.evolve(
            margin,
            position_mode="hedge" if hedged else "one-way",
            maintenance=rng.choice([margin.maintenance, steep]),
            liquidation=rng.choice(["full", "by_tier"]),
            deleveraging=rng.choice([None, adl]),
            planned=planned,
        )
    }


#: The same of accounts that trade futures in full.
FUTURES: dict[str, Callable[[random.Random, list[Bars]], dict[str, Any]]] = {"all margin": all_margin}


def make_futures_scenario(seed: int) -> Scenario:
    """Return an account scenario in which most instruments are margined and everything about margin is asked for."""
    scenario = make_account_scenario(50_000 + seed)
    return attrs.evolve(scenario, account=(*scenario.account, "all margin"))


def make_instruments(scenario: Scenario) -> list[Instrument]:
    rng = random.Random(f"instruments {scenario.seed}")
    inverse = rng.random() < 0.2
    instruments = []
    for number in range(scenario.series):
        kinds = ["spot", "equity", "linear_perpetual", "future"]
        kind = "inverse_perpetual" if inverse else rng.choice(kinds)
        if "all margin" in scenario.account and not inverse and number != 1:
            kind = "linear_perpetual"
        if scenario.options.get("rules") == "backtrader":
            kind = "equity"  # the only kind that profile knows
        margined = kind in ("inverse_perpetual", "linear_perpetual", "future")
        instruments.append(
            Instrument(
                symbol=f"{'ABC'[number]}{kind[0]}",
                kind=kind,
                base="BTC",
                quote="USD",
                tick_size=rng.choice([None, "0.01", "0.05", "0.25"]),
                step_size=rng.choice(["1e-8", "0.001", "0.3", "1"]),
                min_size=rng.choice([None, None, "1.5"]),
                max_size=rng.choice([None, None, "40"]),
                min_notional=rng.choice([None, None, "0.5"]),
                multiplier=rng.choice([1.0, 1.0, 10.0]),
                margin_rate=rng.choice([0.1, 0.5]) if margined else 1.0,
                maker_fee=0.0002,
                taker_fee=0.0004,
            )
        )
    if "assets" in scenario.account:  # of which some settle in coin
        kinds = [rng.choice(["spot", "inverse_perpetual", "linear_perpetual"]) for _ in instruments]
        instruments = [
            attrs.evolve(one, kind=kind, settle="BTC" if kind.startswith("inverse") else "USD", margin_rate=1.0)
            for one, kind in zip(instruments, kinds, strict=True)
        ]
    if scenario.account:  # an account is tested by what is held: let there be much of it
        free: dict[str, Any] = {"min_size": None, "max_size": None, "min_notional": None}
        instruments = [
            attrs.evolve(one, **free, margin_rate=1.0 if one.is_cash else 0.1, step_size="0.001") for one in instruments
        ]
    return instruments


def make_bars(scenario: Scenario) -> list[Bars]:
    """Return one series for each instrument: other timeframes, other starts and ends, with holes and gaps."""
    rng = np.random.default_rng(scenario.seed)
    fastest = str(rng.choice(["1m", "5m", "1h", "1d"]))
    everything = []
    for instrument in make_instruments(scenario):
        slower = [name for name, length in TIMEFRAMES.items() if length >= TIMEFRAMES[fastest]]
        name = fastest if rng.random() < 0.6 else str(rng.choice(slower[:3]))
        if scenario.options.get("cheat_on_open"):
            name = fastest  # the bars of such a run begin together
        length = TIMEFRAMES[name] * MINUTE_NS
        count = max(3, scenario.bars * TIMEFRAMES[fastest] * MINUTE_NS // length)
        ts = START + int(rng.integers(0, 3)) * length + np.arange(count) * length
        kept = rng.random(count) < rng.choice([1.0, 0.9, 0.6])
        kept[:2] = True
        ts = ts[kept]
        everything.append(_walk(rng, instrument, name, ts))
    return everything


def _walk(rng: np.random.Generator, instrument: Instrument, timeframe: str, ts: np.ndarray) -> Bars:
    count = len(ts)
    close = 20.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, count)))
    open_ = np.concatenate(([20.0], close[:-1])) * np.exp(rng.normal(0.0, 0.01, count) * (rng.random(count) < 0.5))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 0.01, count)) * (rng.random(count) < 0.8))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 0.01, count)) * (rng.random(count) < 0.8))
    grid = instrument.price_grid
    if grid is not None:
        open_, high, low, close = (np.array([grid.nearest(x) for x in column]) for column in (open_, high, low, close))
    volume = np.round(rng.exponential(50.0, count), 2) * (rng.random(count) < 0.9)
    return Bars(instrument, timeframe, ts, open_, high, low, close, volume)


class RandomTrader(Strategy):
    """Does anything a strategy can do, at random, and writes down all it sees."""

    seed: int = param(0)
    activity: float = param(0.3)
    trace = param(None)
    fails_at: int = param(-1)
    moves: bool = param(False)
    sides: bool = param(False)
    changes: bool = param(False)

    def on_start(self) -> None:
        self.rng = random.Random(f"trader {self.seed}")
        self.is_special = self.rng.random() < 0.5
        self.handles: list[Any] = []
        self.lines = []
        for series in self.data:
            self.lines += [series.close, series.volume]
            for _ in range(self.rng.randrange(3)):
                close, length = series.close, self.rng.randrange(2, 9)
                made = self.rng.choice(
                    [
                        lambda: SMA(close, length),  # noqa: B023 - called at once
                        lambda: EMA(close, length),  # noqa: B023
                        lambda: crossover(close, SMA(close, length)),  # noqa: B023
                        lambda: close - close(-length),  # noqa: B023
                        lambda: (highest(close, length) > close) * 2.0,  # noqa: B023
                    ]
                )()
                self.lines.append(made)
        self.see("start")
        self.act("start", 0.2)

    def on_warmup_bar(self, bar: Any) -> None:
        self.see("warmup", bar.symbol, bar.copy())
        self.act("warmup")

    def on_bar(self, bar: Any) -> None:
        self.see("bar", bar.symbol, bar.copy(), bar.time, self.position.size)
        self.act("bar")

    def on_step(self) -> None:
        self.see("step")
        self.act("step", 0.3)

    def on_order(self, order: Any) -> None:
        self.see("order", order.id, order.status, order.filled, order.reason, order.average_price, self.position.size)
        self.act("order", 0.2)

    def on_fill(self, fill: Any) -> None:
        self.see("fill", plain(fill))
        self.act("fill", 0.5)

    def on_trade(self, trade: Any) -> None:
        self.see("trade", plain(trade))
        self.act("trade", 0.3)

    def on_timer(self, name: str) -> None:
        self.see("timer", name)
        self.act("timer")

    def on_stop(self) -> None:
        self.see("stop", [order.id for order in self.open_orders])
        own = {symbol: position.size for symbol, position in self.own_positions.items()}
        self.trace.append((self.name, "stop", own))
        self.attempt(self.rng.choice([self.cancel_all, self.buy, self.do_nothing]))

    def do_nothing(self) -> None:
        """Leave everything as it is."""

    def see(self, what: str, *facts: Any) -> None:
        if len(self.trace) == self.fails_at:
            raise RuntimeError(f"out of luck in {what}")
        line = self.rng.choice(self.lines)
        self.trace.append(
            (
                self.name,
                what,
                self.now,
                repr(facts),
                self.cash,
                self.equity,
                [repr(line[-ago]) for ago in (0, 1, 5, 40)] if what != "start" else None,
                [(position.size, repr(position.average_price), repr(position.last_price)) for position in
                 self.positions.values()],
                len(self.open_orders),
                [(own.size, repr(own.average_price), own.realized) for own in self.own_positions.values()]
                if self.is_special else None,
                repr(self.balances),
            )
        )  # fmt: skip

    def act(self, where: str, share: float = 1.0) -> None:
        if self.moves and self.rng.random() < 0.1:
            self.attempt(self.move_money)
        while self.rng.random() < self.activity * share and len(self.handles) < 300:
            self.attempt(self.rng.choices(ACTIONS, WEIGHTS)[0].__get__(self))
            share *= 0.5

    def attempt(self, action: Callable[[], Any]) -> None:
        try:
            made = action()
        except InputError as error:
            self.trace.append((self.name, "refused", str(error)))
        else:
            if made is not None:
                self.handles.append(made)
                self.trace.append((self.name, "sent", plain(made)))

    def which(self) -> Any:
        series = self.rng.choice(list(self.data))
        return self.rng.choice([None, None, series, series.symbol, series.instrument])

    def near(self, which: Any) -> float:
        """Return a price near the last close of an instrument, off the tick half of the time."""
        series = self.data[0] if which is None else self.data[getattr(which, "symbol", which)]
        price = self.positions[series.symbol].last_price
        price = 20.0 if isnan(price) else price
        return round(price * (1.0 + self.rng.gauss(0.0, 0.015)), self.rng.choice([1, 2, 4]))

    def side(self) -> dict[str, Any]:
        """Return the keyword that names a side, in an account that has two; seldom it is forgotten."""
        if not self.sides or self.rng.random() < 0.1:
            return {}
        return {"position_side": self.rng.choice(["long", "short"])}

    def size(self) -> float | None:
        return self.rng.choice([None, 1.0, 2.0, round(self.rng.expovariate(0.2), 3), 0.01])

    def trade(self) -> Any:
        rng, which = self.rng, self.which()
        send = self.buy if rng.random() < 0.5 else self.sell
        terms: dict[str, Any] = {"data": which, "reduce_only": rng.random() < 0.15, "tag": rng.choice(["", "x"])}
        terms |= self.side()
        if rng.random() < 0.55:
            terms["limit"] = self.near(which)
        if rng.random() < 0.35:
            terms["stop"] = self.near(which)
        terms["time_in_force"] = rng.choice(["gtc", "gtc", "gtc", "day", "ioc", "fok", "gtd"])
        if terms["time_in_force"] == "gtd" or rng.random() < 0.1:
            terms["expires_at"] = self.now + rng.randrange(-2, 40) * 30 * SECOND_NS
        return send(self.size(), **terms, **(self.specials(which) if self.is_special else {}))

    def specials(self, which: Any) -> dict[str, Any]:
        """Return some of the less common terms; many of them contradict each other."""
        rng, terms = self.rng, {}
        if rng.random() < 0.5:
            name = rng.choice(["touch", "trail", "trail_percent", "on_close"])
            near = self.near(which)
            terms[name] = {"touch": near, "trail": 0.3, "trail_percent": 0.01, "on_close": True}[name]
            if name.startswith("trail"):
                terms["trail_on"] = rng.choice(["extremes", "closes"])
                if rng.random() < 0.4:
                    terms["trail_limit"] = 0.1
        if rng.random() < 0.1:
            terms["post_only"] = True
        for name in ("oco", "parent"):
            if self.handles and rng.random() < 0.25:
                terms[name] = rng.choice(self.handles[-5:])
        return terms

    def bracket(self) -> Any:
        which = self.which()
        price = self.near(which)
        far = self.rng.uniform(0.005, 0.03)
        send, sign = self.rng.choice([(self.buy_bracket, 1), (self.sell_bracket, -1)])
        entry = {"data": which, **self.rng.choice([{}, {"limit": price}, {"stop": price}]), **self.side()}
        orders = send(
            self.size(),
            take_profit=self.rng.choice([None, price * (1 + sign * far)]),
            stop_loss=self.rng.choice([None, price * (1 - sign * far), {"trail_percent": far}]),
            **entry,
        )
        self.handles += [order for order in orders if order is not None]
        self.trace += [(self.name, "sent", plain(order)) for order in orders if order is not None]

    def target(self) -> Any:
        which = self.which()
        how = self.rng.randrange(3)
        if how == 0:
            return self.order_target_size(self.rng.choice([0, 1, -1, 3.3, -2_700.0]), which, **self.side())
        if how == 1:
            return self.order_target_value(self.rng.uniform(-300, 300), which, **self.side())
        return self.order_target_percent(self.rng.uniform(-0.5, 1.0), which, **self.side())

    def leave(self) -> Any:
        return self.close(self.which(), **self.side())

    def withdraw(self) -> None:
        if self.handles:
            self.cancel(self.rng.choice(self.handles[-6:]))

    def withdraw_all(self) -> None:
        self.cancel_all(self.which())

    def change(self) -> None:
        if self.handles:
            order = self.rng.choice(self.handles[-4:])
            symbol = order.instrument.symbol
            terms = {
                "size": self.size(),
                "limit": self.near(symbol) if self.rng.random() < 0.5 else None,
                "stop": self.near(symbol) if self.rng.random() < 0.3 else None,
            }
            self.modify(order, **terms)

    def move_money(self) -> None:
        moved: Any
        if len(self.balances) > 1 and self.rng.random() < 0.6:
            source, target = self.rng.sample(["USD", "BTC", "BNB"], 2)
            moved = self.rng.choice(
                [
                    lambda: self.convert(self.rng.choice([0.01, 1.0, 30.0]), source, target),
                    lambda: self.add_cash(self.rng.choice([0.02, 1.0, -0.1]), source),
                ]
            )()
        elif self.changes and self.rng.random() < 0.5:
            moved = self.change_margin()
        elif self.rng.random() < 0.4:
            own = type(self).__name__
            to = self.rng.choice(["main", f"{own}-1", f"{own}-2"])
            moved = self.transfer(self.rng.choice([3.0, 50.0]), to=to)
        else:
            moved = self.add_cash(self.rng.choice([10.0, 200.0, -5.0, -100.0]))
        self.trace.append((self.name, "moved", repr(moved)))

    def change_margin(self) -> Any:
        if self.rng.random() < 0.5:
            return self.add_margin(self.rng.choice([3.0, 30.0, -2.0, -30.0]), self.which(), **self.side())
        return self.set_leverage(self.rng.choice([1.0, 4.0, 10.0, 12.0]), self.which())

    def wait(self) -> None:
        name = self.rng.choice("abc")
        if self.rng.random() < 0.3:
            self.clear_timer(name)
        elif self.rng.random() < 0.5:
            self.set_timer(name, after=self.rng.randrange(0, 20) * 30 * SECOND_NS)
        else:
            self.set_timer(name, self.now + self.rng.randrange(-5, 30) * 30 * SECOND_NS)

    def end(self) -> None:
        if self.rng.random() < 0.1:
            self.stop(f"enough for {self.name}")


class OpeningTrader(RandomTrader):
    """The same, at opens as well."""

    def on_open(self, series: Any, price: float) -> None:
        self.see("open", series.symbol, series.ts, price, self.position.size)
        self.act("open")


ACTIONS = [
    RandomTrader.trade,
    RandomTrader.target,
    RandomTrader.leave,
    RandomTrader.withdraw,
    RandomTrader.withdraw_all,
    RandomTrader.change,
    RandomTrader.wait,
    RandomTrader.end,
    RandomTrader.bracket,
]
WEIGHTS = [10, 2, 1, 2, 0.5, 3, 2, 0.3, 1.5]


class Pieces:
    """Bars in blocks of random lengths, whatever is asked for."""

    def __init__(self, bars: Bars, seed: int) -> None:
        self.bars = bars
        self.seed = seed
        self.name = bars.name

    def blocks(self, size: int) -> Iterator[Bars]:
        rng = random.Random(self.seed)
        start = 0
        while start < len(self.bars):
            stop = start + rng.randrange(1, 18)
            yield self.bars[start:stop]
            start = stop


def plain(record: Any) -> str:
    """Return every field of an order, a fill or a trade, bit for bit: NaN equals itself."""
    values = {field.name: getattr(record, field.name) for field in attrs.fields(type(record))}
    values["instrument"] = record.instrument.symbol
    return f"{type(record).__name__} {values!r}"


@attrs.frozen
class Played:
    """What one run did."""

    result: Any
    trace: list[Any]
    error: str = ""

    def books(self) -> dict[str, list[Any]]:
        """Everything that must be equal whichever way the bars were played."""
        result = self.result
        return {
            "error": [self.error],
            "trace": self.trace,
            "orders": [plain(order) for order in result.order_records],
            "fills": [plain(fill) for fill in result.fill_records],
            "trades": [plain(trade) for trade in result.trade_records],
            "account": [repr(result.account), repr(result.assets)],
            "paid": [(fill.fee_asset, fill.fee_paid) for fill in result.fill_records],
            "flows": list(map(repr, result.flow_records)),
            "end": [result.stopped, result.n_bars, result.started, result.ended],
            "warnings": list(result.warnings),
            "accounts": [Played(one, []).books() for one in result.accounts.values()],
        }

    def curve(self) -> dict[str, list[Any]]:
        """Return the equity at every close, as bits."""
        curve = self.result.curve
        shares = self.result.fund or curve
        return {
            "times": curve.times.tolist(),
            "equity": [value.hex() for value in curve.equity.tolist()],
            "shares": [value.hex() for value in shares.equity.tolist()],
            "accounts": [Played(one, []).curve() for one in self.result.accounts.values()],
        }

    def days(self) -> dict[str, list[Any]]:
        """Return what a run in flat memory keeps of the curve: the last close of each UTC day, and the measures."""
        equity = self.result.equity["equity"]
        last = equity.groupby((equity.index - pd.Timedelta(1)).floor("D")).tail(1)  # midnight ends its day
        return {"daily": list(last.to_dict().items()), "summary": list(map(repr, self.result.summary.items()))}


def own_accounts(scenario: Scenario, kind: type[Strategy], options: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords that give some traders an account of their own, and the rest one together."""
    if "accounts" not in scenario.account or scenario.traders < 2:
        return {}
    rng = random.Random(f"accounts {scenario.seed}")
    own = rng.sample(range(1, scenario.traders + 1), rng.randrange(1, scenario.traders + 1))
    accounts: dict[str, Any] = {f"{kind.__name__}-{one}": rng.choice([50.0, 300.0, 10_000.0]) for one in own}
    if "assets" in scenario.account:
        some = [{"USD": 200.0, "BNB": 0.1}, {"BTC": 30.0}, 400.0]
        accounts = {name: rng.choice(some) for name in accounts}
    made: dict[str, Any] = {"accounts": accounts}
    if "all margin" in scenario.account:
        made["margin"] = attrs.evolve(options["margin"], planned=())  # those are of one account
    return made


def play(
    scenario: Scenario, *, events: bool = False, blocks: bool = False, at: int = 0, stop: StopRequest | None = None
) -> Played:
    """Run a scenario one way.

    Parameters
    ----------
    at
        Shift of all times, ns.
    stop
        Handed to the run.
    """
    series = [attrs.evolve(bars, ts=bars.ts + at) for bars in make_bars(scenario)]
    sources = [Pieces(bars, scenario.seed + number) for number, bars in enumerate(series)] if blocks else series
    trace: list[Any] = []
    options = scenario.options | account_options(scenario, series)
    full = "all margin" in scenario.account
    kind = OpeningTrader if scenario.options.get("cheat_on_open") else RandomTrader
    traders = [
        kind(
            seed=scenario.seed * 10 + number,
            activity=scenario.activity,
            trace=trace,
            fails_at=scenario.fails_at,
            moves=full or "strategy transfers" in scenario.account,
            sides=full and options["margin"].is_hedged,
            changes=full,
        )
        for number in range(scenario.traders)
    ]
    options |= own_accounts(scenario, kind, options)
    try:
        result = cambist.backtest(traders, sources, events=events, blocks=blocks, stop=stop, **options)
    except StrategyError as error:
        return Played(error.result, trace, str(error))
    return Played(result, trace)


@pytest.fixture(scope="session")
def scenarios() -> Any:
    """The maker and the player of scenarios."""
    return {
        "make": make_scenario,
        "make_account": make_account_scenario,
        "make_sole_account": make_sole_account_scenario,
        "make_futures": make_futures_scenario,
        "account_options": account_options,
        "own_accounts": own_accounts,
        "play": play,
        "bars": make_bars,
        "instruments": make_instruments,
        "trader": RandomTrader,
        "opening_trader": OpeningTrader,
        "played": Played,
    }
