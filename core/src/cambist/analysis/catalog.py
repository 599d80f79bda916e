"""The measures of a run: those that a summary shows, in its order, and the others."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from cambist.analysis.measures.average_holding import average_holding
from cambist.analysis.measures.average_trade import average_loss, average_trade, average_win
from cambist.analysis.measures.best_trade import best_trade, worst_trade
from cambist.analysis.measures.beta import alpha, beta, correlation
from cambist.analysis.measures.cagr import cagr
from cambist.analysis.measures.calmar import calmar
from cambist.analysis.measures.downside_deviation import downside_deviation
from cambist.analysis.measures.duration import bars, duration, end, start
from cambist.analysis.measures.equity import final_equity, initial_equity
from cambist.analysis.measures.exposure import exposure
from cambist.analysis.measures.fees_paid import fees_paid
from cambist.analysis.measures.information_ratio import information_ratio, tracking_error
from cambist.analysis.measures.leverage import average_leverage, max_leverage
from cambist.analysis.measures.log_return import log_return
from cambist.analysis.measures.max_drawdown import (
    longest_drawdown,
    max_drawdown,
    max_drawdown_peak,
    max_drawdown_recovery,
    max_drawdown_trough,
)
from cambist.analysis.measures.max_drawdown_money import max_drawdown_money, recovery_factor
from cambist.analysis.measures.moments import kurtosis, skewness
from cambist.analysis.measures.omega import omega
from cambist.analysis.measures.payoff_ratio import kelly, payoff_ratio
from cambist.analysis.measures.profit_factor import profit_factor
from cambist.analysis.measures.sharpe import sharpe
from cambist.analysis.measures.sortino import sortino
from cambist.analysis.measures.sqn import sqn
from cambist.analysis.measures.streaks import longest_losing_streak, longest_winning_streak
from cambist.analysis.measures.tail_ratio import tail_ratio
from cambist.analysis.measures.total_return import net_profit, total_return
from cambist.analysis.measures.trade_counts import long_trades, open_trades, short_trades, trades
from cambist.analysis.measures.turnover import turnover
from cambist.analysis.measures.ulcer_index import ulcer_index
from cambist.analysis.measures.value_at_risk import conditional_value_at_risk, value_at_risk
from cambist.analysis.measures.volatility import volatility
from cambist.analysis.measures.vwr import vwr
from cambist.analysis.measures.win_rate import win_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from cambist.analysis.facts import RunFacts

__all__ = ["MEASURES", "MeasureSpec", "Unit"]


class Unit(StrEnum):
    """What a measure's number counts."""

    #: Nanoseconds since the epoch, UTC, from the function; ISO 8601 text in a summary.
    TIME = "time"
    #: Length of time in seconds.
    SECONDS = "seconds"
    #: Whole things.
    COUNT = "count"
    #: The account's currency.
    MONEY = "money"
    #: A signed fraction: 0.05 is +5 %.
    RETURN = "return"
    #: A fraction of a whole, 0 to 1.
    SHARE = "share"
    #: A plain number.
    RATIO = "ratio"


@attrs.frozen(eq=False, slots=True)
class MeasureSpec:
    """One measure: what it is called, what it counts, and the function that computes it.

    Attributes
    ----------
    key
        Stable name, the key in a summary and in ``result.json``.
    label
        What a table shows.
    unit
        What the number counts.
    compute
        Pure function of the facts, with its settings as keywords. Answers NaN (a time: None) where the measure does not
        exist; it raises for a setting that cannot be used, and for nothing else.
    higher_is_better
        Which way to optimize; None where neither way is better by itself.
    benchmarked
        Whether it says something about buying and holding too.
    in_summary
        Whether a summary shows it. The others are computed when asked for alone, see
        `cambist.analysis.Analysis.measure`.
    """

    key: str
    label: str
    unit: Unit
    compute: Callable[..., float | None]
    higher_is_better: bool | None = None
    benchmarked: bool = False
    in_summary: bool = True


def _more(
    key: str,
    label: str,
    unit: Unit,
    compute: Callable[[RunFacts], float],
    better: bool | None = None,
    *,
    benchmarked: bool = False,
) -> MeasureSpec:
    """Return a measure that a summary leaves out."""
    return MeasureSpec(key, label, unit, compute, better, benchmarked, in_summary=False)


