"""What a repair may do about a defect, and the changes it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from cambist.data.checks.report import Defect
from cambist.errors import ParameterError, did_you_mean
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.ports.data_rules import DataRule

__all__ = ["ACTIONS", "CAUSAL", "Action", "Ask", "Change", "Policy", "actions_of", "read_policy"]


class Action(StrEnum):
    """What is done about a defect."""

    #: Nothing: it is told.
    KEEP = "keep"
    #: The source is refused with the first such defect.
    REFUSE = "refuse"
    #: Somebody is asked, defect by defect.
    ASK = "ask"
    #: The row is left out.
    DROP = "drop"
    #: Rows are put in the order of their times.
    SORT = "sort"
    #: Of rows of one time, the last is kept.
    LAST = "last"
    #: The last close takes the place of what is wrong or missing, without volume.
    FILL = "fill"
    #: A straight line between the values on either side takes its place, without volume.
    INTERPOLATE = "interpolate"
    #: The value is taken to the bound that it broke.
    CLIP = "clip"
    #: Prices are multiplied by the factor between the two units.
    RESCALE = "rescale"
    #: Prices before a split are divided by its ratio, and volumes multiplied.
    SPLIT_ADJUST = "split-adjust"
    #: The length of a bar is taken off every time.
    SHIFT = "shift"


_VALUE = (Action.DROP, Action.FILL, Action.INTERPOLATE)

#: What may be done about the defects of each of the core's rules, beside keep, refuse and ask.
ACTIONS: Mapping[str, tuple[Action, ...]] = MappingProxyType(
    {
        "order": (Action.SORT, Action.DROP),
        "duplicate": (Action.DROP, Action.LAST),
        "missing-value": _VALUE,
        "not-positive": _VALUE,
        "high-low": (Action.CLIP, Action.DROP),
        "off-grid": (Action.DROP,),
        "open-bar": (Action.DROP,),
        "end-label": (Action.SHIFT,),
        "unit": (Action.RESCALE, Action.DROP),
        "split": (Action.SPLIT_ADJUST,),
        "level-shift": (),
        "spike": _VALUE,
        "wick": (Action.CLIP, Action.DROP),
        "stuck": (Action.DROP,),
        "volume": (Action.CLIP,),
        "adjustment": (),
        "session": (Action.DROP,),
        "dst": (),
        "gap": (Action.FILL, Action.INTERPOLATE),
        "stale": (),
    }
)
#: What can be done with no bar but those before.
CAUSAL = frozenset({Action.KEEP, Action.REFUSE, Action.DROP, Action.FILL, Action.CLIP, Action.RESCALE})
#: About the defects of any rule.
_ANY = (Action.KEEP, Action.REFUSE, Action.ASK)

#: Answers what is to be done about one defect.
Ask = Callable[[Defect], "str | Action"]
#: An action for each rule.
Policy = Mapping[str, Action]


def actions_of(rule: str) -> tuple[Action, ...]:
    """Return what may be done about the defects of a rule; those of a plugin's can be dropped."""
    return (*_ANY, *ACTIONS.get(rule, (Action.DROP,)))


def read_policy(policy: Mapping[str, str], rules: Iterable[DataRule], *, causal: bool = False) -> Policy:
    """Return a policy with the action for each rule that it names.

    Parameters
    ----------
    policy
        The action by the name of the rule.
    rules
        All there are.
    causal
        Whether it is for a stream, which knows no later bars.

    Raises
    ------
    ParameterError
        A rule is not known, or cannot be answered so; names what it can.
    """
    known = {rule.name: rule for rule in rules}
    read: dict[str, Action] = {}
    for name, text in policy.items():
        if name not in known:
            raise ParameterError(f"there is no rule {name!r}.{did_you_mean(name, known)}")
        read[name] = _read_action(name, text, known[name], causal=causal)
    return MappingProxyType(read)


def _read_action(name: str, text: str, rule: DataRule, *, causal: bool) -> Action:
    able = [one for one in actions_of(name) if not causal or _is_causal(rule, one)]
    if text not in [one.value for one in able]:
        where = " on a stream, which knows no later bars" if causal else ""
        listed = ", ".join(able)
        raise ParameterError(f"{name}={text!s}: {name} cannot be answered so{where}. It can: {listed}.")
    return Action(text)


def _is_causal(rule: DataRule, action: Action) -> bool:
    if action in (Action.KEEP, Action.REFUSE):
        return True
    return action in CAUSAL and (rule.future == 0)


@attrs.frozen(slots=True)
class Change:
    """One value that a repair changed, or one row that it took away or put in.

    Attributes
    ----------
    rule, action
        Why, and what was done.
    row
        Row of the source, from 0; -1 for a bar that was put in.
    ts
        Time of the row, ns, UTC.
    column
        The column; ``"time"`` for a time, and ``""`` where a whole row was taken away, moved or put in.
    old, new
        The value before and after; NaN where there is none.
    """

    rule: str
    action: Action
    row: int
    ts: int
    column: str = ""
    old: float = float("nan")
    new: float = float("nan")

    def describe(self) -> str:
        """Say it in one line."""
        where = f"{format_ns(self.ts)}: " if self.row < 0 else f"row {self.row} ({format_ns(self.ts)}): "
        if self.column:
            return f"{where}{self.column} {self.old:g} -> {self.new:g} ({self.rule}: {self.action})"
        if self.row < 0:
            return f"{where}put in, close {self.new:g} ({self.rule}: {self.action})"
        return f"{where}{'moved' if self.action is Action.SORT else 'left out'} ({self.rule}: {self.action})"

    def as_fields(self) -> dict[str, Any]:
        """Return the fields for JSON; what is NaN is None."""
        return {
            "rule": self.rule,
            "action": self.action.value,
            "row": self.row,
            "time": format_ns(self.ts),
            "column": self.column or None,
            "old": self.old if self.old == self.old else None,
            "new": self.new if self.new == self.new else None,
        }
