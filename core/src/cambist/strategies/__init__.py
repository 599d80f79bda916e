"""The base class of strategies, strategies made of signals, their parameters and their sizers."""

from cambist.strategies.cron import Cron
from cambist.strategies.parameters import Parameter, param
from cambist.strategies.schedules import At, Every, OnSession, Schedule
from cambist.strategies.signals import SignalKind, SignalStrategy
from cambist.strategies.sizers import (
    AllIn,
    AtrRisk,
    FixedReverser,
    FixedSize,
    FixedSizeTarget,
    Kelly,
    PercentOfCash,
    PercentOfEquity,
    RiskPerTrade,
    Sizer,
    Target,
    VolatilityTarget,
)
from cambist.strategies.strategy import Strategy

__all__ = [
    "AllIn",
    "At",
    "AtrRisk",
    "Cron",
    "Every",
    "FixedReverser",
    "FixedSize",
    "FixedSizeTarget",
    "Kelly",
    "OnSession",
    "Parameter",
    "PercentOfCash",
    "PercentOfEquity",
    "RiskPerTrade",
    "Schedule",
    "SignalKind",
    "SignalStrategy",
    "Sizer",
    "Strategy",
    "Target",
    "VolatilityTarget",
    "param",
]
