"""Replays of live and paper runs: each stretch from a start to a stop or a kill by itself, as the journal tells it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs

from cambist.backtest.replay.commits import commits
from cambist.backtest.replay.driver import Replay
from cambist.backtest.replay.report import ReplayReport
from cambist.backtest.replay.setup import check_count, check_objects, renamed
from cambist.data.given_calendars import GivenCalendars
from cambist.engine import conversions as to
from cambist.engine.fold import RunState
from cambist.engine.gates import gate_of
from cambist.engine.journaled import Recorder
from cambist.engine.recorded import BEGAN, read_row
from cambist.engine.resume import give_back, go_live, take_over
from cambist.engine.shield import QUARANTINE, Shield, Shielded, ShieldedKernel, ShieldedMarketKernel
from cambist.errors import JournalError
from cambist.model.events import TradingStateChanged
from cambist.model.timeframe import Timeframe
from cambist.risk import fresh_rules
from cambist.simulation.fees import OrderFeeModel, fee_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cambist.backtest.replay.commits import Commit
    from cambist.backtest.replay.setup import About
    from cambist.engine.journaled import Append
    from cambist.engine.recorded import Recorded
    from cambist.engine.records import RunBegan
    from cambist.model.events import Event
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill
    from cambist.ports.journal import JournalEntry
    from cambist.storage.journal import JournalFolder
    from cambist.storage.recording import RecordingFolder
    from cambist.strategies import Strategy

__all__ = ["LiveStage", "replay_live"]

_OPTIONS = ("fees", "risk", "calendar")


class LiveStage:
    """A kernel as a live run makes it, where the journal left off.

    Parameters
    ----------
    strategies
        As many as the run had, in the same order.
    opening
        The commit in which the run begins, or goes on.
    about
        What the recording says of the run.
    options
        Of the replay: ``fees``, ``risk`` and ``calendar``.
    append
        Takes the records of a step.
    before
        What the run knew until then.

    Attributes
    ----------
    kernel, streams
        See `cambist.backtest.replay.staged.Staged`.
    """

    markets = None
    is_live = True

    def __init__(
        self,
        strategies: Sequence[Strategy | type[Strategy]],
        opening: Commit,
        about: About,
        options: Mapping[str, Any],
        append: Append,
        before: RunState,
    ) -> None:
        check_objects(about, options, _OPTIONS)
        began: RunBegan = opening.only("run_started")
        check_count(strategies, began)
        cast = renamed([(one() if isinstance(one, type) else one).fresh() for one in strategies], began)
        self._before = before if before.token else None
        defined = {one.symbol: to.instrument_of(one) for one in opening.every("instrument_defined")}
        portfolio: Any = _opened(opening, before.sequence) if self._before is None else before.portfolio
        portfolio.go_by(defined.values())  # the rules of that day
        bars = [(defined[symbol], Timeframe.parse(length)) for symbol, length in about.series]
        chosen = {**about.options, **options}
        self._fees = fee_model(chosen.get("fees"))
        gate = gate_of(portfolio, fresh_rules(chosen.get("risk", ())))
        fee: Any = self._fees.fee
        calendars = GivenCalendars(chosen.get("calendar"), defined)
        self.streams: list[Instrument] = [defined[symbol] for _, symbol in about.streams]
        self._shield = Shield(cast)
        self.kernel: Shielded
        if about.streams:
            shown = [(kind, defined[symbol]) for kind, symbol in about.streams]
            self.kernel = ShieldedMarketKernel(cast, shown, portfolio, gate, fee, bars=bars, calendars=calendars)
        else:
            self.kernel = ShieldedKernel(cast, bars, portfolio, gate, fee, calendars)
        self.kernel.shield, self.kernel.cannot = self._shield, about.cannot
        self._shield.guard(self.kernel)
        self._shield.armed = True
        go_live(self.kernel)
        self.kernel.recorder = Recorder(self.kernel, append)
        if self._before is not None:
            take_over(self.kernel, self._before)

    def started(self) -> None:
        """Give strategies back what they kept."""
        if self._before is not None:
            give_back(self.kernel, self._before)
        held = [one.scope.partition(":")[2] for one in self.kernel.trading.holds if one.rule == QUARANTINE]
        self._shield.silent.update(held)

    def taking(self, event: Event) -> None:
        """Let a strategy that had failed go on where the run did."""
        if isinstance(event, TradingStateChanged):
            self._shield.changed(event.change)

    def raised(self) -> str:
        """Return what a strategy raised in the last step."""
        return " ".join(str(one.error) for one in self._shield.take_failures())

    def traded(self, _strategy: str, fill: Fill) -> None:
        """Take note of a fill, where fees hang on it."""
        if isinstance(self._fees, OrderFeeModel):
            self._fees.traded(fill)

    def split(self, symbol: str, ratio: float) -> None:
        """Do nothing: a live run takes no splits."""


@attrs.frozen
class _Stretch:
    """What was recorded from one start on.

    Attributes
    ----------
    begins, ends
        Number of the last record before it, and of its own last.
    """

    begins: int
    ends: int
    rows: list[list[Any]]


def _opened(opening: Commit, before: int) -> Any:
    """Return the account as a run opened it."""
    state = RunState()
    state.sequence = before
    return state.apply_all(opening.entries).portfolio


def _stretches(recording: RecordingFolder, last: int) -> list[_Stretch]:
    """Return the stretches of a recording; `last` is the number of the journal's last record."""
    found: list[list[list[Any]]] = []
    for row in recording.rows():
        if row[0] == BEGAN:
            found.append([])
        found[-1].append(row)
    begins = [rows[0][1] for rows in found]
    return [_Stretch(begin, end, rows) for (begin, end), rows in zip(pairwise([*begins, last]), found, strict=True)]


