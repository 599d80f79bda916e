"""One outcome whichever way trades and quotes are played: whole columns, events one by one, blocks, small windows."""

from __future__ import annotations

import random
from itertools import zip_longest

import attrs
import numpy as np
import pytest
from market_scenarios import START, Pieces, last_price, make_market
from operated import hearing, random_rules

import cambist
from cambist import StopRequest, StrategyError
from cambist.backtest.market import feeds
from cambist.model.times import HOUR_NS, MINUTE_NS

WAYS = {"events": {"events": True}, "blocks": {"blocks": True}, "events in blocks": {"events": True, "blocks": True}}
OF_BARS = ("market_fill", "path")


@pytest.fixture(scope="session")
def trader(scenarios):
    """The random trader, on trades and quotes."""

    class MarketTrader(scenarios["trader"]):
        def on_start(self):
            self.rng = random.Random(f"trader {self.seed}")
            self.is_special = self.rng.random() < 0.5
            self.handles = []
            self.see("start")
            self.act("start", 0.2)

        def on_tick(self, tick):
            self.see("tick", tick.copy(), tick.side, tick.time, self.position.size)
            self.act("tick", 0.5)

        def on_quote(self, quote):
            self.see("quote", repr(quote.copy()), quote.mid, self.position.size)
            self.act("quote", 0.5)

        def see(self, what, *facts):
            if len(self.trace) == self.fails_at:
                raise RuntimeError(f"out of luck in {what}")
            held = [(one.size, repr(one.average_price), repr(one.last_price)) for one in self.positions.values()]
            prices = [repr(series.price) for series in self.data]
            self.trace.append((self.name, what, self.now, repr(facts), self.cash, self.equity, held, prices))

    return MarketTrader


def options_of(scenario):
    options = {key: value for key, value in scenario.options.items() if key not in OF_BARS}
    rng = random.Random(scenario.seed)
    if "volume_limit" in options:
        options["volume_limit"] = rng.choice([1.0, 0.3])
    return options


def play(scenarios, trader, scenario, *, events=False, blocks=False, stop=None):
    histories = make_market(scenarios, scenario)
    sources = [Pieces(one, scenario.seed + number) for number, one in enumerate(histories)] if blocks else histories
    trace = []
    traders = [
        trader(seed=scenario.seed * 10 + number, activity=scenario.activity, trace=trace, fails_at=scenario.fails_at)
        for number in range(scenario.traders)
    ]
    options = options_of(scenario)
    try:
        result = cambist.backtest(traders, sources, events=events, blocks=blocks, stop=stop, **options)
    except StrategyError as error:
        return scenarios["played"](error.result, trace, str(error))
    return scenarios["played"](result, trace)


def outcome(played, way):
    return played.books() | (played.days() if "blocks" in way else played.curve())


def hold_equal(expected, got, scenario):
    for key in expected:
        for number, (one, other) in enumerate(zip_longest(expected[key], got[key])):
            assert one == other, f"{key} {number} of {scenario}"


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_every_way_of_playing_gives_the_same_books(scenarios, trader, first):
    for seed in range(first, first + 20):
        scenario = scenarios["make"](seed)
        reference = play(scenarios, trader, scenario)
        for way in WAYS.values():
            hold_equal(outcome(reference, way), outcome(play(scenarios, trader, scenario, **way), way), scenario)


@pytest.mark.parametrize("timeframe", [None, "1m"])
def test_rules_that_remember_trip_alike(scenarios, trader, timeframe):
    """They look at the account when bars close, and where there are none, after each trade and quote."""
    tripped = 0
    for seed in range(16):
        scenario = scenarios["make"](seed)
        options = scenario.options | {"risk": random_rules(seed)} | ({"timeframe": timeframe} if timeframe else {})
        scenario = attrs.evolve(scenario, options=options)
        reference = play(scenarios, hearing(trader), scenario)
        for way in WAYS.values():
            played = play(scenarios, hearing(trader), scenario, **way)
            hold_equal(outcome(reference, way), outcome(played, way), scenario)
        tripped += any("max-" in warning for warning in reference.result.warnings)
    assert tripped > 4


