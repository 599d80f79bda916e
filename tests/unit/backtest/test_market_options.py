"""Runs on trades and quotes with bars, latency, sessions and the options of an account, rule by rule."""

from __future__ import annotations

import numpy as np
import pytest

import cambist
from cambist import Bars, InputError, Instrument, Interest, Margin, ParameterError, Quotes, Strategy, Ticks, tick_bars
from cambist.data import weekly_calendar
from cambist.indicators import SMA
from cambist.model.times import DAY_NS, MINUTE_NS, SECOND_NS, to_ns

START = to_ns("2024-03-01 10:00")
ACME = Instrument(symbol="ACME", tick_size="0.01", step_size="1")
PERP = Instrument(
    symbol="PERP", kind="linear_perpetual", base="B", quote="USD", tick_size="0.01", step_size="1", margin_rate="0.1"
)
WAYS = pytest.mark.parametrize("way", [{}, {"events": True}, {"blocks": True}], ids=["columns", "events", "blocks"])


def at(seconds):
    return START + round(seconds * SECOND_NS)


def ticks(rows, instrument=ACME):
    """Trades of one unit each, from (seconds, price)."""
    seconds, prices = zip(*rows, strict=True)
    return Ticks(instrument, [at(one) for one in seconds], prices, np.ones(len(prices)))


def quotes(rows, instrument=ACME):
    """Quotes from (seconds, bid, ask)."""
    seconds, bids, asks = zip(*rows, strict=True)
    return Quotes(instrument, [at(one) for one in seconds], bids, asks)


class Diary(Strategy):
    """Writes down what it is shown; does at the n-th call what the script says."""

    def __init__(self, script=None, length=0):
        super().__init__()
        self.script, self.length = script or {}, length

    def fresh(self):
        return self  # tests look at what it kept

    def on_start(self):
        self.seen, self.heard = [], []
        self.average = SMA(self.data.close, self.length) if self.length else None

    def note(self, what, value):
        self.seen.append((what, (self.now - START) / SECOND_NS, value))
        if len(self.seen) - 1 in self.script:
            self.script[len(self.seen) - 1](self)

    def on_tick(self, tick):
        self.note("tick", tick.price)

    def on_quote(self, quote):
        self.note("quote", quote.bid)

    def on_warmup_bar(self, bar):
        self.note("warmup", bar.close)

    def on_bar(self, bar):
        self.note("bar", bar.close if self.average is None else self.average[0])

    def on_step(self):
        self.note("step", None)

    def on_order(self, order):
        self.heard.append(((self.now - START) / SECOND_NS, str(order.status)))

    def on_timer(self, name):
        self.note("timer", name)


def run(script, *data, length=0, **options):
    strategy = Diary(script, length)
    return strategy, cambist.backtest(strategy, list(data), benchmark=False, **options)


def told(result):
    return [((fill.ts - START) / SECOND_NS, fill.price, fill.size) for fill in result.fill_records]


# Bars.


@WAYS
def test_bars_close_after_every_trade_of_their_time_and_hold_those_before_it(way):
    data = ticks([(0, 10.0), (30, 12.0), (60, 9.0), (60, 8.0), (200, 11.0)])
    strategy, result = run({}, data, timeframe="1m", **way)
    assert strategy.seen == [
        ("tick", 0, 10.0),
        ("tick", 30, 12.0),
        ("tick", 60, 9.0),
        ("tick", 60, 8.0),
        ("bar", 60, 12.0),
        ("step", 60, None),
        ("bar", 120, 8.0),
        ("step", 120, None),
        ("tick", 200, 11.0),
        ("bar", 240, 11.0),
        ("step", 240, None),
    ]
    assert (result.n_bars, result.timeframes, result.ended) == (5, ("ticks", "1m"), at(240))


@WAYS
def test_indicators_stand_over_the_bars_and_trades_are_shown_while_they_warm_up(way):
    data = ticks([(20 + 60 * number, 10.0 + number) for number in range(4)])
    strategy, _ = run({}, data, timeframe="1m", length=3, **way)
    kinds = [what for what, *_ in strategy.seen]
    assert kinds == ["tick", "warmup"] * 2 + ["tick", "bar", "step"] * 2
    assert [value for what, _, value in strategy.seen if what == "bar"] == [11.0, 12.0]


@WAYS
def test_an_order_of_on_bar_meets_the_next_trade(way):
    data = ticks([(0, 10.0), (60, 11.0), (61, 12.0)])
    _, result = run({2: lambda one: one.buy(2)}, data, timeframe="1m", **way)
    assert told(result) == [(61, 12.0, 2.0)]


