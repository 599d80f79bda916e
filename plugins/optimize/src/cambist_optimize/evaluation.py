"""One combination after the other: what a worker does, wherever it runs."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from math import nan
from typing import TYPE_CHECKING, Any

import attrs

import cambist
from cambist import BacktestSettings, Bars, SignalStrategy, Strategy
from cambist.api import SharedIndicators, signal_columns
from cambist_optimize.objectives import Objective, measured, needs_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cambist.analysis import RunFacts
    from cambist_optimize.kernel.player import Player

__all__ = ["COMPILED", "ENGINE", "Evaluator", "Job", "Row"]

#: How a combination was played.
COMPILED, ENGINE = "compiled", "engine"


@attrs.frozen(eq=False)
class Job:
    """What is the same for every combination of a sweep.

    Attributes
    ----------
    strategy
        The class.
    fixed
        Parameters that do not vary.
    bars
        One for each instrument.
    options
        Keywords of `cambist.backtest`.
    measures, objectives
        What each row gets.
    spans
        First row and end of each fold, in rows of the one instrument; empty for the whole of the bars.
    compiled
        Whether the compiled loop may play it.
    """

    strategy: type[Strategy]
    fixed: Mapping[str, Any]
    bars: tuple[Bars, ...]
    options: Mapping[str, Any]
    measures: tuple[str, ...]
    objectives: tuple[Objective, ...]
    spans: tuple[tuple[int, int], ...] = ()
    compiled: bool = True


@attrs.frozen
class Row:
    """What became of one combination, on one fold or on everything.

    Attributes
    ----------
    number
        Of the combination, from 0, in the order in which they were asked for.
    fold
        Of the fold, from 0; -1 for the whole of the bars.
    parameters
        Those that vary.
    measures
        By name; empty where it failed.
    error
        What was raised; ``""`` where nothing was.
    path
        How it was played.
    seconds
        How long that took.
    """

    number: int
    fold: int
    parameters: Mapping[str, Any]
    measures: Mapping[str, float]
    error: str = ""
    path: str = ENGINE
    seconds: float = nan


@contextmanager
def _no_collections() -> Iterator[None]:
    """Have the cycle collector wait until a chunk is played: it would look through every strategy that is gone."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class Evaluator:
    """Plays combinations of a job; one of them in a process, for any number of threads.

    Parameters
    ----------
    job
        What to play.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.why_engine = self._why_engine()
        self._players: dict[int, Player] = {}
        self._shared = SharedIndicators()

    def _why_engine(self) -> str:
        """Return why the event engine plays everything; ``""`` where the compiled loop may."""
        job = self.job
        if not job.compiled:
            return "it was asked to"
        if not issubclass(job.strategy, SignalStrategy):
            return f"{job.strategy.__name__} is no SignalStrategy"
        if len(job.bars) != 1:
            return "there are several instruments"
        names = [*job.measures, *(one.name for one in job.objectives)]
        if needs_engine(names) or not all(one.is_measure for one in job.objectives):
            return "a measure is of whole results"
        from cambist_optimize.kernel.compiling import IS_COMPILED
        from cambist_optimize.kernel.rules import why_not

        if not IS_COMPILED:
            return "numba is not installed"
        return why_not(BacktestSettings.of(**job.options), job.bars[0])

    def chunk(self, asked: Sequence[tuple[int, int, Mapping[str, Any]]]) -> list[Row]:
        """Play combinations: number, fold and parameters of each. Indicators that several need are computed once."""
        with self._shared, _no_collections():
            return [self.row(number, fold, parameters) for number, fold, parameters in asked]

    def row(self, number: int, fold: int, parameters: Mapping[str, Any]) -> Row:
        """Play one combination; what it raises is in the row."""
        began = time.perf_counter()
        path = ENGINE
        found: dict[str, float] = {}
        error = ""
        try:
            path, found = self._measured(fold, parameters)
        except Exception as raised:  # noqa: BLE001 - a strategy of somebody's is one row that failed, not the sweep
            error = f"{type(raised).__name__}: {raised}"
        return Row(number, fold, parameters, found, error, path, time.perf_counter() - began)

    def _measured(self, fold: int, parameters: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
        job = self.job
        values = {**job.fixed, **parameters}
        if not self.why_engine:
            facts = self._compiled(fold, job.strategy(**values))
            if facts is not None:
                return COMPILED, measured(facts, job.measures, job.objectives)
        names = [*job.measures, *(one.name for one in job.objectives)]
        options = {"benchmark": needs_engine(names), **job.options}
        result = cambist.backtest(job.strategy(**values), self._bars(fold), **options)
        return ENGINE, measured(result.facts, job.measures, job.objectives)

    def _compiled(self, fold: int, strategy: Strategy) -> RunFacts | None:
        """Play signals in the compiled loop; None where they are for the engine."""
        from cambist_optimize.kernel.player import Player, SignalsNotPlayed

        player = self._players.get(fold)
        if player is None:
            job = self.job
            settings = BacktestSettings.of(**job.options)
            player = Player(self._bars(fold)[0], settings, counts_traded="turnover" in job.measures)
            self._players[fold] = player
        signals = signal_columns(strategy, player.bars, spent=True)  # type: ignore[arg-type]  # see `_why_engine`
        if signals is None:
            return None
        try:
            return player.play(signals)
        except SignalsNotPlayed:
            return None

    def _bars(self, fold: int) -> list[Bars]:
        if fold < 0:
            return list(self.job.bars)
        start, stop = self.job.spans[fold]
        return [bars[start:stop] for bars in self.job.bars]
