"""The account against a reference in exact fractions: average-price netting, reversals, fees, three ways to settle."""

from __future__ import annotations

from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from exact_account import CASH, KINDS, Reference
from hypothesis import given
from hypothesis import strategies as st

from cambist.model import Fill, Liquidity, Order, OrderType, Side, TimeInForce
from cambist.portfolio import Portfolio, Valuation

NAN = float("nan")

# Sizes in thousandths, prices in cents, fees in cents: exact in Fractions and on the grid in floats.
FILLS = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        st.booleans(),
        st.one_of(st.integers(1, 5).map(lambda lots: lots * 1_000), st.integers(1, 10_000)),
        st.integers(100, 40_000),
        st.integers(-50, 500),
    ),
    min_size=1,
    max_size=25,
)


def book(portfolio, number, instrument, buys, size, price, fee, instant=0):
    side = Side.BUY if buys else Side.SELL
    order = Order(
        number, instrument, side, OrderType.MARKET, size, NAN, NAN, TimeInForce.GTC, 0, False, "s", f"tag {number}", 0
    )
    fill = Fill(number, number, instrument, side, size, price, fee, Liquidity.TAKER, 1_000 * number)
    return portfolio.apply(fill, order, instant)


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-6)


@given(kinds=st.tuples(*[st.sampled_from(sorted(KINDS))] * 2), fills=FILLS, close_out=st.booleans())
def test_the_books_are_those_of_exact_arithmetic(kinds, fills, close_out):
    instruments = {symbol: KINDS[kind](symbol) for symbol, kind in zip("AB", kinds, strict=True)}
    portfolio, reference = Portfolio(instruments.values(), CASH), Reference(instruments.values())
    prices = dict.fromkeys("AB", Fraction(100))
    closed = []
    for symbol in instruments:
        portfolio.set_price_source(symbol, lambda symbol=symbol: float(prices[symbol]))

    def take(number, symbol, buys, thousandths, cents, fee_cents):
        signed = Fraction(thousandths, 1_000) * (1 if buys else -1)
        price, fee = Fraction(cents, 100), Fraction(fee_cents, 100)
        prices[symbol] = price
        trade = book(
            portfolio, number, instruments[symbol], buys, float(abs(signed)), float(price), float(fee), instant=number
        )
        if trade is not None:
            closed.append(trade)
        reference.fill(symbol, signed, price, fee)

        # What is held, what it cost, what it made.
        for name, held in reference.held.items():
            position = portfolio.positions[name]
            assert position.size == float(held.size)
            assert position.is_flat is (held.size == 0)
            if held.size:
                assert position.average_price == near(-1 / held.entry if position.instrument.is_inverse else held.entry)
            else:
                assert isnan(position.average_price)
            assert position.realized == near(held.realized)
            assert position.unrealized == near(held.open_profit(prices[name]))
        assert portfolio.cash == near(reference.cash)
        assert portfolio.fees == near(reference.fees)
        assert portfolio.equity == near(reference.worth(prices))
        # The identities, in the account's own numbers.
        account = portfolio.account()
        assert account.equity - CASH == near(account.realized + account.unrealized - account.fees)
        assert account.margin == near(
            sum(
                abs(Fraction(one.instrument.notional(float(one.size), float(prices[name]))))
                * Fraction(1 if one.instrument.is_cash else one.instrument.margin_rate)
                for name, one in reference.held.items()
            )
        )
        if all(position.is_flat for position in portfolio.positions.values()):
            assert account.cash == account.equity
            assert sum(trade.net for trade in closed) == near(Fraction(account.equity) - CASH)

    for number, fill in enumerate(fills, 1):
        take(number, *fill)
    if close_out:
        for number, (symbol, held) in enumerate(reference.held.items(), len(fills) + 1):
            if held.size:
                take(number, symbol, held.size < 0, int(abs(held.size) * 1_000), 12_345, 7)
        assert all(position.is_flat for position in portfolio.positions.values())
        assert sum(trade.net for trade in closed) == near(reference.cash - CASH)

    # Round trips, from flat or a reversal to flat.
    assert [trade.net for trade in closed] == [near(net) for net in reference.nets]
    assert [trade.size for trade in closed] == [float(size) for size in reference.sizes]
    assert portfolio.trades.closed == closed
    assert {name for name, held in reference.held.items() if held.trade} == set(portfolio.trades.open)
    for name, trade in portfolio.trades.open.items():
        assert trade.is_open
        assert trade.net == near(reference.held[name].trade[0])
    for trade in closed:
        assert not trade.is_open
        assert trade.entered == near(Fraction(trade.exited))
        if not trade.instrument.is_inverse:
            sign = 1 if trade.is_long else -1
            assert trade.gross == pytest.approx(
                trade.instrument.profit(sign * trade.entered, trade.entry_price, trade.exit_price), rel=1e-7, abs=1e-4
            )


