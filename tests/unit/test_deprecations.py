"""Whoever uses a name that will go is told where, since when, until when, and what to use, once at each place."""

from __future__ import annotations

import types
import warnings
from decimal import Decimal

import attrs
import pytest

from cambist.deprecations import CambistDeprecationWarning, deprecated, deprecated_names, deprecated_parameter

TEXT = "is deprecated since cambist 0.2.0 and will be gone in 0.4.0; use new instead."


@deprecated(since="0.2.0", until="0.4.0", instead="new")
def old(x, *, y=1):
    """Add."""
    return x + y


@deprecated(since="0.2.0", until="0.4.0", instead="new")
@attrs.define
class Old:
    x: int


class Holder:
    @deprecated(since="0.2.0", until="0.4.0", instead="new")
    def method(self):
        return self


class Younger(Old):
    pass


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (lambda: old(1, y=2), "old"),
        (lambda: Old(3), "Old"),
        (lambda: Younger(3), "Old"),
        (lambda: Holder().method(), "Holder.method"),
    ],
    ids=["function", "class", "subclass", "method"],
)
def test_the_user_is_told_with_his_own_place(use, name):
    with pytest.warns(CambistDeprecationWarning) as told:
        use()
    assert [str(one.message) for one in told] == [f"{name} {TEXT}"]
    assert told[0].filename == __file__
    assert told[0].lineno == use.__code__.co_firstlineno


def test_what_is_marked_works_as_before():
    with pytest.warns(CambistDeprecationWarning):
        assert old(1, y=2) == 3
    with pytest.warns(CambistDeprecationWarning):
        assert Old(3).x == 3
    assert issubclass(Younger, Old)
    assert old.__doc__ == "Add."
    assert old.__deprecated__ == f"old {TEXT}"
    assert Old.__deprecated__ == f"Old {TEXT}"


def test_each_place_is_told_once_whatever_the_filter():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(1_000):
            old(1)
        old(2)
    assert len(told) == 2
    assert told[0].lineno + 1 == told[1].lineno


def test_as_an_error_it_is_raised_every_time():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(CambistDeprecationWarning):
                old(1)


@deprecated_parameter("colour", since="0.2.0", until="0.4.0", instead="color", convert=str.upper)
@deprecated_parameter("width", since="0.2.0", until="0.4.0", instead="The size is told by the text.")
def paint(text, color="RED"):
    return text, color


def test_an_old_parameter_takes_the_place_of_the_new_one():
    with pytest.warns(CambistDeprecationWarning, match="the parameter 'colour' of paint .*use color instead") as told:
        assert paint("a", colour="blue") == ("a", "BLUE")
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TypeError, match="'color', and 'colour', which is its old name"):
            paint("a", colour="blue", color="GREEN")


def test_a_parameter_without_a_successor_is_dropped():
    with pytest.warns(CambistDeprecationWarning, match=r"gone in 0\.4\.0; The size is told by the text\.$") as told:
        assert paint("a", width=3) == ("a", "RED")
    assert told[0].filename == __file__  # not the decorator above it


def test_the_new_name_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert paint("a", color="BLUE") == ("a", "BLUE")


def test_a_name_that_moved_is_found_at_its_old_place():
    module = types.ModuleType("somewhere")
    module.__getattr__ = deprecated_names(
        "somewhere", {"Money": "decimal.Decimal"}, since="0.2.0", until="0.4.0", otherwise=lambda name: name * 2
    )
    with pytest.warns(CambistDeprecationWarning, match=r"^somewhere\.Money is .*use decimal\.Decimal instead") as told:
        assert module.Money is Decimal
    assert told[0].filename == __file__
    assert module.other == "otherother"
    plain = deprecated_names("somewhere", {}, since="0.2.0", until="0.4.0")
    with pytest.raises(AttributeError, match="'somewhere' has no attribute 'other'"):
        plain("other")
