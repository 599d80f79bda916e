"""The exact ledger against the same account in fractions, and what of it cannot be sold."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import Instrument, Side
from cambist.portfolio.exact import ExactLedger, exact, held_asset

SPOT = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", step_size="0.00001", tick_size="0.01")
LINEAR = Instrument(symbol="BTCUSDT", kind="linear_perpetual", base="BTC", quote="USDT", multiplier=0.1)
INVERSE = Instrument(symbol="BTCUSD", kind="inverse_perpetual", base="BTC", quote="USD", step_size=1, multiplier=100)
sizes = st.decimals("0.00000001", "1000000", places=8)
prices = st.decimals("0.00000001", "1000000", places=8)
fees = st.decimals("-1", "1", places=18)
fills = st.lists(st.tuples(st.sampled_from(Side), sizes, prices, fees, st.sampled_from(["USDT", "BTC", "BNB"])))


@given(fills)
def test_a_spot_account_is_exact(history):
    ledger, expected = ExactLedger(), {"USDT": Fraction(1_000), "BTC": Fraction(0), "BNB": Fraction(0)}
    ledger.move("USDT", Decimal(1_000))
    for side, size, price, fee, asset in history:
        ledger.fill(SPOT, side, size, price, fee, asset)
        expected["BTC"] += side.sign * Fraction(size)
        expected["USDT"] -= side.sign * Fraction(size) * Fraction(price)
        expected[asset] -= Fraction(fee)
    assert {asset: Fraction(ledger.balance(asset)) for asset in expected} == expected


@pytest.mark.parametrize("instrument", [LINEAR, INVERSE], ids=["linear", "inverse"])
@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(50, 150)), max_size=20))
def test_a_margined_account_is_right_to_forty_digits(instrument, history):
    ledger, cash, held, cost = ExactLedger(), Fraction(0), Fraction(0), Fraction(0)
    for side, size, price in history:
        ledger.fill(instrument, side, Decimal(size), Decimal(price), Decimal(0), "USDT")
        rest = Fraction(side.sign * size)
        worth_of_one = Fraction(1, price) if instrument.is_inverse else Fraction(price)
        if held * rest < 0:
            closed = min(abs(rest), abs(held)) * (1 if held > 0 else -1)
            entry = cost / held
            made = closed * (entry - worth_of_one if instrument.is_inverse else worth_of_one - entry)
            cash += made * Fraction(str(instrument.multiplier))
            cost -= closed * entry
            held -= closed
            rest += closed
        held += rest
        cost += rest * worth_of_one
    assert Fraction(ledger.contracts.get(instrument.symbol, 0)) == held
    assert abs(Fraction(ledger.balance(instrument.settle)) - cash) < Fraction(1, 10**40)


def test_a_fee_in_the_base_leaves_dust():
    ledger = ExactLedger()
    ledger.fill(SPOT, Side.BUY, Decimal("0.00013"), Decimal(60000), Decimal("0.00000013"), "BTC")
    assert ledger.balance("BTC") == Decimal("0.00012987")
    assert ledger.sellable(SPOT) == Decimal("0.00012")
    assert ledger.dust(SPOT) == Decimal("0.00000987")
    assert ledger.balance("USDT") == Decimal("-7.8")
    assert ledger.balance("BNB") == 0


def test_a_split_leaves_what_was_not_paid_out():
    stock = Instrument(symbol="ACME", kind="equity", step_size=1)
    assert held_asset(stock) == "ACME"
    ledger = ExactLedger()
    ledger.fill(stock, Side.BUY, Decimal(7), Decimal(10), Decimal(0), "USD")
    ledger.split(stock, Decimal("0.5"), Decimal(7), Decimal(3))
    assert ledger.balance("ACME") == 3


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_decimal_it_prints_as(value):
    assert float(exact(value)) == value