@WAYS
def test_given_bars_may_begin_before_the_trades_and_warm_indicators_up(way):
    bars = Bars(ACME, "1m", at(0) - np.arange(3, 0, -1) * MINUTE_NS, *[[1.0, 2.0, 3.0]] * 4, [1.0] * 3)
    strategy, result = run({}, bars, ticks([(0, 10.0), (5, 11.0)]), length=2, **way)
    assert strategy.seen == [
        ("warmup", -120, 1.0),
        ("bar", -60, 1.5),
        ("step", -60, None),
        ("tick", 0, 10.0),
        ("bar", 0, 2.5),
        ("step", 0, None),
        ("tick", 5, 11.0),
    ]
    assert result.started == at(-120)


def test_given_bars_are_kept_and_the_others_are_made():
    other = Instrument(symbol="OTHER", tick_size="0.01")
    bars = Bars(ACME, "5m", [at(-300)], *[[7.0]] * 5)

    class Listing(Strategy):
        def on_bar(self, bar):
            seen.append((bar.symbol, str(self.data[bar.symbol].timeframe), bar.close, self.position.size))

    seen = []
    cambist.backtest(Listing, [ticks([(0, 1.0)]), ticks([(1, 2.0)], other), bars], timeframe="1m", benchmark=False)
    assert seen == [("ACME", "5m", 7.0, 0.0), ("OTHER", "1m", 2.0, 0.0)]


def test_bars_are_made_of_trades_where_there_are_some_else_of_the_middle_of_quotes():
    book = quotes([(0, 10.0, 11.0), (10, 20.0, 22.0)])
    strategy, _ = run({}, book, timeframe="1m")
    assert strategy.seen[-2] == ("bar", 60, 21.0)
    strategy, _ = run({}, book, ticks([(5, 15.0)]), timeframe="1m")
    assert strategy.seen[-2] == ("bar", 60, 15.0)


@WAYS
def test_one_strategy_may_see_bars_and_another_trades(way):
    class OnBars(Strategy):
        def on_bar(self, bar):
            self.buy(1, tag="bars")

    class OnTicks(Strategy):
        def on_tick(self, tick):
            if tick.ts == at(10):
                self.buy(1, tag="ticks")

    data = ticks([(0, 10.0), (10, 11.0), (20, 12.0), (60, 13.0), (61, 14.0)])
    result = cambist.backtest([OnBars, OnTicks], data, timeframe="1m", benchmark=False, **way)
    tags = [result.order_records[fill.order_id - 1].tag for fill in result.fill_records]
    assert list(zip(tags, [one[0] for one in told(result)], strict=True)) == [("ticks", 20), ("bars", 61)]


def test_an_instrument_with_bars_alone_can_be_looked_at_and_not_traded():
    index = Instrument(symbol="INDEX")
    bars = Bars(index, "1m", at(0) + np.arange(2) * MINUTE_NS, *[[5.0, 6.0]] * 4, [1.0] * 2)

    class Follows(Strategy):
        def on_bar(self, bar):
            seen.append((bar.symbol, bar.close, self.data["INDEX"].price, self.buy(1).reason))
            self.buy(1, data="ACME")

    seen = []
    result = cambist.backtest(Follows, [ticks([(0, 10.0), (70, 11.0), (130, 12.0)]), bars], cash=1_000)
    assert [one[:3] for one in seen] == [("INDEX", 5.0, 5.0), ("INDEX", 6.0, 6.0)]
    assert [str(order.reason).partition(":")[0] for order in result.order_records] == ["no_market", ""] * 2
    assert told(result) == [(70, 11.0, 1.0), (130, 12.0, 1.0)]
    assert result.series.position_values["INDEX"].tolist() == [0.0] * len(result.curve.all_times)


def test_lines_of_an_instrument_without_bars_are_refused_by_name():
    class Looks(Strategy):
        def on_start(self):
            SMA(self.data["OTHER"].close, 3)

        def on_tick(self, tick):
            pass

    other = ticks([(0, 1.0)], Instrument(symbol="OTHER"))
    bars = Bars(ACME, "1m", [at(0)], *[[1.0]] * 5)
    with pytest.raises(cambist.StrategyError, match=r"OTHER has trades or quotes in this run and no bars.*timeframe="):
        cambist.backtest(Looks, [ticks([(0, 1.0)]), other, bars])


