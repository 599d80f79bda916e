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
    TYPES,
    Action,
    Ask,
    Cancel,
    Habits,
    Scenario,
    random_scenario,
)

SCENARIOS, CHUNK = 300, 60
FEES: list[dict[str, float]] = [{}, {"percent_fee": 0.001}, {"unit_fee": 0.03}]
PATIENT = Habits(validity=("gtc", "gtd"), reactions=False, patient=True)


def is_refused(action: Action, price: float) -> bool:
    """Tell whether the default rules refuse an order because the market has reached its stop already."""
    if not isinstance(action, Ask) or action.stop is None:
        return False
    return price >= action.stop if action.buys else price <= action.stop


def agree(scenario: Scenario, **options: object) -> int:
    """Play a scenario in both and return the number of fills, once nothing differs."""
    # What is sent at the last close is accepted at once by one and never by the other.
    script = {
        bar: [action for action in actions if not is_refused(action, scenario.bars[bar].close)]
        for bar, actions in scenario.script.items()
        if bar < len(scenario.bars) - 1
    }
    openings = {
        bar: [action for action in actions if not is_refused(action, scenario.bars[bar].open)]
        for bar, actions in scenario.openings.items()
        if bar < len(scenario.bars)
    }
    scenario = attrs.evolve(scenario, script=script, openings=openings)
    theirs = play_backtrader(scenario)
    found = differences(theirs, play_cambist(scenario, **options), dates=False)
    assert not found, "\n".join(found[:8])
    return len(theirs.fills)


@attrs.frozen(kw_only=True)
class Kept:
    """What both mean alike, and how scenarios of it are drawn; `rules` are options of the run, taken in turn."""

    types: tuple[str, ...] = (MARKET, LIMIT, STOP)
    habits: Habits = PATIENT
    options: dict[str, object] = attrs.field(factory=dict)
    rules: tuple[dict[str, object], ...] = ({},)

    def play(self, seed: int) -> int:
        habits = attrs.evolve(
            self.habits, types=(self.types[seed % len(self.types)],), buys=(True, False)[seed // 3 % 2]
        )
        options = FEES[seed // 2 % len(FEES)] | self.options
        return agree(random_scenario(seed, habits, count=20, **options), **self.rules[seed % len(self.rules)])


PATHS = ({"path": "nearer_first"}, {"path": "pessimistic"})
BEYOND = attrs.evolve(PATIENT, limit_beyond_stop=True)
KEPT = {
    "market, limit and stop orders": Kept(),
    "stop-limits that trade where they trigger": Kept(types=TYPES, habits=BEYOND, rules=PATHS),
    "percent slippage of market orders inside the bar": Kept(
        types=(MARKET,), options={"reach": 10, "percent_slippage": 0.0015}
    ),
    "fixed slippage of market orders inside the bar": Kept(
        types=(MARKET,), options={"reach": 10, "fixed_slippage": 0.07}
    ),
    "a share of the volume": Kept(
        types=(MARKET, LIMIT), habits=attrs.evolve(PATIENT, validity=()), options={"volume_limit": 0.1}
    ),
    "at the open": Kept(types=TYPES, habits=attrs.evolve(BEYOND, at_open=1.0)),
    "daily bars": Kept(types=TYPES, habits=BEYOND, options={"daily": True}),
}


@pytest.mark.parametrize("first", range(0, SCENARIOS, CHUNK))
@pytest.mark.parametrize("name", KEPT)
def test_what_both_mean_alike(name, first):
    fills = 0
    for seed in range(first, first + CHUNK):
        try:
            fills += KEPT[name].play(seed)
        except AssertionError as error:
            raise AssertionError(f"{name}, seed {seed}: {error}") from None
    assert fills >= 2 * CHUNK


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
