"""The core's measures."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import AnalyzerSpec

__all__ = ["cambist_analyzers"]

#: Name (the key in a summary, with hyphens), function in ``cambist.analysis.measures``, unit, whether more is
#: better (None: neither way is), summary.
_MEASURES = (
    ("start", "duration:start", "time", None, "Open of the first bar"),
    ("end", "duration:end", "time", None, "Close of the last bar"),
    ("duration", "duration:duration", "seconds", None, "From the first open to the last close"),
    ("bars", "duration:bars", "count", None, "Number of bars"),
    ("initial-equity", "equity:initial_equity", "money", None, "Equity at the start"),
    ("final-equity", "equity:final_equity", "money", True, "Equity at the end"),
    ("net-profit", "total_return:net_profit", "money", True, "Equity won or lost"),
    ("total-return", "total_return:total_return", "return", True, "Net profit as a share of the initial equity"),
    ("cagr", "cagr:cagr", "return", True, "Compound annual growth rate"),
    ("volatility", "volatility:volatility", "share", False, "Deviation of the returns, a year"),
    ("sharpe", "sharpe:sharpe", "ratio", True, "Sharpe ratio, a year"),
    ("sortino", "sortino:sortino", "ratio", True, "Sortino ratio, a year"),
    ("calmar", "calmar:calmar", "ratio", True, "Growth rate over the largest drawdown"),
    ("max-drawdown", "max_drawdown:max_drawdown", "return", True, "Largest fall of equity from a peak"),
    ("max-drawdown-peak", "max_drawdown:max_drawdown_peak", "time", None, "When the largest drawdown began"),
    ("max-drawdown-trough", "max_drawdown:max_drawdown_trough", "time", None, "When it was deepest"),
    ("max-drawdown-recovery", "max_drawdown:max_drawdown_recovery", "time", None, "When it was made good"),
    ("longest-drawdown", "max_drawdown:longest_drawdown", "seconds", False, "Longest time below a peak"),
    ("exposure", "exposure:exposure", "share", None, "Share of the time in the market"),
    ("turnover", "turnover:turnover", "ratio", None, "Value traded in multiples of equity"),
    ("fees-paid", "fees_paid:fees_paid", "money", False, "All fees"),
    ("trades", "trade_counts:trades", "count", None, "Closed trades"),
    ("open-trades", "trade_counts:open_trades", "count", None, "Trades still open at the end"),
    ("long-trades", "trade_counts:long_trades", "count", None, "Closed trades that were long"),
    ("short-trades", "trade_counts:short_trades", "count", None, "Closed trades that were short"),
    ("win-rate", "win_rate:win_rate", "share", True, "Share of the closed trades that won"),
    ("profit-factor", "profit_factor:profit_factor", "ratio", True, "Profit of the winners over loss of the losers"),
    ("average-trade", "average_trade:average_trade", "money", True, "Average net profit of a trade"),
    ("average-win", "average_trade:average_win", "money", True, "Average net profit of a winner"),
    ("average-loss", "average_trade:average_loss", "money", True, "Average net profit of a loser"),
    ("best-trade", "best_trade:best_trade", "money", True, "Largest net profit of a trade"),
    ("worst-trade", "best_trade:worst_trade", "money", True, "Smallest net profit of a trade"),
    ("average-holding", "average_holding:average_holding", "seconds", None, "Average length of a trade"),
    ("sqn", "sqn:sqn", "ratio", True, "System quality number"),
    ("log-return", "log_return:log_return", "return", True, "Logarithm of the growth of equity"),
    ("downside-deviation", "downside_deviation:downside_deviation", "share", False, "Deviation of the losses, a year"),
    ("omega", "omega:omega", "ratio", True, "Sum of the good returns over sum of the bad ones"),
    ("vwr", "vwr:vwr", "return", True, "Growth rate weighted by how steady it was"),
    ("ulcer-index", "ulcer_index:ulcer_index", "share", False, "Root of the mean squared drawdown"),
    ("max-drawdown-money", "max_drawdown_money:max_drawdown_money", "money", True, "Largest fall of equity in money"),
    ("recovery-factor", "max_drawdown_money:recovery_factor", "ratio", True, "Net profit over that fall"),
    ("value-at-risk", "value_at_risk:value_at_risk", "return", True, "Return that the worst 5 % of days stayed below"),
    (
        "conditional-value-at-risk",
        "value_at_risk:conditional_value_at_risk",
        "return",
        True,
        "Mean return of the worst 5 % of days",
    ),
    ("tail-ratio", "tail_ratio:tail_ratio", "ratio", True, "Size of the best days beside that of the worst"),
    ("skewness", "moments:skewness", "ratio", None, "Which tail of the returns is longer"),
    ("kurtosis", "moments:kurtosis", "ratio", None, "How much commoner extreme returns are than normal ones"),
    ("average-leverage", "leverage:average_leverage", "ratio", None, "Average value held in multiples of equity"),
    ("max-leverage", "leverage:max_leverage", "ratio", None, "Largest value held in multiples of equity"),
    ("alpha", "beta:alpha", "return", True, "Return beyond what beta explains, a year"),
    ("beta", "beta:beta", "ratio", None, "Move of equity when the benchmark moves by 1"),
    ("correlation", "beta:correlation", "ratio", None, "Correlation with the benchmark"),
    ("tracking-error", "information_ratio:tracking_error", "share", None, "Deviation from the benchmark, a year"),
    ("information-ratio", "information_ratio:information_ratio", "ratio", True, "Gain on the benchmark over that"),
    ("payoff-ratio", "payoff_ratio:payoff_ratio", "ratio", True, "Average winner over average loser"),
    ("kelly", "payoff_ratio:kelly", "ratio", True, "Share of equity to risk by Kelly's formula"),
    ("longest-winning-streak", "streaks:longest_winning_streak", "count", True, "Most trades won in a row"),
    ("longest-losing-streak", "streaks:longest_losing_streak", "count", False, "Most trades lost in a row"),
)


@hookimpl
def cambist_analyzers() -> list[AnalyzerSpec]:
    """Offer what ``cambist.analysis`` computes."""
    return [
        AnalyzerSpec(
            name=name,
            factory=f"cambist.analysis.measures.{where}",
            summary=summary,
            unit=unit,
            higher_is_better=better,
        )
        for name, where, unit, better, summary in _MEASURES
    ]
