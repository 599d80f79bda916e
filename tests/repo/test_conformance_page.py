"""The suites that ship are told apart by the numbers of their requirements."""

from __future__ import annotations

import inspect

import cambist.testing
from cambist.testing.conformance import Suite


def test_every_class_of_tests_that_ships_is_a_suite_with_a_prefix_of_its_own():
    named = [name for name in cambist.testing.__all__ if name.endswith("Tests")]
    suites = [getattr(cambist.testing, name) for name in named]
    assert all(inspect.isclass(one) and issubclass(one, Suite) for one in suites)
    prefixes = [vars(one)["prefix"] for one in suites]
    assert len(set(prefixes)) == len(prefixes)
    assert "ALL" not in prefixes
