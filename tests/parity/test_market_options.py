"""Runs on trades and quotes with all that can be asked for, alike whichever way they are played.

Bars made and given, latency, rejection, margin, liquidation, marks, funding, interest, cash flows and sessions.
"""

from __future__ import annotations

import random

import attrs
import numpy as np
import pytest
from market_scenarios import START, Pieces, make_books, make_market
from operated import random_rules

import cambist
from cambist import StopRequest, StrategyError, Ticks, tick_bars
from cambist.backtest.market import feeds
from cambist.data import weekly_calendar
from cambist.engine.document import trading_of
from cambist.engine.rebuild import rebuild
from cambist.errors import InputError
from cambist.indicators import SMA
from cambist.model.times import MINUTE_NS, SECOND_NS
from cambist.orders import OrderBook
from cambist.storage.journal import JournalFolder
from cambist.strategies.market import MarketBarSeries

WAYS = {"events": {"events": True}, "blocks": {"blocks": True}, "events in blocks": {"events": True, "blocks": True}}
KEPT = ("cash", "benchmark", "fees", "slippage", "fill_on_touch", "leverage", "sizer", "risk")


@pytest.fixture(scope="session")
def trader(scenarios):
    """The random trader, on trades, quotes and bars."""

    class EveryTrader(scenarios["trader"]):
        def on_start(self):
            self.rng = random.Random(f"trader {self.seed}")
            self.is_special = self.rng.random() < 0.5
            self.handles = []
            barred = [series for series in self.data if isinstance(series, MarketBarSeries)]
            self.lines = [line for series in barred for line in (series.close, series.volume)]
            self.lines += [SMA(series.close, self.rng.randrange(2, 5)) for series in barred]
            self.see("start")
            self.act("start", 0.2)

        def on_tick(self, tick):
            self.see("tick", tick.copy(), self.position.size)
            self.act("tick", 0.5)

        def on_quote(self, quote):
            self.see("quote", repr(quote.copy()), self.position.size)
            self.act("quote", 0.5)

        def on_book(self, book):
            ahead = [repr(self.queue_ahead(order)) for order in self.open_orders]
            self.see("book", book.bids(3), book.asks(), repr(book.bid_size), self.position.size, ahead)
            self.act("book", 0.5)

        def see(self, what, *facts):
            if len(self.trace) == self.fails_at:
                raise RuntimeError(f"out of luck in {what}")
            held = [(one.size, repr(one.average_price), repr(one.last_price)) for one in self.positions.values()]
            shown = [repr(line[-ago]) for line in self.lines for ago in (0, 1, 7)] if what != "start" else []
            prices = [repr(series.price) for series in self.data]
            self.trace.append((self.name, what, self.now, repr(facts), self.cash, self.equity, held, prices, shown))

    return EveryTrader


def options_of(scenarios, scenario, histories):
    """Return the keywords of a run: those of its scenario that mean something here, and more."""
    rng = random.Random(f"market options {scenario.seed}")
    options = {name: value for name, value in scenario.options.items() if name in KEPT}
    more = {
        "latency": ["10s", "45s", "150s"],
        "rejection": [0.2],
        "volume_limit": [1.0, 0.3],
        "timeframe": ["1m", "2m", "5m"],
    }
    options |= {name: rng.choice(values) for name, values in more.items() if rng.random() < 0.6}
    if rng.random() < 0.3:
        options["calendar"] = weekly_calendar("TEST", {"mon-sun": "0:05-23:50"}, start="2024-02-25", end="2024-03-09")
    first, last = min(int(one.ts[0]) for one in histories), max(int(one.ts[-1]) for one in histories)
    some = {one.instrument.symbol: one for one in histories}.values()
    series = [tick_bars(Ticks(one.instrument, one.ts, *[np.full(len(one), 20.0)] * 2), "1m").load() for one in some]
    known = ("margin", "funding", "interest", "transfers")
    account = attrs.evolve(scenario, account=tuple(name for name in scenario.account if name in known))
    options |= scenarios["account_options"](account, series)
    options["cash_flows"] = [flow for flow in options.get("cash_flows", ()) if first <= flow[0]]
    if "margin" in options and "marks" in scenario.account:
        times = np.arange(first - MINUTE_NS, last + MINUTE_NS, 20 * SECOND_NS)
        chance = np.random.default_rng(scenario.seed)
        options["marks"] = {
            one.instrument.symbol: (times, 20.0 * np.exp(np.cumsum(chance.normal(0.0, 0.006, len(times)))))
            for one in series
            if rng.random() < 0.6
        }
    return options


