"""Margin against exact fractions: what backs a position, what it needs, and the price at which the two are equal."""

from __future__ import annotations

from fractions import Fraction
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import Instrument, Margin, MarginTier
from cambist.model import Fill, Liquidity, Order, OrderType, Side, TimeInForce
from cambist.portfolio import MarginPortfolio

NAN = float("nan")
CASH = 1_000
TIERS = [
    MarginTier(up_to=500.0, maintenance_rate=0.01),
    MarginTier(up_to=2_000.0, maintenance_rate=0.05),
    MarginTier(up_to=9_000.0, maintenance_rate=0.25),
]
KINDS = {
    "spot": lambda symbol: Instrument(symbol=symbol, settle="M", step_size="0.001"),
    "linear": lambda symbol: Instrument(
        symbol=symbol, settle="M", step_size="0.001", kind="linear_perpetual", multiplier=0.5, margin_rate=0.05
    ),
    "inverse": lambda symbol: Instrument(
        symbol=symbol, settle="M", step_size="0.001", kind="inverse_perpetual", multiplier=100.0, margin_rate=0.05
    ),
}
FILLS = st.lists(
    st.tuples(st.sampled_from("AB"), st.booleans(), st.integers(1, 40_000), st.integers(500, 2_000)),
    min_size=1,
    max_size=8,
)


class Exact:
    """The account in fractions, read off the portfolio's positions: only money is reckoned here."""

    def __init__(self, portfolio, margin, prices):
        self.portfolio, self.margin, self.prices = portfolio, margin, prices

    def notional(self, held, price):
        size, many = abs(Fraction(held.size)), Fraction(held.instrument.multiplier)
        return size * many / price if held.instrument.is_inverse else size * many * price

    def worth(self, held, price):
        size, many = Fraction(held.size), Fraction(held.instrument.multiplier)
        if held.instrument.is_cash:
            return size * many * price
        entry = Fraction(held.average_price)
        return size * many * (1 / entry - 1 / price) if held.instrument.is_inverse else size * many * (price - entry)

    def maintenance(self, held, price):
        notional = self.notional(held, price if self.margin.maintenance_on == "mark" else Fraction(held.average_price))
        tiers = self.margin.maintenance if isinstance(self.margin.maintenance, list) else None
        if held.instrument.is_cash:
            return Fraction(0) if self.margin.closing_fee == 0 else notional * Fraction(self.margin.closing_fee)
        total, floor = Fraction(0), Fraction(0)
        for tier in tiers:  # each rate for the part of the notional inside its tier
            top = notional if tier is tiers[-1] else min(notional, Fraction(tier.up_to))
            total += max(Fraction(0), top - floor) * Fraction(tier.maintenance_rate)
            floor = Fraction(tier.up_to)
        return total + notional * Fraction(self.margin.closing_fee)

    def surplus(self, symbol, price):
        """Return what backs a position at a price, less the maintenance margin to be covered by it."""
        portfolio = self.portfolio
        held = portfolio.positions[symbol]
        isolates = self.margin.is_isolated and not held.instrument.is_cash
        if isolates:
            return Fraction(portfolio.isolated[symbol]) + self.worth(held, price) - self.maintenance(held, price)
        total = Fraction(portfolio.cash) - sum(map(Fraction, portfolio.isolated.values()))
        for name, one in portfolio.positions.items():
            if one.size and not (self.margin.is_isolated and not one.instrument.is_cash):
                at = price if name == symbol else self.prices[name]
                total += self.worth(one, at) - self.maintenance(one, at)
        return total


