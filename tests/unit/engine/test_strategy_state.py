"""What a strategy keeps comes back as it was, or is refused with its place."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist import ParameterError, Strategy, param
from cambist.engine.strategy_state import decode_state, encode_state

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(max_size=20),
    st.decimals(allow_nan=False),
    st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(fold=0)),  # which ISO 8601 does not have
    st.dates(),
    st.timedeltas(),
)
hashable = st.one_of(plain, st.tuples(plain, plain))
anything = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(hashable, inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.sets(hashable, max_size=4),
        st.frozensets(hashable, max_size=4),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), anything, max_size=4))
def test_anything_comes_back(state):
    back = decode_state(encode_state("S", state))
    assert repr(back) == repr(state) if not has_set(state) else back == state
    assert encode_state("S", back) == encode_state("S", state)


def has_set(value):
    if isinstance(value, dict):
        return any(map(has_set, [*value, *value.values()]))
    return isinstance(value, set | frozenset) or (isinstance(value, list | tuple) and any(map(has_set, value)))


def test_nan_infinity_and_numpy_scalars():
    state = {"a": float("nan"), "b": float("-inf"), "c": np.float64(0.5), "d": np.int32(4), "e": -0.0, "f": 2**80}
    back = decode_state(encode_state("S", state))
    assert repr(back) == repr({"a": float("nan"), "b": float("-inf"), "c": 0.5, "d": 4, "e": -0.0, "f": 2**80})


def test_dicts_keep_their_order():
    assert list(decode_state(encode_state("S", {"z": {"b": 1, "a": 2}}))["z"]) == ["b", "a"]
    assert decode_state(encode_state("S", {"z": OrderedDict(a=1)})) == {"z": {"a": 1}}


def test_what_looks_like_our_own_mark_is_kept():
    state = {"x": {"$": "Decimal", "value": "1"}}
    assert decode_state(encode_state("S", state)) == state


@pytest.mark.parametrize("value", [object(), [1, {"k": np.zeros(2)}], lambda: 0, {1: {2: object()}}])
def test_what_cannot_be_kept_is_named_with_its_place(value):
    with pytest.raises(ParameterError, match=r"Cross: levels.* which a journal cannot keep") as caught:
        encode_state("Cross", {"levels": value})
    if isinstance(value, list):
        assert "levels[1]['k'] is a ndarray" in str(caught.value)


class Grid(Strategy):
    persistent = ("levels", "last")
    step: float = param(1.0)

    def on_start(self):
        self.levels = [1, 2]


def test_a_strategy_keeps_what_it_names_as_far_as_it_is_set():
    strategy = Grid()
    assert strategy.save_state() == {}
    strategy.on_start()
    assert strategy.save_state() == {"levels": [1, 2]}
    other = Grid()
    other.load_state({"levels": [3], "last": Decimal("1.5")})
    assert (other.levels, other.last) == ([3], Decimal("1.5"))


def test_a_strategy_that_names_nothing_keeps_nothing():
    assert Strategy().save_state() == {}