def replay_live(
    strategies: Sequence[Strategy | type[Strategy]],
    journal: JournalFolder,
    recording: RecordingFolder,
    about: About,
    options: Mapping[str, Any],
) -> ReplayReport:
    """Replay a live or paper run, to the first difference.

    Raises
    ------
    JournalError
        If journal and recording do not fit.
    ParameterError
        For options, or strategies, that cannot be those of the run.
    """
    entries = list(journal.read())
    stretches = _stretches(recording, entries[-1].sequence if entries else 0)
    if not stretches:
        raise JournalError("the recording is empty", code="no_rows", path=recording.folder)
    first = entries[0].sequence if entries else 1
    told: list[ReplayReport] = []
    for stretch in stretches:
        own = [entry for entry in entries if stretch.begins < entry.sequence <= stretch.ends]
        if not own:
            continue
        before = RunState()
        if stretch.begins:
            before.apply_all(entry for entry in entries[: stretch.begins - first + 1])
        told.append(_replay_one(strategies, own, stretch, (about, options, before), recording))
        if told[-1].divergence is not None:
            break
    return _together(told, entries[-1].sequence)


def _replay_one(
    strategies: Sequence[Strategy | type[Strategy]],
    entries: Sequence[JournalEntry],
    stretch: _Stretch,
    known: tuple[About, Mapping[str, Any], RunState],
    recording: RecordingFolder,
) -> ReplayReport:
    """Replay one stretch; `known` is what the recording says, the options, and what the run knew before."""
    about, options, before = known

    def rows(streams: Sequence[Instrument]) -> Iterator[Recorded]:
        return _rows(stretch, streams)

    def stage(opening: Commit, append: Append) -> LiveStage:
        return LiveStage(strategies, opening, about, options, append, before)

    start = next((one for one in commits(entries) if one.begins), None)
    return Replay(commits(entries), rows, stage, lambda: recording.flaw, stretch.begins, start).run()


def _rows(stretch: _Stretch, streams: Sequence[Instrument]) -> Iterator[Recorded]:
    """Iterate over what was recorded, up to the last record that the journal kept of it."""
    for row in stretch.rows[1:]:
        if row[1] > stretch.ends:
            return
        yield read_row(row, streams)


def _together(reports: Sequence[ReplayReport], last: int) -> ReplayReport:
    """Return what the stretches of a run tell together."""
    notes = list(dict.fromkeys(note for report in reports for note in report.notes))
    if len(reports) > 1:
        notes.insert(0, f"the run was started {len(reports)} times.")
    end = reports[-1]
    return ReplayReport(
        equal=all(report.equal for report in reports),
        complete=all(report.complete for report in reports) and end.records == last,
        divergence=end.divergence,
        events=sum(report.events for report in reports),
        records=end.records,
        notes=tuple(notes),
    )
