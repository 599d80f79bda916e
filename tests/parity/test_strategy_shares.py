"""Several strategies in one account: their shares of a position are the position, to the last step of size."""

from __future__ import annotations

from fractions import Fraction

import attrs
import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Bars, Instrument, Strategy
from cambist.model.legs import side_in

RUNS = 60


def near(value, **terms):
    return pytest.approx(value, rel=1e-9, abs=1e-6, **terms)


def shared(scenarios, seed, make="make_account"):
    return attrs.evolve(scenarios[make](seed), traders=2 + seed % 2)


every_kind = pytest.mark.parametrize(
    "make", ["make", "make_account", "make_futures"], ids=["plain", "margin, splits and more", "hedged, by tiers"]
)


@every_kind
def test_shares_add_up_to_the_account(scenarios, make):
    held = traded = hedged = 0
    for seed in range(RUNS):
        whole = scenarios["play"](shared(scenarios, seed, make)).result
        for result in whole.accounts.values() or [whole]:
            frame = result.by_strategy
            sides = frame.get("position_side", pd.Series("", frame.index))
            hedged += bool(sides.any())
            for key, instrument in result.history.account.legs(result.instruments):
                steps = result.history.account.positions[key]
                last = steps.sizes[-1] if len(steps.sizes) else 0.0
                side = str(side_in(key, instrument.symbol) or "")
                own = frame["size"][(frame["instrument"] == instrument.symbol) & (sides == side)]
                assert sum(map(Fraction, map(str, own))) == Fraction(str(last)), seed
                held += last != 0.0 and (own != 0.0).sum() > 1
            for asset, made in (result.assets or {result.currency: result.account}).items():
                own = frame[frame["asset"] == asset]
                assert own["fees"].sum() == near(made.fees)
                assert own["net"].sum() == near(made.realized + made.unrealized - made.fees)
            traded += len(frame)
        if whole.accounts:
            apart = pd.concat([one.by_strategy for one in whole.accounts.values()])
            pd.testing.assert_frame_equal(apart.sort_index(), whole.by_strategy.sort_index())
    assert traded > 100
    assert held > 10
    assert (hedged > 10) is (make == "make_futures")


@every_kind
def test_what_strategies_add_to_equity_adds_up_to_what_fills_made(scenarios, make):
    for seed in range(100, 100 + RUNS):
        scenario = shared(scenarios, seed, make)
        # Open profit counts at closes here; of what comes without a fill, dividends alone tell by their time when.
        kept = ("margin", "actions", "all margin")
        scenario = attrs.evolve(scenario, account=tuple(name for name in kept if name in scenario.account))
        result = scenarios["play"](scenario).result
        series = result.series
        added = series.by_strategy.sum(axis=1).to_numpy()
        if make == "make_futures":  # whose traders move money: at the end, all of it counts
            came = sum(flow.amount for flow in result.flow_records)
            assert added[-1] == near(result.account.equity - result.initial_cash - came), seed
            continue
        without = np.zeros(len(series.index))
        for flow in result.flow_records:
            if flow.kind == "dividend":
                closes = series.history.closes[flow.symbol].times
                first = closes[np.searchsorted(closes, flow.ts, side="right")]
                without += np.where(series.row_times >= first, flow.amount, 0.0)
        assert added == near(series.equity.to_numpy() - result.initial_cash - without, nan_ok=True), seed


def test_shares_live_are_the_shares_of_the_result(scenarios):
    for seed in range(200, 230):
        played = scenarios["play"](shared(scenarios, seed))
        frame = played.result.by_strategy
        last = {}
        for name, what, *facts in played.trace:
            if what == "stop" and len(facts) == 1:
                last[name] = facts[0]
        for name, own in last.items():
            rows = frame.loc[[name]] if name in frame.index else frame.iloc[:0]
            assert {symbol: size for symbol, size in own.items() if size} == {
                symbol: size for symbol, size in zip(rows["instrument"], rows["size"], strict=True) if size
            }


