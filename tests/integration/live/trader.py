"""A process that trades at random at an exchange elsewhere, until it is killed, or told to stop by SIGTERM.

``python trader.py PLACE URL KEY SECRET JOURNAL [quiet]``; prints ``running`` once it trades.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from stage import MINUTE, PLACES, QuickSession
from wild import Wild

from cambist.live import LiveRun, LiveSettings
from cambist.storage.journal import Journal
from cambist_binance.config import BinanceSettings


async def main(name: str, url: str, key: str, secret: str, folder: str, *words: str) -> None:
    place = PLACES[name]
    # It is started far more often than a venue's limits are made for.
    settings = BinanceSettings(url=url, key=key, secret=secret, timeout=5.0, shared_limits=False)
    session = QuickSession(place.market, settings)
    strategy = type("Wild", (Wild,), {"quiet": "quiet" in words})(size=place.size, every=15_000_000)
    behavior = LiveSettings(currency=place.currency, audit_every=2.0, drain_within=60.0)
    with Journal(folder) as journal:
        run = LiveRun([strategy], [(place.symbol, MINUTE)], session, journal, behavior)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, run.stop, "told to")
        task = asyncio.create_task(run.run())
        while run.phase != "run" and not task.done():  # noqa: ASYNC110 - the run tells nobody
            await asyncio.sleep(0.005)
        if not task.done():
            print("running", flush=True)
        await task


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
