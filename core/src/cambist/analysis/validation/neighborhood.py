"""Whether the winner of a search stands on a plateau or on a needle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["Neighborhood", "neighborhood"]


@attrs.frozen(eq=False, slots=True)
class Neighborhood:
    """The best configuration of a table and those beside it.

    Attributes
    ----------
    best
        Its row in the table, by label.
    value
        Of its measure.
    neighbors
        Labels of the rows that are at most so many steps away in every parameter.
    mean, worst
        Of the neighbors' measure; NaN without one.
    kept
        `mean` over `value`: near 1 on a plateau; NaN where `value` is not above zero.
    rank
        Share of all configurations that the neighbors' mean is better than.
    """

    best: object
    value: float
    neighbors: tuple[object, ...]
    mean: float
    worst: float
    kept: float
    rank: float


def neighborhood(
    table: pd.DataFrame, parameters: Sequence[str], measure: str, *, steps: int = 1, higher_is_better: bool = True
) -> Neighborhood:
    """Look at what is around the best row of a table of a search.

    Parameters
    ----------
    table
        One row a configuration, with the columns of `parameters` and of `measure`.
    parameters
        Names of columns; the values that occur in one, in order, are its steps.
    measure
        What is compared; rows where it is NaN are left out.
    steps
        How far away a neighbor may be in each parameter.
    higher_is_better
        Which way is up.

    Raises
    ------
    ParameterError
        For a column that is not there, or a table without a number.
    """
    for name in (*parameters, measure):
        if name not in table.columns:
            raise ParameterError(f"the table has no column {name!r}.{did_you_mean(name, map(str, table.columns))}")
    if not parameters:
        raise ParameterError("name the columns of the parameters.")
    known = table[table[measure].notna()]
    if known.empty:
        raise ParameterError(f"the table has no row with a number in {measure!r}.")
    signed = known[measure].to_numpy(np.float64) * (1.0 if higher_is_better else -1.0)
    at = int(np.argmax(signed))
    near = np.ones(len(known), np.bool_)
    for name in parameters:
        places = {value: place for place, value in enumerate(sorted(set(known[name]), key=_order))}
        own = np.array([places[value] for value in known[name]])
        near &= np.abs(own - own[at]) <= steps
    near[at] = False
    values = known[measure].to_numpy(np.float64)
    around = values[near]
    mean = float(around.mean()) if len(around) else np.nan
    worst = float(around.min() if higher_is_better else around.max()) if len(around) else np.nan
    value = float(values[at])
    rank = float((signed < (mean if higher_is_better else -mean)).mean()) if len(around) else np.nan
    labels = tuple(known.index[near])
    return Neighborhood(known.index[at], value, labels, mean, worst, mean / value if value > 0 else np.nan, rank)


def _order(value: object) -> tuple[int, float, str]:
    number = isinstance(value, int | float | np.number)
    return (0, float(value), "") if number else (1, 0.0, str(value))  # type: ignore[arg-type]
