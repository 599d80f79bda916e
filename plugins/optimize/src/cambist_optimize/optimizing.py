"""`optimize`: from a strategy, data and ranges to a `Sweep`."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import attrs

from cambist import BacktestSettings, Bars, SignalStrategy, Strategy, load
from cambist.analysis import MEASURES, RunFacts
from cambist.api import InputError, ParameterError, did_you_mean
from cambist_optimize.backends import backend_of
from cambist_optimize.evaluation import ENGINE, PRUNED, Evaluator, Job, Part, Row
from cambist_optimize.ledger import Ledger, fingerprint
from cambist_optimize.objectives import DEFAULTS, Objective, objective_of
from cambist_optimize.searches import Search, search_of
from cambist_optimize.space import Axis, Constraint, Space
from cambist_optimize.sweep import Sweep, sample_times

__all__ = ["Progress", "SweepOptions", "optimize"]

#: Combinations that travel together: enough that the way costs little, few enough that all workers have some.
_CHUNK, _CHUNKS_A_WORKER = 64, 4


@attrs.frozen
class Progress:
    """How far a sweep is.

    Attributes
    ----------
    done, failed, pruned
        Combinations that are finished, those of them that raised, and those that were spared some folds.
    total
        How many there will be; None where nobody knows.
    rate, left
        Combinations a second, and seconds to go; NaN where nobody knows.
    best
        The best so far; None before the first number.
    metric
        By which it is.
    """

    done: int
    failed: int
    total: int | None
    rate: float
    left: float
    best: Row | None
    metric: str
    pruned: int = 0


def optimize(
    strategy: type[Strategy] | Strategy,
    data: Any,
    params: Mapping[str, Any] | None = None,
    *,
    metric: str | Callable[[RunFacts], float] | Sequence[str | Callable[[RunFacts], float]] = "sharpe",
    constraints: str | Callable[..., Any] | Sequence[str | Callable[..., Any]] = (),
    search: str = "grid",
    **options: Any,
) -> Sweep:
    """Try many combinations of a strategy's parameters, and return what came of each.

    Parameters
    ----------
    strategy
        The class; or an instance, whose parameters hold where they do not vary.
    data
        Bars, or anything `cambist.load` takes; a dict or a list of these for several instruments.
    params
        What is tried of each parameter: ``"5:25"``, ``"30:130:5"``, ``"a,b"``, ``range(5, 26)``, a list of values, a
        tuple of ends (and step) that are both in it, one value; None for the range that the parameter declares.
    metric
        What is to become best: a measure, ``"max_drawdown:max"`` to say which way, a function of
        `cambist.analysis.RunFacts`; several in a list.
    constraints
        Formulas such as ``"fast < slow"``, or functions of a dict of the parameters.
    search
        ``"grid"``, ``"random"``, or Optuna's ``"tpe"``, ``"cmaes"``, ``"nsga2"``.
    **options
        Those of `SweepOptions`, and those of `cambist.backtest`, such as ``cash=100_000, fees=0.001``.

    Returns
    -------
    Sweep
        With a table of every combination. One that fails is a row with its error. Ctrl-C ends the sweep, and what was
        done is in it.

    Raises
    ------
    ParameterError
        For a range, constraint, measure or option that cannot be used: names it, and the nearest that can.
    ConfigError
        For a cluster that does not answer, or a file to resume from that is of another sweep.

    Examples
    --------
    >>> import cambist
    >>> from cambist.strategies.examples.sma_cross import SmaCross
    >>> sweep = cambist.optimize(SmaCross, bars, {"fast": [5, 10], "slow": "30:50:10"}, fees=0.001)
    >>> len(sweep.table)
    6
    """
    chosen = SweepOptions.taken(options)
    cls, own = _class_of(strategy)
    fixed, axes = _axes(cls, own, params)
    space = _space(cls, fixed, axes, constraints)
    job = _job(cls, fixed, _bars_of(data), options, _objectives(metric), chosen)
    asks = _asks(search, space, job, chosen)
    job = attrs.evolve(job, keeps_returns=_keeps_returns(chosen, job, asks.total))
    return _Run(job, asks, _ledger(search, space, job, chosen), chosen).play()


def _objectives(metric: Any) -> tuple[Objective, ...]:
    """Return what is to become best, of one metric or several."""
    metrics = [metric] if isinstance(metric, str) or callable(metric) else list(metric)
    return tuple(_objective(one) for one in metrics)


def _asks(search: str, space: Space, job: Job, chosen: SweepOptions) -> Search:
    """Return what says which combination comes next."""
    return search_of(
        search, space, trials=chosen.trials, seed=chosen.search_seed, objectives=job.objectives, batch=chosen.batch
    )


def _space(cls: type[Strategy], fixed: Mapping[str, Any], axes: tuple[Axis, ...], constraints: Any) -> Space:
    """Return what may be tried."""
    tests = [constraints] if isinstance(constraints, str) or callable(constraints) else constraints
    stay = {name: one.default for name, one in cls.parameters.items()} | dict(fixed)
    return Space(axes, stay, tuple(Constraint.of(one, list(cls.parameters)) for one in tests))


def _job(
    cls: type[Strategy],
    fixed: Mapping[str, Any],
    bars: tuple[Bars, ...],
    options: Mapping[str, Any],
    objectives: tuple[Objective, ...],
    chosen: SweepOptions,
) -> Job:
    """Return what is the same for every combination, once its settings are known to be some."""
    if not objectives:
        raise ParameterError("metric is empty; name a measure such as 'sharpe'.")
    BacktestSettings.of(**options).venue_rules()  # a mistake in them is said once, not in every row
    return Job(
        strategy=cls,
        fixed=fixed,
        bars=bars,
        options=options,
        measures=chosen.measures,
        objectives=objectives,
        parts=_parts(chosen, bars),
        compiled=chosen.compiled,
    )


#: Numbers of all combinations together, up to which daily returns are kept where nobody says.
_KEPT_RETURNS = 2_000_000


def _keeps_returns(chosen: SweepOptions, job: Job, total: int | None) -> bool:
    """Tell whether the daily returns of every combination are kept."""
    if chosen.returns and job.parts:
        raise ParameterError("returns are of runs over everything: leave returns out with folds or accounts='each'.")
    if chosen.returns is not None or job.parts:
        return bool(chosen.returns)
    return total is not None and total * len(sample_times(job.bars)) <= _KEPT_RETURNS


def _ledger(search: str, space: Space, job: Job, chosen: SweepOptions) -> Ledger | None:
    """Return what keeps the combinations that are finished."""
    if chosen.resume is None:
        return None
    about = {"kind": search, "trials": chosen.trials, "seed": chosen.search_seed, "batch": chosen.batch}
    return Ledger(Path(chosen.resume), fingerprint(job, space, about))


def _known(value: Any) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value)
    for name in names:
        if name not in MEASURES:
            raise ParameterError(f"there is no measure {name!r}.{did_you_mean(str(name), MEASURES)}")
    return names


_ACCOUNTS = ("shared", "each")


@attrs.frozen(kw_only=True)
class SweepOptions:
    """How a sweep goes about it.

    Attributes
    ----------
    jobs
        Workers; -1 for one a core. What comes out does not depend on them.
    backend
        ``"auto"``, ``"serial"``, ``"threads"``, ``"loky"``, ``"dask"``, ``"ray"``, or the address of a cluster:
        ``"dask:tcp://host:8786"``.
    trials
        How many combinations a search other than the grid tries.  Default: 100.
    search_seed
        Of the search's chance.
    batch
        Combinations that Optuna is asked for at once.
    accounts
        With several instruments: ``"shared"``, one account trades all of them, as in `cambist.backtest`; or ``"each"``,
        where a combination is tried on every instrument by itself, with an account of its own, and its measures are the
        means.
    folds
        Cut the bars into so many stretches and try each combination on every one; its measures are the means. Optuna
        spares combinations that do worse than the median the later folds. 0 for none.
    measures
        Columns of the table, beside the metric.
    compiled
        Whether signal strategies may be played in the compiled loop; the values are the same.
    returns
        Whether the daily returns of every combination are kept, which tell whether the search finds what lasts; see
        `Sweep.returns`. None: where there are no folds, each instrument has no account of its own, and they are no more
        than two million numbers.
    resume
        A file that keeps what is finished: after a stop, the same call with the same file goes on.
    progress
        Called with a `Progress` as rows come in.
    """

    jobs: int = attrs.field(default=1)
    backend: str = "auto"
    trials: int | None = None
    search_seed: int = 0
    batch: int = attrs.field(default=8)
    accounts: str = attrs.field(default="shared")
    folds: int = attrs.field(default=0)
    measures: tuple[str, ...] = attrs.field(default=DEFAULTS, converter=_known)
    compiled: bool = True
    returns: bool | None = None
    resume: str | Path | None = None
    progress: Callable[[Progress], None] | None = None

    @jobs.validator
    def _check_jobs(self, _attribute: Any, value: Any) -> None:
        if type(value) is not int or (value < 1 and value != -1):
            raise ParameterError(f"jobs is {value!r}; give a number of workers, or -1 for one a core.")

    @batch.validator
    def _check_batch(self, _attribute: Any, value: Any) -> None:
        if type(value) is not int or value < 1:
            raise ParameterError(f"batch is {value!r}; ask for at least one combination at once.")

    @accounts.validator
    def _check_accounts(self, _attribute: Any, value: Any) -> None:
        if value not in _ACCOUNTS:
            raise ParameterError(
                f"accounts is {value!r}; give 'shared' or 'each'.{did_you_mean(str(value), _ACCOUNTS)}"
            )

    @folds.validator
    def _check_folds(self, _attribute: Any, value: Any) -> None:
        if type(value) is not int or value < 0 or value == 1:
            raise ParameterError(f"folds is {value!r}; give 2 or more, or 0 for none.")

    @classmethod
    def taken(cls, options: dict[str, Any]) -> SweepOptions:
        """Take its own options out of all that were given; what is left are those of a backtest.

        Raises
        ------
        ParameterError
            For an option that neither has, with the nearest name.
        """
        own = {field.name for field in attrs.fields(cls)}
        known = own | {field.name for field in attrs.fields(BacktestSettings)}
        for name in options:
            if name not in known:
                raise ParameterError(f"a sweep has no option {name!r}.{did_you_mean(name, sorted(known))}")
        return cls(**{name: options.pop(name) for name in list(options) if name in own})


def _class_of(strategy: Any) -> tuple[type[Strategy], dict[str, Any]]:
    """Return the class of a strategy, and the parameters that it was made with."""
    if isinstance(strategy, Strategy):
        return type(strategy), dict(strategy.params)
    if isinstance(strategy, type) and issubclass(strategy, Strategy):
        return strategy, {}
    raise InputError(f"{strategy!r} is no strategy. Give a subclass of cambist.Strategy, or an instance of one.")


def _axes(
    cls: type[Strategy], own: Mapping[str, Any], params: Mapping[str, Any] | None
) -> tuple[dict[str, Any], tuple[Axis, ...]]:
    """Return the parameters that stay, and the ranges of those that vary."""
    if not params:
        raise ParameterError(f"{cls.__name__}: no parameter varies; say what to try: params={{{_example(cls)}}}.")
    axes = [Axis.of(cls, name, said) for name, said in params.items()]
    fixed = {name: value for name, value in own.items() if name not in params}
    fixed |= {axis.name: axis.values[0] for axis in axes if len(axis.values) == 1 and len(axes) > 1}
    varying = tuple(axis for axis in axes if axis.name not in fixed)
    return fixed, varying or tuple(axes[:1])


def _example(cls: type[Strategy]) -> str:
    return ", ".join(f"{name!r}: '5:25'" for name in list(cls.parameters)[:1]) or "..."


def _objective(said: Any) -> Objective:
    if callable(said):
        return objective_of(said)
    name, _, direction = str(said).partition(":")
    return objective_of(name, direction)


def _bars_of(data: Any) -> tuple[Bars, ...]:
    if isinstance(data, Mapping):
        return tuple(one if isinstance(one, Bars) else load(one, symbol=name) for name, one in data.items())
    listed = data if isinstance(data, list | tuple) else [data]
    if not listed:
        raise InputError("there is no data; give bars, a DataFrame, a file, or a name such as 'samples:AAPL'.")
    return tuple(one if isinstance(one, Bars) else load(one) for one in listed)


def _parts(chosen: SweepOptions, bars: tuple[Bars, ...]) -> tuple[Part, ...]:
    """Cut the rows into stretches of one length, for each instrument that has an account of its own."""
    apart = chosen.accounts == "each"
    if not chosen.folds and not apart:
        return ()
    if len(bars) != 1 and not apart:
        raise ParameterError(
            "folds cut the bars of one instrument; with several leave folds out, or give each instrument an account of "
            "its own: accounts='each'."
        )
    folds = max(1, chosen.folds)
    parts = []
    for number, one in enumerate(bars):
        if folds > 1 and folds * 2 > len(one):
            raise ParameterError(
                f"folds is {folds}, and there are {len(one)} bars of {one.instrument.symbol}: give at most "
                f"{len(one) // 2}."
            )
        edges = itertools.pairwise(len(one) * at // folds for at in range(folds + 1))
        parts += [Part(number, fold, start, stop) for fold, (start, stop) in enumerate(edges)]
    return tuple(parts)


class _Run:
    """One sweep under way."""

    def __init__(self, job: Job, search: Search, ledger: Ledger | None, options: SweepOptions) -> None:
        self.job, self.search, self.ledger, self.options = job, search, ledger, options
        self.evaluator = Evaluator(job)
        self.jobs = (os.cpu_count() or 1) if options.jobs == -1 else options.jobs
        self.play_chunks = backend_of(options.backend, self.evaluator, self.jobs)
        self.began = time.perf_counter()
        self.rows: list[Row] = []
        self.fold_rows: list[Row] = []
        self.played = 0
        self.best: Row | None = None
        self.failed = self.pruned = 0

    def play(self) -> Sweep:
        """Try everything that the search asks for."""
        stopped = ""
        try:
            number = 0
            while asked := self.search.ask():
                numbered = list(enumerate(asked, number))
                number += len(asked)
                if self.job.parts:
                    self._batch_in_parts(numbered)
                else:
                    self._batch(numbered)
        except KeyboardInterrupt:
            stopped = "interrupted"
        finally:
            if self.ledger is not None:
                self.ledger.close()
        self.rows.sort(key=lambda row: row.number)
        self.fold_rows.sort(key=lambda row: (row.number, row.fold))
        return Sweep(
            job=self.job,
            rows=tuple(self.rows),
            fold_rows=tuple(self.fold_rows),
            stopped=stopped,
            seconds=time.perf_counter() - self.began,
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        """Say once why what could be compiled was not."""
        if not issubclass(self.job.strategy, SignalStrategy) or not self.job.compiled:
            return ()
        why = self.evaluator.why_engine
        if why == "numba is not installed":
            said = (
                "numba is not installed, so that the event engine played every combination: the same values, slower. "
                "pip install 'cambist-optimize[fast]'."
            )
            return (said,)
        if why:
            return (f"the event engine played every combination, slower than the compiled loop: {why}.",)
        left = [row for row in self.rows if row.why]
        if not left:
            return ()
        reasons = "; ".join(dict.fromkeys(row.why for row in left))
        return (f"the event engine played {len(left):,} of {len(self.rows):,} combinations: {reasons}.",)

    def _batch(self, asked: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Play combinations on everything, and tell the search in the order in which it asked."""
        finished: dict[int, Row] = {}
        try:
            for rows in self._played([(number, -1, parameters) for number, parameters in asked]):
                for row in rows:
                    finished[row.number] = row
                    self._note(row)
                self._report()
        finally:
            for number, _ in asked:
                if number in finished:
                    self._tell(finished[number])

    def _batch_in_parts(self, asked: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Play combinations part by part; those that do badly are spared the later ones, where the search says so."""
        by_number: dict[int, list[Row]] = {number: [] for number, _ in asked}
        running = list(asked)
        for fold in range(len(self.job.parts)):
            for rows in self._played([(number, fold, parameters) for number, parameters in running]):
                for row in rows:
                    by_number[row.number].append(row)
                    self.fold_rows.append(row)
            still = []
            for number, parameters in running:
                so_far = _mean(by_number[number])
                value = so_far.measures.get(self.job.objectives[0].name, nan)
                if not so_far.error and not self.search.prunes(number, fold, value):
                    still.append((number, parameters))
            running = still
            self._report()
        for number, _ in asked:
            row = _mean(by_number[number])
            spared = len(self.job.parts) - len(by_number[number])
            if spared and not row.error:
                row = attrs.evolve(row, error=f"{PRUNED}spared {spared} of {len(self.job.parts)} folds")
            self._note(row)
            self._tell(row)
        self._report()

    def _tell(self, row: Row) -> None:
        values = [row.measures.get(one.name, nan) for one in self.job.objectives]
        self.search.tell(row.number, None if row.error else values)

    def _played(self, asked: Sequence[tuple[int, int, Mapping[str, Any]]]) -> Iterator[list[Row]]:
        """Yield the rows of combinations: those that the ledger knows, then the others as they come."""
        known = {} if self.ledger is None else self.ledger.known
        there = [known[number, fold] for number, fold, _ in asked if (number, fold) in known]
        if there:
            yield there
        left = [one for one in asked if (one[0], one[1]) not in known]
        if not left:
            return
        for rows in self.play_chunks(self.evaluator, _chunked(left, self.jobs), self.jobs):
            self.played += len(rows)
            if self.ledger is not None:
                self.ledger.add(rows)
            yield rows

    def _note(self, row: Row) -> None:
        self.rows.append(row)
        self.failed += row.is_failed
        self.pruned += row.is_pruned
        first = self.job.objectives[0]
        value = row.measures.get(first.name, nan)
        if value == value and (  # noqa: PLR0124
            self.best is None or first.better(value, self.best.measures[first.name])
        ):
            self.best = row

    def _report(self) -> None:
        if self.options.progress is None:
            return
        rate = self.played / max(1e-9, time.perf_counter() - self.began) / max(1, len(self.job.parts))
        total, done = self.search.total, len(self.rows)
        left = nan if total is None or not rate else (total - done) / rate
        self.options.progress(
            Progress(done, self.failed, total, rate, left, self.best, self.job.objectives[0].name, self.pruned)
        )


def _chunked(
    asked: Sequence[tuple[int, int, Mapping[str, Any]]], jobs: int
) -> list[Sequence[tuple[int, int, Mapping[str, Any]]]]:
    size = max(1, min(_CHUNK, -(-len(asked) // (_CHUNKS_A_WORKER * jobs))))
    return [asked[at : at + size] for at in range(0, len(asked), size)]


def _mean(rows: Sequence[Row]) -> Row:
    """Return the means of folds, NaN where one is; the first error."""
    first = rows[0]
    errors = [f"fold {row.fold}: {row.error}" for row in rows if row.error]
    names = first.measures if not errors else ()
    means = {name: sum(row.measures[name] for row in rows) / len(rows) for name in names}
    seconds = sum(row.seconds for row in rows)
    paths = {row.path for row in rows}
    why = next((row.why for row in rows if row.why), "")
    path = ENGINE if ENGINE in paths else first.path
    return Row(first.number, -1, first.parameters, means, errors[0] if errors else "", path, seconds, why)
