"""Runs in which strategies see where a bar opens before it is played."""

from __future__ import annotations

from random import Random

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import (
    AllIn,
    Bars,
    DataError,
    InputError,
    Instrument,
    LookAheadError,
    Margin,
    ParameterError,
    Strategy,
    StrategyError,
    Ticks,
)
from cambist.backtest import feeds
from cambist.indicators import SMA
from cambist.model.timeframe import Timeframe
from cambist.model.times import MINUTE_NS, SECOND_NS, to_ns

START = to_ns("2024-03-01 10:00")
ACME = Instrument(symbol="ACME", step_size="0.001")
OTHER = Instrument(symbol="OTHER", step_size="0.001")
PERPETUAL = Instrument(symbol="ACME", kind="linear_perpetual", quote="USD", margin_rate=0.1, step_size="0.001")
WAYS = pytest.mark.parametrize("way", [{}, {"events": True}, {"blocks": True}], ids=["columns", "events", "blocks"])


def bars(*rows, instrument=ACME, timeframe="1m", start=START):
    """Return bars of ``(open, high, low, close)``, or of one price for all four."""
    rows = [row if isinstance(row, tuple) else (row,) * 4 for row in rows]
    length = Timeframe.parse(timeframe).ns
    columns = np.array(rows, float).T
    return Bars(instrument, timeframe, start + np.arange(len(rows)) * length, *columns, np.full(len(rows), 1_000.0))


class Played(Strategy):
    """Does at the open of bar n, and at its close, what the test says: ``{n: function(strategy)}``."""

    def __init__(self, opens=None, closes=None):
        super().__init__()
        self.opens, self.closes = opens or {}, closes or {}

    def fresh(self):
        return self  # tests look at what it kept

    def on_start(self):
        self.seen, self.heard, self.orders = [], [], []
        self.bar = 0

    def on_open(self, series, price):
        self.seen.append((self.bar, self.now, price, series.close[0], self.positions[series.symbol].last_price))
        self.do(self.opens)

    def on_bar(self, bar):
        self.do(self.closes)

    def on_step(self):
        self.bar += 1

    def do(self, script):
        if self.bar in script:
            self.orders.append(script[self.bar](self))

    def on_fill(self, fill):
        self.heard.append((self.now, fill.price, self.position.last_price))

    def on_timer(self, name):
        self.heard.append((self.now, name))


def run(opens=None, *data, closes=None, **options):
    strategy = Played(opens, closes)
    given = {"benchmark": False, "cheat_on_open": True} | options
    return strategy, cambist.backtest(strategy, list(data), **given)


def minute(number):
    return START + number * MINUTE_NS


def told(result):
    return [(fill.order_id, fill.price, (fill.ts - START) / MINUTE_NS) for fill in result.fill_records]


GAPS = bars((100, 101, 99, 100), (110, 112, 108, 109), (90, 95, 89, 94), (97, 98, 96, 97))


@WAYS
def test_a_market_order_trades_at_the_open_that_the_strategy_was_told(way):
    strategy, result = run({1: lambda one: one.buy(1), 2: lambda one: one.sell(1)}, GAPS, **way)
    assert told(result) == [(1, 110.0, 1), (2, 90.0, 2)]
    # Bar, time, open, last close, last price.
    assert strategy.seen == [
        (1, minute(1), 110.0, 100.0, 110.0),
        (2, minute(2), 90.0, 109.0, 90.0),
        (3, minute(3), 97.0, 94.0, 97.0),
    ]
    assert [order.created_at for order in result.order_records] == [minute(1), minute(2)]


@WAYS
def test_it_is_called_where_on_bar_was_called_for_the_bar_before(way):
    class Warm(Played):
        def on_start(self):
            super().on_start()
            self.average = SMA(self.data.close, 3)

        def on_open(self, series, price):
            super().on_open(series, price)
            assert self.average[0] == np.mean([self.data.close[-ago] for ago in range(3)])

    def count(strategy):
        cambist.backtest(strategy, [GAPS], cheat_on_open=True, **way)
        return [bar for bar, *_ in strategy.seen]

    assert count(Played()) == [1, 2, 3]
    warm = Warm()  # on_step, which counts, begins with the third bar
    assert count(warm) == [1]
    assert warm.seen[0][1] == minute(3)