@given(
    kinds=st.tuples(*[st.sampled_from(sorted(KINDS))] * 2),
    fills=FILLS,
    cents=st.tuples(st.integers(500, 2_000), st.integers(500, 2_000)),
    mode=st.sampled_from(["cross", "isolated"]),
    basis=st.sampled_from(["mark", "entry"]),
    closing_fee=st.sampled_from([0.0, 0.001]),
    leverage=st.sampled_from([None, 2.0]),
)
def test_the_liquidation_price_is_where_surplus_ends(kinds, fills, cents, mode, basis, closing_fee, leverage):
    instruments = {symbol: KINDS[kind](symbol) for symbol, kind in zip("AB", kinds, strict=True)}
    margin = Margin(mode=mode, maintenance=TIERS, maintenance_on=basis, closing_fee=closing_fee, leverage=leverage)
    portfolio = MarginPortfolio(instruments.values(), CASH, margin=margin)
    prices = {symbol: Fraction(price, 100) for symbol, price in zip("AB", cents, strict=True)}
    for number, (symbol, buys, size, price) in enumerate(fills, 1):
        instrument = instruments[symbol]
        side = Side.BUY if buys else Side.SELL
        terms = (side, OrderType.MARKET, size / 1_000, NAN, NAN, TimeInForce.GTC, 0, False, "s", "", 0)
        fill = Fill(number, number, instrument, side, size / 1_000, price / 100, 0.0, Liquidity.TAKER, number)
        portfolio.apply(fill, Order(number, instrument, *terms), 0)
    for symbol in instruments:
        portfolio.set_price_source(symbol, lambda symbol=symbol: float(prices[symbol]))
    exact = Exact(portfolio, margin, prices)
    for symbol, held in portfolio.positions.items():
        if not held.size:
            assert isnan(portfolio.liquidation_price(symbol))
            continue
        found = portfolio.liquidation_price(symbol)
        small, large = Fraction(1, 10**6), Fraction(10**9)
        if isnan(found):
            # No price at all gets there: the surplus has one sign over all of them.
            assert (exact.surplus(symbol, small) > 0) is (exact.surplus(symbol, large) > 0)
            continue
        price = Fraction(found)
        scale = float(exact.notional(held, price)) + CASH
        assert float(exact.surplus(symbol, price)) == pytest.approx(0.0, abs=1e-9 * scale)
        better = Fraction(101, 100) if held.size > 0 else Fraction(100, 101)
        assert exact.surplus(symbol, price * better) > 0 > exact.surplus(symbol, price / better)
        bankrupt = portfolio.bankruptcy_price(symbol)
        if not isnan(bankrupt):
            assert portfolio.left(symbol, bankrupt) == pytest.approx(0.0, abs=1e-9 * scale)


@given(fills=FILLS, mode=st.sampled_from(["cross", "isolated"]))
def test_what_is_set_aside_is_the_margin_of_what_was_opened(fills, mode):
    """An isolated position holds notional / leverage of every entry, less the share of what was closed of it."""
    instrument = KINDS["linear"]("A")
    margin = Margin(mode=mode, leverage=10)
    portfolio = MarginPortfolio([instrument], CASH, margin=margin)
    size, aside = Fraction(0), Fraction(0)
    for number, (_, buys, thousandths, cents) in enumerate(fills, 1):
        side = Side.BUY if buys else Side.SELL
        terms = (side, OrderType.MARKET, thousandths / 1_000, NAN, NAN, TimeInForce.GTC, 0, False, "s", "", 0)
        fill = Fill(number, number, instrument, side, thousandths / 1_000, cents / 100, 0.0, Liquidity.TAKER, number)
        portfolio.apply(fill, Order(number, instrument, *terms), 0)
        signed = Fraction(thousandths, 1_000) * (1 if buys else -1)
        closing = min(abs(signed), abs(size)) if size * signed < 0 else Fraction(0)
        if closing:
            aside *= 1 - closing / abs(size)
        aside += (abs(signed) - closing) * Fraction(cents, 100) / 2 / 10
        size += signed
        if mode == "isolated":
            assert portfolio.isolated.get("A", 0.0) == pytest.approx(float(aside), rel=1e-9, abs=1e-9)
        else:
            assert not portfolio.isolated