def test_the_borders_of_windows_are_not_felt(scenarios, trader, monkeypatch):
    for seed in range(24):
        scenario = scenarios["make"](seed)
        reference = play(scenarios, trader, scenario)
        with monkeypatch.context() as patch:
            patch.setattr(feeds, "ROWS", 1 + seed % 9)
            hold_equal(outcome(reference, {}), outcome(play(scenarios, trader, scenario), {}), scenario)


def test_a_strategy_that_raises_leaves_the_same_result(scenarios, trader):
    raised = 0
    for seed in range(1_000, 1_020):
        scenario = attrs.evolve(scenarios["make"](seed), fails_at=5 + 4 * (seed % 20))
        reference = play(scenarios, trader, scenario)
        for way in WAYS.values():
            hold_equal(outcome(reference, way), outcome(play(scenarios, trader, scenario, **way), way), scenario)
        raised += "raised RuntimeError at 2024-03-0" in reference.error and "out of luck in" in reference.error
    assert raised > 10


def test_a_run_that_is_stopped_before_its_first_event_plays_none(scenarios, trader):
    for way in ({}, *WAYS.values()):
        request = StopRequest()
        request("not today")
        played = play(scenarios, trader, scenarios["make"](0), stop=request, **way)
        assert (played.result.n_bars, played.result.stopped) == (0, "not today"), way


def test_the_scenarios_reach_every_corner(scenarios, trader):
    """A parity test of strategies that do nothing would always pass."""
    seen = set()
    for seed in range(0, 60, 2):
        played = play(scenarios, trader, scenarios["make"](seed))
        for order in played.result.order_records:
            seen |= {order.type, order.time_in_force, str(order.status), order.reason.partition(":")[0]}
        seen |= {str(fill.liquidity) for fill in played.result.fill_records}
        seen |= {entry[1] for entry in played.trace}
        seen |= {"stopped"} if played.result.stopped else set()
    assert seen >= {
        *("market", "limit", "stop", "stop_limit"),
        *("gtc", "day", "gtd", "ioc", "fok"),
        *("filled", "canceled", "rejected", "expired", "accepted"),
        *("insufficient_funds", "nothing_to_reduce", "could not trade at once"),
        *("maker", "taker", "tick", "quote", "order", "fill", "trade", "timer", "stop", "refused", "sent", "stopped"),
    }


def test_equity_is_what_the_fills_and_the_last_prices_say(scenarios, trader):
    """Every sample, reckoned again from the fills alone, in instruments paid in full."""
    checked = 0
    for seed in range(60):
        scenario = scenarios["make"](seed)
        histories = make_market(scenarios, scenario)
        if not all(one.instrument.is_cash for one in histories):
            continue
        result = play(scenarios, trader, scenario).result
        if result.stopped:
            continue  # perhaps within a moment, and the last price below is that at its end
        for ts, equity in zip(result.curve.all_times.tolist(), result.curve.all_equity.tolist(), strict=True):
            worth = result.initial_cash
            for fill in result.fill_records:
                if fill.ts <= ts:
                    signed = fill.size * fill.side.sign
                    worth += (
                        signed * fill.instrument.multiplier * (last_price(histories, fill.instrument, ts) - fill.price)
                    )
                    worth -= fill.fee
            assert equity == pytest.approx(worth, rel=1e-9), (scenario, ts)
            checked += len(result.fill_records) > 0
    assert checked > 100


def test_samples_are_the_last_event_of_each_minute_and_every_fill(scenarios, trader):
    for seed in range(24):
        scenario = scenarios["make"](seed)
        result = play(scenarios, trader, scenario).result
        if result.stopped:
            continue
        times = np.sort(np.concatenate([one.ts for one in make_market(scenarios, scenario)]))
        last = {int(ts // MINUTE_NS): int(ts) for ts in times}
        wanted = sorted({*last.values(), *(fill.ts for fill in result.fill_records)})
        assert result.curve.all_times.tolist() == wanted
        assert result.n_bars == len(times)
    assert times[-1] - START < 24 * HOUR_NS
