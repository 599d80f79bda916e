"""Instruments held as others: ``rules="backtrader"`` does what ``data.compensate`` does there, bar by bar."""

from __future__ import annotations

from collections import Counter
from itertools import product

import attrs
import pytest
from differential_engines import Report, backtrader_engine, differences, play_cambist
from differential_scenarios import ALL_TYPES, EXACT_TICK, Habits, Scenario, random_scenario

# Market -> the market whose position it changes; "M0" is what the other engine calls the first.
SCHEMES = ({0: 1}, {1: 0}, {0: 2, 1: 2}, {2: 0})
COSTS = ({}, {"percent_fee": 0.001}, {"unit_fee": 0.03, "volume_limit": 0.2}, {"cash": 4_000.0}, {"this_close": True})
EXACT = Habits(types=ALL_TYPES, tick=EXACT_TICK, oco=0.1, families=0.1)


def play_backtrader(scenario: Scenario, scheme: dict[int, int]) -> Report:
    report = Report()
    engine = backtrader_engine(scenario, report)
    for one, other in scheme.items():
        engine.datas[one].compensate(engine.datas[other])
    engine.run()
    return report


def play_ours(scenario: Scenario, scheme: dict[int, int], **options) -> Report:
    return play_cambist(scenario, compensates={f"M{one}": f"M{other}" for one, other in scheme.items()}, **options)


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_compensated_orders_do_what_they_do_in_backtrader(first):
    seen = Counter()
    for seed in range(first, first + 50):
        scheme, costs = list(product(SCHEMES, COSTS))[seed % 20]
        habits = attrs.evolve(EXACT, buys=(None, True, False)[seed % 3])
        scenario = random_scenario(seed, habits, count=12, markets=3, **costs)
        theirs = play_backtrader(scenario, scheme)
        found = differences(theirs, play_ours(scenario, scheme, rules="backtrader", events=seed % 2 == 0))
        assert not found, "\n".join([f"seed {seed}, {scheme}, {costs}", *found[:8]])
        seen += Counter(stands for stands, _ in theirs.outcomes.values())
        seen["differs from none"] += bool(differences(theirs, play_cambist(scenario, rules="backtrader")))
    assert {"filled", "canceled", "expired"} <= set(seen)
    assert seen["differs from none"] > 10
