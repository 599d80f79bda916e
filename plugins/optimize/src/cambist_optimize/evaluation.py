"""One combination after the other: what a worker does, wherever it runs."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

import cambist
from cambist import Bars, Strategy
from cambist.api import SharedIndicators
from cambist_optimize.objectives import Objective, measured, needs_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.analysis import RunFacts
    from cambist_optimize.compiled import CompiledPath

    #: Number, part and parameters of a combination.
    Asked: TypeAlias = tuple[int, int, Mapping[str, Any]]

__all__ = ["COMPILED", "ENGINE", "Evaluator", "Job", "Part", "Row"]

#: How a combination was played.
COMPILED, ENGINE = "compiled", "engine"


@attrs.frozen
class Part:
    """A stretch of the data that combinations are tried on by itself, with an account of its own.

    Attributes
    ----------
    instrument
        Number of the one instrument.
    fold
        Number of the stretch, of this instrument.
    start, stop
        Its first row and the end of it.
    """

    instrument: int
    fold: int
    start: int
    stop: int


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
    parts
        Folds and instruments that are tried by themselves; empty for the whole of the bars on one account.
    compiled
        Whether the compiled loop may play it.
    keeps_returns
        Whether rows have the returns of each day.
    """

    strategy: type[Strategy]
    fixed: Mapping[str, Any]
    bars: tuple[Bars, ...]
    options: Mapping[str, Any]
    measures: tuple[str, ...]
    objectives: tuple[Objective, ...]
    parts: tuple[Part, ...] = ()
    compiled: bool = True
    keeps_returns: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every measure and objective by name, each once."""
        return tuple(dict.fromkeys([*self.measures, *(one.name for one in self.objectives)]))

    def bars_of(self, part: int) -> list[Bars]:
        """Return the bars of a part; all of them for -1."""
        if part < 0:
            return list(self.bars)
        one = self.parts[part]
        return [self.bars[one.instrument][one.start : one.stop]]


@attrs.frozen
class Row:
    """What became of one combination, on one part of the data or on everything.

    Attributes
    ----------
    number
        Of the combination, from 0, in the order in which they were asked for.
    fold
        Of the part, from 0; -1 for everything.
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
    why
        Why the event engine played what others of the sweep were compiled for; ``""`` where it did not.
    returns
        Daily returns, where the job keeps them; None where it does not, and where everything was lost.
    """

    number: int
    fold: int
    parameters: Mapping[str, Any]
    measures: Mapping[str, float]
    error: str = ""
    path: str = ENGINE
    seconds: float = nan
    why: str = ""
    returns: NDArray[np.float64] | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def is_pruned(self) -> bool:
        """Whether it did not fail, but was spared the rest."""
        return self.error.startswith(PRUNED)

    @property
    def is_failed(self) -> bool:
        """Whether something was raised."""
        return bool(self.error) and not self.is_pruned


#: How the error of a row begins that was spared the rest of its folds.
PRUNED = "pruned: "


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

    Attributes
    ----------
    why_engine
        Why the event engine plays everything; ``""`` where the compiled loop may.
    """

    def __init__(self, job: Job) -> None:
        from cambist_optimize.compiled import CompiledPath, why_engine

        self.job = job
        self.why_engine = why_engine(job)
        self._shared = SharedIndicators()
        self._compiled: CompiledPath | None = None if self.why_engine else CompiledPath(job, self.engine_row)

    def chunk(self, asked: Sequence[Asked]) -> list[Row]:
        """Play combinations. Indicators that several need are computed once."""
        with self._shared, _no_collections():
            if self._compiled is not None:
                return self._compiled.rows(asked)
            return [self.engine_row(one) for one in asked]

    def engine_row(self, asked: Asked, why: str = "") -> Row:
        """Play one combination in the event engine; what it raises is in the row."""
        began = time.perf_counter()
        job, (number, part, parameters) = self.job, asked
        found: dict[str, float] = {}
        returns, error = None, ""
        try:
            strategy = job.strategy(**{**job.fixed, **parameters})
            options = {"benchmark": needs_engine(job.columns), **job.options}
            result = cambist.backtest(strategy, job.bars_of(part), **options)
            found = measured(result.facts, job.measures, job.objectives)
            returns = kept_returns(result.facts, job)
        except Exception as raised:  # noqa: BLE001 - a strategy of somebody's is one row that failed, not the sweep
            error = failure(raised)
        return Row(number, part, parameters, found, error, ENGINE, time.perf_counter() - began, why, returns)


def kept_returns(facts: RunFacts, job: Job) -> NDArray[np.float64] | None:
    """Return the daily returns of a run, where a job keeps them and there are some."""
    return facts.returns if job.keeps_returns and not facts.curve.ruined else None


def failure(raised: BaseException) -> str:
    """Return the error of a row."""
    return f"{type(raised).__name__}: {raised}"
