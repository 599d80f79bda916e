"""Where the default rules mean to agree with backtrader, they do: one order at a time, and nothing left to a guess.

How they differ otherwise is in ``docs/explanation/differences-from-backtrader.md``.
"""

from __future__ import annotations

import attrs
import pytest
from differential_engines import differences, play_backtrader, play_cambist
from differential_scenarios import (
    LIMIT,
    MARKET,
    STOP,
    STOP_LIMIT,
    Action,
    Ask,
    Cancel,
    Habits,
    Scenario,
    random_scenario,
)

FEES = {"percent_fee": {"percent_fee": 0.001}, "unit_fee": {"unit_fee": 0.03}}
PATIENT = Habits(validity=("gtc", "gtd"), reactions=False, patient=True)


def is_refused(action: Action, close: float) -> bool:
    """Tell whether the default rules refuse an order because the market has reached its stop already."""
    if not isinstance(action, Ask) or action.stop is None:
        return False
    return close >= action.stop if action.buys else close <= action.stop


def agree(scenario: Scenario, **options: object) -> int:
    """Play a scenario in both and return the number of fills, once nothing differs."""
    # What is sent at the last close is accepted at once by one and never by the other.
    script = {
        bar: [action for action in actions if not is_refused(action, scenario.bars[bar].close)]
        for bar, actions in scenario.script.items()
        if bar < len(scenario.bars) - 1
    }
    scenario = attrs.evolve(scenario, script=script)
    theirs = play_backtrader(scenario)
    found = differences(theirs, play_cambist(scenario, **options), dates=False)
    assert not found, "\n".join(found[:8])
    return len(theirs.fills)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("buys", [True, False], ids=["mostly_long", "mostly_short"])
@pytest.mark.parametrize("fee", FEES)
@pytest.mark.parametrize("kind", [MARKET, LIMIT, STOP])
def test_market_limit_and_stop_orders(kind, fee, buys, seed):
    habits = attrs.evolve(PATIENT, types=(kind,), buys=buys)
    assert agree(random_scenario(seed, habits, **FEES[fee])) >= 5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("path", ["nearer_first", "pessimistic"])
def test_all_kinds_with_stop_limits_that_trade_where_they_trigger(path, seed):
    habits = attrs.evolve(PATIENT, limit_beyond_stop=True)
    assert agree(random_scenario(seed, habits), path=path) >= 5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slippage", [{"percent_slippage": 0.0015}, {"fixed_slippage": 0.07}], ids=["percent", "fixed"])
def test_market_orders_slip_alike_inside_the_bar(slippage, seed):
    habits = attrs.evolve(PATIENT, types=(MARKET,))
    assert agree(random_scenario(seed, habits, reach=10, **slippage)) >= 20


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [MARKET, LIMIT])
def test_a_share_of_the_volume(kind, seed):
    habits = attrs.evolve(PATIENT, types=(kind,), validity=())
    assert agree(random_scenario(seed, habits, volume_limit=0.1)) >= 10


@pytest.mark.parametrize("seed", range(2))
def test_daily_bars(seed):
    assert agree(random_scenario(seed, attrs.evolve(PATIENT, limit_beyond_stop=True), daily=True)) >= 5


@pytest.mark.parametrize("rules", ["cambist", "backtrader"])
@pytest.mark.parametrize("seed", range(2))
def test_a_quote_that_is_withdrawn_and_replaced_at_every_close(seed, rules):
    """The order of the bar before is canceled, whether it traded or not, and a new one is sent."""
    bars = random_scenario(seed, count=300).bars
    script: dict[int, list[Ask | Cancel]] = {}
    for number, bar in enumerate(bars):
        buys = number % 2 == 0
        kind, distance = (LIMIT, -0.2 if buys else 0.2) if number % 3 else (STOP, 0.2 if buys else -0.2)
        price = round(bar.close + distance, 2)
        terms = {"limit": price} if kind == LIMIT else {"stop": price}
        script[number] = [Cancel(), Ask(buys, kind, 2.0, **terms)]
    assert agree(Scenario(bars=bars, script=script, percent_fee=0.001), rules=rules) >= 50


def test_a_stop_limit_that_a_gap_triggers():
    """Once triggered by the open it is a limit order in both: here it waits for its price inside the bar."""
    flat = random_scenario(0, count=1).bars[0]
    flat = attrs.evolve(flat, open=100.0, high=101.0, low=99.0, close=100.0)
    gap = attrs.evolve(flat, open=105.0, high=106.0, low=102.0, close=104.0)
    scenario = Scenario(bars=[flat, gap, gap], script={0: [Ask(True, STOP_LIMIT, 1.0, limit=103.0, stop=102.0)]})
    assert agree(scenario) == 1
