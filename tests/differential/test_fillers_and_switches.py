"""``rules="backtrader"`` with the fillers and the slippage switches of backtrader's broker: the same fills."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from differential_engines import differences, play_backtrader, play_cambist
from differential_scenarios import LIMIT, STOP, STOP_LIMIT, TYPES, Ask, Bar, Habits, Scenario, random_scenario

FILLERS = {
    "fixed": ("fixed", 2.5),
    "range": ("range", 0.05, 0.5),
    "range_of_one_price": ("range", 100.0, 0.1),
    "range_of_thirds": ("range", 0.03, 0.29),
    "function": ("function", 12.0),
}
SWITCHES = [
    dict(zip(("slip_open", "slip_match", "slip_limit", "slip_out"), values, strict=True))
    for values in product((True, False), repeat=4)
]


def agree(scenario: Scenario, **options: object) -> Counter[str]:
    """Play a scenario in both and return how its orders ended, once nothing differs."""
    theirs = play_backtrader(scenario)
    found = differences(theirs, play_cambist(scenario, rules="backtrader", **options))
    assert not found, "\n".join(found[:8])
    filled = Counter(done.order for done in theirs.fills)
    return Counter(
        [*(outcome for outcome, _ in theirs.outcomes.values()), *("in parts" for one in filled.values() if one > 1)]
    )


@pytest.mark.parametrize("side", [True, False], ids=["mostly_long", "mostly_short"])
@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("kind", TYPES)
def test_each_filler_with_each_kind_of_order(kind, filler, side):
    seen = Counter()
    for seed in (1, 2):
        habits = Habits(types=(kind,), buys=side)
        seen += agree(random_scenario(seed, habits, count=60, filler=FILLERS[filler], percent_fee=0.001))
    assert seen["filled"] >= 3
    assert seen["in parts"]


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("seed", range(2))
def test_fillers_with_little_cash_and_slippage_and_through_events(seed, filler):
    scenario = random_scenario(seed, cash=1_500.0, filler=FILLERS[filler], fixed_slippage=0.07, unit_fee=0.02)
    agree(scenario)
    agree(scenario, events=True)


@pytest.mark.parametrize("slippage", [{"percent_slippage": 0.0015}, {"fixed_slippage": 0.07}], ids=["percent", "fixed"])
@pytest.mark.parametrize("switches", SWITCHES, ids=lambda one: "".join("01"[on] for on in one.values()))
def test_all_switches_with_all_kinds_of_orders(switches, slippage):
    seen = Counter()
    for seed in (1, 2):
        seen += agree(random_scenario(seed, switches=switches, volume_limit=0.3, **slippage))
    assert seen["filled"] >= 10


FLAT = Bar(100.0, 101.0, 99.0, 100.0)
PRICES = (97.0, 98.0, 98.5, 99.0, 100.0, 101.0, 101.5, 102.0, 103.0)


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda one: "".join("01"[on] for on in one.values()))
def test_every_place_of_limit_and_stop_around_a_bar(switches):
    asks = [Ask(buys, LIMIT, 1.0, limit=price) for buys in (True, False) for price in PRICES]
    asks += [Ask(buys, STOP, 1.0, stop=price) for buys in (True, False) for price in PRICES]
    asks += [Ask(buys, STOP_LIMIT, 1.0, limit=a, stop=b) for buys in (True, False) for a in PRICES for b in PRICES]
    for close, slippage in ((99.0, {"fixed_slippage": 0.6}), (101.0, {"percent_slippage": 0.015})):
        bars = [FLAT, Bar(100.0, 102.0, 98.0, close), Bar(99.5, 101.0, 98.5, 100.0)]
        agree(Scenario(bars=bars, script={0: asks}, switches=switches, **slippage))
