"""A run whose machine dies at each operation of its journal, through submit, fill and cancel, and starts again."""

from __future__ import annotations

import asyncio
import random

import pytest
from matrix import below, fill_half
from stage import PLACES, staged

from cambist.errors import CambistError
from cambist.storage.journal import JournalOptions
from cambist.testing.faults import CrashingFiles

AT_ONCE = 10
#: Every commit is a write of its own.
ALONE = JournalOptions(write_bytes=1)
#: How much of the write at which the machine dies gets to the disk.
PARTS = (0.0, 0.5, 1.0)


async def life(stage) -> None:
    """Buy, rest, trade in part, cancel, sell."""
    size = stage.place.size
    await stage.order(lambda s: s.buy(2 * size))
    price = float(below(stage, 0.02))
    order = await stage.order(lambda s: s.buy(size, limit=price))
    fill_half(stage, order)
    await stage.agreed()
    stage.cue(lambda s: s.cancel(order))
    await stage.agreed()
    await stage.order(lambda s: s.sell(size))


async def until_it_dies(stage, files) -> None:
    """Live until the machine is dead, or life is over."""
    try:
        await stage.start(files=files)
        await life(stage)
        await stage.end()
    except (CambistError, OSError):
        assert files.is_dead
    files.is_dead = True
    await stage.cut_off()


async def one_point(place, folder, at: int, part: float, chance) -> bool:
    """Die at an operation, start again, and compare; return whether it came to that."""
    async with staged(place, folder, options=ALONE) as stage:
        files = CrashingFiles(at, part)
        await until_it_dies(stage, files)
        died = files.operations >= at
        if died and chance.random() < 0.5:
            files.lose_power(chance)
        await stage.start()
        await stage.agreed()
        if stage.kernel.portfolio.positions[stage.place.symbol].size >= stage.place.size:
            await stage.order(lambda s: s.sell(stage.place.size))
        await stage.end()
        stage.compare()
        return died


async def operations(place, folder) -> int:
    """Return how many operations of the journal a whole life takes."""
    async with staged(place, folder, options=ALONE) as stage:
        files = CrashingFiles()
        await stage.start(files=files)
        await life(stage)
        await stage.end()
        stage.compare()
        return files.operations


async def every_point(place, folder, parts) -> list[str]:
    count = await operations(place, folder / "whole")
    assert count >= 36
    turns = asyncio.Semaphore(AT_ONCE)

    async def play(at, part) -> str:
        async with turns:
            try:
                await one_point(place, folder / f"{at} {part}", at, part, random.Random(at))
            except Exception as error:  # noqa: BLE001 - the others are to be played, too
                return f"operation {at}, {part:g} of it: {type(error).__name__}: {error}"
            return ""

    told = await asyncio.gather(
        *(play(at, part) for at in range(1, count + 1) for part in (parts or (PARTS[at % len(PARTS)],)))
    )
    return [one for one in told if one]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["spot", "usdm"])
def test_wherever_the_journal_is_cut_the_run_comes_back_equal_to_the_venue(place, tmp_path, request):
    parts = PARTS if request.config.getoption("--matrix") == "all" else ()
    assert asyncio.run(every_point(PLACES[place], tmp_path, parts)) == []
