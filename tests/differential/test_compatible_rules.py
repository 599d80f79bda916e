"""``rules="backtrader"`` does with orders what backtrader does: same fills, outcomes, cash and equity, bar by bar."""

from __future__ import annotations

from collections import Counter

import pytest
from differential_engines import differences, play_backtrader, play_cambist
from differential_scenarios import (
    LIMIT,
    MARKET,
    STOP,
    STOP_LIMIT,
    TYPES,
    Ask,
    Bar,
    Habits,
    Scenario,
    random_scenario,
)

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
