"""The suites that ship are told apart by the numbers of their requirements."""

from __future__ import annotations

import hashlib
import inspect

import cambist.testing
from cambist.testing.conformance import SUITES_VERSION, Suite, cards_of

#: Which requirements each version of the suites stands for, as a digest of their numbers and words.
VERSIONS = {1: "86bcdd478bae1f2f", 2: "84b516ebafa7af89"}


def test_every_class_of_tests_that_ships_is_a_suite_with_a_prefix_of_its_own():
    named = [name for name in cambist.testing.__all__ if name.endswith("Tests")]
    suites = [getattr(cambist.testing, name) for name in named]
    assert all(inspect.isclass(one) and issubclass(one, Suite) for one in suites)
    prefixes = [vars(one)["prefix"] for one in suites]
    assert len(set(prefixes)) == len(prefixes)
    assert "ALL" not in prefixes


def test_a_change_of_what_is_required_is_a_new_version_of_the_suites():
    suites = {getattr(cambist.testing, name) for name in cambist.testing.__all__ if name.endswith("Tests")}
    cards = sorted({(card.id, card.suite, card.requirement) for suite in suites for card in cards_of(suite)})
    digest = hashlib.sha256(repr(cards).encode()).hexdigest()[:16]
    assert max(VERSIONS) == SUITES_VERSION
    assert digest == VERSIONS[SUITES_VERSION], (
        "what the suites require has changed: raise SUITES_VERSION, and list its digest here, so that certificates of "
        "before are known to be of the requirements of before"
    )
