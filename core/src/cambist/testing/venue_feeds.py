"""What a live venue has to tell of its market."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cambist.errors import VenueError
from cambist.model.books import BookUpdate
from cambist.model.market import Quote, Tick
from cambist.model.timeframe import Timeframe
from cambist.ports.venue import BarReport, StreamReport, Subscription
from cambist.testing.venue_desk import VenueTests

if TYPE_CHECKING:
    from cambist.testing.venue_desk import Desk

__all__ = ["FeedTests"]

_MINUTE = Timeframe.parse("1m")


class FeedTests(VenueTests):
    """Tests of the market data of a `VenueSession`, with or without an account: history and streams."""

    prefix = "FED"

    def test_history_is_final(self) -> None:
        """Bars of the time that was asked for, none twice, none that is not over."""

        async def test(desk: Desk) -> None:
            async for one in desk.session.market([Subscription(desk.instrument, "bars", _MINUTE)]):
                if isinstance(one, BarReport):
                    now = one.bar.ts
                    break
            start = now - 5 * _MINUTE.ns
            bars = await desk.session.history(desk.instrument, _MINUTE, start, now + 10 * _MINUTE.ns)
            opens = bars.ts.tolist()
            assert opens == sorted(set(opens))
            assert opens[0] >= start
            assert opens[-1] <= now
            assert all(ts % _MINUTE.ns == 0 for ts in opens)
            with pytest.raises(VenueError):
                await desk.session.history(desk.instrument, _MINUTE, now + 1000 * _MINUTE.ns, now + 1001 * _MINUTE.ns)

        self.at_work(test)

    def test_the_market_is_heard(self) -> None:
        """Quotes that are not crossed, trades, bars, and a book that begins with a snapshot and is never crossed."""

        async def test(desk: Desk) -> None:
            kinds = [Subscription(desk.instrument, kind) for kind in ("quotes", "ticks", "book")]
            subscriptions = [*kinds, Subscription(desk.instrument, "bars", _MINUTE)]
            missing = {Quote, Tick, BookUpdate, BarReport}
            up: set[str] = set()
            sides: dict[int, dict[float, float]] = {}
            async with asyncio.timeout(2 * self.within):
                async for one in desk.session.market(subscriptions):
                    missing.discard(type(one))
                    if isinstance(one, StreamReport):
                        up.add(one.stream)
                    elif isinstance(one, Quote):
                        assert one.bid < one.ask
                    elif isinstance(one, BookUpdate):
                        assert one.is_snapshot or sides, "a book begins with a snapshot"
                        _fold(sides, one)
                        assert max(sides[1]) < min(sides[-1])
                    if not missing:
                        break
            assert len(up) >= len(subscriptions)

        self.at_work(test)


def _fold(sides: dict[int, dict[float, float]], update: BookUpdate) -> None:
    if update.is_snapshot:
        sides.clear()
        sides.update({1: {}, -1: {}})
    for side, price, size in update.levels:
        if size:
            sides[side][price] = size
        else:
            sides[side].pop(price, None)