def test_what_comes_after_an_open_has_no_part_in_what_is_seen_at_it():
    """Bars that differ in nothing but what follows the open of bar n are seen alike up to there."""
    chance = Random(3)
    rows = [(float(chance.randint(95, 105)), 110.0, 90.0, float(chance.randint(95, 105))) for _ in range(12)]

    class Watcher(Played):
        def on_open(self, series, price):
            lines = [line[-ago] for line in (series.open, series.high, series.low, series.close) for ago in range(3)]
            account = (self.equity, self.cash, self.position.size, series.ts, series.volume[0])
            self.seen.append((self.now, price, lines, account, bool(self.buy(1, limit=price - 1))))
            with pytest.raises(LookAheadError):
                series.close[1]

    def seen(rows):
        strategy = Watcher()
        cambist.backtest(strategy, [bars(*rows)], cheat_on_open=True)
        return strategy.seen

    whole = seen(rows)
    for number in range(1, len(rows)):
        other = [*rows[:number], (rows[number][0], 300.0, 50.0, 200.0), *[(77.0, 78.0, 76.0, 77.0)] * 3]
        assert seen(other)[:number] == whole[:number]


@WAYS
def test_orders_of_every_kind_take_part_in_the_bar_from_its_open_on(way):
    data = bars(100, (100, 104, 97, 101), (101, 103, 100, 102), 102)
    opens = {
        1: lambda one: [
            one.buy(1, limit=98.0),  # inside the bar
            one.buy(1, stop=103.0),
            one.buy(1, limit=105.0),  # at the open, which is better
            one.buy(1, limit=99.0, time_in_force="ioc"),  # not there at once
            one.buy(1, limit=90.0, time_in_force="day"),
            one.sell(1, limit=90.0, post_only=True),
        ],
        2: lambda one: one.cancel_all(),
    }
    strategy, result = run(opens, data, **way)
    limit, stop, better, ioc, day, taking = strategy.orders[0]
    assert told(result) == [(better.id, 100.0, 1), (limit.id, 98.0, 2), (stop.id, 103.0, 2)]
    assert (str(ioc.status), ioc.reason) == ("canceled", "could not trade at once")
    assert (str(taking.status), taking.reason) == ("rejected", "post_only")
    assert (str(day.status), day.updated_at) == ("canceled", minute(2))


@WAYS
def test_what_works_already_can_be_canceled_or_moved_before_the_bar_is_played(way):
    data = bars(100, 100, (100, 101, 94, 95), 95)
    asks = {0: lambda one: [one.buy(1, limit=96.0), one.buy(1, limit=95.0)]}
    _, result = run({}, data, closes=asks, **way)
    assert told(result) == [(1, 96.0, 3), (2, 95.0, 3)]

    def change(one):
        first, second = one.open_orders
        one.cancel(first)
        one.modify(second, limit=98.0)

    _, result = run({2: change}, data, closes=asks, **way)
    assert told(result) == [(2, 98.0, 3)]


@WAYS
def test_time_in_force_counts_from_the_bar_that_opens(way):
    """A day order of an open lives through the day of that open; one that has ended at an open meets nothing."""
    data = bars(100, 100, (100, 100, 90, 90), 90, timeframe="1d", start=to_ns("2024-03-01"))
    day = {1: lambda one: one.buy(1, limit=95.0, time_in_force="day")}
    strategy, result = run(day, data, **way)
    assert (told(result), str(strategy.orders[0].status)) == ([], "expired")
    strategy, result = run({2: day[1]}, data, **way)
    assert [price for _, price, _ in told(result)] == [95.0]
    until = {1: lambda one: one.buy(1, limit=95.0, expires_at=one.now)}
    strategy, _ = run(until, data, **way)
    assert (str(strategy.orders[0].status), strategy.orders[0].updated_at) == ("expired", to_ns("2024-03-03"))


# What the account is reckoned at.


@WAYS
@pytest.mark.parametrize("gap", [0.6, 1.0, 1.4])
@pytest.mark.parametrize(
    "send",
    [
        lambda one: one.buy(AllIn(buffer=0.0)),
        lambda one: one.order_target_percent(1.0),
        lambda one: one.order_target_value(10_000.0),
    ],
    ids=["all-in", "percent", "value"],
)
def test_all_of_the_money_at_a_gap(send, gap, way):
    """Sized by the open, all of it is spent and none is missing; sized by the close before, a gap up is refused."""
    price = 100.0 * gap
    data = bars(100, price, price)
    _, result = run({1: send}, data, cash=10_000.0, **way)
    (fill,) = result.fill_records
    assert fill.price == price
    assert fill.size == ACME.round_size(10_000.0 / price)
    assert result.account.cash == pytest.approx(10_000.0 - fill.size * price, abs=1e-6)
    _, result = run({}, data, closes={0: send}, cash=10_000.0, **way)
    assert bool(result.fill_records) is (gap <= 1.0)


