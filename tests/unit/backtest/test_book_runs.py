"""Runs on recorded order books, rule by rule."""

from __future__ import annotations

import gzip
import json
from math import isnan

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import (
    BookUpdates,
    DataError,
    InputError,
    Instrument,
    Margin,
    ParameterError,
    Quotes,
    Side,
    Strategy,
    Ticks,
)
from cambist.errors import InstrumentError
from cambist.model.times import SECOND_NS, to_ns
from cambist.simulation import BookOrder, BookReplay, BookTrade, BookUnits

START = to_ns("2024-03-01 10:00")
ACME = Instrument(symbol="ACME", tick_size="0.5", step_size="1")
WAYS = pytest.mark.parametrize("way", [{}, {"events": True}, {"blocks": True}], ids=["columns", "events", "blocks"])
FIRST = {"bids": {99.5: 30, 99.0: 50}, "asks": {100.5: 20, 101.0: 40}}


def at(seconds):
    return START + round(seconds * SECOND_NS)


def book(*updates, instrument=ACME, first=FIRST):
    """A snapshot at 0 s, then (seconds, bids by price, asks by price)."""
    rows = []
    for seconds, bids, asks in ((0, first["bids"], first["asks"]), *updates):
        for side, levels in ((1, bids), (-1, asks)):
            rows += [(at(seconds), side, price, size, seconds == 0) for price, size in levels.items()]
    return BookUpdates(instrument, *zip(*rows, strict=True))


def trades(*rows, instrument=ACME):
    """Trades from (seconds, price, size, side of the taker)."""
    seconds, price, size, side = zip(*rows, strict=True)
    return Ticks(instrument, [at(one) for one in seconds], price, size, side)


class Told(Strategy):
    """Does at the n-th event what the script says."""

    def __init__(self, script=None, name="Told"):
        super().__init__()
        self.script, self.name = script or {}, name

    def fresh(self):
        return self  # tests look at what it kept

    def on_start(self):
        self.count, self.seen, self.heard = -1, [], []

    def on_book(self, shown):
        self.seen.append((shown.bid, shown.bid_size, shown.ask, shown.ask_size, shown.mid, shown.spread))
        self.go_on()

    def on_tick(self, tick):
        self.go_on()

    def go_on(self):
        self.count += 1
        self.script.get(self.count, lambda _: None)(self)

    def on_order(self, order):
        self.heard.append(((self.now - START) / SECOND_NS, str(order.status), order.filled))


def run(script, *data, **options):
    strategy = Told(script)
    return strategy, cambist.backtest(strategy, list(data), benchmark=False, leverage=10.0, **options)


def told(result):
    return [((one.ts - START) / SECOND_NS, one.price, one.size, str(one.liquidity)) for one in result.fill_records]


@WAYS
def test_a_strategy_sees_the_book_as_it_was_recorded(way):
    kept = {}

    def look(one):
        shown = one.data["ACME"].book
        kept.update(bids=shown.bids(), asks=shown.asks(1), at=(shown.size_at(99.0), shown.size_at(98.0)))
        kept.update(text=repr(shown), time=shown.time, price=one.data["ACME"].price)

    strategy, _ = run({2: look}, book((1, {99.5: 0}, {100.0: 7}), (2, {98.5: 5, 99.0: 8}, {100.0: 0})), **way)
    assert strategy.seen == [
        (99.5, 30, 100.5, 20, 100.0, 1.0),
        (99.0, 50, 100.0, 7, 99.5, 1.0),
        (99.0, 8, 100.5, 20, 99.75, 1.5),
    ]
    assert kept == {
        "bids": [(99.0, 8.0), (98.5, 5.0)],
        "asks": [(100.5, 20.0)],
        "at": (8.0, 0.0),
        "text": "<Book ACME 2024-03-01 10:00:02+00:00 99 / 100.5>",
        "time": pd.Timestamp(at(2), tz="UTC"),
        "price": 99.75,
    }


def test_a_snapshot_empties_what_is_better_than_its_worst_level():
    data = BookUpdates(
        ACME,
        [at(0)] * 4 + [at(1)] * 2,
        [1, 1, -1, -1, 1, -1],
        [99.5, 99.0, 100.5, 101.0, 99.0, 101.5],
        [1, 2, 3, 4, 5, 6],
        [1] * 6,
    )
    strategy, _ = run({}, data)
    assert strategy.seen[-1][:4] == (99.0, 5, 101.5, 6)


