"""``rules="backtrader"`` does with orders what backtrader does: same fills, outcomes, cash and equity, bar by bar."""

from __future__ import annotations

from collections import Counter

import pytest
from differential_engines import differences, play_backtrader, play_cambist
from differential_scenarios import TYPES, Habits, Scenario, random_scenario

FEES = {"percent_fee": {"percent_fee": 0.001}, "unit_fee": {"unit_fee": 0.03}}
SLIPPAGES = {
    "no_slippage": {},
    "percent_slippage": {"percent_slippage": 0.0015},
    "fixed_slippage": {"fixed_slippage": 0.07},
}
VOLUMES = {"any_volume": {}, "tenth_of_volume": {"volume_limit": 0.1}}
SIDES = {"mostly_long": True, "mostly_short": False}


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


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("volume", VOLUMES)
@pytest.mark.parametrize("slippage", SLIPPAGES)
@pytest.mark.parametrize("fee", FEES)
@pytest.mark.parametrize("kind", TYPES)
def test_each_kind_of_order_fee_slippage_and_volume(kind, fee, slippage, volume, side):
    habits = Habits(types=(kind,), buys=SIDES[side])
    options = {**FEES[fee], **SLIPPAGES[slippage], **VOLUMES[volume]}
    seen = Counter()
    for seed in (1, 2):
        seen += agree(random_scenario(seed, habits, count=60, **options))
    assert seen["filled"] >= 10
    assert seen["in parts"] or not VOLUMES[volume]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("slippage", SLIPPAGES)
def test_orders_of_all_kinds_that_the_account_cannot_always_pay_for(slippage, seed):
    agree(random_scenario(seed, cash=1_500.0, percent_fee=0.001, **SLIPPAGES[slippage]))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("volume", [None, 0.1, 0.29])
def test_market_orders_at_the_close_at_which_they_were_sent(volume, seed):
    agree(random_scenario(seed, this_close=True, volume_limit=volume, percent_slippage=0.001, cash=3_000.0))


@pytest.mark.parametrize("seed", range(8))
def test_daily_bars(seed):
    agree(random_scenario(seed, daily=True, fixed_slippage=0.07))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("this_close", [False, True])
def test_one_queue_and_one_purse_for_several_instruments(this_close, seed):
    agree(random_scenario(seed, markets=3, cash=3_000.0, unit_fee=0.02, this_close=this_close))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("markets", [1, 2])
def test_the_path_through_events_agrees_as_well(markets, seed):
    options = {"percent_fee": 0.001, "percent_slippage": 0.001, "volume_limit": 0.1}
    agree(random_scenario(seed, markets=markets, cash=3_000.0, this_close=seed == 2, **options), events=True)


def test_the_scenarios_have_what_they_are_to_prove():
    """The others compare whatever happens; this holds that everything does happen."""
    seen = Counter()
    for seed in range(8):
        seen += agree(random_scenario(seed, cash=3_000.0, volume_limit=0.1))
    assert {"filled", "in parts", "canceled", "expired", "no money", "working"} <= set(seen)
