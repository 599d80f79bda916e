"""Sessions end in a paper and in a live run as in a backtest: day orders expire, orders for the close trade."""

from __future__ import annotations

import asyncio
import random
import time

import attrs
import pytest
from paper_runs import PaperRun, decided, traded, walk
from recorded_market import RecordedMarket
from test_live_on_simulator import HISTORY, MINUTE, bars_of, clock_of, played, recorded

import cambist
import cambist.live.run
from cambist import Strategy, weekly_calendar
from cambist.model import OrderStatus, OrderType, Side, Tick, TimeInForce
from cambist.model.ticks import Ticks
from cambist.model.times import DAY_NS
from cambist.storage.journal import Journal
from cambist_binance.session import open_usdm
from cambist_simulator import ExchangeSimulator

#: Its first bar begins on a Tuesday at 22:14, its last ends after midnight.
BARS = walk(150, seed=7)
CALENDARS = {"around the clock": None, "sessions": weekly_calendar("evenings", "22:20-23:05")}


class Daily(Strategy):
    """Orders for the day and for the close, those that hang together among them."""

    def on_start(self):
        self.dice = random.Random(4)
        self.heard = []

    def on_bar(self, bar):
        self.act(bar.close)

    def on_tick(self, tick):
        self.act(tick.price)

    def on_order(self, order):
        self.heard.append((order.id, order.status, order.reason))

    def act(self, price):
        kind = self.dice.random()
        send = self.dice.choice((self.buy, self.sell))
        far = round(price * (0.9 if send == self.buy else 1.1), 2)
        if kind < 0.1:
            send(1.0, on_close=True)
        elif kind < 0.2:
            send(1.0, limit=far, time_in_force="day")
        elif kind < 0.25:
            self.buy_bracket(1.0, limit=round(price * 0.9, 2), take_profit=2 * price, stop_loss=1.0)
        elif kind < 0.3:
            send(1.0, stop=round(2 * price - far, 2), time_in_force="day")


def options(calendar):
    return {} if CALENDARS[calendar] is None else {"calendar": CALENDARS[calendar]}


def assert_ended(orders) -> None:
    """See that both kinds of orders came to their ends, and some were left for a session to come."""
    day = {order.status for order in orders if order.time_in_force is TimeInForce.DAY}
    close = {order.status for order in orders if order.type is OrderType.MARKET_ON_CLOSE}
    assert {OrderStatus.EXPIRED} < day
    assert {OrderStatus.FILLED} < close


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_paper_run_on_bars_ends_sessions_as_the_backtest_does(tmp_path, calendar):
    given = options(calendar)
    result = cambist.backtest(Daily, BARS, cash=10_000.0, fees=None, events=True, **given)
    paper = PaperRun(tmp_path / "journal", [Daily()], RecordedMarket(BARS), record=True, live=given, **given)
    kernel = paper.play()
    assert decided(kernel.book.orders) == decided(result.order_records)
    assert traded(kernel.fills) == traded(result.fill_records)
    assert_ended(kernel.book.orders)
    report = cambist.replay(tmp_path / "journal", Daily, **given)
    assert report.equal, str(report)


@pytest.mark.parametrize("calendar", CALENDARS)
def test_a_paper_run_on_trades_ends_sessions_as_the_backtest_does(tmp_path, calendar):
    given, one = options(calendar), BARS.instrument
    ticks = [Tick(one, bar.ts + 7, bar.close, 50.0, Side.BUY) for bar in list(BARS)[::2]]
    columns = {"ts": [tick.ts for tick in ticks], "price": [tick.price for tick in ticks]}
    shown = Ticks(one, **columns, size=[50.0] * len(ticks), side=[1] * len(ticks))
    result = cambist.backtest(Daily, shown, cash=10_000.0, fees=None, events=True, **given)
    market, quick = RecordedMarket(BARS), given | {"step_timeout": 0.05}
    paper = PaperRun(tmp_path / "journal", [Daily()], market, series=[(one.symbol, "ticks")], live=quick, **given)

    async def play():
        await paper.start()
        for tick in ticks:
            market.queue.put_nowait(tick)
        await paper.calm()
        await paper.end()

    asyncio.run(play())
    assert decided(paper.kernel.book.orders) == decided(result.order_records)
    assert traded(paper.kernel.fills) == traded(result.fill_records)
    assert_ended(paper.kernel.book.orders)


class Nightly(Strategy):
    """Orders for the day and for the close at fixed bars, and a mark at each bar."""

    def on_start(self):
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        self.record_signal("bar", float(self.bars))
        if self.bars in {5, 11, 25}:
            self.buy(0.5, on_close=True)
        if self.bars in {7, 20, 30}:
            self.buy(0.5, limit=round(bar.close * 0.96, 1), time_in_force="day")
            self.sell(0.5, stop=round(bar.close * 0.95, 1), time_in_force="day")


def answered(run) -> bool:
    """Tell whether nothing is under way: what was sent to trade has traded, and what was withdrawn is gone."""
    under_way = {OrderStatus.SUBMITTED, OrderStatus.PENDING_CANCEL}
    return not any(
        one.order.status in under_way or (one.sent_at and one.order.type is OrderType.MARKET_ON_CLOSE)
        for one in run.engine.orders.register
    )


def test_a_live_run_ends_sessions_as_the_backtest_does(tmp_path, monkeypatch):
    """The night comes after twenty of the forty bars that are played, and orders of both kinds are there then."""
    start = (time.time_ns() // DAY_NS + 1) * DAY_NS - (HISTORY + 20) * MINUTE.ns
    columns = recorded(5, start)
    plain = cambist.Instrument(symbol="X", tick_size="0.1", step_size="0.001")
    monkeypatch.setattr(cambist.live.run, "MonotoneClock", clock_of(start))
    settings = {"history": HISTORY, "cash": 20_000, "speed": 0, "limits": False}
    data = {"BTCUSDT:linear": bars_of(plain, columns)}
    with ExchangeSimulator("binance", symbols=list(data), data=data, **settings) as simulator:
        key = simulator.credentials()
        session = open_usdm(url=simulator.url, max_clock_skew=1e9, key=key.key, secret=key.secret)
        with Journal(tmp_path / "journal") as journal:
            run, alarms = asyncio.run(played(simulator, session, journal, ["BTC/USDT:USDT"], Nightly, answered))
    assert alarms == []
    (instrument, _), orders = run.series[0], run.kernel.book.orders
    result = cambist.backtest(
        Nightly, bars_of(attrs.evolve(instrument), columns, HISTORY), cash=20_000.0, fees=None, events=True
    )
    assert decided(orders) == decided(result.order_records)
    assert [(one.order_id, one.size, one.price) for one in run.kernel.fills] == [
        (one.order_id, one.size, one.price) for one in result.fill_records
    ]
    assert_ended(orders)
    replayed = cambist.replay(tmp_path / "journal", Nightly)
    assert replayed.equal, str(replayed)