@given(kinds=st.tuples(*[st.sampled_from(sorted(KINDS))] * 2), fills=FILLS, data=st.data())
def test_the_equity_curve_is_the_equity_at_each_instant(kinds, fills, data):
    """`Valuation` works on whole stretches after the fact; the portfolio answers at the time. They must agree."""
    instruments = [KINDS[kind](symbol) for symbol, kind in zip("AB", kinds, strict=True)]
    portfolio = Portfolio(instruments, CASH)
    valuation = Valuation(portfolio)
    count = 12
    closes = {
        one.symbol: np.array(data.draw(st.lists(st.integers(100, 40_000), min_size=count, max_size=count))) / 100.0
        for one in instruments
    }
    instants = sorted(data.draw(st.lists(st.integers(0, count - 1), min_size=len(fills), max_size=len(fills))))
    cuts = sorted(data.draw(st.sets(st.integers(1, count - 1), max_size=3)))
    now = 0
    for one in instruments:
        portfolio.set_price_source(one.symbol, lambda one=one: float(closes[one.symbol][now]))
    told, exposed, curve, held = [], [], [], []
    times = 1_000 + 60 * np.arange(count)
    sizes, cash = {one.symbol: [] for one in instruments}, []
    queue = list(zip(instants, enumerate(fills, 1), strict=True))
    begin = 0
    for now in range(count):
        while queue and queue[0][0] == now:
            _, (number, (symbol, buys, size, cents, fee)) = queue.pop(0)
            instrument = instruments["AB".index(symbol)]
            book(portfolio, number, instrument, buys, size / 1_000, cents / 100, fee / 100, instant=now)
        told.append(portfolio.equity)
        exposed.append(any(portfolio.positions.values()))
        cash.append(portfolio.cash)
        for symbol, position in portfolio.positions.items():
            sizes[symbol].append(position.size)
        if now + 1 in (*cuts, count):
            part = slice(begin, now + 1)
            equity, holding = valuation.value(times[part], {symbol: column[part] for symbol, column in closes.items()})
            curve += equity.tolist()
            held += holding.tolist()
            begin = now + 1
    assert curve == [near(value) for value in told]
    assert held == exposed
    for symbol, column in sizes.items():
        steps = valuation.history().positions[symbol]
        assert at_each(times, steps.times, steps.sizes, 0.0) == steps.sizes_at(times).tolist() == column
    history = valuation.history()
    assert at_each(times, history.times, history.cash, CASH) == history.cash_at(times).tolist() == cash


def at_each(times, changes, values, before):
    """What a number of steps is at each time: the last that is not later."""
    known = list(zip(changes.tolist(), values.tolist(), strict=True))
    return [([before] + [value for at, value in known if at <= time])[-1] for time in times.tolist()]


@given(
    kinds=st.tuples(*[st.sampled_from(sorted(KINDS))] * 2),
    fills=st.lists(st.tuples(st.sampled_from("AB"), st.booleans(), st.integers(1, 20_000)), max_size=6),
    last=st.tuples(st.sampled_from("AB"), st.booleans(), st.integers(1, 200_000)),
    cents=st.tuples(st.integers(500, 2_000), st.integers(500, 2_000)),
    fee=st.integers(0, 1_000),
    leverage=st.sampled_from([0.5, 1.0, 4.0]),
    cash=st.sampled_from([1_000, CASH]),
)
def test_missing_funds(kinds, fills, last, cents, fee, leverage, cash):
    """A fill that shrinks a position is always paid for; after any other, equity must cover the margin of all that
    is held, the traded instrument valued at the fill's price."""
    instruments = {symbol: KINDS[kind](symbol) for symbol, kind in zip("AB", kinds, strict=True)}
    portfolio, reference = Portfolio(instruments.values(), cash, leverage), Reference(instruments.values())
    reference.cash = Fraction(cash)
    for number, (symbol, buys, thousandths) in enumerate(fills, 1):
        book(portfolio, number, instruments[symbol], buys, thousandths / 1_000, 10.0, 0.0)
        reference.fill(symbol, Fraction(thousandths, 1_000) * (1 if buys else -1), Fraction(10), Fraction(0))
    prices = {symbol: Fraction(price, 100) for symbol, price in zip("AB", cents, strict=True)}
    for symbol in instruments:
        portfolio.set_price_source(symbol, lambda symbol=symbol: float(prices[symbol]))
    symbol, buys, thousandths = last
    signed = Fraction(thousandths, 1_000) * (1 if buys else -1)
    before = reference.held[symbol].size
    state = repr(portfolio.account())
    got = portfolio.missing_funds(instruments[symbol], float(signed), float(prices[symbol]), fee / 100)
    assert repr(portfolio.account()) == state

    reference.fill(symbol, signed, prices[symbol], Fraction(fee, 100))
    after = reference.held[symbol].size
    margin = Fraction(0)
    for name, held in reference.held.items():
        rate = 1 / Fraction(leverage) if held.instrument.is_cash else Fraction(held.instrument.margin_rate)
        value = Fraction(held.instrument.multiplier) * abs(held.size)
        margin += rate * (value / prices[name] if held.instrument.is_inverse else value * prices[name])
    missing = margin - reference.worth(prices)
    only_shrinks = abs(after) <= abs(before) and after * before >= 0
    if only_shrinks or missing <= 0:
        assert got == 0.0
    else:
        assert got == pytest.approx(float(missing), rel=1e-6, abs=1e-9 * float(margin) + 1e-6)
