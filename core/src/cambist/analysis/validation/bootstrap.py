"""What could have happened as well: the same returns, or the same trades, drawn again and again.

Stationary bootstrap: Politis, D. and Romano, J. (1994), The Stationary Bootstrap, Journal of the American Statistical
Association 89 (428). Trades are drawn one by one (Efron, B. 1979, Bootstrap Methods, Annals of Statistics 7 (1)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cambist.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Bands", "block_bootstrap", "trade_bootstrap"]

#: Numbers that are drawn at once.
_AT_ONCE = 1 << 21
#: Points of the bands of a path.
_POINTS = 200


@attrs.frozen(eq=False, slots=True)
class Bands:
    """How the redrawn runs came out.

    Attributes
    ----------
    growth
        ``final / initial - 1`` of each, shape ``(k,)``.
    drawdown
        The deepest fall of each, 0 or below, shape ``(k,)``.
    sharpe
        Sharpe ratio of each, a period (a trade), shape ``(k,)``.
    levels
        The quantiles of `paths`, ascending, shape ``(q,)``.
    steps, paths
        Places on the way from 0 to 1, shape ``(m,)``, and at each of them the quantiles of worth over the start, shape
        ``(m, q)``.
    block
        Mean length of a block; 1 where each was drawn by itself.
    """

    growth: NDArray[np.float64]
    drawdown: NDArray[np.float64]
    sharpe: NDArray[np.float64]
    levels: NDArray[np.float64]
    steps: NDArray[np.float64]
    paths: NDArray[np.float64]
    block: float

    def interval(self, name: str, confidence: float = 0.9) -> tuple[float, float]:
        """Return the bounds between which so many of the runs lie, by ``"growth"``, ``"drawdown"`` or ``"sharpe"``."""
        rest = (1.0 - confidence) / 2.0
        low, high = np.quantile(getattr(self, name), [rest, 1.0 - rest])
        return float(low), float(high)

    @property
    def loss_probability(self) -> float:
        """Share of the runs that ended with less than they began with."""
        return float((self.growth < 0.0).mean())


def block_bootstrap(
    returns: NDArray[np.float64],
    samples: int = 1000,
    *,
    block: float | None = None,
    levels: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95),
    seed: int = 0,
) -> Bands:
    """Draw blocks of returns of random length, so that what follows upon each other stays together.

    Parameters
    ----------
    returns
        Simple returns of equal periods, shape ``(n,)``, finite, -1 or above.
    samples
        How many runs to draw.
    block
        Mean length of a block; the cube root of n when left out.
    levels
        Quantiles of the paths.
    seed
        The same seed gives the same runs.

    Raises
    ------
    ParameterError
        For fewer than two returns, ones that are not finite, no samples, or a block shorter than one.
    """
    values = _checked(returns, samples)
    length = float(block) if block is not None else max(1.0, round(len(values) ** (1.0 / 3.0)))
    if not 1.0 <= length <= len(values):
        raise ParameterError(f"block is {block!r}; its mean length is from 1 to the {len(values)} returns there are.")
    return _redrawn(values, samples, length, levels, seed)


def trade_bootstrap(
    returns: NDArray[np.float64],
    samples: int = 1000,
    *,
    levels: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95),
    seed: int = 0,
) -> Bands:
    """Draw trades one by one, with putting back.

    Parameters
    ----------
    returns
        What each trade added to the account, as a fraction of what it was worth before, shape ``(n,)``.
    samples, levels, seed
        As for `block_bootstrap`.

    Raises
    ------
    ParameterError
        As `block_bootstrap`.
    """
    return _redrawn(_checked(returns, samples), samples, 1.0, levels, seed)


def _checked(returns: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    values = np.asarray(returns, np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ParameterError(f"there are {len(values)} returns to draw from; two are the least.")
    if not np.isfinite(values).all():
        raise ParameterError("some returns are not finite. Leave out what comes after an account was worth nothing.")
    if samples < 1:
        raise ParameterError(f"samples is {samples!r}; draw one run or more.")
    return values


def _redrawn(values: NDArray[np.float64], samples: int, length: float, levels: tuple[float, ...], seed: int) -> Bands:
    random = np.random.default_rng(seed)
    n = len(values)
    at = np.unique(np.linspace(0, n, min(_POINTS, n) + 1).round().astype(np.int64))
    paths, falls, ratios = [], [], []
    step = max(1, _AT_ONCE // n)
    for first in range(0, samples, step):
        count = min(step, samples - first)
        drawn = values[_rows(random, count, n, length)]
        worth = np.concatenate((np.ones((count, 1)), np.cumprod(1.0 + drawn, axis=1)), axis=1)
        falls.append((worth / np.maximum.accumulate(worth, axis=1)).min(axis=1) - 1.0)
        deviation = drawn.std(axis=1, ddof=1)
        ratios.append(np.divide(drawn.mean(axis=1), deviation, out=np.zeros(count), where=deviation > 1e-14))
        paths.append(worth[:, at])
    every = np.concatenate(paths)
    return Bands(
        growth=every[:, -1] - 1.0,
        drawdown=np.concatenate(falls),
        sharpe=np.concatenate(ratios),
        levels=np.array(levels),
        steps=at / n,
        paths=np.quantile(every, levels, axis=0).T,
        block=length,
    )


def _rows(random: np.random.Generator, count: int, n: int, length: float) -> NDArray[np.int64]:
    """Return which rows are drawn, shape ``(count, n)``: with probability 1 / length a new block begins anywhere."""
    starts = random.integers(0, n, (count, n))
    if length == 1.0:
        return starts
    fresh = random.random((count, n)) < 1.0 / length
    fresh[:, 0] = True
    places = np.arange(n)
    begun = np.maximum.accumulate(np.where(fresh, places, 0), axis=1)
    found: NDArray[np.int64] = (np.take_along_axis(starts, begun, axis=1) + places - begun) % n
    return found
