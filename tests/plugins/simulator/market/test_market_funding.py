"""Futures are marked to their market, and longs pay shorts what was announced."""

from __future__ import annotations

from decimal import Decimal

from cambist.model import OrderType, Side
from cambist_simulator.clock import Clock, VenueClock
from cambist_simulator.exchange.events import MarkChanged
from cambist_simulator.exchange.exchange import Exchange
from cambist_simulator.exchange.listing import Bracket, Listing, Segment
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.market.funding import Marks
from cambist_simulator.market.hand import Hand
from cambist_simulator.market.markets import Markets
from cambist_simulator.market.random_market import RandomMarket, RandomShape

HOUR = 3_600_000_000_000
START = 1_704_067_200_000_000_000
BRACKET = Bracket(
    bracket=1,
    max_leverage=20,
    floor=Decimal(0),
    cap=Decimal(10**9),
    maintenance_rate=Decimal("0.004"),
    cumulative=Decimal(0),
)


def test_longs_pay_what_was_announced():
    clock = VenueClock(Clock(0, 0.0), Clock(0, 0.0))
    listing = Listing(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick_size=Decimal("0.1"),
        step_size=Decimal("0.001"),
        brackets=(BRACKET,),
        funding_interval=8 * HOUR,
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
    )
    exchange = Exchange("usdm", Segment.LINEAR, clock, listings=[listing])
    events = []
    exchange.listen(events.append)
    user = exchange.users.add("ann")
    exchange.deposit(user, "USDT", Decimal(1_000_000))
    markets = Markets(clock, [exchange])
    hand, data = Hand(exchange, "BTCUSDT"), markets.data("usdm", "BTCUSDT")
    rates = [Decimal("0.0001"), Decimal("-0.0003"), Decimal(0)]
    shape = RandomShape(every=60_000_000_000, takers=0.05, changes=0.1)
    market = RandomMarket(hand, data, price=Decimal(60_000), shape=shape)
    markets.add(market, Marks(hand, data, every=60_000_000_000, rates=rates.__getitem__))
    markets.begin(start=START)
    markets.advance(START + HOUR)
    before = exchange.wallet(user, "USDT").wallet
    exchange.place(user, OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, size=Decimal(1)))
    assert exchange.wallet(user, "USDT").wallet == before
    expected = before
    for number, rate in enumerate(rates[:2], 1):
        markets.advance(START + 8 * HOUR * number - 1)
        mark = exchange.market("BTCUSDT").mark
        announced = [one for one in events if type(one) is MarkChanged][-1]
        assert (announced.funding_rate, announced.next_funding) == (rate, START + 8 * HOUR * number)
        markets.advance(START + 8 * HOUR * number + 1)
        expected -= (mark * rate).quantize(Decimal("1e-8"))
        assert exchange.wallet(user, "USDT").wallet == expected
    payments = [(one.at, one.rate) for one in data.marks.payments]
    assert payments == [(START + 8 * HOUR, rates[0]), (START + 16 * HOUR, rates[1])]
