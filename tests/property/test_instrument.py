"""Grids: every value is the double nearest to an exact decimal, and nothing is lost on the way there and back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, inf, nan, nextafter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cambist.errors import InstrumentError
from cambist.model import Instrument

FAVORITES = ["1", "5", "1000", "0.1", "0.01", "0.25", "0.05", "0.5", "0.03", "1e-8", "1e-12", "2.5e-7", "0.3", "1E+3"]
STEPS = st.one_of(
    st.sampled_from(FAVORITES).map(Decimal),
    st.builds(lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 999), st.integers(0, 12)),
)
COUNTS = st.one_of(
    st.integers(1, 1_000),
    st.integers(1, 10**9),
    st.integers(10**10, 2**49),  # where a product of doubles misses by more than a millionth of a step
    st.integers(1, 2**52),
    st.builds(lambda k: 2**52 - k, st.integers(0, 50)),
)
FEW = st.one_of(st.integers(0, 1_000), st.integers(0, 2**33))


def instrument_of(step):
    return Instrument(symbol="X", tick_size=step, step_size=step)


@given(step=STEPS, count=COUNTS)
def test_decimal_to_float_to_decimal_is_exact(step, count):
    instrument = instrument_of(step)
    exact = count * step
    value = float(exact)
    assert instrument.size_to_decimal(value) == exact
    assert instrument.price_to_decimal(value) == exact
    assert float(instrument.size_to_decimal(value)) == value


@given(step=STEPS, count=COUNTS)
def test_a_value_on_the_grid_is_left_alone(step, count):
    instrument = instrument_of(step)
    grid, value = instrument.size_grid, float(count * step)
    assert grid.holds(value)
    assert [grid.nearest(value), grid.below(value), grid.above(value)] == [value] * 3
    assert [grid.nearest(-value), grid.below(-value), grid.above(-value)] == [-value] * 3
    assert (instrument.round_size(value), instrument.round_price(value)) == (value, value)


@given(step=STEPS, count=COUNTS, noise=st.integers(-3, 3))
def test_float_noise_is_taken_for_the_value_it_meant(step, count, noise):
    grid = instrument_of(step).size_grid
    value = noisy = float(count * step)
    for _ in range(abs(noise)):
        noisy = nextafter(noisy, inf if noise > 0 else -inf)
    # Near the end of what doubles can count, three units in the last place are steps of their own.
    assume(abs(Fraction(noisy) / Fraction(step) - count) < Fraction(1, 4))
    assert grid.holds(noisy)
    assert [grid.nearest(noisy), grid.below(noisy), grid.above(noisy)] == [value] * 3


@given(step=STEPS, count=FEW, part=st.fractions(Fraction(1, 1_000), Fraction(999, 1_000)))
def test_between_two_values(step, count, part):
    grid = instrument_of(step).size_grid
    low, high = float(count * step), float((count + 1) * step)
    value = float((count + part) * Fraction(step))
    assert grid.below(value) == low
    assert grid.above(value) == high
    assert (grid.below(-value), grid.above(-value)) == (-high, -low)
    if abs(part - Fraction(1, 2)) > Fraction(1, 1_000):
        assert grid.nearest(value) == (low if part < Fraction(1, 2) else high)
    assert not grid.holds(value)
    with pytest.raises(InstrumentError, match=r"is not a multiple of .* Round it to the grid first"):
        grid.exact(value)


@given(step=STEPS, value=st.floats(1e-15, 1e18))
def test_any_number_lands_where_exact_arithmetic_says(step, value):
    grid = instrument_of(step).size_grid
    steps = Fraction(value) / Fraction(step)
    beyond = abs(steps - round(steps)) - (Fraction(1, 10**6) + abs(steps) / 2**50)
    rounded_off = steps / 2**52  # what the product and the quotient of doubles may miss of the steps
    if beyond > rounded_off:
        assert grid.below(value) == float(floor(steps) * step)
        assert grid.above(value) == float(ceil(steps) * step)
    elif beyond <= -rounded_off and steps < 2**44:
        assert grid.below(value) == grid.above(value) == grid.nearest(value) == float(round(steps) * step)
    # Rounding is done when it is done.
    for rounded in (grid.nearest(value), grid.below(value), grid.above(value)):
        assert [grid.nearest(rounded), grid.below(rounded), grid.above(rounded)] == [rounded] * 3
        assert float(grid.exact(rounded)) == rounded


@given(step=STEPS, counts=st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=20))
def test_sums_of_grid_values_stay_on_the_grid(step, counts):
    grid = instrument_of(step).size_grid
    total = 0.0
    for count in counts:
        total = grid.nearest(total + float(count * step))
    assert total == float(sum(counts) * step)


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e308])
def test_what_is_no_number_has_no_place_on_a_grid(value):
    instrument = instrument_of("1e-8")
    for rounds in (instrument.round_size, instrument.round_price, instrument.size_grid.above):
        with pytest.raises(InstrumentError, match=r"cannot be put on a grid of .*: it must be a finite number"):
            rounds(value)
    assert not instrument.size_grid.holds(value)
    with pytest.raises(InstrumentError, match="is not a multiple of"):
        instrument.size_to_decimal(value)


def test_without_a_tick_size_prices_are_left_alone():
    instrument = Instrument(symbol="X")
    assert instrument.round_price(1.23456789123) == 1.23456789123
    assert instrument.price_to_decimal(0.1) == Decimal("0.1")


@given(
    size=st.floats(-1e6, 1e6).filter(lambda size: not 0 < abs(size) < 1e-290),  # products of those are no floats
    entry=st.floats(0.01, 1e6),
    leave=st.floats(0.01, 1e6),
    multiplier=st.sampled_from([0.001, 1.0, 100.0]),
)
def test_the_profit_of_a_position_is_what_its_value_changed_by(size, entry, leave, multiplier):
    linear = Instrument(symbol="X", kind="future", multiplier=multiplier)
    assert linear.profit(size, entry, leave) == pytest.approx(
        linear.notional(size, leave) - linear.notional(size, entry), rel=1e-9, abs=1e-6 * abs(size) * multiplier
    )
    inverse = Instrument(symbol="X", kind="inverse_perpetual", base="BTC", multiplier=multiplier)
    assert inverse.profit(size, entry, leave) == pytest.approx(
        inverse.notional(size, entry) - inverse.notional(size, leave), rel=1e-9, abs=1e-9 * abs(size) * multiplier
    )


@given(step=STEPS, values=st.lists(st.one_of(st.floats(0.0, 1e9), st.sampled_from([0.1, 0.3, 1.0, -1.0])), max_size=8))
def test_an_answer_is_a_float_whatever_was_asked_before(step, values):
    grid = instrument_of(step).size_grid
    for value in values:
        grid.below(value)
        assert [type(grid.nearest(int(value))), type(grid.below(int(value)))] == [float, float]


@given(step=STEPS, values=st.lists(st.one_of(st.floats(0.0, 1e9), st.sampled_from([0.1, 0.3, 1.0, -1.0])), max_size=8))
def test_what_was_asked_before_changes_no_answer(step, values):
    worn = instrument_of(step).size_grid
    for value in [*values, *values]:
        fresh = instrument_of(step).size_grid
        for question in ("below", "above", "nearest", "holds"):
            assert repr(getattr(worn, question)(value)) == repr(getattr(fresh, question)(value))
