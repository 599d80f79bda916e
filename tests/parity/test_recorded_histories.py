"""The recorded fills of any run, booked again, give that run again: books, curve and measures to the last bit.

And its recorded orders, sent again under the same rules, give the same fills.
"""

from __future__ import annotations

import random

import attrs
import pytest

import cambist
from cambist import FillHistory, Interest, OrderHistory
from cambist.model.times import MINUTE_NS

SCENARIOS, CHUNK = 160, 20


def bits(value):
    return float(value).hex() if isinstance(value, float) else value


def facts(record, *left_out):
    """Every field of a record but those that name the run's own orders, floats as bits."""
    names = [field.name for field in attrs.fields(type(record)) if field.name not in left_out]
    values = {name: bits(getattr(record, name)) for name in names}
    return values | {"instrument": record.instrument.symbol}


def books(result):
    """What a replay of the fills must give again."""
    curve, shares = result.curve, result.fund or result.curve
    return {
        "fills": [facts(fill, "order_id") for fill in result.fill_records],
        "trades": [facts(trade) for trade in result.trade_records],
        "flows": list(map(repr, result.flow_records)),
        "account": [repr(result.account)],
        "equity": list(map(bits, curve.equity.tolist())),
        "shares": list(map(bits, shares.equity.tolist())),
        "cash": [result.history.account.times.tolist(), list(map(bits, result.history.account.cash.tolist()))],
        "measures": [repr(dict(result.summary))],
        "more measures": [repr(result.analysis.trade_statistics.flat())],
    }


def hold_equal(got, expected, scenario):
    one, other = books(got), books(expected)
    for name, facts_of in other.items():
        assert one[name] == facts_of, (name, scenario)


def again(scenarios, scenario, recorded, way):
    """Run the records of a result over the bars of its scenario, under its rules."""
    series = scenarios["bars"](scenario)
    options = scenario.options | scenarios["account_options"](scenario, series)
    return cambist.backtest(recorded, series, **options, **way)


def recorded_run(scenarios, scenario):
    """Play a scenario to its end; None where its strategy ends it, or times its orders in a way that no fill tells."""
    played = scenarios["play"](scenario)
    return None if played.error or played.result.stopped else played.result


