"""Market rules as a record: lots and price limits by the examples of the rule books, and what cannot be."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import inf

import pytest

from cambist import MarketRules
from cambist.errors import ParameterError
from cambist.simulation import a_shares, us_cash, us_equities

CENT = Decimal("0.01")


@pytest.mark.parametrize(
    ("reference", "rate", "low", "high"),
    [
        (10.00, 0.10, 9.00, 11.00),
        (9.95, 0.10, 8.96, 10.95),  # 8.955 and 10.945: half a cent goes up
        (3.33, 0.05, 3.16, 3.50),  # 3.1635 and 3.4965
        (25.55, 0.20, 20.44, 30.66),
        (7.77, 0.30, 5.44, 10.10),  # 5.439 and 10.101
        (1.15, 0.10, 1.04, 1.27),  # 1.035 and 1.265, which doubles cannot hold
        (0.04, 0.10, 0.03, 0.05),  # nearer than a tick: one tick
        (0.01, 0.10, 0.01, 0.02),  # and no price below one
        (10.00, (0.36, 0.44), 6.40, 14.40),
        (10.00, None, -inf, inf),
    ],
)
def test_price_limits_are_rounded_half_up_to_the_tick(reference, rate, low, high):
    rules = MarketRules(price_limit=rate)
    rates = rules.limit_rates(date(2024, 1, 2), None)
    assert rules.price_limits(reference, rates, CENT) == (low, high)


def test_without_a_tick_limits_are_not_rounded():
    assert MarketRules(price_limit=0.05).price_limits(3.33, (0.05, 0.05), None) == (3.1635, 3.4965)


@pytest.mark.parametrize(
    ("board", "size", "bought"),
    [
        ("main", 99, 0),
        ("main", 100, 100),
        ("main", 250, 200),
        ("chinext", 1_999, 1_900),
        ("star", 199, 0),
        ("star", 200, 200),
        ("star", 201, 201),
        ("bse", 99, 0),
        ("bse", 137, 137),
    ],
)
def test_lots_of_purchases(board, size, bought):
    rules = a_shares(board)
    assert rules.buy_size(size) == bought
    assert rules.may_buy(size) is (size == bought)


@pytest.mark.parametrize(
    ("board", "held", "size", "sold"),
    [
        ("main", 350, 350, 350),
        ("main", 350, 300, 300),
        ("main", 350, 150, 150),  # a lot, and the rest of 50 in the same order
        ("main", 350, 50, 50),  # the rest alone
        ("main", 350, 120, 100),
        ("main", 350, 20, 0),  # the rest is sold in one order
        ("main", 350, 500, 350),
        ("star", 350, 200, 200),
        ("star", 350, 201, 201),
        ("star", 350, 150, 0),  # less than 200 of more than 200
        ("star", 150, 150, 150),  # all of less than 200
        ("star", 150, 100, 0),
        ("bse", 99, 99, 99),
        ("bse", 150, 101, 101),
    ],
)
def test_lots_of_sales(board, held, size, sold):
    rules = a_shares(board)
    assert rules.sell_size(size, held) == sold
    assert rules.may_sell(size, held) is (size == sold)


def test_odd_lots_may_all_be_sold_or_none():
    assert MarketRules(lot=100).sell_size(37, 350) == 37
    assert MarketRules(lot=100, odd_lots="none").sell_size(350, 350) == 300
    assert MarketRules(lot=100, odd_lots="none").sell_size(50, 50) == 0
    assert MarketRules().buy_size(0.3) == 0.3


@pytest.mark.parametrize(
    ("given", "day", "rate"),
    [
        ({}, "1995-01-03", inf),
        ({}, "1996-12-16", 0.10),
        ({}, "2024-01-02", 0.10),
        ({"st": [("2023-05-04", "2024-06-03")]}, "2023-05-03", 0.10),
        ({"st": [("2023-05-04", "2024-06-03")]}, "2023-05-04", 0.05),
        ({"st": [("2023-05-04", "2024-06-03")]}, "2024-06-03", 0.10),
        ({"st": [("2023-05-04", None)]}, "2026-07-03", 0.05),
        ({"st": [("2023-05-04", None)]}, "2026-07-06", 0.10),
        ({"board": "chinext"}, "2020-08-21", 0.10),
        ({"board": "chinext"}, "2020-08-24", 0.20),
        ({"board": "chinext", "st": [("2020-01-02",)]}, "2021-01-04", 0.20),
        ({"board": "star"}, "2019-07-22", 0.20),
        ({"board": "bse"}, "2021-11-15", 0.30),
    ],
)
def test_price_limits_of_the_boards_by_date(given, day, rate):
    assert a_shares(**given).limit_rates(date.fromisoformat(day), None) == (rate, rate)


@pytest.mark.parametrize(
    ("board", "listed", "first"),
    [
        ("main", "2023-04-10", [(inf, inf)] * 5),
        ("main", "2023-04-07", [(0.36, 0.44)]),
        ("main", "2013-12-31", [(inf, inf)]),
        ("chinext", "2020-08-24", [(inf, inf)] * 5),
        ("chinext", "2020-08-21", [(0.36, 0.44)]),
        ("star", "2019-07-22", [(inf, inf)] * 5),
        ("bse", "2022-01-04", [(inf, inf)]),
    ],
)
def test_the_first_days_of_a_stock(board, listed, first):
    rules = a_shares(board, listed=listed)
    usual = rules.price_limit.on(date(2024, 1, 2))
    found = [rules.limit_rates(date(2024, 1, 2), number) for number in range(6)]
    assert found == first + [usual] * (6 - len(first))
    assert rules.limit_rates(date(2024, 1, 2), -1) == usual


def test_a_shares_settle_the_next_day_and_pay_at_once():
    rules = a_shares()
    assert (rules.sell_after, rules.short, rules.odd_lots) == (1, False, "rest")
    assert rules.cash_after.values == (0,)


def test_stocks_of_the_united_states():
    free, cash = us_equities(), us_cash()
    assert not free.has_limits
    assert not free.has_lots
    assert (free.tick(0.9999, None), free.tick(1.0, None)) == (Decimal("0.0001"), Decimal("0.01"))
    assert (free.short, cash.short, free.sell_after, cash.sell_after) == (True, False, 0, 0)
    days = ["1996-01-02", "2017-09-01", "2017-09-05", "2024-05-24", "2024-05-28"]
    assert [cash.cash_after.on(date.fromisoformat(day)) for day in days] == [3, 3, 2, 2, 1]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"lot": -1}, "lot is -1"),
        ({"least": float("nan")}, "least is nan"),
        ({"odd_lots": "all"}, "odd_lots is 'all'. Known: any, none, rest"),
        ({"sell_after": 1.5}, "is 1.5; it is a number of trading days"),
        ({"cash_after": {"2024-01-01": -1}}, "is -1"),
        ({"cash_after": {"yesterday": 1}}, "'yesterday' is no date"),
        ({"price_limit": 10}, "price_limit holds 10"),
        ({"price_limit": {}}, "price_limit is empty"),
        ({"price_limit": (0.1, 0.1, 0.1)}, "price_limit holds"),
        ({"first_days": [None]}, "without listed"),
        ({"first_days": 5, "listed": "2024-01-02"}, "first_days is 5"),
        ({"at_limit": "always"}, "at_limit is 'always'"),
        ({"ticks": "small"}, "ticks is 'small'"),
        ({"ticks": {0: "-0.01"}}, "ticks is"),
        ({"sessions": "wait"}, "sessions is 'wait'"),
    ],
)
def test_what_cannot_be(given, told):
    with pytest.raises(ParameterError) as error:
        MarketRules(**given)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"board": "mian"}, "board is 'mian'. Did you mean 'main'?"),
        ({"listed": "soon"}, "'soon' is no date"),
        ({"st": "2024-01-01"}, "st holds"),
        ({"st": [("2024-01-02", "2024-01-01")]}, "ends before it begins"),
    ],
)
def test_settings_of_a_shares_that_cannot_be(given, told):
    with pytest.raises(ParameterError) as error:
        a_shares(**given)
    assert told in str(error.value)
