"""The compiled path of a sweep: combinations become signals, and are played in batches that hold no lock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist import BacktestSettings, SignalStrategy
from cambist.api import Comparison, DataError, SignalReader
from cambist_optimize.evaluation import COMPILED, Row, engine_row, failure, kept_returns
from cambist_optimize.objectives import measured, needs_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cambist.api import SignalColumns
    from cambist_optimize.evaluation import Asked, Job
    from cambist_optimize.kernel.player import Batch, Player

    #: What a combination turned into: what plays it and its signals, the row of one that failed, None for the engine.
    _Found = tuple[Player, SignalColumns] | Row | None

__all__ = ["CompiledPath", "why_engine"]

#: Columns of combinations whose signals are read before the first of them is played, bytes: each may have its own.
_HELD = 24_000_000
_NEEDS_RUN = "it has no signals by trade_on alone"


def why_engine(job: Job) -> str:
    """Return why the event engine plays every combination of a job; ``""`` where the compiled loop may."""
    if not job.compiled:
        return "it was asked to"
    if not issubclass(job.strategy, SignalStrategy):
        return f"{job.strategy.__name__} is no SignalStrategy"
    if needs_engine(job.columns) or not all(one.is_measure for one in job.objectives):
        return "a measure is of whole results"
    if not job.parts and len(job.bars) > 1 and not _are_aligned(job):
        return "instruments that share an account have bars at different times"
    from cambist_optimize.kernel.compiling import IS_COMPILED
    from cambist_optimize.kernel.rules import why_not

    if not IS_COMPILED:
        return "numba is not installed"
    settings = BacktestSettings.of(**job.options)
    return next(filter(None, (why_not(settings, bars) for bars in job.bars)), "")


def _are_aligned(job: Job) -> bool:
    first, *others = job.bars
    return all(
        one.timeframe == first.timeframe
        and one.instrument.settle == first.instrument.settle
        and np.array_equal(one.ts, first.ts)
        and np.array_equal(one.close_times, first.close_times)
        for one in others
    )


@attrs.frozen(eq=False)
class _Stage:
    """What plays one instrument of one part of the data."""

    player: Player
    reader: SignalReader


class CompiledPath:
    """Plays combinations of a job in the compiled loop, and leaves to the event engine what it does not know.

    Parameters
    ----------
    job
        For which `why_engine` says nothing.
    """

    def __init__(self, job: Job) -> None:
        from cambist_optimize.kernel.batch_measures import BATCH_MEASURES

        self._job = job
        self._settings = BacktestSettings.of(**job.options)
        self._in_batches = BATCH_MEASURES.keys() >= set(job.columns)
        self._stages: dict[tuple[int, str], _Stage] = {}
        self._lock = threading.Lock()

    def rows(self, asked: Sequence[Asked]) -> list[Row]:
        """Play combinations and return their rows, in whatever order."""
        rows: list[Row] = []
        waiting = _Waiting(self._job)
        for group in self._groups(asked):
            for one, found in group:
                if isinstance(found, Row):
                    rows.append(found)
                elif found is None:
                    rows.append(engine_row(self._job, one, _NEEDS_RUN))
                elif self._in_batches:
                    rows += waiting.add(*found, one)
                else:
                    rows.append(self._alone(*found, one))
            rows += waiting.played()  # which hold their columns until then
        return rows

    def _groups(self, asked: Sequence[Asked]) -> Iterator[list[tuple[Asked, _Found]]]:
        """Read signals until their columns are too much to hold; then they are for whoever goes on with them.

        One kind of work after the other: each finds in the processor's cache what it looked at before.
        """
        group: list[tuple[Asked, _Found]] = []
        held: set[int] = set()
        size = 0
        for one in asked:
            found = self._read(one)
            group.append((one, found))
            if isinstance(found, tuple):
                for column in _columns(found[1]):
                    if id(column) not in held:
                        held.add(id(column))
                        size += column.nbytes
                if size > _HELD:
                    yield group
                    group, held, size = [], set(), 0
        yield group

    def _read(self, asked: Asked) -> _Found:
        """Return the signals of a combination and what plays them; the row of one that failed; None for the engine."""
        number, part, parameters = asked
        began = time.perf_counter()
        try:
            strategy = self._job.strategy(**{**self._job.fixed, **parameters})
            assert isinstance(strategy, SignalStrategy)  # `why_engine` says so
            stage = self._stage(part, strategy.symbol)
            signals = None if stage is None else _checked(stage.reader.read(strategy), len(stage.player.bars))
        except Exception as raised:  # noqa: BLE001 - a strategy of somebody's is one row that failed, not the sweep
            return Row(number, part, parameters, {}, failure(raised), seconds=time.perf_counter() - began)
        return None if stage is None or signals is None else (stage.player, signals)

    def _alone(self, player: Player, signals: SignalColumns, asked: Asked) -> Row:
        """Play a combination by itself, for measures that look at its trades."""
        began = time.perf_counter()
        from cambist_optimize.kernel.player import SignalsNotPlayed

        job, (number, part, parameters) = self._job, asked
        try:
            facts = player.facts(signals)
        except SignalsNotPlayed as left:
            return engine_row(self._job, asked, str(left))
        found = measured(facts, job.measures, job.objectives)
        returns = kept_returns(facts, job)
        return Row(number, part, parameters, found, "", COMPILED, time.perf_counter() - began, returns=returns)

    def _stage(self, part: int, symbol: str | None) -> _Stage | None:
        """Return what plays the instrument that is traded in a part; None where it is not among the bars."""
        key = (part, symbol or "")
        with self._lock:
            found = self._stages.get(key)
            if found is None:
                from cambist_optimize.kernel.player import Player

                bars = self._job.bars_of(part)
                traded = next((one for one in bars if symbol in {None, one.instrument.symbol}), None)
                if traded is None:
                    return None
                found = _Stage(Player(traded, self._settings), SignalReader(traded, bars))
                self._stages[key] = found
            return found


def _checked(signals: SignalColumns | None, bars: int) -> SignalColumns | None:
    """Return signals; compiled code would read whatever lies behind a column that is too short."""
    for column in () if signals is None else _columns(signals):
        if column.shape != (bars,):
            raise DataError(
                f"a line of the signals has {column.shape} values over {bars} bars. An indicator gives one value for "
                "each bar: see cambist.indicators.computation.Computation.batch."
            )
    return signals


def _columns(signals: SignalColumns) -> Iterator[NDArray[np.float64]]:
    """Yield the columns that signals hold."""
    for test in (signals.entries, signals.exits):
        if isinstance(test, Comparison):
            yield test.first
            if isinstance(test.second, np.ndarray):
                yield test.second
        elif test is not None:
            yield test
    for column in (signals.side, signals.size, signals.stop, signals.take, signals.trail):
        if len(column) > 1:
            yield column


class _Waiting:
    """Combinations that are to be played together."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._player: Player | None = None
        self._batch: Batch | None = None
        self._asked: list[Asked] = []
        self._began = 0.0

    def add(self, player: Player, signals: SignalColumns, asked: Asked) -> list[Row]:
        """Add a combination; return the rows of others that had to be played first."""
        from cambist_optimize.kernel.player import SignalsNotPlayed

        rows: list[Row] = []
        if self._batch is None or player is not self._player or self._batch.is_full:
            rows = self.played()
            self._player, self._batch, self._began = player, player.batch(), time.perf_counter()
        try:
            self._batch.add(signals)
        except SignalsNotPlayed as left:
            return [*rows, engine_row(self._job, asked, str(left))]
        self._asked.append(asked)
        return rows

    def played(self) -> list[Row]:
        """Play what was added and return its rows."""
        if self._batch is None or not self._asked:
            return []
        from cambist_optimize.kernel.player import WORDED

        outcome = self._batch.played()
        self._batch.clear()  # of the lines that it holds
        found = outcome.measured(self._job.columns)
        kept = outcome.kept_returns() if self._job.keeps_returns else [None] * len(found)
        each = (time.perf_counter() - self._began) / len(found)
        rows = [
            engine_row(self._job, asked, WORDED)
            if values is None
            else Row(*asked, values, "", COMPILED, each, returns=returns)
            for asked, values, returns in zip(self._asked, found, kept, strict=True)
        ]
        self._asked, self._batch = [], None
        return rows