@WAYS
def test_fees_are_paid_for_too(way):
    _, result = run({1: lambda one: one.buy(AllIn(buffer=0.0))}, bars(100, 140, 140), cash=10_000.0, fees=0.01, **way)
    (fill,) = result.fill_records
    assert 0.0 <= result.account.cash < 0.15  # less than a step costs
    assert fill.fee == pytest.approx(0.01 * fill.size * 140.0)


@WAYS
def test_money_is_reckoned_by_the_opens_of_all_instruments_that_have_one(way):
    """A short of one that gaps up leaves less for the other than its last close says."""
    one, other = bars(100, 100, 100, 100), bars(100, 100, 150, 150, instrument=OTHER)
    closes = {0: lambda strategy: strategy.sell(10, data="OTHER") if not strategy.orders else None}
    equities = []

    def spend(strategy):
        equities.append(strategy.equity)
        return strategy.buy(AllIn(buffer=0.0), data="ACME") if len(equities) == 2 else None

    strategy, result = run({2: spend}, one, other, closes=closes, cash=10_000.0, leverage=2.0, **way)
    assert equities == [10_000.0, 9_500.0]  # of the first that opens, and of the second
    bought = [fill for fill in result.fill_records if fill.instrument.symbol == "ACME"]
    assert [fill.size for fill in bought] == [2.0 * 9_500.0 / 100.0 - 10 * 150.0 / 100.0]
    assert str(strategy.orders[-1].status) == "filled"


@WAYS
def test_the_open_is_the_last_price_until_the_bar_closes(way):
    prices = []
    note = dict.fromkeys(range(4), lambda one: prices.append(one.position.last_price))
    opens = {1: lambda one: one.buy(1, limit=110.0)}
    strategy, _ = run(opens, GAPS, closes=note, **way)
    assert strategy.heard == [(minute(1), 110.0, 110.0)]
    assert prices == [100.0, 109.0, 94.0, 97.0]
    strategy, _ = run({1: lambda one: one.buy(1, limit=109.0)}, GAPS, **way)
    assert strategy.heard == [(minute(2), 109.0, 110.0)]


@WAYS
def test_a_stop_that_the_open_has_reached_is_refused(way):
    strategy, result = run({1: lambda one: one.buy(1, stop=105.0)}, GAPS, **way)
    assert strategy.orders[0].reason.startswith("stop_already_reached")
    assert not result.fill_records


@WAYS
def test_a_trailing_stop_begins_at_the_open(way):
    data = bars(100, (110, 112, 104, 105), 105)
    strategy, result = run({1: lambda one: [one.buy(1), one.sell(1, trail=5.0)]}, data, **way)
    # 110 - 5 is met on the way down only after the rise to 112, which comes first.
    assert told(result) == [(1, 110.0, 1), (2, 107.0, 2)]
    assert strategy.orders[0][1].stop_price == 107.0


@WAYS
def test_a_position_that_an_open_liquidates_is_gone_before_the_strategy_can_save_it(way):
    data = bars(100, 100, 80, 80, instrument=PERPETUAL)
    margin = Margin(mode="isolated", maintenance=0.05)
    strategy, result = run(
        {2: lambda one: one.close()}, data, closes={0: lambda one: one.buy(10)}, margin=margin, **way
    )
    assert [trade.reason for trade in result.trade_records] == ["liquidation"]
    assert (str(strategy.orders[1].status), strategy.orders[1].reason) == ("canceled", "liquidation")


@WAYS
def test_a_split_has_taken_effect_when_the_bar_after_it_opens(way):
    actions = pd.DataFrame({"split": [2.0]}, pd.to_datetime([minute(2)]))
    seen = []

    def look(one):
        seen.append((one.position.size, one.position.last_price, one.equity))
        return one.order_target_size(5.0)

    _, result = run(
        {2: look},
        bars(100, 100, 49, 50),
        closes={0: lambda one: one.buy(1)},
        actions={"ACME": actions},
        cash=1_000.0,
        **way,
    )
    assert seen == [(2.0, 49.0, 1_000.0 - 100.0 + 2 * 49.0)]
    assert [(fill.size, fill.price) for fill in result.fill_records] == [(1.0, 100.0), (3.0, 49.0)]


