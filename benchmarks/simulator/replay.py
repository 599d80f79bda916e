"""How long the recorded book takes when nobody waits for a clock."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.dialects.binance import BinanceDialect
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Listing, Segment
from cambist_simulator.market.hand import Hand
from cambist_simulator.market.l2 import RawBookReplay
from cambist_simulator.market.markets import Markets
from cambist_simulator.server.wire import Limits

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RECORDED", "replay_seconds"]

#: In the folder of recorded data.
RECORDED = "ticks/binance_spot_BTCUSDT_2024-08-08_raw_l2.jsonl.gz"
STREAMS = "btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"


class Counter:
    """A connection whose frames go nowhere; the server's part of the work is measured by the counter of frames."""

    id, ip, headers, opened_at = 1, "127.0.0.1", {}, 0
    path, query = "/stream", f"streams={STREAMS}"
    user = label = ""

    def __init__(self) -> None:
        self.frames = 0
        self.limits = Limits()

    def send(self, *_: Any, **__: Any) -> None:
        self.frames += 1

    send_frame = send

    def close(self, code: int = 1000, reason: str = "") -> None:
        raise AssertionError(code, reason)

    def reset(self) -> None:
        raise AssertionError


def replay_seconds(path: Path, *, listening: bool) -> float:
    """Return the CPU time that the whole file takes, s, from opening it to the last event."""
    clock = VenueClock(Clock(speed=0.0), Clock(speed=0.0))
    listing = Listing(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick_size=Decimal("0.01"),
        step_size=Decimal("0.00001"),
    )
    exchange = Exchange("binance-spot", Segment.SPOT, clock, listings=[listing])
    markets = Markets(clock, [exchange])
    counter = Counter()
    if listening:
        dialect = BinanceDialect(
            [(exchange, lambda symbol: markets.data(exchange.name, symbol))], exchange.users, clock
        )
        session: Any = dialect.connect(counter)
        assert hasattr(session, "received"), session
    began = time.process_time()
    markets.add(RawBookReplay(Hand(exchange, "BTCUSDT"), path))
    markets.begin()
    while markets.step() is not None:
        pass
    took = time.process_time() - began
    assert exchange.book("BTCUSDT").trades > 9_000
    assert not listening or counter.frames > 30_000
    return took
