"""Margin on futures, held to the examples and formulas that Binance publishes."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from exchange_cases import (
    BTC,
    BTC_TIERS,
    BUY,
    COIN,
    SELL,
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
from cambist_simulator.exchange.events import BalanceChanged, ConfigChanged, OrderChanged, PositionChanged
from cambist_simulator.exchange.margin import maintenance

FREE = {"maker_fee": D(0), "taker_fee": D(0)}


def close(value, expected):
    return float(value) == pytest.approx(float(expected), rel=1e-12)


def test_the_maintenance_amounts_of_the_table_join_the_tiers():
    """ "Leverage and Margin of USD-M Futures": maintenance margin is continuous where tiers meet."""
    tiers = linear_listing().brackets
    for lower, upper in itertools.pairwise(tiers):
        assert maintenance((lower,), lower.cap) == maintenance((upper,), lower.cap)
    assert maintenance(tiers, D(500_000)) == D("0.01") * 500_000 - 1_300


def test_cross_margin_liquidation_price_of_the_example():
    """FAQ 25edcd7fe0e544839d0847b8cbb2e400: a wallet of 500 USDT, long 1,000 USDT at 50,000: 25,100.40."""
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=500)
    opened(exchange, ann, BUY, "0.02", "50000")
    assert round(exchange.positions(ann)[0].liquidation_price, 2) == D("25100.40")


@pytest.mark.parametrize("side", [BUY, SELL])
def test_cross_margin_liquidation_price_by_the_formula(side):
    """ "How to Calculate Liquidation Price of USD-M Futures Contracts", one-way mode, with another position.

    LP = (WB - TMM + UPNL + cum - side * size * entry) / (size * MMR - side * size), in the tier that holds at LP.
    """
    eth = linear_listing(symbol="ETHUSDT", base="ETH", **FREE)
    exchange = futures(linear_listing(**FREE), eth)
    ann = user(exchange, USDT=100_000)
    exchange.set_leverage(ann, BTC, 20)
    opened(exchange, ann, BUY, "10", "1500", symbol="ETHUSDT")
    opened(exchange, ann, side, "40", "20000")
    exchange.set_mark("ETHUSDT", D(1_400))
    found = exchange.positions(ann, BTC)[0].liquidation_price
    tmm = D(14_000) * D("0.004")
    rate, cum = next((Fraction(rate), cum) for cap, rate, _, cum in BTC_TIERS if 40 * found <= cap)
    sign = side.sign
    expected = (100_000 - Fraction(tmm) - 1_000 + cum - sign * 40 * 20_000) / (40 * rate - sign * 40)
    assert close(found, expected)


def test_hedged_positions_share_one_liquidation_price():
    """The same page, hedge mode, cross margin: both sides in one formula."""
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=20_000)
    exchange.set_position_mode(ann, hedged=True)
    opened(exchange, ann, BUY, "10", "20000", position_side="long")
    opened(exchange, ann, SELL, "4", "20500", position_side="short")
    long, short = exchange.positions(ann)
    price = long.liquidation_price
    tiers = [(next((Fraction(r), c) for cap, r, _, c in BTC_TIERS if size * price <= cap)) for size in (10, 4)]
    (r_long, c_long), (r_short, c_short) = tiers
    expected = (20_000 + c_long + c_short - 10 * 20_000 + 4 * 20_500) / (10 * r_long + 4 * r_short - 10 + 4)
    assert price == short.liquidation_price
    assert close(price, expected)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_isolated_margin(side):
    """The same page: WB is the isolated wallet, nothing of the rest of the account."""
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=10_000)
    exchange.set_margin_type(ann, BTC, isolated=True)
    exchange.set_leverage(ann, BTC, 10)
    opened(exchange, ann, side, "1", "20000")
    held = exchange.positions(ann)[0]
    assert (held.isolated_wallet, held.initial_margin) == (2_000, 2_000)
    sign = side.sign
    assert close(held.liquidation_price, (2_000 - sign * 20_000) / (Fraction("0.004") - sign))
    assert close(held.bankruptcy_price, 20_000 - sign * 2_000)
    wallet = exchange.wallet(ann, "USDT")
    assert (wallet.wallet, wallet.cross_wallet, wallet.available) == (10_000, 8_000, 8_000)
    exchange.change_margin(ann, BTC, D(500))
    assert exchange.positions(ann)[0].isolated_wallet == 2_500
    with refused(Why.INSUFFICIENT_MARGIN):
        exchange.change_margin(ann, BTC, D(-501))
    with refused(Why.INSUFFICIENT_MARGIN):
        exchange.change_margin(ann, BTC, D(9_000))
    exchange.change_margin(ann, BTC, D(-500))
    opened(exchange, ann, side.opposite, "0.5", "20000")
    assert exchange.positions(ann)[0].isolated_wallet == 1_000


@pytest.mark.parametrize("side", [BUY, SELL])
def test_coin_margined_positions(side):
    """ "How to Calculate Liquidation Price of COIN-M Futures Contracts", one-way mode:

    LP = size * contract * (MMR + side) / (WB - TMM + UPNL + cum + side * size * contract / entry).
    """
    exchange = futures(inverse_listing(**FREE))
    ann = user(exchange, BTC="0.5")
    opened(exchange, ann, side, "300", "40000", symbol=COIN)
    held = exchange.positions(ann)[0]
    assert close(held.entry_price, 40_000)
    sign = side.sign
    worth = Fraction(30_000, 40_000)
    assert close(held.liquidation_price, 30_000 * (Fraction("0.004") + sign) / (Fraction(1, 2) + sign * worth))
    exchange.set_mark(COIN, D(42_000))
    held = exchange.positions(ann)[0]
    assert float(held.unrealized) == pytest.approx(float(sign * (worth - Fraction(30_000, 42_000))), abs=2e-15)
    assert close(held.maintenance, Fraction(30_000, 42_000) * Fraction("0.004"))


def test_cost_of_a_limit_order_of_the_example():
    """FAQ 87fa7ee33b574f7084d42bd2ce2e463b: 1 BTC at 9,253.30, leverage 20, mark price 9,259.84.

    A long needs 462.66 (no open loss); a short is reckoned at the mark, and its open loss is 6.54.
    """
    exchange = futures(linear_listing(tick_size=D("0.01")))
    ann = user(exchange, USDT="462.665")
    exchange.set_mark(BTC, D("9259.84"))
    exchange.set_leverage(ann, BTC, 20)
    order = exchange.place(ann, terms(BUY, "1", "9253.30"))
    wallet = exchange.wallet(ann, "USDT")
    assert (wallet.order_margin, wallet.available) == (D("462.665"), 0)
    exchange.cancel(ann, BTC, order_id=order.id)
    assert exchange.wallet(ann, "USDT").available == D("462.665")
    with refused(Why.INSUFFICIENT_MARGIN, needed=D("9259.84") / 20 + D("6.54") - D("6.54")):
        exchange.place(ann, terms(SELL, "1", "9253.30"))


def test_orders_that_only_reduce_or_turn_cost_what_the_larger_side_needs():
    """max(|position + bids|, |position - asks|) / leverage."""
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=1_100)
    exchange.set_leverage(ann, BTC, 10)
    opened(exchange, ann, BUY, "1", "10000")
    assert exchange.wallet(ann, "USDT").available == 100
    exchange.place(ann, terms(SELL, "1", "11000"))
    exchange.place(ann, terms(SELL, "0.8", "11000"))
    wallet = exchange.wallet(ann, "USDT")
    assert (wallet.order_margin, wallet.available) == (0, 100)
    with refused(Why.INSUFFICIENT_MARGIN):
        exchange.place(ann, terms(SELL, "0.2", "11000"))
    with refused(Why.INSUFFICIENT_MARGIN):
        exchange.place(ann, terms(BUY, "0.2", "9000"))
    exchange.place(ann, terms(BUY, "0.1", "9000"))
    assert exchange.wallet(ann, "USDT").order_margin == 90


def test_leverage_and_tiers_limit_positions():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=1_000_000)
    events = heard(exchange)
    assert exchange.set_leverage(ann, BTC, 100) == 250_000
    assert isinstance(events[-1], ConfigChanged)
    exchange.set_mark(BTC, D(50_000))
    with refused(Why.MAX_POSITION, most=D(250_000)):
        exchange.place(ann, terms(BUY, "5.001", "50000"))
    opened(exchange, ann, BUY, "5", "50000")
    with refused(Why.LEVERAGE, highest=125):
        exchange.set_leverage(ann, BTC, 126)
    with refused(Why.MAX_POSITION, most=D(50_000)):
        exchange.set_leverage(ann, BTC, 125)
    with refused(Why.HAS_POSITION):
        exchange.set_margin_type(ann, BTC, isolated=True)
    with refused(Why.HAS_POSITION):
        exchange.set_position_mode(ann, hedged=True)
    with refused(Why.NOTHING_TO_CHANGE):
        exchange.set_position_mode(ann, hedged=False)
    opened(exchange, ann, SELL, "5", "50000")
    order = exchange.place(ann, terms(BUY, "1", "40000"))
    with refused(Why.HAS_ORDERS):
        exchange.set_position_mode(ann, hedged=True)
    exchange.cancel(ann, BTC, order_id=order.id)
    exchange.set_position_mode(ann, hedged=True)
    with refused(Why.POSITION_SIDE):
        exchange.place(ann, terms(BUY, "1", "40000"))


def test_a_fill_tells_wallet_and_position_before_the_order():
    exchange = futures()
    ann = user(exchange, USDT=10_000)
    quote(exchange, middle="20000")
    exchange.set_mark(BTC, D(20_000))
    events = heard(exchange)
    order = exchange.place(ann, terms(BUY, "1"))
    told = [type(one) for one in events]
    fill = told.index(BalanceChanged)
    assert told[fill : fill + 3] == [BalanceChanged, PositionChanged, OrderChanged]
    position, balance = events[fill + 1], events[fill]
    fee = D("20000.1") * D("0.0004")
    assert balance.balances["USDT"] == (10_000 - fee, 10_000 - fee)
    assert (position.size, position.entry_price, position.unrealized) == (1, D("20000.1"), D("-0.1"))
    assert close(position.break_even_price, D("20000.1") + fee)
    assert order.executions[0].fee == fee
    assert exchange.cancel_all(ann) == []
    quote(exchange, middle="20100")
    sold = exchange.place(ann, terms(SELL, "3"))
    first, *_ = sold.executions
    assert (first.profit, exchange.positions(ann)[0].size) == (D("20099.9") - D("20000.1"), -2)
    assert sum(one.profit for one in sold.executions) == first.profit
    assert exchange.positions(ann)[0].realized == first.profit


def test_all_assets_back_positions_in_multi_assets_mode():
    exchange = futures(linear_listing(**FREE))
    ann = user(exchange, USDT=100, BUSD=1_000)
    exchange.set_collateral("BUSD", D("0.5"), D("0.9"))
    exchange.set_mark(BTC, D(10_000))
    exchange.set_leverage(ann, BTC, 20)
    with refused(Why.INSUFFICIENT_MARGIN):
        exchange.place(ann, terms(BUY, "1", "10000"))
    exchange.set_multi_assets(ann, multi_assets=True)
    assert exchange.wallet(ann, "USDT").available == 550
    assert exchange.wallet(ann, "BUSD").available == 1_100
    assert exchange.wallet(ann, "BUSD").most_withdrawable == 1_000  # no more than there is of it
    opened(exchange, ann, BUY, "1", "10000")
    assert exchange.wallet(ann, "USDT").available == 50
    exchange.set_mark(BTC, D(9_950))
    assert exchange.wallet(ann, "USDT").available == D("2.5")
    with refused(Why.UNSUPPORTED):
        exchange.set_margin_type(ann, BTC, isolated=True)


def test_spot_has_no_positions_and_futures_no_free_balances():
    exchange = futures()
    ann = user(exchange, USDT=1)
    with refused(Why.UNSUPPORTED):
        exchange.balances(ann)
