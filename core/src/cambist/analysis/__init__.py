"""What a run was worth: the equity curve, buying and holding, the measures, the table of results, and the analysis."""

from cambist.analysis.analysis import Analysis
from cambist.analysis.benchmark import BuyAndHold
from cambist.analysis.catalog import MEASURES, MeasureSpec, Unit
from cambist.analysis.curve import Drawdown, EquityCurve, EquityRecorder
from cambist.analysis.facts import RunFacts
from cambist.analysis.formatting import format_value, iso_time, money_places
from cambist.analysis.holdings import ClosesRecorder, Holding, Holdings
from cambist.analysis.measures.sharpe import sharpe_of
from cambist.analysis.measures.sortino import sortino_of
from cambist.analysis.periods import Period
from cambist.analysis.rates import compound
from cambist.analysis.summary import Measure, Summary, measured, summarize
from cambist.analysis.tables.comparison import Comparison
from cambist.analysis.tables.drawdowns import DrawdownStatistics, PeriodDrawdown
from cambist.analysis.tables.period_returns import PeriodStatistics
from cambist.analysis.tables.trade_statistics import TradeStatistics, trade_statistics
from cambist.analysis.trade_columns import TradeColumns

__all__ = [
    "MEASURES",
    "Analysis",
    "BuyAndHold",
    "ClosesRecorder",
    "Comparison",
    "Drawdown",
    "DrawdownStatistics",
    "EquityCurve",
    "EquityRecorder",
    "Holding",
    "Holdings",
    "Measure",
    "MeasureSpec",
    "Period",
    "PeriodDrawdown",
    "PeriodStatistics",
    "RunFacts",
    "Summary",
    "TradeColumns",
    "TradeStatistics",
    "Unit",
    "compound",
    "format_value",
    "iso_time",
    "measured",
    "money_places",
    "sharpe_of",
    "sortino_of",
    "summarize",
    "trade_statistics",
]
