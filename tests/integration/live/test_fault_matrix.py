"""The fault matrix: every fault of the simulator in every phase of an order's life, at each market of Binance.

After each cell what the journal tells is held against what happened at the venue: no order is lost, doubled or
orphaned, none is unjournalled, every execution is there once, position and balances are equal to the last digit.
"""

from __future__ import annotations

import asyncio

import pytest
from matrix import LIST_PHASES, PHASES, cell, harms
from stage import PLACES

from cambist_simulator.faults.vocabulary import ACTIONS

#: Cells that are played at the same time: they wait more than they work.
AT_ONCE = 10
HARMS = harms()
NAMES = sorted({harm.action for harm in HARMS})


def chosen(number: int, harm, *, everything: bool):
    """Return the cells of a harm: all, or a share in which each meets its phases in turn, market by market."""
    for at, place in enumerate(PLACES):
        if place not in harm.places:
            continue
        phases = harm.phases
        if not everything:
            first = number + 3 * at
            picked = (first,) if place == "coinm" else (first, first + len(phases) // 2)
            phases = dict.fromkeys(phases[one % len(phases)] for one in picked)
        for phase in phases:
            yield place, phase


def cells(action: str, *, everything: bool):
    for number, harm in enumerate(HARMS):
        if harm.action == action:
            for place, phase in chosen(number, harm, everything=everything):
                yield place, harm, phase


async def played(wanted, folder) -> list[str]:
    """Play cells; return what went wrong."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def play(number, place, harm, phase) -> str:
        async with turns:
            try:
                fired = await cell(PLACES[place], harm, phase, folder / str(number))
            except Exception as error:  # noqa: BLE001 - the others are to be played, too
                return f"{place}, {harm.name}, {phase}: {type(error).__name__}: {error}"
            return "" if fired else f"{place}, {harm.name}, {phase}: the fault never struck"

    told = await asyncio.gather(*(play(number, *one) for number, one in enumerate(wanted)))
    return [one for one in told if one]


@pytest.mark.parametrize("action", NAMES)
def test_no_order_is_lost_doubled_or_orphaned(action, tmp_path, request):
    everything = request.config.getoption("--matrix") == "all"
    wanted = list(cells(action, everything=everything))
    assert wanted
    assert asyncio.run(played(wanted, tmp_path)) == []


#: What can happen to requests and streams, and to the venue under them; of spot, which alone has lists.
OF_LISTS = [
    harm
    for harm in HARMS
    if "spot" in harm.places and not harm.foreign and harm.kind in {"request", "frame", "connection", "opening"}
]


def test_no_list_is_lost_doubled_or_left_in_part(tmp_path, request):
    everything = request.config.getoption("--matrix") == "all"
    fills = {"wake", "leg"}
    cells = [
        ("spot", harm, phase)
        for phase in LIST_PHASES
        for harm in OF_LISTS
        if harm.action != "lost_fill" or phase in fills  # where there is one to lose
    ]
    # The share has every phase, each with other faults.
    assert asyncio.run(played(cells if everything else cells[::19], tmp_path)) == []


def test_the_matrix_has_every_fault_of_the_vocabulary_and_every_phase():
    assert set(NAMES) == set(ACTIONS)
    met = {(harm.action, phase) for name in NAMES for _, harm, phase in cells(name, everything=True)}
    whole = {harm.action for harm in HARMS if harm.phases == PHASES}
    assert met >= {(action, phase) for action in whole for phase in PHASES}
    some = [one for name in NAMES for one in cells(name, everything=False)]
    assert {phase for _, _, phase in some} == set(PHASES)
    assert {harm.name for _, harm, _ in some} == {harm.name for harm in HARMS}
