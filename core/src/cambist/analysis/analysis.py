"""Everything that can be asked about a run, in one place; nothing is computed before it is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cambist.analysis.catalog import MEASURES
from cambist.analysis.facts import RunFacts
from cambist.analysis.periods import Period
from cambist.analysis.tables import comparison, drawdowns, period_returns, positions, rolling, trade_statistics
from cambist.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from cambist.analysis.curve import EquityCurve
    from cambist.analysis.tables.comparison import Comparison
    from cambist.analysis.tables.drawdowns import DrawdownStatistics, PeriodDrawdown
    from cambist.analysis.tables.period_returns import PeriodStatistics
    from cambist.analysis.tables.trade_statistics import TradeStatistics

__all__ = ["Analysis"]


class Analysis:
    """What a run was worth beyond the table of its summary.

    Returns come from the equity at the end of each UTC day, drawdowns and positions from every bar (for a run over
    blocks of bars from the last bar of each day too). Periods are ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` and
    ``"year"``, by the calendar in UTC.

    Parameters
    ----------
    facts
        Of the run: `Result.facts`, or made by hand.
    """

    def __init__(self, facts: RunFacts) -> None:
        self.facts = facts

    def __repr__(self) -> str:
        curve = self.facts.curve
        return f"<Analysis of {curve.n_bars:,} bars, {len(self.facts.closed):,} trades>"

    # Single numbers.

    def measure(self, key: str, **settings: object) -> float | None:
        """Return one measure by its key, whether the summary shows it or not.

        ``measure("omega")``, ``measure("sharpe", risk_free=0.02, period="month")``. ``MEASURES[key].higher_is_better``
        tells an optimizer which way to go.

        Parameters
        ----------
        key
            See the reference of measures.
        settings
            Keyword parameters of the measure's function.

        Returns
        -------
        float or None
            NaN where the measure does not exist. A time is nanoseconds, UTC, or None.

        Raises
        ------
        ParameterError
            For an unknown key, or a setting that the measure does not have or cannot use.
        """
        if key not in MEASURES:
            raise ParameterError(f"there is no measure {key!r}.{did_you_mean(key, MEASURES)}")
        compute = MEASURES[key].compute
        if not settings:
            return compute(self.facts)
        names = _settings_of(key)
        for name in settings:
            if name not in names:
                known = did_you_mean(name, names) if names else " It has none."
                raise ParameterError(f"the measure {key!r} has no setting {name!r}.{known}")
        return compute(self.facts, **settings)

    def measures(self) -> dict[str, float | None]:
        """Return every measure by its key, those that the summary leaves out included."""
        return {key: spec.compute(self.facts) for key, spec in MEASURES.items()}

    @cached_property
    def benchmark(self) -> Analysis | None:
        """The same of the run's benchmark, which has neither trades nor positions; None without one."""
        curve = self.facts.benchmark
        return None if curve is None else Analysis(RunFacts(curve))

    # Returns.

    @cached_property
    def returns(self) -> pd.Series[float]:
        """Simple return of each day, by day."""
        return self.period_returns(Period.DAY)

    def period_returns(self, period: str = "month", *, log: bool = False) -> pd.Series[float]:
        """Return the return of each period; see `cambist.analysis.tables.period_returns.period_returns`."""
        return period_returns.period_returns(self.facts, period, log=log)

    @cached_property
    def annual_returns(self) -> pd.Series[float]:
        """Return of each calendar year, by year."""
        return period_returns.annual_returns(self.facts)

    @cached_property
    def monthly_returns(self) -> pd.DataFrame:
        """Returns of the months: a row for each year, a column for each month, and ``Year``."""
        return period_returns.monthly_returns(self.facts)

    def period_statistics(self, period: str = "year", *, ddof: int = 1) -> PeriodStatistics:
        """Return average, deviation, best, worst and signs of the returns of a period."""
        return period_returns.period_statistics(self.facts, period, ddof=ddof)

    # Moving windows: NaN until the first window is full.

    def rolling_returns(self, window: int, period: str = "day", *, log: bool = False) -> pd.Series[float]:
        """Return the simple or logarithmic return over the last `window` periods."""
        return rolling.rolling_returns(self.facts, window, period, log=log)

    def rolling_volatility(self, window: int, period: str = "day") -> pd.Series[float]:
        """Return the volatility a year over the last `window` periods."""
        return rolling.rolling_volatility(self.facts, window, period)

    def rolling_sharpe(self, window: int, risk_free: float = 0.0, period: str = "day") -> pd.Series[float]:
        """Return the annualized Sharpe ratio over the last `window` periods."""
        return rolling.rolling_sharpe(self.facts, window, risk_free, period)

    def rolling_sortino(self, window: int, target: float = 0.0, period: str = "day") -> pd.Series[float]:
        """Return the annualized Sortino ratio over the last `window` periods."""
        return rolling.rolling_sortino(self.facts, window, target, period)

    def rolling_calmar(self, window: int = 36, period: str = "month") -> pd.Series[float]:
        """Return the growth rate a year over the largest drawdown of the last `window` periods."""
        return rolling.rolling_calmar(self.facts, window, period)

    def rolling_beta(self, window: int) -> pd.Series[float]:
        """Return beta to the run's benchmark over the last `window` days; empty without one."""
        return rolling.rolling_beta(self.facts, window)

    # Drawdowns.

    @cached_property
    def drawdowns(self) -> pd.DataFrame:
        """Every stretch under water, the deepest first; see `cambist.analysis.tables.drawdowns.drawdown_table`."""
        return drawdowns.drawdown_table(self.facts)

    @cached_property
    def underwater(self) -> pd.Series[float]:
        """Fraction below the highest equity so far at each close, 0 or below."""
        return drawdowns.underwater(self.facts)

    @cached_property
    def drawdown_statistics(self) -> DrawdownStatistics:
        """Drawdown at the end of the run, and the largest ones, in fractions, money and bars."""
        return drawdowns.drawdown_statistics(self.facts)

    def period_drawdown(self, period: str = "month") -> PeriodDrawdown:
        """Return the largest drawdown of an account that is looked at once a period, and the longest in periods."""
        return drawdowns.period_drawdown(self.facts, period)

    # Trades and positions.

    @cached_property
    def trade_statistics(self) -> TradeStatistics:
        """Counts, streaks, profits and lengths of the trades, as a tree."""
        return trade_statistics.trade_statistics(self.facts.trades)

    @cached_property
    def position_sizes(self) -> pd.DataFrame:
        """Size held of each instrument at each close, negative when short."""
        return positions.position_sizes(self.facts)

    def position_values(self, *, cash: bool = False) -> pd.DataFrame:
        """Return the signed value held of each instrument at each close, with the cash beside it where asked for."""
        return positions.position_values(self.facts, cash=cash)

    @cached_property
    def gross_leverage(self) -> pd.Series[float]:
        """Value of everything held, long and short added up, over equity at each close."""
        return positions.leverage(self.facts)

    @cached_property
    def net_leverage(self) -> pd.Series[float]:
        """Value of what is held long less that of what is short, over equity at each close."""
        return positions.leverage(self.facts, net=True)

    @cached_property
    def transactions(self) -> pd.DataFrame:
        """What was traded: the fills of one instrument, side and moment as one row."""
        return positions.transactions(self.facts)

    # Beside a benchmark.

    def compare(self, benchmark: pd.Series[float] | EquityCurve | None = None, *, risk_free: float = 0.0) -> Comparison:
        """Return alpha, beta, correlation, tracking error and information ratio beside a benchmark.

        Daily returns of your choice, another run's curve, or by default the run's own benchmark; see
        `cambist.analysis.tables.comparison.compare`.
        """
        return comparison.compare(self.facts, benchmark, risk_free=risk_free)


def _settings_of(key: str) -> list[str]:
    """Return the names of the settings of a measure."""
    from inspect import signature

    return list(signature(MEASURES[key].compute).parameters)[1:]