# Requests that take time, and sessions.


@WAYS
def test_a_request_arrives_at_its_time_whatever_event_comes_next(way):
    other = ticks([(0, 1.0), (2, 1.0), (3, 1.0)], Instrument(symbol="OTHER"))
    script = {0: lambda one: one.buy(1, data="ACME")}
    data = (ticks([(0, 10.0), (1, 11.0), (1.5, 12.0), (9, 13.0)]), other)
    strategy, result = run(script, *data, latency="1500ms", **way)
    assert told(result) == [(1.5, 12.0, 1.0)]
    strategy, result = run(script, *data, latency="1600ms", **way)
    assert told(result) == [(9, 13.0, 1.0)]
    assert strategy.heard == [(1.6, "accepted"), (9, "filled")]


@WAYS
def test_an_order_may_trade_until_its_cancel_arrives(way):
    def leave(one):
        one.cancel_all()

    script = {0: lambda one: one.buy(1, limit=9.0), 2: leave}
    rows = [(0, 10.0), (1, 10.0), (2, 10.0), (2.5, 8.0)]
    _, result = run(script, ticks(rows), latency="600ms", **way)
    assert told(result) == [(2.5, 9.0, 1.0)]
    _, result = run(script, ticks(rows), latency="400ms", **way)
    assert told(result) == []


@WAYS
def test_all_requests_may_be_refused(way):
    _, result = run({0: lambda one: one.buy(1)}, ticks([(0, 10.0), (1, 10.0)]), rejection=1.0, **way)
    assert [(str(one.status), one.reason) for one in result.order_records] == [("rejected", "random_rejection")]


HOURS = weekly_calendar("TEST", {"mon-fri": "9:00-10:01"}, start="2024-02-01", end="2024-04-01")


@WAYS
def test_a_day_order_ends_with_its_session_before_any_later_event(way):
    other = ticks([(0, 1.0), (60, 1.0)], Instrument(symbol="OTHER"))
    data = (ticks([(0, 10.0), (59, 11.0), (61, 8.0)]), other)
    script = {0: lambda one: one.buy(1, limit=9.0, data="ACME", time_in_force="day")}
    strategy, result = run(script, *data, calendar=HOURS, **way)
    assert (told(result), strategy.heard) == ([], [(0, "accepted"), (60, "expired")])
    _, result = run(script, *data, **way)  # around the clock, a session is a UTC day
    assert told(result) == [(61, 9.0, 1.0)]


@WAYS
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_for_the_close_trades_where_the_market_stands_at_the_end_of_the_session(side, way):
    script = {1: lambda one: getattr(one, side)(3, on_close=True)}
    trades = [(0, 10.0), (1, 11.0), (59, 12.0), (60, 50.0), (70, 60.0)]
    strategy, result = run(script, ticks(trades), calendar=HOURS, leverage=5.0, **way)
    assert told(result) == [(60, 12.0, 3.0)]
    assert strategy.heard[-1] == (60, "filled")
    book = quotes([(seconds, price, price + 0.5) for seconds, price in trades])
    _, result = run(script, book, calendar=HOURS, leverage=5.0, **way)
    assert told(result) == [(60, 12.5 if side == "buy" else 12.0, 3.0)]


def test_an_order_for_the_close_sent_with_the_last_trade_of_the_day_trades_at_midnight():
    data = ticks([(0, 10.0), (3_600, 12.0), (86_400, 20.0)])
    _, result = run({1: lambda one: one.buy(3, on_close=True)}, data)
    assert [(fill.ts, fill.price) for fill in result.fill_records] == [(to_ns("2024-03-02"), 12.0)]


def test_a_calendar_that_cannot_be_had_is_no_fault_until_an_order_goes_by_it():
    nowhere = Instrument(symbol="ACME", tick_size="0.01", step_size="1", calendar="NOWHERE")
    data = ticks([(0, 10.0), (1, 11.0)], nowhere)
    _, result = run({0: lambda one: one.buy(1)}, data)
    assert told(result) == [(1, 11.0, 1.0)]
    with pytest.raises(cambist.CambistError, match="NOWHERE"):
        run({0: lambda one: one.buy(1, limit=9.0, time_in_force="day")}, data)


def test_after_the_last_session_of_the_calendar_a_day_order_has_no_end():
    short = weekly_calendar("SHORT", {"fri": "9:00-10:01"}, start="2024-02-27", end="2024-03-05")
    script = {2: lambda one: one.buy(1, limit=9.0, time_in_force="day")}
    _, result = run(script, ticks([(0, 10.0), (61, 10.0), (90, 10.0), (86_400, 8.0)]), calendar=short)
    assert told(result) == [(86_400, 8.0, 1.0)]


