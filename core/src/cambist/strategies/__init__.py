"""The base class of strategies, their parameters and their sizers."""

from cambist.strategies.parameters import Parameter, param
from cambist.strategies.schedules import At, Every, OnSession, Schedule
from cambist.strategies.sizers import AllIn, FixedSize, PercentOfEquity, Sizer
from cambist.strategies.strategy import Strategy

__all__ = [
    "AllIn",
    "At",
    "Every",
    "FixedSize",
    "OnSession",
    "Parameter",
    "PercentOfEquity",
    "Schedule",
    "Sizer",
    "Strategy",
    "param",
]
