"""``rules="backtrader"`` does with orders what backtrader does: same fills, outcomes, cash and equity, bar by bar."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import attrs
import pytest
from differential_engines import differences, play_backtrader, play_cambist
from differential_scenarios import (
    ALL_TYPES,
    EXACT_TICK,
    LIMIT,
    MARKET,
    ON_CLOSE,
    STOP,
    STOP_LIMIT,
    TRAIL,
    TRAIL_LIMIT,
    Ask,
    Bar,
    Habits,
    Scenario,
    random_scenario,
)

SCENARIOS, CHUNK = 300, 60
FEES: list[dict[str, Any]] = [{}, {"percent_fee": 0.001}, {"unit_fee": 0.03}]
SLIPPAGES: dict[str, dict[str, Any]] = {
    "no_slippage": {},
    "percent_slippage": {"percent_slippage": 0.0015},
    "fixed_slippage": {"fixed_slippage": 0.07},
}
VOLUMES: list[dict[str, Any]] = [{}, {"volume_limit": 0.1}, {"volume_limit": 0.29}]
COSTS = [fee | slippage | volume for volume, slippage, fee in product(VOLUMES, SLIPPAGES.values(), FEES)]
SPACINGS: list[dict[str, Any]] = [{}, {}, {"every": "4h"}, {"daily": True}]


def agree(scenario: Scenario, **options: object) -> Counter[str]:
    """Play a scenario in both and return how its orders ended, once nothing differs."""
    theirs = play_backtrader(scenario)
    found = differences(theirs, play_cambist(scenario, rules="backtrader", **options))
    assert not found, "\n".join(found[:8])
    filled = Counter(done.order for done in theirs.fills)
    return Counter(
        [
            *(outcome for outcome, _ in theirs.outcomes.values()),
            *("in parts" for fills in filled.values() if fills > 1),
        ]
    )


EXACT = Habits(types=ALL_TYPES, tick=EXACT_TICK)


@attrs.frozen(kw_only=True)
class Rules:
    """A family of rules, and how scenarios that put them to use are drawn.

    Attributes
    ----------
    habits, options
        Of the scripts, and of the scenarios; fees, slippage, volume and spacing of bars go round where they are not
        said here.
    sees
        How some orders must have ended in every chunk of scenarios.
    count
        Of bars.
    events
        Plays through events instead of columns.
    """

    habits: Habits = EXACT
    options: dict[str, Any] = attrs.field(factory=dict)
    sees: frozenset[str] = frozenset({"filled", "canceled", "expired", "in parts", "working"})
    count: int = 12
    events: bool = False

    def scenario(self, seed: int) -> Scenario:
        turn, cost = divmod(seed, len(COSTS))
        options = COSTS[cost] | SPACINGS[seed % len(SPACINGS)] | self.options
        habits = attrs.evolve(self.habits, buys=(None, True, False)[turn % 3])
        return random_scenario(seed, habits, count=self.count, **options)


def kinds(*types: str, **habits: Any) -> Habits:
    return attrs.evolve(EXACT, types=types, **habits)


#: Brackets beside groups, and with an entry or a leg in one; orders that name any of their members.
MIXED = attrs.evolve(EXACT, brackets=0.35, families=0.2, oco=0.5, legs_oco=0.4)

FAMILIES: dict[str, Rules] = {
    "market orders": Rules(habits=kinds(MARKET), sees=frozenset({"filled", "in parts"})),
    "limit orders": Rules(habits=Habits(types=(LIMIT,))),
    "stop orders": Rules(habits=Habits(types=(STOP,))),
    "stop-limit orders": Rules(habits=Habits(types=(STOP_LIMIT,))),
    "orders for the close": Rules(habits=kinds(ON_CLOSE, ON_CLOSE, MARKET)),
    "trailing": Rules(habits=kinds(TRAIL, TRAIL_LIMIT)),
    "all kinds together": Rules(),
    "one cancels the other": Rules(habits=attrs.evolve(EXACT, oco=0.6)),
    "brackets": Rules(habits=kinds(MARKET, LIMIT, STOP, brackets=0.8, cancels=False)),
    "brackets that are canceled": Rules(habits=kinds(MARKET, LIMIT, TRAIL, brackets=0.6), count=10),
    "parents and children": Rules(habits=attrs.evolve(EXACT, families=0.6), count=10),
    "all ties together": Rules(habits=attrs.evolve(EXACT, families=0.3, oco=0.3), count=10),
    "brackets and groups": Rules(habits=MIXED, count=10),
    "brackets and groups, with little money": Rules(
        habits=MIXED, options={"cash": 1_500.0}, count=10, sees=frozenset({"filled", "canceled", "expired", "no money"})
    ),
    "brackets and groups, at the open": Rules(
        habits=attrs.evolve(MIXED, at_open=0.5), options={"markets": 2}, count=10
    ),
    "brackets and groups, through events": Rules(habits=MIXED, options={"cash": 3_000.0}, count=10, events=True),
    "validity": Rules(
        habits=attrs.evolve(EXACT, validity=("gtd", "gtd", "day", "day"), cancels=False, families=0.1),
        sees=frozenset({"filled", "expired", "in parts"}),
    ),
    "money": Rules(
        habits=attrs.evolve(EXACT, families=0.15, oco=0.1),
        options={"cash": 1_500.0},
        sees=frozenset({"filled", "no money", "rejected"}),
    ),
    "volume": Rules(habits=attrs.evolve(EXACT, families=0.1, oco=0.1), options={"volume_limit": 0.1}),
    "slippage": Rules(habits=EXACT, options={"percent_slippage": 0.004}),
    "slippage that leaves no price": Rules(
        habits=attrs.evolve(EXACT, oco=0.1),
        options={
            "fixed_slippage": 0.25,
            "percent_slippage": 0.0,
            "switches": {"slip_open": False, "slip_match": False, "slip_limit": False},
        },
    ),
    "a filler that looks at the range": Rules(
        habits=attrs.evolve(EXACT, families=0.1, oco=0.1),
        options={"volume_limit": None, "filler": ("range", EXACT_TICK, 0.5)},
    ),
    "fees": Rules(habits=EXACT, options={"percent_fee": 0.02, "unit_fee": 0.0, "cash": 5_000.0}),
    "at this close": Rules(
        habits=attrs.evolve(EXACT, types=(MARKET, *ALL_TYPES), families=0.1),
        options={"this_close": True, "cash": 3_000.0},
    ),
    "at the open": Rules(habits=attrs.evolve(EXACT, at_open=0.5, families=0.15, oco=0.15)),
    "at the open, brackets": Rules(habits=kinds(MARKET, LIMIT, TRAIL, at_open=0.5, brackets=0.6), count=10),
    "at the open, with little money": Rules(
        habits=attrs.evolve(EXACT, types=(MARKET, *ALL_TYPES), at_open=0.7, families=0.1),
        options={"cash": 1_500.0},
        sees=frozenset({"filled", "no money"}),
    ),
    "at the open, through days": Rules(
        habits=attrs.evolve(
            EXACT, types=(*ALL_TYPES, ON_CLOSE, ON_CLOSE), validity=("gtd", "day", "day"), at_open=0.6, cancels=False
        ),
        options={"every": "4h"},
        sees=frozenset({"filled", "expired", "in parts"}),
    ),
    "at the open, several instruments": Rules(
        habits=attrs.evolve(EXACT, at_open=0.6, families=0.15, oco=0.15),
        options={"markets": 3, "cash": 5_000.0},
        count=10,
    ),
    "at the open, through events": Rules(
        habits=attrs.evolve(EXACT, at_open=0.6, families=0.15, oco=0.15), options={"cash": 5_000.0}, events=True
    ),
    "daily bars": Rules(options={"daily": True}),
    "several instruments": Rules(
        habits=attrs.evolve(EXACT, families=0.15, oco=0.15), options={"markets": 3, "cash": 5_000.0}, count=10
    ),
    "through events": Rules(
        habits=attrs.evolve(EXACT, families=0.15, oco=0.15), options={"cash": 5_000.0}, events=True
    ),
}


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_of_rules(name, first):
    rules = FAMILIES[name]
    seen = Counter()
    for seed in range(first, first + CHUNK):
        try:
            seen += agree(rules.scenario(seed), events=rules.events)
        except AssertionError as error:
            raise AssertionError(f"{name}, seed {seed}: {error}") from None
    assert rules.sees <= set(seen)


FLAT = Bar(100.0, 101.0, 99.0, 100.0)
PRICES = (97.0, 98.0, 98.5, 99.0, 100.0, 101.0, 101.5, 102.0, 103.0)


@pytest.mark.parametrize("slippage", SLIPPAGES)
@pytest.mark.parametrize("close", [98.0, 99.0, 100.0, 101.0, 102.0])
def test_every_place_of_limit_and_stop_around_a_bar(close, slippage):
    """Two bars, and one order for each side and each way its prices can lie towards open, extremes and close."""
    asks = [Ask(buys, LIMIT, 1.0, limit=price) for buys in (True, False) for price in PRICES]
    asks += [Ask(buys, STOP, 1.0, stop=price) for buys in (True, False) for price in PRICES]
    asks += [
        Ask(buys, STOP_LIMIT, 1.0, limit=limit, stop=stop)
        for buys in (True, False)
        for limit in PRICES
        for stop in PRICES
    ]
    bars = [FLAT, Bar(100.0, 102.0, 98.0, close), Bar(99.5, 101.0, 98.5, 100.0)]
    agree(Scenario(bars=bars, script={0: asks}, **SLIPPAGES[slippage]))


@pytest.mark.parametrize("bar", [FLAT, Bar(400.0, 401.0, 399.0, 400.0)], ids=["calm", "gap"])
@pytest.mark.parametrize("buys", [True, False], ids=["buy", "sell"])
@pytest.mark.parametrize("prices", [(200.0, 50.0), (50.0, 200.0), (100.0, 100.0)], ids=["stop_above", "below", "same"])
def test_the_price_at_which_an_order_is_checked_for_funds(prices, buys, bar):
    stop, limit = prices
    for terms in ({"type": STOP_LIMIT, "stop": stop, "limit": limit}, {"type": STOP, "stop": stop}):
        asks = [Ask(buys=buys, size=60.0, **terms), Ask(buys=True, type=MARKET, size=30.0)]
        agree(Scenario(bars=[FLAT, bar, bar, FLAT], script={0: asks}, cash=10_000.0, percent_fee=0.001))


@pytest.mark.parametrize("volume", [10.0, 30.0, 50.0, 70.0, 100.0])
@pytest.mark.parametrize("size", [30.0, 50.0, 70.0])
@pytest.mark.parametrize("price", [150.0, 250.0, 400.0])
def test_closing_a_short_that_lost_more_than_there_is_cash(price, size, volume):
    """What closes always trades, part by part; what would open the other side must be paid."""
    bars = [FLAT, FLAT, *[Bar(price, price + 1.0, price - 1.0, price, volume * 2)] * 4]
    script = {0: [Ask(False, MARKET, 50.0)], 1: [Ask(True, STOP, size, stop=110.0)], 4: [Ask(False, MARKET, 20.0)]}
    agree(Scenario(bars=bars, script=script, cash=10_000.0, unit_fee=0.1, volume_limit=0.5))
