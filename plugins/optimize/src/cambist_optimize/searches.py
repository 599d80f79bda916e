"""What to try next: everything, at random, or what Optuna has learned; asked for and told in batches."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from cambist.api import MissingDependencyError, ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cambist_optimize.objectives import Objective
    from cambist_optimize.space import Axis, Space

__all__ = ["SEARCHES", "GridSearch", "OptunaSearch", "RandomSearch", "Search", "search_of"]

#: By name: every combination, drawn evenly, and Optuna's: tree-structured Parzen estimator, covariance matrix
#: adaptation, non-dominated sorting for several objectives.
SEARCHES = ("grid", "random", "tpe", "cmaes", "nsga2")


class Search(Protocol):
    """Asks for combinations and is told what came of them. Numbers run from 0 in the order of asking.

    Attributes
    ----------
    total
        How many there will be; None where nobody knows yet.
    """

    total: int | None

    def ask(self) -> list[dict[str, Any]]:
        """Return the next combinations, none at the end. The batch does not depend on how many workers there are."""
        ...

    def prunes(self, number: int, fold: int, value: float) -> bool:
        """Learn how a combination did on the folds so far; return whether the others can be spared."""
        ...

    def tell(self, number: int, values: Sequence[float] | None) -> None:
        """Learn what came of one; None where it failed."""
        ...


class GridSearch:
    """Every combination, in order."""

    def __init__(self, space: Space, batch: int = 10_000) -> None:
        points = space.points
        self._left: Iterator[dict[str, Any]] = space.grid()
        first = next(self._left, None)
        if first is None:
            raise space.excluded()
        self._left = itertools.chain([first], self._left)
        self._batch = batch
        self.total = points if not space.constraints else _count(space) if (points or 0) <= 1_000_000 else None

    def ask(self) -> list[dict[str, Any]]:
        """Return the next combinations."""
        return list(itertools.islice(self._left, self._batch))

    def prunes(self, number: int, fold: int, value: float) -> bool:  # noqa: ARG002
        """Spare nothing: everything was asked for."""
        return False

    def tell(self, number: int, values: Sequence[float] | None) -> None:
        """Learn nothing."""


def _count(space: Space) -> int:
    return sum(1 for _ in space.grid())


class RandomSearch:
    """Combinations drawn evenly, each once as long as there are others."""

    def __init__(self, space: Space, trials: int, seed: int) -> None:
        self._space = space
        self._chance = np.random.default_rng(seed)
        self._asked = False
        if space.points is not None and not space.constraints:
            trials = min(trials, space.points)
        self.total: int | None = trials

    def ask(self) -> list[dict[str, Any]]:
        """Return all of them at once."""
        if self._asked:
            return []
        self._asked = True
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for _ in range(100 * (self.total or 0)):
            one = self._space.drawn(self._chance)
            found.setdefault(tuple(one.values()), one)
            if len(found) == self.total:
                break
        self.total = len(found)
        return list(found.values())

    def prunes(self, number: int, fold: int, value: float) -> bool:  # noqa: ARG002
        """Spare nothing."""
        return False

    def tell(self, number: int, values: Sequence[float] | None) -> None:
        """Learn nothing."""


class OptunaSearch:
    """Optuna's samplers by ask and tell; see its documentation for what each is good at.

    Parameters
    ----------
    space, trials, seed
        What to try, how often, and the seed of its chance.
    kind
        ``"tpe"``, ``"cmaes"`` or ``"nsga2"``.
    objectives
        What is told, in order.
    batch
        How many are asked for before the first of them is told: the more, the less is learned.
    """

    def __init__(
        self, space: Space, trials: int, seed: int, *, kind: str, objectives: Sequence[Objective], batch: int = 8
    ) -> None:
        try:
            import optuna
        except ImportError:
            raise MissingDependencyError(
                f"the search {kind!r} needs Optuna: pip install 'cambist-optimize[optuna]'."
            ) from None
        self._space = space
        self._batch = batch
        self._left = trials
        self.total: int | None = trials
        self._is_single = len(objectives) == 1
        self._states = optuna.trial.TrialState
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Optuna calls experimental
            self._study = optuna.create_study(
                directions=["maximize" if one.maximize else "minimize" for one in objectives],
                sampler=_sampler(optuna, kind, seed, space),
                pruner=optuna.pruners.MedianPruner(n_startup_trials=2 * batch, n_warmup_steps=0),
            )
        self._trials: list[Any] = []
        self._distributions = {axis.name: _distribution(optuna, axis) for axis in space.axes}

    def ask(self) -> list[dict[str, Any]]:
        """Return the next batch; combinations that a constraint excludes are told as failures, and asked for anew."""
        found: list[dict[str, Any]] = []
        refused = 0
        while self._left and len(found) < self._batch:
            trial = self._study.ask(self._distributions)
            values = {axis.name: trial.params[axis.name] for axis in self._space.axes}
            if self._space.allows(values):
                found.append(values)
                self._trials.append(trial)
                self._left -= 1
                continue
            self._study.tell(trial, state=self._states.FAIL)
            refused += 1
            if refused > 1_000:
                raise self._space.excluded()
        return found

    def prunes(self, number: int, fold: int, value: float) -> bool:
        """Learn how a combination did so far, and whether it is worse than the median of the others by now."""
        if not self._is_single or value != value:  # noqa: PLR0124 - Optuna prunes single objectives alone
            return False
        trial = self._trials[number]
        trial.report(value, fold)
        return bool(trial.should_prune())

    def tell(self, number: int, values: Sequence[float] | None) -> None:
        """Learn what came of one."""
        failed = values is None or any(value != value for value in values)  # noqa: PLR0124
        if failed:
            self._study.tell(self._trials[number], state=self._states.FAIL)
        else:
            self._study.tell(self._trials[number], list(values or ()))


def _sampler(optuna: Any, kind: str, seed: int, space: Space) -> Any:
    del space
    if kind == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed)
    if kind == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _distribution(optuna: Any, axis: Axis) -> Any:
    kinds = optuna.distributions
    if not axis.values:
        return kinds.FloatDistribution(axis.low, axis.high)
    if axis.is_whole and len(axis.values) > 1:
        steps = np.diff(axis.values)
        if (steps == steps[0]).all() and steps[0] > 0:
            return kinds.IntDistribution(axis.values[0], axis.values[-1], step=int(steps[0]))
    return kinds.CategoricalDistribution(list(axis.values))


def search_of(
    said: str, space: Space, *, trials: int | None, seed: int, objectives: Sequence[Objective], batch: int
) -> Search:
    """Return the search of that name.

    Raises
    ------
    ParameterError
        For a name that there is not, or one that does not go with the number of objectives.
    """
    if said not in SEARCHES:
        raise ParameterError(f"there is no search {said!r}.{did_you_mean(said, SEARCHES)}")
    if trials is not None and trials < 1:
        raise ParameterError(f"trials is {trials}; try at least one combination.")
    if said == "grid":
        return GridSearch(space)
    count = 100 if trials is None else trials
    if said == "random":
        return RandomSearch(space, count, seed)
    if said == "cmaes" and len(objectives) > 1:
        raise ParameterError("cmaes follows one objective; for several take nsga2 or tpe.")
    return OptunaSearch(space, count, seed, kind=said, objectives=objectives, batch=batch)


def described(values: Mapping[str, Any]) -> str:
    """Return a combination for people."""
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items()
    )
