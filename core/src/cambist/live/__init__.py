"""Live trading: what drives a kernel by a venue's streams, and never loses an order."""

from cambist.live.bar_handling import BarHandling
from cambist.live.differences import Difference, DifferenceKind, Policy
from cambist.live.joining import MissingBars
from cambist.live.projecting import Projecting
from cambist.live.quarantine import OnFailure
from cambist.live.resending import Resend
from cambist.live.run import LiveRun
from cambist.live.settings import LiveSettings, OnStop

__all__ = [
    "BarHandling",
    "Difference",
    "DifferenceKind",
    "LiveRun",
    "LiveSettings",
    "MissingBars",
    "OnFailure",
    "OnStop",
    "Policy",
    "Projecting",
    "Resend",
]
