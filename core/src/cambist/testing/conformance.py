"""What all suites share: numbered requirements, and a guard over them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SUITES_VERSION", "Card", "Suite", "cards_of", "overrides"]

#: Of what the suites require; it goes up with every requirement that is added, changed or taken away.
SUITES_VERSION = 2

F = TypeVar("F", bound="Callable[..., Any]")
_OURS = "cambist.testing."
_REASON = "__cambist_reason__"


@attrs.frozen
class Card:
    """One requirement.

    Attributes
    ----------
    id
        The suite's prefix and a number that stays: ``"NTF-03"``. New requirements are added behind the others.
    suite, test
        Names of the class and of the test that hold it.
    requirement
        What must be so, in a sentence or a few.
    """

    id: str
    suite: str
    test: str
    requirement: str


class Suite:
    """Base of all suites: a class of tests that a plugin's own test class inherits.

    Attributes
    ----------
    prefix
        Of the ids of the requirements that a suite's own tests hold.
    """

    prefix: ClassVar[str] = "ALL"

    def test_the_suite_is_whole(self) -> None:
        """No test of a suite is removed or replaced, unless `overrides` gives the reason."""
        silent = list(_silent_changes(type(self)))
        assert not silent, (
            f"{', '.join(silent)}: give the reason with @cambist.testing.overrides('why'), or leave the test as it is"
        )


def overrides(reason: str) -> Callable[[F], F]:
    """Mark a test that takes the place of one of a suite, and say why; the certificate shows the reason.

    Raises
    ------
    ValueError
        For no reason.

    Examples
    --------
    ::

        class TestPager(NotifierTests):
            @overrides("the pager cuts after 240 letters, so a long notice is tested with a shorter one")
            def test_a_long_notice_arrives_at_least_with_its_beginning(self, notifier, received): ...
    """
    if not reason.strip():
        raise ValueError("a test of a suite is only replaced for a reason: @overrides('why')")

    def mark(function: F) -> F:
        setattr(function, _REASON, reason)
        return function

    return mark


def cards_of(suite: type) -> list[Card]:
    """Return the requirements that a suite, or a test class that inherits suites, has to meet; bases first."""
    return [
        Card(f"{base.prefix}-{number:02}", base.__name__, name, _sentence(name, inspect.getdoc(function) or ""))
        for base in _suites_in(suite)
        for number, (name, function) in enumerate(_tests_of(base), 1)
    ]


def reason_of(test_class: type, name: str) -> str:
    """Return why a test class replaced a test of a suite; ``""`` where it did not."""
    return str(getattr(getattr(test_class, name, None), _REASON, ""))


def _sentence(name: str, more: str) -> str:
    """Return what a test is called, as people would write it, and what its docstring adds."""
    said = name.removeprefix("test_").replace("_", " ")
    return " ".join(f"{said[:1].upper()}{said[1:]}. {more}".split())


def _suites_in(test_class: type) -> Iterator[type[Suite]]:
    for base in reversed(test_class.__mro__):
        if issubclass(base, Suite) and base.__module__.startswith(_OURS) and "prefix" in vars(base):
            yield base


def _tests_of(suite: type) -> list[tuple[str, Any]]:
    return [(name, one) for name, one in vars(suite).items() if name.startswith("test_") and callable(one)]


def _silent_changes(test_class: type) -> Iterator[str]:
    standard = {card.test for card in cards_of(test_class)}
    for base in test_class.__mro__:
        if base.__module__.startswith(_OURS):
            continue
        for name in standard & vars(base).keys():
            if not hasattr(vars(base)[name], _REASON):
                yield f"{base.__name__}.{name}"