def test_timers_go_by_the_calendar():
    class Clocked(Strategy):
        def on_start(self):
            self.schedule("end", cambist.OnSession("close"))

        def on_tick(self, tick):
            pass

        def on_timer(self, name):
            fired.append((self.now - START) / SECOND_NS)

    fired = []
    cambist.backtest(Clocked, ticks([(0, 1.0), (59, 1.0), (60, 1.0), (90, 1.0)]), calendar=HOURS, benchmark=False)
    assert fired == [60]


# The account.


@WAYS
def test_funding_is_exchanged_on_what_was_held_at_its_time(way):
    times = at(0) + np.array([-3_600, 30, 3_600]) * SECOND_NS
    funding = {"PERP": (times, [0.5, 0.01, 0.5])}
    rows = [(0, 100.0), (1, 100.0), (20, 110.0), (40, 120.0), (50, 120.0)]
    bought_before = {0: lambda one: one.buy(2)}
    bought_after = {2: lambda one: one.buy(2)}  # fills at the first trade after the exchange
    _, result = run(bought_before, ticks(rows, PERP), funding=funding, **way)
    assert [(flow.ts, flow.amount) for flow in result.flow_records] == [(at(30), -2 * 110.0 * 0.01)]
    _, result = run(bought_after, ticks(rows, PERP), funding=funding, **way)
    assert (told(result), result.flow_records) == ([(40, 120.0, 2.0)], [])


@WAYS
def test_a_deposit_is_there_for_the_first_event_after_its_time(way):
    script = {1: lambda one: one.buy(100), 2: lambda one: one.buy(100)}
    data = ticks([(0, 10.0), (10, 10.0), (20, 10.0), (30, 10.0)])
    _, result = run(script, data, cash=500, cash_flows=[("2024-03-01 10:00:15", 1_000)], **way)
    assert [str(one.status) for one in result.order_records] == ["rejected", "filled"]
    assert result.equity["nav"].tolist() == pytest.approx([100.0] * len(result.equity))
    assert result.account.equity == 1_500


@WAYS
def test_interest_is_charged_at_midnight_on_what_was_held(way):
    data = ticks([(0, 10.0), (1, 10.0), (86_400, 12.0)])
    terms = Interest(short=0.365, day_count=365)
    _, result = run({0: lambda one: one.sell(100)}, data, cash=10_000, interest=terms, **way)
    assert [(flow.ts, flow.amount) for flow in result.flow_records] == [
        (to_ns("2024-03-02"), pytest.approx(-1_000 * 0.001))
    ]


CROSS = Margin(mode="cross", leverage=10, maintenance=0.05)


@WAYS
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_position_is_closed_by_the_first_trade_at_which_its_margin_is_used_up(mode, way):
    # 100 bought at 100 with 1,000 of margin: liquidated where 1,000 - 100 * fall <= 5 % of 100 * price.
    margin = Margin(mode=mode, leverage=10, maintenance=0.05)
    rows = [(0, 100.0), (1, 100.0), (2, 94.75), (3, 94.5), (4, 80.0)]
    _, result = run({0: lambda one: one.buy(100)}, ticks(rows, PERP), cash=1_000, margin=margin, **way)
    assert told(result) == [(1, 100.0, 100.0), (3, 94.5, 100.0)]
    assert result.trade_records[0].reason == "liquidation"
    assert result.account.equity == pytest.approx(1_000 - 100 * 5.5)


@WAYS
def test_a_gap_is_closed_no_worse_than_where_nothing_is_left(way):
    rows = [(0, 100.0), (1, 100.0), (2, 60.0), (3, 60.0)]
    _, result = run({0: lambda one: one.buy(100)}, ticks(rows, PERP), cash=1_000, margin=CROSS, **way)
    assert told(result)[1:] == [(2, 90.0, 100.0)]
    assert result.account.equity == pytest.approx(0.0)


@WAYS
def test_with_quotes_the_middle_decides_and_the_far_side_is_traded_with(way):
    book = quotes([(0, 99.5, 100.0), (1, 99.5, 100.0), (2, 94.0, 95.5), (3, 94.0, 95.0)], PERP)
    trades = ticks([(2.5, 90.0)], PERP)  # does not count: there are quotes
    _, result = run({0: lambda one: one.buy(100)}, book, trades, cash=1_000, margin=CROSS, **way)
    assert told(result) == [(1, 100.0, 100.0), (3, 94.0, 100.0)]