_ALL = (
    MeasureSpec("start", "Start", Unit.TIME, start),
    MeasureSpec("end", "End", Unit.TIME, end),
    MeasureSpec("duration", "Duration", Unit.SECONDS, duration),
    MeasureSpec("bars", "Bars", Unit.COUNT, bars),
    MeasureSpec("initial_equity", "Initial equity", Unit.MONEY, initial_equity, None, benchmarked=True),
    MeasureSpec("final_equity", "Final equity", Unit.MONEY, final_equity, higher_is_better=True, benchmarked=True),
    MeasureSpec("net_profit", "Net profit", Unit.MONEY, net_profit, higher_is_better=True, benchmarked=True),
    MeasureSpec("total_return", "Return", Unit.RETURN, total_return, higher_is_better=True, benchmarked=True),
    MeasureSpec("cagr", "CAGR", Unit.RETURN, cagr, higher_is_better=True, benchmarked=True),
    MeasureSpec("volatility", "Volatility (a year)", Unit.SHARE, volatility, higher_is_better=False, benchmarked=True),
    MeasureSpec("sharpe", "Sharpe ratio", Unit.RATIO, sharpe, higher_is_better=True, benchmarked=True),
    MeasureSpec("sortino", "Sortino ratio", Unit.RATIO, sortino, higher_is_better=True, benchmarked=True),
    MeasureSpec("calmar", "Calmar ratio", Unit.RATIO, calmar, higher_is_better=True, benchmarked=True),
    MeasureSpec("max_drawdown", "Max drawdown", Unit.RETURN, max_drawdown, higher_is_better=True, benchmarked=True),
    MeasureSpec("max_drawdown_peak", "Drawdown peak", Unit.TIME, max_drawdown_peak, None, benchmarked=True),
    MeasureSpec("max_drawdown_trough", "Drawdown trough", Unit.TIME, max_drawdown_trough, None, benchmarked=True),
    MeasureSpec("max_drawdown_recovery", "Drawdown recovery", Unit.TIME, max_drawdown_recovery, None, benchmarked=True),
    MeasureSpec(
        "longest_drawdown", "Longest drawdown", Unit.SECONDS, longest_drawdown, higher_is_better=False, benchmarked=True
    ),
    MeasureSpec("exposure", "Exposure", Unit.SHARE, exposure, None, benchmarked=True),
    MeasureSpec("turnover", "Turnover (times equity)", Unit.RATIO, turnover),
    MeasureSpec("fees_paid", "Fees paid", Unit.MONEY, fees_paid, higher_is_better=False),
    MeasureSpec("trades", "Trades", Unit.COUNT, trades),
    MeasureSpec("open_trades", "Open trades", Unit.COUNT, open_trades),
    MeasureSpec("long_trades", "Long trades", Unit.COUNT, long_trades),
    MeasureSpec("short_trades", "Short trades", Unit.COUNT, short_trades),
    MeasureSpec("win_rate", "Win rate", Unit.SHARE, win_rate, higher_is_better=True),
    MeasureSpec("profit_factor", "Profit factor", Unit.RATIO, profit_factor, higher_is_better=True),
    MeasureSpec("average_trade", "Average trade", Unit.MONEY, average_trade, higher_is_better=True),
    MeasureSpec("average_win", "Average win", Unit.MONEY, average_win, higher_is_better=True),
    MeasureSpec("average_loss", "Average loss", Unit.MONEY, average_loss, higher_is_better=True),
    MeasureSpec("best_trade", "Best trade", Unit.MONEY, best_trade, higher_is_better=True),
    MeasureSpec("worst_trade", "Worst trade", Unit.MONEY, worst_trade, higher_is_better=True),
    MeasureSpec("average_holding", "Average holding", Unit.SECONDS, average_holding),
    MeasureSpec("sqn", "System quality number", Unit.RATIO, sqn, higher_is_better=True),
    _more("log_return", "Logarithmic return", Unit.RETURN, log_return, True, benchmarked=True),
    _more("downside_deviation", "Downside deviation", Unit.SHARE, downside_deviation, False, benchmarked=True),
    _more("omega", "Omega ratio", Unit.RATIO, omega, True, benchmarked=True),
    _more("vwr", "Variability-weighted return", Unit.RETURN, vwr, True, benchmarked=True),
    _more("ulcer_index", "Ulcer index", Unit.SHARE, ulcer_index, False, benchmarked=True),
    _more("max_drawdown_money", "Max drawdown in money", Unit.MONEY, max_drawdown_money, True, benchmarked=True),
    _more("recovery_factor", "Recovery factor", Unit.RATIO, recovery_factor, True, benchmarked=True),
    _more("value_at_risk", "Value at risk (5 %)", Unit.RETURN, value_at_risk, True, benchmarked=True),
    _more(
        "conditional_value_at_risk",
        "Conditional value at risk (5 %)",
        Unit.RETURN,
        conditional_value_at_risk,
        True,
        benchmarked=True,
    ),
    _more("tail_ratio", "Tail ratio", Unit.RATIO, tail_ratio, True, benchmarked=True),
    _more("skewness", "Skewness", Unit.RATIO, skewness, benchmarked=True),
    _more("kurtosis", "Excess kurtosis", Unit.RATIO, kurtosis, benchmarked=True),
    _more("average_leverage", "Average leverage", Unit.RATIO, average_leverage),
    _more("max_leverage", "Max leverage", Unit.RATIO, max_leverage),
    _more("alpha", "Alpha", Unit.RETURN, alpha, True),
    _more("beta", "Beta", Unit.RATIO, beta),
    _more("correlation", "Correlation", Unit.RATIO, correlation),
    _more("tracking_error", "Tracking error", Unit.SHARE, tracking_error),
    _more("information_ratio", "Information ratio", Unit.RATIO, information_ratio, True),
    _more("payoff_ratio", "Payoff ratio", Unit.RATIO, payoff_ratio, True),
    _more("kelly", "Kelly fraction", Unit.RATIO, kelly, True),
    _more("longest_winning_streak", "Longest winning streak", Unit.COUNT, longest_winning_streak, True),
    _more("longest_losing_streak", "Longest losing streak", Unit.COUNT, longest_losing_streak, False),
)

#: Every measure by its key: those of a summary in the order in which it shows them, then the others.
MEASURES: dict[str, MeasureSpec] = {spec.key: spec for spec in _ALL}
