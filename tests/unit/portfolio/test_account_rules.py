"""Accounts by hand: small examples that say what the property tests hold for all."""

from __future__ import annotations

from math import isnan

import pytest

from cambist.errors import InputError
from cambist.model import Fill, Instrument, Liquidity, Order, OrderType, Side, TimeInForce
from cambist.portfolio import Portfolio

NAN = float("nan")
ACME = Instrument(symbol="ACME", step_size="1")


class Books:
    """An account that is told of fills."""

    def __init__(self, *instruments, cash=10_000.0, leverage=1.0):
        self.account = Portfolio(instruments or (ACME,), cash, leverage)
        self.count = 0

    def fill(self, signed, price, fee=0.0, *, of=ACME, tag="", bar=0):
        self.count += 1
        side = Side.BUY if signed > 0 else Side.SELL
        terms = (side, OrderType.MARKET, abs(signed), NAN, NAN, TimeInForce.GTC, 0, False, f"s{self.count}", tag, 0)
        fill = Fill(self.count, self.count, of, side, abs(signed), price, fee, Liquidity.TAKER, self.count * 10)
        return self.account.apply(fill, Order(self.count, of, *terms), bar)

    @property
    def held(self):
        return self.account.positions["ACME"]


def test_a_round_trip():
    books = Books()
    assert books.fill(10, 100.0, 1.0, tag="in", bar=3) is None
    assert (books.account.cash, books.held.size, books.held.average_price) == (8_999.0, 10.0, 100.0)
    assert books.account.equity == 9_999.0  # no bar has closed: the last fill is the best price known
    trade = books.fill(-10, 110.0, 2.0, tag="out", bar=8)
    assert (trade.gross, trade.fees, trade.net) == (100.0, 3.0, 97.0)
    assert (trade.entry_price, trade.exit_price, trade.size, trade.is_long) == (100.0, 110.0, 10.0, True)
    assert (trade.opened_bar, trade.closed_bar, trade.bars) == (3, 8, 5)
    assert (trade.opened_at, trade.closed_at) == (10, 20)
    assert (trade.strategy, trade.tag) == ("s1", "in")  # of the order that opened it
    assert books.account.cash == books.account.equity == 10_097.0
    assert isnan(books.held.average_price)


def test_adding_averages_and_closing_a_part_keeps_the_average():
    books = Books()
    books.fill(10, 100.0)
    books.fill(30, 120.0)
    assert (books.held.size, books.held.average_price) == (40.0, 115.0)
    assert books.fill(-20, 125.0) is None
    assert (books.held.average_price, books.held.realized) == (115.0, 200.0)
    trade = books.account.trades.open["ACME"]
    assert (trade.is_open, trade.gross, trade.entered, trade.exited, trade.bars) == (True, 200.0, 40.0, 20.0, 0)
    closed = books.fill(-20, 105.0)
    assert closed is trade
    assert (closed.entry_price, closed.exit_price, closed.net) == (115.0, 115.0, 0.0)


def test_a_reversal_closes_one_trade_and_opens_the_next_and_shares_its_fee_by_size():
    books = Books()
    books.fill(10, 100.0, 1.0)
    first = books.fill(-40, 110.0, 8.0, tag="turn")
    assert (first.net, first.fees, first.exit_price) == (100.0 - 3.0, 3.0, 110.0)
    assert (books.held.size, books.held.average_price) == (-30.0, 110.0)
    second = books.fill(30, 100.0)
    assert (second.is_long, second.size, second.gross, second.fees, second.tag) == (False, 30.0, 300.0, 6.0, "turn")
    assert books.account.cash == 10_000.0 + first.net + second.net


def test_a_short_sale_brings_cash_and_owes_the_shares():
    books = Books()
    books.fill(-10, 100.0)
    assert (books.account.cash, books.account.equity) == (11_000.0, 10_000.0)
    assert books.held.notional == -1_000.0
    books.account.set_price_source("ACME", lambda: 130.0)
    assert (books.account.equity, books.held.unrealized) == (9_700.0, -300.0)


