"""Trades at random at an exchange, in a process of its own, until that is killed, or told to stop by SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import traceback

from stage import MINUTE, PLACES, QuickSession
from wild import Wild

from cambist.live import LiveRun, LiveSettings
from cambist.storage.journal import Journal
from cambist_binance.config import BinanceSettings

RUNNING = "running"


def trade(said, *given) -> None:
    """Trade; tell `said` once it does, and how it failed if it does.

    Parameters
    ----------
    given
        Place, URL, key and secret of the exchange, folder of the journal, and ``"quiet"`` to send no order.
    """
    try:
        asyncio.run(_trade(said, *given))
    except BaseException:
        said.send(traceback.format_exc())
        raise


async def _trade(said, name: str, url: str, key: str, secret: str, folder: str, *words: str) -> None:
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
            said.send(RUNNING)
        await task
