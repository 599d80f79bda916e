"""The length of a bar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from cambist.errors import InputError
from cambist.model.times import SECOND_NS, UNITS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Timeframe"]

_PATTERN = re.compile(r"([1-9][0-9]*)([a-zA-Z])")
#: What a rule begins with, see `cambist.model.bar_rules`.
_RULE = re.compile(r"(count|volume|value|imbalance|range|renko|heikin-ashi)\b")


@attrs.frozen(order=True)
class Timeframe:
    """The fixed length of a bar, such as ``Timeframe.parse("15m")``.

    Attributes
    ----------
    ns
        Length in nanoseconds, at least one second.

    Notes
    -----
    Units are ``s``, ``m`` (minutes), ``h``, ``d`` and ``w``. A calendar month has no fixed length and is
    no timeframe.
    """

    ns: int

    def __attrs_post_init__(self) -> None:
        if self.ns < SECOND_NS:
            raise InputError(f"a timeframe of {self.ns} ns is too short. The shortest is one second ('1s').")

    @classmethod
    def parse(cls, text: str | Timeframe) -> Timeframe:
        """Read ``"1m"``, ``"15m"``, ``"4h"``, ``"1d"`` and the like; a `Timeframe` is returned as it is."""
        if isinstance(text, Timeframe):
            return text
        match = _PATTERN.fullmatch(str(text).strip())
        unit = None if match is None else UNITS.get(match[2] if match[2] == "M" else match[2].lower())
        if match is None or unit is None:
            rule = _RULE.match(str(text).strip())
            hint = f" Bars that end by a rule are asked for by bar_rule={str(text)!r}." if rule is not None else ""
            raise InputError(
                f"{text!r} is no timeframe. Write a count and one of s, m (minutes), h, d, w: '1m', '4h', '1d'.{hint}"
            )
        return cls(int(match[1]) * unit)

    @property
    def shortest(self) -> int:
        """The least that lies between the opens of two bars, ns: the length, unless bars go by a calendar."""
        return self.ns

    def require_multiple(self, slower: Timeframe) -> None:
        """Refuse a slower timeframe that is no whole multiple of this one.

        Raises
        ------
        InputError
            Naming both.
        """
        if slower.ns % self.ns or slower.ns < self.ns:
            raise InputError(
                f"bars of {slower} cannot be made of bars of {self}: the timeframe must be a whole multiple, such as "
                f"{Timeframe(2 * self.ns)} or {Timeframe(4 * self.ns)}."
            )

    def closes(self, opens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the close times of bars that open at `opens` (ns, shape ``(n,)``)."""
        return opens + self.ns

    def __str__(self) -> str:
        for name, unit in reversed(UNITS.items()):
            if self.ns % unit == 0:
                return f"{self.ns // unit}{name}"
        return f"{self.ns}ns"
