"""The way through a bar has the bar's open, high, low and close."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cambist.simulation import intrabar_path
from cambist_simulator.market.path import BarTicks, path_of, turns_of

MINUTE = 60_000_000_000


@st.composite
def bars(draw):
    prices = draw(st.lists(st.integers(1, 10_000), min_size=4, max_size=4))
    low, *inner, high = sorted(prices)
    open_, close = draw(st.permutations(inner))
    path = intrabar_path("nearer_first")
    high_first = path(float(open_), float(high), float(low), float(close), 0.0)[0] == high
    return BarTicks(0, MINUTE, open_, high, low, close, draw(st.integers(4, 1_000)), high_first)


@given(bar=bars(), points=st.integers(1, 200))
def test_the_way_has_the_bar_in_it(bar, points):
    way = path_of(bar, points)
    prices = [one.ticks for one in way]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (bar.open, bar.high, bar.low, bar.close)
    assert len(way) <= max(points, len(turns_of(bar)))
    assert [one.ticks for one in way if one.turn] == turns_of(bar)
    times = [one.at for one in way]
    assert times == sorted(times)
    assert all(bar.opens < at < bar.closes and at % 1_000_000 == 0 for at in times)


@given(bar=bars(), points=st.integers(1, 200))
def test_the_price_goes_straight_from_turn_to_turn(bar, points):
    way = path_of(bar, points)
    turns = [number for number, one in enumerate(way) if one.turn]
    for first, last in pairwise(turns):
        leg = [one.ticks for one in way[first : last + 1]]
        steps = [other - one for one, other in pairwise(leg)]
        assert all(step > 0 for step in steps) or all(step < 0 for step in steps)
