"""Beta, correlation and alpha: how the run went along with its benchmark, and what it made besides."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from cambist.analysis.measures.volatility import spread
from cambist.analysis.pairs import PairedReturns, pair_returns
from cambist.analysis.rates import compound, per_period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cambist.analysis.facts import RunFacts

__all__ = ["alpha", "alpha_of", "beta", "beta_of", "correlation", "correlation_of"]


def beta(facts: RunFacts) -> float:
    """Return how far the run moves when its benchmark moves by 1: ``cov(r, b) / var(b)`` of the daily returns.

    The slope of the regression of `r` on `b` (Sharpe, 1964; agrees with empyrical). NaN without a benchmark, with
    fewer than two common returns, when the benchmark's do not vary, or when equity of either was ever zero or below.
    """
    pairs = pair_returns(facts)
    return float(beta_of(pairs.own, pairs.other))


def correlation(facts: RunFacts) -> float:
    """Return Pearson's correlation of the daily returns of the run and its benchmark, -1 to 1.

    NaN without a benchmark, with fewer than two common returns, when those of either do not vary, or when equity of
    either was ever zero or below.
    """
    pairs = pair_returns(facts)
    return float(correlation_of(pairs.own, pairs.other))


def alpha(facts: RunFacts, risk_free: float = 0.0) -> float:
    """Return what the run made a year beyond what its beta explains (Jensen, 1968), a fraction.

    ``(1 + mean((r - f) - beta * (b - f))) ** P - 1`` of the daily returns `r` and `b`, with ``f = (1 + risk_free) **
    (1 / P) - 1`` (agrees with empyrical). NaN where `beta` is.

    Parameters
    ----------
    facts
        Of the run.
    risk_free
        Yearly rate that can be earned without risk, as a fraction.

    Raises
    ------
    ParameterError
        If the rate is none.
    """
    return alpha_of(pair_returns(facts), risk_free)


def alpha_of(pairs: PairedReturns, risk_free: float = 0.0) -> float:
    """Return the alpha of paired returns; see `alpha`."""
    free = per_period("risk_free", risk_free, pairs.per_year)
    slope = float(beta_of(pairs.own, pairs.other))
    if isnan(slope):
        return nan
    mean = float(pairs.own.mean()) - free - slope * (float(pairs.other.mean()) - free)
    return compound(1.0 + mean, pairs.per_year) if mean > -1.0 else nan


def beta_of(own: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slope of `own` on `other` along the last axis, shape ``(...)``; see `beta`."""
    variance = spread(other, ddof=0) ** 2
    return _covariance(own, other) / variance


def correlation_of(own: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation along the last axis, shape ``(...)``; see `correlation`."""
    both = spread(own, ddof=0) * spread(other, ddof=0)
    return _covariance(own, other) / both


def _covariance(own: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    # Sums of products, not `np.cov` or `np.dot`: those start the threads of a linear algebra library.
    if own.shape[-1] < 2:
        return np.full(own.shape[:-1], nan)
    apart = (own - own.mean(axis=-1, keepdims=True)) * (other - other.mean(axis=-1, keepdims=True))
    return np.asarray(apart.mean(axis=-1))
