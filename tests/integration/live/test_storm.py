"""A storm: random faults and kills, one upon the other, while a strategy trades every kind of order.

``--storm SECONDS`` lasts longer, ``--storm-seed SEED`` begins with a seed that was printed. A seed decides which faults
come, when and where the run is cut off, and what the strategy wants; how requests and frames fall in between is the
machine's business.
"""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from matrix import arm, harms
from stage import PLACES, staged
from wild import Wild, WildLists

from cambist.errors import CambistError

#: One round of a long storm, seconds.
ROUND = 30.0
#: How many orders there are at the venue at least, as a share of what the strategy did: about half of its acts leave
#: one, and some of the faults refuse what comes for as long as they last.
ORDERS = 0.2
#: Before the name of a place where groups and trailing stops are left to the venue.
NATIVE = "native-"
#: What others do to the account is none of the run's. A clock that drifts would go on drifting under the next fault,
#: and another rule would keep the rest of the orders from being taken.
LASTING = ("clock_drift", "rule_change")
HARMS = [harm for harm in harms() if not harm.foreign and harm.action not in LASTING]


class Storm:
    """Faults and kills at one stage."""

    def __init__(self, stage, name: str, seed: int, *, native: bool) -> None:
        self.stage, self.chance = stage, random.Random(f"{name} {seed}")
        self.harms = [harm for harm in HARMS if name in harm.places]
        self.calm = type("Wild", (WildLists if native else Wild,), {})
        self.cuts = self.faults = 0

    def strategy(self):
        return self.calm(size=self.stage.place.size)

    async def blow(self, seconds: float) -> None:
        """Go on for a while, then let everything come to rest, and compare."""
        end = time.monotonic() + seconds
        await self.stage.start(self.strategy())
        while time.monotonic() < end:
            await asyncio.sleep(self.chance.uniform(0.05, 0.6))
            if self.stage.task.done():
                await self.stage.task
                raise AssertionError("the run ended by itself")
            harm = self.chance.choice(self.harms)
            arm(self.stage, harm, self.chance.choice(harm.phases))
            self.faults += 1
            if self.chance.random() < 0.15:
                await self.cut()
        await self.rest()

    async def cut(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, 0.1))
        await self.stage.cut_off()
        self.cuts += 1
        await self.stage.start(self.strategy())

    async def rest(self) -> None:
        self.stage.simulator.remove_fault()
        self.calm.quiet = True
        await self.stage.agreed()
        await self.stage.end()
        self.stage.compare()


async def storms(names, folder, seed: int, seconds: float) -> list[str]:
    """Let it storm at several places at the same time; return what went wrong."""

    async def one(name) -> str:
        place, native = name.removeprefix(NATIVE), name.startswith(NATIVE)
        left = {"audit_every": 2.5, "native_groups": native, "native_trails": native}
        try:
            async with staged(PLACES[place], folder / name, seed=seed % 1000, speed=60, **left) as stage:
                stage.venue |= {"max_clock_skew": 600.0}
                storm = Storm(stage, place, seed, native=native)
                await storm.blow(seconds)
                orders, acts = len(stage.simulator.orders()), stage.kernel.seats[0].strategy.acts
                # How often it acts is the machine's business; that it goes on, and that orders come of it, is not.
                assert acts > storm.faults, f"the strategy acted {acts} times, less than {storm.faults} faults came"
                assert orders > acts * ORDERS, f"of {acts} acts there came {orders} orders"
                listed = len({order.list_id for order in stage.simulator.orders()} - {-1})
                assert bool(listed) == native, f"the venue worked {listed} lists"
        except (AssertionError, CambistError, TimeoutError) as error:
            return f"{name}: {type(error).__name__}: {error}"
        else:
            did = f"{acts} acts, {orders} orders, {listed} lists"
            print(f"{name}, seed {seed}: {did}, {storm.faults} faults, {storm.cuts} cuts")
            return ""

    return [told for told in await asyncio.gather(*(one(name) for name in names)) if told]


@pytest.mark.slow
@pytest.mark.parametrize("names", [("spot", "usdm", "coinm"), ("native-spot",)], ids="-".join)
def test_no_order_is_lost_in_a_storm(names, tmp_path, request):
    left = request.config.getoption("--storm")
    seed = request.config.getoption("--storm-seed")
    seed = 20_260_101 if seed is None else seed
    while left > 0:
        told = asyncio.run(storms(names, tmp_path / str(seed), seed, min(left, ROUND)))
        assert told == [], f"again with --storm-seed {seed}"
        left, seed = left - ROUND, seed + 1
