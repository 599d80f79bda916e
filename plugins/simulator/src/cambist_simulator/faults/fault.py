"""One fault: what goes wrong, on which occasions, how often."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from cambist.api import ParameterError, did_you_mean
from cambist_simulator.faults.vocabulary import ACTIONS, MATCHING, SELECTORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist_simulator.faults.vocabulary import Argument

__all__ = ["Fault", "duration", "moment"]

_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "d": 86400 * _SECOND,
}
_DURATION = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)\s*")
#: Occasions that name a request; those that name a frame.
_OF_REQUESTS, _OF_FRAMES = ("label", "path", "method", "client_id"), ("kind",)


class Fault:
    """Something that goes wrong on purpose.

    Parameters
    ----------
    action
        A name of the vocabulary, such as ``"http_error"``.
    **settings
        Selectors (``label``, ``symbol``, ``user``, ...), which occasions count (``nth``, ``every``, ``count``,
        ``probability``, ``at``, ...), and the action's own arguments. Words of Python take a line at their end:
        ``for_="5s"``.

    Attributes
    ----------
    on
        What sets it off: ``"request"``, ``"frame"``, ``"opening"`` or ``"time"``.
    selectors
        Patterns by selector.
    arguments
        Those of the action, defaults filled in; durations in ns, numbers as decimals.

    Raises
    ------
    ParameterError
        There is no such action or setting, or a value does not fit.

    Examples
    --------
    The second order is accepted, and its client hears of an error::

        Fault("http_error", label="order.place", nth=2, status=503, stage="after")
    """

    def __init__(self, action: str, /, **settings: Any) -> None:
        found = ACTIONS.get(action)
        if found is None:
            raise ParameterError(f"there is no fault called {action!r}.{did_you_mean(action, ACTIONS)}")
        self.action = found
        given = {name.removesuffix("_"): value for name, value in settings.items()}
        self._settings = dict(given)
        arguments = {one.name: one for one in found.arguments}
        for name in given:
            if name not in arguments and name not in SELECTORS and name not in MATCHING:
                known = [*arguments, *MATCHING, *SELECTORS]
                raise ParameterError(f"the fault {action!r} has no setting {name!r}.{did_you_mean(name, known)}")
        self.arguments = {name: self._argument(one, given) for name, one in arguments.items()}
        chosen = {name: value for name, value in given.items() if name in SELECTORS and name not in arguments}
        self.on = self._trigger(given, chosen)
        self.selectors = self._selectors(chosen)
        self.name = str(given.get("name", ""))
        self._read_matching(given)

    def matches(self, facts: Mapping[str, Any]) -> bool:
        """Whether an occasion is one that it chooses; `facts` by selector, those that are not known left out."""
        for name, patterns in self.selectors.items():
            value = facts.get(name, "")
            several = value if isinstance(value, tuple) else (value,)
            if not any(fnmatchcase(str(one).lower(), pattern) for one in several for pattern in patterns):
                return False
        return True

    def chosen(self, selector: str) -> str | None:
        """Return what a selector names, where it is one plain text; None otherwise."""
        given = self._settings.get(selector)
        return given if isinstance(given, str) and not set(given) & set("*?[") else None

    def as_dict(self) -> dict[str, Any]:
        """Return what a script would say."""
        return {"action": self.action.name, **self._settings}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Fault:
        """Make a fault of what a script or the control port says: ``action`` and the settings."""
        given = dict(settings)
        action = given.pop("action", None)
        if not isinstance(action, str):
            raise ParameterError(f'a fault has no action, or {action!r}; give one, such as action = "disconnect".')
        return cls(action, **{str(name): value for name, value in given.items()})

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value!r}" for name, value in self._settings.items())
        return f"Fault({self.action.name!r}{settings})"

    def _argument(self, argument: Argument, given: Mapping[str, Any]) -> Any:
        value = given.get(argument.name, argument.default)
        if value is None:
            if argument.needed:
                raise ParameterError(
                    f"the fault {self.action.name!r} needs {argument.name!r} ({argument.kind}): {argument.meaning}."
                )
            return None
        return _read(value, argument.kind, f"{argument.name!r} of the fault {self.action.name!r}")

    def _selectors(self, chosen: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        usual = self.action.selects if self.on == self.action.triggers[0] else {}
        patterns: dict[str, Any] = {name: value.split("|") for name, value in usual.items()}
        if any(name in chosen for name in usual):
            patterns = {}
        patterns |= chosen
        found = {}
        for name, value in patterns.items():
            several = value if isinstance(value, list | tuple) else [value]
            if not several or not all(isinstance(one, str | int) and not isinstance(one, bool) for one in several):
                raise ParameterError(
                    f'{name!r} of the fault {self.action.name!r} is {value!r}; give a text such as "BTC*", or a list.'
                )
            found[name] = tuple(str(one).lower() for one in several)
        return found

    def _read_matching(self, given: Mapping[str, Any]) -> None:
        where = f"of the fault {self.action.name!r}"
        self.nth = _count(given, "nth", where)
        self.every = _count(given, "every", where)
        self.at = moment(given.get("at"), f"'at' {where}")
        self.until = moment(given.get("until"), f"'until' {where}")
        self.repeat = None if given.get("repeat") is None else duration(given["repeat"], f"'repeat' {where}")
        if self.repeat is not None and (self.on != "time" or self.repeat <= 0):
            raise ParameterError(f"'repeat' {where} is {given['repeat']!r}; it is for faults at a time, above zero.")
        single = self.nth is not None or (self.on == "time" and self.repeat is None)
        self.count = _count(given, "count", where) or (1 if single else None)
        probability = given.get("probability", 1.0)
        if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
            raise ParameterError(f"'probability' {where} is {probability!r}; give a number from 0 to 1.")
        self.probability = float(probability)
        self.clock = given.get("clock", "market")
        if self.clock not in {"market", "server"}:
            raise ParameterError(f"'clock' {where} is {self.clock!r}; give 'market' or 'server'.")

    def _trigger(self, given: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
        triggers = self.action.triggers
        wanted = given.get("on")
        if wanted is not None:
            if wanted not in triggers:
                raise ParameterError(
                    f"'on' of the fault {self.action.name!r} is {wanted!r}; it can be: {', '.join(triggers)}."
                )
            return str(wanted)
        if "request" in triggers and any(name in chosen for name in _OF_REQUESTS):
            return "request"
        if "frame" in triggers and any(name in chosen for name in _OF_FRAMES):
            return "frame"
        if "time" in triggers and "at" in given:
            return "time"
        if triggers[0] == "time" and ("nth" in given or "every" in given) and len(triggers) > 1:
            return triggers[1]
        return triggers[0]


def duration(value: Any, what: str) -> int:
    """Return ns of seconds, or of a text such as ``"250ms"``."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return round(value * _SECOND)
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match:
            return round(Decimal(match[1]) * _UNITS[match[2]])
    raise ParameterError(f'{what} is {value!r}; give seconds, or a text such as "250ms", "5s", "2m" or "1h".')


