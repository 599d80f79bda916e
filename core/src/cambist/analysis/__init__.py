"""What a run was worth: the equity curve, buying and holding, the measures, and the table of results."""

from cambist.analysis.benchmark import BuyAndHold
from cambist.analysis.catalog import MEASURES, MeasureSpec, Unit
from cambist.analysis.curve import Drawdown, EquityCurve, EquityRecorder
from cambist.analysis.facts import RunFacts
from cambist.analysis.formatting import iso_time
from cambist.analysis.summary import Measure, Summary, summarize

__all__ = [
    "MEASURES",
    "BuyAndHold",
    "Drawdown",
    "EquityCurve",
    "EquityRecorder",
    "Measure",
    "MeasureSpec",
    "RunFacts",
    "Summary",
    "Unit",
    "iso_time",
    "summarize",
]
