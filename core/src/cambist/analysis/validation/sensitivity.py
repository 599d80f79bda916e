"""How much dearer trading may be, and how much later, before nothing is left.

Both are computed from the trades of one run: what strategies would have decided otherwise is not in them. Run again
with other fees or another latency for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = ["break_even_cost", "cost_sensitivity", "delay_sensitivity"]


def cost_sensitivity(facts: RunFacts, extra: Sequence[float]) -> NDArray[np.float64]:
    """Return what the closed trades would have made, had each fill cost so much more of its value.

    Parameters
    ----------
    facts
        Of the run.
    extra
        Fractions of the value traded: 0.0005 is five basis points on every fill.

    Returns
    -------
    ndarray
        Net profit in the account's currency, shape ``(len(extra),)``.
    """
    traded = _traded(facts)
    return np.array([float(facts.nets.sum()) - share * traded for share in extra])


def break_even_cost(facts: RunFacts) -> float:
    """Return which fraction of the value traded every fill may cost more before the closed trades make nothing.

    NaN without a trade; negative for trades that lost.
    """
    traded = _traded(facts)
    return float(facts.nets.sum()) / traded if traded else np.nan


def _traded(facts: RunFacts) -> float:
    """Return the value of all entries and exits of the closed trades."""
    return sum(
        abs(trade.instrument.notional(trade.entered, trade.entry_price))
        + abs(trade.instrument.notional(trade.exited, trade.exit_price))
        for trade in facts.closed
    )


def delay_sensitivity(
    opens: NDArray[np.float64],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    sizes: NDArray[np.float64],
    fees: NDArray[np.float64],
    delays: Sequence[int],
) -> NDArray[np.float64]:
    """Return what trades would have made, had entries and exits been filled at the open so many bars later.

    Parameters
    ----------
    opens
        Of the instrument's bars, shape ``(n,)``.
    rows
        Of the bars of entries and exits, shape ``(k,)`` each.
    sizes
        Of the trades in money for each unit of price, negative when short, shape ``(k,)``.
    fees
        Paid, shape ``(k,)``.
    delays
        Bars; 0 is the open of the very bars in which they were filled.

    Returns
    -------
    ndarray
        Net profit, shape ``(len(delays),)``. What would end behind the last bar ends with its open.

    Raises
    ------
    ParameterError
        For a negative delay.
    """
    if min(delays, default=0) < 0:
        raise ParameterError(f"delays are {list(delays)}; nothing can be filled earlier.")
    last = len(opens) - 1
    return np.array(
        [
            float((sizes * (opens[np.minimum(rows[1] + late, last)] - opens[np.minimum(rows[0] + late, last)])).sum())
            - float(fees.sum())
            for late in delays
        ]
    )
