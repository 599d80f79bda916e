"""Market rules, sessions and compensation give the same books whichever way the bars are played."""

from __future__ import annotations

from collections import Counter
from random import Random

import attrs
import pandas as pd
import pytest

import cambist
from cambist import Instrument, MarketRules, weekly_calendar
from cambist.simulation import a_shares, us_cash

WAYS = ({"events": True}, {"blocks": True})
HOURS = weekly_calendar("hours", {"mon-fri": "0:30-3:00, 4:00-23:00", "sat": "2:00-9:00"}, start="2024-02-01")
CODES = {"lot_size", "not_sellable_today", "short_not_allowed", "price_limit", "price_off_tick", "outside_session"}


def some_rules(rng: Random) -> MarketRules:
    lot = rng.choice([0, 0, 1, 3])
    return MarketRules(
        lot=lot,
        least=rng.choice([lot, 2 * lot]),
        odd_lots=rng.choice(["any", "rest", "none"]),
        sell_after=rng.choice([0, 1, 2]),
        cash_after=rng.choice([0, 1, 2]),
        short=rng.random() < 0.5,
        price_limit=rng.choice([None, 0.01, 0.05, (0.02, 0.04), {"2024-01-01": 0.1, "2024-03-02": 0.02}]),
        listed="2024-03-01",
        first_days=rng.choice([[], [None], [0.3, 0.02]]),
        at_limit=rng.choice(["never", "unlocked"]),
        ticks=rng.choice([None, None, "0.05", {0: "0.01", 20: "0.02"}]),
        sessions=rng.choice(["any", "any", "hold", "reject"]),
    )


def with_rules(scenario, rng: Random):
    """Return the scenario with rules for all of its instruments, or for the first alone."""
    rules = some_rules(rng)
    options = scenario.options | {"market_rules": rng.choice([rules, {"use": "by-symbol", "models": {}}, rules])}
    if rules.sessions != "any" or rng.random() < 0.5:
        options["calendar"] = HOURS
    return attrs.evolve(scenario, options={name: value for name, value in options.items() if name != "rules"})


@pytest.mark.parametrize("first", range(0, 200, 40))
def test_every_way_of_playing_keeps_the_rules_alike(scenarios, first):
    fills, seen = 0, Counter()
    for seed in range(first, first + 40):
        scenario = with_rules(scenarios["make"](seed), Random(f"rules {seed}"))
        reference = scenarios["play"](scenario)
        for way in WAYS:
            assert scenarios["play"](scenario, **way).books() == reference.books(), (scenario, way)
        fills += len(reference.result.fill_records)
        seen.update(order.reason.partition(":")[0] for order in reference.result.order_records)
    assert fills > 50
    assert len(CODES & set(seen)) >= 4, seen


def test_rules_that_ask_for_nothing_change_nothing(scenarios):
    for seed in range(40):
        scenario = scenarios["make"](seed)
        free = attrs.evolve(scenario, options=scenario.options | {"market_rules": "none"})
        assert scenarios["play"](free).books() == scenarios["play"](scenario).books(), scenario


def test_a_run_leaves_no_trace_in_the_next_one(scenarios):
    for rules in (a_shares(), us_cash()):
        for seed in range(6):
            scenario = scenarios["make"](7 * seed)
            scenario = attrs.evolve(scenario, options=scenario.options | {"market_rules": rules})
            assert scenarios["play"](scenario).books() == scenarios["play"](scenario).books()


class Switching(cambist.Strategy):
    """Trades either of two instruments, by chance."""

    def on_bar(self, bar):
        way, limit = self.chance.choice(("buy", "sell")), self.chance.choice((None, bar.close))
        if self.chance.random() < 0.4:
            getattr(self, way)(self.chance.randint(1, 9), limit=limit)
        elif self.chance.random() < 0.1:
            self.order_target_size(self.chance.randint(-5, 5))
        elif self.chance.random() < 0.1:
            self.close()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rules", ["cambist", "backtrader"])
def test_compensation_is_the_same_every_way(seed, rules):
    rng = Random(seed)
    frames = {}
    for name in "AB":
        close = [100.0 + rng.randint(-300, 300) / 100 for _ in range(60)]
        index = pd.date_range("2024-03-01", periods=60, freq=rng.choice(["1h", "4h"]), tz="UTC")
        edges = {"high": [price + 1.0 for price in close], "low": [price - 1.0 for price in close]}
        frames[name] = cambist.load(
            pd.DataFrame({"open": close, **edges, "close": close, "volume": 1_000.0}, index=index),
            instrument=Instrument(symbol=name, step_size=1),
        )
    books = []
    for way in ({}, *WAYS):
        options = {"compensates": {"A": "B"}, "rules": rules, "benchmark": False, "seed": seed} | way
        result = cambist.backtest(Switching, list(frames.values()), **options)
        books.append(
            (
                [(fill.order_id, fill.size, fill.price, fill.fee, fill.ts) for fill in result.fill_records],
                [(str(order.status), order.reason, order.updated_at) for order in result.order_records],
                [(trade.instrument.symbol, trade.net, trade.closed_at) for trade in result.trade_records],
                result.account,
            )
        )
    assert books[0] == books[1] == books[2]
    assert len(books[0][0]) > 10
