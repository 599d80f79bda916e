"""Chooses how a run is replayed, by what its recording says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.replay.commits import commits
from cambist.backtest.replay.driver import Replay
from cambist.backtest.replay.live import replay_live
from cambist.backtest.replay.setup import Stage, read_about
from cambist.engine.recorded import BAR_CLOSED, read_row
from cambist.errors import JournalError
from cambist.model.bars import Bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cambist.backtest.replay.report import ReplayReport
    from cambist.storage.journal import JournalFolder
    from cambist.storage.recording import RecordingFolder
    from cambist.strategies import Strategy

__all__ = ["replay_run"]


def replay_run(
    strategies: Sequence[Strategy | type[Strategy]],
    journal: JournalFolder,
    recording: RecordingFolder,
    options: Mapping[str, Any],
) -> ReplayReport:
    """Replay a run; see `cambist.replay`.

    Raises
    ------
    JournalError
        If journal and recording do not belong together, or do not begin at the beginning.
    ParameterError
        For options, or strategies, that cannot be those of the run.
    """
    if recording.head.journal != journal.id:
        raise JournalError(
            "the recording is of another journal",
            code="foreign_recording",
            path=recording.folder,
            remedy="Put the recording beside the journal of the same run.",
        )
    if next(iter(journal.read()), None) is None:
        raise JournalError("the journal is empty", code="no_records", path=journal.folder)
    about = read_about(recording.head.about, recording.folder)
    if about.live:
        return replay_live(strategies, journal, recording, about, options)

    def bars(series: int) -> Iterator[Bar]:
        """Iterate over the bars of a series, as far as they were recorded."""
        for row in recording.rows():
            if row[0] == BAR_CLOSED and row[3] == series:
                yield Bar(*row[4:])

    return Replay(
        commits(journal.read()),
        lambda streams: (read_row(row, streams) for row in recording.rows()),
        lambda opening, append: Stage(strategies, opening, about, options, append, bars),
        lambda: recording.flaw,
    ).run()