def bars_at(prices, **terms):
    instrument = Instrument(symbol="A", step_size="1", **terms)
    prices = np.array(prices, float)
    times = np.arange(len(prices)) * 86_400 * 10**9
    return Bars(instrument, "1d", times, prices, prices, prices, prices, np.ones(len(prices)))


class Holder(Strategy):
    sizes: str = cambist.param("")

    def on_start(self):
        self.plan = [float(size) for size in self.sizes.split()]
        self.seen = []

    def on_bar(self, bar):
        size = self.plan.pop(0) if self.plan else 0.0
        if size:
            (self.buy if size > 0 else self.sell)(abs(size))

    def on_fill(self, fill):
        self.log.debug("own %s", self.own_position.size)


def run(plans, prices, kind="spot", **options):
    terms = {"kind": kind} if kind == "spot" else {"kind": kind, "margin_rate": 0.1}
    return cambist.backtest([Holder(sizes=plan) for plan in plans], bars_at(prices, **terms), cash=1_000, **options)


def test_a_liquidation_closes_every_share():
    """Long 30 and short 10 make 20; it is closed as a sale of 30 and a purchase of 10, at one price."""
    result = run(
        ["30", "-10"], [100, 100, 100, 40], "linear_perpetual", margin=cambist.Margin(leverage=10, maintenance=0.05)
    )
    assert [order.by_venue for order in result.order_records] == [False, False, True]
    price = result.fill_records[-1].price
    frame = result.by_strategy
    assert frame["size"].tolist() == [0.0, 0.0]
    assert frame["realized"].tolist() == near([30 * (price - 100), -10 * (price - 100)])
    assert frame["trades"].tolist() == [1, 1]


def test_a_split_leaves_what_the_account_keeps():
    """7 and 2 are 9; three for two makes 13 of them, and half a unit is paid out: 10 and 3 have no more than that."""
    result = run(["7", "2"], [10, 10, 10, 10], actions={"A": ([2 * 86_400 * 10**9 + 1], [0.0], [1.5])})
    frame = result.by_strategy
    assert frame["size"].tolist() == [10.0, 3.0]
    assert result.split_records[0].ratio == 1.5
    assert frame["net"].sum() == near(result.account.realized + result.account.unrealized)


def test_closing_what_another_holds_is_a_short_share():
    class Closer(Strategy):
        def on_bar(self, bar):
            if self.position.size:
                self.close()

    result = cambist.backtest([Holder(sizes="3"), Closer()], bars_at([10, 10, 10, 12, 12]), cash=1_000)
    frame = result.by_strategy
    assert frame["size"].to_dict() == {"Holder": 3.0, "Closer": -3.0}
    assert frame["net"].to_dict() == near({"Holder": 3 * (12.0 - 10.0), "Closer": -3 * (12.0 - 10.0)})
    assert result.series.positions["A"].iloc[-1] == 0.0


def test_shares_of_an_instrument_that_is_held_as_another():
    other = attrs.evolve(bars_at([10, 10, 10, 12, 12]), instrument=Instrument(symbol="B", step_size="1"))

    class Other(Strategy):
        def on_step(self):
            if not self.own_positions["A"]:
                self.buy(2.0, data="B")

    data = [bars_at([10, 10, 10, 12, 12]), other]
    result = cambist.backtest([Holder(sizes="3"), Other()], data, cash=1_000, compensates={"B": "A"})
    frame = result.by_strategy
    held = dict(zip(frame.index, zip(frame["instrument"], frame["size"], strict=True), strict=True))
    assert held == {"Holder": ("A", 3.0), "Other": ("A", 2.0)}
    assert result.series.positions["A"].iloc[-1] == 5.0
    assert result.series.by_strategy.iloc[-1].sum() == near(result.account.equity - 1_000)
    assert len(result.series.buys) == 2


def test_marks_after_a_split_stand_at_their_own_bars():
    result = run(["2 0 0 1"], [10, 10, 10, 10, 10, 10], actions={"A": ([2 * 86_400 * 10**9 + 1], [0.0], [2.0])})
    day = 86_400 * 10**9
    assert result.series.buys.index.as_unit("ns").asi8.tolist() == [2 * day, 5 * day]