@WAYS
def test_mark_prices_decide_where_there_are_some(way):
    marks = {"PERP": (at(0) + np.array([0, 2, 4]) * SECOND_NS, [100.0, 94.0, 100.0])}
    rows = [(0, 100.0), (1, 100.0), (3, 99.0), (4, 50.0)]
    _, result = run({0: lambda one: one.buy(100)}, ticks(rows, PERP), cash=1_000, margin=CROSS, marks=marks, **way)
    assert told(result) == [(1, 100.0, 100.0), (3, 99.0, 100.0)]


@WAYS
def test_orders_of_the_instrument_are_withdrawn_before_they_can_trade(way):
    script = {0: lambda one: one.buy(100), 1: lambda one: one.sell(100, stop=97.0)}
    rows = [(0, 100.0), (1, 100.0), (2, 94.0)]
    _, result = run(script, ticks(rows, PERP), cash=1_000, margin=CROSS, **way)
    assert [(order.reason, str(order.status)) for order in result.order_records] == [
        ("", "filled"),
        ("liquidation", "canceled"),
        ("", "filled"),
    ]


# What the result holds.


@WAYS
def test_series_have_the_rows_of_equity(way):
    data = ticks([(0, 10.0), (1, 11.0), (90, 12.0), (91, 13.0), (200, 14.0)])
    _, result = run({0: lambda one: one.buy(10), 2: lambda one: one.sell(4)}, data, cash=1_000, **way)
    series = result.series
    assert list(series.index) == list(result.equity.index)
    assert series.equity.tolist() == result.equity["equity"].tolist()
    if not way.get("blocks"):
        seconds = (series.index.as_unit("ns").asi8 - START) // SECOND_NS
        assert seconds.tolist() == [1, 91, 200]
        assert series.positions["ACME"].tolist() == [10.0, 6.0, 6.0]
        assert series.closes["ACME"].tolist() == [11.0, 13.0, 14.0]
        assert series.cash.tolist() == [890.0, 942.0, 942.0]
    assert [len(series.buys), len(series.sells)] == [1, 1]
    assert len(result.holdings.held) == 1


def test_a_saved_result_has_its_series(tmp_path):
    data = ticks([(0, 10.0), (1, 11.0), (90, 12.0), (91, 13.0), (200, 14.0)])
    script = {0: lambda one: one.buy(10), 2: lambda one: one.close()}
    _, result = run(script, data, cash=1_000, timeframe="1m")
    back = cambist.load_result(result.save(tmp_path / "kept"))
    assert back.series.to_frame().equals(result.series.to_frame())
    assert back.series.trades.equals(result.series.trades)


# What stays refused.


@pytest.mark.parametrize(
    ("data", "options", "error", "words"),
    [
        ([ticks([(0, 1.0)])], {"actions": {"ACME": None}}, ParameterError, "actions is .*on bars alone"),
        ([ticks([(0, 1.0)])], {"calendar": {"ACM": HOURS}}, ParameterError, "calendar is given for 'ACM'"),
        ([ticks([(0, 1.0)])], {"marks": {"ACME": None}, "margin": CROSS}, cambist.DataError, "the mark prices of ACME"),
        ([ticks([(0, 1.0)])], {"cash_flows": [("2020-01-01", 1)]}, ParameterError, "before the run begins"),
        (
            [ticks([(0, 1.0)]), *[Bars(ACME, "1m", [at(0)], *[[1.0]] * 5)] * 2],
            {},
            InputError,
            "two series of bars of ACM",
        ),
        (
            [ticks([(0, 1.0)]), Bars(Instrument(symbol="ACME"), "1m", [at(0)], *[[1.0]] * 5)],
            {},
            InputError,
            "ACME is described in two ways",
        ),
        ([ticks([(DAY_NS // SECOND_NS * 90, 1.0)])], {"calendar": HOURS}, InputError, "knows .* and the ticks of ACME"),
        ([ticks([(0, 1.0)])], {"timeframe": "1x"}, InputError, "'1x' is no timeframe"),
    ],
)
def test_what_cannot_be_run_is_refused(data, options, error, words):
    with pytest.raises(error, match=words):
        run({}, *data, **options)


def test_bars_cannot_be_made_of_anything_else():
    with pytest.raises(InputError, match="bars cannot be made of a list"):
        tick_bars([1, 2], "1m")
