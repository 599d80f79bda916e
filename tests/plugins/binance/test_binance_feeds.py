"""What feeds make of frames that come twice, late, or not at all."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from payloads import BTC, MS

from cambist.api import BarReport, StreamReport, VenueError
from cambist.model import Bars, Quote, Tick, Timeframe
from cambist_binance.feeds import BarFeed, MarkFeed, QuoteFeed, TickFeed
from cambist_binance.streams import Shard
from cambist_ccxt.channel import Channel
from cambist_ccxt.link import Connection, LinkSettings

MINUTE = Timeframe.parse("1m")
START = 1_700_000_040_000


def frame(**event):
    return msgspec.Raw(json.dumps(event).encode())


def trade(number):
    return frame(t=number, p="100.5", q="2", T=START + number, m=False)


def kline(minute, close="2", *, final):
    k = {"t": START + minute * 60_000, "o": "1", "h": "3", "l": "1", "c": close, "v": "5", "x": final}
    return frame(k=k)


def taken(channel):
    return asyncio.run(all_of(channel))


def numbers(told):
    """Minutes of bars, with whether they are final; states of streams."""
    return [
        ((one.bar.ts // MS - START) // 60_000, one.final) if isinstance(one, BarReport) else one.state for one in told
    ]


def test_trades_of_two_connections_are_told_once_and_gaps_are_told():
    out = Channel()
    feed = TickFeed("btcusdt@trade", out, BTC)
    for number in (7, 8, 8, 7, 9, 12):
        feed.take(trade(number))
    told = taken(out)
    assert [one.ts // MS - START if isinstance(one, Tick) else one.text for one in told] == [
        7,
        8,
        9,
        "2 trades are missing before 12",
        12,
    ]


def test_a_venue_that_counts_anew_after_it_was_away_is_followed():
    out = Channel()
    feed = TickFeed("btcusdt@trade", out, BTC)
    feed.take(trade(100))
    feed.lost()
    for number in (1, 2):
        feed.take(trade(number))
    assert [one.ts // MS - START for one in taken(out)] == [100, 1, 2]


def test_mark_prices_are_told_with_the_venues_time():
    out = Channel()
    feed = MarkFeed("btcusdt@markPrice", out, BTC)
    for price in ("100.00000000", "101.25000000"):
        feed.take(frame(e="markPriceUpdate", E=START, s="BTCUSDT", p=price, i="100.00000000", r="0.00010000", T=START))
    told = [(one.ts // MS, one.symbol, one.price) for one in taken(out)]
    assert told == [(START, BTC.symbol, 100.0), (START, BTC.symbol, 101.25)]


async def all_of(channel):
    channel.close()
    return [one async for one in channel]


def test_a_slow_reader_gets_the_newest_quotes_and_every_trade_up_to_a_limit():
    out = Channel(9_000)
    quotes = [QuoteFeed(f"{name}@bookTicker", out, BTC, lambda: 5) for name in ("a", "b")]
    trades = TickFeed("a@trade", out, BTC)
    for number in range(1, 6_001):
        for feed in quotes:
            feed.take(frame(u=number, b="1", B=str(number), a="3", A="4"))
        trades.take(trade(number))
    assert out.replaced > 2_000
    told = asyncio.run(all_of(out))
    sizes = [one.bid_size for one in told if isinstance(one, Quote)]
    assert sizes[-2:] == [6_000.0, 6_000.0]
    assert sizes == sorted(sizes)
    seen = [one.ts // MS - START for one in told if isinstance(one, Tick)]
    assert seen == list(range(1, 6_001))
    assert not [one for one in told if isinstance(one, StreamReport)]


def test_trades_beyond_the_limit_are_told_as_one_gap():
    out = Channel(100)
    trades = TickFeed("a@trade", out, BTC)
    for number in range(1, 151):
        trades.take(trade(number))
    told = taken(out)
    assert [type(one) for one in told] == [Tick] * 100 + [StreamReport]
    assert (told[-1].state, out.metrics()["dropped"]) == ("gap", 50)


def history(*minutes):
    """Fetch bars of these minutes, after a while."""
    asked = []

    async def fetch(instrument, timeframe, start, end):
        asked.append(((start // MS - START) // 60_000, (end // MS - START) // 60_000))
        await asyncio.sleep(0.01)
        if not minutes:
            raise VenueError("none", code="no_bars")
        columns = [np.array([value] * len(minutes)) for value in (1.0, 3.0, 1.0, 2.0, 5.0)]
        return Bars(instrument, timeframe, np.array([START + minute * 60_000 for minute in minutes]) * MS, *columns)

    fetch.asked = asked
    return fetch


def bars(fetch, *frames):
    async def run():
        out = Channel()
        feed = BarFeed("btcusdt@kline_1m", out, BTC, MINUTE, fetch)
        for one in frames:
            feed.take(one)
        await asyncio.sleep(0.05)
        return numbers(await all_of(out))

    return asyncio.run(run())


def test_a_final_bar_is_told_once_and_what_comes_later_of_it_is_left_out():
    frames = [kline(0, final=False), kline(0, final=True), kline(0, final=True), kline(0, final=False)]
    assert bars(history(), *frames, kline(1, final=False)) == [(0, False), (0, True), (1, False)]


def test_a_final_bar_that_comes_again_with_other_numbers_is_told():
    frames = [kline(0, final=True), kline(1, final=True), kline(0, "2.5", final=True), kline(0, "2.5", final=True)]
    assert bars(history(), *frames, kline(1, final=True)) == [(0, True), (1, True), (0, True)]


def test_bars_that_are_missing_are_fetched_before_those_that_came_meanwhile():
    fetch = history(1, 2)
    frames = [kline(0, final=True), kline(3, final=False), kline(3, final=True), kline(4, final=True)]
    assert bars(fetch, *frames) == [(0, True), (1, True), (2, True), (3, True), (4, True)]
    assert fetch.asked == [(1, 3)]


def test_a_bar_whose_end_was_missed_is_proven_by_what_the_venue_tells_of_it():
    fetch = history(0)
    assert bars(fetch, kline(0, "2", final=False), kline(1, final=False), kline(1, final=True)) == [
        (0, False),
        (0, True),
        (1, True),
    ]
    assert fetch.asked == [(0, 1)]


@pytest.mark.parametrize(
    ("code", "states"), [("no_bars", []), ("", ["gap"])], ids=["the venue has none", "nobody answers"]
)
def test_bars_that_cannot_be_fetched(code, states):
    async def fetch(*_):
        raise VenueError("not there", code=code)

    told = bars(fetch, kline(0, final=True), kline(5, final=True))
    assert told == [(0, True), *states, (5, True)]


def test_many_silent_subscriptions_are_asked_for_anew_in_few_messages():
    sent = []

    async def play():
        out = Channel()
        feeds = [TickFeed(f"s{number}@trade", out, BTC) for number in range(120)]
        shard = Shard("test", "ws://nowhere", feeds, LinkSettings(), 0.01)
        venue = Connection(None, 0.0, 0.0, ready=True)

        async def send(data, text):
            asked = msgspec.json.decode(data)
            sent.append((asked["method"], len(asked["params"])))
            answer = msgspec.json.encode({"result": None, "id": asked["id"]})
            asyncio.get_running_loop().call_soon(shard.frame, venue, answer)

        venue.socket = SimpleNamespace(send=send)
        shard.link._current = venue
        now = asyncio.get_running_loop().time()
        for feed in feeds:
            feed.last_at = now - 10.0
        for _ in range(3):
            shard.watch(8.0)
        async with asyncio.timeout(30):
            while len(sent) < 6:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        return await all_of(out)

    told = asyncio.run(play())
    assert sent == [(method, size) for size in (50, 50, 20) for method in ("UNSUBSCRIBE", "SUBSCRIBE")]
    assert [one.state for one in told] == ["stale"] * 120