def test_a_book_with_one_side_empty_keeps_its_last_mark():
    strategy, result = run({0: lambda one: one.buy(10)}, book((1, {}, {100.5: 0, 101.0: 0}), (2, {99.5: 1}, {})))
    assert isnan(strategy.seen[-1][2])
    assert strategy.seen[-1][3] == 0.0
    assert result.account.equity == 100_000 + 10 * (100.0 - 100.5)


def test_a_position_has_a_worth_before_both_sides_are_known():
    asks = {"bids": {}, "asks": {100.5: 20}}
    _, result = run({0: lambda one: one.buy(10)}, book((60, {}, {100.5: 5}), (120, {99.5: 5}, {}), first=asks))
    assert result.equity["equity"].tolist() == [100_000.0, 100_000.0, 100_000 - 10 * 0.5]


@WAYS
def test_a_market_order_walks_through_the_levels_at_once(way):
    strategy, result = run({0: lambda one: one.buy(50)}, book((1, {}, {100.5: 20})), **way)
    assert told(result) == [(0, 100.5, 20.0, "taker"), (0, 101.0, 30.0, "taker")]
    assert strategy.heard == [(0, "accepted", 0), (0, "partially_filled", 20), (0, "filled", 50)]


def test_what_the_book_cannot_fill_is_canceled():
    _, result = run({0: lambda one: one.buy(100)}, book())
    assert [(one.size, str(one.status), one.filled, one.reason) for one in result.order_records] == [
        (100.0, "canceled", 60.0, "could not trade at once")
    ]


@WAYS
def test_a_limit_stands_behind_what_is_displayed_and_is_filled_by_what_goes_beyond(way):
    kept = []

    def note(one):
        kept.append(one.queue_ahead(one.open_orders[0]) if one.open_orders else None)

    script = {0: lambda one: one.buy(5, limit=99.5), **dict.fromkeys((1, 2, 3, 4, 5), note)}
    sold = trades((1, 99.5, 18, -1), (3, 99.5, 14, -1), (4, 99.5, 9, -1))
    changes = book((1.5, {99.5: 12}, {}), (2, {99.5: 10}, {}))
    strategy, result = run(script, sold, changes, **way)
    # 18 of the 30 ahead traded, which the book then says too; two more left, from behind us while there is anybody.
    assert kept == [12, 12, 10, 0, None]
    assert told(result) == [(3, 99.5, 4.0, "maker"), (4, 99.5, 1.0, "maker")]
    assert strategy.heard[-1] == (4, "filled", 5.0)


def test_who_leaves_the_line_is_a_choice():
    kept = {}
    for cancels in ("behind", "spread"):
        script = {0: lambda one: one.buy(5, limit=99.5), 2: lambda one: kept.update(a=one.queue_ahead(one.handle))}
        script[0] = lambda one: setattr(one, "handle", one.buy(5, limit=99.5))
        run(script, book((1, {99.5: 60}, {}), (2, {99.5: 30}, {})), book_cancels=cancels)
        kept[cancels] = kept.pop("a")
    assert kept == {"behind": 30.0, "spread": 15.0}


def test_an_order_that_is_in_no_line_has_nobody_ahead():
    kept = []

    def look(one):
        order = one.buy(1, stop=150.0)
        kept.append(one.queue_ahead(order))

    run({0: look}, book((1, {99.5: 3}, {})))
    assert isnan(kept[0])
    _, result = run({0: look}, trades((0, 100.0, 1, 1), (1, 100.0, 1, 1)))
    assert isnan(kept[1])
    assert len(result.order_records) == 1


@WAYS
def test_a_request_meets_the_book_of_its_arrival(way):
    changes = book((1, {}, {100.5: 0}), (2, {}, {101.0: 0, 102.0: 9}), (3, {}, {102.0: 9}))
    _, result = run({0: lambda one: one.buy(5)}, changes, latency="1500ms", **way)
    assert told(result) == [(1.5, 101.0, 5.0, "taker")]
    _, result = run({0: lambda one: one.buy(5)}, changes, latency="2s", **way)
    assert told(result) == [(2, 101.0, 5.0, "taker")]  # it arrives before the change of that very time


