"""Statistics of one line and of pairs: Hurst's exponent, regressions, cointegration."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cambist.errors import ParameterError
from cambist.indicators.custom import CustomIndicator
from cambist.indicators.lines import Line, attach
from cambist.indicators.windowed import Arithmetic, Windowed, check_period, mean_of, price_of, sum_of, windowed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Cointegration",
    "Regression",
    "Spread",
    "cointegration",
    "deviation",
    "hurst",
    "pair_beta",
    "pair_regression",
    "pair_spread",
]


class Regression(NamedTuple):
    """A straight line through pairs of values."""

    slope: Line
    intercept: Line


class Spread(NamedTuple):
    """What a regression leaves over, and how unusual it is."""

    spread: Line
    mean: Line
    deviation: Line
    zscore: Line


class Cointegration(NamedTuple):
    """Score of the test, and the probability of such a score without cointegration."""

    score: Line
    pvalue: Line


def _deviation(arithmetic: Arithmetic, window: list[Any]) -> Any:
    mean = mean_of(window)
    return arithmetic.sqrt(mean_of([(away := value - mean) * away for value in window]))


def deviation(line: Line, period: int = 20) -> Line:
    """Standard deviation in two passes.

    root of the mean of (x - mean) ** 2 of n values, the mean first: exact also where the values are large and their
    spread is small, where TA-Lib's STDDEV, of running sums of squares, is not.

    Parameters
    ----------
    line
        Any line, or a series for its close.
    period
        Bars.

    Returns
    -------
    Line
        In the unit of the input. Lookback: ``period - 1``.
    """
    period = check_period("deviation", period)
    return windowed(Windowed(f"deviation({period})", _deviation, period), price_of(line))


def _hurst(arithmetic: Arithmetic, window: list[Any], lags: tuple[int, ...], weights: tuple[float, ...]) -> Any:
    spreads = []
    for lag in lags:
        changes = [newer - older for newer, older in zip(window[lag:], window, strict=False)]
        spreads.append(_deviation(arithmetic, changes))
    return sum_of([weight * one for weight, one in zip(weights, arithmetic.log10(spreads), strict=True)])


def hurst(line: Line, period: int = 40, first_lag: int = 2, last_lag: int | None = None) -> Line:
    """Hurst's exponent.

    The slope of log(deviation of x - x[lag]) over log(lag), by least squares: 0.5 for a random walk, more in a trend,
    less where values return to a mean. Harold Hurst, Transactions of the American Society of Civil Engineers 116
    (1951), by the scaling of increments.

    Parameters
    ----------
    line
        Any line, or a series for its close; logarithms of prices suit it best.
    period
        Bars of the window, 6 or more; some hundred for a usable number.
    first_lag, last_lag
        Least lag, and greatest; ``period // 2 - 1`` unless given.

    Returns
    -------
    Line
        A plain number; NaN in a window that never moves. Lookback: ``period - 1``.
    """
    period, first = check_period("hurst", period, 6), check_period("hurst", first_lag, 1, "first_lag")
    last = period // 2 - 1 if last_lag is None else check_period("hurst", last_lag, 2, "last_lag")
    if not first < last < period - 1:
        raise ParameterError(
            f"hurst: lags are {first} to {last} in {period} bars; there must be two or more, and they must be less "
            f"than {period - 1}."
        )
    lags = tuple(range(first, last + 1))
    logs = [log10(lag) for lag in lags]
    mean = sum(logs) / len(logs)
    total = sum((one - mean) ** 2 for one in logs)
    weights = tuple((one - mean) / total for one in logs)
    formula = Windowed(f"hurst({period})", _hurst, period, parameters=(lags, weights))
    return windowed(formula, price_of(line))


def _line_through(arithmetic: Arithmetic, y: list[Any], x: list[Any]) -> tuple[Any, Any]:
    mean_y, mean_x = mean_of(y), mean_of(x)
    away = [value - mean_x for value in x]
    shared = sum_of([distance * (value - mean_y) for distance, value in zip(away, y, strict=True)])
    slope = arithmetic.divide(shared, sum_of([distance * distance for distance in away]), np.nan)
    return slope, mean_y - slope * mean_x


def _regression(y: Line, x: Line, period: int) -> tuple[Line, Line]:
    period = check_period("pair_regression", period, 2)
    formula = Windowed(f"regression({period})", _line_through, period, 2, outputs=("slope", "intercept"))
    slope, intercept = attach(formula, price_of(y), price_of(x))
    return slope, intercept


def pair_regression(y: Line, x: Line, period: int = 10) -> Regression:
    """Regression of one line on another.

    slope = sum of (x - mean x) * (y - mean y) over sum of (x - mean x) ** 2, intercept = mean y - slope * mean x, of n
    pairs: ordinary least squares.

    Parameters
    ----------
    y, x
        Lines of one series; `y` is explained by `x`.
    period
        Bars, 2 or more.

    Returns
    -------
    Regression
        Lines slope and intercept; NaN where `x` never moves. Lookback: ``period - 1``.
    """
    return Regression(*_regression(y, x, period))


def pair_beta(y: Line, x: Line, period: int = 10) -> Line:
    """Beta of one line to another.

    The slope of `pair_regression` (TA-Lib's BETA is that of their rates of change).

    Parameters
    ----------
    y, x
        Lines of one series; returns for the beta of finance.
    period
        Bars, 2 or more.

    Returns
    -------
    Line
        A plain number; NaN where `x` never moves. Lookback: ``period - 1``.
    """
    return _regression(y, x, period)[0]


def pair_spread(y: Line, x: Line, period: int = 10, regression: int | None = None) -> Spread:
    """What a regression leaves over, and its z-score.

    spread = y - (slope * x + intercept); its mean and standard deviation over n bars; zscore = (spread - mean) /
    deviation.

    Parameters
    ----------
    y, x
        Lines of one series; `y` is explained by `x`.
    period
        Bars of mean and deviation.
    regression
        Bars of the regression; `period` unless given.

    Returns
    -------
    Spread
        Lines spread, mean, deviation, in the unit of `y`, and zscore. Lookback: of the spread ``regression - 1``, of
        the others ``period - 1`` more.
    """
    slope, intercept = _regression(y, x, period if regression is None else regression)
    spread = price_of(y) - (slope * price_of(x) + intercept)
    period = check_period("pair_spread", period, 2)
    mean = windowed(Windowed(f"mean({period})", lambda _, window: mean_of(window), period), spread)
    wide = deviation(spread, period)
    return Spread(spread, mean, wide, (spread - mean) / wide)


def cointegration(y: Line, x: Line, period: int = 100, trend: str = "c") -> Cointegration:
    """Engle's and Granger's test of cointegration.

    The augmented Dickey-Fuller statistic of what the regression of y on x leaves over, and MacKinnon's p-value, by
    statsmodels' ``coint``. Robert Engle and Clive Granger, Econometrica 55:2 (1987).

    Parameters
    ----------
    y, x
        Lines of one series.
    period
        Bars, 10 or more; below some hundred the p-value means little.
    trend
        ``"c"`` constant, ``"ct"`` with a trend, ``"ctt"`` with a quadratic one, ``"n"`` none.

    Returns
    -------
    Cointegration
        Lines score and pvalue (0 to 1); NaN where the window does not allow the test. Lookback: ``period - 1``.

    Raises
    ------
    ParameterError
        For a parameter out of range, or where statsmodels is not installed.

    Notes
    -----
    The test is a whole regression with several lags for every bar: about a millisecond.
    """
    if trend not in {"c", "ct", "ctt", "n"}:
        raise ParameterError(f"cointegration: trend is {trend!r}; it must be one of c, ct, ctt, n.")
    try:
        from statsmodels.tsa.stattools import coint
    except ImportError:
        raise ParameterError(
            "cointegration is computed by statsmodels, which is not installed. Run: pip install 'cambist[statistics]'"
        ) from None
    period = check_period("cointegration", period, 10)

    def tested(y: NDArray[np.float64], x: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        results = np.full((2, len(y)), np.nan)
        for row in range(period - 1, len(y)):
            results[:, row] = _test(coint, y[row + 1 - period : row + 1], x[row + 1 - period : row + 1], trend)
        return results[0], results[1]

    made = CustomIndicator(tested, period - 1, ("score", "pvalue"), f"cointegration({period})")
    return Cointegration(*made(price_of(y), price_of(x)))


def _test(coint: Any, y: NDArray[np.float64], x: NDArray[np.float64], trend: str) -> tuple[float, float]:
    import warnings

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # it warns of windows that are nearly on one line, which the score says as well
        try:
            score, pvalue, _ = coint(y, x, trend=trend)
        except (ValueError, np.linalg.LinAlgError):
            return np.nan, np.nan
    return float(score), float(pvalue)
