"""The public door: its names are a promise, so a change of them is a change of ``public_names.txt``."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import cambist

PROMISED = Path(__file__).with_name("public_names.txt").read_text(encoding="utf-8").split()


def test_the_door_offers_what_is_promised():
    assert sorted(cambist.__all__) == PROMISED


def test_the_names_are_listed_once_and_in_order():
    assert list(cambist.__all__) == sorted(set(cambist.__all__))


@pytest.mark.parametrize("name", PROMISED)
def test_a_name_resolves_and_is_documented(name):
    offered = getattr(cambist, name)
    if not isinstance(offered, str):
        assert inspect.getdoc(offered), f"cambist.{name} has no docstring"
    assert name in dir(cambist)


def test_an_unknown_name_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="backtesst"):
        cambist.backtesst  # noqa: B018 - the access is the test
