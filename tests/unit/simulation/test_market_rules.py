"""Runs that keep to the rules of their market: what is refused before it leaves, what the venue does not trade."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cambist
from cambist import Instrument, MarketRules, weekly_calendar
from cambist.errors import ParameterError
from cambist.model.times import format_ns
from cambist.simulation import a_shares
from cambist.strategies import AllIn

X = Instrument(symbol="X", kind="equity", step_size=1, tick_size="0.01")
WAYS = [{}, {"events": True}, {"blocks": True}]
CHINA = weekly_calendar(
    "china", "9:30-11:30, 13:00-15:00", tz="Asia/Shanghai", holidays=["2024-04-04", "2024-04-05"], start="2024-03-01",
    end="2024-05-01",
)  # fmt: skip


def daily(*rows, start="2024-03-04"):
    """Daily bars; a number is a bar that stands still, a tuple is open, high, low, close."""
    table = [row if isinstance(row, tuple) else (row,) * 4 for row in rows]
    index = pd.bdate_range(start, periods=len(table), tz="UTC")
    return pd.DataFrame(table, columns=["open", "high", "low", "close"], index=index).assign(volume=10_000.0)


def hourly(*days, start="2024-03-04"):
    """Bars of an hour from 01:30 UTC, as many a day as there are prices for it."""
    times, prices = [], []
    for day, row in zip(pd.bdate_range(start, periods=len(days), tz="UTC"), days, strict=True):
        times += [day + pd.Timedelta(minutes=90 + 60 * number) for number in range(len(row))]
        prices += row
    columns = dict.fromkeys(["open", "high", "low", "close"], np.array(prices, float))
    return pd.DataFrame(columns, index=pd.DatetimeIndex(times)).assign(volume=10_000.0)


class Script(cambist.Strategy):
    """Does at each close what a table says: ``{bar: [(method, arguments, keywords), ...]}``."""

    table: dict = cambist.param({})

    def on_start(self):
        self.at = 0
        self.could_sell = []
        type(self).seen = self.could_sell

    def on_bar(self, bar):
        self.could_sell.append(self.sellable())
        for name, *rest in self.table.get(self.at, []):
            keywords = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            getattr(self, name)(*rest, **keywords)
        self.at += 1


def play(table, frame, market, **options):
    strategy = type("Now", (Script,), {"table": table})
    options = {"cash": 100_000, "benchmark": False, "instrument": X} | options
    result = cambist.backtest(strategy, frame, market_rules=market, **options)
    result_seen.append(strategy.seen)
    return result


result_seen: list[list[float]] = []


def ends(result):
    """Return how each order ended: its status, or the code for which it was refused."""
    return [order.reason.partition(":")[0] or str(order.status) for order in result.order_records]


def fills(result):
    return [(str(fill.side), fill.size, fill.price) for fill in result.fill_records]


# Lots.


def test_lots_are_refused_and_sizers_keep_to_them():
    table = {
        0: [("buy", 150), ("buy", AllIn()), ("buy", AllIn())],
        1: [("sell", 50), ("order_target_percent", 0.505)],
        2: [("order_target_size", 1_234)],
    }
    result = play(table, daily(10.1, 10.1, 10.1, 10.1), MarketRules(lot=100, odd_lots="rest"))
    assert ends(result) == ["lot_size", "filled", "lot_size", "filled", "filled"]
    # 100,000 with a cushion of 1 % buy 9,803, and nothing is left for a second lot; 50.5 % of them is 5,000 shares;
    # from there to 1,234 are 3,766.
    assert fills(result) == [("buy", 9_800, 10.1), ("sell", 4_800, 10.1), ("sell", 3_700, 10.1)]
    assert "100 is the nearest" in result.order_records[0].reason


def test_the_rest_of_a_split_is_sold_in_one_order():
    actions = {"X": pd.DataFrame({"split": [1.5]}, index=["2024-03-06"])}
    table = {0: [("buy", 100)], 2: [("sell", 20)], 3: [("sell", 50)], 4: [("sell", 100)]}
    result = play(table, daily(10.0, 10.0, 6.67, 6.67, 6.67, 6.67), a_shares(), actions=actions)
    assert ends(result) == ["filled", "lot_size", "filled", "filled"]
    assert [size for _, size, _ in fills(result)] == [100, 50, 100]


def test_the_volume_of_a_bar_is_cut_to_lots():
    frame = daily(10.0, 10.0, 10.0, 10.0).assign(volume=[0.0, 1_370.0, 1_370.0, 1_370.0])
    result = play({0: [("buy", 300)]}, frame, MarketRules(lot=100), volume_limit=0.1)
    assert [size for _, size, _ in fills(result)] == [100, 100, 100]
    little = play({0: [("buy", 300)]}, frame.assign(volume=900.0), MarketRules(lot=100), volume_limit=0.1)
    assert fills(little) == []


# Settlement.


@pytest.mark.parametrize("way", WAYS)
def test_what_was_bought_today_cannot_be_sold_today(way):
    frame = hourly([10.0] * 5, [10.0] * 5)
    table = {
        0: [("buy", 300)],
        1: [("sell", 100), ("close",)],
        4: [("buy", 100)],  # of the next day
        5: [("sell", 400), ("sell", 300), ("close",)],
        6: [("sell", 100)],
    }
    result = play(table, frame, a_shares(), **way)
    assert ends(result) == [
        "filled",
        "not_sellable_today",
        "not_sellable_today",
        "filled",
        "not_sellable_today",
        "filled",
        "not_sellable_today",
        "not_sellable_today",
    ]
    # 300 of the day before, while the 100 of its first open are there too; these are all that is left.
    assert result_seen[-1] == [0, 0, 0, 0, 0, 300, 0, 0, 0, 0]


def test_daily_bars_sell_at_the_next_open():
    result = play({0: [("buy", 100)], 1: [("close",)]}, daily(10.0, 10.0, 10.5, 10.5), a_shares())
    assert fills(result) == [("buy", 100, 10.0), ("sell", 100, 10.5)]


def test_a_sale_from_a_fill_is_of_the_same_day():
    class Hasty(cambist.Strategy):
        def on_start(self):
            self.sent = None

        def on_bar(self, bar):
            if self.sent is None:
                self.sent = self.buy(100)

        def on_fill(self, fill):
            if fill.side == "buy":
                self.sell(100, limit=10.2)

    frame = daily(10.0, (10.0, 10.3, 9.9, 10.0), 10.0)
    kept = cambist.backtest(Hasty, frame, instrument=X, market_rules=a_shares(), benchmark=False)
    assert ends(kept) == ["filled", "not_sellable_today"]
    free = cambist.backtest(Hasty, frame, instrument=X, benchmark=False)
    assert ends(free) == ["filled", "filled"]


def test_the_legs_of_a_bracket_wait_for_the_next_day():
    frame = hourly([10.0, 10.0, 9.4, 9.6], [9.5, 9.5])
    bracket = ("buy_bracket", 100, {"stop_loss": 9.5, "take_profit": 10.8})
    result = play({0: [bracket]}, frame, a_shares())
    assert [str(order.status) for order in result.order_records] == ["filled", "filled", "canceled"]
    (_, sold) = result.fill_records
    assert format_ns(sold.ts).startswith("2024-03-05 01:30")  # triggered on the 4th, sold at the open of the 5th
    assert sold.price == 9.5


def test_a_target_beyond_the_limits_of_the_day_waits_for_its_day():
    frame = daily(10.0, 10.0, 10.9, 11.8, 12.2)
    result = play({0: [("buy_bracket", 100, {"stop_loss": 9.0, "take_profit": 12.0})]}, frame, a_shares())
    # 12.0 lies beyond 11.0, which is where the day of the entry ends, and beyond 11.99 on the third day.
    assert fills(result) == [("buy", 100, 10.0), ("sell", 100, 12.2)]


def test_two_orders_cannot_sell_the_same_shares():
    frame = hourly([10.0, 10.0], [10.0] * 4)
    table = {0: [("buy", 100)], 1: [("buy", 100)], 2: [("sell", 100), ("sell", 100)]}
    result = play(table, frame, a_shares())
    # 100 were bought on the first day and 100 at the first open of the second: the venue finds out.
    assert ends(result) == ["filled", "filled", "filled", "not_sellable_today"]
    assert result.order_records[-1].reason == "not_sellable_today"  # of the venue, which explains nothing


@pytest.mark.parametrize("way", WAYS)
def test_selling_short_is_refused(way):
    table = {0: [("sell", 100), ("buy", 100)], 1: [("sell", 200), ("sell", 100), ("sell", 100)]}
    result = play(table, daily(10.0, 10.0, 10.0, 10.0), a_shares(), **way)
    assert ends(result) == ["short_not_allowed", "filled", "short_not_allowed", "filled", "short_not_allowed"]
    assert len(play(table, daily(10.0, 10.0, 10.0, 10.0), "us-equities", **way).fill_records) == 5


@pytest.mark.parametrize("way", WAYS)
def test_proceeds_wait_for_their_day(way):
    """A cash account that has sold for 9,000 on Tuesday may spend them on Wednesday, and no earlier."""
    frame = hourly([10.0] * 6, [9.0] * 6, [9.0] * 3)
    table = {
        0: [("buy", 1_000)],
        6: [("sell", 1_000)],  # fills on Tuesday, 02:30
        7: [("buy", 1_000), ("buy", 100, {"limit": 8.0})],
        11: [("buy", AllIn(buffer=0))],  # at 07:30, half an hour after the session
        12: [("buy", 500)],
    }
    rules = MarketRules(cash_after=1)
    result = play(table, frame, rules, cash=10_000, **way)
    # By days of UTC it is Tuesday at the last close of Tuesday, and there is nothing to put in.
    assert ends(result) == ["filled", "filled", "insufficient_funds", "insufficient_funds", "filled"]
    assert format_ns(result.fill_records[-1].ts).startswith("2024-03-06 02:30")
    by_session = play(table, frame, rules, cash=10_000, calendar=CHINA, **way)
    assert ends(by_session) == ["filled", "filled", *["insufficient_funds"] * 2, "filled", "insufficient_funds"]
    assert format_ns(by_session.fill_records[-1].ts).startswith("2024-03-06 01:30")
    assert by_session.fill_records[-1].size == 1_000


def test_money_that_waits_cannot_be_taken_out_and_counts_as_equity():
    frame = hourly([10.0] * 3, [10.0] * 3)
    table = {0: [("buy", 1_000)], 1: [("sell", 1_000)], 2: [("add_cash", -500.0)], 4: [("add_cash", -500.0)]}
    result = play(table, frame, MarketRules(cash_after=1), cash=10_000)
    assert [flow.amount for flow in result.flow_records] == [-500.0]
    assert result.curve.all_equity.tolist() == [10_000.0] * 4 + [9_500.0] * 2


# Price limits.


@pytest.mark.parametrize("way", WAYS)
def test_a_price_beyond_the_limits_is_refused(way):
    table = {
        1: [("buy", 100, {"limit": 11.01}), ("buy", 100, {"limit": 8.99}), ("buy", 100, {"limit": 11.0})],
        2: [("sell", 100, {"limit": 8.9}), ("sell", 100, {"limit": 9.0})],
    }
    result = play(table, daily(9.0, 10.0, 10.0, 10.0), a_shares(), **way)
    assert ends(result) == ["price_limit", "price_limit", "filled", "price_limit", "filled"]
    assert "9.0 .. 11.0" in result.order_records[0].reason


@pytest.mark.parametrize("way", WAYS)
def test_nobody_sells_at_the_upper_limit_and_nobody_buys_at_the_lower_one(way):
    up, down = (11.0, 11.0, 11.0, 11.0), (9.9, 9.9, 9.9, 9.9)
    table = {0: [("buy", 100)], 2: [("sell", 100)]}
    result = play(table, daily(10.0, up, 11.0, down, 9.8), a_shares(), **way)
    # Bought at the open of the third bar, which is no limit of its day; sold on the fifth.
    assert fills(result) == [("buy", 100, 11.0), ("sell", 100, 9.8)]
    assert [format_ns(fill.ts)[:10] for fill in result.fill_records] == ["2024-03-06", "2024-03-08"]


def test_the_other_side_trades_at_a_limit():
    up = (11.0, 11.0, 11.0, 11.0)
    result = play({0: [("buy", 100)], 1: [("sell", 100)]}, daily(10.0, 10.0, up), a_shares())
    assert fills(result) == [("buy", 100, 10.0), ("sell", 100, 11.0)]


def test_a_bar_that_only_touches_its_limit():
    touched = (10.5, 11.0, 10.4, 10.9)
    stop = {0: [("buy", 100, {"stop": 11.0})]}
    assert fills(play(stop, daily(10.0, touched), a_shares())) == []
    assert fills(play(stop, daily(10.0, touched), a_shares(at_limit="unlocked"))) == [("buy", 100, 11.0)]
    locked = (11.0, 11.0, 11.0, 11.0)
    assert fills(play(stop, daily(10.0, locked), a_shares(at_limit="unlocked"))) == []


def test_slippage_does_not_pass_a_limit():
    options = {"slippage": 0.05}
    near = (10.8, 10.9, 10.7, 10.8)
    assert fills(play({0: [("buy", 100)]}, daily(10.0, near), a_shares(), **options)) == []
    unlocked = a_shares(at_limit="unlocked")
    assert fills(play({0: [("buy", 100)]}, daily(10.0, near), unlocked, **options)) == [("buy", 100, 11.0)]


def test_orders_that_trade_at_once_end_where_nobody_trades():
    up = (11.0, 11.0, 11.0, 11.0)
    table = {0: [("buy", 100, {"time_in_force": "ioc"}), ("buy", 100, {"time_in_force": "day"}), ("buy", 100)]}
    result = play(table, daily(10.0, up, 11.0), a_shares())
    assert [str(order.status) for order in result.order_records] == ["canceled", "expired", "filled"]


def test_an_order_of_yesterday_waits_for_a_day_that_allows_its_price():
    # 10.9 was allowed when it was sent, and is beyond 9.9 on the third day after, whatever is printed there.
    printed = [(9.0, 9.0, 9.0, 9.0), (9.0, 11.0, 9.0, 9.4), (9.4, 10.3, 9.4, 10.2), (10.5, 11.0, 10.5, 11.0)]
    table = {0: [("buy", 100)], 1: [("sell", 100, {"limit": 10.9})]}
    frame = daily(10.0, 10.0, *printed)
    assert format_ns(play(table, frame, a_shares()).fill_records[-1].ts)[:10] == "2024-03-12"
    assert format_ns(play(table, frame, None).fill_records[-1].ts)[:10] == "2024-03-08"


@pytest.mark.parametrize("way", WAYS)
def test_limits_within_a_day_are_those_of_the_day_before(way):
    frame = hourly([10.0] * 3, [10.5, 10.9, 10.9], [10.9] * 3)
    # 11.5 is within 10 % of 10.5 and not of 10.0; only on the third day the reference is 10.9.
    table = {number: [("buy", 100, {"limit": 11.5, "tag": str(number)})] for number in range(8)}
    result = play(table, frame, a_shares(), **way)
    # There is no reference for the first day; what was sent at its end finds no place in the second, and waits.
    assert ends(result) == ["filled"] * 3 + ["price_limit"] * 3 + ["filled"] * 2
    filled = {fill.order_id: format_ns(fill.ts)[:10] for fill in result.fill_records}
    assert [filled[number] for number in (1, 2, 3)] == ["2024-03-04", "2024-03-04", "2024-03-06"]


def test_a_new_listing_is_free_for_its_first_days():
    rules = a_shares("star", listed="2024-03-04")
    table = {number: [("buy", 200, {"limit": 90.0})] for number in range(1, 6)}
    frame = daily(50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0)
    result = play(table, frame, rules)
    # Sent after days 2 to 6 for days 3 to 7: the limits begin with the sixth.
    assert ends(result) == ["filled"] * 3 + ["price_limit"] * 2


def test_a_stock_under_risk_warning():
    rules = a_shares(st=[("2024-03-06", "2024-03-08")])
    table = {number: [("buy", 100, {"limit": 10.6})] for number in range(5)}
    result = play(table, daily(*[10.0] * 6), rules)
    # The first is for 5 March; 6 and 7 March are days of 5 %.
    assert ends(result) == ["filled", "price_limit", "price_limit", "filled", "filled"]


def test_the_reference_price_of_an_ex_day():
    """10.00 less a dividend of 0.50 is 9.50, 4.75 for each of two new shares: from 4.28 to 5.23 (4.275 and 5.225)."""
    actions = {"X": pd.DataFrame({"dividend": [0.5], "split": [2.0]}, index=["2024-03-06"])}
    # The bar before the ex-day closes as it begins: what is sent then is priced in old shares, 8.55 .. 10.45.
    old = [("buy", 100, {"limit": price}) for price in (10.46, 8.54, 10.45)]
    new = [("buy", 100, {"limit": price}) for price in (5.24, 4.27, 5.23)]
    frame = hourly([10.0] * 3, [10.0] * 3, [4.75] * 4)
    result = play({6: new}, frame, a_shares(), actions=actions)
    assert ends(result) == ["price_limit", "price_limit", "filled"]
    assert ends(play({1: old}, daily(10.0, 10.0, 4.75, 4.75), a_shares(), actions=actions)) == [
        "price_limit",
        "price_limit",
        "filled",
    ]


@pytest.mark.parametrize(("price", "trades"), [(5.22, True), (5.23, False), (4.28, True), (4.27, False)])
def test_the_venue_goes_by_the_reference_price_of_an_ex_day(price, trades):
    actions = {"X": pd.DataFrame({"dividend": [0.5], "split": [2.0]}, index=["2024-03-06"])}
    result = play({1: [("buy", 100)]}, daily(10.0, 10.0, price), a_shares(), actions=actions)
    assert fills(result) == ([("buy", 200, price)] if trades else [])


def test_reference_prices_that_are_given():
    given = pd.Series([8.0], index=pd.DatetimeIndex(["2024-03-05"]))
    table = {0: [("buy", 100, {"limit": 8.81}), ("buy", 100, {"limit": 8.8})], 1: [("buy", 100, {"limit": 11.0})]}
    result = play(table, daily(10.0, 8.5, 10.0), a_shares(previous_close=given))
    assert ends(result)[:2] == ["price_limit", "filled"]
    assert ends(result)[2] == "price_limit"  # of 6 March, by the bars: 8.5


# Sessions and ticks.


def test_orders_outside_of_a_session_are_refused():
    frame = hourly([10.0] * 6)  # 01:30 .. 07:30 UTC, which is 9:30 .. 15:30 in Shanghai
    table = {number: [("buy", 100)] for number in range(6)}
    result = play(table, frame, a_shares(sessions="reject"), calendar=CHINA)
    # Closes at 10:30, 11:30 (the break), 12:30, 13:30, 14:30 and 15:30.
    assert ends(result) == ["filled", "outside_session", "outside_session", "filled", "filled", "outside_session"]


@pytest.mark.parametrize("way", WAYS)
def test_held_orders_trade_in_no_bar_outside_of_a_session(way):
    index = pd.DatetimeIndex(["2024-03-04 06:30", "2024-03-04 07:30", "2024-03-04 23:30", "2024-03-05 01:30"], tz="UTC")
    frame = pd.DataFrame({name: [10.0, 10.1, 10.2, 10.3] for name in ("open", "high", "low", "close")}, index=index)
    frame = frame.assign(volume=1_000.0)
    result = play({0: [("buy", 100)]}, frame, a_shares(sessions="hold"), calendar=CHINA, timeframe="1h", **way)
    assert fills(result) == [("buy", 100, 10.3)]
    assert fills(play({0: [("buy", 100)]}, frame, a_shares(), timeframe="1h", **way)) == [("buy", 100, 10.1)]


def test_trading_days_are_those_of_the_calendar():
    """Bought on Wednesday, and the market is shut on Thursday and Friday: two trading days later is Tuesday."""
    frame = hourly([10.0] * 3, [10.0] * 3, [10.0] * 3, [10.0] * 3, [10.0] * 3, start="2024-04-03")
    table = {0: [("buy", 300)], 4: [("sell", 100)], 10: [("sell", 100)], 12: [("sell", 100)]}
    rules = MarketRules(sell_after=2)
    refused = "not_sellable_today"
    assert ends(play(table, frame, rules)) == ["filled", refused, "filled", "filled"]
    assert ends(play(table, frame, rules, calendar=CHINA)) == ["filled", refused, refused, "filled"]


def test_prices_off_the_tick_of_their_level():
    loose = Instrument(symbol="X", kind="equity", step_size=1)
    table = {
        0: [
            ("buy", 100, {"limit": 1.005}),
            ("buy", 100, {"limit": 0.99985}),
            ("buy", 100, {"limit": 0.9999}),
            ("buy", 100, {"stop": 2.001}),
        ]
    }
    result = play(table, daily(1.0, 1.0, 1.0), "us-equities", instrument=loose)
    assert ends(result)[:2] == ["price_off_tick", "price_off_tick"]
    assert ends(result)[3] == "price_off_tick"
    assert "0.0001" in result.order_records[1].reason


# With other parts of the venue.


def test_rules_of_one_instrument_leave_the_others_alone():
    frames = {"X": daily(10.0, 10.0, 10.0, 10.0), "Y": daily(10.0, 10.0, 10.0, 10.0)}
    table = {0: [("buy", 150, {"data": "X"}), ("buy", 150, {"data": "Y"})], 2: [("sell", 200, {"data": "Y"})]}

    class Both(Script):
        def on_bar(self, bar):
            pass

        def on_step(self):
            Script.on_bar(self, None)

        def sellable(self, data="Y"):
            return super().sellable(data)

    strategy = type("Now", (Both,), {"table": table})
    result = cambist.backtest(strategy, frames, market_rules={"X": a_shares()}, benchmark=False)
    assert ends(result) == ["lot_size", "filled", "filled"]
    assert strategy.seen == [0.0, 150.0, 150.0, 0.0]


def test_finer_bars_keep_the_day_of_the_bar_that_they_lie_in():
    minutes = hourly([10.0] * 4, [10.0, 11.0, 11.0, 10.8], [10.8] * 4)
    days = minutes.groupby(minutes.index.normalize()).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    table = {0: [("buy", 100, {"limit": 11.0})], 1: [("close",)]}
    stop = {0: [("buy", 100, {"stop": 10.7})]}
    assert fills(play(table, days, a_shares(), magnify=minutes)) == [("buy", 100, 10.0), ("sell", 100, 10.8)]
    # The stop is reached by a bar that stands at the limit; nobody sells before the fourth.
    assert fills(play(stop, days, a_shares(), magnify=minutes)) == [("buy", 100, 10.8)]


def test_what_takes_time_is_judged_when_it_trades():
    frame = hourly([10.0] * 4, [10.0] * 4)
    table = {0: [("buy", 100)], 3: [("buy", 100)], 4: [("sell", 100), ("sell", 100)]}
    result = play(table, frame, a_shares(), latency="90m")
    # The second sale finds 100 that came in the morning, and none of yesterday.
    assert ends(result) == ["filled", "filled", "filled", "not_sellable_today"]


def test_at_this_close_it_is_the_day_of_the_close():
    frame = daily(10.0, 10.0, 10.0)
    table = {1: [("buy", 100)], 2: [("sell", 100)]}
    result = play(table, frame, a_shares(), market_fill="this_close")
    assert [format_ns(fill.ts)[:10] for fill in result.fill_records] == ["2024-03-06", "2024-03-07"]
    hasty = play({1: [("buy", 100)]} | {2: [("sell", 100)]}, hourly([10.0] * 4), a_shares(), market_fill="this_close")
    assert ends(hasty) == ["filled", "not_sellable_today"]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_sent_at_an_open_is_of_the_day_that_begins(way):
    class Opening(cambist.Strategy):
        def on_start(self):
            self.at = 0

        def on_open(self, series, price):
            # The first bar is never opened by a strategy: it has seen none yet.
            asked = {0: ("buy", 100, 11.0), 1: ("sell", 100, None), 3: ("sell", 100, None), 4: ("buy", 100, 11.0)}
            name, size, limit = asked.get(self.at, (None, 0, None))
            if name:
                getattr(self, name)(size, limit=limit)
            self.at += 1

    frame = hourly([10.0, 10.0, 10.0, 10.0], [9.5, 9.5, 9.5])
    result = cambist.backtest(
        Opening, frame, instrument=X, market_rules=a_shares(), cheat_on_open=True, benchmark=False, **way
    )
    # The first open of the second day may sell what the first has bought, and 11.0 is within 10 % of its 10.0.
    assert ends(result) == ["filled", "not_sellable_today", "filled", "filled"]
    assert [format_ns(fill.ts)[:16] for fill in result.fill_records] == [
        "2024-03-04 02:30",
        "2024-03-05 01:30",
        "2024-03-05 02:30",
    ]


def test_trades_and_quotes_have_no_market_rules():
    ticks = pd.DataFrame(
        {"price": [10.0, 10.1], "size": [5.0, 5.0]}, index=pd.date_range("2024-03-04", periods=2, tz="UTC")
    )
    for option in ({"market_rules": "a-shares"}, {"compensates": {"X": "Y"}}):
        with pytest.raises(ParameterError, match="means something on bars alone"):
            cambist.backtest(Script, cambist.open_ticks(ticks, instrument=X), **option)


# Options.


@pytest.mark.parametrize(
    "said",
    [
        {"X": {"use": "a-shares", "board": "main"}},
        {"use": "by-symbol", "models": {"X": "a-shares"}},
        {"use": "a_shares"},
        {"use": "custom", "lot": 100},
        a_shares(),
    ],
)
def test_ways_to_say_it(said):
    assert ends(play({0: [("buy", 150)]}, daily(10.0, 10.0), said)) == ["lot_size"]


@pytest.mark.parametrize("said", [None, "none", {}, {"X": None}, {"use": "by-symbol", "models": {}}])
def test_ways_to_say_nothing(said):
    assert ends(play({0: [("buy", 150), ("sell", 50)]}, daily(10.0, 10.0), said)) == ["filled", "filled"]


@pytest.mark.parametrize(
    ("said", "options", "told"),
    [
        ("a-share", {}, "Did you mean 'a-shares'?"),
        ({"use": "a-shares", "bord": "star"}, {}, "has no setting 'bord'. Did you mean 'board'?"),
        ({"Y": "a-shares"}, {}, "market_rules name 'Y', which is not traded here"),
        ({"X": {"use": "a-shares", "board": "moon"}}, {}, "market_rules, X: a_shares: board is 'moon'"),
        ({"X": {"Y": "a-shares"}}, {}, "market_rules of one instrument"),
        (17, {}, "market_rules is 17"),
        ("a-shares", {"rules": "backtrader"}, "backtrader's broker knows nothing like it"),
        ("a-shares", {"margin": cambist.Margin(leverage=2)}, "margin is given too"),
        ({"use": "a-shares", "sessions": "hold"}, {}, "no calendar says when it trades"),
    ],
)
def test_what_cannot_be(said, options, told):
    with pytest.raises(ParameterError) as error:
        play({}, daily(10.0, 10.0), said, **options)
    assert told in str(error.value)


def test_a_result_tells_of_its_rules():
    assert "STAR Market" in str(play({}, daily(10.0, 10.0), a_shares("star")).settings["market_rules"])
    by_symbol = play({}, daily(10.0, 10.0), {"X": a_shares("star")}).settings["market_rules"]
    assert "STAR Market" in by_symbol["X"]
