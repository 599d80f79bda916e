"""What a comparison of two runs found."""

from __future__ import annotations

from typing import Any

import attrs

from cambist.model.times import format_ns

__all__ = ["CategoryReport", "ComparisonReport", "Difference"]

#: Differences of a category that are shown to people.
_SHOWN = 5


@attrs.frozen
class Difference:
    """Something in which two runs differ.

    Attributes
    ----------
    ts
        When it was, in the first run that has it, ns, UTC.
    one, other
        What each run has; None where it has nothing of the kind.
    """

    ts: int
    one: dict[str, Any] | None
    other: dict[str, Any] | None

    def __str__(self) -> str:
        if self.one is None or self.other is None:
            there, alone = ("second", self.other) if self.one is None else ("first", self.one)
            return f"{format_ns(self.ts)}: in the {there} run alone: {_line(alone or {})}"
        names = [name for name in self.one if repr(self.one[name]) != repr(self.other.get(name))]
        same = {name: value for name, value in self.one.items() if name not in names}
        told = ", ".join(f"{name} {self.one[name]} and {self.other.get(name)}" for name in names)
        return f"{format_ns(self.ts)}: {told} ({_line(same)})"


@attrs.frozen(kw_only=True)
class CategoryReport:
    """How two runs compare in one respect.

    Attributes
    ----------
    name
        ``"signal"``, ``"intent"``, ``"order"``, ``"fill"`` or ``"pnl"``.
    one, other
        How many each run has.
    equal_count
        How many are equal.
    differences
        The others, oldest first.
    notes
        What else is to be known of them, in words.
    """

    name: str
    one: int
    other: int
    equal_count: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def lines(self) -> list[str]:
        """Return it for people."""
        counts = f"{self.equal_count:,} of {max(self.one, self.other):,} equal"
        if self.one != self.other:
            counts += f" ({self.one:,} and {self.other:,} in the two runs)"
        verdict = "equal    " if self.equal else "different"
        shown = [f"    {one}" for one in self.differences[:_SHOWN]]
        if len(self.differences) > _SHOWN:
            shown.append(f"    and {len(self.differences) - _SHOWN:,} more")
        return [f"  {self.name:<7} {verdict} {counts}", *(f"    {note}" for note in self.notes), *shown]


@attrs.frozen(kw_only=True)
class ComparisonReport:
    """How two runs compare.

    Attributes
    ----------
    one, other
        What the runs are, in words.
    categories
        What was looked at, from the first cause to the last effect.
    """

    one: str
    other: str
    categories: tuple[CategoryReport, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return all(category.equal for category in self.categories)

    @property
    def decided_alike(self) -> bool:
        """Whether what the strategies noted and asked for is equal, whatever became of it."""
        return all(one.equal for one in self.categories if one.name in {"signal", "intent"})

    def __getitem__(self, name: str) -> CategoryReport:
        """Return the report of a category."""
        return next(category for category in self.categories if category.name == name)

    def __str__(self) -> str:
        if self.equal:
            verdict = "equal"
        else:
            alike = "the decisions are equal, what became of them is not" if self.decided_alike else "different"
            verdict = alike
        head = [verdict, f"  first   {self.one}", f"  second  {self.other}"]
        return "\n".join([*head, *(line for category in self.categories for line in category.lines())])

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        told: dict[str, Any] = attrs.asdict(self)
        for category, made in zip(self.categories, told["categories"], strict=True):
            made["equal"] = category.equal
        return {"equal": self.equal, "decided_alike": self.decided_alike, **told}


def _line(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items() if value not in (None, "", 0, False))
