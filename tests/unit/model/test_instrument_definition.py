"""What an instrument takes as its definition, and what it refuses."""

from __future__ import annotations

from decimal import Decimal

import attrs
import numpy as np
import pytest

from cambist.errors import InputError, InstrumentError
from cambist.model import Instrument, InstrumentKind


@pytest.mark.parametrize("value", ["0.1", 0.1, Decimal("0.1"), np.float64(0.1), " 0.1 "])
def test_numbers_may_be_written_in_any_way(value):
    instrument = Instrument(symbol="X", tick_size=value, step_size=value, multiplier=value, taker_fee=value)
    assert (instrument.tick_size, instrument.step_size) == (Decimal("0.1"), Decimal("0.1"))
    assert (instrument.multiplier, instrument.taker_fee) == (0.1, 0.1)


def test_defaults():
    instrument = Instrument(symbol="ACME")
    assert instrument.kind is InstrumentKind.SPOT
    assert (instrument.tick_size, instrument.step_size) == (None, Decimal("1e-8"))
    assert (instrument.quote, instrument.settle, instrument.is_cash, instrument.is_inverse) == (
        "USD",
        "USD",
        True,
        False,
    )


@pytest.mark.parametrize(
    ("kind", "settle", "is_cash"),
    [
        ("spot", "USDT", True),
        ("equity", "USDT", True),
        ("fx", "USDT", True),
        ("future", "USDT", False),
        ("linear_perpetual", "USDT", False),
        ("inverse_perpetual", "BTC", False),
    ],
)
def test_kinds(kind, settle, is_cash):
    instrument = Instrument(symbol="X", kind=kind, base="BTC", quote="USDT")
    assert (instrument.settle, instrument.is_cash, instrument.is_inverse) == (
        settle,
        is_cash,
        kind == "inverse_perpetual",
    )
    assert Instrument(symbol="X", kind=kind, base="BTC", quote="USDT", settle="EUR").settle == "EUR"


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"symbol": ""}, "symbol"),
        ({"kind": "spott"}, "'spott' is no kind of instrument. Did you mean 'spot'?"),
        ({"tick_size": "a lot"}, "no use for 'a lot' where a number belongs"),
        ({"tick_size": True}, "no use for True"),
        ({"tick_size": 0}, "tick_size is 0; it must be a positive number"),
        ({"tick_size": "-0.01"}, "tick_size is -0.01"),
        ({"step_size": float("nan")}, "step_size is NaN"),
        ({"step_size": "inf"}, "step_size is Infinity"),
        ({"step_size": None}, "no use for None"),
        ({"min_size": 0}, "min_size is 0"),
        ({"min_notional": -5}, "min_notional is -5"),
        ({"min_size": 2, "max_size": 1}, "X: min_size 2 is above max_size 1"),
        ({"multiplier": 0}, "X: multiplier is 0.0"),
        ({"multiplier": "much"}, "no use for 'much'"),
        ({"multiplier": float("inf")}, "X: multiplier is inf"),
        ({"margin_rate": -0.1, "kind": "future"}, "X: margin_rate is -0.1"),
        ({"margin_rate": 0.1}, "paid in full, so margin_rate must be 1. Give the account a leverage instead"),
        ({"taker_fee": float("nan")}, "X: taker_fee is nan; it is a fraction of the value traded: 0.001 is 0.1 %"),
        ({"maker_fee": 5}, "X: maker_fee is 5.0"),
    ],
)
def test_what_cannot_be_an_instrument(terms, message):
    with pytest.raises((InstrumentError, ValueError)) as caught:
        Instrument(**({"symbol": "X"} | terms))
    assert message in str(caught.value)
    if "symbol" not in terms:
        assert isinstance(caught.value, InputError)


def test_an_instrument_is_a_value():
    one, two = (Instrument(symbol="X", tick_size=tick) for tick in ("0.10", 0.1))
    assert one == two
    assert hash(one) == hash(two)
    assert attrs.evolve(one, tick_size="0.2") != one
    assert attrs.evolve(one, tick_size="0.2").round_price(0.31) == 0.4
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.tick_size = None


def test_the_grid_has_the_places_of_its_step():
    grids = {text: Instrument(symbol="X", step_size=text).size_grid for text in ("0.010", "5", "1E+2", "0.25")}
    assert {text: grid.places for text, grid in grids.items()} == {"0.010": 2, "5": 0, "1E+2": 0, "0.25": 2}
    assert grids["1E+2"].below(250.0) == 200.0
    assert grids["0.25"].nearest(0.4) == 0.5
    assert str(Instrument(symbol="X", step_size="0.01").size_to_decimal(3.0)) == "3.00"
