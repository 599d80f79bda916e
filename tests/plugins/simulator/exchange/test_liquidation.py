"""Accounts that run out of margin: what the venue closes, at which price, and who pays for what is missing."""

from __future__ import annotations

import pytest
from exchange_cases import (
    BTC,
    BUY,
    COIN,
    SELL,
    START,
    D,
    futures,
    heard,
    inverse_listing,
    linear_listing,
    opened,
    quote,
    refused,
    terms,
    user,
)

from cambist_simulator.exchange.errors import Why
from cambist_simulator.exchange.events import BalanceChanged, MarginCalled, OrderChanged, StatusChanged, Traded
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.orders import ExecutionType, Status

FREE = {"maker_fee": D(0), "taker_fee": D(0)}


def levels(exchange, side, price, size):
    exchange.clear_book(BTC)
    exchange.set_level(BTC, side, D(price), D(size))


def test_a_long_is_closed_in_the_book_above_its_bankruptcy_price():
    exchange = futures(linear_listing(liquidation_fee=D("0.01"), **FREE))
    ann = user(exchange, USDT=1_000)
    opened(exchange, ann, BUY, "1", "10000")
    waiting = exchange.place(ann, terms(BUY, "0.1", "5000"))
    held = exchange.positions(ann)[0]
    assert held.bankruptcy_price == 9_000
    levels(exchange, BUY, "9020", "3")
    events = heard(exchange)
    exchange.set_mark(BTC, held.liquidation_price + D("0.1"))
    assert exchange.positions(ann)
    exchange.set_mark(BTC, held.liquidation_price)
    assert waiting.status is Status.CANCELED
    order = exchange.orders(ann)[-1]
    assert (order.system, order.price, order.filled, order.average_price) == ("liquidation", 9_000, 1, 9_020)
    # He lost 980 of 1,000; the fee of 90.20 is more than what is left, and the fund gets no more than that.
    assert exchange.wallet(ann, "USDT").wallet == 0
    assert exchange.insurance("USDT") == 20
    done = [one for one in events if isinstance(one, OrderChanged) and one.order.id == order.id]
    assert [one.what for one in done] == [ExecutionType.NEW, ExecutionType.CALCULATED]
    assert [one.reason for one in events if isinstance(one, BalanceChanged)] == ["liquidation", "insurance"]
    assert any(isinstance(one, Traded) and one.price == 9_020 for one in events)


def test_what_nobody_takes_goes_to_the_insurance_fund_at_the_bankruptcy_price():
    exchange = futures(linear_listing(**FREE))
    exchange.fund_insurance("USDT", D(50_000))
    ann = user(exchange, USDT=1_000)
    opened(exchange, ann, SELL, "1", "10000")
    assert exchange.positions(ann)[0].bankruptcy_price == 11_000
    levels(exchange, SELL, "10990", "0.3")
    exchange.set_mark(BTC, D(11_200))
    filled, taken_over = exchange.orders(ann)[-2:]
    assert (filled.filled, filled.status, filled.average_price) == (D("0.3"), Status.EXPIRED, 10_990)
    assert (taken_over.filled, taken_over.average_price, taken_over.system) == (D("0.7"), 11_000, "liquidation")
    assert exchange.wallet(ann, "USDT").wallet == 3  # 0.3 contracts, 10 better than bankruptcy
    ledger = exchange._futures.ledger
    assert ledger.holding("#insurance", BTC, "").size == D("-0.7")
    assert exchange.positions(ann) == []


def test_without_a_fund_those_with_the_most_profit_are_deleveraged():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, "a", USDT=1_000)
    bob, cid, dan = (user(exchange, name, USDT=9_000) for name in "bcd")
    exchange.set_leverage(cid, BTC, 50)
    opened(exchange, cid, SELL, "0.4", "9500")
    opened(exchange, bob, SELL, "0.8", "10000")
    opened(exchange, dan, SELL, "1", "9000")
    opened(exchange, ann, BUY, "1", "10000")
    exchange.clear_book(BTC)
    events = heard(exchange)
    exchange.set_mark(BTC, D(8_900))
    assert exchange.positions(ann) == []
    assert exchange.wallet(ann, "USDT").wallet == 0
    # cid: 6.3 % at 50 times, bob: 11 % at 20 times, dan: 1.1 % at 20 times.
    adl = [one for one in events if isinstance(one, OrderChanged) and one.order.system == "adl" and one.execution]
    assert [(one.order.user, one.execution.size, one.execution.price) for one in adl] == [
        ("c", D("0.4"), 9_000),
        ("b", D("0.6"), 9_000),
    ]
    assert all(one.what is ExecutionType.CALCULATED for one in adl)
    assert exchange.positions(bob)[0].size == D("-0.2")
    assert exchange.wallet(cid, "USDT").wallet == 9_000 + D("0.4") * 500
    assert exchange.positions(dan)[0].adl_rank < exchange.positions(bob)[0].adl_rank


