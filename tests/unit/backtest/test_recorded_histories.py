"""Recorded fills and orders: what they may be given as, what is refused, and which bar they belong to."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import FillHistory, Instrument, Margin, MarginTier, OrderHistory, ParameterError, Strategy
from cambist.errors import DataError, InputError, ResultError

DAYS = pd.date_range("2024-01-01", periods=6, freq="D")
CLOSES = [100.0, 101.0, 103.0, 102.0, 105.0, 104.0]


def bars(days=DAYS, closes=CLOSES, instrument=None, timeframe="1d"):
    frame = pd.DataFrame({"close": closes}, index=days)
    frame["open"] = frame["close"] - 0.5
    frame["high"], frame["low"], frame["volume"] = frame["close"] + 2.0, frame["close"] - 2.0, 1_000.0
    return cambist.load(frame, instrument=instrument or Instrument(symbol="A"), timeframe=timeframe)


def run(history, data=None, **options):
    return cambist.backtest(history, bars() if data is None else data, cash=10_000.0, benchmark=False, **options)


def booked(result):
    """The fills: number of the bar at whose close each was in the account, signed size, price."""
    closes = result.curve.all_times.tolist()
    times = [ts for one in result.history.account.positions.values() for ts in one.times.tolist()]
    fills = [(fill.size * fill.side.sign, fill.price) for fill in result.fill_records]
    return [(closes.index(ts), *fill) for ts, fill in zip(times, fills, strict=True)]


class Idle(Strategy):
    """Does nothing."""


ROWS = [("2024-01-02", "A", 10, 99.0), ("2024-01-04", "A", -4, 108.0)]
EXPECTED = [(1, 10.0, 99.0), (3, -4.0, 108.0)]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        [list(row) for row in ROWS],
        [(datetime(2024, 1, 2), 10, 99.0), (datetime(2024, 1, 4), -4, 108.0)],  # noqa: DTZ001 - as backtrader has it
        [(date(2024, 1, 2), 10, 99.0, 0), (date(2024, 1, 4), -4, 108.0, "A")],
        [{"time": "2024-01-02", "size": 10, "price": 99.0}, {"time": "2024-01-04", "size": -4, "price": 108.0}],
        [
            {"Date": "2024-01-04", "Side": "SELL", "Quantity": 4, "Price": 108.0},
            {"Date": "2024-01-02", "Side": "b", "Quantity": 10, "Price": 99.0},
        ],
        pd.DataFrame({"size": [10, -4], "price": [99, 108]}, index=pd.to_datetime(["2024-01-02", "2024-01-04"])),
        pd.DataFrame({"ts": [1_704_153_600, 1_704_326_400], "side": ["b", "s"], "qty": [10, -4], "price": [99, 108]}),
    ],
)
def test_fills_may_come_as_rows_of_any_form_and_in_any_order(rows):
    assert booked(run(FillHistory(rows))) == EXPECTED


@pytest.mark.parametrize("name", ["fills.csv", "fills.csv.gz", "fills.parquet"])
def test_fills_may_come_in_a_file(tmp_path, name):
    frame = pd.DataFrame({"time": ["2024-01-02", "2024-01-04"], "size": [10, -4], "price": [99.0, 108.0], "tag": "x"})
    path = tmp_path / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_csv(path, index=False)
    result = run(FillHistory(path))
    assert booked(result) == EXPECTED
    assert [order.tag for order in result.order_records] == ["x", "x"]
    assert dict(result.strategies[0].parameters) == {"source": str(path), "records": 2}


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_fills_may_come_in_the_folder_of_a_saved_result(tmp_path, kind):
    saved = run(FillHistory(ROWS, name="first"))
    result = run(FillHistory(saved.save(tmp_path / "kept", format=kind)))
    assert booked(result) == EXPECTED
    assert result.strategies[0].name == "first"
    with pytest.raises(ResultError, match=r"nothing.*no such file"):
        FillHistory((tmp_path / "nothing").mkdir() or tmp_path / "nothing")


def test_the_tables_of_a_result_may_be_given_as_they_are(tmp_path):
    saved = run(FillHistory(ROWS))
    folder = saved.save(tmp_path / "kept")
    for source in (saved.fills, folder / "fills.csv"):
        assert booked(run(FillHistory(source))) == EXPECTED


def test_a_fee_is_what_the_record_says_or_what_the_run_charges():
    rows = pd.DataFrame({"time": DAYS[1:4], "size": [10, -5, -5], "price": 100.0, "commission": [1.5, np.nan, -0.25]})
    result = run(FillHistory(rows), fees=0.001)
    assert [fill.fee for fill in result.fill_records] == [1.5, 0.5, -0.25]
    assert result.account.cash == 10_000.0 - 1.5 - 0.5 + 0.25


def test_a_fill_belongs_to_the_bar_around_it():
    # No bar opens on the 4th, so that what is dated between the 4th and the 5th goes with the next bar.
    days = DAYS[[0, 1, 2, 4, 5]]
    data = bars(days, CLOSES[:5])
    times = ["2024-01-01", "2024-01-01 23:59", "2024-01-02", "2024-01-04", "2024-01-04 12:00", "2024-01-07"]
    result = run(FillHistory([(time, "A", 1, 100.0) for time in times]), data)
    assert [bar for bar, *_ in booked(result)] == [0, 0, 1, 2, 3, 4]
    assert [fill.ts for fill in result.fill_records] == [cambist.model.to_ns(time) for time in times]


def test_under_backtraders_rules_it_belongs_to_the_first_bar_that_opens_at_or_after_it():
    times = ["2024-01-01", "2024-01-01 23:59", "2024-01-02", "2024-01-04 12:00"]
    result = run(FillHistory([(time, "A", 1, 100.0) for time in times]), rules="backtrader")
    assert [bar for bar, *_ in booked(result)] == [0, 1, 1, 4]
    with pytest.raises(DataError, match="take records from 2024-01-01 00:00:00 UTC to 2024-01-06 00:00:00 UTC"):
        run(FillHistory([("2024-01-06 12:00", "A", 1, 100.0)]), rules="backtrader")


def test_a_record_may_say_when_it_was_known():
    rows = [{"time": "2024-01-02", "size": 1, "price": 100.0, "known_at": "2024-01-05 00:00"}]
    assert booked(run(FillHistory(rows))) == [(3, 1.0, 100.0)]


REFUSED = [
    ({"size": [1, 0]}, r"the DataFrame, row 1 \(2024-01-03 00:00:00 UTC\): the size is 0; give what was traded"),
    ({"size": [1, np.nan]}, "row 1 .*: the size is missing"),
    ({"size": [1, "many"]}, "row 1: size is 'many', which is no number"),
    ({"price": [np.nan, 1.0]}, r"row 0 \(2024-01-02 .*: the price is nan; give what was paid"),
    ({"price": [-1.0, 1.0]}, "row 0 .*: the price is -1;"),
    ({"fee": [0.0, np.inf]}, "row 1 .*: the fee is inf"),
    ({"id": ["a", "a"]}, r"row 1 .*: its id a is that of the DataFrame, row 0 \(2024-01-02 00:00:00 UTC\) too"),
    ({"side": ["buy", "hold"]}, "row 1 .*: side is 'hold'.*buy"),
    ({"side": ["buy", "buy"], "size": [1, -1]}, "row 1 .*: the side is buy and the size -1"),
    ({"liquidity": ["maker", "giver"]}, "row 1 .*: liquidity is 'giver'"),
    ({"time": ["2024-01-02", "soon"]}, "row 1: the time 'soon' cannot be read"),
    ({"known_at": ["2024-01-01", None]}, "row 0 .*: it was known at 2024-01-01 00:00:00 UTC, before it took place"),
]


@pytest.mark.parametrize(("columns", "message"), REFUSED)
def test_a_row_that_is_no_fill_is_refused_by_its_place(columns, message):
    rows = {"time": ["2024-01-02", "2024-01-03"], "size": [1.0, -1.0], "price": [100.0, 101.0]}
    with pytest.raises(DataError, match=message):
        FillHistory(pd.DataFrame(rows | columns))


def test_a_file_is_refused_by_its_line(tmp_path):
    path = tmp_path / "fills.csv"
    path.write_text("time,size,price\n2024-01-02,1,100\n\n2024-01-03,0,100\n")
    with pytest.raises(DataError, match=r"fills\.csv, line 4 \(2024-01-03 00:00:00 UTC\): the size is 0"):
        FillHistory(path)
    with pytest.raises(DataError, match=r"fill\.csv: there is no such file.*fills\.csv"):
        FillHistory(tmp_path / "fill.csv")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pd.DataFrame({"time": ["2024-01-02"], "price": [1.0]}), "no column for size. Found: 'time', 'price'"),
        (pd.DataFrame({"size": [1.0], "price": [1.0]}), "no column for time"),
        ([], "the list holds no rows"),
        ([("2024-01-02", "A")], r"row 0 is .*; give \(time, symbol, size, price, fee\) or \(time, size, price"),
        ([5], "row 0 is 5. Give a dict"),
        (5, "records cannot be made of a int. Give a DataFrame"),
    ],
)
def test_what_holds_no_fills_is_refused(source, message):
    with pytest.raises(DataError, match=message):
        FillHistory(source)


def test_only_a_result_has_strategies_to_choose_from():
    saved = run([FillHistory(ROWS, name="one"), FillHistory([("2024-01-03", "A", 2, 100.0)], name="two")])
    assert booked(run(FillHistory(saved, strategy="two"))) == [(2, 2.0, 100.0)]
    with pytest.raises(DataError, match="the result has no strategy 'three'"):
        FillHistory(saved, strategy="three")
    with pytest.raises(DataError, match="strategy='one' chooses among those of a result"):
        FillHistory(ROWS, strategy="one")


def test_the_fills_of_two_histories_of_one_result_keep_their_order():
    """Both trade in one bar, in turn: one after the other they would make other trades."""
    turns = [("2024-01-02", "A", size, 100.0 + number) for number, size in enumerate([5, -5, 3, -3])]
    recorded = run([FillHistory(turns, name="one")])
    for number, order in enumerate(recorded.order_records):
        order.strategy = ("one", "two")[number % 2]
    recorded.strategies += (cambist.backtest.result.StrategyRecord("two", "Two", {}),)
    result = run([FillHistory(recorded, strategy="two"), FillHistory(recorded, strategy="one")])
    assert [price for *_, price in booked(result)] == [100.0, 101.0, 102.0, 103.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("2023-12-31", "A", 1, 100.0)], r"row 0 .*: its time lies outside the bars of A, which take .* 2024-01-01"),
        ([("2024-01-07 00:00:01", "A", 1, 100.0)], "outside the bars of A, .* to 2024-01-07 00:00:00 UTC. Give more"),
        ([("2024-01-02", "AA", 1, 100.0)], "the run has no instrument 'AA'. Did you mean 'A'"),
        ([("2024-01-02", "A", 0.5, 100.0)], "the size 0.5 is off the step 1 of A"),
    ],
)
def test_a_record_that_does_not_belong_to_the_run_is_refused(rows, message):
    with pytest.raises(DataError, match=message):
        run(FillHistory(rows), bars(instrument=Instrument(symbol="A", step_size="1")))


def test_with_several_instruments_a_record_must_name_its_own():
    data = [bars(), bars(instrument=Instrument(symbol="B"))]
    with pytest.raises(DataError, match="does not say of which instrument it is, and the run has A, B"):
        run(FillHistory([(DAYS[1], 1, 100.0)]), data)
    result = run(FillHistory([("2024-01-02", "B", 1, 100.0), ("2024-01-02", "A", 2, 100.0)]), data)
    assert [(fill.instrument.symbol, fill.size) for fill in result.fill_records] == [("B", 1.0), ("A", 2.0)]


def test_prices_off_the_tick_are_booked_and_told():
    data = bars(instrument=Instrument(symbol="A", tick_size="0.5"))
    result = run(FillHistory([("2024-01-02", "A", 1, 99.98), ("2024-01-03", "A", 1, 99.5)]), data)
    assert [price for *_, price in booked(result)] == [99.98, 99.5]
    (warning,) = result.warnings
    assert warning == (
        "1 recorded fills of A have prices off its tick of 0.5 and were booked as they are. The first is the list, "
        "row 0 (2024-01-02 00:00:00 UTC): 99.98."
    )


def test_what_the_account_could_not_have_paid_for_is_booked_and_told():
    result = run(FillHistory([("2024-01-02", "A", 1_000, 100.0)]))
    assert result.account.cash == -90_000.0
    assert any("1 recorded fills were booked that the account could not have paid" in one for one in result.warnings)


def test_records_go_with_whole_runs_on_bars_alone():
    history = FillHistory(ROWS)
    with pytest.raises(ParameterError, match=r"need all bars in memory, to find theirs\. Leave blocks out"):
        run(history, blocks=True)
    ticks = pd.DataFrame({"price": [1.0, 2.0], "size": 1.0}, index=DAYS[:2])
    with pytest.raises(InputError, match="recorded fills and orders run on bars"):
        run(history, cambist.open_ticks(ticks, symbol="A"))


def test_on_margin_recorded_fills_run_by_themselves():
    perpetual = Instrument(symbol="A", kind="linear_perpetual", margin_rate=0.1)
    terms = Margin(leverage=10, maintenance=[MarginTier(maintenance_rate=0.05)])
    with pytest.raises(ParameterError, match=r"none can be reckoned beside them\. Run them without"):
        run([FillHistory(ROWS), Idle()], bars(instrument=perpetual), margin=terms)
    # 1,000 units at 100 on 10,000 of cash: gone long before the low of 98, were the venue to look.
    rows = [("2024-01-02", "A", 1_000, 103.0), ("2024-01-04", "A", -1_000, 104.0)]
    result = run(FillHistory(rows), bars(instrument=perpetual), margin=terms)
    assert [(trade.reason, trade.gross) for trade in result.trade_records] == [("", 1_000.0)]


class Watcher(Strategy):
    """Trades beside a history."""

    def on_start(self):
        self.seen = []

    def on_bar(self, bar):
        self.seen.append(self.position.size)
        if len(self.seen) == 2:
            self.close()


@pytest.mark.parametrize("events", [False, True])
def test_other_strategies_see_the_position_of_a_history_and_may_trade_it(events):
    result = run([FillHistory(ROWS), Watcher()], events=events)
    assert [(fill.size * fill.side.sign, fill.price) for fill in result.fill_records] == [
        (10.0, 99.0),
        (-10.0, 102.5),
        (-4.0, 108.0),
    ]
    assert [(trade.strategy, trade.is_open) for trade in result.trade_records] == [
        ("FillHistory", False),
        ("FillHistory", True),
    ]


def test_what_a_history_bought_today_may_not_be_sold_today_where_a_market_says_so():
    class Seller(Strategy):
        def on_bar(self, bar):
            if self.position and not self.open_orders:
                self.sell(10)

    hours = pd.date_range("2024-01-02 02:00", periods=3, freq="h")
    history = FillHistory([("2024-01-02 02:30", "A", 10, 100.0)])
    rules = cambist.model.market_rules.MarketRules(sell_after=1)
    result = run([history, Seller()], bars(hours, CLOSES[:3], timeframe="1h"), market_rules=rules)
    refused = [order.reason for order in result.order_records if order.strategy == "Seller"]
    assert refused
    assert all(reason.startswith("not_sellable_today") for reason in refused)


def test_a_history_goes_with_finer_bars_and_slow_orders():
    minutes = pd.date_range("2024-01-01", periods=24 * 6, freq="h")
    finer = bars(minutes, np.repeat(CLOSES, 24), timeframe="1h")
    frame = pd.DataFrame({name: getattr(finer, name) for name in ("open", "high", "low", "close", "volume")}, minutes)
    days = frame.resample("D").agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    data = cambist.load(days, instrument=finer.instrument, timeframe="1d")
    result = run([FillHistory(ROWS), Watcher()], data, magnify=finer, latency="50ms")
    assert [fill.size for fill in result.fill_records] == [10.0, 10.0, 4.0]


# Orders.


def test_orders_are_sent_again_at_their_times():
    rows = [
        ("2024-01-02", "A", "buy", 10),
        ("2024-01-03", "A", "sell", 4, "limit", 104.5),
        ("2024-01-03", "A", "sell", 6, None, None, 100.5),
    ]
    result = run(OrderHistory(rows))
    orders = [(order.type, order.size, order.status, order.created_at) for order in result.order_records]
    day = [int(one.value) for one in DAYS]
    assert orders == [
        ("market", 10.0, "filled", day[1]),
        ("limit", 4.0, "filled", day[2]),
        ("stop", 6.0, "filled", day[2]),
    ]
    # The first meets the open of the 2nd, the others the path of the 3rd and of the 4th.
    assert booked(result) == [(1, 10.0, 100.5), (2, -4.0, 104.5), (3, -6.0, 100.5)]


def test_an_order_from_between_two_bars_meets_the_second():
    days = DAYS[[0, 1, 3, 4]]  # the 3rd is missing
    data = bars(days, CLOSES[:4])
    times = ["2024-01-01", "2024-01-03 00:00", "2024-01-03 12:00", "2024-01-04", "2024-01-04 00:01"]
    result = run(OrderHistory([(time, "A", "buy", 1) for time in times]), data)
    assert [bar for bar, *_ in booked(result)] == [0, 2, 2, 2, 3]
    # Sent at the close before the bar, or at the start of the run.
    assert [order.created_at for order in result.order_records] == [
        cambist.model.to_ns(time) for time in ("2024-01-01", *["2024-01-03"] * 3, "2024-01-05")
    ]


def test_an_order_of_a_series_that_begins_later_meets_its_first_bar():
    data = [bars(DAYS[:4], CLOSES[:4]), bars(DAYS[2:], CLOSES[2:], Instrument(symbol="B"))]
    result = run(OrderHistory([("2024-01-01", "B", "buy", 1), ("2024-01-07", "B", "buy", 1)]), data)
    assert [(order.status, order.created_at) for order in result.order_records] == [
        ("filled", int(DAYS[1].value)),
        ("accepted", int(DAYS[5].value) + 86_400 * 10**9),
    ]
    with pytest.raises(DataError, match="outside the bars of the run, which take records from 2024-01-01"):
        run(OrderHistory([("2023-12-31", "B", "buy", 1)]), data)


def test_orders_come_with_their_less_common_terms():
    rows = pd.DataFrame(
        [
            {"id": "entry", "time": DAYS[1], "side": "buy", "size": 5},
            {"id": "loss", "time": DAYS[1], "side": "sell", "size": 5, "stop": 90, "parent": "entry", "oco": None},
            {"id": "gain", "time": DAYS[1], "side": "sell", "size": 5, "limit": 104, "parent": "entry", "oco": "loss"},
            {"time": DAYS[1], "side": "sell", "size": 1, "trail": 1.5},
            {"time": DAYS[1], "side": "sell", "size": 1, "trail_percent": 0.5, "trail_limit": 0.1},
            {"time": DAYS[1], "side": "buy", "size": 1, "limit": 50, "expires_at": "2024-01-03"},
            {"time": DAYS[1], "side": "buy", "size": 1, "limit": 50, "canceled_at": "2024-01-05"},
            {"time": DAYS[1], "side": "buy", "size": 1, "limit": 500, "post_only": True},
            {"time": DAYS[1], "side": "buy", "size": 1, "type": "market_on_close", "tag": "late"},
            {"time": DAYS[2], "side": "sell", "size": 1, "reduce_only": "true", "time_in_force": "ioc"},
        ]
    )
    orders = run(OrderHistory(rows)).order_records
    ends = [(order.type, str(order.status), order.reason) for order in orders]
    assert ends == [
        ("market", "filled", ""),
        ("stop", "canceled", "oco"),
        ("limit", "filled", ""),
        ("trailing_stop", "filled", ""),
        ("trailing_stop_limit", "accepted", ""),
        ("limit", "expired", ""),
        ("limit", "canceled", ""),
        ("limit", "rejected", "post_only"),
        ("market_on_close", "filled", ""),
        ("market", "filled", ""),
    ]
    assert orders[6].updated_at == int(DAYS[4].value)
    assert [order.parent for order in orders[:3]] == [0, 1, 1]
    assert [order.oco for order in orders[:3]] == [0, 0, 2]


def test_an_order_tied_to_one_leg_of_a_bracket_is_tied_to_it_again():
    """By whatever ids the orders of the bracket have in the run that sends them again."""

    class Ties(Strategy):
        def on_bar(self, bar):
            if bar.ts == DAYS[0].value:
                self.sent = self.buy_bracket(2, stop_loss=1.0, take_profit=1_000.0)
            elif bar.ts == DAYS[2].value:
                self.sell(1, oco=self.sent.take_profit)

    class Before(Strategy):
        def on_bar(self, bar):
            if bar.ts == DAYS[0].value:
                self.buy(1, limit=1.0)

    def ends(strategies):
        orders = run(strategies, rules="backtrader").order_records
        return [(str(order.status), order.reason) for order in orders if order.limit_price != 1.0]

    recorded = run(Ties, rules="backtrader")
    expected = [("filled", ""), ("accepted", ""), ("canceled", "oco"), ("filled", "")]
    assert ends(Ties) == expected
    assert ends([Before, OrderHistory(recorded)]) == expected


class BothSides(Strategy):
    """Opens 3 long, then 2 short, and closes the long side."""

    def on_bar(self, bar):
        if bar.ts == DAYS[0].value:
            self.buy(3, position_side="long")
            self.sell(2, position_side="short")
        elif bar.ts == DAYS[2].value:
            self.close(position_side="long")


def test_fills_of_a_hedged_account_can_be_booked_net():
    data = bars(instrument=Instrument(symbol="A", kind="linear_perpetual", margin_rate=0.1))
    hedged = run(BothSides, data, margin=Margin(position_mode="hedge"))
    net = run(FillHistory(hedged), data)
    assert [size for _, size, _ in booked(net)] == [3.0, -2.0, -3.0]
    assert net.series.positions["A"].tolist() == hedged.series.positions.sum(axis=1).tolist()
    with pytest.raises(ParameterError, match="recorded fills name no side of a position"):
        run(FillHistory(hedged), data, margin=Margin(position_mode="hedge"))


ORDERS_REFUSED = [
    ({"side": ["buy", None]}, "row 1 .*: the side is missing"),
    ({"size": [1, None]}, "row 1 .*: the size is missing"),
    ({"size": [1, 0]}, "row 1 .*: size is 0; give a positive number"),
    ({"limit": [1, -3]}, "row 1 .*: limit is -3"),
    ({"type": ["market", "limit"]}, "row 1 .*: a limit order needs limit. Fill it in"),
    ({"type": ["market", "stop_limit"]}, "row 1 .*: a stop_limit order needs limit and stop"),
    ({"type": ["market", "trailing_stop"]}, "row 1 .*: a trailing_stop order needs trail or trail_percent"),
    ({"type": ["market", "magic"]}, "row 1 .*: type is 'magic'"),
    ({"trail_percent": [None, 2.0]}, "row 1 .*: trail_percent is 2; it is a fraction"),
    ({"time_in_force": ["gtc", "gtd"]}, "row 1 .*: a gtd order needs expires_at"),
    ({"oco": [None, "7"]}, "row 1 .*: its oco is '7', which is the id of no row"),
    ({"canceled_at": [None, "2024-01-01"]}, "row 1 .*: it was canceled at 2024-01-01 00:00:00 UTC, before it was sent"),
    ({"reduce_only": ["no", "perhaps"]}, "row 1 .*: reduce_only is 'perhaps'"),
    ({"id": ["a", "a"]}, "row 1 .*: its id a is that of"),
]


@pytest.mark.parametrize(("columns", "message"), ORDERS_REFUSED)
def test_a_row_that_is_no_order_is_refused_by_its_place(columns, message):
    rows = {"time": ["2024-01-02", "2024-01-03"], "side": ["buy", "sell"], "size": [1.0, 1.0]}
    with pytest.raises(DataError, match=message):
        OrderHistory(pd.DataFrame(rows | columns))


def test_the_table_of_orders_holds_what_was_withdrawn():
    class Canceler(Strategy):
        def on_bar(self, bar):
            if not self.open_orders:
                self.buy(2, limit=bar.close - 1.0)
            else:
                self.cancel_all()

    saved = run(Canceler())
    again = run(OrderHistory(saved.orders))
    assert {"canceled", "filled"} <= set(saved.orders["status"])
    columns = ["side", "type", "size", "limit_price", "status", "filled", "average_price", "created_at", "updated_at"]
    pd.testing.assert_frame_equal(again.orders[columns], saved.orders[columns], check_exact=True)


def test_what_the_venue_sent_itself_is_not_sent_again():
    perpetual = Instrument(symbol="A", kind="linear_perpetual", margin_rate=0.1)
    terms = Margin(leverage=10, maintenance=[MarginTier(maintenance_rate=0.05)])
    data = bars(instrument=perpetual, closes=[100.0, 100.0, 90.0, 80.0, 80.0, 80.0])
    first = run(OrderHistory([("2024-01-02", "A", "buy", 900)]), data, margin=terms)
    assert [trade.reason for trade in first.trade_records] == ["liquidation"]
    again = run(OrderHistory(first), data, margin=terms)
    assert [(order.tag, order.filled) for order in again.order_records] == [("", 900.0), ("liquidation", 900.0)]
    booked_again = run(FillHistory(first), data, margin=terms)
    assert [trade.reason for trade in booked_again.trade_records] == ["liquidation"]
    assert booked_again.account == first.account


def test_a_history_can_be_run_many_times_and_is_shown_by_what_it_was_made_of():
    history = OrderHistory([("2024-01-02", "A", "buy", 10)], name="broker")
    one, other = run(history), run(history)
    assert one.account == other.account
    assert repr(history) == "OrderHistory(source='list', records=1)"
    assert one.strategies[0].name == "broker"
