"""What a check says: every defect, with its place."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs

from cambist.model.times import format_ns
from cambist.ports.data_rules import Severity

__all__ = ["CheckReport", "Defect"]


@attrs.frozen(slots=True)
class Defect:
    """Something wrong in a series.

    Attributes
    ----------
    rule
        Which rule found it.
    severity
        How much it matters.
    row
        Row of the source, from 0; -1 for a bar that is put in by a repair.
    ts
        The row's time, ns, UTC.
    column
        Whose value is wrong; ``""`` where it is the time or the whole row.
    value
        The value at fault; NaN where there is none.
    text
        What is wrong, for a person.
    expected
        What the value, or the factor of prices, should be; NaN where the rule does not know.
    """

    rule: str
    severity: Severity
    row: int
    ts: int
    column: str
    value: float
    text: str
    expected: float = float("nan")

    @property
    def key(self) -> tuple[str, str, int, int, str]:
        """What two reports are compared by: rule, severity, row, time, column."""
        return self.rule, self.severity.value, self.row, self.ts, self.column

    def describe(self) -> str:
        """Say it in one line."""
        return f"row {self.row} ({format_ns(self.ts)}): {self.text}"

    def as_fields(self) -> dict[str, Any]:
        """Return the fields for JSON; what is NaN is None."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "row": self.row,
            "time": format_ns(self.ts),
            "column": self.column or None,
            "value": self.value if self.value == self.value else None,
            "expected": self.expected if self.expected == self.expected else None,
            "text": self.text,
        }


@attrs.frozen
class CheckReport:
    """What `check` found.

    Attributes
    ----------
    name
        Of what: symbol and timeframe.
    rows
        How many rows were checked.
    defects
        Sorted by row, then in the order of the rules.
    rules
        The rules that were asked, in order.
    always
        Whether the market was taken to be open at all times.
    """

    name: str
    rows: int
    defects: tuple[Defect, ...]
    rules: tuple[str, ...]
    always: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing but notes."""
        return not self.at_least(Severity.WARNING)

    def at_least(self, severity: Severity) -> tuple[Defect, ...]:
        """Return the defects that matter that much, or more."""
        order = list(Severity)
        return tuple(one for one in self.defects if order.index(one.severity) >= order.index(severity))

    def of(self, rule: str) -> tuple[Defect, ...]:
        """Return what one rule found."""
        return tuple(one for one in self.defects if one.rule == rule)

    def counts(self) -> dict[str, int]:
        """Return how many defects each rule found, for rules that found some, in the order of the rules."""
        counted = Counter(one.rule for one in self.defects)
        return {rule: counted[rule] for rule in self.rules if counted[rule]}

    def describe(self) -> str:
        """Say in one line what was found."""
        if not self.defects:
            return f"{self.name}: nothing wrong in {self.rows:,} bars"
        found = ", ".join(f"{rule} {count:,}" for rule, count in self.counts().items())
        return f"{self.name}: {len(self.defects):,} defects in {self.rows:,} bars ({found})"

    def as_fields(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
            "clean": self.is_clean,
            "always_open": self.always,
            "rules": list(self.rules),
            "counts": self.counts(),
            "defects": [one.as_fields() for one in self.defects],
        }