@WAYS
def test_a_stop_is_set_off_by_trades_where_there_are_some_else_by_the_far_side(way):
    script = {0: lambda one: one.buy(5, stop=101.0)}
    changes = book((2, {}, {100.5: 0}))
    _, result = run(script, changes, **way)
    assert told(result) == [(2, 101.0, 5.0, "taker")]
    _, result = run(script, changes, trades((1, 101.0, 1, 1)), **way)
    assert told(result) == [(1, 100.5, 5.0, "taker")]


def test_a_bracket_is_sent_to_the_book_when_its_entry_has_traded():
    def enter(one):
        one.buy_bracket(5, take_profit=101.0, stop_loss=98.0)

    sold = trades((1, 101.0, 41, 1), (2, 101.0, 9, 1))
    _, result = run({0: enter}, sold, book((3, {99.5: 1}, {})))
    # Forty stood before the profit's limit: one is left for us, then the rest.
    assert told(result) == [(0, 100.5, 5.0, "taker"), (1, 101.0, 1.0, "maker"), (2, 101.0, 4.0, "maker")]
    assert [str(order.status) for order in result.order_records] == ["filled", "canceled", "filled"]


def test_a_bracket_closes_what_its_entry_could_get():
    _, result = run({0: lambda one: one.buy_bracket(90, stop_loss=98.0)}, book((1, {99.5: 0}, {}), (2, {99.0: 0}, {})))
    entry, stop = result.order_records
    assert (entry.filled, str(entry.status), stop.size, str(stop.status)) == (60.0, "canceled", 60.0, "accepted")


def test_post_only_orders_do_not_take_and_amended_ones_lose_their_place():
    def change(one):
        one.modify(one.open_orders[0], limit=99.0)

    kept = []
    script = {
        0: lambda one: [one.buy(5, limit=100.5, post_only=True), one.buy(5, limit=99.5)],
        1: change,
        2: lambda one: kept.append(one.queue_ahead(one.open_orders[0])),
    }
    _, result = run(script, book((1, {99.0: 44}, {}), (2, {}, {100.5: 3})))
    assert kept == [44.0]
    assert [order.reason for order in result.order_records] == ["post_only", ""]


def test_orders_of_two_strategies_do_not_trade_with_each_other():
    one = Told({0: lambda one: one.buy(5, limit=100.0)}, "One")
    other = Told({1: lambda one: one.sell(7, limit=100.0)}, "Other")
    result = cambist.backtest([one, other], book((1, {}, {101.0: 1})), leverage=5.0, benchmark=False)
    assert [(order.strategy, str(order.status), order.reason) for order in result.order_records] == [
        ("One", "accepted", ""),
        ("Other", "canceled", "self_trade"),
    ]


@WAYS
def test_day_orders_and_orders_for_the_close(way):
    late = book((3_600, {99.5: 30}, {100.5: 20, 101.0: 40}), (60_000, {99.5: 30}, {100.5: 1}))
    script = {0: lambda one: [one.buy(5, limit=99.0, time_in_force="day"), one.buy(30, on_close=True)]}
    _, result = run(script, late, **way)
    midnight = (to_ns("2024-03-02") - START) / SECOND_NS
    assert told(result) == [(midnight, 100.5, 20.0, "taker"), (midnight, 101.0, 10.0, "taker")]
    assert [str(order.status) for order in result.order_records] == ["expired", "filled"]


@WAYS
def test_a_position_is_liquidated_in_the_book(way):
    perp = Instrument(
        symbol="ACME", kind="linear_perpetual", base="B", quote="USD", tick_size="0.5", step_size="1", margin_rate="0.1"
    )
    deep = {"bids": {99.5: 500}, "asks": {100.0: 500}}
    falls = book(
        (1, {99.5: 0, 95.5: 5}, {96.0: 5}), (2, {95.5: 0, 94.0: 5}, {96.0: 0, 94.5: 5}), first=deep, instrument=perp
    )
    margin = Margin(leverage=10, maintenance=0.05)
    strategy = Told({0: lambda one: one.buy(100)})
    result = cambist.backtest(strategy, falls, cash=1_000, margin=margin, benchmark=False, **way)
    assert told(result) == [(0, 100.0, 100.0, "taker"), (2, 94.0, 100.0, "taker")]
    assert result.trade_records[0].reason == "liquidation"


