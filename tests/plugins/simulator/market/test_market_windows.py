"""Sums of the last day are those of the trades of the last day, by whole minutes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from cambist_simulator.market.candles import CandleSeries
from cambist_simulator.market.intervals import MINUTE
from cambist_simulator.market.windows import RollingWindow

SECOND = 1_000_000_000
START = 1_704_067_200 * SECOND


@given(
    rows=st.lists(st.tuples(st.integers(0, 300), st.integers(1, 100), st.integers(1, 50)), min_size=1, max_size=60),
    minutes=st.integers(1, 20),
    later=st.integers(0, 1_500),
)
def test_sums_are_those_of_the_trades(rows, minutes, later):
    series, window = CandleSeries(MINUTE), RollingWindow(minutes * MINUTE.ns)
    at, taken = START, []
    for number, (wait, ticks, lots) in enumerate(rows, 1):
        at += wait * SECOND
        price, size = Decimal(ticks), Decimal(lots)
        for candle in series.add(number, price, size, price * size, True, at):
            window.push(candle)
        taken.append((at, price, size, number))
    now = at + later * SECOND
    for candle in series.roll(now):
        window.push(candle)
    found = window.statistics(series.forming, now)
    start = now - minutes * MINUTE.ns
    whole = start if start % MINUTE.ns == 0 else MINUTE.floor(start) + MINUTE.ns
    inside = [one for one in taken if one[0] >= whole]
    before = [one for one in taken if one[0] < whole]
    assert found.trades == len(inside)
    assert Fraction(found.volume) == sum(Fraction(one[2]) for one in inside)
    assert Fraction(found.quote_volume) == sum(Fraction(one[1]) * Fraction(one[2]) for one in inside)
    assert found.last == taken[-1][1]
    if inside:
        prices = [one[1] for one in inside]
        assert (found.open, found.high, found.low) == (prices[0], max(prices), min(prices))
        assert (found.first_id, found.last_id) == (inside[0][3], inside[-1][3])
        assert found.previous == (before[-1][1] if before else prices[0])
    else:
        assert (found.open, found.high, found.low, found.first_id) == (found.last, found.last, found.last, -1)
