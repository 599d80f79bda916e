"""Feeds a kernel what the kernel of a run was fed, and holds what it makes of that against the journal."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from cambist.backtest.replay.inputs import ASIDE, INPUTS, JournalledEvents
from cambist.backtest.replay.peeked import Peeked
from cambist.backtest.replay.report import (
    Decision,
    Divergence,
    ReplayReport,
    changed_strategies,
    event_fields,
    state_of,
)
from cambist.backtest.replay.rows import Rows
from cambist.engine import conversions as to
from cambist.engine.codec import CODEC
from cambist.engine.failures import strategy_error
from cambist.engine.recorded import HistoryFed
from cambist.engine.resume import feed_history
from cambist.errors import JournalError, OrderStateError, RecordError
from cambist.model.effects import ChangeMargin
from cambist.model.events import MarginChanged, OrderRefused, RunStarted, SharesSplit, TradingStateChanged
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cambist.backtest.replay.commits import Commit
    from cambist.backtest.replay.staged import Staged
    from cambist.engine.journaled import Append
    from cambist.engine.recorded import Recorded
    from cambist.engine.step import Kernel
    from cambist.model.effects import Effect
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.model.portfolio import MarginChange
    from cambist.ports.journal import Draft, JournalEntry

__all__ = ["Replay"]

#: Kinds of records that tell of a wish, or of what came of an event, and never of the event itself.
_OUTCOMES = frozenset(CODEC.kinds) - INPUTS - ASIDE - {"order_not_found"}


class _Over(Exception):  # noqa: N818 - it is no error
    """Nothing more can be replayed; says why, ``""`` at the end of the run."""


class _Differs(Exception):  # noqa: N818
    """The first difference was found."""

    def __init__(self, divergence: Divergence) -> None:
        self.divergence = divergence


class Replay:
    """One replay of a run.

    Parameters
    ----------
    commits
        Of the journal, from the one on in which the run begins, or goes on.
    rows
        Of the recording from there on, given the instruments of its trades, quotes and books.
    set_stage
        Makes what is around the kernel, given the first commit and what takes the records of a step.
    flaw
        Answers why the recording ends early.
    begins, start
        Number of the last record before; the commit in which the run starts, where one that goes on lifts holds first.

    Raises
    ------
    ParameterError
        For options, or strategies, that cannot be those of the run.
    """

    def __init__(
        self,
        commits: Iterator[Commit],
        rows: Callable[[Sequence[Instrument]], Iterator[Recorded]],
        set_stage: Callable[[Commit, Append], Staged],
        flaw: Callable[[], str],
        begins: int = 0,
        start: Commit | None = None,
    ) -> None:
        self._flaw, self._commits = flaw, Peeked(commits)
        opening = start or self._commits.peek()
        assert opening is not None
        self._stage = set_stage(opening, self._append)
        self._kernel = self._stage.kernel
        self._kernel.queue_ahead = self._ahead_of
        self._rows = Rows(rows(self._stage.streams))
        self._told = JournalledEvents(self._kernel, opening, self._stage.traded)
        self._drafts: list[Draft] = []
        self._wishes: list[MarginChange] = []  # changes of margin that were asked for and are not carried out yet
        self._position = self._begins = begins  # number of the last record that was compared
        self._steps, self._error = 0, ""
        self._last: tuple[int, str, dict[str, Any]] = (0, "", {})  # the last event, for a report
        self._lost = False  # whether an answer is behind the end of the recording
        self._notes: list[str] = []

    def run(self) -> ReplayReport:
        """Replay all of it, or to the first difference."""
        divergence, reason = None, ""
        try:
            while True:
                self._go_on()
        except _Over as over:
            reason = str(over)
        except _Differs as found:
            divergence = found.divergence
        if reason:
            self._notes.append(reason)
        return ReplayReport(
            equal=divergence is None,
            complete=divergence is None and not reason,
            divergence=divergence,
            events=self._steps,
            records=self._position,
            notes=tuple(self._notes),
        )

    def _append(self, drafts: Sequence[Draft]) -> int:
        self._drafts += drafts
        return self._position + len(drafts)

    # What comes next.

    def _go_on(self) -> None:
        """Replay one event."""
        row, position = self._rows.peek(), self._position
        if row is not None and row.event is not None and row.after == position:
            event = row.event
            self._check_wishes(event.change if isinstance(event, MarginChanged) else None)
            self._rows.take()
            if isinstance(event, HistoryFed):
                self._note_event(event.ts, "HistoryFed", {})
                feed_history(self._kernel, event.series, event.bar)
                return
            self._set_day()
            self._step(event, lambda: self._kernel.step(event))
            self._compare(event_is_journalled=False)
        elif row is not None and row.after < position:
            raise _unfitting(f"the recording tells of record {row.after} behind record {position}", position)
        elif row is None and self._rows.ended is None:
            raise _Over(self._cut_off())
        else:
            self._take_commit(row)

    def _ahead_of(self, order: Order) -> float:
        """Answer what stands before an order in its line, as the venue did when it was asked during this event."""
        if not self._stage.streams:
            return nan
        told = self._rows.answer(self._steps, order.id)
        if told is None:
            self._lost = self._rows.is_torn
            raise RecordError(
                f"where order {order.id} stands in its line is not known: the run did not ask for that at this event",
                code="not_recorded",
                remedy="Record a run that asks.",
            )
        return told

    def _take_commit(self, row: Recorded | None) -> None:
        commit = self._commits.peek()
        if commit is None:
            if row is None and self._rows.ended == self._position:
                raise _Over("")
            raise _Over(_torn_journal(self._position))
        kind = commit.first.kind
        if _is_aside(commit) or (kind == "instrument_defined" and not commit.begins):
            self._pass_by(commit)
            return
        if kind == "series_anchored":
            self._anchor(commit)
            return
        if kind in _OUTCOMES:
            if all(entry.sequence in self._rows.outside for entry in commit.entries):
                self._pass_by(commit)
                return
            raise self._differs(commit.first, None)
        if kind not in INPUTS:
            raise RecordError(
                f"a replay knows no way to repeat a {kind!r}",
                code="not_replayed",
                sequence=commit.first.sequence,
                remedy="Report this as a fault, with the journal.",
            )
        if kind in ("timer_fired", "run_stopped"):
            self._check_wishes(None)
        self._feed(commit)
        self._compare(event_is_journalled=True)

    def _anchor(self, commit: Commit) -> None:
        """Have a series begin with the bar that it began with before the run went on."""
        anchor = commit.only("series_anchored")
        names = [(instrument.symbol, str(timeframe)) for instrument, timeframe in self._kernel.series]
        if (anchor.symbol, anchor.timeframe) not in names:
            raise self._differs(commit.first, None)
        number = names.index((anchor.symbol, anchor.timeframe))
        self._kernel.recorder.anchored(commit.first.ts, number, anchor.ts)
        self._compare(event_is_journalled=True)

    def _pass_by(self, commit: Commit) -> None:
        """Go on behind records that no kernel made."""
        self._commits.take()
        self._position = commit.entries[-1].sequence
        _redefine(self._kernel, commit)
        for said in commit.every("operator_command"):
            self._notes.append(f"{said.by or 'somebody'} told the run: {said.name} (record {self._position}).")

    # Events that the journal tells.

    def _check_wishes(self, done: MarginChange | None) -> None:
        """Hold a change of margin that the run carried out against what was asked for, of which is no record."""
        if self._stage.is_live or (done is None and self._event_is_told()):
            return
        wish = self._wishes.pop(0) if self._wishes else None
        if repr(wish) != repr(done):
            raise self._differs(None, None, (done, wish))

    def _event_is_told(self) -> bool:
        """Tell whether what comes next is word of what we decided, which may come between asking and doing."""
        row = self._rows.peek()
        return (
            row is not None
            and isinstance(row.event, OrderRefused | TradingStateChanged)
            and row.after == self._position
        )

    def _feed(self, commit: Commit) -> None:
        """Have the kernel take in what a commit begins with."""
        entry, kernel = commit.first, self._kernel
        self._set_day()
        if entry.kind == "order_adopted":
            order = self._told.adopt(commit)
            self._note_event(entry.ts, "OrderAdopted", {"order_id": order.id, "symbol": order.instrument.symbol})
            return
        event = self._told.event_of(commit)
        self._step(event, lambda: kernel.step(event))
        if isinstance(event, RunStarted):
            self._stage.started()
        if isinstance(event, SharesSplit):
            self._stage.split(event.symbol, event.ratio)

    def _set_day(self) -> None:
        """Have the rules of the markets go by the trading day that the next event belongs to."""
        day = self._rows.day_of(self._steps + 1)
        if self._stage.markets is not None:
            self._stage.markets.at = day

    def _note_event(self, ts: int, name: str, details: dict[str, Any]) -> None:
        self._steps += 1
        self._last = ts, name, details

    def _step(self, event: Event, step: Callable[[], list[Effect]]) -> None:
        self._note_event(event.ts, type(event).__name__, {})
        self._event = event
        self._stage.taking(event)
        try:
            wanted = step()
            self._wishes += [one.change for one in wanted if isinstance(one, ChangeMargin)]
            self._error = self._stage.raised()
        except OrderStateError:
            pass  # the run met the same anomaly, and went on; the book has noted it
        except Exception as error:
            explained = strategy_error(error, self._kernel)
            if explained is None:
                raise
            self._error = str(explained)

    def _compare(self, *, event_is_journalled: bool) -> None:
        """Hold what a step left against what it left in the run."""
        if self._lost:
            raise _Over(self._cut_off())
        found, self._drafts = self._drafts, []
        row = self._rows.peek()  # past the marks behind an event, which are of what came of it
        commit = self._commits.peek()
        if found and commit is None:
            self._rows.drain()
            if self._rows.ended != self._position:
                raise _Over(_torn_journal(self._position))
            raise self._differs(None, found[0])
        if found and commit is not None:
            nothing_came = row is not None and row.after == self._position
            if not event_is_journalled and (nothing_came or commit.first.kind in INPUTS | ASIDE):
                raise self._differs(None, found[0])
            self._commits.take()
            self._compare_records(commit, found)
        if self._error and self._stage.is_live:
            self._notes.append(f"a strategy raised here too: {self._error}")
            self._error = ""
            self._kernel.collect()
        elif self._error:
            self._check_end()

    def _compare_records(self, commit: Commit, found: Sequence[Draft]) -> None:
        at = 0
        for entry in commit.entries:
            draft = found[at] if at < len(found) else None
            if draft is not None and self._is_same(entry, draft):
                at += 1
            elif entry.sequence not in self._rows.outside:
                raise self._differs(entry, draft)
            self._position = entry.sequence
        if at < len(found):
            raise self._differs(None, found[at])

    def _is_same(self, entry: JournalEntry, draft: Draft) -> bool:
        if entry.kind == draft.kind == "run_started":  # a strategy may differ; what it does counts
            self._notes += changed_strategies(entry, draft)
            return True
        return (entry.kind, entry.ts, entry.version, entry.body) == (draft.kind, draft.ts, draft.version, draft.body)

    def _check_end(self) -> None:
        """After a strategy raised: the run must have ended at this event too."""
        while (commit := self._commits.peek()) is not None and _is_aside(commit):
            self._pass_by(commit)
        row = self._rows.peek()
        if commit is None and row is None:
            self._notes.append(f"the run ended here too: {self._error}")
            raise _Over("" if self._rows.ended == self._position else self._cut_off())
        expected = commit.first if commit is not None and commit.first.kind in _OUTCOMES else None
        raise self._differs(expected, None)

    # What is told.

    def _differs(
        self,
        expected: JournalEntry | None,
        found: Draft | None,
        changes: tuple[MarginChange | None, MarginChange | None] = (None, None),
    ) -> _Differs:
        ts, name, details = self._last
        if not details:
            details = event_fields(self._event)
        return _Differs(
            Divergence(
                record=self._position + 1 if expected is None else expected.sequence,
                step=self._steps,
                ts=ts,
                event=name,
                details=details,
                expected=Decision.of(expected) or Decision.of_change(changes[0]),
                found=Decision.of(found) or Decision.of_change(changes[1]),
                error=self._error,
                **state_of(self._kernel),
            )
        )

    def _cut_off(self) -> str:
        """Say that the recording lacks its end."""
        return _ends_early(self._flaw(), self._position, self._last[0], self._commits.peek())


def _ends_early(flaw: str, position: int, ts: int, ahead: Commit | None) -> str:
    goes_on = "" if ahead is None else f"; the journal goes on with record {ahead.first.sequence}"
    return (
        f"the recording ends early ({flaw or 'its last events were not written'}). The run was replayed up to record "
        f"{position}, {format_ns(ts)}{goes_on}."
    )


def _is_aside(commit: Commit) -> bool:
    """Tell whether no kernel took in or wanted what a commit says, such as a command that was carried out around it."""
    kind = commit.first.kind
    return kind in ASIDE or (kind == "operator_command" and bool(commit.only(kind).outcome))


def _redefine(kernel: Kernel, commit: Commit) -> None:
    """Have instruments go by the rules that they got while the run went on."""
    for defined in commit.every("instrument_defined"):
        instrument = to.instrument_of(defined)
        kernel.portfolio.positions[instrument.symbol].instrument.take_rules(instrument)
        kernel.gate.forget_instruments()


def _torn_journal(position: int) -> str:
    return f"the journal ends with record {position}, where the recording goes on; it was replayed up to there."


def _unfitting(what: str, position: int) -> JournalError:
    return JournalError(
        what,
        code="does_not_fit",
        sequence=position,
        remedy="Journal and recording must be whole, and of one run; run cambist journal verify.",
    )
