"""Replays a run from its journal and its recording, and finds where a strategy decides otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from cambist.backtest.replay.report import Decision, Divergence, ReplayReport

if TYPE_CHECKING:
    from os import PathLike

    from cambist.backtest.replay.setup import ReplayOptions
    from cambist.strategies import Strategy

__all__ = ["Decision", "Divergence", "ReplayReport", "replay"]


def replay(
    folder: str | PathLike[str],
    strategy: Strategy | type[Strategy] | list[Strategy | type[Strategy]],
    **options: Unpack[ReplayOptions],
) -> ReplayReport:
    """Run strategies again on what a run was told, and compare what they want with what it wanted.

    No market and no venue is simulated: what the market did comes from the recording, and what the venue said from the
    journal. To the first difference everything is as it was, to the last bit; what would come after it nobody knows.

    Parameters
    ----------
    folder
        Of a journal with a recording: that of a run with ``journal=folder, record=True``.
    strategy
        What the run was given, or what is to take its place; a list where there were several, in the same order.
    **options
        The settings of the run that a recording cannot keep, because they are objects: ``fees``, ``sizer``, ``risk``,
        ``marks``, ``rates``, ``market_rules``, ``calendar``. The error names them. What is given takes the place of
        what was recorded.

    Returns
    -------
    ReplayReport
        Whether everything was equal; else the first difference, with the event, both decisions and the state.

    Raises
    ------
    JournalError
        If there is no journal or no recording, or they do not fit.
    ParameterError
        If an option is unknown or missing, or the number of strategies is another.

    Examples
    --------
    >>> import cambist
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> result = cambist.backtest(SmaCross, bars, events=True, journal="rehearsal", record=True)
    >>> cambist.replay("rehearsal", SmaCross).equal
    True
    >>> cambist.replay("rehearsal", SmaCross(fast=7)).divergence.event
    'BarClosed'
    """
    from cambist.backtest.replay.whole import replay_run
    from cambist.storage.journal import JournalFolder
    from cambist.storage.recording import RecordingFolder

    strategies: list[Any] = list(strategy) if isinstance(strategy, list | tuple) else [strategy]
    journal = JournalFolder(folder)  # type: ignore[arg-type]
    return replay_run(strategies, journal, RecordingFolder(folder), options)  # type: ignore[arg-type]
