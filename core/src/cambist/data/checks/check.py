"""Checks of whatever holds bars: every defect, with its row, time, value, rule and severity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import attrs
import numpy as np

from cambist.data.calendars import load_calendar
from cambist.data.checks.raw import RawBars, never_closes, read_raw
from cambist.data.checks.report import CheckReport, Defect
from cambist.data.checks.rules import CORE_RULES
from cambist.errors import ParameterError, did_you_mean
from cambist.ports.data_rules import SeriesView, Severity, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.data_rules import DataRule, Finding

__all__ = ["Circumstances", "Told", "check", "chosen_rules", "defects_of", "findings_of", "is_reversed"]


class Told(TypedDict, total=False):
    """What a caller may say of the circumstances; see `Circumstances`."""

    calendar: Calendar | None
    always: bool | None
    now: int | None
    stale_after: int | None
    causal: bool


@attrs.frozen(kw_only=True)
class Circumstances:
    """What rules are told beside the rows.

    Attributes
    ----------
    calendar
        When the market trades; None where nobody said.
    always
        Whether it never closes; None to tell from the bars, see `never_closes`.
    now
        The present, ns, UTC; None where it does not matter.
    stale_after
        How old the last bar may be, ns; None where it does not matter.
    causal
        Whether every verdict is to be that of a stream, see `BarStream`.
    """

    calendar: Calendar | None = None
    always: bool | None = None
    now: int | None = None
    stale_after: int | None = None
    causal: bool = False

    def for_series(self, raw: RawBars) -> Circumstances:
        """Return these with what the bars tell and what the instrument's calendar says."""
        calendar = self.calendar
        if calendar is None and raw.instrument.calendar:
            calendar = load_calendar(raw.instrument.calendar)
        always = self.always
        if always is None:
            always = calendar is None and never_closes(raw.ts, raw.timeframe)
        return attrs.evolve(self, calendar=calendar, always=always)

    def view(self, raw: RawBars) -> SeriesView:
        """Return the rows as rules look at them."""
        return raw.view(calendar=self.calendar, always=bool(self.always), now=self.now, stale_after=self.stale_after)


def check(
    source: Any,
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: str | Timeframe | None = None,
    rules: Iterable[str | DataRule] | None = None,
    **told: Unpack[Told],
) -> CheckReport:
    """Look for everything that is wrong with bars, and change nothing.

    Parameters
    ----------
    source, symbol, instrument, timeframe
        As for `cambist.load`; a file or a frame need not hold bars that `load` would take.
    rules
        Names of the core's rules, or rules; default: all of the core's.
    calendar
        When the market trades. Default: the instrument's. Without one, gaps within days are not looked for, unless the
        market never closes.
    always
        Whether the market never closes. Default: told from the bars.
    now
        The present, ns, UTC: with it, bars that are still open are found.
    stale_after
        How old the last bar may be, ns; with `now`.
    causal
        Judge each bar by what a stream knows of it, in place of all bars.

    Raises
    ------
    DataError
        There are no bars, or their times cannot be read.
    ParameterError
        A rule is not known.
    """
    raw = read_raw(source, symbol=symbol, instrument=instrument, timeframe=timeframe)
    known = Circumstances(**told).for_series(raw)
    chosen = chosen_rules(rules)
    defects: list[Defect] = []
    shown = raw
    if is_reversed(raw):
        shown = raw.rows(slice(None, None, -1))
    if shown is not raw and any(rule.name == "order" for rule in chosen):
        text = "the rows run from the newest to the oldest"
        defects.append(Defect("order", Severity.ERROR, int(raw.origin[0]), int(raw.ts[0]), "", float("nan"), text))
    cache: dict[Stage, tuple[SeriesView, Any]] = {}
    for rule in chosen:
        defects += defects_of(rule, shown, known, cache)
    place = {rule.name: number for number, rule in enumerate(chosen)}
    defects.sort(key=lambda one: (one.row, place[one.rule]))
    names = tuple(rule.name for rule in chosen)
    return CheckReport(raw.name, len(raw), tuple(defects), names, always=bool(known.always))


def is_reversed(raw: RawBars) -> bool:
    """Tell whether rows run from the newest to the oldest."""
    return len(raw) > 1 and bool((raw.ts[1:] < raw.ts[:-1]).all())


def chosen_rules(rules: Iterable[str | DataRule] | None) -> list[DataRule]:
    """Return the rules that are meant, in their order.

    Raises
    ------
    ParameterError
        A name is none of the core's.
    """
    known: dict[str, type[DataRule]] = {rule.name: rule for rule in CORE_RULES}
    if rules is None:
        return [rule() for rule in known.values()]
    chosen: list[DataRule] = []
    for rule in rules:
        if isinstance(rule, str):
            if rule not in known:
                raise ParameterError(f"there is no rule {rule!r}.{did_you_mean(rule, known)}")
            chosen.append(known[rule]())
        else:
            chosen.append(rule)
    return chosen


def _shown(view: SeriesView, stage: Stage) -> tuple[SeriesView, Any]:
    """Return the rows of a stage, and their numbers in `view`; None where these are all."""
    if stage is Stage.RAW:
        return view, None
    mask = view.is_ordered if stage is Stage.ORDERED else view.is_ordered & view.is_sound
    if mask.all():
        return view, None
    rows = np.flatnonzero(mask)
    return view.rows(rows), rows


def findings_of(rule: DataRule, view: SeriesView, *, causal: bool) -> Sequence[Finding]:
    """Return what a rule finds in a view of its stage."""
    if causal and rule.hindsight:
        return list(rule.find_past(view))  # type: ignore[attr-defined]  # hindsight promises it
    if causal and rule.future is None:
        return []
    found = list(rule.find(view))
    if causal and rule.future:
        # A stream that ended has no verdict on its last bars yet.
        found = [one for one in found if one.row < len(view) - rule.future]
    return found


def defects_of(
    rule: DataRule,
    raw: RawBars,
    told: Circumstances,
    cache: dict[Stage, tuple[SeriesView, Any]] | None = None,
) -> list[Defect]:
    """Return what a rule finds in a series; `cache` keeps the views of its stages, for rules that follow."""
    cache = {} if cache is None else cache
    if Stage.RAW not in cache:
        cache[Stage.RAW] = told.view(raw), None
    if rule.stage not in cache:
        cache[rule.stage] = _shown(cache[Stage.RAW][0], rule.stage)
    view, rows = cache[rule.stage]
    if not len(view):
        return []
    found = findings_of(rule, view, causal=told.causal)
    return [defect_of(rule, one, raw, one.row if rows is None else int(rows[one.row])) for one in found]


def defect_of(rule: DataRule, one: Finding, raw: RawBars, row: int) -> Defect:
    """Return a finding with its place in the source."""
    return Defect(
        rule.name, one.severity, int(raw.origin[row]), int(raw.ts[row]), one.column, one.value, one.text, one.expected
    )
