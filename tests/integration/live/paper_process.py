"""A paper run as a process that somebody kills; it goes on where the market is by then."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from paper_runs import PaperRun, walk
from recorded_market import RecordedMarket

import cambist.live.run
from cambist import Strategy
from cambist.simulation import FeeInKind


class Busy(Strategy):
    """Keeps a bracket at work and a bid below it."""

    def on_bar(self, bar):
        if not self.position.size and not self.open_orders:
            self.buy_bracket(1.0, take_profit=round(bar.close * 1.01, 2), stop_loss=round(bar.close * 0.99, 2))


async def main(folder: Path, in_kind: bool) -> None:
    bars = walk(160, seed=4)
    row = folder / "row"
    market = RecordedMarket(bars)
    market.first = int(row.read_text()) if row.exists() else 0
    market.shown_until = int(bars.ts[min(market.first, len(bars) - 1)])
    row.write_text(str(market.first))
    began = time.monotonic_ns()

    class MarketClock:
        """The time of the market, which goes faster than the machine's."""

        def __init__(self, not_before: int = 0) -> None:
            self._least = not_before

        def __call__(self) -> int:
            # It goes on by itself, too: what waits for time to pass would else wait for ever at the end of the market.
            self._least = max(self._least, market.shown_until + 10**9 + time.monotonic_ns() - began)
            return self._least

    cambist.live.run.MonotoneClock = MarketClock
    paper = PaperRun(folder / "journal", [Busy()], market, fees=FeeInKind(0.001) if in_kind else None)

    def note(number: int) -> None:
        row.with_suffix(".new").write_text(str(number))
        row.with_suffix(".new").replace(row)

    market.on_bar = note
    await paper.start()
    print("running", flush=True)
    await paper.calm()
    balances = {one.asset: str(one.total) for one in (await paper.session.account()).balances}
    await paper.end()
    (folder / "done.json").write_text(json.dumps({"alarms": paper.alarms, "balances": balances}))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2] == "kind"))
