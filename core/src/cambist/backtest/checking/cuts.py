"""Where the bars are cut."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np

from cambist.backtest.checking.played import check_count
from cambist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cambist.backtest.checking.played import Decision

__all__ = ["choose_cuts", "choose_starts", "rows_of_decisions"]


def rows_of_decisions(instants: NDArray[np.int64], decisions: Iterable[Decision]) -> list[int]:
    """Return the rows of the instants at which something was decided, ascending.

    What was decided inside a bar, or at its open, belongs to the instant at which it closes.
    """
    rows = {
        int(np.searchsorted(instants, one.ts, side="right" if one.opening or one.reacting else "left"))
        for one in decisions
    }
    return sorted(row for row in rows if row < len(instants))


def choose_cuts(
    instants: NDArray[np.int64], decided: Sequence[int], count: int, seed: int, *, every: bool
) -> list[int]:
    """Return the rows of `instants` at which to cut, ascending.

    About half of them are rows at which something was decided, the first among them: a decision made by the next bar
    changes only where the bars end with its own. The others are drawn from all rows. The last row is none: there the
    whole run ends.

    Raises
    ------
    ParameterError
        For fewer than one cut.
    InputError
        For fewer than two bars.
    """
    check_count("cuts", count)
    last = len(instants) - 1
    if last < 1:
        raise InputError("there is nothing to cut: it takes two bars that close after every series has begun.")
    if every or count >= last:
        return list(range(last))
    chance = Random(seed)  # noqa: S311 -- a choice of places
    there = [row for row in decided if row < last]
    wanted = min(len(there), (count + 1) // 2)
    chosen = set(there[:1][:wanted]) | set(chance.sample(there[1:], max(0, wanted - 1)))
    rest = [row for row in range(last) if row not in chosen]
    return sorted(chosen | set(chance.sample(rest, count - len(chosen))))


def choose_starts(instants: NDArray[np.int64], count: int, seed: int) -> list[int]:
    """Return the rows of `instants` after which runs begin, ascending, all in the first half.

    Raises
    ------
    ParameterError
        For fewer than one start.
    InputError
        For fewer than four bars.
    """
    check_count("starts", count)
    half = len(instants) // 2
    if half < 2:
        raise InputError(f"{len(instants)} bars are too few to begin later among them; give 4 or more.")
    chance = Random(seed)  # noqa: S311 -- a choice of places
    return sorted(chance.sample(range(half), min(count, half)))