def test_bars_are_made_of_the_trades_beside_a_book():
    class OnBars(Strategy):
        def on_bar(self, bar):
            seen.append((bar.close, self.data["ACME"].book.bid))

    seen = []
    sold = trades((1, 99.5, 1, -1), (61, 100.0, 1, 1))
    cambist.backtest(OnBars, [sold, book((2, {99.5: 3}, {}))], timeframe="1m", benchmark=False)
    assert seen == [(99.5, 99.5), (100.0, 99.5)]


def test_a_benchmark_buys_at_the_first_middle():
    result = cambist.backtest(Told(), book((1, {}, {100.5: 0}), (2, {100.0: 9}, {})), cash=1_000)
    assert result.benchmark.final == pytest.approx(1_000 * 100.5 / 100.0)
    assert result.series.benchmark.iloc[-1] == result.benchmark.final


def test_a_book_is_read_from_frames_and_files(tmp_path):
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime([START, START, at(1)], utc=True),
            "side": ["bid", "ask", "bid"],
            "price": [99.5, 100.5, 99.0],
            "qty": [1.0, 2.0, 3.0],
            "is_snapshot": [1, 1, 0],
        }
    )
    frame.to_parquet(tmp_path / "book.parquet")
    frame.to_csv(tmp_path / "book.csv", index=False)
    for source in (frame, tmp_path / "book.parquet", tmp_path / "book.csv"):
        read = cambist.open_book(source, instrument=ACME).load()
        assert read.side.tolist() == [1, -1, 1]
        assert read.snapshot.tolist() == [True, True, False]
        assert [(one.ts, one.is_snapshot, len(one.levels)) for one in read] == [(START, True, 2), (at(1), False, 1)]
        strategy = Told()
        cambist.backtest(strategy, cambist.open_book(source, instrument=ACME), blocks=True, benchmark=False)
        assert len(strategy.seen) == 2


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: BookUpdates(ACME, [1], [0], [1.0], [1.0]), DataError, "row 0: side is 0. Write 1 for bids"),
        (lambda: BookUpdates(ACME, [1], [1], [0.0], [1.0]), DataError, "price is 0.0"),
        (lambda: BookUpdates(ACME, [1], [1], [1.0], [-1.0]), DataError, "size is -1.0"),
        (
            lambda: BookUpdates(ACME, [1, 1], [1, 1], [1.0, 1.5], [1, 1], [1, 0]),
            DataError,
            "one of the two is of a sna",
        ),
        (lambda: BookUpdates(ACME, [1], [1], [1.0], [1.0], [2]), DataError, "snapshot is 2"),
        (lambda: cambist.open_book(pd.DataFrame({"ts": [1], "price": [1.0]})), DataError, "no column for size, side"),
        (
            lambda: cambist.open_book(pd.DataFrame({"ts": [1], "price": [1.0], "size": [1.0], "side": ["up"]})),
            DataError,
            "the side 'up' cannot be read. Write bid or ask",
        ),
        (lambda: run({}, book(instrument=Instrument(symbol="A"))), InstrumentError, "A has no tick size"),
        (lambda: run({}, book((1, {99.7: 1}, {}))), InstrumentError, "99.7, is not a multiple of 0.5"),
        (lambda: run({}, book(), book()), InputError, "two series of book of ACME"),
        (lambda: run({}, book(), slippage=0.1), ParameterError, "slippage is .*walks through"),
        (lambda: run({}, book(), volume_limit=1.0), ParameterError, "volume_limit is .*walks through"),
        (lambda: run({}, book(), book_cancels="nobody"), ParameterError, "book_cancels is 'nobody'"),
        (lambda: run({}, book(), stop_trigger="last"), ParameterError, "there are no trades of ACME"),
        (
            lambda: cambist.backtest(Told(), book(), rules="backtrader", book_cancels="spread"),
            ParameterError,
            "book_cancels is 'spread'; backtrader",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_quotes_beside_a_book_are_shown_and_do_not_fill():
    class Both(Told):
        def on_quote(self, quote):
            self.seen.append(quote.bid)

    quotes = Quotes(ACME, [at(1)], [50.0], [50.5])
    strategy = Both({0: lambda one: one.buy(5, limit=90.0)})
    result = cambist.backtest(strategy, [book(), quotes], benchmark=False)
    assert (strategy.seen[-1], told(result)) == (50.0, [])


# A recorded market.

COIN = Instrument(symbol="BTCUSDT", tick_size="0.01", step_size="0.00001")


def recorded(folder):
    """Return trades and the book of five minutes of Binance's spot market, from the snapshot on."""
    rows, trades, after = [], [], None
    path = folder / "ticks" / "binance_spot_BTCUSDT_2024-08-08_raw_l2.jsonl.gz"
    with gzip.open(path, "rt") as lines:
        for line in lines:
            stamp, message = line.split(" ", 1)
            ts, said = int(stamp), json.loads(message)
            data = said.get("data", said)
            if "lastUpdateId" in data:
                after, levels, snapshot = data["lastUpdateId"], (data["bids"], data["asks"]), True
            elif data.get("e") == "trade" and after is not None:
                trades.append((ts, float(data["p"]), float(data["q"]), -1 if data["m"] else 1))
                continue
            elif data.get("e") == "depthUpdate" and after is not None and data["u"] > after:
                levels, snapshot = (data["b"], data["a"]), False
            else:
                continue
            for side, given in zip((1, -1), levels, strict=True):
                rows += [(ts, side, float(price), float(size), snapshot) for price, size in given]
    return Ticks(COIN, *zip(*trades, strict=True)), BookUpdates(COIN, *zip(*rows, strict=True))


class Joining(Strategy):
    """Waits at the best bid, then at the best ask."""

    def on_start(self):
        self.count = 0

    def on_book(self, shown):
        self.count += 1
        if self.count % 20 == 1:
            self.cancel_all()
            if self.position.size > 0:
                self.sell(self.position.size, limit=shown.ask)
            else:
                self.buy(0.01, limit=shown.bid)


def test_a_recorded_market_fills_as_the_replay_says(outside_data):
    """The same orders, sent into a `BookReplay` by hand: every fill at the same place, price and size."""
    sold, levels = recorded(outside_data)
    result = cambist.backtest(Joining, [sold, levels], cash=1_000_000, benchmark=False)
    assert len(result.fill_records) > 10
    assert result.n_bars == len(sold) + len(levels.starts)
    units, replay = BookUnits(COIN), BookReplay()
    asked = sorted(
        [(order.created_at, 0, order) for order in result.order_records]
        + [(order.updated_at, 1, order) for order in result.order_records if str(order.status) == "canceled"],
        key=lambda one: (one[0], -one[1], one[2].id),
    )
    events = sorted([(one.ts, 0, one) for one in sold] + [(one.ts, 1, one) for one in levels], key=lambda one: one[:2])
    fills = []
    for ts, is_book, value in events:
        happened = []
        if is_book:
            rows = [(side, units.ticks(price), round(size / 1e-5)) for side, price, size in value.levels]
            if value.is_snapshot:
                happened += replay.snapshot(*([row[1:] for row in rows if row[0] == side] for side in (1, -1)))
            else:
                for side, price, size in rows:
                    happened += replay.level(Side.BUY if side > 0 else Side.SELL, price, size)
        else:
            happened += replay.trade(value.side, units.ticks(value.price), units.lots(value.size))
        while is_book and asked and asked[0][0] <= ts:
            _, leaves, order = asked.pop(0)
            if leaves:
                replay.cancel(order.id)
            else:
                lots, price = units.lots(order.size), units.ticks(order.limit_price)
                happened += replay.submit(BookOrder(id=order.id, owner="me", side=order.side, size=lots, price=price))
        fills += [
            (ts, one.order_id or one.maker_id, float(units.price(one.price)), float(units.size(one.size)))
            for one in happened
            if isinstance(one, BookTrade)
        ]
    assert fills == [(one.ts, one.order_id, one.price, one.size) for one in result.fill_records]
    assert np.unique(levels.snapshot).tolist() == [False, True]
