"""What is traded, and by which rules, is asked for again while a run goes on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from cambist.live import todays_rules
from cambist.live.todays_rules import TodaysRules
from cambist.model import Instrument

COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001")


def test_what_was_halted_for_a_moment_is_not_halted_here_until_the_next_look_would_be_due(monkeypatch):
    monkeypatch.setattr(todays_rules, "_HALTED", 0.001)
    monkeypatch.setattr(todays_rules, "_LEAST", 0.001)
    told, traded = [], asyncio.Event()

    class Venue:
        name = "acme"
        looks = 0

        async def reload(self):
            self.looks += 1

        def instruments(self):
            return [] if self.looks < 3 else [COIN]

    def lift(*_, scope):
        told.append(("lifted", scope))
        traded.set()

    async def play():
        holds = SimpleNamespace(hold=lambda *_, scope: told.append(("held", scope)), lift=lift)
        engine = SimpleNamespace(orders=SimpleNamespace(answers=SimpleNamespace()), redefine=lambda _today: False)
        rules = TodaysRules(Venue(), engine, holds, [COIN], 3_600.0, lambda *_: None)
        looking = asyncio.create_task(rules.keep_on())
        engine.orders.answers.refused("symbol_halted")  # an order that the venue refuses has the run look at once
        async with asyncio.timeout(30):
            await traded.wait()
        looking.cancel()

    asyncio.run(play())
    assert told == [("held", "symbol:BTC/USDT"), ("lifted", "symbol:BTC/USDT")]