# What stands between strategy and bar.


@WAYS
@pytest.mark.parametrize(("latency", "at"), [(None, 1), ("0s", 1), ("1ns", 2), ("60s", 2), ("61s", 3)])
def test_with_latency_an_order_of_an_open_is_too_late_for_it(latency, at, way):
    prices = [100.0, 110.0, 90.0, 97.0]
    _, result = run({1: lambda one: one.buy(1)}, GAPS, latency=latency, **way)
    assert told(result) == [(1, prices[at], at)]


@pytest.mark.parametrize("events", [False, True])
def test_finer_bars_are_met_from_the_first_on(events):
    fine = bars(100, 101, 102, 103, 97, 96, timeframe="1m")
    coarse = bars((100, 102, 100, 102), (103, 103, 96, 96), timeframe="3m")
    _, result = run(
        {1: lambda one: [one.buy(1), one.buy(1, limit=97.0), one.buy(1, limit=101.0)]}, [coarse][0], magnify=fine,
        events=events,
    )  # fmt: skip
    assert told(result) == [(1, 103.0, 3), (2, 97.0, 4), (3, 97.0, 4)]


@WAYS
def test_a_timer_of_an_open_fires_at_the_close_of_the_bar(way):
    strategy, _ = run({1: lambda one: one.set_timer("soon", after="1s")}, GAPS, **way)
    assert strategy.heard == [(minute(2), "soon")]


@WAYS
def test_a_stop_at_an_open_ends_the_run_after_the_bar(way):
    strategy, result = run({1: lambda one: [one.buy(1), one.stop("enough")]}, GAPS, **way)
    assert (result.stopped, result.n_bars, told(result)) == ("enough", 2, [(1, 110.0, 1)])
    assert [bar for bar, *_ in strategy.seen] == [1]


@WAYS
def test_money_brought_in_at_an_open_can_be_spent_in_the_bar(way):
    _, result = run(
        {1: lambda one: one.add_cash(500.0), 2: lambda one: one.buy(AllIn(buffer=0.0))}, GAPS, cash=1_000.0, **way
    )
    assert [fill.size for fill in result.fill_records] == [ACME.round_size(1_500.0 / 90.0)]
    assert [flow.ts for flow in result.flow_records] == [minute(1)]


@WAYS
def test_several_strategies_and_instruments_in_declared_order(way):
    calls = []

    class Named(Strategy):
        def on_open(self, series, price):
            calls.append((self.name, series.symbol, self.now, price))
            if self.name == "Named-1":
                self.buy(1)

    class Silent(Strategy):
        def on_bar(self, bar):
            calls.append((self.name, "close", self.now))

    hole = bars(50, 51, 52, instrument=OTHER)
    hole = Bars(OTHER, "1m", *[column[[0, 2]] for column in (hole.ts, *hole.columns.values())])
    result = cambist.backtest([Named(), Silent(), Named()], [bars(100, 101, 102), hole], cheat_on_open=True, **way)
    opens = [call for call in calls if call[1] != "close"]
    assert opens == [
        ("Named-1", "ACME", minute(1), 101.0),
        ("Named-2", "ACME", minute(1), 101.0),
        ("Named-1", "ACME", minute(2), 102.0),
        ("Named-2", "ACME", minute(2), 102.0),
        ("Named-1", "OTHER", minute(2), 52.0),
        ("Named-2", "OTHER", minute(2), 52.0),
    ]
    assert [(fill.instrument.symbol, fill.price) for fill in result.fill_records] == [
        ("ACME", 101.0),
        ("ACME", 102.0),
        ("OTHER", 52.0),
    ]


# What the mode leaves alone.


class Twice(Strategy):
    """Trades at random: at each close, or, the same, at each open after it."""

    at_open: bool = cambist.param(False)
    seed: int = cambist.param(0)

    def on_start(self):
        self.chance_ = Random(self.seed)

    def on_open(self, series, price):
        if self.at_open:
            self.trade(series.close[0])

    def on_bar(self, bar):
        if not self.at_open:
            self.trade(bar.close)

    def trade(self, close):
        size, price = self.chance_.choice([1, 2, 3]), close + self.chance_.choice([-2, -1, 1, 2])
        send = self.chance_.choice([self.buy, self.sell])
        terms = self.chance_.choice([{}, {"limit": price}, {"limit": price, "time_in_force": "ioc"}])
        send(size, **terms)
        if self.chance_.random() < 0.2:
            self.cancel_all()