def test_an_isolated_position_costs_no_more_than_its_own_wallet():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=10_000)
    exchange.set_margin_type(ann, BTC, isolated=True)
    exchange.set_leverage(ann, BTC, 10)
    opened(exchange, ann, BUY, "1", "10000")
    exchange.clear_book(BTC)
    exchange.set_mark(BTC, D(8_000))
    assert exchange.positions(ann) == []
    wallet = exchange.wallet(ann, "USDT")
    assert (wallet.wallet, wallet.cross_wallet) == (9_000, 9_000)


def test_a_large_position_is_first_brought_down_to_the_next_lower_tier():
    exchange = futures(linear_listing(**FREE))
    exchange.fund_insurance("USDT", D(10**6))
    ann = user(exchange, USDT=17_500)
    opened(exchange, ann, BUY, "30", "10000")  # 300,000: 1 % less 1,300; 0.5 % less 50 below 250,000
    held = exchange.positions(ann)[0]
    levels(exchange, BUY, "9500", "100")
    exchange.set_mark(BTC, held.liquidation_price)
    left = exchange.positions(ann)[0]
    assert 0 < left.size < 30
    assert left.value <= 250_000
    assert all(one.system != "liquidation" or one.filled for one in exchange.orders(ann))


def test_the_warning_comes_once_and_again_after_recovery():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=1_000)
    opened(exchange, ann, BUY, "1", "10000")
    events = heard(exchange)
    for mark in (9_046, 9_045, 9_044, 9_500, 9_045):  # of 46 left 36.184 are needed, of 45 36.18: more than 80 %
        exchange.set_mark(BTC, D(mark))
    called = [one for one in events if isinstance(one, MarginCalled)]
    assert [one.mark_price for one in called] == [9_045, 9_045]
    assert (called[0].maintenance, called[0].unrealized, called[0].wallet) == (D("36.18"), -955, 1_000)


def test_collateral_that_falls_liquidates_too():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=100, ETH=1)
    exchange.set_collateral("ETH", D(1_000), D("0.9"))
    exchange.set_multi_assets(ann, multi_assets=True)
    opened(exchange, ann, BUY, "1", "10000")
    levels(exchange, BUY, "9990", "5")
    exchange.set_mark(BTC, D(9_938))
    exchange.set_collateral("ETH", D(2), D(1))  # 100 - 62 + 2 left, 39.752 needed
    assert exchange.positions(ann)
    with refused(Why.BAD_TERMS):
        exchange.set_collateral("ETH", D(1), D(2))
    exchange.set_collateral("ETH", D(1), D(1))
    assert exchange.positions(ann) == []
    assert exchange.wallet(ann, "USDT").wallet == 90


@pytest.mark.parametrize("isolated", [False, True])
def test_funding(isolated):
    exchange = futures(linear_listing(funding_interval=8 * 3_600 * 10**9, **FREE))
    ann, bob = user(exchange, "ann", USDT=5_000), user(exchange, "bob", USDT=5_000)
    exchange.set_margin_type(ann, BTC, isolated=True) if isolated else None
    opened(exchange, ann, BUY, "1", "10000")
    opened(exchange, bob, SELL, "2", "10000")
    exchange.set_mark(BTC, D(10_100), funding_rate=D("0.0001"), next_funding=START + 10)
    events = heard(exchange)
    exchange.advance(START + 9)
    assert exchange.wallet(ann, "USDT").wallet == 5_000
    exchange.advance(START + 10)
    assert exchange.wallet(ann, "USDT").wallet == 5_000 - D("1.01")
    assert exchange.wallet(bob, "USDT").wallet == 5_000 + D("2.02")
    assert exchange.market(BTC).next_funding == START + 10 + 8 * 3_600 * 10**9
    assert [(one.user, one.reason) for one in events if isinstance(one, BalanceChanged)] == [
        ("ann", "funding"),
        ("bob", "funding"),
    ]
    if isolated:
        assert exchange.positions(ann)[0].isolated_wallet == 500 - D("1.01")


