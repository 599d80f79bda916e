"""How sure one can be of a Sharpe ratio, and what the best of many tries is worth.

Sharpe ratios here are those of a period, not annualized; returns are simple returns of these periods.
"""

from __future__ import annotations

from math import e, inf, nan, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["deflated_sharpe", "expected_best_sharpe", "least_track_record", "probabilistic_sharpe", "sharpe_moments"]

_NORMAL = NormalDist()
#: Euler and Mascheroni's.
_GAMMA = 0.5772156649015329


def sharpe_moments(returns: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return Sharpe ratio, skewness and kurtosis (3 for a normal distribution); NaN where returns do not vary."""
    values = np.asarray(returns, np.float64)
    if len(values) < 3 or not np.ptp(values):
        return nan, nan, nan
    middle, deviation = float(values.mean()), float(values.std())
    scaled = (values - middle) / deviation
    return middle / float(values.std(ddof=1)), float((scaled**3).mean()), float((scaled**4).mean())


def probabilistic_sharpe(
    sharpe: float, count: int, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Return how probable it is that the true Sharpe ratio is above `benchmark`.

    ``N((sr - sr*) sqrt(n - 1) / sqrt(1 - g3 sr + (g4 - 1) / 4 sr**2))``: Bailey, D. and Lopez de Prado, M. (2012), The
    Sharpe Ratio Efficient Frontier, Journal of Risk 15 (2), equation 11.

    Parameters
    ----------
    sharpe
        Of the returns, a period.
    count
        Of the returns.
    skewness, kurtosis
        Of the returns; kurtosis is 3 for a normal distribution.
    benchmark
        Another Sharpe ratio, a period.

    Returns
    -------
    float
        0 to 1; NaN with fewer than two returns, or where the ratio does not exist.
    """
    spread = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    if count < 2 or not np.isfinite(spread) or spread <= 0.0:
        return nan
    return _NORMAL.cdf((sharpe - benchmark) * sqrt(count - 1) / sqrt(spread))


def least_track_record(
    sharpe: float, skewness: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many returns it takes to be so sure that the true Sharpe ratio is above `benchmark`.

    Bailey and Lopez de Prado (2012), equation 13; parameters as for `probabilistic_sharpe`.

    Returns
    -------
    float
        Periods; infinite where the ratio is not above `benchmark`.
    """
    if not sharpe > benchmark:
        return inf
    spread = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    return 1.0 + spread * (_NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def expected_best_sharpe(trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of so many tries without any skill is expected to have.

    ``sqrt(V) ((1 - g) Z(1 - 1 / N) + g Z(1 - 1 / (N e)))``: Bailey, D. and Lopez de Prado, M. (2014), The Deflated
    Sharpe Ratio, Journal of Portfolio Management 40 (5).

    Parameters
    ----------
    trials
        Independent ones; 0 is expected of a single one.
    variance
        Of the Sharpe ratios of the tries, a period.

    Raises
    ------
    ParameterError
        For fewer than one try, or a negative variance.
    """
    if trials < 1 or not variance >= 0.0:
        raise ParameterError(f"{trials} tries with a variance of {variance}: there is at least one, and none below 0.")
    if trials == 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1.0 - 1.0 / trials), _NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return sqrt(variance) * ((1.0 - _GAMMA) * first + _GAMMA * second)


def deflated_sharpe(
    sharpe: float, count: int, trials: int, variance: float, skewness: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Return how probable it is that the best of many tries has skill, and not the luck of the best.

    Bailey and Lopez de Prado (2014); parameters as for `probabilistic_sharpe` and `expected_best_sharpe`.
    """
    return probabilistic_sharpe(sharpe, count, skewness, kurtosis, expected_best_sharpe(trials, variance))
