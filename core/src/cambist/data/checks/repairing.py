"""Repairs by an explicit policy: each change is listed, and what came in stays as it is."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Unpack

import attrs

from cambist.data.checks.check import Circumstances, Told, check, chosen_rules, defects_of, is_reversed
from cambist.data.checks.columns import apply, changes_between
from cambist.data.checks.policy import Action, read_policy
from cambist.data.checks.raw import read_raw
from cambist.errors import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.data.checks.policy import Ask, Change, Policy
    from cambist.data.checks.raw import RawBars
    from cambist.data.checks.report import CheckReport, Defect
    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.data_rules import DataRule

__all__ = ["Repaired", "repair"]

#: A repair that uncovers another defect is gone through again, so often at most.
_PASSES = 10


@attrs.frozen(eq=False)
class Repaired:
    """What a repair made.

    Attributes
    ----------
    original
        The columns as they came.
    raw
        The columns after the repair, with the row of the source that each row comes from.
    changes
        Everything that was changed, in the order in which it was done.
    left
        What a check still finds.
    """

    original: RawBars
    raw: RawBars
    changes: tuple[Change, ...]
    left: CheckReport

    @property
    def bars(self) -> Bars:
        """The repaired bars.

        Raises
        ------
        DataError
            What the policy keeps is no bar; names the first row.
        """
        return self.raw.to_bars()

    def describe(self) -> str:
        """Say in one line what was done."""
        if not self.changes:
            return f"{self.raw.name}: nothing was changed in {len(self.raw):,} bars"
        counts: dict[str, int] = {}
        for one in self.changes:
            what = f"{one.rule}: {one.action}"
            counts[what] = counts.get(what, 0) + 1
        listed = ", ".join(f"{what} {count:,}" for what, count in counts.items())
        bars = f"{len(self.raw):,} bars of {len(self.original):,}"
        return f"{self.raw.name}: {len(self.changes):,} changes ({listed}); {bars}"


def repair(
    source: Any,
    policy: Mapping[str, str],
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
    rules: Iterable[str | DataRule] | None = None,
    ask: Ask | None = None,
    **told: Unpack[Told],
) -> Repaired:
    """Repair bars as a policy says, and tell each change.

    Parameters
    ----------
    source, symbol, instrument, timeframe, rules, calendar, always, now
        As for `cambist.data.check`.
    policy
        What is to be done about the defects of a rule, such as ``{"duplicate": "drop", "gap": "fill"}``. Defects of
        rules that it does not name are left, and told.
    causal
        Decide on each bar by what a stream knows of it, once, in the order of the rules: what comes out is what
        `BarStream` delivers of the same bars.
    ask
        Answers for the rules whose action is ``"ask"``.

    Raises
    ------
    ParameterError
        A rule or an action is not known, or the action does not fit the rule.
    DataError
        A rule whose action is ``"refuse"`` found something, or the source cannot be read.
    """
    original = read_raw(source, symbol=symbol, instrument=instrument, timeframe=timeframe)
    chosen = chosen_rules(rules)
    actions = read_policy(policy, chosen, causal=told.get("causal", False))
    if Action.ASK in actions.values() and ask is None:
        name = next(name for name, action in actions.items() if action is Action.ASK)
        raise ParameterError(f"{name}=ask: nobody is there to be asked. Give ask=, a function of one defect.")
    asking = None if ask is None else _remembering(ask, chosen)
    known = Circumstances(**told).for_series(original)
    raw = original
    changes: list[Change] = []
    if is_reversed(raw):
        raw = _turned(raw, actions, changes)
    for _ in range(1 if known.causal else _PASSES):
        before = len(changes)
        for rule in chosen:
            if actions.get(rule.name, Action.KEEP) is not Action.KEEP:
                raw = _repaired(rule, actions[rule.name], raw, known, changes, asking)
        if len(changes) == before:
            break
    again: Told = {"calendar": known.calendar, "always": known.always, "now": known.now, "causal": known.causal}
    left = check(raw, rules=chosen, **again)
    return Repaired(original, raw, tuple(changes), left)


def _turned(raw: RawBars, actions: Policy, changes: list[Change]) -> RawBars:
    """Return rows that ran from the newest to the oldest the other way round."""
    if actions.get("order") is not Action.SORT:
        raise DataError(
            f"{raw.name}: the rows run from the newest to the oldest. Say that they may be turned round: order=sort."
        )
    turned = raw.rows(slice(None, None, -1))
    changes += changes_between("order", Action.SORT, raw, turned)
    return turned


def _repaired(
    rule: DataRule, action: Action, raw: RawBars, told: Circumstances, changes: list[Change], ask: Ask | None
) -> RawBars:
    """Return the rows after what one rule found was answered."""
    defects = defects_of(rule, raw, told)
    for asked, some in _answers(action, defects, ask):
        if asked is Action.REFUSE:
            first = some[0]
            raise DataError(f"{raw.name}: {first.describe()} ({rule.name}, {len(some):,} in all). Repair the source.")
        if asked is Action.KEEP:
            continue
        after = apply(rule, asked, raw, some, told)
        changes += changes_between(rule.name, asked, raw, after)
        raw = after
    return raw


def _remembering(ask: Ask, rules: Iterable[DataRule]) -> Ask:
    """Return what asks about each defect once, however often it is gone through, and refuses what cannot be done."""
    known = {rule.name: rule for rule in rules}
    answers: dict[tuple[Any, ...], Action] = {}

    def asked(defect: Defect) -> Action:
        if defect.key not in answers:
            answer = read_policy({defect.rule: str(ask(defect))}, [known[defect.rule]])[defect.rule]
            answers[defect.key] = Action.KEEP if answer is Action.ASK else answer
        return answers[defect.key]

    return asked


def _answers(action: Action, defects: Sequence[Defect], ask: Ask | None) -> list[tuple[Action, list[Defect]]]:
    """Return which action is for which defects."""
    if not defects:
        return []
    if action is not Action.ASK or ask is None:
        return [(action, list(defects))]
    answered = [(Action(ask(one)), one) for one in defects]
    order = {found: place for place, found in enumerate(dict.fromkeys(action for action, _ in answered))}
    answered.sort(key=lambda pair: order[pair[0]])
    return [(found, [one for _, one in group]) for found, group in groupby(answered, key=lambda pair: pair[0])]
