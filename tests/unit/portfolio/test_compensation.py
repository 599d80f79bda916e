"""Instruments whose orders change the position of another: the account by hand, and what does not go with it."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Instrument
from cambist.errors import ParameterError

A, B, C = (Instrument(symbol=name, kind="equity", step_size=1) for name in "ABC")


def bars(close, start="2024-03-01"):
    close = np.array(close, float)
    index = pd.date_range(start, periods=len(close), freq="1D", tz="UTC")
    opened = np.concatenate([close[:1], close[:-1]])
    columns = {"open": opened, "high": np.maximum(opened, close), "low": np.minimum(opened, close), "close": close}
    return pd.DataFrame(columns | {"volume": 1_000.0}, index=index)


class Script(cambist.Strategy):
    """Sends what a table says at each close: ``{bar: [(symbol, signed size), ...]}``."""

    orders: dict = cambist.param({})

    def on_start(self):
        self.at = 0

    def on_step(self):
        for symbol, size in self.orders.get(self.at, []):
            (self.buy if size > 0 else self.sell)(abs(size), data=symbol)
        self.at += 1


def play(orders, prices, compensates, **options):
    strategy = type("Now", (Script,), {"orders": orders})
    frames = {symbol: bars(close) for symbol, close in prices.items()}
    return cambist.backtest(strategy, frames, cash=10_000, benchmark=False, compensates=compensates, **options)


def test_a_sale_of_one_closes_the_position_of_the_other():
    prices = {"A": [10.0, 12.0, 15.0, 15.0], "B": [10.0, 11.0, 14.0, 14.0]}
    result = play({0: [("B", 100)], 1: [("A", -100)]}, prices, {"A": "B"}, fees=cambist.FixedFee(0.01))
    # Bought 100 B at the open of 10, sold as 100 A at the open of 12; a cent a share each way.
    (trade,) = result.trade_records
    assert (trade.instrument.symbol, trade.entry_price, trade.exit_price) == ("B", 10.0, 12.0)
    assert trade.net == pytest.approx(100 * 2.0 - 2.0)
    assert result.curve.all_equity.tolist() == pytest.approx([10_000.0, 10_099.0, 10_198.0, 10_198.0])
    assert [fill.instrument.symbol for fill in result.fill_records] == ["B", "A"]


@pytest.mark.parametrize("rules", ["cambist", "backtrader"])
@pytest.mark.parametrize("seed", range(12))
def test_no_money_comes_or_goes(seed, rules):
    """Cash is what every fill took, exactly, and equity is cash and what is held at the closes of what is held."""
    chance = Random(seed)
    prices = {name: [10.0 + chance.randint(-16, 16) / 8 for _ in range(40)] for name in "ABC"}
    # Sizes and prices are multiples of powers of two, so that floats are exact.
    orders = {at: [(chance.choice("ABC"), chance.choice((-16, -8, 8, 16))) for _ in range(2)] for at in range(39)}
    result = play(orders, prices, {"A": "B", "C": "B"}, rules=rules)
    cash, held = Fraction(10_000), Fraction(0)
    for fill in result.fill_records:
        signed = Fraction(fill.size) if fill.side == "buy" else -Fraction(fill.size)
        cash -= signed * Fraction(fill.price)
        held += signed
    assert len(result.fill_records) > 30
    assert Fraction(result.account.cash) == cash
    assert Fraction(float(result.curve.all_equity[-1])) == cash + held * Fraction(prices["B"][-1])
    assert {trade.instrument.symbol for trade in result.trade_records} == {"B"}


def test_what_only_shrinks_needs_no_money():
    prices = {"A": [10.0] * 4, "B": [10.0] * 4}
    # All the money is in B, and A is sold; without compensation that would be short and need as much again.
    orders = {0: [("B", 1_000)], 1: [("A", -1_000)]}
    assert len(play(orders, prices, {"A": "B"}).fill_records) == 2
    assert len(play(orders, prices, None).fill_records) == 1


def test_a_bracket_in_one_guards_the_position_of_the_other():
    class Guarded(cambist.Strategy):
        def on_bar(self, bar):
            if bar.symbol == "A" and not self.positions["B"] and not self.open_orders:
                self.buy_bracket(10, stop_loss=8.0, take_profit=14.0)

    falling = {"A": [10.0, 10.0, 7.0, 7.0], "B": [10.0, 10.0, 9.0, 9.0]}
    frames = {symbol: bars(close) for symbol, close in falling.items()}
    result = cambist.backtest(Guarded, frames, benchmark=False, compensates={"A": "B"})
    assert [(str(fill.side), fill.price) for fill in result.fill_records][:2] == [("buy", 10.0), ("sell", 8.0)]


@pytest.mark.parametrize(
    ("compensates", "options", "told"),
    [
        ({"X": "B"}, {}, "compensates names 'X'"),
        ({"A": "Y"}, {}, "compensates names 'Y'"),
        ({"A": "A"}, {}, "change the position of A"),
        ({"A": "B", "B": "C"}, {}, "such as 'C'"),
        ({"A": "B"}, {"margin": cambist.Margin(leverage=2)}, "margin goes by each by itself"),
        ({"A": "B"}, {"market_rules": "us-equities"}, "market_rules goes by each by itself"),
        ({"A": "B"}, {"actions": {"B": pd.DataFrame({"split": [2.0]}, index=["2024-03-02"])}}, "held together"),
        (["A"], {}, "give a dict by symbol"),
    ],
)
def test_what_cannot_be(compensates, options, told):
    with pytest.raises(ParameterError, match=told):
        play({}, {name: [10.0, 10.0] for name in "ABC"}, compensates, **options)


def test_units_must_be_the_same():
    frames = [cambist.load(bars([10.0, 11.0]), instrument=one) for one in (A, Instrument(symbol="B", multiplier=5))]
    with pytest.raises(ParameterError, match="kind of A is equity, and spot of B"):
        cambist.backtest(Script, frames, compensates={"A": "B"})


def test_nothing_is_held_that_has_no_price_yet():
    class Eager(cambist.Strategy):
        def on_bar(self, bar):
            if bar.symbol == "A":
                self.buy(5)

    frames = {"A": bars([10.0] * 4), "B": bars([10.0] * 2, start="2024-03-03")}
    result = cambist.backtest(Eager, frames, benchmark=False, compensates={"A": "B"})
    # The third close of A is the first of B, of which it is told after that of A, as they are declared.
    assert [order.reason.partition(":")[0] for order in result.order_records] == ["no_price_yet"] * 3 + [""]
    assert result.fill_records == []
