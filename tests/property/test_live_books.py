"""A book as a strategy sees it, whatever its stream does: valid only while it can be traded on."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from cambist.model import Instrument
from cambist.strategies.book_view import BookView

LEVEL = st.tuples(st.sampled_from([1, -1]), st.integers(90, 110).map(float), st.sampled_from([0.0, 1.0, 2.5]))
UPDATES = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.lists(LEVEL, min_size=1, max_size=6)),
        st.tuples(st.just("snapshot"), st.lists(LEVEL.filter(lambda one: one[2]), min_size=1, max_size=6)),
        st.tuples(st.just("lost"), st.just([])),
    ),
    max_size=30,
)


@given(UPDATES)
def test_a_book_is_valid_while_nothing_is_missing_both_sides_are_there_and_they_do_not_cross(updates):
    view = BookView(Instrument(symbol="ACME", tick_size=1))
    sides: dict[int, dict[float, float]] = {1: {}, -1: {}}
    intact, mark = True, math.nan
    for what, levels in updates:
        if what == "lost":
            view.lose()
            sides, intact = {1: {}, -1: {}}, False
        else:
            view.apply(1, what == "snapshot", *zip(*levels, strict=True))
            if what == "snapshot":
                intact = True
                for side, kept in sides.items():
                    given_here = {price: size for one, price, size in levels if one == side}
                    worst = min((price * side for price in given_here), default=-math.inf)
                    for price in [price for price in kept if price * side >= worst and price not in given_here]:
                        del kept[price]
                    kept.update(given_here)
            else:
                for side, price, size in levels:
                    if size:
                        sides[side][price] = size
                    else:
                        sides[side].pop(price, None)
        bid, ask = max(sides[1], default=math.nan), min(sides[-1], default=math.nan)
        assert view.is_valid == (intact and bid < ask)
        assert repr((view.bid, view.ask)) == repr((bid, ask))
        if sides[1] and sides[-1]:
            mark = (bid + ask) / 2.0
            assert view.mark() == mark
        elif not math.isnan(mark):
            assert view.mark() == mark  # a position stays valued where the middle was last known
