"""Scripts take turns by time; records are moved in time, begin anew, and halt."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import numpy as np
import pytest

from cambist import Bars, Instrument
from cambist.api import ParameterError
from cambist.model import OrderType, Side
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.errors import RefusedError
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Listing, Segment
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.market.bars import BarReplay
from cambist_simulator.market.data import CandleClosed, Keep, TradesJoined
from cambist_simulator.market.hand import Hand
from cambist_simulator.market.markets import Markets
from cambist_simulator.market.pacing import Pacer
from cambist_simulator.market.random_market import RandomMarket, RandomShape
from cambist_simulator.market.schedule import Happening, Schedule

MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000


def bars(symbol, opens, count=3, start=START):
    rows = np.arange(count)
    open_ = opens + rows
    return Bars(
        Instrument(symbol=symbol),
        "1m",
        start + MINUTE * rows,
        open_,
        open_ + 2.0,
        open_ - 1.0,
        open_ + 1.0,
        10.0 + rows,
    )


def replay(venue, symbol, source):
    venue.markets.add(BarReplay(venue.hand(symbol), venue.data(symbol), source))


def test_symbols_take_turns_by_time(make_venue):
    venue = make_venue("BTCUSDT", "ETHUSDT")
    replay(venue, "BTCUSDT", bars("BTCUSDT", 100.0))
    replay(venue, "ETHUSDT", bars("ETHUSDT", 50.0, start=START + 30_000_000_000))
    venue.markets.begin()
    venue.run()
    times = [one.at for one in venue.events]
    assert times == sorted(times)
    assert {one.symbol for one in venue.trades} == {"BTCUSDT", "ETHUSDT"}
    assert venue.exchange.clock.market.now() == times[-1]


def test_records_may_begin_now_and_keep_their_distance(make_venue):
    venue = make_venue("BTCUSDT", "ETHUSDT")
    replay(venue, "BTCUSDT", bars("BTCUSDT", 100.0))
    replay(venue, "ETHUSDT", bars("ETHUSDT", 50.0, start=START + MINUTE))
    now = START + 1_000 * MINUTE
    venue.markets.begin(start=now)
    assert venue.markets.next_due() == now
    venue.run()
    first = {symbol: min(one.at for one in venue.trades if one.symbol == symbol) for symbol in ("BTCUSDT", "ETHUSDT")}
    assert first["ETHUSDT"] - first["BTCUSDT"] == MINUTE


def test_records_that_loop_follow_on_themselves(make_venue):
    venue = make_venue()
    source = bars("BTCUSDT", 100.0)
    replay(venue, "BTCUSDT", source)
    venue.markets.begin(loop=True)
    venue.markets.advance(START + 9 * MINUTE)
    candles = venue.data().candles("1m").since(0)
    assert [one.opens for one in candles[:9]] == [START + number * MINUTE for number in range(9)]
    assert [float(one.open) for one in candles[:9]] == source.open.tolist() * 3


def test_what_is_listened_to(make_venue):
    venue = make_venue()
    source = bars("BTCUSDT", 100.0)
    replay(venue, "BTCUSDT", source)
    heard = []
    venue.data().listen(heard.append)
    venue.data().candles("1m")
    venue.markets.begin()
    venue.run()
    venue.markets.advance(START + 3 * MINUTE)
    closed = [one for one in heard if type(one) is CandleClosed]
    assert [one.candle.opens for one in closed] == source.ts.tolist()
    joined = [one.trade for one in heard if type(one) is TradesJoined]
    assert sum(one.size for one in joined) == sum(one.size for one in venue.trades)
    assert [one.id for one in joined] == list(range(1, len(joined) + 1))


def test_a_halt_stops_everybody(make_venue):
    venue = make_venue()
    user = venue.user()
    market = RandomMarket(venue.hand(), venue.data(), price=Decimal(60_000), shape=RandomShape(takers=50.0))
    second = 1_000_000_000
    halt = [Happening(after=10 * second, action="halt"), Happening(after=20 * second, action="resume")]
    venue.markets.add(Schedule(venue.hand(), halt, market=market), market)
    venue.markets.begin(start=START)
    venue.markets.advance(START + 15 * second)
    terms = OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, size=Decimal(1))
    with pytest.raises(RefusedError, match="market_closed"):
        venue.exchange.place(user, terms)
    venue.markets.advance(START + 30 * second)
    times = [(one.at - START) // second for one in venue.trades]
    assert not any(10 <= at < 20 for at in times)
    assert any(at < 10 for at in times)
    assert any(at >= 20 for at in times)
    assert venue.exchange.place(user, terms).filled == 1


def test_times_do_not_go_back_where_a_request_came_before_a_late_step():
    moment = [0]
    market = Clock(START, 1.0, now=lambda: moment[0])
    clock = VenueClock(Clock(0, 0.0), market)
    listing = Listing(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick_size=Decimal("0.01"),
        step_size=Decimal("0.00001"),
    )
    exchange = Exchange("spot", Segment.SPOT, clock, listings=[listing])
    markets = Markets(clock, [exchange])
    events = []
    exchange.listen(events.append)
    user = exchange.users.add("ann")
    exchange.deposit(user, "USDT", Decimal(1_000_000))
    hand, data = Hand(exchange, "BTCUSDT"), markets.data("spot", "BTCUSDT")
    markets.add(RandomMarket(hand, data, price=Decimal(60_000), shape=RandomShape(takers=50.0)))
    markets.begin(start=START)
    late = 30_000_000
    for number in range(20):
        moment[0] = number * 100_000_000 + late
        markets.advance(market.now() - late - 1)
        terms = OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, size=Decimal("0.01"))
        if number:
            exchange.place(user, terms)
        markets.advance(market.now())
    times = [one.at for one in events]
    assert times == sorted(times)
    assert START + late + 100_000_000 in times


def test_what_no_schedule_has(make_venue):
    venue = make_venue()
    with pytest.raises(ParameterError, match="halt"):
        Schedule(venue.hand(), [Happening(after=0, action="hallt")])
    with pytest.raises(ParameterError, match="random market"):
        Schedule(venue.hand(), [Happening(after=0, action="gap", share=0.1)])


def test_memory_is_bounded(make_venue):
    venue = make_venue(keep=Keep(trades=100, candles=50))
    market = RandomMarket(venue.hand(), venue.data(), price=Decimal(60_000), shape=RandomShape(takers=50.0))
    venue.markets.add(market)
    venue.markets.begin(start=START)
    venue.data().candles("1s")
    venue.run(3_000)
    assert len(venue.data().tape.trades) == 100
    assert len(venue.data().candles("1s").closed) == 50


def test_a_market_waits_for_those_who_read(make_venue):
    venue = make_venue()
    replay(venue, "BTCUSDT", bars("BTCUSDT", 100.0, count=20))
    venue.markets.begin()
    crowd = {"left": 5, "asked": 0}

    def crowded():
        crowd["asked"] += 1
        crowd["left"] -= 1
        return crowd["left"] > 0

    done = asyncio.run(Pacer(venue.markets, crowded=crowded, piece=16).run())
    assert done == venue.markets.steps > 100
    assert crowd["asked"] > 5


def test_a_paced_market_does_what_its_clock_says(make_venue):
    venue = make_venue()
    replay(venue, "BTCUSDT", bars("BTCUSDT", 100.0, count=20))
    venue.markets.begin()
    pacer = Pacer(venue.markets, piece=1_000)
    pacer.tick()
    venue.exchange.clock.market.step_to(START + 5 * MINUTE)
    pacer.tick()
    assert max(one.at for one in venue.trades) < START + 5 * MINUTE
    assert venue.markets.next_due() > START + 5 * MINUTE