def moment(value: Any, what: str) -> tuple[bool, int] | None:
    """Return (whether it counts from the start, ns) of a duration or a time; None for None.

    A time without a zone is UTC.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return False, _ns(value)
    if isinstance(value, str) and not _DURATION.fullmatch(value):
        try:
            return False, _ns(datetime.fromisoformat(value))
        except ValueError:
            raise ParameterError(
                f'{what} is {value!r}; give a duration since the start, such as "90s", or a time such as '
                '"2024-03-01T12:00:00Z".'
            ) from None
    return True, duration(value, what)


def _ns(at: datetime) -> int:
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    passed = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86400 + passed.seconds) * _SECOND + passed.microseconds * 1000


def _count(given: Mapping[str, Any], name: str, where: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"{name!r} {where} is {value!r}; give a whole number from 1.")
    return value


def _read(value: Any, kind: str, what: str) -> Any:
    """Return a value as its kind of `Argument` has it."""
    if kind == "duration":
        return duration(value, what)
    if kind == "text":
        if isinstance(value, str):
            return value
        raise ParameterError(f"{what} is {value!r}; give a text.")
    if kind == "flag":
        if isinstance(value, bool):
            return value
        raise ParameterError(f"{what} is {value!r}; give true or false.")
    if "|" in kind:
        words = kind.split("|")
        if value in words:
            return value
        raise ParameterError(f"{what} is {value!r}; give one of: {', '.join(words)}.{did_you_mean(str(value), words)}")
    return _number(value, kind, what)


def _number(value: Any, kind: str, what: str) -> Decimal | float | int:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ParameterError(f"{what} is {value!r}; give a number.")
    if kind == "integer":
        if number != int(number) or number < 0:
            raise ParameterError(f"{what} is {value!r}; give a whole number, not below zero.")
        return int(number)
    if kind == "share":
        if not 0 <= number <= 1:
            raise ParameterError(f"{what} is {value!r}; give a share from 0 to 1.")
        return float(number)
    return number