def test_funding_in_coin_and_negative_rates():
    exchange = futures(inverse_listing(**FREE))
    ann = user(exchange, BTC=1)
    opened(exchange, ann, BUY, "100", "50000", symbol=COIN)
    exchange.settle_funding(COIN, D("-0.001"))
    assert exchange.wallet(ann, "BTC").wallet == 1 + D("0.0002")


def test_a_contract_is_delivered_at_the_mark():
    exchange = futures(inverse_listing(delivers_at=START + 100, **FREE))
    ann = user(exchange, BTC=1)
    opened(exchange, ann, SELL, "100", "50000", symbol=COIN)
    waiting = exchange.place(ann, terms(BUY, "1", "40000", symbol=COIN))
    exchange.set_mark(COIN, D(40_000))
    events = heard(exchange)
    exchange.advance(START + 100)
    assert (waiting.status, waiting.reason) == (Status.CANCELED, "delivery")
    assert exchange.positions(ann) == []
    assert exchange.wallet(ann, "BTC").wallet == 1 + D("0.05")
    order = exchange.orders(ann)[-1]
    assert (order.system, order.executions[0].price, order.executions[0].profit) == ("settlement", 40_000, D("0.05"))
    assert [one.status for one in events if isinstance(one, StatusChanged)] == [SymbolStatus.HALT]
    with refused(Why.MARKET_CLOSED):
        exchange.place(ann, terms(BUY, "1", "40000", symbol=COIN))


def test_withdrawals_leave_what_positions_need():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=1_000)
    opened(exchange, ann, BUY, "1", "10000")
    exchange.set_mark(BTC, D(10_200))
    assert exchange.wallet(ann, "USDT").available == 1_200 - 510
    with refused(Why.INSUFFICIENT_FUNDS):
        exchange.withdraw(ann, "USDT", D("490.01"))
    exchange.withdraw(ann, "USDT", D(490))
    quote(exchange, middle="10200")


def total(exchange, asset):
    """Return all wallets less the cost of all positions: what was put in, to the last digit."""
    ledger = exchange._futures.ledger
    return sum(
        ledger.wallet(owner, asset) - sum(one.cost for one in ledger.holdings(owner)) for owner in ledger.owners()
    )


def test_contracts_in_coin_leave_nothing_over_when_a_trade_turns_a_position():
    exchange = futures(inverse_listing(contract_size=D(10), **FREE))
    ann = user(exchange, BTC=1)
    opened(exchange, ann, BUY, "3", "30000.7", symbol=COIN)
    opened(exchange, ann, SELL, "7", "29999.3", symbol=COIN)
    assert exchange.positions(ann)[0].size == -4
    assert total(exchange, "BTC") == 1


@pytest.mark.parametrize("entry", ["30000.7", "31111.3", "28888.1", "33333.7", "30123.4"])
def test_nor_when_several_take_over_from_one(entry):
    exchange = futures(inverse_listing(contract_size=D(10), **FREE))
    ann, *others = (user(exchange, name, BTC="0.05") for name in "abc")
    opened(exchange, ann, BUY, "70", entry, symbol=COIN)
    for who, size in zip(others, ("13", "29"), strict=True):
        opened(exchange, who, SELL, size, entry, symbol=COIN)
    exchange.clear_book(COIN)
    exchange.withdraw(ann, "BTC", D("0.048"))
    exchange.set_mark(COIN, D("25000"))
    assert exchange.positions(ann) == []
    assert [one.system for who in others for one in exchange.orders(who)].count("adl") == 2
    assert total(exchange, "BTC") == D("0.102")


def test_nor_when_a_contract_is_delivered():
    exchange = futures(inverse_listing(contract_size=D(10), delivers_at=START + 1, **FREE))
    for name, side, size in (("a", BUY, "7"), ("b", SELL, "3"), ("c", SELL, "11")):
        opened(exchange, user(exchange, name, BTC=1), side, size, "30000.7", symbol=COIN)
    exchange.set_mark(COIN, D("31234.5"))
    exchange.advance(START + 1)
    assert total(exchange, "BTC") == 3
    assert not any(
        one.size for owner in exchange._futures.ledger.owners() for one in exchange._futures.ledger.holdings(owner)
    )