def fills(bars, strategy, **options):
    result = cambist.backtest(strategy, bars, cash=1e7, benchmark=False, fees=0.001, **options)
    return [(one.order_id, one.size, one.price, one.fee, one.liquidity, one.ts) for one in result.fill_records]


@pytest.mark.parametrize("seed", range(20))
def test_where_bars_follow_without_a_pause_an_open_is_the_close_before_it(seed):
    """What is sent at the one or at the other meets the same bar; the last close is followed by no open."""
    chance = Random(seed)
    rows = []
    for _ in range(40):
        open_, close = (float(chance.randint(95, 105)) for _ in range(2))
        rows.append((open_, max(open_, close) + chance.randint(0, 3), min(open_, close) - chance.randint(0, 3), close))
    data = bars(*rows)
    path = {"path": chance.choice(["nearer_first", "pessimistic"]), "volume_limit": chance.choice([None, 0.002])}
    at_close = fills(data, Twice(seed=seed), **path)
    at_open = fills(data, Twice(seed=seed, at_open=True), cheat_on_open=True, **path)
    assert at_open == at_close
    assert len(at_open) > 15
    # And where nobody makes anything of the opens, nothing is different for their being shown.
    assert fills(data, Twice(seed=seed), cheat_on_open=True, **path) == at_close


# What is refused.


def test_a_mode_that_nobody_uses_is_refused():
    class Blind(Strategy):
        def on_bar(self, bar):
            pass

    with pytest.raises(InputError, match=r"Blind, Blind-1|Blind-1, Blind-2 has no on_open"):
        cambist.backtest([Blind(), Blind()], GAPS, cheat_on_open=True)


@WAYS
def test_an_on_open_that_is_never_called_is_told_of(way):
    strategy, result = run({1: lambda one: one.buy(1)}, GAPS, cheat_on_open=False, **way)
    assert (strategy.seen, told(result)) == ([], [])
    assert result.warnings == ("on_open of Played was never called: that takes cheat_on_open=True.",)
    assert run({}, GAPS)[1].warnings == ()


def test_two_ways_of_cheating_are_refused():
    with pytest.raises(ParameterError, match="market_fill is 'this_close' and cheat_on_open is True"):
        run({}, GAPS, market_fill="this_close")


@WAYS
def test_several_timeframes_are_refused(way):
    slow = bars(50, 51, instrument=OTHER, timeframe="2m")
    with pytest.raises(InputError, match=r"several timeframes \(ACME 1m and OTHER 2m\)"):
        run({}, GAPS, slow, **way)


@WAYS
@pytest.mark.parametrize("rows", [1, feeds.ROWS])
@pytest.mark.parametrize("late", [0, 2])
def test_bars_that_open_inside_each_other_are_refused(late, rows, way, monkeypatch):
    """A strategy would hear of an open that lies before a close it knows already."""
    monkeypatch.setattr(feeds, "ROWS", rows)
    half = bars(50, 51, 52, instrument=OTHER, start=minute(late) + 30 * SECOND_NS)
    message = f"of OTHER that opens at 2024-03-01 10:0{late}:30.* lies across .* 2024-03-01 10:0{late + 1}"
    with pytest.raises(DataError, match=message):
        run({}, GAPS, half, **way)
    run({}, GAPS, bars(50, 51, 52, instrument=OTHER, start=minute(late)), **way)


def test_trades_and_quotes_have_no_opens():
    class Both(Played):
        def on_tick(self, tick):
            pass

    ticks = Ticks(ACME, START + np.arange(3) * MINUTE_NS, [10.0, 11.0, 12.0], [1.0] * 3)
    with pytest.raises(ParameterError, match="cheat_on_open is True, which means something on bars alone"):
        cambist.backtest(Both(), ticks, cheat_on_open=True)
    assert any("on_open of Both was never called" in warning for warning in cambist.backtest(Both(), ticks).warnings)


@WAYS
def test_an_error_names_the_open_at_which_it_was_raised(way):
    with pytest.raises(
        StrategyError, match=r"Played raised ZeroDivisionError at the open of the bar of 2024-03-01 10:02"
    ):
        run({2: lambda one: 1 / 0}, GAPS, **way)
