"""Recorded trades make the venue's own candle again; recorded quotes are the best prices."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from cambist import Instrument, Quotes, Ticks, load, open_ticks
from cambist.model import OrderType, Side
from cambist_simulator.exchange.orders import OrderTerms, Status
from cambist_simulator.market.ticks import QuoteReplay, TradeReplay

START = 1_704_067_200_000_000_000
SECOND = 1_000_000_000
BTC = Instrument(symbol="BTCUSDT")


def test_the_candle_of_recorded_trades_is_the_recorded_candle(make_venue, outside_data):
    trades = outside_data / "ticks/binance_spot_BTCUSDT_2024-08-08_trades.parquet"
    bars = load(outside_data / "crypto/binance_spot_BTCUSDT_5m.parquet")
    opens = int(np.datetime64("2024-08-08T23:55", "ns").astype(np.int64))
    row = int(np.searchsorted(bars.ts, opens))
    venue = make_venue()
    venue.data().candles("5m")
    venue.markets.add(TradeReplay(venue.hand(), trades))
    venue.markets.begin()
    venue.run()
    candle = next(one for one in venue.data().candles("5m").since(0) if one.opens == opens)
    recorded = [bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row]]
    assert [float(one) for one in (candle.open, candle.high, candle.low, candle.close, candle.volume)] == recorded
    ticks = open_ticks(trades).load()
    assert [one.side.sign for one in venue.trades] == ticks.side.tolist()
    inside = (ticks.ts >= opens) & (ticks.ts < opens + 300 * SECOND)
    assert candle.trades == inside.sum()
    assert float(candle.buy_volume) == pytest.approx(ticks.size[inside & (ticks.side > 0)].sum())


def made(prices, sizes=None, side=None):
    count = len(prices)
    ts = START + SECOND * np.arange(count)
    sizes = np.ones(count) if sizes is None else np.array(sizes)
    return Ticks(BTC, ts, np.array(prices), sizes, *([] if side is None else [side]))


def test_sides_that_are_not_recorded_follow_the_price(make_venue):
    venue = make_venue()
    venue.markets.add(TradeReplay(venue.hand(), made([10.0, 11.0, 11.0, 10.5, 10.5, 12.0])))
    venue.markets.begin()
    venue.run()
    buy, sell = Side.BUY, Side.SELL
    assert [one.side for one in venue.trades] == [buy, buy, buy, sell, sell, buy]


def test_a_recorded_trade_fills_a_user_as_far_as_it_goes(make_venue):
    venue = make_venue()
    user = venue.user()
    venue.markets.add(TradeReplay(venue.hand(), made([100.0, 99.0, 98.5, 99.5], [1.0, 0.25, 0.5, 1.0])))
    venue.markets.begin()
    venue.run(1)
    order = venue.exchange.place(
        user,
        OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, price=Decimal("99.00"), size=Decimal("0.6")),
    )
    venue.run(1)
    assert order.filled == Decimal("0.25")
    venue.run()
    assert order.status is Status.FILLED
    assert [one.price for one in order.executions] == [Decimal(99)] * 2


def quotes(rows):
    ts = START + SECOND * np.arange(len(rows))
    return Quotes(BTC, ts, *np.array(rows).T)


def test_the_best_prices_are_the_recorded_ones(make_venue):
    rows = [(100.0, 100.02, 1.0, 2.0), (100.01, 100.03, 0.5, 0.25), (99.5, 99.51, 3.0, 4.0), (99.5, 99.5, 1.0, 1.0)]
    venue = make_venue()
    venue.markets.add(QuoteReplay(venue.hand(), quotes(rows)))
    venue.markets.begin()
    for bid, ask, bid_size, ask_size in rows:
        venue.run(1)
        book = venue.exchange.book("BTCUSDT")
        assert tuple(map(float, book.top(Side.BUY))) == (bid, bid_size)
        assert tuple(map(float, book.top(Side.SELL))) == (ask if ask > bid else ask + 0.01, ask_size)
    assert not venue.trades


def test_a_quote_that_reaches_an_order_trades_with_it(make_venue):
    venue = make_venue()
    user = venue.user()
    venue.markets.add(
        QuoteReplay(venue.hand(), quotes([(100.0, 100.02, 1.0, 2.0), (99.0, 99.2, 1.0, 0.1), (99.0, 99.2, 1.0, 5.0)]))
    )
    venue.markets.begin()
    venue.run(1)
    order = venue.exchange.place(
        user,
        OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, price=Decimal("99.5"), size=Decimal("0.3")),
    )
    venue.run(1)
    assert order.filled == Decimal("0.1")
    venue.run(1)
    assert order.status is Status.FILLED
