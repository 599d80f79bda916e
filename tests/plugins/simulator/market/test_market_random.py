"""A random market follows from its seed, and its book is one."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from cambist.api import ParameterError
from cambist.model import OrderType, Side
from cambist_simulator.exchange.events import BookChanged
from cambist_simulator.exchange.orders import OrderTerms, Status
from cambist_simulator.market.random_market import RandomMarket, RandomShape


def played(venue, seed, *, moves=400, symbols=("BTCUSDT",), **shape):
    for symbol in symbols:
        market = RandomMarket(
            venue.hand(symbol), venue.data(symbol), price=Decimal(60_000), seed=seed, shape=RandomShape(**shape)
        )
        venue.markets.add(market)
    venue.markets.begin(start=1_704_067_200_000_000_000)
    venue.run(moves)
    return [msgspec.json.encode(one) for one in venue.events]


def test_the_same_seed_gives_the_same_bytes(make_venue):
    first = played(make_venue(), 7)
    assert first == played(make_venue(), 7)
    assert first != played(make_venue(), 8)


def test_symbols_do_not_go_the_same_way(make_venue):
    venue = make_venue("BTCUSDT", "ETHUSDT")
    played(venue, 7, symbols=("BTCUSDT", "ETHUSDT"))
    ways = {
        symbol: [(one.price, one.size) for one in venue.trades if one.symbol == symbol]
        for symbol in ("BTCUSDT", "ETHUSDT")
    }
    assert ways["BTCUSDT"][:20] != ways["ETHUSDT"][:20]


def test_a_copy_kept_from_the_changes_is_the_book(make_venue):
    venue = make_venue()
    played(venue, 3, moves=1_500)
    sides = {"bids": {}, "asks": {}}
    last = 0
    for event in venue.events:
        if type(event) is not BookChanged:
            continue
        assert event.first_id == last + 1
        assert event.previous_id == last
        last = event.last_id
        for name, levels in sides.items():
            for price, size in getattr(event, name):
                assert size >= 0
                levels[price] = size
                if not size:
                    del levels[price]
        assert max(sides["bids"], default=0) < min(sides["asks"], default=10**9)
    depth = venue.exchange.book("BTCUSDT").depth()
    assert depth.update_id == last
    assert dict(depth.bids) == sides["bids"]
    assert dict(depth.asks) == sides["asks"]
    assert len(depth.bids) >= 20


def test_others_trade_with_users_orders_and_users_with_theirs(make_venue):
    venue = make_venue()
    user = venue.user()
    played(venue, 5, moves=50)
    taken = venue.exchange.place(
        user, OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, size=Decimal("0.5"))
    )
    assert taken.status is Status.FILLED
    best = venue.exchange.book("BTCUSDT").best_bid
    waits = venue.exchange.place(
        user,
        OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, price=best, size=Decimal("0.2")),
    )
    venue.run(3_000)
    assert waits.status is Status.FILLED
    assert all(one.maker for one in waits.executions)


def test_a_move_is_traded_through_and_a_gap_is_not(make_venue):
    venue = make_venue()
    market = RandomMarket(
        venue.hand(), venue.data(), price=Decimal(60_000), shape=RandomShape(volatility=0.0, takers=0.0)
    )
    venue.markets.add(market)
    venue.markets.begin()
    venue.run(10)
    before = len(venue.trades)
    market.move(0.02, over=10_000_000_000)
    venue.run(100)
    moved = [one.price for one in venue.trades[before:]]
    assert moved == sorted(moved)
    assert len(moved) > 20
    assert abs(float(market.fair) / 61_200 - 1) < 1e-3
    count = len(venue.trades)
    market.jump(-0.05)
    venue.run(1)
    assert len(venue.trades) == count
    assert abs(float(venue.exchange.book("BTCUSDT").best_bid) / 58_140 - 1) < 1e-3


def test_history_ends_where_the_market_begins(make_venue):
    venue = make_venue()
    played(venue, 1, moves=1, history=300)
    candles = venue.data().candles("1m").rows(limit=300)
    assert len(venue.data().candles("1h").since(0)) >= 5
    assert abs(float(candles[-1].close) / 60_000 - 1) < 1e-3
    for one, after in pairwise(candles):
        assert one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high
        assert after.opens == one.closes


def test_a_fast_clock_does_not_bring_more_than_its_watchers_can_take(make_venue):
    counts = []
    for speed in (10.0, 600.0):
        venue = make_venue()
        shape = RandomShape().at_pace(speed)
        venue.markets.add(RandomMarket(venue.hand(), venue.data(), price=Decimal(60_000), shape=shape, seed=1))
        venue.markets.begin(start=1_704_067_200_000_000_000)
        venue.markets.advance(1_704_067_200_000_000_000 + int(20 * speed) * 1_000_000_000)
        counts.append(len(venue.trades))
    assert 0.5 < counts[0] / counts[1] < 2.0
    assert RandomShape().at_pace(1.0) == RandomShape().at_pace(None) == RandomShape()


@pytest.mark.parametrize("wrong", [{"spread": 0.5}, {"levels": 0}, {"volatility": -1.0}, {"gap": 0.2}])
def test_numbers_that_make_no_market(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        RandomShape(**wrong)
