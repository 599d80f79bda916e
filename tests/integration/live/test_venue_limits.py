"""A run at a futures venue that counts what it is asked: it asks for little, and waits where there is no room."""

from __future__ import annotations

import asyncio

import pytest
from matrix import below
from stage import COINM, USDM, staged

SECOND = 10**9
MINUTE = 60 * SECOND


def until_minute(simulator, left: float) -> None:
    """Shift the venue's clock to where its next minute has so many seconds left."""
    now = simulator.time()["server"]
    simulator.shift(f"{(2 * MINUTE - now % MINUTE) / SECOND - left:.3f}s")


def used(stage) -> int:
    """Return what the venue says is used up of this minute."""
    return stage.run.session.metrics()["budget"]["weight-1m"]["used"]


# The venue allows 2400 in a minute, and a run leaves 30 % of it to orders and cancels: starts that weighed more than
# these would lock themselves out when a supervisor tries again and again, and audits a run that many orders trade.
@pytest.mark.parametrize(("place", "start", "audit"), [(USDM, 60, 16), (COINM, 60, 16)], ids=["usdm", "coinm"])
def test_starts_and_audits_ask_for_little(place, start, audit, tmp_path):
    async def script():
        async with staged(place, tmp_path, audit_every=600.0) as stage:
            stage.venue |= {"max_clock_skew": 600.0}
            await stage.start()
            for number in range(6):
                price = float(below(stage, 0.02 + 0.002 * number))
                await stage.order(lambda s, price=price: s.buy(place.size, limit=price))
            await stage.cut_off()
            until_minute(stage.simulator, 59.0)
            await stage.start()
            await stage.agreed()
            began = used(stage)
            assert began <= start
            await stage.run.account.catch_up()
            assert 0 < used(stage) - began <= audit
            assert len(stage.run.kernel.book.open) == 6
            await stage.end()
            stage.compare()

    asyncio.run(script())


def test_a_start_that_finds_the_minute_used_up_waits_for_the_next(tmp_path, caplog):
    async def script():
        async with staged(USDM, tmp_path) as stage:
            stage.venue |= {"max_clock_skew": 600.0}
            await stage.start()
            await stage.cut_off()
            until_minute(stage.simulator, 2.0)
            stage.simulator.call(lambda venue: [one.apply("use_up_weight", {}) for one in venue.server.dialects])
            minute = stage.simulator.time()["server"] // MINUTE
            await stage.start()
            assert stage.starts == 2, "it failed, and was started again"
            assert stage.simulator.time()["server"] // MINUTE > minute
            await stage.order(lambda s: s.buy(USDM.size))
            await stage.end()
            stage.compare()

    asyncio.run(script())
    assert "is waited for" in caplog.text