def given_bars(scenario, histories):
    """Return bars for some of the instruments, which begin before the trades do."""
    rng = np.random.default_rng(scenario.seed + 7)
    if rng.random() < 0.5:
        return []
    instrument = histories[0].instrument
    ts = START - 9 * MINUTE_NS + np.flatnonzero(rng.random(scenario.bars) < 0.8) * MINUTE_NS
    close = 20.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, len(ts))))
    return [cambist.Bars(instrument, "1m", ts, close, close * 1.01, close * 0.99, close, np.ones(len(ts)))]


def play(scenarios, trader, scenario, *, events=False, blocks=False, stop=None, make=make_market):
    histories = make(scenarios, scenario)
    sources = [Pieces(one, scenario.seed + number) for number, one in enumerate(histories)] if blocks else histories
    trace = []
    traders = [
        trader(
            seed=scenario.seed * 10 + number,
            activity=scenario.activity,
            trace=trace,
            fails_at=scenario.fails_at,
            moves="strategy transfers" in scenario.account,
        )
        for number in range(scenario.traders)
    ]
    options = options_of(scenarios, scenario, histories)
    if make is make_books:
        options = {name: value for name, value in options.items() if name not in ("slippage", "volume_limit")}
        options["book_cancels"] = ["behind", "spread"][scenario.seed % 2]
    data = [*given_bars(scenario, histories), *sources]
    try:
        result = cambist.backtest(traders, data, events=events, blocks=blocks, stop=stop, **options)
    except StrategyError as error:
        return scenarios["played"](error.result, trace, str(error))
    return scenarios["played"](result, trace)


def hold_equal(expected, got, scenario):
    for key in expected:
        assert len(expected[key]) == len(got[key]), f"{key} of {scenario}"
        for number, (one, other) in enumerate(zip(expected[key], got[key], strict=True)):
            assert one == other, f"{key} {number} of {scenario}"


def outcome(played, way):
    return played.books() | (played.days() if "blocks" in way else played.curve())


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_every_way_of_playing_gives_the_same_books(scenarios, trader, first):
    for seed in range(first, first + 20):
        scenario = scenarios["make_sole_account"](seed)
        reference = play(scenarios, trader, scenario)
        for way in WAYS.values():
            hold_equal(outcome(reference, way), outcome(play(scenarios, trader, scenario, **way), way), scenario)


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_books_are_played_alike_too(scenarios, trader, first):
    for seed in range(first, first + 20):
        scenario = scenarios["make_sole_account"](seed)
        reference = play(scenarios, trader, scenario, make=make_books)
        for way in WAYS.values():
            again = play(scenarios, trader, scenario, **way, make=make_books)
            hold_equal(outcome(reference, way), outcome(again, way), scenario)


@pytest.mark.parametrize("make", [make_market, make_books])
def test_the_borders_of_windows_are_not_felt(scenarios, trader, monkeypatch, make):
    for seed in range(12):
        scenario = scenarios["make_sole_account"](seed)
        reference = play(scenarios, trader, scenario, make=make)
        with monkeypatch.context() as patch:
            patch.setattr(feeds, "ROWS", 1 + seed % 9)
            hold_equal(outcome(reference, {}), outcome(play(scenarios, trader, scenario, make=make), {}), scenario)


def test_a_strategy_that_raises_leaves_the_same_result(scenarios, trader):
    for seed in range(16):
        scenario = attrs.evolve(scenarios["make_sole_account"](seed), fails_at=5 + 9 * seed)
        make = make_books if seed % 2 else make_market
        reference = play(scenarios, trader, scenario, make=make)
        for way in WAYS.values():
            again = play(scenarios, trader, scenario, **way, make=make)
            hold_equal(outcome(reference, way), outcome(again, way), scenario)


def test_a_run_that_is_stopped_before_its_first_event_plays_none(scenarios, trader):
    request = StopRequest()
    request("not today")
    played = play(scenarios, trader, scenarios["make_sole_account"](0), stop=request)
    assert (played.result.n_bars, played.result.stopped) == (0, "not today")


def test_time_never_goes_back_and_the_scenarios_reach_every_corner(scenarios, trader):
    """A parity test of strategies that do nothing would always pass."""
    seen = set()
    for seed in range(100):
        make = make_books if seed % 3 == 0 else make_market
        played = play(scenarios, trader, scenarios["make_sole_account"](seed), make=make)
        for order in played.result.order_records:
            seen |= {order.type, order.time_in_force, str(order.status), order.reason.partition(":")[0], order.tag}
            seen.add(f"{order.type} {order.status}")
        seen |= {flow.kind for flow in played.result.flow_records} | {entry[1] for entry in played.trace}
        times = [entry[2] for entry in played.trace if isinstance(entry[2], int)]
        assert times == sorted(times), seed
    assert seen >= {
        *("market", "limit", "stop", "trailing_stop", "market_on_close filled", "day", "ioc"),
        *("filled", "canceled", "rejected", "expired", "random_rejection", "liquidation", "self_trade"),
        *("funding", "interest", "deposit", "withdrawal"),
        *("tick", "quote", "book", "warmup", "bar", "step", "order", "fill", "trade", "timer", "stop", "sent"),
    }


