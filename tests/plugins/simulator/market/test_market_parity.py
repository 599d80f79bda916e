"""Orders meet replayed bars at the prices of a backtest on the same bars."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cambist import Bars, Instrument, Strategy, backtest
from cambist.model import OrderType, Side
from cambist_simulator.exchange.orders import OrderTerms
from cambist_simulator.exchange.triggers import rises
from cambist_simulator.market.bars import BarReplay
from cambist_simulator.market.quoting import BookShape

MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000
SIZE = Decimal("0.005")

KINDS = {
    "market": (OrderType.MARKET, ()),
    "limit": (OrderType.LIMIT, ("limit",)),
    "stop": (OrderType.STOP, ("stop",)),
    "stop-limit": (OrderType.STOP_LIMIT, ("stop", "limit")),
    "touch": (OrderType.MARKET_IF_TOUCHED, ("touch",)),
    "touch-limit": (OrderType.LIMIT_IF_TOUCHED, ("touch", "limit")),
}


@st.composite
def markets(draw):
    """Bars, and orders to send as each closes."""
    rows, close, orders = [], 50_000, []
    for number in range(draw(st.integers(2, 8))):
        open_ = close + draw(st.integers(-30, 30))
        low = open_ - draw(st.integers(0, 60))
        high = open_ + draw(st.integers(0, 60))
        close = draw(st.integers(low, high))
        rows.append((START + number * MINUTE, open_, high, low, close, draw(st.integers(200, 3_000))))
        for _ in range(draw(st.integers(0, 3))):
            kind = draw(st.sampled_from(sorted(KINDS)))
            side = draw(st.sampled_from([Side.BUY, Side.SELL]))
            stop, limit = close + draw(st.integers(-80, 80)), close + draw(st.integers(-80, 80))
            if "stop" in kind:
                stop = close + side.sign * abs(stop - close) + side.sign
            elif "touch" in kind:
                stop = close - side.sign * abs(stop - close) - side.sign
            orders.append((number, kind, side, stop, limit))
    columns = np.array(rows).T
    prices = [column / 100.0 for column in columns[1:5]]
    instrument = Instrument(symbol="BTCUSDT", tick_size="0.01", step_size="0.001")
    return Bars(instrument, "1m", columns[0], *prices, columns[5] / 1_000.0), orders


class Sends(Strategy):
    """Sends what it is told to."""

    def on_start(self):
        self.bar_number = 0
        self.sent = type(self).sent

    def on_bar(self, bar):
        for number, (at, kind, side, stop, limit) in enumerate(type(self).orders):
            if at == self.bar_number:
                prices = {name: (limit if name == "limit" else stop) / 100.0 for name in KINDS[kind][1]}
                send = self.buy if side is Side.BUY else self.sell
                self.sent[number] = send(float(SIZE), **prices)
        self.bar_number += 1


def backtested(bars, orders):
    strategy = type("SendsThese", (Sends,), {"orders": orders, "sent": {}})
    backtest(strategy, bars, cash=1e12)
    return {
        number: (round(one.filled, 9), round(one.average_price, 9))
        for number, one in strategy.sent.items()
        if one.filled
    }


def sent(exchange, user, terms):
    """Send an order; one that the present price sets off already is refused by venues, and comes without its stop."""
    last = exchange.book("BTCUSDT").last_price
    stop = terms.stop_price
    if stop is not None and (last >= stop if rises(terms) else last <= stop):
        kind = OrderType.MARKET if terms.price is None else OrderType.LIMIT
        terms = msgspec.structs.replace(terms, type=kind, stop_price=None)
    return exchange.place(user, terms)


def simulated(venue, bars, orders, **options):
    user = venue.user(USDT=10**9, BTC=10**6)
    replay = BarReplay(venue.hand(), venue.data(), bars, shape=BookShape(levels=3), **options)
    venue.data().candles("1m")
    venue.markets.add(replay)
    venue.markets.begin()
    placed = {}
    for bar in range(len(bars)):
        close = int(bars.ts[bar]) + MINUTE
        venue.markets.advance(close)
        for number, (at, kind, side, stop, limit) in enumerate(orders):
            if at == bar and bar < len(bars) - 1:
                wanted = KINDS[kind]
                terms = OrderTerms(
                    symbol="BTCUSDT",
                    side=side,
                    type=wanted[0],
                    size=SIZE,
                    price=Decimal(limit) / 100 if "limit" in wanted[1] else None,
                    stop_price=Decimal(stop) / 100 if wanted[1] and wanted[1][0] != "limit" else None,
                )
                placed[number] = sent(venue.exchange, user, terms)
    venue.run()
    return {
        number: (float(one.filled), round(float(one.average_price), 9)) for number, one in placed.items() if one.filled
    }


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(market=markets())
def test_fills_are_those_of_a_backtest(make_venue, market):
    bars, orders = market
    venue = make_venue(step="0.001", max_conditional_orders=None)
    assert simulated(venue, bars, orders) == backtested(bars, orders)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(market=markets())
def test_what_users_trade_is_part_of_the_bar(make_venue, market):
    bars, orders = market
    venue = make_venue(step="0.001", max_conditional_orders=None)
    simulated(venue, bars, orders)
    venue.data().roll(int(bars.ts[-1]) + MINUTE)
    for number, candle in enumerate(venue.data().candles("1m").since(0)):
        found = [float(one) for one in (candle.open, candle.high, candle.low, candle.close, candle.volume)]
        recorded = (bars.open, bars.high, bars.low, bars.close, bars.volume)
        assert found == [column[number] for column in recorded]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(market=markets())
def test_the_same_requests_give_the_same_bytes(make_venue, market):
    bars, orders = market
    venues = [make_venue(step="0.001", max_conditional_orders=None) for _ in range(2)]
    told = []
    for venue in venues:
        simulated(venue, bars, orders)
        told.append([msgspec.json.encode(one) for one in venue.events])
    assert told[0] == told[1]
