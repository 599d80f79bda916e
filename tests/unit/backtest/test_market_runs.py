"""Runs on trades and quotes, rule by rule."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Bars, DataError, InputError, Instrument, ParameterError, Quotes, Strategy, StrategyError, Ticks
from cambist.model.times import MINUTE_NS, SECOND_NS, to_ns

START = to_ns("2024-03-01 10:00")
ACME = Instrument(symbol="ACME", tick_size="0.01", step_size="1")


class Told(Strategy):
    """Does at event number n what the test says: ``{n: function(strategy)}``."""

    def __init__(self, script=None):
        super().__init__()
        self.script = script or {}

    def fresh(self):
        return self  # tests look at what it kept

    def on_start(self):
        self.seen = []
        self.heard = []

    def on_tick(self, tick):
        self.see(tick)

    def on_quote(self, quote):
        self.see(quote)

    def see(self, event):
        self.seen.append(event.copy())
        if len(self.seen) - 1 in self.script:
            self.script[len(self.seen) - 1](self)

    def on_fill(self, fill):
        self.heard.append((self.now, self.data["ACME"].price, fill.price))

    def on_timer(self, name):
        self.heard.append((self.now, name))


def ticks(*prices, instrument=ACME, sizes=None, every=SECOND_NS, start=START):
    count = len(prices)
    return Ticks(instrument, start + np.arange(count) * every, prices, sizes or [10.0] * count)


def quotes(*pairs, sizes=None, start=START, instrument=ACME):
    bid, ask = zip(*pairs, strict=True)
    ts = start + np.arange(len(pairs)) * SECOND_NS
    return Quotes(instrument, ts, bid, ask, *(zip(*sizes, strict=True) if sizes else ()))


def run(script, *data, **options):
    strategy = Told(script)
    return strategy, cambist.backtest(strategy, list(data), benchmark=False, **options)


def told(result):
    return [(fill.ts - START, fill.price, fill.size, str(fill.liquidity)) for fill in result.fill_records]


def test_a_market_order_trades_at_the_next_trade_and_with_the_far_side_of_the_next_quote():
    script = {0: lambda one: one.buy(2), 1: lambda one: one.sell(2)}
    _, result = run(script, ticks(10.0, 11.0, 12.5))
    assert told(result) == [(SECOND_NS, 11.0, 2.0, "taker"), (2 * SECOND_NS, 12.5, 2.0, "taker")]
    _, result = run(script, quotes((10.0, 10.5), (11.0, 11.5), (9.0, 9.5)))
    assert told(result) == [(SECOND_NS, 11.5, 2.0, "taker"), (2 * SECOND_NS, 9.0, 2.0, "taker")]


def test_displayed_size_bounds_what_trades_and_the_rest_waits():
    data = quotes(*[(10.0, 10.5)] * 4, sizes=[(5, 2)] * 4)
    _, result = run({0: lambda one: one.buy(5)}, data, volume_limit=1.0)
    assert [fill.size for fill in result.fill_records] == [2.0, 2.0, 1.0]
    _, result = run({0: lambda one: one.buy(5)}, ticks(10.0, 10.0, 10.0, sizes=[1.0, 4.0, 9.0]), volume_limit=0.5)
    assert [fill.size for fill in result.fill_records] == [2.0, 3.0]


def test_sizes_that_nobody_told_cannot_bound():
    with pytest.raises(DataError, match=r"ACME: the quote of .* tells no sizes, and volume_limit is 1\.0"):
        run({0: lambda one: one.buy(5)}, quotes(*[(10.0, 10.5)] * 3), volume_limit=1.0)


def test_orders_sent_from_a_fill_meet_the_next_event():
    class Answering(Told):
        def on_fill(self, fill):
            if fill.side == "buy":
                self.sell(1)

    result = cambist.backtest(Answering({0: lambda one: one.buy(1)}), ticks(10.0, 11.0, 12.0), benchmark=False)
    assert told(result) == [(SECOND_NS, 11.0, 1.0, "taker"), (2 * SECOND_NS, 12.0, 1.0, "taker")]


def test_a_fill_is_heard_before_its_event_is_seen():
    strategy, _ = run({0: lambda one: one.buy(1)}, ticks(10.0, 11.0))
    assert strategy.heard == [(START + SECOND_NS, 10.0, 11.0)]


def test_streams_are_merged_by_time_and_at_one_time_in_declared_order():
    trades, book = ticks(1.0, 2.0, 3.0), quotes((1.0, 1.5), (2.0, 2.5), start=START + SECOND_NS)
    other = ticks(7.0, 8.0, instrument=Instrument(symbol="OTHER"), start=START + SECOND_NS)
    for data in ([trades, book, other], [other, book, trades]):
        strategy, _ = run({}, *data)
        number = {id(one): place for place, one in enumerate(data)}
        wanted = sorted(((value.ts, number[id(one)], value) for one in data for value in one), key=lambda row: row[:2])
        assert [repr(value) for _, _, value in wanted] == list(map(repr, strategy.seen))  # sizes are NaN


def test_positions_are_valued_by_quotes_where_there_are_any():
    script = {0: lambda one: one.buy(10)}
    _, result = run(script, quotes((10.0, 11.0), (10.0, 11.0), (20.0, 22.0)), ticks(50.0, 60.0, 70.0), cash=1_000)
    assert result.account.equity == 1_000 - 110 + 10 * 21.0
    assert result.curve.final == result.account.equity


def test_equity_is_sampled_by_minute_and_fill():
    data = ticks(*np.linspace(10, 11, 181), every=SECOND_NS)
    _, result = run({100: lambda one: one.buy(10)}, data, cash=1_000)
    seconds = (result.equity.index.as_unit("ns").asi8 - START) // SECOND_NS
    assert list(seconds) == [59, 101, 119, 179, 180]
    price = np.linspace(10, 11, 181)
    assert result.equity["equity"].iloc[-1] == pytest.approx(1_000 + 10 * (price[180] - price[101]))
    assert (result.n_bars, result.unit) == (181, "events")
    assert "181 events" in repr(result)


def test_benchmark_buys_at_the_first_price():
    result = cambist.backtest(Told(), ticks(10.0, 20.0, 15.0), cash=1_000)
    assert result.benchmark.final == 1_500


def test_timers_fire_after_the_first_event_that_is_not_before_them():
    strategy, _ = run({0: lambda one: one.set_timer("x", after=1_500_000_000)}, ticks(1.0, 1.0, 1.0, 1.0))
    assert strategy.heard == [(START + 2 * SECOND_NS, "x")]


def test_a_run_can_be_stopped_and_says_so():
    strategy, result = run({1: lambda one: one.stop("seen enough")}, ticks(1.0, 1.0, 1.0))
    assert (len(strategy.seen), result.n_bars, result.stopped) == (2, 2, "seen enough")


def test_a_strategy_that_raises_is_named_with_the_time_of_the_event():
    with pytest.raises(StrategyError, match=r"Told raised ZeroDivisionError at 2024-03-01 10:00:01 UTC \(test_market"):
        run({1: lambda one: 1 / 0}, ticks(1.0, 1.0, 1.0))


def test_data_knows_instruments_and_no_lines():
    strategy, _ = run({}, ticks(1.0, 2.0), quotes((1.0, 1.5), (1.0, 1.5)))
    assert strategy.data.symbols == ("ACME",)
    assert strategy.data["ACME"].tick.price == 2.0
    assert strategy.data[0].quote.spread == 0.5
    assert "ACME" in strategy.data
    assert len(list(strategy.data)) == len(strategy.data) == 1
    with pytest.raises(InputError, match="no bars, so there is no close"):
        _ = strategy.data.close
    with pytest.raises(AttributeError, match="'MarketSeries' object has no attribute 'clse'"):
        _ = strategy.data["ACME"].clse
    with pytest.raises(InputError, match="no series 'ACM'"):
        strategy.data["ACM"]


def test_views_tell_what_they_show():
    kept = {}
    run({0: lambda one: kept.update(tick=repr(one.data[0].tick), time=one.data[0].tick.time)}, ticks(10.0, 1.0))
    assert kept["tick"] == "<Tick ACME 2024-03-01 10:00:00+00:00 trade 10 at 10>"
    assert kept["time"] == pd.Timestamp(START, tz="UTC")


BARS = Bars(ACME, "1m", START + np.arange(3) * MINUTE_NS, *[[1.0] * 3] * 5)


@pytest.mark.parametrize(
    ("data", "options", "error", "words"),
    [
        ([ticks(1.0), ticks(2.0)], {}, InputError, "two series of ticks of ACME"),
        (
            [ticks(1.0), quotes((1, 2), instrument=Instrument(symbol="ACME"))],
            {},
            InputError,
            "ACME is described in two ways",
        ),
        ({"ACME": ticks(1.0)}, {}, InputError, "leave out a name for each, and give a list"),
        (ticks(1.0), {"magnify": BARS}, InputError, "leave out magnify"),
        (ticks(1.0), {"instrument": ACME}, InputError, "leave out instrument"),
        (ticks(1.0), {"rules": "backtrader"}, ParameterError, "rules is 'backtrader', which means something on bars"),
        (ticks(1.0), {"market_fill": "this_close"}, ParameterError, "market_fill is 'this_close'"),
        (ticks(1.0), {"stop_trigger": "quote"}, ParameterError, "there are no quotes of ACME"),
        (quotes((1, 2)), {"stop_trigger": "last"}, ParameterError, "there are no trades of ACME"),
        (ticks(1.0), {"stop_trigger": "mark"}, ParameterError, "stop_trigger is 'mark'"),
        (BARS, {"stop_trigger": "last"}, ParameterError, "only trades and quotes can have"),
    ],
)
def test_what_cannot_be_run_is_refused(data, options, error, words):
    with pytest.raises(error, match=words):
        cambist.backtest(Told(), data, **options)


def test_a_strategy_that_would_see_nothing_is_refused():
    class OnBars(Strategy):
        def on_bar(self, bar):
            self.buy()

    with pytest.raises(InputError, match="OnBars has no on_tick, and this run has nothing else"):
        cambist.backtest(OnBars, ticks(1.0))


def test_memory_does_not_grow_with_the_data():
    """Ten times the rows, made block by block, at the same peak."""

    class Made:
        kind = name = "ticks"

        def __init__(self, blocks):
            self.count = blocks

        def blocks(self, size=0):
            for number in range(self.count):
                yield ticks(*[10.0] * 2_000, every=1_000_000, start=START + number * 2 * SECOND_NS)

    class Counting(Strategy):
        def on_tick(self, tick):
            pass

    def peak(blocks):
        tracemalloc.start()
        result = cambist.backtest(Counting, Made(blocks), blocks=True, benchmark=False)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result.n_bars == 2_000 * blocks
        return found

    peak(1)  # imports
    assert peak(60) < 1.2 * peak(6)


def test_a_real_day_of_trades_and_quotes(outside_data):
    """A quoting strategy on Binance's spot market: fills agree with the record they were made from."""

    class Joining(Strategy):
        def on_start(self):
            self.count = 0

        def on_quote(self, quote):
            self.count += 1
            if self.count % 500 == 1:
                self.cancel_all()
                self.buy(0.001, limit=quote.bid)
                if self.position.size > 0:
                    self.sell(self.position.size, limit=quote.ask)

    folder = outside_data / "ticks"
    coin = Instrument(symbol="BTCUSDT", tick_size="0.01", step_size="0.00001")
    trades = cambist.open_ticks(folder / "binance_spot_BTCUSDT_2024-08-08_trades.parquet", instrument=coin)
    book = cambist.open_quotes(folder / "binance_spot_BTCUSDT_2024-08-08_bookticker.parquet", instrument=coin)
    result = cambist.backtest(Joining, [trades, book], cash=1_000_000, fill_on_touch=False)
    rows, best = trades.load(), book.load()
    assert len(result.fill_records) > 10
    assert result.n_bars == len(rows) + len(best)
    for fill in result.fill_records:
        assert str(fill.liquidity) == "maker"
        through = rows.price[rows.ts == fill.ts]
        quoted = best.ask if fill.side == "buy" else best.bid
        reached = quoted[best.ts == fill.ts]
        if fill.side == "buy":
            assert (through < fill.price).any() or (reached <= fill.price).any()
        else:
            assert (through > fill.price).any() or (reached >= fill.price).any()
