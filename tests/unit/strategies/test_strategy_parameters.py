"""Parameters: declared once, checked wherever a value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cambist import Strategy, param
from cambist.errors import InputError, ParameterError

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]


class Cross(Strategy):
    fast: int = param(10, ge=2, doc="bars of the fast average")
    share: float = param(1, gt=0, le=1)
    mode: str = param("both", choices=["long", "short", "both"])
    loud: bool = param(False)
    other: Unknown | None = None  # no parameter; that nobody can read its annotation hides no other


class Slow(Cross):
    fast: int = param(100, ge=50)
    slow: int = param()
    cap: float | None = param(None, gt=0)
    bare = param(3)
    free: Any = param("x")
    level = param(None)


def test_values_are_attributes_and_show_in_the_repr():
    strategy = Slow(slow=7, share=0.5)
    assert (strategy.fast, strategy.slow, strategy.share, strategy.mode, strategy.loud) == (100, 7, 0.5, "both", False)
    assert dict(strategy.params) == {
        "fast": 100,
        "share": 0.5,
        "mode": "both",
        "loud": False,
        "slow": 7,
        "cap": None,
        "bare": 3,
        "free": "x",
        "level": None,
    }
    assert repr(Cross(fast=3)) == "Cross(fast=3, share=1.0, mode='both', loud=False)"


def test_the_type_is_that_of_the_annotation_though_others_cannot_be_read():
    types = {name: parameter.type for name, parameter in Slow.parameters.items()}
    assert types == {
        "fast": int,
        "share": float,  # and not that of its default, which is an int
        "mode": str,
        "loud": bool,
        "slow": int,
        "cap": float,
        "bare": int,
        "free": None,  # anything at all
        "level": None,
    }


def test_a_subclass_inherits_overrides_and_leaves_its_base_alone():
    assert list(Cross.parameters) == ["fast", "share", "mode", "loud"]
    assert (Cross.parameters["fast"].default, Slow.parameters["fast"].default) == (10, 100)
    with pytest.raises(ParameterError, match="Slow: parameter 'fast' is 10; it takes an int, at least 50"):
        Slow(fast=10, slow=1)

    class Fixed(Cross):
        fast = 5

    assert Fixed().fast == 5
    assert "fast" not in Fixed.parameters


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fast": 1}, "Cross: parameter 'fast' is 1; it takes an int, at least 2."),
        ({"fast": 2.0}, "parameter 'fast' is 2.0 (float); it takes an int, at least 2."),
        ({"fast": "5"}, "parameter 'fast' is '5' (str)"),
        ({"fast": True}, "parameter 'fast' is True (bool)"),
        ({"fast": None}, "parameter 'fast' is None (NoneType)"),
        ({"share": 0}, "parameter 'share' is 0.0; it takes a number, above 0, at most 1."),
        ({"share": 1.01}, "'share' is 1.01"),
        ({"share": float("nan")}, "'share' is nan"),
        ({"share": float("inf")}, "'share' is inf"),
        ({"share": True}, "'share' is True (bool); it takes a number"),
        ({"mode": "lang"}, "'mode' is 'lang'; it takes a text, one of 'long', 'short', 'both'."),
        ({"loud": 1}, "'loud' is 1 (int); it takes true or false."),
        ({"fats": 5}, "Cross has no parameter 'fats'. Did you mean 'fast'?"),
        ({"zzz": 5}, "Cross has no parameter 'zzz'. Known: fast, loud, mode, share."),
    ],
)
def test_wrong_values_are_named_with_what_would_be_right(values, message):
    with pytest.raises(ParameterError) as caught:
        Cross(**values)
    assert message in str(caught.value)
    assert isinstance(caught.value, InputError)


def test_required_and_optional():
    with pytest.raises(ParameterError, match="Slow: parameter 'slow' needs a value: an int"):
        Slow()
    assert Slow(slow=1, cap=None).cap is None
    assert Slow(slow=1, cap=2).cap == 2.0
    with pytest.raises(ParameterError, match=r"parameter 'cap' is -1\.0; it takes a number, above 0"):
        Slow(slow=1, cap=-1)
    with pytest.raises(ParameterError, match=r"Bare has no parameter 'x'. It has no parameters"):
        type("Bare", (Strategy,), {})(x=1)


def test_numbers_of_numpy_are_numbers():
    strategy = Cross(fast=np.int64(7), share=np.float32(0.5), loud=np.bool_(True))
    assert [type(value) for value in strategy.params.values()] == [int, float, str, bool]
    assert Cross(share=np.int64(1)).share == 1.0
    with pytest.raises(ParameterError, match="parameter 'fast'"):
        Cross(fast=np.float64(7))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("fast", "12", 12),
        ("share", "0.25", 0.25),
        ("share", "1e-1", 0.1),
        ("mode", "long", "long"),
        *(("loud", text, True) for text in ("true", "True", "1", "yes", "ON ")),
        *(("loud", text, False) for text in ("false", "0", "no", "off")),
    ],
)
def test_text_of_the_command_line(name, text, value):
    got = Cross.parameters[name].parse(text, "Cross")
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fast", "1"),
        ("fast", "2.5"),
        ("fast", "many"),
        ("share", "nan"),
        ("share", "half"),
        ("loud", "maybe"),
        ("mode", ""),
    ],
)
def test_text_that_means_nothing(name, text):
    with pytest.raises(ParameterError, match=f"Cross: parameter '{name}' is .*; it takes"):
        Cross.parameters[name].parse(text, "Cross")


@pytest.mark.parametrize("name", ["buy", "data", "log", "name", "params", "position", "on_bar", "sizer", "parameters"])
def test_names_that_the_base_class_uses_are_refused(name):
    with pytest.raises(ParameterError, match=f"Bad: {name} cannot be a parameter, the base class uses the name"):
        type("Bad", (Strategy,), {name: param(1)})


def test_a_fresh_copy_has_the_parameters_and_sizer_and_nothing_else():
    from cambist import FixedSize

    strategy = Cross(fast=5)
    strategy.sizer = FixedSize(7.0)
    strategy.name = "mine"
    strategy.seen = 3
    copy = strategy.fresh()
    assert (copy.params, copy.sizer, copy.name, hasattr(copy, "seen")) == (
        strategy.params,
        FixedSize(7.0),
        "mine",
        False,
    )
    assert copy is not strategy
