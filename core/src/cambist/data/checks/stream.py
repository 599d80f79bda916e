"""Checks and repairs bar by bar: with the decisions that `check` and `repair` come to over the same bars, causally."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.data.checks.check import Circumstances, chosen_rules, findings_of
from cambist.data.checks.mending import mend
from cambist.data.checks.policy import Action, Change, read_policy
from cambist.data.checks.report import Defect
from cambist.data.checks.rules.duplicate import DuplicateRule
from cambist.data.checks.rules.gap import missing_times
from cambist.data.checks.rules.order import OrderRule
from cambist.errors import DataError
from cambist.model.bars import COLUMNS, Bar
from cambist.model.timeframe import Timeframe
from cambist.ports.data_rules import SeriesView, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.model.calendar import Calendar
    from cambist.ports.data_rules import DataRule, Finding

__all__ = ["BarStream"]


@attrs.frozen
class _Row:
    """A bar on its way through the rules; `origin` counts what came in, -1 for a bar that was put in."""

    origin: int
    bar: Bar


class BarStream:
    """Bars that come one by one, checked, and mended by a policy.

    Every rule has a memory of as many bars as its verdict looks back, so that the work for a bar does not grow. What
    comes out, `defects` and `changes` are those of ``repair(..., causal=True)`` over the same bars.

    Parameters
    ----------
    timeframe
        Length of a bar.
    policy
        What is to be done about the defects of a rule: ``keep``, ``refuse``, ``drop``, ``fill``, ``clip`` or
        ``rescale``, where that fits the rule; see `repair`. A rule that waits for later bars can be told or refuse
        alone: the bar has been delivered when its verdict is known.
    rules
        Names or rules. Default: the core's.
    calendar, always
        When the market trades. A stream cannot tell from its bars.

    Attributes
    ----------
    defects, changes
        What was found and done since somebody took it away with `taken`.

    Notes
    -----
    Rules for the whole series (``adjustment``, ``end-label``, ``stale``) say nothing here. ``split``, ``level-shift``
    and ``spike`` speak 10 bars, 10 bars and 1 bar later. ``unit`` takes a unit for granted that has held for some bars,
    and ``order`` and ``duplicate`` remember 1,024 bars.
    """

    def __init__(
        self,
        timeframe: str | Timeframe,
        policy: Mapping[str, str] | None = None,
        *,
        rules: Iterable[str | DataRule] | None = None,
        calendar: Calendar | None = None,
        always: bool = False,
    ) -> None:
        frame = Timeframe.parse(timeframe)
        chosen = chosen_rules(rules)
        actions = read_policy(policy or {}, chosen, causal=True)
        told = Circumstances(calendar=calendar, always=always and calendar is None, causal=True)
        speaking = [rule for rule in chosen if rule.hindsight or rule.future is not None]
        self._steps = [_Step(rule, actions.get(rule.name, Action.KEEP), frame, told, self) for rule in speaking]
        self._count = 0
        self.defects: list[Defect] = []
        self.changes: list[Change] = []

    def push(self, bar: Bar) -> list[Bar]:
        """Take the next bar and return what is to be delivered: it, mended or not, bars put in before it, or nothing.

        Raises
        ------
        DataError
            A rule whose action is ``"refuse"`` found something.
        """
        rows = [_Row(self._count, bar)]
        self._count += 1
        for step in self._steps:
            rows = [out for row in rows for out in step.take(row)]
        return [row.bar for row in rows]

    def taken(self) -> tuple[list[Defect], list[Change]]:
        """Return what was found and done, and forget it."""
        found, self.defects = self.defects, []
        done, self.changes = self.changes, []
        return found, done


class _Step:
    """One rule, with the bars it looks back on."""

    def __init__(
        self, rule: DataRule, action: Action, timeframe: Timeframe, told: Circumstances, stream: BarStream
    ) -> None:
        self._rule, self._action, self._timeframe, self._told, self._stream = rule, action, timeframe, told, stream
        self._ahead = rule.future or 0
        self._size = rule.past + self._ahead + 1
        # Twice as long as it need be, so that it is moved to its beginning but now and then.
        self._ts = np.zeros(2 * self._size, np.int64)
        self._values = np.zeros((len(COLUMNS), 2 * self._size))
        self._rows: list[_Row] = []
        self._end = 0
        self._latest: int | None = None
        #: Close of the row that went on before; NaN before the first.
        self._before = float("nan")

    def take(self, row: _Row) -> Sequence[_Row]:
        """Take a row and return what goes on to the next rule."""
        newest = self._latest is None or row.bar.ts > self._latest
        if newest:
            self._latest = row.bar.ts
        out: Sequence[_Row] = (row,)
        if self._rule.stage is Stage.RAW or (newest and (self._rule.stage is Stage.ORDERED or _is_sound(row.bar))):
            out = self._judged(row, newest=newest)
        if out:
            self._before = out[-1].bar.close
        return out

    def _judged(self, row: _Row, *, newest: bool) -> Sequence[_Row]:
        self._keep(row)
        place = min(self._end, self._size) - 1 - self._ahead
        if place < 0:
            return (row,)
        if newest and isinstance(self._rule, OrderRule | DuplicateRule):
            return (row,)  # these two find nothing in a row that is later than all before, and remember many
        view = self._view()
        found = [one for one in findings_of(self._rule, view, causal=True) if one.row == place]
        if not found:
            return (row,)
        judged = self._rows[-1 - self._ahead]
        for one in found:
            self._stream.defects.append(self._defect(one, judged))
        if self._action is Action.REFUSE:
            raise DataError(f"{self._stream.defects[-1].describe()} ({self._rule.name}). The stream is refused.")
        if self._action is Action.KEEP:
            return (row,)
        return self._answered(row, found, view)

    def _answered(self, row: _Row, found: Sequence[Finding], view: SeriesView) -> Sequence[_Row]:
        name, action, changes = self._rule.name, self._action, self._stream.changes
        if name == "gap":
            close = self._rows[-2].bar.close
            filled = [
                _Row(-1, Bar(ts, close, close, close, close, 0.0))
                for ts in missing_times(view, int(view.ts[-2]), int(view.ts[-1])).tolist()
            ]
            changes += [Change(name, action, -1, one.bar.ts, new=close) for one in filled]
            return (*filled, row)
        bar = row.bar
        values = {column: getattr(bar, column) for column in COLUMNS}
        mended = mend(action, values, found, self._before)
        if mended is None:
            changes.append(Change(name, action, row.origin, bar.ts))
            return ()
        for column, old in values.items():
            new = mended[column]
            if new != old and not (new != new and old != old):  # noqa: PLR0124 -- NaN
                changes.append(Change(name, action, row.origin, bar.ts, column, old, new))
        return (_Row(row.origin, Bar(bar.ts, **mended)),)

    def _keep(self, row: _Row) -> None:
        if self._end == len(self._ts):
            kept = self._size - 1
            first = self._end - kept
            self._ts[:kept], self._values[:, :kept] = self._ts[first:], self._values[:, first:]
            self._end = kept
        bar = row.bar
        self._ts[self._end] = bar.ts
        self._values[:, self._end] = bar.open, bar.high, bar.low, bar.close, bar.volume
        self._end += 1
        self._rows.append(row)
        del self._rows[: -2 - self._ahead]

    def _view(self) -> SeriesView:
        shown = slice(max(0, self._end - self._size), self._end)
        columns = dict(zip(COLUMNS, self._values[:, shown], strict=True))
        told = self._told
        return SeriesView(
            timeframe=self._timeframe,
            ts=self._ts[shown],
            columns=columns,
            always=bool(told.always),
            calendar=told.calendar,
        )

    def _defect(self, one: Finding, row: _Row) -> Defect:
        return Defect(
            self._rule.name, one.severity, row.origin, row.bar.ts, one.column, one.value, one.text, one.expected
        )


def _is_sound(bar: Bar) -> bool:
    """Tell whether a bar is one by itself; see `SeriesView.is_sound`."""
    return (
        0.0 < bar.low <= bar.open <= bar.high < float("inf")
        and bar.low <= bar.close <= bar.high
        and 0.0 <= bar.volume < float("inf")
    )