def test_margined_contracts_move_cash_by_profit_alone():
    future = Instrument(symbol="ACME", kind="future", multiplier=50.0, margin_rate=0.1, step_size="1")
    books = Books(future)
    books.fill(2, 100.0, 5.0, of=future)
    assert (books.account.cash, books.account.margin) == (9_995.0, 1_000.0)
    assert books.account.account().free == 8_995.0
    books.fill(-1, 104.0, of=future)
    assert books.account.cash == 9_995.0 + 200.0
    books.account.set_price_source("ACME", lambda: 90.0)
    assert books.account.equity == 10_195.0 - 500.0


def test_inverse_contracts_count_in_the_base_asset():
    inverse = Instrument(symbol="ACME", kind="inverse_perpetual", base="BTC", multiplier=100.0, margin_rate=0.1)
    books = Books(inverse, cash=1.0)
    books.fill(50, 10_000.0, of=inverse)
    books.fill(50, 20_000.0, of=inverse)
    assert books.account.currency == "BTC"
    assert books.held.average_price == pytest.approx(13_333.333333)  # 10,000 USD bought 0.5 BTC + 0.25 BTC
    trade = books.fill(-100, 20_000.0, of=inverse)
    assert trade.gross == pytest.approx(0.25)
    assert books.account.cash == pytest.approx(1.25)


def test_what_cannot_be_an_account():
    btc = Instrument(symbol="BTC", settle="USDT")
    cases = [
        (([ACME, btc], 1.0), "settle in USD, USDT; one account holds one asset"),
        (([ACME, ACME], 1.0), "two series share a symbol among ACME, ACME"),
        (([ACME], 0.0), "cash is 0.0; a run starts with a positive amount of money"),
        (([ACME], float("nan")), "cash is nan"),
        (([ACME], float("inf")), "cash is inf"),
        (([ACME], 1.0, 0.0), "leverage is 0.0; 1 means no borrowing"),
        (([ACME], 1.0, float("nan")), "leverage is nan"),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError) as caught:
            Portfolio(*arguments)
        assert message in str(caught.value)


def test_closing_is_always_paid_for_and_turning_is_not():
    books = Books(cash=1_000.0)
    books.fill(10, 100.0)
    missing = books.account.missing_funds
    assert missing(ACME, -10.0, 1.0, 0.0) == 0.0
    assert missing(ACME, -10.0, 1.0, 1e9) == 0.0  # closing is possible even when the fee is more than all there is
    assert missing(ACME, 1.0, 100.0, 0.0) == 100.0
    assert missing(ACME, -20.0, 100.0, 0.0) == 0.0
    assert missing(ACME, -20.1, 100.0, 0.0) == pytest.approx(10.0)
    careful = Books(cash=1_000.0, leverage=0.25)
    careful.fill(10, 100.0)
    assert careful.account.missing_funds(ACME, -9.0, 1.0, 0.0) == 0.0
    assert careful.account.missing_funds(ACME, -15.0, 1.0, 0.0) == 10.0  # smaller, but the other way round


def test_free_notional_is_what_may_still_be_opened():
    books = Books(cash=1_000.0, leverage=3.0)
    books.fill(10, 100.0)
    assert books.account.free_notional(ACME) == pytest.approx(2_000.0)
    books.fill(20, 100.0)
    assert books.account.free_notional(ACME) == pytest.approx(0.0)
    books.account.set_price_source("ACME", lambda: 10.0)
    assert books.account.free_notional(ACME) == 0.0  # under water


def test_float_noise_is_no_position():
    books = Books(Instrument(symbol="ACME", step_size="0.1"))
    of = books.held.instrument
    for _ in range(3):
        books.fill(0.1, 1.0, of=of)
    assert books.held.size == 0.3
    books.fill(-0.3, 1.0, of=of)
    assert books.held.is_flat
    assert len(books.account.trades.closed) == 1
