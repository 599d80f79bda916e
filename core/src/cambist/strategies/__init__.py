"""The base class of strategies, their parameters and their sizers."""

from cambist.strategies.parameters import Parameter, param
from cambist.strategies.sizers import AllIn, FixedSize, PercentOfEquity, Sizer
from cambist.strategies.strategy import Strategy

__all__ = ["AllIn", "FixedSize", "Parameter", "PercentOfEquity", "Sizer", "Strategy", "param"]