def histories(result, source):
    """One history for each strategy that traded, so that trades keep their names."""
    return [FillHistory(source, strategy=one.name) for one in result.strategies]


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_recorded_fills_give_the_run_again(scenarios, first, tmp_path):
    replayed = 0
    for seed in range(first, first + CHUNK):
        scenario = scenarios["make"](seed)
        result = recorded_run(scenarios, scenario)
        if result is None:
            continue
        source = result if seed % 2 else result.save(tmp_path / str(seed), format=("csv", "json")[seed // 2 % 2])
        hold_equal(again(scenarios, scenario, histories(result, source), {"events": seed % 3 == 0}), result, scenario)
        replayed += len(result.fill_records)
    assert replayed > 20


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_recorded_fills_give_an_account_on_margin_again(scenarios, first):
    """With liquidation, marks, funding, interest, transfers, dividends and splits."""
    replayed = 0
    for seed in range(first, first + CHUNK):
        scenario = scenarios["make_sole_account"](seed)
        kept = tuple(name for name in scenario.account if name != "strategy transfers")
        scenario = attrs.evolve(scenario, account=kept)
        result = recorded_run(scenarios, scenario)
        if result is not None:
            hold_equal(again(scenarios, scenario, histories(result, result), {}), result, scenario)
            replayed += len(result.fill_records)
    assert replayed > 20


def test_the_accounts_are_liquidated_and_split(scenarios):
    """What the tests above replay holds what is hard to replay."""
    reasons, kinds, sides = set(), set(), set()
    for seed in range(SCENARIOS):
        result = recorded_run(scenarios, scenarios["make_sole_account"](seed))
        if result is not None:
            reasons |= {trade.reason for trade in result.trade_records}
            kinds |= {flow.kind for flow in result.flow_records}
            sides |= {trade.is_long for trade in result.trade_records}
    assert "liquidation" in reasons
    assert kinds >= {"funding", "interest", "dividend", "fraction", "deposit"}
    assert sides == {True, False}


def test_recorded_fills_under_the_compatible_rules_give_the_run_again(scenarios):
    known = {"cash", "fees", "slippage", "market_fill", "volume_limit", "sizer", "risk", "benchmark"}
    for seed in range(110, 170):
        scenario = scenarios["make"](seed)
        options = {name: value for name, value in scenario.options.items() if name in known}
        interest = {"interest": Interest(short=0.5, long=0.3, value="entry")} if seed % 2 else {}
        scenario = attrs.evolve(scenario, options=options | {"rules": "backtrader"} | interest)
        result = recorded_run(scenarios, scenario)
        if result is not None:
            hold_equal(again(scenarios, scenario, histories(result, result), {}), result, scenario)


class Clerk(cambist.Strategy):
    """Sends and withdraws orders of every kind, at closes alone: what a record of orders can hold."""

    seed: int = cambist.param(0)
    by_timer: bool = cambist.param(False)

    def on_start(self):
        self.rng = random.Random(f"clerk {self.seed}")
        self.sent = []
        if self.by_timer:
            self.schedule("look", cambist.Every("7m"))

    def on_bar(self, bar):
        if not self.by_timer and self.rng.random() < 0.6:
            self.do(bar.symbol)

    def on_step(self):
        if self.rng.random() < 0.2:
            self.do(self.rng.choice(list(self.data)).symbol)

    def on_timer(self, name):
        self.do(self.rng.choice(list(self.data)).symbol)

    def do(self, symbol):
        rng = self.rng
        price = self.positions[symbol].last_price
        if self.sent and rng.random() < 0.25:
            self.cancel(rng.choice(self.sent[-5:]))
        if price != price:  # noqa: PLR0124 - NaN: no bar of it has closed
            return
        if rng.random() < 0.1:
            orders = self.buy_bracket(1.0, data=symbol, take_profit=price * 1.03, stop_loss=price * 0.97)
            self.sent += [order for order in orders if order is not None]
            return
        send = rng.choice([self.buy, self.sell])
        near = price * (1.0 + rng.gauss(0.0, 0.02))
        terms = {"data": symbol, "tag": rng.choice(["", "x"]), "reduce_only": rng.random() < 0.1}
        terms |= rng.choice(
            [
                *({}, {"limit": near}, {"stop": near}, {"limit": near, "stop": near * rng.choice([0.99, 1.01])}),
                *({"touch": near}, {"trail_percent": 0.02}, {"trail": 0.3, "trail_limit": 0.1}, {"on_close": True}),
                {"limit": near, "post_only": True},
            ]
        )
        terms["time_in_force"] = rng.choice(["gtc", "gtc", "gtc", "day", "ioc", "gtd"])
        if terms["time_in_force"] == "gtd":
            terms["expires_at"] = self.now + rng.randrange(0, 30) * MINUTE_NS
        if self.sent and rng.random() < 0.2:
            terms["oco"] = rng.choice(self.sent[-3:])
        self.sent.append(send(rng.choice([1.0, 2.0, 3.0]), **terms))


def end_of(order):
    """How an order ended. Why one did that is tied to another hangs on the order of calls within one close."""
    why = () if order.oco else (order.status, order.reason.partition(":")[0])
    return order.id, order.type, order.filled, *why


KEPT = ("cash", "fees", "slippage", "path", "volume_limit", "fill_on_touch", "leverage")


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
def test_recorded_orders_trade_alike_under_the_same_rules(scenarios, first, tmp_path):
    kinds, ends = set(), set()
    for seed in range(first, first + CHUNK):
        scenario = scenarios["make_sole_account"](seed) if seed % 3 == 0 else scenarios["make"](seed)
        series = scenarios["bars"](scenario)
        options = {name: value for name, value in scenario.options.items() if name in KEPT}
        account = attrs.evolve(scenario, account=tuple(one for one in scenario.account if one in ("margin", "marks")))
        options |= scenarios["account_options"](account, series) | {"seed": seed}
        result = cambist.backtest(Clerk(seed=seed, by_timer=seed % 5 == 0), series, **options)
        source = result.save(tmp_path / str(seed)) if seed % 2 else result
        way = {"events": seed % 4 == 0}
        got = cambist.backtest(OrderHistory(source), series, **options, **way)
        assert [facts(fill) for fill in got.fill_records] == [facts(fill) for fill in result.fill_records], scenario
        assert [facts(trade) for trade in got.trade_records] == [facts(trade) for trade in result.trade_records]
        assert list(map(bits, got.curve.equity)) == list(map(bits, result.curve.equity))
        assert [end_of(order) for order in got.order_records] == [end_of(order) for order in result.order_records]
        kinds |= {order.type for order in result.order_records if order.filled}
        ends |= {str(order.status) for order in result.order_records}
    assert len(kinds) >= 6
    assert ends >= {"filled", "canceled", "expired", "rejected"}