def test_series_and_holdings_say_what_the_curve_says(scenarios, trader):
    """Cash and positions, valued anew at each sample, are the equity of the curve, to the last bit."""
    checked = 0
    for seed in range(30):
        scenario = scenarios["make_sole_account"](seed)
        result = play(scenarios, trader, scenario, make=make_books if seed % 3 == 0 else make_market).result
        series = result.series
        assert series.index.view("int64").tolist() == result.curve.all_times.tolist()
        assert series.positions.iloc[-1].tolist() == pytest.approx(
            [
                sum(fill.size * fill.side.sign for fill in result.fill_records if fill.instrument == one)
                for one in result.instruments
            ]
        )
        assert len(series.trades) == sum(not trade.is_open for trade in result.trade_records)
        # A trade that ends between two events, such as at the close of a session, is on the row of the later one.
        closed = {trade.id: trade.closed_at for trade in result.trade_records if not trade.is_open}
        rows = series.index.view("int64")
        for number, row in zip(series.trades["trade"], series.trades.index.view("int64").tolist(), strict=True):
            assert row == rows[np.searchsorted(rows, closed[number])]
        assert result.holdings is not None
        if not result.settings.get("marks"):
            total = series.cash.to_numpy().copy()
            for column in series.position_values.to_numpy().T:
                total += column
            assert total.tolist() == result.curve.all_equity.tolist(), seed
            checked += bool(result.fill_records)
    assert checked > 10


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_the_fold_of_a_journal_is_what_the_run_came_to(scenarios, trader, first, tmp_path):
    fills = 0
    for seed in range(first, first + 20):
        scenario = scenarios["make_sole_account"](seed)
        histories = make_market(scenarios, scenario)
        traders = [trader(seed=seed * 10, activity=scenario.activity, trace=[], fails_at=-1, moves=False)]
        options = options_of(scenarios, scenario, histories)
        folder = tmp_path / str(seed)
        try:
            result = cambist.backtest(traders, histories, events=True, journal=folder, **options)
        except (InputError, StrategyError):
            continue
        state = rebuild(JournalFolder(folder))
        expected = trading_of(OrderBook.restore("", result.order_records, []), result.fill_records, None, {})
        folded = trading_of(state.book, state.fills, None, {})
        for name in ("orders", "fills"):
            assert repr(folded[name]) == repr(expected[name]), (seed, name)
        account = result.account
        assert (repr(state.portfolio.cash), repr(state.portfolio.carry)) == (repr(account.cash), repr(account.carry))
        closed = {trade.id: repr(trade.net) for trade in state.portfolio.trades.closed}
        assert closed == {trade.id: repr(trade.net) for trade in result.trade_records if not trade.is_open}
        fills += len(state.fills)
    assert fills > 10


def test_a_journal_on_trades_and_quotes_has_what_rules_remember_and_where_series_begin(scenarios, trader, tmp_path):
    trips = anchors = 0
    for seed in range(16):
        scenario = scenarios["make_sole_account"](seed)
        histories = make_market(scenarios, scenario)
        traders = [trader(seed=seed * 10, activity=scenario.activity, trace=[], fails_at=-1, moves=False)]
        folder, timeframe = tmp_path / str(seed), (None, "1m")[seed % 2]
        options = options_of(scenarios, scenario, histories)
        options |= {"risk": random_rules(seed), "timeframe": timeframe}
        try:
            result = cambist.backtest(traders, histories, events=True, journal=folder, **options)
        except (InputError, StrategyError):
            continue
        state = rebuild(JournalFolder(folder))
        assert {name.rstrip("-23") for name in state.rules if name} == {rule.name for rule in options["risk"]}
        halted = {hold.by for hold in state.trading}
        assert all(any(f"by {name}" in warning for warning in result.warnings) for name in halted)
        trips += len(halted)
        assert bool(state.anchors) is (timeframe is not None)
        for series, ts in state.anchors.items():
            made_of = [one for one in histories if f"{one.instrument.symbol} 1m" == series]
            first = next((one for one in made_of if one.kind == "ticks"), made_of[0])
            assert ts == int(first.ts[0]) // MINUTE_NS * MINUTE_NS
        anchors += len(state.anchors)
    assert trips > 2
    assert anchors > 5
