"""What a sweep is after: measures by name, or functions of a run's facts, each with the way that is better."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.analysis import MEASURES, RunFacts
from cambist.api import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DEFAULTS", "Objective", "measured", "needs_engine", "objective_of"]

#: Measures that every row has.
DEFAULTS = ("total_return", "sharpe", "max_drawdown", "trades", "win_rate", "profit_factor", "fees_paid")
#: Measures of what a compiled run does not keep: holdings, the benchmark, times of the deepest fall.
_OF_RESULTS = frozenset(
    {
        *("alpha", "beta", "correlation", "tracking_error", "information_ratio", "average_leverage", "max_leverage"),
        *("max_drawdown_peak", "max_drawdown_trough", "max_drawdown_recovery"),
    }
)


@attrs.frozen
class Objective:
    """One thing that is to become large, or small.

    Attributes
    ----------
    name
        Its column.
    compute
        Function of the facts of a run.
    maximize
        Whether more is better.
    is_measure
        Whether it is a measure of Cambist's.
    """

    name: str
    compute: Callable[[RunFacts], float | None] = attrs.field(repr=False, eq=False)
    maximize: bool = True
    is_measure: bool = True

    def better(self, one: float, other: float) -> bool:
        """Tell whether `one` is better than `other`; NaN never is."""
        if one != one:  # noqa: PLR0124
            return False
        return other != other or (one > other if self.maximize else one < other)  # noqa: PLR0124


def objective_of(said: str | Callable[[RunFacts], float], direction: str = "") -> Objective:
    """Return the objective that a name or a function means.

    Parameters
    ----------
    said
        A measure of `cambist.analysis.MEASURES`, or a function of `cambist.analysis.RunFacts`.
    direction
        ``"max"`` or ``"min"``; the measure's own by default, and more for a function.

    Raises
    ------
    ParameterError
        For a name that there is not, or a measure of which neither way is better by itself.
    """
    if direction not in {"", "max", "min"}:
        raise ParameterError(f"the direction is {direction!r}; write 'max' or 'min'.")
    if callable(said):
        return Objective(getattr(said, "__name__", "objective"), said, direction != "min", is_measure=False)
    if said not in MEASURES:
        raise ParameterError(f"there is no measure {said!r}.{did_you_mean(str(said), MEASURES)}")
    spec = MEASURES[said]
    if not direction and spec.higher_is_better is None:
        raise ParameterError(
            f"of {said} neither more nor less is better by itself; say which: {said}:max or {said}:min."
        )
    maximize = direction == "max" if direction else bool(spec.higher_is_better)
    return Objective(said, spec.compute, maximize)


def needs_engine(names: Sequence[str]) -> bool:
    """Tell whether some measure is of what only a whole result holds."""
    return not _OF_RESULTS.isdisjoint(names)


def measured(facts: RunFacts, measures: Sequence[str], objectives: Sequence[Objective]) -> dict[str, float]:
    """Return every measure and objective of a run, NaN where there is none."""
    found = {name: _number(MEASURES[name].compute(facts)) for name in measures}
    for objective in objectives:
        if objective.name not in found:
            found[objective.name] = _number(objective.compute(facts))
    return found


def _number(value: Any) -> float:
    return nan if value is None else float(value)
